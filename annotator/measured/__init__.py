"""What probes and exams say of reviewers, read back beside gold as it is now. Reads only."""

from collections.abc import Iterable
from typing import Any, cast

from django.db.models import F, QuerySet
from django.utils import timezone

from annotator.core.accuracy import Case
from annotator.core.decision import Final, Rule
from annotator.models import Annotation, AssignmentState, Phase, Project, Use

CHUNK = 2_000
COLUMNS = (
    "rater", "assignment", "assignment__item", "assignment__item__error_type", "assignment__submitted_at",
    "labels", "finish_reason", "error_types",
    "assignment__item__gold__labels", "assignment__item__gold__finish_reason",
    "assignment__item__gold__error_types",
)  # fmt: skip


def rule_of(project: Project) -> Rule:
    return cast(Rule, str(project.decision_rule))


def cases(project: Project, purpose: Use, *, rater_id: int) -> list[Case]:
    """One reviewer's cases, in the order of submission."""
    return by_rater(project, purpose, rater_id=rater_id).get(rater_id, [])


def by_rater(
    project: Project, purpose: Use, *, rater_id: int | None = None, **chosen: Any
) -> dict[int, list[Case]]:
    """Rater -> cases, in the order of submission: the last word of each submission beside the item's gold.

    Items that have no gold any more are left out. `chosen` narrows the annotations.
    """
    rows = _rows(project, purpose).filter(**chosen)
    if rater_id is not None:
        rows = rows.filter(rater=rater_id)
    last: dict[int, tuple[int, Case]] = {}
    for rater, assignment, *rest in rows.values_list(*COLUMNS).iterator(CHUNK):
        last[assignment] = rater, _case(rest)  # blind before revealed: the later one is the last word
    found: dict[int, list[Case]] = {}
    for rater, case in last.values():
        found.setdefault(rater, []).append(case)
    return found


def _rows(project: Project, purpose: Use) -> QuerySet[Annotation]:
    rows = Annotation.objects.filter(
        assignment__project=project, assignment__purpose=purpose, assignment__submitted_at__isnull=False,
        solution=F("assignment__item__solution"), superseded_at__isnull=True,
        phase__in=[Phase.BLIND, Phase.REVEALED], assignment__item__gold__isnull=False,
    ).order_by("assignment__submitted_at", "assignment", "id")  # fmt: skip
    # A probe taken back counts again when it is sent again; an exam's answers stay between attempts.
    return rows.filter(assignment__state=AssignmentState.SUBMITTED) if purpose == Use.PROBE else rows


def _case(columns: Iterable[Any]) -> Case:
    item, kind, at, labels, reason, types, gold_labels, gold_reason, gold_types = columns
    return Case(
        item, kind, timezone.localtime(at).date(),
        _final(gold_labels, gold_reason, gold_types), _final(labels, reason, types),
    )  # fmt: skip


def _final(labels: str, reason: str, types: dict[str, list[str]] | None) -> Final:
    of_steps = tuple(frozenset((types or {}).get(str(at), ())) for at in range(len(labels))) if types else ()
    return Final(labels, reason, of_steps)
