"""A project's leaderboard: every rater that can be measured, against the labels that came with the data and against
those that people verified, side by side."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from annotator.middleware import PageRequest
from scoring import evaluations
from scoring.views import bands
from scoring.views.asked import Asked, asked, csv_file, json, part_short, part_title, shared
from scoring.views.published import KINDS_OF_MODEL, MAIN, TABLES, notes

SIDES = {
    "all": "released, all items",
    "released": "released, items with gold",
    "gold": "gold, the same items",
}
KEY = [("disc", SIDES["all"]), ("wedge", SIDES["released"]), ("box", SIDES["gold"])]
CSV = ("score", "low", "high", "rank", "strict", "n_items", "n_unparsed", "n_absent", "n_own")


class Row(NamedTuple):
    """A measured rater. moved: gold less released over the same items, in points."""

    rater: dict[str, Any]
    url: str
    kind: str
    cells: list[dict[str, Any] | None]
    band: bands.Band
    moved: float | None
    response: dict[str, Any] | None


class Aside(NamedTuple):
    """A row to compare with: not measured here, or needing no model."""

    name: str
    notes: str
    value: float | None
    band: bands.Band
    parts: list[str]


def first(request: PageRequest, **_: object) -> HttpResponseBase:
    """The first benchmark that the project can be measured as; else how to get there."""
    project = request.membership.project
    known = evaluations.benchmarks(project)
    if known:
        return redirect("benchmark", project.slug, known[0])
    return render(request, "scoring/nothing.html", {"project": project})


def leaderboard(request: PageRequest, benchmark: str, **_: object) -> HttpResponseBase:
    """`?reading=strict`; `?parts=all|released|gold` chooses what the table of parts shows; `?format=json|csv`."""
    asking = asked(request.membership.project, benchmark, request.GET)
    if benchmark not in evaluations.benchmarks(asking.project):
        return render(request, "scoring/nothing.html", shared(asking))
    found = evaluations.leaderboard(asking.project, benchmark, reading=asking.reading)
    if asking.format == "json":
        return json(found)
    if asking.format == "csv":
        return csv_file(table(found), f"{asking.project.slug}-{benchmark}.csv")
    parts = request.GET.get("parts") or ("gold" if any(row["gold"] for row in found["rows"]) else "all")
    return render(request, "scoring/leaderboard.html", context(asking, found, parts))


def context(asking: Asked, found: dict[str, Any], parts: str) -> dict[str, Any]:
    parts = parts if parts in SIDES else "all"
    scale = bands.scale_of(_scores(found), step=10)
    printed = bands.scale_of(row.get(MAIN.get(asking.benchmark, "")) for row in found["published"])
    rows = sorted((_row(asking, row, scale) for row in found["rows"]), key=_place)
    machines, persons = (
        [row for row in rows if (row.kind == "reviewer") == is_one] for is_one in (False, True)
    )
    return shared(asking) | {
        "found": found, "rows": rows, "groups": [("", machines), ("People", persons)],
        "has_people": bool(persons),
        "scale": scale, "sides": list(SIDES.items()),
        "has_gold": (has_gold := any(row["gold"] for row in found["rows"])),
        "has_response": (has_response := any((row["response"] or {}).get("n_questions") for row in found["rows"])),
        "n_columns": 3 + 3 * has_gold + 2 * has_response,
        "came": [_row(asking, row, scale) for row in found["came"]],
        "baselines": _baselines(found, scale),
        "published": _published(asking, found, printed),
        "printed": printed,
        "averages": averages(found),
        "people": _people(found, scale),
        "parts": parts,
        "computed_at": min((datetime.fromisoformat(row["computed_at"]) for row in found["rows"]), default=None),
        "heads": [(part_short(c), part_title(asking.project, asking.benchmark, c)) for c in found["kinds"]],
        "part_rows": [_parts(row, parts, found["kinds"]) for row in found["rows"] if row[parts]],
        "differing": _differing(asking, found),
        "key": KEY if has_gold else KEY[:1],
        "headlines": _headlines(found),
        "n_left_out": {why: n for why, n in (found.get("n_left_out") or {}).items() if n},
    }  # fmt: skip


def _headlines(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Raters whose responses are not ordered by the product: name, by what."""
    said = ((row["rater"]["name"], (row["response"] or {}).get("headline")) for row in found["rows"])
    return [(name, by) for name, by in said if by not in (None, "product")]


def _place(row: Row) -> tuple[float, str]:
    """By the released labels over all items; what has no place comes last."""
    cell = row.cells[0]
    return (cell and cell["rank"]) or float("inf"), row.rater["name"]


def _scores(found: Mapping[str, Any]) -> Iterator[float | None]:
    for row in (*found["rows"], *found["came"]):
        for side in SIDES:
            cell = row[side]
            if cell:
                yield cell["score"]
                yield from cell["interval"] or ()
    for one in found["baselines"].values():
        yield one["overall"]
    yield found["people"] and found["people"]["overall"]


def _row(asking: Asked, row: dict[str, Any], scale: bands.Scale) -> Row:
    cells = [row[side] for side in SIDES]
    drawn = [
        bands.mark(bands.Value(SIDES[side], cell["score"], cell["interval"]), look, scale)
        for side, look, cell in zip(SIDES, ("disc", "wedge", "box"), cells, strict=True)
        if cell and cell["score"] is not None
    ]
    name = row["rater"]["name"]
    url = reverse("benchmark-report", args=[asking.project.slug, asking.benchmark, row["rater"]["id"]])
    said = "; ".join(mark.title for mark in drawn)
    before, after = (cell["score"] if cell else None for cell in cells[1:])
    moved = None if before is None or after is None else after - before
    return Row(
        row["rater"], url, name.partition(":")[0] if ":" in name else "reviewer", cells,
        bands.Band(drawn, scale.ticks, f"{name}: {said or 'undefined'}"), moved, row["response"],
    )  # fmt: skip


def _aside(name: str, notes: str, value: float | None, scale: bands.Scale, parts: Sequence[Any]) -> Aside:
    drawn = [] if value is None else [bands.mark(bands.Value(name, value), "line", scale)]
    band = bands.Band(drawn, scale.ticks, bands.in_words(bands.Value(name, value)))
    return Aside(name, notes, value, band, [bands.number(part) for part in parts])


def _baselines(found: Mapping[str, Any], scale: bands.Scale) -> list[Aside]:
    return [
        _aside(name, "", one["overall"], scale, [one.get("kinds", {}).get(code) for code in found["kinds"]])
        for name, one in found["baselines"].items()
    ]


def _people(found: Mapping[str, Any], scale: bands.Scale) -> Aside | None:
    row = found["people"]
    return row and _aside("People, published", notes(dict(row)), row["overall"], scale, [])


def _published(asking: Asked, found: Mapping[str, Any], scale: bands.Scale) -> list[Aside]:
    main = MAIN.get(asking.benchmark, "overall")
    rows = sorted(found["published"], key=lambda row: -(row.get(main) or 0))
    return [
        _aside(row["model"], _published_notes(row), row.get(main), scale, [_part(row, c) for c in found["kinds"]])
        for row in rows
    ]  # fmt: skip


def _published_notes(row: Mapping[str, Any]) -> str:
    which = " and ".join(TABLES.get(table, table) for table in row.get("tables", []))
    said = [KINDS_OF_MODEL.get(row["kind"], row["kind"]), f"{which} table" if which else "", notes(dict(row))]
    return "; ".join(part for part in said if part)


def _part(row: Mapping[str, Any], code: str) -> Any:
    value = row.get(code)
    return value["f1"] if isinstance(value, dict) else value


def averages(found: Mapping[str, Any]) -> list[str]:
    """ "57.7 on average of 14 process reward models, later table"."""
    main = MAIN.get(found["benchmark"], "overall")
    return [
        f"{bands.number(one.get('overall', one.get(main)))} on average of {one['n']} {KINDS_OF_MODEL[one['kind']]}s"
        + (f", {TABLES.get(one['table'], one['table'])} table" if one.get("table") else "")
        for one in found["averages"]
    ]


def _parts(row: dict[str, Any], side: str, codes: Sequence[str]) -> tuple[str, list[str], list[str]]:
    cell = row[side]
    groups = [bands.number(value) for value in cell["groups"].values()]
    return row["rater"]["name"], groups, [bands.number(cell["parts"].get(code)) for code in codes]


def _differing(asking: Asked, found: Mapping[str, Any]) -> list[tuple[str, float | None, float | None]]:
    """Raters of whom the two readings say different things, over all items: name, reference, strict."""
    if not asking.is_prmbench:
        return []
    return [
        (row["rater"]["name"], row["all"].get("reference"), row["all"].get("strict"))
        for row in found["rows"]
        if row["all"] and row["all"].get("differ")
    ]


def table(found: Mapping[str, Any]) -> Iterator[list[Any]]:
    """One line a rater and side; parts in their columns."""
    codes = found["kinds"]
    yield ["rater", "kind", "labels", *CSV, *codes]
    for row in found["rows"]:
        for side in SIDES:
            cell = row[side]
            if cell:
                low, high = cell["interval"] or (None, None)
                values = {**cell, "low": low, "high": high}
                own = [values.get(name) for name in CSV]
                yield [
                    row["rater"]["name"],
                    row["rater"]["kind"],
                    side,
                    *own,
                    *(cell["parts"].get(c) for c in codes),
                ]
