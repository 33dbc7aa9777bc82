"""What one unit of a run sent, what came back, what was made of it."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render

from annotator import errors
from annotator.actions.items import look
from annotator.blinding import undecided
from annotator.core import methods
from annotator.middleware import PageRequest
from annotator.models import Item, Project, Run, Unit
from annotator.views import paging, run_figures, words

LONG = 1_500  # letters of a reply that are shown unfolded
MOST = 20_000  # letters of a reply that are shown at all: one may be of 10 MB


def find(request: PageRequest, pk: int) -> Run:
    found = Run.objects.filter(project=request.membership.project, pk=pk)
    row = found.select_related("project", "rater", "created_by").first()
    if row is None:
        raise errors.Missing("There is no such run.")
    return row


# Outcomes that say something of the steps.
VERDICTS = frozenset({"error found", "no error", "unknown", "kept", "apart", "not comparable"})


class Listed(NamedTuple):
    """A unit in a list: what it is about rather than its key."""

    unit: Unit
    name: str
    kind: str
    outcome: str


def listed(units: Sequence[Unit], project: Project) -> list[Listed]:
    """Without the verdict on what is still under review: its item's page tells it, and costs the slot."""
    hidden = undecided({unit.solution_id for unit in units if unit.solution_id})
    return [
        Listed(unit, name_of(unit), _kind(unit, project), _outcome(unit, unit.solution_id in hidden))
        for unit in units
    ]


def _outcome(unit: Unit, is_hidden: bool) -> str:
    return "under review" if is_hidden and unit.outcome in VERDICTS else run_figures.in_words(unit.outcome)


def name_of(unit: Unit) -> str:
    """What the unit is about, by the id that the data came with."""
    about = unit.solution or unit.problem
    if about:
        return str(about)
    n = len(unit.params.get("solutions", ()))  # a batch
    return f"{n} solution{'s' if n > 1 else ''}" if n else unit.key


def _kind(unit: Unit, project: Project) -> str:
    return words.kind_title(unit.kind, project.error_types) if unit.kind else ""


def unit_page(request: PageRequest, run: int, unit: int, **_: object) -> HttpResponse:
    """What one unit sent, what came back, what was made of it."""
    row = find(request, run)
    found = Unit.objects.filter(run=row, pk=unit).select_related("solution__problem", "problem").first()
    if found is None:
        raise errors.Missing("There is no such unit.")
    items = list(_items(found))
    for item in items:  # what is shown are others' labels of them
        look(by=request.membership, item=item)
    page = paging.page(request, found.calls.all())
    kept, raw = _kept(found.result)
    context = {
        "project": row.project, "row": row, "title": methods.title(row.method), "unit": found,
        "name": name_of(found), "kind": _kind(found, row.project), "items": items, "page": page,
        "outcome": run_figures.in_words(found.outcome),
        "calls": [(call, Text.of(call.reply)) for call in page.rows], "kept": kept, "raw": Text.of(raw),
    }  # fmt: skip
    return render(request, "annotator/unit.html", context)


class Text(NamedTuple):
    """What a page shows of a long text; n: its letters in all."""

    shown: str
    n: int
    is_long: bool
    is_cut: bool

    @classmethod
    def of(cls, text: str) -> "Text":
        return cls(text[:MOST], len(text), len(text) > LONG, len(text) > MOST)


def _kept(result: str) -> tuple[str, str]:
    """A unit's result as JSON to read, and apart from it the raw reply, if that was kept."""
    if not result:
        return "", ""
    found = json.loads(result)
    raw = str(found.pop("raw", "")) if isinstance(found, dict) else ""
    return json.dumps(found, ensure_ascii=False, indent=2) if found else "", raw


def _items(unit: Unit) -> QuerySet[Item]:
    """Of the solution that it judged, and of those that it made."""
    about = Q(solution__unit=unit) | (Q(solution=unit.solution_id) if unit.solution_id else Q())
    return Item.objects.filter(about, project=unit.run.project_id).order_by("pk")
