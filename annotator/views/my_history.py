"""A reviewer's submissions, searched: by words of the problem, item, what they said, and when.

Ids of other formats are neither shown nor searched: some tell what was injected. A page looks at a bounded number of
submissions whatever it finds among them, so its cost stays the same after 30,000 of them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple

from django import forms
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from annotator.core import labels as lab
from annotator.core.judgement import ENDS_EARLY
from annotator.models import Annotation, Assignment, AssignmentState, Membership, Phase

PER_PAGE: Final = 30
CHUNK: Final = 500  # submissions that one page looks at
MAX_WORDS: Final = 10
OUTCOMES: Final = [
    ("", "anything"), ("wrong", "a wrong step"), ("none", "no wrong step"), ("early", "ended early"),
    ("skipped", "skipped"),
]  # fmt: skip
DAY = forms.DateInput(attrs={"type": "date"})


class HistoryFilter(forms.Form):
    q = forms.CharField(max_length=300, required=False, label="Words of the problem")
    item = forms.IntegerField(min_value=1, max_value=2**62, required=False, label="Item")
    said = forms.ChoiceField(choices=OUTCOMES, required=False, label="You said")
    step = forms.IntegerField(min_value=1, max_value=5000, required=False, label="Wrong at step")
    since = forms.DateField(required=False, label="From", widget=DAY)
    until = forms.DateField(required=False, label="To", widget=DAY)

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and until < since:
            self.add_error("until", "This is before the first day.")
        if self.cleaned_data.get("step") and self.cleaned_data.get("said") not in ("", "wrong", None):
            self.add_error("step", "This goes with a wrong step only.")
        return self.cleaned_data

    @property
    def is_filtered(self) -> bool:
        return self.is_valid() and any(self.cleaned_data.values())


class Found(NamedTuple):
    """A page, newest first. `before` is where the next one goes on, empty on the last; `looked_at` is how many
    submissions were looked through for it, None where every one of them belongs on it."""

    assignments: list[Assignment]
    before: str
    looked_at: int | None


def own(by: Membership) -> QuerySet[Assignment]:
    rows = Assignment.objects.filter(project=by.project_id, rater=by.rater_id)
    return rows.select_related("item__solution__problem")


def find(by: Membership, chosen: Mapping[str, Any], before: str) -> Found:
    """`chosen`: cleaned data of a HistoryFilter. Skipped items have no time: they go by when they were claimed."""
    rows = _before(_between(own(by), chosen), before, _skipped(chosen))
    if not chosen.get("q") and not _wants_labels(chosen):
        return _page(list(rows[: PER_PAGE + 1]))
    return _searched(rows, chosen)


def _page(rows: list[Assignment]) -> Found:
    shown = rows[:PER_PAGE]
    return Found(shown, mark(shown[-1]) if len(rows) > PER_PAGE else "", None)


def _searched(rows: QuerySet[Assignment], chosen: Mapping[str, Any]) -> Found:
    """The page among the next CHUNK submissions; where they are used up, the next page goes on after them."""
    chunk = list(rows.select_related(None).only("pk", "submitted_at", "claimed_at", "state")[: CHUNK + 1])
    looked_at = chunk[:CHUNK]
    keys = [row.pk for row in looked_at]
    hits = _with_words(keys, chosen.get("q", "")) & _with_labels(keys, chosen)
    shown = [row for row in looked_at if row.pk in hits]
    more = mark(looked_at[-1]) if len(chunk) > CHUNK else ""
    before = mark(shown[PER_PAGE - 1]) if len(shown) > PER_PAGE else more
    keys = [row.pk for row in shown[:PER_PAGE]]
    whole = {row.pk: row for row in rows.filter(pk__in=keys)} if keys else {}
    return Found([whole[key] for key in keys if key in whole], before, len(looked_at))


def _with_words(keys: Sequence[int], text: str) -> set[int]:
    rows = Assignment.objects.filter(pk__in=keys)
    for word in text.split()[:MAX_WORDS]:
        rows = rows.filter(item__solution__problem__text__icontains=word)
    return set(rows.values_list("pk", flat=True)) if text.split() else set(keys)


def _with_labels(keys: Sequence[int], chosen: Mapping[str, Any]) -> set[int]:
    if not _wants_labels(chosen):
        return set(keys)
    said = last_words(keys).only("assignment", "labels", "finish_reason")
    last = {row.assignment_id: row for row in said if row.assignment_id}
    return {key for key, row in last.items() if _matches(row, chosen)}


def _matches(annotation: Annotation, chosen: Mapping[str, Any]) -> bool:
    early = annotation.finish_reason in ENDS_EARLY
    if chosen.get("said") == "early":
        return early
    if early:
        return False
    wrong = lab.wrong_steps(annotation.labels)
    if chosen.get("step"):
        return chosen["step"] - 1 in wrong
    wanted: bool = chosen["said"] == "wrong"
    return bool(wrong) == wanted


def _wants_labels(chosen: Mapping[str, Any]) -> bool:
    return chosen.get("said") in ("wrong", "none", "early") or bool(chosen.get("step"))


def _skipped(chosen: Mapping[str, Any]) -> bool:
    return chosen.get("said") == "skipped"


def last_words(keys: Sequence[int]) -> QuerySet[Annotation]:
    """What was said last of each assignment's own solution, in order: the last row of an assignment counts."""
    return Annotation.objects.filter(
        assignment__in=keys, superseded_at__isnull=True,
        phase__in=[Phase.BLIND, Phase.REVEALED], solution=F("assignment__item__solution"),
    ).order_by("id")  # fmt: skip


def _between(rows: QuerySet[Assignment], chosen: Mapping[str, Any]) -> QuerySet[Assignment]:
    when = "claimed_at" if _skipped(chosen) else "submitted_at"
    if _skipped(chosen):
        rows = rows.filter(state=AssignmentState.SKIPPED)
    else:
        rows = rows.filter(state=AssignmentState.SUBMITTED, submitted_at__isnull=False)
    if chosen.get("item"):
        rows = rows.filter(item=chosen["item"])
    if chosen.get("since"):
        rows = rows.filter(**{f"{when}__gte": _midnight(chosen["since"])})
    if chosen.get("until"):
        rows = rows.filter(**{f"{when}__lt": _midnight(chosen["until"] + timedelta(days=1))})
    return rows


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _before(rows: QuerySet[Assignment], before: str, skipped: bool) -> QuerySet[Assignment]:
    at, pk = _parse(before)
    if skipped:
        return (rows.filter(pk__lt=pk) if pk else rows).order_by("-id")
    if at:
        rows = rows.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, pk__lt=pk), submitted_at__lte=at)
    return rows.order_by("-submitted_at", "-id")


def before_mark(rows: QuerySet[Assignment], before: str) -> QuerySet[Assignment]:
    """Submitted rows, newest first, older than a mark."""
    return _before(rows, before, skipped=False)


def mark(assignment: Assignment) -> str:
    return f"{assignment.submitted_at.isoformat() if assignment.submitted_at else ''}_{assignment.pk}"


def _parse(before: str) -> tuple[datetime | None, int]:
    """A mark that nobody gave starts from the beginning."""
    at, _, pk = before.rpartition("_")
    if not (pk.isascii() and pk.isdecimal() and len(pk) < 19):
        return None, 0
    try:
        found = parse_datetime(at)
    except ValueError:
        return None, 0
    return (found if found and found.tzinfo else None), int(pk)
