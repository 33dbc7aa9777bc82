"""Which items a lead asks for: an allow-list, so that no name from an address reaches the database."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Substr
from django.http import HttpRequest
from django.utils import timezone

from annotator import queue, reports
from annotator.actions.adjudicate import BROKEN, CAUSES
from annotator.core.findings import CODES
from annotator.models import (
    Assignment,
    AssignmentState,
    Decision,
    Finding,
    Import,
    Item,
    Membership,
    Project,
    Protocol,
    Unit,
    Use,
)  # fmt: skip
from annotator.models.review import OPEN_STATES
from annotator.views import paging, progress, words

NO_KIND = "none"
CHUNK = 500
SOLUTIONS_AT_ONCE = 2_000  # with a finding, looked at for one page whatever other filters leave of them
IMPORTS_SHOWN = 200
HEAD = 140  # characters of a problem in a list

ANY = ("", "any")
YES_NO = [ANY, ("yes", "yes"), ("no", "no")]
KINDS = [ANY, *words.KINDS.items(), (NO_KIND, "no kind")]
USES = [ANY, (Use.DEMONSTRATION, "demonstration"), (Use.EXAM, "exam")]
IS_PROBE = "annotator_item.is_probe"  # as the partial index has it
DAY = forms.DateInput(attrs={"type": "date"})
ANY_FINDING = "any"
FINDINGS = [ANY, (ANY_FINDING, "some finding"), *((code, CODES[code].title) for code in CODES)]
ANY_SAMPLE = "any"
SAMPLES = [ANY, (ANY_SAMPLE, "some sample")]
DISAGREE = [ANY, ("people", "people"), ("injector", "people and injector")]


class ItemFilter(forms.Form):
    decision = forms.ChoiceField(choices=[ANY, *Decision.choices], required=False)
    kind = forms.ChoiceField(choices=KINDS, required=False)
    cause = forms.ChoiceField(choices=[ANY, *CAUSES.items()], required=False, label="Dispute was because")
    finding = forms.ChoiceField(choices=FINDINGS, required=False)
    protocol = forms.ChoiceField(choices=[ANY, *Protocol.choices], required=False)
    held = forms.ChoiceField(choices=YES_NO, required=False)
    retired = forms.ChoiceField(choices=YES_NO, required=False)
    probe = forms.ChoiceField(choices=YES_NO, required=False)
    use = forms.ChoiceField(choices=USES, required=False, label="For the exam")
    open = forms.ChoiceField(choices=YES_NO, required=False, label="Wants a reviewer")
    reviewer = forms.ChoiceField(required=False, label="Submitted by")
    hands = forms.ChoiceField(required=False, label="In the hands of")
    imported = forms.ChoiceField(required=False, label="Import")
    day = forms.DateField(required=False, label="Submitted on", widget=DAY)
    sample = forms.ChoiceField(choices=SAMPLES, required=False)
    disagree = forms.ChoiceField(choices=DISAGREE, required=False, label="Disagreement of")
    run = forms.IntegerField(required=False, min_value=1, max_value=paging.LARGEST, label="Run")
    q = forms.CharField(max_length=300, required=False, label="Id begins with")

    def __init__(self, project: Project, data: Any) -> None:
        super().__init__(data)
        self.project = project
        members = Membership.objects.filter(project=project).order_by("user__username")
        people = [(str(rater), name) for rater, name in members.values_list("rater", "user__username")]
        imports = Import.objects.filter(project=project).order_by("-id").only("names", "format")
        self._choose("reviewer", people)
        self._choose("hands", people)
        self._choose("imported", [(str(row.pk), _import_title(row)) for row in imports[:IMPORTS_SHOWN]])
        asked = str(data.get("sample", ""))
        if asked.isascii() and asked.isdecimal() and int(asked) <= paging.LARGEST:
            self._choose("sample", [*SAMPLES[1:], (asked, f"sample {asked}")])
        for name, field in self.fields.items():
            field.widget.attrs["id"] = f"filter-{name}"

    def _choose(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [ANY, *choices]

    def rows(self) -> QuerySet[Item]:
        """Items that pass, but for what `ids` and `find` see to; no JSON column is read."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        rows = Item.objects.filter(project=self.project)
        if "decision" in chosen:
            rows = rows.filter(decision=chosen["decision"])
        if "kind" in chosen:
            rows = rows.filter(error_type="" if chosen["kind"] == NO_KIND else chosen["kind"])
        if "protocol" in chosen:
            rows = rows.filter(protocol=chosen["protocol"])
        if "cause" in chosen:
            rows = rows.filter(decision=Decision.SETTLED, **_of_cause(chosen["cause"]))
        if "probe" in chosen:
            rows = rows.filter(queue.literally(IS_PROBE) if chosen["probe"] == "yes" else Q(is_probe=False))
        if "use" in chosen:
            rows = rows.filter(use=chosen["use"])
        for name in ("held", "retired"):
            if name in chosen:
                rows = rows.filter(**{name: chosen[name] == "yes"})
        if "open" in chosen:
            rows = _open(rows, chosen["open"] == "yes")
        if "reviewer" in chosen or "day" in chosen:
            rows = rows.filter(pk__in=self._submitted(chosen))
        if "hands" in chosen:
            rows = rows.filter(pk__in=self._in_hands(chosen["hands"]))
        if "sample" in chosen:
            rows = _of_sample(rows, chosen["sample"])
        if "imported" in chosen:
            rows = rows.filter(solution__source_import=chosen["imported"])
        if "run" in chosen:
            rows = rows.filter(self._of_run(chosen["run"]))
        if "q" in chosen:
            rows = rows.filter(solution__foreign_id__startswith=chosen["q"])
        return rows

    def ids(self) -> list[int]:
        """The ids of all items that pass, ascending: for acts on the whole of them."""
        rows = self.rows().order_by("pk").values_list("pk", flat=True)
        if self.cleaned_data["finding"]:
            rows = rows.filter(self.has_finding())
        if not self.cleaned_data["disagree"]:
            return list(rows)
        chosen = self.disagreeing()
        return [pk for part in _chunks(chosen) for pk in rows.filter(pk__in=part)]

    def findings(self) -> QuerySet[Finding]:
        """The findings that `finding` names; other projects' never."""
        found, code = Finding.objects.filter(project=self.project), self.cleaned_data["finding"]
        return found if code == ANY_FINDING else found.filter(code=code)

    def has_finding(self) -> Exists:
        """Of an item. A solution is of one project, so that its own index is enough for any code."""
        code, of_solution = (
            self.cleaned_data["finding"],
            Finding.objects.filter(solution=OuterRef("solution")),
        )
        return Exists(
            of_solution if code == ANY_FINDING else of_solution.filter(project=self.project, code=code)
        )

    def disagreeing(self) -> list[int]:
        """Ids of the items that `disagree` names, ascending."""
        side, kind = self.cleaned_data["disagree"], self.cleaned_data["kind"]
        return reports.current(self.project).disagreeing(side, "" if kind == NO_KIND else kind or None)

    def _in_hands(self, rater: str) -> QuerySet[Assignment, Any]:
        held = Assignment.objects.filter(project=self.project, rater=int(rater), state__in=OPEN_STATES)
        return held.values("item")

    def said(self, name: str) -> str:
        """The chosen value of a field as people read it."""
        value, field = self.cleaned_data[name], self.fields[name]
        titles = dict(field.choices) if isinstance(field, forms.ChoiceField) else {}  # type: ignore[arg-type]
        return str(titles.get(value, value))

    def _of_run(self, run: int) -> Q:
        """Of solutions that the run made, or that it worked on."""
        units = Unit.objects.filter(run=run, run__project=self.project)
        worked_on = units.filter(solution__isnull=False).values("solution")
        return Q(solution__unit__in=units.values("pk")) | Q(solution__in=worked_on)

    def _submitted(self, chosen: dict[str, Any]) -> QuerySet[Assignment, Any]:
        done = Assignment.objects.filter(project=self.project, state=AssignmentState.SUBMITTED)
        if "reviewer" in chosen:
            done = done.filter(rater=chosen["reviewer"])
        if "day" in chosen:
            start = timezone.make_aware(datetime.combine(chosen["day"], time.min))
            done = done.filter(submitted_at__gte=start, submitted_at__lt=start + timedelta(days=1))
        return done.values("item")


def _of_sample(rows: QuerySet[Item], asked: str) -> QuerySet[Item]:
    return rows.filter(sample__isnull=False) if asked == ANY_SAMPLE else rows.filter(sample=int(asked))


def _open(rows: QuerySet[Item], wanted: bool) -> QuerySet[Item]:
    return progress.open_now(rows) if wanted else rows.filter(Q(open_slots=0) | Q(held=True))


def _with_heads(rows: QuerySet[Item]) -> QuerySet[Item]:
    return rows.annotate(
        head=Substr("solution__problem__text", 1, HEAD),
        foreign_id=F("solution__foreign_id"),
        n_steps=F("solution__n_steps"),
    )


def _import_title(row: Import) -> str:
    names = row.file_names
    return f"{row.pk}: {names[0][:60] if names else row.format}" + (" …" if len(names) > 1 else "")


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


class Found(NamedTuple):
    """A page of items; how many disagree, if that was asked."""

    page: paging.Page[Item]
    n_disagreeing: int | None = None


def _of_cause(cause: str) -> dict[str, object]:
    """A broken problem leaves no gold."""
    return {"gold": None} if cause == BROKEN else {"gold__verdict__cause": cause}


def find(request: HttpRequest, form: ItemFilter) -> Found:
    """The page of items that `form`, which is valid, asks for."""
    rows = _with_heads(form.rows())
    if form.cleaned_data["disagree"]:
        ids = form.disagreeing()
        if form.cleaned_data["finding"]:
            rows = rows.filter(form.has_finding())
        return Found(_page_of(request, rows, ids), len(ids))
    if form.cleaned_data["finding"]:
        return Found(_page_with_findings(request, rows, form.findings()))
    return Found(paging.page(request, rows))


def tags_of(items: Sequence[Item]) -> dict[int, list[str]]:
    """Solution id -> the titles of its findings, in the order of CODES; one query for a page."""
    rows = Finding.objects.filter(solution__in=[item.solution_id for item in items]).order_by()
    codes: defaultdict[int, set[str]] = defaultdict(set)
    for solution, code in rows.values_list("solution", "code").distinct():
        codes[solution].add(code)
    return {solution: [CODES[c].title for c in CODES if c in found] for solution, found in codes.items()}


def _page_with_findings(
    request: HttpRequest, rows: QuerySet[Item], findings: QuerySet[Finding]
) -> paging.Page[Item]:
    """A page of `rows` whose solutions have a finding, keyed by solution, as the index of findings is.

    It looks at a bounded number of solutions, so with other filters it may hold fewer items than others do; a
    solution's items (one a protocol) are not torn apart, so it may also hold a few more.
    """
    key = paging.after(request)
    ahead = findings.filter(solution__gt=key or 0).order_by("solution").values_list("solution", flat=True)
    looked = list(ahead.distinct()[: SOLUTIONS_AT_ONCE + 1])
    bounds = looked[:SOLUTIONS_AT_ONCE]
    if not bounds:
        return paging.Page([], None, key is None)
    # By keys, found without the project: SQLite would walk all items of the project otherwise.
    here = list(Item.objects.filter(solution__in=bounds).order_by().values_list("pk", flat=True))
    found = list(rows.filter(pk__in=here).order_by("solution", "pk")[: paging.PAGE + len(Protocol)])
    last = bounds[-1] if len(looked) > SOLUTIONS_AT_ONCE else None
    if len(found) > paging.PAGE:
        last = found[paging.PAGE - 1].solution_id
        found = [item for item in found if item.solution_id <= last]
    return paging.Page(found, paging.following(request, last), key is None)


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
