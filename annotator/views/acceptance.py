"""Acceptance sampling for leads: draw a sample, see what came of it, set the bar. The same as JSON and CSV."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.actions import projects, sampling
from annotator.core.acceptance import RATES
from annotator.forms import PercentField, Plain, refusals_in
from annotator.middleware import PageRequest
from annotator.models import Item, Project, Sample
from annotator.reports import acceptance as report
from annotator.views import words
from annotator.views.files import csv_file
from annotator.views.item_filters import NO_KIND
from annotator.views.paging import LARGEST

PER = [("error_type", "kind of error"), ("protocol", "protocol"), ("", "none: the project as a whole")]
TITLES = {
    "as_claimed": "As claimed",
    "really_wrong": "Really wrong",
    "differs": "Differs",
    "right_kind": "Right kind",
    "accepted": "Claim accepted",
    "fixed": "To be fixed",
    "rejected": "Rejected",
    "disputed": "Disputed",
    "original_right": "Original right",
}


class DrawForm(Plain, forms.Form):
    share = PercentField(
        min_value=0.01, max_value=100, initial=0.1, label="Share to draw (%)", help_text="Rounded up."
    )
    per = forms.ChoiceField(required=False, choices=PER, label="Of each")
    meta = forms.CharField(
        required=False, max_length=35, label="Or of each value of a key of meta", help_text="As “level”."
    )
    seed = forms.IntegerField(label="Seed", help_text="The same number draws the same items.")
    only = forms.BooleanField(required=False, label="Hold all others until the sample is done")

    def asked(self) -> dict[str, Any]:
        said = self.cleaned_data
        per = sampling.META + said["meta"] if said["meta"] else said["per"]
        return {"share": said["share"], "per": per, "seed": said["seed"], "only": said["only"]}


class BarForm(Plain, forms.Form):
    acceptance_bar = PercentField(
        min_value=0.1, max_value=100, required=False, label="Bar (%)",
        help_text="Kinds of which fewer are as claimed stay out of releases. Empty: no bar.",
    )  # fmt: skip


class Band(NamedTuple):
    """An interval and where the mark of its share begins, in hundredths of the chart's width."""

    low: float
    width: float
    mark: float


MARK = 1.0  # the width of the mark


class Row(NamedTuple):
    """A kind: `part` is the report's; `cells` its rates in the order of RATES; `query` the items filter."""

    title: str
    query: str
    part: dict[str, Any]
    cells: list[dict[str, Any]]
    band: Band | None
    crosses: bool  # the bar is inside the interval


def acceptance(request: PageRequest, **_: object) -> HttpResponseBase:
    """`?sample=` chooses one sample; `?format=json` or `csv` gives the numbers."""
    project = request.membership.project
    shown: dict[str, forms.Form] = {
        "draw": DrawForm(initial={"share": 0.1, "per": "error_type", "seed": _next_seed(project)}),
        "bar": BarForm(initial={"acceptance_bar": project.acceptance_bar}),
    }
    if request.method == "POST":
        do = request.POST.get("do", "")
        if do not in DEEDS:
            raise errors.Invalid("Draw a sample, set the bar, or release what is held.", field="do")
        form = DEEDS[do](request, project)
        if form is None:
            return redirect("acceptance", project.slug)
        shown[do] = form
    return _answer(request, project, shown)


def _answer(request: PageRequest, project: Project, shown: dict[str, forms.Form]) -> HttpResponseBase:
    sample, written = _asked_sample(request, project), request.GET.get("format", "")
    if written not in ("", "json", "csv"):
        raise errors.Invalid("Choose json or csv.", field="format")
    found = report.current(project, sample)
    if written == "json":
        return JsonResponse(found, json_dumps_params={"indent": 2})
    if written == "csv":
        return csv_file(report.table(found), f"{project.slug}-acceptance.csv")
    is_refused = any(form.is_bound for form in shown.values())
    context = {"forms": shown, **_context(project, sample, found)}
    return render(request, "annotator/acceptance.html", context, status=400 if is_refused else 200)


def _asked_sample(request: PageRequest, project: Project) -> Sample | None:
    value = request.GET.get("sample", "")
    if not value:
        return None
    pk = int(value) if value.isascii() and value.isdecimal() else 0
    found = Sample.objects.filter(project=project, pk=min(pk, LARGEST)).first()
    if found is None:
        raise errors.Missing("There is no such sample.")
    return found


def _context(project: Project, sample: Sample | None, found: dict[str, Any]) -> dict[str, Any]:
    own, bar = project.error_types, found["bar"]
    rows = [
        _row(words.kind_title(kind, own), f"kind={kind or NO_KIND}", part, bar)
        for kind, part in found["kinds"].items()
    ]
    everything = _row("all", "", found, None)
    held = Item.objects.filter(
        project=project, held=True, retired=False, held_because__startswith=sampling.NOT_IN
    )
    return {
        "project": project,
        "found": found,
        "sample": sample,
        "rows": [*rows, everything] if len(rows) > 1 else rows,
        "titles": [TITLES[name] for name in RATES],
        "bar_at": None if bar is None else 100 * bar,
        "n_held": held.count(),
        "n_items": report.population(project).count(),
        "samples": [
            one
            | {
                "percent": f"{100 * one['share']:g}",
                "n": sum(part["drawn"] for part in one["counts"].values()),
            }
            for one in found["samples"]
        ],
    }


def _row(title: str, query: str, part: dict[str, Any], bar: float | None) -> Row:
    rate = part["rates"]["as_claimed"]
    low, high = rate["interval"]["low"], rate["interval"]["high"]
    crosses = bar is not None and low is not None and low < bar <= high
    return Row(title, query, part, [part["rates"][name] for name in RATES], band_of(rate), crosses)


def band_of(rate: dict[str, Any]) -> Band | None:
    """The geometry of a share with its interval; None where it is undefined."""
    low, high = rate["interval"]["low"], rate["interval"]["high"]
    if rate["value"] is None:
        return None
    return Band(100 * low, 100 * (high - low), (100 - MARK) * rate["value"])


def _next_seed(project: Project) -> int:
    return Sample.objects.filter(project=project).count() + 1


def _draw(request: PageRequest, project: Project) -> forms.Form | None:
    form = DrawForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            drawn = sampling.draw(by=request.membership, project=project, **form.asked())
            messages.success(request, told(drawn))
            return None
    return form


def told(drawn: sampling.Drawn) -> str:
    n = len(drawn.item_ids)
    said = f"Sample {drawn.sample.pk}: {n:,} item{'s' * (n != 1)}, first in the queue from now on."
    if not drawn.is_new:
        said = f"This was drawn before, as sample {drawn.sample.pk}: {n:,} item{'s' * (n != 1)}."
    if drawn.n_held:
        said += f" {drawn.n_held:,} others are held."
    if drawn.n_waiting:
        said += f" {drawn.n_waiting:,} of the sample are held for another reason: release them, or nobody gets them."
    return said


def _bar(request: PageRequest, project: Project) -> forms.Form | None:
    form = BarForm(request.POST)
    if form.is_valid():
        with refusals_in(form):
            projects.change_settings(by=request.membership, project=project, **form.cleaned_data)
            messages.success(
                request, "The bar is set." if form.cleaned_data["acceptance_bar"] else "There is no bar now."
            )
            return None
    return form


def _release(request: PageRequest, project: Project) -> None:
    done = sampling.release_others(by=request.membership, project=project)
    messages.success(request, words.told_of(done.n, done.skipped))


DEEDS: dict[str, Callable[[PageRequest, Project], forms.Form | None]] = {
    "draw": _draw,
    "bar": _bar,
    "release": _release,
}
