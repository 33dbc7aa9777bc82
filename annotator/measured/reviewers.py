"""The report on reviewers: how right they are on probes and in the exam, and signs of haste. Reads only.

A plain dict, the same for page, API and command; shares are {value, right, n, low, high, why} with Wilson's interval.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import groupby
from operator import or_
from typing import Any, Final

from django.db.models import F, OuterRef, Q, Subquery

from annotator import measured
from annotator.caching import self_tuned
from annotator.core import accuracy, haste
from annotator.core.accuracy import Case
from annotator.core.decision import Rule
from annotator.core.haste import Sent
from annotator.models import Annotation, Assignment, AssignmentState, Membership, Phase, Project, Use

RECENT: Final = 200  # submissions of each, for pace and straight lines
MOST_PEOPLE: Final = 200
MOST_ITEMS: Final = 50  # ids named behind a number


def current(project: Project) -> dict[str, Any]:
    return self_tuned(f"reviewers:{project.pk}", lambda: report(project))


def report(project: Project) -> dict[str, Any]:
    """Of the members with the most submissions."""
    rule = measured.rule_of(project)
    probes, exams = measured.by_rater(project, Use.PROBE), measured.by_rater(project, Use.EXAM)
    members = list(_members(project))
    sent = _recent(project, members)
    usual = haste.ms_a_step([one for of_one in sent.values() for one in of_one])
    answers = {rater: Counter(haste.answer(one.labels) for one in of_one) for rater, of_one in sent.items()}
    everybody: Counter[tuple[int, ...]] = sum(answers.values(), Counter())
    return {
        "project": project.slug,
        "rule": rule,
        "probe_rate": project.probe_rate,
        "exam_pass": project.exam_pass,
        "fast_below": haste.FAST,
        "usual_ms_a_step": usual,
        "all": _measured([case for of_one in probes.values() for case in of_one], rule),
        "reviewers": [
            {
                **_who(member),
                "probes": _measured(probes.get(member.rater_id, []), rule),
                "exam": _measured(exams.get(member.rater_id, []), rule),
                "ms_a_step": haste.ms_a_step(sent.get(member.rater_id, [])),
                "warnings": _warnings(
                    sent.get(member.rater_id, []),
                    usual,
                    everybody - answers.get(member.rater_id, Counter()),
                ),
            }
            for member in members
        ],
    }


def _members(project: Project) -> Iterable[Membership]:
    nth_last = _work(project).filter(rater=OuterRef("rater")).order_by("-submitted_at")[RECENT - 1 : RECENT]
    rows = Membership.objects.filter(project=project).select_related("user")
    rows = rows.annotate(since=Subquery(nth_last.values("submitted_at")))
    return rows.order_by("-n_submitted", "user__username")[:MOST_PEOPLE]


def _who(member: Membership) -> dict[str, Any]:
    return {
        "member": member.pk,
        "rater": member.rater_id,
        "name": member.user.get_username(),
        "role": member.role,
        "n_submitted": member.n_submitted,
        "paused": member.paused_because or "no reason given" if member.paused_at else None,
        "exam_attempts": member.exam_attempts,
        "exam_passed_at": member.exam_passed_at.isoformat() if member.exam_passed_at else None,
    }


def _measured(cases: Sequence[Case], rule: Rule) -> dict[str, Any]:
    wrong = [case.item for case in cases if accuracy.is_right(case, rule) is False]
    return {
        "items": accuracy.items_right(cases, rule).to_json(),
        "steps": accuracy.steps_right(cases, rule).to_json(),
        "kinds": {kind: share.to_json() for kind, share in accuracy.by_kind(cases, rule).items()},
        "weeks": {week.isoformat(): share.to_json() for week, share in accuracy.by_week(cases, rule).items()},
        "patterns": [one._asdict() | {"often": one.is_often} for one in accuracy.patterns(cases)],
        "wrong": wrong[-MOST_ITEMS:],
    }


def _warnings(
    sent: Sequence[Sent], usual: float | None, others: Counter[tuple[int, ...]]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if fast := haste.too_fast(sent, usual):
        found.append({"code": "fast", **fast._asdict()})
    if run := haste.straight_line(sent, others):
        found.append({"code": "straight_line", **run._asdict(), "items": run.items[:MOST_ITEMS]})
    return found


def _work(project: Project) -> Any:
    return Assignment.objects.filter(
        project=project, state=AssignmentState.SUBMITTED, purpose=Use.WORK, submitted_at__isnull=False
    )


def _recent(project: Project, members: Sequence[Any]) -> dict[int, list[Sent]]:
    """Rater -> their last submissions of work, oldest first; one query, one range of the index for each."""
    chosen = [_of(project, member) for member in members if member.n_submitted]
    if not chosen:
        return {}
    rows = Annotation.objects.filter(
        reduce(or_, chosen), superseded_at__isnull=True, phase__in=[Phase.BLIND, Phase.REVEALED],
        assignment__state=AssignmentState.SUBMITTED, assignment__purpose=Use.WORK,
        solution=F("assignment__item__solution"),
    ).order_by("assignment__rater", "assignment__submitted_at", "assignment", "id")  # fmt: skip
    columns = rows.values_list("assignment__rater", "assignment", "assignment__item", "labels", "duration_ms")
    found: dict[int, list[Sent]] = {}
    for (rater, _), of_one in groupby(columns.iterator(2_000), key=lambda row: row[:2]):
        said = list(of_one)
        times = [ms for *_, ms in said if ms is not None]
        _, _, item, labels, _ = said[-1]
        found.setdefault(rater, []).append(Sent(item, labels, max(times, default=None)))
    return found


def _of(project: Project, member: Any) -> Q:
    since = {"assignment__submitted_at__gte": member.since} if member.since else {}
    return Q(
        assignment__project=project,
        assignment__rater=member.rater_id,
        assignment__submitted_at__isnull=False,
        **since,
    )
