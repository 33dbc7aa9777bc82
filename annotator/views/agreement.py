"""How far people agree, and with the injector: the page of annotator/reports.py."""

from typing import Any, NamedTuple

from django.http import HttpResponse
from django.shortcuts import render

from annotator import reports
from annotator.middleware import PageRequest
from annotator.models import BlindShows
from annotator.views import words
from annotator.views.item_filters import NO_KIND

HEAT = (
    0.2,
    0.4,
    0.6,
    0.8,
)  # bounds of Landis and Koch's words: slight, fair, moderate, substantial, almost perfect


class Table(NamedTuple):
    """Groups of annotations side by side: (code, title, the group's report)."""

    title: str
    first: str
    groups: list[tuple[str, str, dict[str, Any]]]
    has_items: bool


def agreement(request: PageRequest, **_: object) -> HttpResponse:
    project = request.membership.project
    found = reports.current(project).data
    context = {
        "project": project,
        "found": found,
        "settings": [(_setting(code), sides) for code, sides in found["blind_shows"].items()],
        "tables": _tables(found, project.error_types),
        "heat": _heat(found),
        "machines": ", ".join(found["machines"]),
    }
    return render(request, "annotator/agreement.html", context)


def _setting(code: str) -> str:
    return BlindShows(code).label if code in BlindShows.values else "not recorded"


def _tables(found: dict[str, Any], own: list[dict[str, str]]) -> list[Table]:
    """By kind; and by what blind reviewers saw, where they did not all see the same."""
    kinds = [(code or NO_KIND, words.kind_title(code, own), sides) for code, sides in found["kinds"].items()]
    shown = [(code, _setting(code), sides) for code, sides in found["blind_shows"].items()]
    tables = [Table("By kind of error", "Kind", kinds, has_items=True)]
    return tables + ([Table("By what blind reviewers saw", "Saw", shown, False)] if len(shown) > 1 else [])


class Cell(NamedTuple):
    """One rater beside another; `level` 0..4 of its colour, None where there is no kappa."""

    pair: dict[str, Any] | None
    level: int | None
    is_self: bool = False

    @property
    def percent(self) -> float | None:
        share = self.pair["percent"]["value"] if self.pair else None
        return None if share is None else 100 * share


class HeatRow(NamedTuple):
    """A rater beside every rater, and at last beside the injector."""

    rater: str
    cells: list[Cell]


def _heat(found: dict[str, Any]) -> list[HeatRow]:
    pairs = {frozenset(pair["raters"]): pair for pair in found["pairs"]}
    beside = {row["rater"]: row for row in found["reviewers"]}
    return [
        HeatRow(a, [*(_cell(pairs.get(frozenset((a, b))), a == b) for b in beside), _cell(beside[a])])
        for a in beside
    ]


def _cell(pair: dict[str, Any] | None, is_self: bool = False) -> Cell:
    kappa = pair["kappa"]["value"] if pair else None
    return Cell(pair, None if kappa is None else sum(kappa >= bound for bound in HEAT), is_self)
