"""What checks found, by code: what it means, how far its items are, and the acts that turn it into a queue."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Any, NamedTuple

from django.db.models import Count, F, Min, Q
from django.http import HttpResponse
from django.shortcuts import render

from annotator.caching import self_tuned
from annotator.core.findings import CODES, Code
from annotator.middleware import PageRequest
from annotator.models import Decision, Finding, Item, Project
from annotator.views import progress, words
from annotator.views.item_filters import NO_KIND

SHADES = 4


class Part(NamedTuple):
    """A part of a row's bar, in hundredths of its width. `query`: the items filter for it."""

    title: str
    look: str
    n: int
    x: float
    width: float
    query: str


@dataclass
class Row:
    """One code: its findings, the solutions that have it, and their items. `first` is one of these."""

    code: str
    n_findings: int = 0
    n_records: int = 0
    n_items: int = 0
    n_decided: int = 0
    n_held: int = 0
    first: int | None = None
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def about(self) -> Code:
        return CODES[self.code]

    @property
    def n_open(self) -> int:
        return self.n_items - self.n_decided - self.n_held

    @property
    def parts(self) -> list[Part]:
        wanted = (
            ("open", "quiet", self.n_open, "decision=incomplete&held=no"),
            ("held", "mid", self.n_held, "decision=incomplete&held=yes"),
            ("decided", "ok", self.n_decided, ""),
        )
        parts, x = [], 0.0
        for title, look, n, query in wanted:
            width = 100 * n / self.n_items if self.n_items else 0.0
            parts.append(Part(title, look, n, round(x, 2), round(width, 2), query))
            x += width
        return parts


class Cell(NamedTuple):
    """Items of one kind with one finding. `shade`: 0 for none, to SHADES for the most."""

    kind: str
    n: int
    shade: int


def triage(request: PageRequest, **_: object) -> HttpResponse:
    project, me = request.membership.project, request.membership
    rows = self_tuned(f"triage:{project.pk}", lambda: rows_of(project))
    kinds = _kinds(rows)
    context = {
        "project": project,
        "rows": rows,
        "kinds": [(code or NO_KIND, words.kind_title(code)) for code in kinds],
        "heat": [(row, _cells(row, kinds, rows)) for row in rows] if len(kinds) > 1 else [],
        "absent": [CODES[code].title for code in CODES if code not in {row.code for row in rows}],
        "has_items": Item.objects.filter(project=project).exists(),
        "above_all": _above_all(project),
        "one_more": project.overlap + 1,
        "me": me,
    }
    return render(request, "annotator/triage.html", context)


def rows_of(project: Project) -> list[Row]:
    """A row for each code that was found, in the order of CODES."""
    rows: defaultdict[str, Row] = defaultdict(lambda: Row(""))
    for counted in _found(project):
        code = counted["code"]
        rows[code] = Row(code, n_findings=counted["n"], n_records=counted["records"])
    for counted in _items(project):
        _add(rows[counted["code"]], counted)
    return [rows[code] for code in CODES if code in rows]


def _add(row: Row, counted: Mapping[str, Any]) -> None:
    row.n_items += counted["items"]
    row.n_decided += counted["decided"]
    row.n_held += counted["held"]
    row.kinds[counted["kind"]] += counted["items"]
    row.first = min(pk for pk in (row.first, counted["first"]) if pk is not None)


def _found(project: Project) -> Any:
    rows = Finding.objects.filter(project=project).order_by()
    return rows.values("code").annotate(n=Count("pk"), records=Count("solution", distinct=True))


def _items(project: Project) -> Any:
    """Items by code and kind: an item has one kind, so that sums over kinds are right."""
    item = "solution__items"
    is_open = Q(**{f"{item}__decision": Decision.INCOMPLETE})
    rows = Finding.objects.filter(project=project, **{f"{item}__isnull": False}).order_by()
    return rows.values("code", kind=F(f"{item}__error_type")).annotate(
        items=Count(item, distinct=True),
        decided=Count(item, filter=~is_open, distinct=True),
        held=Count(item, filter=is_open & Q(**{f"{item}__held": True}), distinct=True),
        first=Min(item),
    )


def _above_all(project: Project) -> int:
    """A priority above that of every item which still wants a reviewer."""
    rows = progress.open_now(Item.objects.filter(project=project)).order_by("-priority", "id")
    highest = rows.values_list("priority", flat=True).first()
    return (highest or 0) + 1


def _kinds(rows: list[Row]) -> list[str]:
    found = {kind for row in rows for kind in row.kinds}
    return [*(kind for kind in words.KINDS if kind in found), *sorted(found - set(words.KINDS))]


def _cells(row: Row, kinds: list[str], rows: list[Row]) -> list[Cell]:
    most = max((n for other in rows for n in other.kinds.values()), default=1)
    return [Cell(kind or NO_KIND, row.kinds[kind], _shade(row.kinds[kind], most)) for kind in kinds]


def _shade(n: int, most: int) -> int:
    """By the root, so that what is rare is still told from nothing."""
    return ceil(SHADES * sqrt(n / most))
