"""Try reward models on a pasted solution: their step scores side by side."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.middleware import PageRequest
from annotator.models import Run, Unit, UnitState
from annotator.views import words
from annotator.views.words import Mark
from scoring import actions
from scoring.forms import TryForm
from scoring.views.score import RULES, here

OF_REDUNDANCY = {"-": Mark("label-wrong", "✗", "redundant"), "+": Mark("label-right", "✓", "needed")}


class Bar(NamedTuple):
    """A score from zero, and its threshold, on a scale of 0 to 100."""

    x: float
    width: float
    threshold: float


class Cell(NamedTuple):
    """A score with its label; none where a variant cut the step off."""

    score: float | None
    mark: Mark
    bar: Bar | None


class Column(NamedTuple):
    """A channel of a model. said: what there is instead of scores, where there are none."""

    model: str
    variant: str
    channel: str
    rule: str
    tuned_on: str
    said: str
    cells: list[Cell]


def try_models(request: PageRequest, **_: object) -> HttpResponse:
    """GET: the form. POST: start, then see the result."""
    project, (entries, problem) = request.membership.project, here()
    form = TryForm(entries, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            run = actions.try_models(by=request.membership, project=project, **form.given())
            return redirect("tried", project.slug, run.pk)
        except errors.Invalid as refusal:
            form.refuse(refusal)
    context = {"project": project, "form": form, "problem": problem, "has_models": bool(entries)}
    return render(request, "scoring/try.html", context, status=400 if form.errors else 200)


def tried(request: PageRequest, run: int, **_: object) -> HttpResponse:
    """The result, asked for again until it is there; `?format=json`."""
    project = request.membership.project
    row = Run.objects.filter(project=project, pk=run).first()
    if row is None:
        raise errors.Missing("Nothing was tried under this number.")
    if row.method != actions.TRY:
        return redirect("run", project.slug, row.pk)
    units = list(Unit.objects.filter(run=row).order_by("pk"))
    if request.GET.get("format") == "json":
        return JsonResponse(as_json(row, units), json_dumps_params={"indent": 2})
    columns = [column for unit in units for column in columns_of(unit, len(row.params["steps"]))]
    context = {
        "project": project, "row": row, "columns": columns, "is_polled": row.is_open,
        "steps": [
            (number, text, [column.cells[number - 1] if column.cells else None for column in columns])
            for number, text in enumerate(row.params["steps"], 1)
        ],
    }  # fmt: skip
    response = render(request, "scoring/tried.html", context)
    if "HX-Request" in request.headers and not row.is_open:
        response["HX-Refresh"] = "true"  # once whole, so that mathematics is set
    return response


def columns_of(unit: Unit, n_steps: int) -> list[Column]:
    model, variant = unit.params["model"], unit.params["variant"]
    if unit.state != UnitState.DONE:
        said = unit.error or "Waits for a worker that scores."
        return [Column(model, variant, "", "", "", said, [])]
    found = json.loads(unit.result)
    if not found["channels"]:
        return [Column(model, variant, "", "", "", found["note"], [])]
    return [
        Column(
            model, variant, name, f"{RULES[one['rule']]} {one['threshold']:g}", one["tuned_on"], "",
            cells_of(name, one, n_steps),
        )
        for name, one in found["channels"].items()
    ]  # fmt: skip


def cells_of(channel: str, found: dict[str, Any], n_steps: int) -> list[Cell]:
    marks = words.MARKS | (OF_REDUNDANCY if channel == "redundancy" else {})
    scores: list[float | None] = [*found["scores"], *[None] * (n_steps - len(found["scores"]))]
    bars = bars_of(found["scores"], found["threshold"])
    return [
        Cell(score, marks[label], bars[n] if n < len(bars) else None)
        for n, (score, label) in enumerate(zip(scores, found["labels"], strict=True))
    ]


def bars_of(scores: Sequence[float], threshold: float) -> list[Bar]:
    """From 0 to 1, and further where scores go there."""
    low, high = min(0.0, threshold, *scores), max(1.0, threshold, *scores)

    def at(value: float) -> float:
        return 100 * (value - low) / (high - low)

    return [Bar(min(at(score), at(0)), max(0.5, abs(at(score) - at(0))), at(threshold)) for score in scores]


def as_json(row: Run, units: Sequence[Unit]) -> dict[str, Any]:
    models = [
        {
            "model": unit.params["model"], "variant": unit.params["variant"], "state": unit.state,
            "error": unit.error, **(json.loads(unit.result) if unit.result else {"channels": {}}),
        }
        for unit in units
    ]  # fmt: skip
    return {"run": row.pk, "state": row.state, **row.params, "models": models}
