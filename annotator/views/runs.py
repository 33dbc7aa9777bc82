"""Machine runs: one list and one page for all methods, with live progress; what each unit sent and got back."""

import json
from typing import Any, NamedTuple

from django import forms
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from annotator import errors, reports
from annotator.actions import runs as acts
from annotator.core import methods
from annotator.middleware import PageRequest
from annotator.models import OPEN_RUNS, Run, RunState
from annotator.views import paging, run_figures, words
from annotator.views.run_units import find, listed

LOOKS = {
    RunState.PLANNING: "wait", RunState.RUNNING: "wait", RunState.PAUSED: "wait",
    RunState.CANCELLED: "no", RunState.COMPLETE: "ok",
}  # fmt: skip


class Row(NamedTuple):
    run: Run
    title: str
    look: str


def runs(request: PageRequest, **_: object) -> HttpResponse:
    project = request.membership.project
    found = Run.objects.filter(project=project).select_related("rater", "created_by")
    page = paging.page(request, found, newest_first=True)
    context = {
        "project": project,
        "page": page,
        "rows": [Row(run, methods.title(run.method), LOOKS[RunState(run.state)]) for run in page.rows],
        "is_polled": any(run.is_open for run in page.rows),
    }
    return render(request, "annotator/runs.html", context)


def run_page(request: PageRequest, run: int, **_: object) -> HttpResponse:
    row = find(request, run)
    if request.method == "POST":
        return _act(request, row)
    return _shown(request, row, BudgetForm(initial={"budget": row.budget}))


class BudgetForm(forms.Form):
    budget = forms.FloatField(
        required=False, min_value=0, label="It may cost, in all", help_text="Empty: no limit."
    )


def _act(request: PageRequest, row: Run) -> HttpResponse:
    do = request.POST.get("do", "")
    me = request.membership
    if do == "pause":
        acts.pause(by=me, run=row)
    elif do == "resume":
        form = BudgetForm(request.POST)
        if not form.is_valid():
            return _shown(request, row, form, status=400)
        try:
            acts.resume(by=me, run=row, budget=form.cleaned_data["budget"])
        except errors.Invalid as refusal:
            form.add_error("budget", refusal.message)
            return _shown(request, row, form, status=400)
    elif do == "cancel":
        acts.cancel(by=me, run=row)
    elif do == "retry":
        acts.retry_failed(by=me, run=row)
    else:
        raise errors.Invalid("There is no such act.", field="do")
    return redirect("run", row.project.slug, row.pk)


def _shown(request: PageRequest, row: Run, form: BudgetForm, status: int = 200) -> HttpResponse:
    counts = run_figures.counts(row)
    if request.GET.get("format") == "json":
        return JsonResponse(_as_json(row, counts), json_dumps_params={"indent": 2})
    asked = run_figures.asked(row, request.GET)
    page = paging.page(request, asked.rows(row))
    context: dict[str, Any] = {
        "project": row.project, "row": row, "title": methods.title(row.method), "look": LOOKS[RunState(row.state)],
        "form": form, "is_polled": row.is_open and status == 200, "pace": run_figures.pace(row),
        "took": _took(row), "yields": run_figures.yields(counts, row.project.error_types), "asked": asked,
        "page": page, "units": listed(page.rows, row.project),
        "first_page": paging.first(request), "params": _told(row.params),
        "spec": _told(row.rater.spec) if row.rater else [],
        "can_pause": row.state in OPEN_RUNS, "can_resume": row.state == RunState.PAUSED,
        "can_cancel": row.state in (*OPEN_RUNS, RunState.PAUSED),
        "can_retry": row.n_failed > 0 and row.state != RunState.CANCELLED,
    }  # fmt: skip
    response = render(request, "annotator/run.html", context, status=status)
    if "HX-Request" in request.headers and not context["is_polled"]:
        response["HX-Refresh"] = "true"  # it has ended: what the page asks for no more is to be shown too
    return response


def _took(run: Run) -> str:
    """From asking for it to its end, pauses included."""
    if run.finished_at is None:
        return ""
    return words.duration(1000 * (run.finished_at - run.created_at).total_seconds())


def _as_json(row: Run, counts: run_figures.Counts) -> dict[str, Any]:
    return {
        "run": row.pk, "method": row.method, "rater": str(row.rater) if row.rater else None, "state": row.state,
        "because": row.because, "params": row.params, "budget": row.budget, "units": row.n_units,
        "done": row.n_done, "failed": row.n_failed, "calls": row.n_calls, "prompt_tokens": row.prompt_tokens,
        "completion_tokens": row.completion_tokens, "cost": row.cost, "created_at": row.created_at,
        "finished_at": row.finished_at,
        "outcomes": [{"kind": kind, "outcome": outcome, "n": n} for kind, outcome, n in sorted(counts)],
    }  # fmt: skip


def run_agreement(request: PageRequest, run: int, **_: object) -> HttpResponse:
    """The run's rater beside people, once they have reviewed what it labelled. Read when it is asked for: on a large
    project the report takes seconds."""
    row = find(request, run)
    beside = {one["rater_id"]: one for one in reports.current(row.project).data["raters"]}
    found = beside.get(row.rater_id)
    if request.GET.get("format") == "json":
        return JsonResponse(
            {"run": row.pk, "rater": str(row.rater or ""), "people": found}, json_dumps_params={"indent": 2}
        )
    context = {"project": row.project, "row": row, "title": methods.title(row.method), "found": found}
    return render(request, "annotator/run_agreement.html", context)


def _told(values: dict[str, Any]) -> list[tuple[str, str]]:
    """As a page shows settings: plain values as they are, others as JSON."""
    shown = {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in values.items()}
    return [
        (name.replace("_", " "), text) for name, text in shown.items() if text not in ("", "null", "[]", "{}")
    ]
