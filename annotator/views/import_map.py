"""Where things are in uploaded files: a lead says it, sees what the first records would become, has them checked."""

import json
from itertools import zip_longest
from typing import Any, NamedTuple

from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator.actions.import_files import format_named, reading_of
from annotator.actions.import_map import can_map, give_map
from annotator.actions.import_preview import Sample, preview, sample
from annotator.formats.decoding import RawRecord
from annotator.formats.records import FormatError, ImportRecord, LoneProblem, Place
from annotator.forms import refusals_in
from annotator.middleware import PageRequest
from annotator.models import Import
from annotator.views import words
from annotator.views.imports import find_import
from annotator.views.map_form import MapForm, likely

MAX_STEPS = 12
MAX_RAW = 3_000
KEPT_ELSEWHERE = ("length", "source")


class Step(NamedTuple):
    """One step with each rater's label of it, and its score or None."""

    text: str
    said: list[tuple[words.Mark, float | None]]


class Shown(NamedTuple):
    """What one record would become: an error, a problem alone, or a solution."""

    place: Place
    error: str
    record: ImportRecord | LoneProblem | None
    steps: list[Step]
    n_hidden: int
    meta: dict[str, Any]


def import_map(request: PageRequest, project: str, transfer: int) -> HttpResponse:
    row = find_import(request, transfer)
    if not can_map(row):
        return redirect("import", project, row.pk)
    told, found = format_named(row.format).told, sample(row)
    said = request.POST if request.method == "POST" else likely(found, told, reading_of(row))
    form = MapForm(said, sample=found, told=told)
    shown: list[Shown] = []
    if form.is_valid():
        with refusals_in(form):
            if request.POST.get("do") == "check":
                give_map(by=request.membership, row=row, reading=form.reading())
                return redirect("import", project, row.pk)
            shown = [_shown(record) for record in preview(row, form.reading())]
    status = 400 if form.errors and request.method == "POST" else 200
    context = _context(row, form, found, shown) | {
        "is_guess": said is not request.POST and not reading_of(row)
    }
    return render(request, "annotator/import_map.html", context, status=status)


def _context(row: Import, form: MapForm, found: Sample, shown: list[Shown]) -> dict[str, object]:
    return {
        "row": row,
        "project": row.project,
        "form": form,
        "sample": found,
        "raw": [_raw(record) for record in found.records],
        "shown": shown,
        "command": _command(row, form) if not form.errors else "",
    }


def _shown(record: ImportRecord | LoneProblem | FormatError) -> Shown:
    if isinstance(record, FormatError):
        return Shown(record.place, record.message, None, [], 0, {})
    if isinstance(record, LoneProblem):
        return Shown(record.place, "", record, [], 0, _meta(record.problem.meta))
    marks = [
        list(zip_longest((words.MARKS[label] for label in one.labels), one.scores or ()))
        for one in record.labels
    ]
    steps = record.solution.steps
    said = [Step(text, [of_rater[at] for of_rater in marks]) for at, text in enumerate(steps[:MAX_STEPS])]
    hidden = max(0, len(steps) - MAX_STEPS)
    return Shown(record.place, "", record, said, hidden, _meta(record.solution.meta))


def _meta(meta: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in meta.items() if key not in KEPT_ELSEWHERE}


def _raw(record: RawRecord | FormatError) -> tuple[Place, str, str]:
    """(place, the record as JSON, what is wrong with it)"""
    if isinstance(record, FormatError):
        return record.place, "", record.message
    text = json.dumps(record.fields, ensure_ascii=False, indent=2)
    return record.place, text if len(text) <= MAX_RAW else text[:MAX_RAW] + " …", ""


def _command(row: Import, form: MapForm) -> str:
    """The options that say the same to a command."""
    options = {name: value for name, value in form.reading().items() if value not in ("", None)}
    return f"--format {row.format} " + " ".join(f"--{key} {_quoted(value)}" for key, value in options.items())


def _quoted(value: Any) -> str:
    text = str(value)
    return (
        text if text.replace("-", "").replace(".", "").isalnum() else "'" + text.replace("'", "'\\''") + "'"
    )
