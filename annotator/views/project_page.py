"""One project at a glance: how far, how fast, who, and what its imports hold."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from statistics import median
from typing import NamedTuple

from django.db.models import Count, Max, OuterRef, Q, Subquery
from django.db.models.functions import TruncDate
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from annotator import policies
from annotator.caching import self_tuned
from annotator.core.findings import CODES, Code, explained
from annotator.middleware import PageRequest
from annotator.models import (
    Assignment,
    AssignmentState,
    Decision,
    Finding,
    Import,
    Membership,
    Project,
    Role,
    TransferState,
    Use,
)
from annotator.models.review import OPEN_STATES
from annotator.views import pace, progress, words
from annotator.views.gate import gate_of
from annotator.views.item_filters import NO_KIND

DAYS = 14
PACE_OF_LAST = 50  # submissions: what a reviewer does now, at the same cost however much they have done
ALL = "all"
MOST_PEOPLE = 200  # rows, and terms of one query; everybody is on the people page
BAR = [Decision.AGREED, Decision.SETTLED, Decision.CONFLICTED, Decision.INCOMPLETE]

# The full PRMBench's averages (arXiv 2501.03124, table 2): steps, wrong steps, first error, question length.
PRMBENCH = {"title": "PRMBench, full", "steps": 13.4, "wrong": 2.1, "first": 7.8, "chars": 152.7}


def project_page(request: PageRequest, **_: object) -> HttpResponse:
    me = request.membership
    is_lead = me.is_at_least(Role.LEAD)
    counts, days = progress.shown_to(me), _days(me.project, is_lead)
    context = {
        "counts": counts,
        "shares": _shares(counts),
        "days": days,
        "n_days": sum(day.n for day in days),
        "most_people": MOST_PEOPLE,
        "most": max(day.n for day in days),
        "people": _people(me.project, None if is_lead else me),
        # Means of a small project would name the kind and the wrong steps of what a reviewer is blind to.
        "kinds": _kinds(me.project) if is_lead else [],
        "findings": _findings(me.project) if is_lead else [],
        "prmbench": PRMBENCH,
        "is_lead": is_lead,
        "begun": _begun(me),
        "left": pace.open_for([me]).get(me.project_id, 0),
        "gate": gate_of(me),
        "has_numbers": policies.sees_numbers(me),
    }
    return render(request, "annotator/project.html", context)


class Share(NamedTuple):
    """A part of the bar, in hundredths of its width."""

    decision: Decision
    look: str
    n: int
    x: float
    width: float


def _shares(counts: progress.Counts) -> list[Share]:
    shares, x = [], 0.0
    for decision in BAR:
        n = counts.by_decision[decision]
        width = 100 * n / counts.total if counts.total else 0.0
        shares.append(Share(decision, words.DECISION_LOOK[decision], n, round(x, 2), round(width, 2)))
        x += width
    return shares


class Day(NamedTuple):
    """Submissions of one day; `height` in hundredths of the chart."""

    date: date
    n: int
    x: int
    height: float

    @property
    def top(self) -> float:
        return 100 - self.height


def _days(project: Project, is_lead: bool = True) -> list[Day]:
    """For leads work alone; for others all submissions, since a day that did not grow would tell a probe."""
    today = timezone.localdate()
    dates = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    key = f"days:{project.pk}:{today}:{is_lead}"
    found = self_tuned(key, lambda: _per_day(project, dates[0], is_lead))
    most = max([*found.values(), 1])
    return [Day(d, found[d], 10 * i, round(100 * found[d] / most, 1)) for i, d in enumerate(dates)]


def _per_day(project: Project, since: date, only_work: bool) -> Counter[date]:
    start = timezone.make_aware(datetime.combine(since, time.min))
    rows = Assignment.objects.filter(
        project=project, state=AssignmentState.SUBMITTED, submitted_at__gte=start
    )
    if only_work:
        rows = rows.filter(purpose=Use.WORK)
    rows = rows.annotate(day=TruncDate("submitted_at"))
    return Counter(dict(rows.order_by().values_list("day").annotate(n=Count("id"))))


@dataclass
class Person:
    """A row of who does what; `pace` is the median of their last submissions."""

    member: Membership
    active: str
    pace: str


def _people(project: Project, only: Membership | None) -> list[Person]:
    members = Membership.objects.filter(project=project).select_related("user")
    if only:
        members = members.filter(pk=only.pk)
    nth_last = Assignment.objects.filter(
        project=OuterRef("project"), rater=OuterRef("rater"), submitted_at__isnull=False
    ).order_by("-submitted_at")[PACE_OF_LAST - 1 : PACE_OF_LAST]
    rows = members.annotate(since=Subquery(nth_last.values("submitted_at")))
    ordered = list(rows.order_by("-n_submitted", "user__username")[:MOST_PEOPLE])
    paces = _paces(project, {m.rater_id: m.since for m in ordered if m.n_submitted})
    return [
        Person(m, words.duration(m.active_ms or None), words.duration(paces.get(m.rater_id))) for m in ordered
    ]


def _paces(project: Project, since: dict[int, datetime | None]) -> dict[int, float]:
    """Rater -> median milliseconds a submission, of those since the given time."""
    if not since:
        return {}
    recent = reduce(or_, (_of(project, rater, at) for rater, at in since.items()))
    rows = Assignment.objects.filter(recent).annotate(ms=Max("annotations__duration_ms"))
    took: defaultdict[int, list[int]] = defaultdict(list)
    for rater, ms in rows.filter(ms__isnull=False).values_list("rater", "ms"):
        took[rater].append(ms)
    return {rater: median(times) for rater, times in took.items()}


def _of(project: Project, rater: int, since: datetime | None) -> Q:
    """Whole for each rater, the project too, so that each is one range of the index."""
    return Q(
        project=project,
        rater=rater,
        submitted_at__isnull=False,
        **({"submitted_at__gte": since} if since else {}),
    )


def _begun(me: Membership) -> Assignment | None:
    rows = Assignment.objects.filter(project=me.project, rater=me.rater_id, state__in=OPEN_STATES)
    return rows.order_by("id").first()


class FindingCount(NamedTuple):
    """A kind of finding, in how many records it is, and the width of its bar in hundredths."""

    code: str
    about: Code
    records: int
    width: float


def _findings(project: Project) -> list[FindingCount]:
    """Those that were found, in the order of the checks."""
    counts = self_tuned(f"findings:{project.pk}", lambda: _count_findings(project))
    most = max(counts.values(), default=0)
    codes = [*(code for code in CODES if code in counts), *sorted(set(counts) - set(CODES))]
    return [
        FindingCount(code, explained(code), counts[code], round(100 * counts[code] / most, 1))
        for code in codes
    ]


def _count_findings(project: Project) -> dict[str, int]:
    rows = Finding.objects.filter(project=project).order_by().values_list("code")
    return dict(rows.annotate(n=Count("solution", distinct=True)))


class Kind(NamedTuple):
    """Means of one kind; None where nothing was counted. `first` counts steps from 1."""

    code: str
    title: str
    items: int
    steps: float | None
    wrong: float | None
    first: float | None
    chars: float | None

    @property
    def query(self) -> str:
        """The items filter's word for it; none for the row of all kinds."""
        return "" if self.title == ALL else self.code or NO_KIND


def _kinds(project: Project) -> list[Kind]:
    """Sums of complete imports, so that the page costs the same for any number of items."""
    reports = Import.objects.filter(project=project, state=TransferState.COMPLETE)
    sums: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for kinds in reports.order_by("id").values_list("report__kinds", flat=True):
        for code, counted in (kinds or {}).items():
            sums[code].update(counted)
    order = [*words.KINDS, *sorted(set(sums) - set(words.KINDS))]
    rows = [_kind(code, words.kind_title(code), sums[code]) for code in order if code in sums]
    return [*rows, _kind("", ALL, sum(sums.values(), Counter()))] if len(rows) > 1 else rows


def _kind(code: str, title: str, n: Counter[str]) -> Kind:
    def mean(total: str, of: str = "items") -> float | None:
        return n[total] / n[of] if n[of] else None

    return Kind(
        code, title, n["items"], mean("steps"), mean("wrong_steps"), mean("first_errors", "with_error"),
        mean("question_chars"),
    )  # fmt: skip
