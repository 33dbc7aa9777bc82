"""Pages of machine methods: choose one, set it, see what it would cost, start it."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.actions.items import look
from annotator.middleware import PageRequest
from annotator.models import Item, Project, Run
from synth import actions, endpoints
from synth import evidence as found_evidence
from synth.forms import StartForm
from synth.machines import MACHINES
from synth.machines.machine import Machine

LAST = 5


def machines(request: PageRequest, **_: object) -> HttpResponse:
    """All methods, and whether there is an endpoint to ask."""
    problem, known = "", {}
    try:
        known = endpoints.load()
    except errors.Invalid as refusal:
        problem = refusal.message
    context = {
        "project": request.membership.project, "machines": MACHINES.values(), "endpoints": known.values(),
        "problem": problem,
    }  # fmt: skip
    return render(request, "synth/machines.html", context)


def machine(request: PageRequest, method: str, **_: object) -> HttpResponse:
    """GET: the form. POST: its estimate, or the run."""
    found, project = actions.named(method), request.membership.project
    form = StartForm(found, project, request.POST if request.method == "POST" else None, request.GET.dict())
    if request.method != "POST" or not form.is_valid():
        return _shown(request, found, project, form, status=400 if form.is_bound else 200)
    try:
        if request.POST.get("do") == "start":
            return _start(request, method, project, form)
        told = actions.estimate(by=request.membership, project=project, method=method, given=form.given())
    except errors.Invalid as refusal:
        form.refuse(refusal)
        return _shown(request, found, project, form, status=400)
    return _shown(request, found, project, form, told=told)


def _start(request: PageRequest, method: str, project: Project, form: StartForm) -> HttpResponse:
    run = actions.start(
        by=request.membership, project=project, method=method, given=form.given(),
        budget=form.cleaned_data.get("budget"),
    )  # fmt: skip
    return redirect("run", project.slug, run.pk)


def _shown(
    request: PageRequest, found: Machine, project: Project, form: StartForm, status: int = 200, **more: Any
) -> HttpResponse:
    last = Run.objects.filter(project=project, method=found.method).order_by("-pk")
    context = {
        "project": project, "machine": found, "form": form, "last": last[:LAST],
        "no_endpoint": found.needs_endpoint and not form.fields["endpoint"].choices,  # type: ignore[attr-defined]
    }  # fmt: skip
    return render(request, "synth/machine.html", context | more, status=status)


def evidence(request: PageRequest, item: int, **_: object) -> HttpResponse:
    """What stands behind machines' words on an item. Who reads it gets no slot on the item."""
    project = request.membership.project
    row = Item.objects.select_related("solution__problem").filter(project=project, pk=item).first()
    if row is None:
        raise errors.Missing("There is no such item in this project.")
    look(by=request.membership, item=row)
    context = {
        "project": project, "item": row, "problem": row.solution.problem, "evidence": found_evidence.of_item(row),
    }  # fmt: skip
    return render(request, "synth/evidence.html", context)
