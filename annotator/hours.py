"""Work by reviewer and day: what was submitted and how long it took, for paying and planning. Streams."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from itertools import groupby
from statistics import median
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from annotator.core.labels import UNJUDGED
from annotator.core.spreadsheet import harmless
from annotator.models import Annotation, Assignment, AssignmentState, Phase, Project, Rater

CHUNK = 2_000
COLUMNS = ("reviewer", "day", "submitted", "steps", "hours", "median_s")
MS_PER_HOUR = 3_600_000


class Day(NamedTuple):
    """What one reviewer submitted on one day of the server's time zone.

    steps: labelled, the rest stays unjudged.  ms: time in view, idle time left out.  median_s: seconds an item;
    None where no time was recorded.
    """

    reviewer: str
    day: date
    submitted: int
    steps: int
    ms: int
    median_s: float | None


class _Sent(NamedTuple):
    """A submission: when, steps labelled, and milliseconds, if recorded."""

    at: datetime
    steps: int
    ms: int | None


def days(project: Project, since: date | None = None, until: date | None = None) -> Iterator[Day]:
    """Yield a row for each reviewer, by name, and day; both ends are included. Who has left is included too."""
    submitted = Assignment.objects.filter(
        project=project, rater=OuterRef("pk"), state=AssignmentState.SUBMITTED, submitted_at__isnull=False
    )
    for rater in Rater.objects.filter(Exists(submitted)).order_by("name", "pk"):
        sent = _submissions(project, rater, since, until)
        for day, of_day in groupby(sent, key=lambda one: timezone.localtime(one.at).date()):
            yield _day(rater.name, day, list(of_day))


def _day(name: str, day: date, sent: list[_Sent]) -> Day:
    times = [one.ms for one in sent if one.ms is not None]
    middle = round(median(times) / 1000, 1) if times else None
    return Day(name, day, len(sent), sum(one.steps for one in sent), sum(times), middle)


def _submissions(project: Project, rater: Rater, since: date | None, until: date | None) -> Iterator[_Sent]:
    """In the order of submission. The last word says what was judged; its time includes that of the blind one."""
    rows = Annotation.objects.filter(
        assignment__project=project, assignment__rater=rater, assignment__state=AssignmentState.SUBMITTED,
        assignment__submitted_at__isnull=False, superseded_at__isnull=True,
        phase__in=[Phase.BLIND, Phase.REVEALED], solution=F("assignment__item__solution"),
        **_between(since, until),
    ).order_by("assignment__submitted_at", "assignment", "id")  # fmt: skip
    columns = rows.values_list("assignment", "assignment__submitted_at", "labels", "duration_ms")
    for _, of_one in groupby(columns.iterator(CHUNK), key=lambda row: row[0]):
        said = list(of_one)
        times = [ms for *_, ms in said if ms is not None]
        _, at, labels, _ = said[-1]
        if at:
            yield _Sent(at, len(labels) - labels.count(UNJUDGED), max(times, default=None))


def _between(since: date | None, until: date | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if since:
        found["assignment__submitted_at__gte"] = _midnight(since)
    if until:
        found["assignment__submitted_at__lt"] = _midnight(until + timedelta(days=1))
    return found


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def table(rows: Iterable[Day]) -> Iterator[list[str]]:
    """The rows as text under COLUMNS, fit for a spreadsheet; what is undefined is empty."""
    yield list(COLUMNS)
    for row in rows:
        seconds = "" if row.median_s is None else f"{row.median_s:.1f}"
        hours = f"{row.ms / MS_PER_HOUR:.3f}"
        yield [
            harmless(row.reviewer),
            row.day.isoformat(),
            str(row.submitted),
            str(row.steps),
            hours,
            seconds,
        ]
