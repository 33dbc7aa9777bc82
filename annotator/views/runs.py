"""Machine runs: one list and one page for all methods, with live progress; what each unit sent and got back."""

import json
from datetime import timedelta
from typing import Any, NamedTuple

from django import forms
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from annotator import errors
from annotator.actions import runs as acts
from annotator.actions.items import look
from annotator.caching import self_tuned
from annotator.middleware import PageRequest
from annotator.models import OPEN_RUNS, Item, Run, RunState, Unit, UnitState
from annotator.views import paging, words

LOOKS = {
    RunState.PLANNING: "wait", RunState.RUNNING: "wait", RunState.PAUSED: "wait",
    RunState.CANCELLED: "no", RunState.COMPLETE: "ok",
}  # fmt: skip
RECENT = 300
LATELY = timedelta(minutes=2)


def runs(request: PageRequest, **_: object) -> HttpResponse:
    project = request.membership.project
    found = Run.objects.filter(project=project).select_related("rater", "created_by")
    page = paging.page(request, found, newest_first=True)
    context = {
        "project": project,
        "page": page,
        "rows": [(run, LOOKS[RunState(run.state)]) for run in page.rows],
        "is_polled": any(run.is_open for run in page.rows),
    }
    return render(request, "annotator/runs.html", context)


def run_page(request: PageRequest, run: int, **_: object) -> HttpResponse:
    row = _find(request, run)
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
    failures = Unit.objects.filter(run=row, state=UnitState.FAILED).select_related("solution")
    context: dict[str, Any] = {
        "project": row.project, "row": row, "look": LOOKS[RunState(row.state)], "form": form,
        "is_polled": row.is_open and status == 200, "pace": _pace(row), "yields": _yields(row),
        "page": paging.page(request, failures), "params": _told(row.params),
        "can_pause": row.state in OPEN_RUNS, "can_resume": row.state == RunState.PAUSED,
        "can_cancel": row.state in (*OPEN_RUNS, RunState.PAUSED),
        "can_retry": row.n_failed > 0 and row.state != RunState.CANCELLED,
        "spec": _told(row.rater.spec) if row.rater else [],
    }  # fmt: skip
    return render(request, "annotator/run.html", context, status=status)


def unit_page(request: PageRequest, run: int, unit: int, **_: object) -> HttpResponse:
    """What one unit sent, what came back, what was made of it."""
    row = _find(request, run)
    found = Unit.objects.filter(run=row, pk=unit).select_related("solution__problem", "problem").first()
    if found is None:
        raise errors.Missing("There is no such unit.")
    items = list(_items(found))
    for item in items:  # what is shown are others' labels of them
        look(by=request.membership, item=item)
    context = {
        "project": row.project, "row": row, "unit": found, "calls": found.calls.order_by("n", "pk"), "items": items,
        "result": _pretty(found.result),
    }  # fmt: skip
    return render(request, "annotator/unit.html", context)


def _items(unit: Unit) -> QuerySet[Item]:
    """Of the solution that it judged, and of those that it made."""
    about = Q(solution__unit=unit) | (Q(solution=unit.solution_id) if unit.solution_id else Q())
    return Item.objects.filter(about, project=unit.run.project_id).order_by("pk")


def _find(request: PageRequest, pk: int) -> Run:
    found = Run.objects.filter(project=request.membership.project, pk=pk)
    row = found.select_related("project", "rater", "created_by").first()
    if row is None:
        raise errors.Missing("There is no such run.")
    return row


class Pace(NamedTuple):
    """per_minute: units, of late. left: how long the rest takes at that pace; "–" where it is not known."""

    per_minute: float | None
    left: str


def _pace(run: Run) -> Pace:
    """From the last units that ended: a run that was paused in between is not slower for it."""
    if run.state != RunState.RUNNING:
        return Pace(None, "–")
    since = timezone.now() - LATELY
    last = Unit.objects.filter(run=run, state=UnitState.DONE).order_by("-pk")
    ends = sorted(at for at in last.values_list("finished_at", flat=True)[:RECENT] if at and at > since)
    if len(ends) < 2 or ends[0] == ends[-1]:
        return Pace(None, "–")
    a_second = (len(ends) - 1) / (timezone.now() - ends[0]).total_seconds()
    return Pace(60 * a_second, words.duration(int(1000 * run.n_left / a_second)))


class Yield(NamedTuple):
    kind: str
    counts: list[int]
    total: int


class Yields(NamedTuple):
    outcomes: list[str]
    rows: list[Yield]


def _yields(run: Run) -> Yields:
    """What became of the units, by kind."""
    found = self_tuned(f"yields:{run.pk}", lambda: _counted(Unit.objects.filter(run=run)))
    outcomes = sorted({outcome for _, outcome, _ in found})
    counts = {(kind, outcome): n for kind, outcome, n in found}
    kinds = sorted({kind for kind, _, _ in found})
    rows = [Yield(kind, [counts.get((kind, outcome), 0) for outcome in outcomes], 0) for kind in kinds]
    return Yields(outcomes, [row._replace(total=sum(row.counts)) for row in rows])


def _counted(units: QuerySet[Unit]) -> list[tuple[str, str, int]]:
    ended = units.filter(state__in=[UnitState.DONE, UnitState.FAILED]).order_by()
    rows = ended.values_list("kind", "outcome", "state").annotate(n=Count("pk"))
    return [(kind, outcome or state, n) for kind, outcome, state, n in rows]


def _told(values: dict[str, Any]) -> list[tuple[str, str]]:
    """As a page shows settings: plain values as they are, others as JSON."""
    shown = {k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for k, v in values.items()}
    return [
        (name.replace("_", " "), text) for name, text in shown.items() if text not in ("", "null", "[]", "{}")
    ]


def _pretty(text: str) -> str:
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2) if text else ""
