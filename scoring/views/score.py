"""Start scoring a project by a reward model of those that lie here."""

from typing import Any, NamedTuple

from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.middleware import PageRequest
from annotator.models import Project, Run
from scoring import actions, installed, solutions
from scoring.forms import ScoreForm
from scoring.prm.catalogue import Entry
from scoring.prm.spec import Channel

LAST = 5
RULES = {"above": "above", "drop_above": "a drop of less than", "argmax": "above"}


class Reading(NamedTuple):
    """A variant as the table has it. decisions: (channel, rule and threshold, what that was tuned on)."""

    model: str
    variant: str
    is_usual: bool
    kind: str
    max_tokens: int | None
    decisions: list[tuple[str, str, str]]


def score(request: PageRequest, **_: object) -> HttpResponse:
    """GET: the form. POST: how many solutions it would be, or the run."""
    project, (entries, problem) = request.membership.project, here()
    form = ScoreForm(entries, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _shown(request, entries, form, problem=problem, status=400 if form.is_bound else 200)
    try:
        if request.POST.get("do") == "start":
            run = actions.start(by=request.membership, project=project, **form.given())
            return redirect("run", project.slug, run.pk)
        told = actions.estimate(by=request.membership, project=project, **form.given())
    except errors.Invalid as refusal:
        form.refuse(refusal)
        return _shown(request, entries, form, problem=problem, status=400)
    return _shown(request, entries, form, problem=problem, told=told)


def here() -> tuple[list[Entry], str]:
    """The models that can be run, and what is wrong with the operator's own catalogue, if anything is."""
    try:
        return installed.installed(), ""
    except errors.Invalid as refusal:
        return [], refusal.message


def _shown(
    request: PageRequest, entries: list[Entry], form: ScoreForm, status: int = 200, **more: Any
) -> HttpResponse:
    project: Project = request.membership.project
    last = Run.objects.filter(project=project, method=actions.SCORE).select_related("rater").order_by("-pk")
    context = {
        "project": project, "form": form, "n_all": solutions.to_score(project).count(), "last": last[:LAST],
        "readings": [one for entry in entries for one in readings(entry)],
    }  # fmt: skip
    return render(request, "scoring/score.html", context | more, status=status)


def readings(entry: Entry) -> list[Reading]:
    return [
        Reading(
            entry.name, name, name == entry.default, spec.kind.replace("_", " "), spec.max_tokens,
            [decision(channel, of) for channel, of in spec.channels.items()],
        )
        for name, spec in entry.variants.items()
    ]  # fmt: skip


def decision(channel: str, of: Channel) -> tuple[str, str, str]:
    return channel, f"{RULES[of.decide.rule]} {of.decide.threshold:g}", of.decide.tuned_on
