"""What the papers published, without a project: rows one can cite."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Any, NamedTuple

from django.http import HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render

from annotator import errors
from annotator.core.labels import ERROR_TYPES, MULTI_SOLUTIONS
from annotator.middleware import PageRequest
from scoring.metrics import published as known
from scoring.metrics.processbench import SUBSETS
from scoring.views import bands

TITLES = {"prmbench": "PRMBench", "processbench": "ProcessBench", "best_of_n": "Best-of-N"}
KINDS_OF_MODEL = {
    "prm": "process reward model", "orm": "outcome reward model", "critic": "critic", "people": "people",
    "bound": "without a model",
}  # fmt: skip
MAIN = {"prmbench": "overall", "processbench": "f1", "best_of_n": "overall"}
MAIN_TITLE = {"prmbench": "PRMScore", "processbench": "F1, mean", "best_of_n": "prm@8, mean"}
# What the columns are, where they are not named one by one.
ABOUT = {
    "processbench": (
        "Columns: F1 of each subset, the harmonic mean of the accuracies on solutions with and without an error; the "
        "JSON has both."
    ),
    "best_of_n": "Columns: how often the response with the highest product of step scores, of 8, is right, by set.",
}
TABLES = {known.FIRST: "first", known.LATER: "later"}
# As PRMBench's tables abbreviate its kinds.
SHORT = {
    "redundancy": "NR", "circular": "NCL", "counterfactual": "ES", "step_contradiction": "SC",
    "domain_inconsistency": "DC", "confidence": "CI", "missing_condition": "PS", "deception": "DR",
    MULTI_SOLUTIONS: "MS",
}  # fmt: skip
GROUP_TITLES = {"S1": "simplicity", "S2": "soundness", "S3": "sensitivity"}
LONG = {kind.code: kind.title for kind in ERROR_TYPES} | {MULTI_SOLUTIONS: "other right solutions"}


class Column(NamedTuple):
    """short: the heading; title: what it stands for."""

    key: str
    short: str
    title: str


class Row(NamedTuple):
    model: str
    kind: str
    notes: str
    value: float | None
    cells: list[str]
    band: bands.Band


def published(request: PageRequest, benchmark: str, **_: object) -> HttpResponseBase:
    """`?table=first|later` of PRMBench; `?format=json` or `csv`."""
    if benchmark not in known.BENCHMARKS:
        raise errors.Missing("There is no such benchmark.")
    table, written = request.GET.get("table") or known.LATER, request.GET.get("format", "")
    if table not in TABLES:
        raise errors.Invalid("Choose the first or the later table.", field="table")
    data = whole(benchmark, table)
    if written == "json":
        return JsonResponse(data, json_dumps_params={"indent": 2})
    if written == "csv":
        return _csv(data, columns(benchmark))
    if written:
        raise errors.Invalid("Choose json or csv.", field="format")
    return render(request, "scoring/published.html", context(data, table))


def columns(benchmark: str) -> list[Column]:
    if benchmark == "processbench":
        return [Column(name, name, f"F1 of {name}") for name in SUBSETS]
    if benchmark == "best_of_n":
        return [
            Column(name, name.replace("_", " "), f"prm@8 on {name.replace('_', ' ')}")
            for name in known.DATASETS
        ]
    groups = [Column(code, code, title) for code, title in GROUP_TITLES.items()]
    return groups + [Column(code, short, LONG[code]) for code, short in SHORT.items()]


def whole(benchmark: str, table: str) -> dict[str, Any]:
    """The rows, best first, and the mean of every column over the models of a kind, as the papers have them."""
    found, main = known.published(benchmark), MAIN[benchmark]
    rows = known.of_table(found.rows, table) if benchmark == "prmbench" else list(found.rows)
    names = [main, *(column.key for column in columns(benchmark))]
    flat = [_flat(row) for row in rows]
    return {
        "benchmark": benchmark,
        "source": found.source,
        "table": table if benchmark == "prmbench" else None,
        "rows": sorted(rows, key=lambda row: -row[main]),
        "averages": {
            kind: {"n": n} | {name: known.average(flat, kind, name) for name in names}
            for kind in ("prm", "critic")
            if (n := sum(row["kind"] == kind for row in rows))
        },
        "shots": list(found.shots),
    }


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A subset's F1 in the place of all that is known of it."""
    return {name: value["f1"] if isinstance(value, dict) else value for name, value in row.items()}


def context(data: dict[str, Any], table: str) -> dict[str, Any]:
    benchmark, main = data["benchmark"], MAIN[data["benchmark"]]
    head = columns(benchmark)
    scale = bands.scale_of(row[main] for row in data["rows"])
    averages = [
        (f"Mean of {row['n']} {KINDS_OF_MODEL[kind]}s", row[main], _cells(row, head))
        for kind, row in data["averages"].items()
    ]
    return {
        "benchmark": benchmark, "title": TITLES[benchmark], "main": MAIN_TITLE[benchmark],
        "source": data["source"], "columns": head, "scale": scale,
        "rows": [_row(row, main, head, scale) for row in data["rows"]],
        "averages": averages, "table": table, "has_tables": data["table"] is not None,
        "tables": list(TABLES.items()), "shots": data["shots"],
        "others": [(code, TITLES[code]) for code in known.BENCHMARKS],
        "n_items": data["source"].get("items"), "about": ABOUT.get(benchmark, ""),
    }  # fmt: skip


def _row(row: dict[str, Any], main: str, head: Sequence[Column], scale: bands.Scale) -> Row:
    shape = ("disc", "box")[row["kind"] == "people"]
    value = bands.Value(row["model"], row[main])
    drawn = bands.Band([bands.mark(value, shape, scale)], scale.ticks, bands.in_words(value))
    return Row(row["model"], KINDS_OF_MODEL[row["kind"]], notes(row), row[main], _cells(row, head), drawn)


def _cells(row: dict[str, Any], head: Sequence[Column]) -> list[str]:
    flat = _flat(row)
    return [bands.number(flat.get(column.key)) for column in head]


def notes(row: dict[str, Any]) -> str:
    """What a published number was measured with, where that is known."""
    said = [
        f"threshold {row['threshold']}" if "threshold" in row else "",
        f"{row['subset']} items" if "subset" in row else "",
        row.get("protocol", ""), row.get("note", ""),
    ]  # fmt: skip
    return "; ".join(part for part in said if part)


def _csv(data: dict[str, Any], head: Sequence[Column]) -> HttpResponse:
    main = MAIN[data["benchmark"]]
    names = [column.key for column in head]
    lines = StringIO()
    writer = csv.writer(lines)
    writer.writerow(["model", "kind", "paper", "table", "notes", main, *names])
    for row in data["rows"]:
        flat, paper = _flat(row), data["source"]["paper"]
        table = "+".join(row.get("tables", []))
        values = (flat.get(name, "") for name in (main, *names))
        writer.writerow([row["model"], row["kind"], paper, table, notes(row), *values])
    response = HttpResponse(lines.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{data["benchmark"]}-published.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
