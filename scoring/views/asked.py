"""What an address of a benchmark's page asks for, checked; and what several of these pages show."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponseBase, JsonResponse, QueryDict, StreamingHttpResponse

from annotator import errors
from annotator.core.spreadsheet import harmless
from annotator.models import Project, Rater
from annotator.views import words
from annotator.views.hours import Echo
from scoring import evaluations
from scoring.views.published import LONG, SHORT, TITLES

LABELS = {
    "released": "released with the data",
    "gold": "verified by people (gold)",
    "both": "both, side by side",
}
READINGS = {
    "reference": "reference: as PRMBench's evaluator",
    "strict": "strict: what is missing or surplus is wrong",
}
SCORES = {"prmbench": "PRMScore", "processbench": "F1", "best_of_n": "prm@n"}
FORMATS = ("", "json", "csv")


@dataclass(frozen=True)
class Asked:
    """labels, reading: of evaluations; threshold: None for the stored labels."""

    project: Project
    benchmark: str
    labels: str
    reading: str
    threshold: float | None
    format: str

    @property
    def is_prmbench(self) -> bool:
        return self.benchmark == "prmbench"

    def query(self, **others: Any) -> str:
        """What asks for the same again, and for `others`."""
        mine = {"against": self.labels, "reading": self.reading, "threshold": self.threshold}
        return urlencode({name: value for name, value in {**mine, **others}.items() if value is not None})


def asked(project: Project, benchmark: str, data: QueryDict, labels: str = "both") -> Asked:
    """Raises Missing for a benchmark that is none, Invalid for a choice that is none. `labels`: where not said."""
    if benchmark not in evaluations.BENCHMARKS:
        raise errors.Missing("There is no such benchmark.")
    return Asked(
        project,
        benchmark,
        choice(data, "against", tuple(LABELS), labels),
        choice(data, "reading", tuple(READINGS), "reference"),
        threshold(data.get("threshold", "")),
        choice(data, "format", FORMATS, ""),
    )


def choice(data: QueryDict, name: str, among: Sequence[str], otherwise: str) -> str:
    value = data.get(name) or otherwise
    if value not in among:
        raise errors.Invalid(f"Choose {', '.join(one for one in among if one)}.", field=name)
    return value


def threshold(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise errors.Invalid("Give a number, as 0.5, or nothing for the stored labels.", field="threshold")
    return value


def rater(project: Project, pk: int) -> Rater:
    return evaluations.find_rater(project, str(pk))


def part_title(project: Project, benchmark: str, code: str) -> str:
    """A kind of error, or a subset, as people read it."""
    if benchmark != "prmbench":
        return code
    return LONG.get(code) or words.kind_title(code, project.error_types)


def part_short(code: str) -> str:
    return SHORT.get(code, code)


def label_word(benchmark: str, label: str) -> str:
    """What was said of a step: a word for PRMBench's labels, else as it is."""
    if benchmark == "prmbench" and label in words.MARKS:
        return words.MARKS[label].word
    return (
        {"none": "no error", "unparsed": "not readable"}.get(label, f"step {label}") if label else "nothing"
    )


def shared(asking: Asked) -> dict[str, Any]:
    """What the head of every page of a benchmark needs."""
    project = asking.project
    return {
        "project": project, "benchmark": asking.benchmark, "title": TITLES[asking.benchmark], "asked": asking,
        "others": [(code, TITLES[code]) for code in evaluations.benchmarks(project)],
        "score_title": SCORES[asking.benchmark], "query": asking.query(),
        "labels_choices": list(LABELS.items()), "readings": list(READINGS.items()),
        "is_published": asking.benchmark in TITLES,
    }  # fmt: skip


def json(data: Any) -> JsonResponse:
    return JsonResponse(data, json_dumps_params={"indent": 2}, safe=False)


def csv_file(rows: Iterable[Sequence[Any]], name: str) -> HttpResponseBase:
    """Cells that a spreadsheet would take for a formula begin with an apostrophe: names are others' text."""
    writer = csv.writer(Echo())
    lines = (str(writer.writerow([plain(cell) for cell in row])) for row in rows)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def plain(cell: Any) -> Any:
    return "" if cell is None else harmless(cell) if isinstance(cell, str) else cell
