"""Which items a lead asks for: an allow-list, so that no name from an address reaches the database."""

from bisect import bisect_right
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django import forms
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils import timezone

from annotator import reports
from annotator.models import Assignment, AssignmentState, Decision, Item, Membership, Project
from annotator.views import paging, progress, words

NO_KIND = "none"
CHUNK = 500
HEAD = 140  # characters of a problem in a list

ANY = ("", "any")
YES_NO = [ANY, ("yes", "yes"), ("no", "no")]
KINDS = [ANY, *words.KINDS.items(), (NO_KIND, "no kind")]
DAY = forms.DateInput(attrs={"type": "date"})
DISAGREE = [ANY, ("people", "people"), ("injector", "people and injector")]


class ItemFilter(forms.Form):
    decision = forms.ChoiceField(choices=[ANY, *Decision.choices], required=False)
    kind = forms.ChoiceField(choices=KINDS, required=False)
    held = forms.ChoiceField(choices=YES_NO, required=False)
    open = forms.ChoiceField(choices=YES_NO, required=False, label="Wants a reviewer")
    reviewer = forms.ChoiceField(required=False, label="Submitted by")
    day = forms.DateField(required=False, label="Submitted on", widget=DAY)
    disagree = forms.ChoiceField(choices=DISAGREE, required=False, label="Disagreement of")
    q = forms.CharField(max_length=300, required=False, label="Id begins with")

    def __init__(self, project: Project, data: Any) -> None:
        super().__init__(data)
        self.project = project
        members = Membership.objects.filter(project=project).order_by("user__username")
        people = [(str(rater), name) for rater, name in members.values_list("rater", "user__username")]
        reviewer = self.fields["reviewer"]
        assert isinstance(reviewer, forms.ChoiceField)  # noqa: S101
        reviewer.choices = [ANY, *people]
        for name, field in self.fields.items():
            field.widget.attrs["id"] = f"filter-{name}"

    def rows(self) -> QuerySet[Item]:
        """Items that pass, with what a row shows; no JSON column is read."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        rows = Item.objects.filter(project=self.project)
        if "decision" in chosen:
            rows = rows.filter(decision=chosen["decision"])
        if "kind" in chosen:
            rows = rows.filter(error_type="" if chosen["kind"] == NO_KIND else chosen["kind"])
        if "held" in chosen:
            rows = rows.filter(held=chosen["held"] == "yes")
        if "open" in chosen:
            rows = _open(rows, chosen["open"] == "yes")
        if "reviewer" in chosen or "day" in chosen:
            rows = rows.filter(pk__in=self._submitted(chosen))
        if "q" in chosen:
            rows = rows.filter(solution__foreign_id__startswith=chosen["q"])
        return _with_heads(rows)

    def _submitted(self, chosen: dict[str, Any]) -> QuerySet[Assignment, Any]:
        done = Assignment.objects.filter(project=self.project, state=AssignmentState.SUBMITTED)
        if "reviewer" in chosen:
            done = done.filter(rater=chosen["reviewer"])
        if "day" in chosen:
            start = timezone.make_aware(datetime.combine(chosen["day"], time.min))
            done = done.filter(submitted_at__gte=start, submitted_at__lt=start + timedelta(days=1))
        return done.values("item")


def _open(rows: QuerySet[Item], wanted: bool) -> QuerySet[Item]:
    return progress.open_now(rows) if wanted else rows.filter(Q(open_slots=0) | Q(held=True))


def _with_heads(rows: QuerySet[Item]) -> QuerySet[Item]:
    return rows.annotate(
        head=Substr("solution__problem__text", 1, HEAD),
        foreign_id=F("solution__foreign_id"),
        n_steps=F("solution__n_steps"),
    )


class Found(NamedTuple):
    page: paging.Page[Item]
    n_disagreeing: int | None


def find(request: HttpRequest, form: ItemFilter) -> Found:
    """The page of items that `form`, which is valid, asks for."""
    side = form.cleaned_data["disagree"]
    if not side:
        return Found(paging.page(request, form.rows()), None)
    kind = form.cleaned_data["kind"]
    ids = reports.current(form.project).disagreeing(side, "" if kind == NO_KIND else kind or None)
    return Found(_page_of(request, form.rows(), ids), len(ids))


def _page_of(request: HttpRequest, rows: QuerySet[Item], ids: list[int]) -> paging.Page[Item]:
    """A page of `rows` among `ids`, ascending. With other filters it may hold fewer than its size, since it
    looks at a bounded number of ids whatever the filters leave of them."""
    key = paging.after(request)
    start = bisect_right(ids, key) if key is not None else 0
    chunk = ids[start : start + CHUNK]
    found = list(rows.filter(pk__in=chunk).order_by("pk")[: paging.PAGE + 1])
    more = chunk[-1] if start + CHUNK < len(ids) else None
    last = found[paging.PAGE - 1].pk if len(found) > paging.PAGE else more
    return paging.Page(found[: paging.PAGE], paging.following(request, last), key is None)
