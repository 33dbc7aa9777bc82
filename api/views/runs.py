"""Machine runs over HTTP, for leads: start, watch, pause, go on, cancel, try again."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import errors
from annotator.actions import runs as acts
from annotator.models import Run
from annotator.views import run_figures
from api import serializers as shapes
from api.requests import member
from api.views.review import REFUSED, body_of
from scoring import actions as scoring
from synth import actions as synth
from synth.machines.machine import names_of

PAGE = 100
MAX_DIGITS = 19
TO_START = ("method", "settings", "budget")
OF_A_SCORE = {"model": str, "variant": str, "like": str, "name": str, "limit": int}
DONE = {200: shapes.RunSerializer, 409: REFUSED}


@extend_schema(
    methods=["GET"], operation_id="projects_runs_list", responses=shapes.RunPageSerializer,
    parameters=[OpenApiParameter("before", int, description="Runs with a smaller id.")],
)  # fmt: skip
@extend_schema(
    methods=["POST"], operation_id="projects_runs_create", request=shapes.NewRunSerializer,
    responses={202: shapes.RunSerializer, 400: REFUSED, 404: REFUSED},
)  # fmt: skip
@api_view(["GET", "POST"])
def runs(request: Request, project: str) -> Response:
    """A page of runs, the newest first; or a new run, on which the worker begins."""
    if request.method == "POST":
        return Response(shapes.RunSerializer(_start(request)).data, status=202)
    rows = Run.objects.filter(project=member(request).project, **_before(request))
    page = list(rows.select_related("rater").order_by("-pk")[: PAGE + 1])
    following = page[PAGE - 1].pk if len(page) > PAGE else None
    return Response(shapes.RunPageSerializer({"runs": page[:PAGE], "next_before": following}).data)


def _before(request: Request) -> dict[str, int]:
    given = request.query_params.dict()
    before = given.pop("before", None)
    if given:
        raise errors.Invalid(f"{next(iter(given))}: there is no such parameter.", field=next(iter(given)))
    if before is None:
        return {}
    if not (before.isascii() and before.isdecimal() and len(before) < MAX_DIGITS):
        raise errors.Invalid("before: must be a run's id.", field="before")
    return {"pk__lt": int(before)}


def _start(request: Request) -> Run:
    body, me = body_of(request), member(request)
    unknown = sorted(set(body) - set(TO_START))
    if unknown:
        raise errors.Invalid(f"{unknown[0]}: is not a field of a new run.", field=unknown[0])
    method, settings = body.get("method"), body.get("settings", {})
    if not isinstance(method, str) or not method.isprintable():
        raise errors.Invalid("method: must be the name of a method.", field="method")
    if not isinstance(settings, Mapping):
        raise errors.Invalid("settings: must be a JSON object.", field="settings")
    if method == scoring.SCORE:
        return scoring.start(by=me, project=me.project, **_of_a_score(settings))
    _check(settings, names_of(synth.named(method)))
    return synth.start(by=me, project=me.project, method=method, given=settings, budget=_budget(body))


def _check(settings: Mapping[str, Any], known: set[str]) -> None:
    for name, value in settings.items():
        if name not in known:
            raise errors.Invalid(f"{name}: this method has no such setting.", field=name)
        if name == "limit" and isinstance(value, bool):
            raise errors.Invalid("limit: must be a whole number.", field=name)
        for one in value if isinstance(value, list) else [value]:
            _check_plain(name, one)


def _check_plain(name: str, value: Any) -> None:
    if not isinstance(value, str | int | float | None):
        raise errors.Invalid(f"{name}: must be a plain value, or a list of them.", field=name)
    if isinstance(value, str) and not value.isprintable():
        raise errors.Invalid(f"{name}: has characters that cannot be shown.", field=name)


def _of_a_score(settings: Mapping[str, Any]) -> dict[str, Any]:
    _check(settings, set(OF_A_SCORE))
    for name, kind in OF_A_SCORE.items():
        if name in settings and not isinstance(settings[name], kind):
            raise errors.Invalid(
                f"{name}: must be {'text' if kind is str else 'a whole number'}.", field=name
            )
    if "model" not in settings:
        raise errors.Invalid("model: name the model to score by.", field="model")
    return dict(settings)


def _budget(body: Mapping[str, Any]) -> float | None:
    budget = body.get("budget")
    if budget is None or (isinstance(budget, int | float) and not isinstance(budget, bool)):
        return budget
    raise errors.Invalid("budget: must be a number.", field="budget")


@extend_schema(responses=shapes.RunDetailSerializer)
@api_view(["GET"])
def run(request: Request, project: str, run: int) -> Response:
    """How far a run is, and what came of its units: by kind and outcome."""
    row = _find(request, run)
    counts = run_figures.counts(row)
    row.outcomes = [{"kind": k, "outcome": o, "n": n} for k, o, n in sorted(counts)]  # type: ignore[attr-defined]
    return Response(shapes.RunDetailSerializer(row).data)


@extend_schema(request=None, responses=DONE)
@api_view(["POST"])
def pause(request: Request, project: str, run: int) -> Response:
    """Let no more units begin; what is in flight is stored."""
    return _shown(acts.pause(by=member(request), run=_find(request, run)))


@extend_schema(request=shapes.ResumeSerializer, responses={**DONE, 400: REFUSED})
@api_view(["POST"])
def resume(request: Request, project: str, run: int) -> Response:
    """Go on with a paused run, if asked with another budget."""
    row, body = _find(request, run), body_of(request)
    budget = _budget(body) if "budget" in body else acts.KEEP
    return _shown(acts.resume(by=member(request), run=row, budget=budget))


@extend_schema(request=None, responses=DONE)
@api_view(["POST"])
def cancel(request: Request, project: str, run: int) -> Response:
    """End a run for good; what it stored stays."""
    return _shown(acts.cancel(by=member(request), run=_find(request, run)))


@extend_schema(request=None, responses=DONE)
@api_view(["POST"])
def retry(request: Request, project: str, run: int) -> Response:
    """Try every failed unit again."""
    row = _find(request, run)
    acts.retry_failed(by=member(request), run=row)
    return _shown(row)


def _shown(run: Run) -> Response:
    return Response(shapes.RunSerializer(run).data)


def _find(request: Request, pk: int) -> Run:
    rows = Run.objects.select_related("project", "rater").filter(project=member(request).project, pk=pk)
    found = rows.first()
    if found is None:
        raise errors.Missing("There is no such run in this project.")
    return found
