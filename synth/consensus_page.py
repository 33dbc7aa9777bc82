"""The consensus page: two machines' first errors beside each other, and the solutions behind each number.

`?a=RATER&b=RATER&threshold=0.25&by=source|length|meta:KEY&cell=…&offset=N&value=…`; `?format=json`, `?format=csv`,
and `?format=csv&of=solutions` for the solutions that the list shows.
"""

from typing import Any

from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import render

from annotator import errors
from annotator.middleware import PageRequest
from annotator.models import Project, Rater
from annotator.views import paging
from annotator.views.files import csv_file
from synth import comparing, consensus_list
from synth import consensus_figures as figures
from synth.comparing import META, Compared
from synth.consensus_asked import JUDGES, ROLLOUTS, Asked, asked_of, raters_form, usual


def consensus(request: PageRequest, **_: object) -> HttpResponseBase:
    """Without raters in the address: the newest judge or critic, and the newest rollouts."""
    project = request.membership.project
    known = comparing.machines(project)
    form = raters_form(known, request.GET.dict() | usual(known, request.GET))
    context: dict[str, Any] = {"project": project, "known": known, "form": form, **_missing(known)}
    if not form.data.get("a") or not form.data.get("b"):
        return render(request, "synth/consensus.html", context)
    if form.is_valid() and form.cleaned_data["a"] == form.cleaned_data["b"]:
        form.add_error("b", "Choose two different raters.")
    if not form.is_valid():
        return render(request, "synth/consensus.html", context, status=400)
    asked = asked_of(request, known, form.cleaned_data)
    try:
        found = comparing.current(project, asked.a, asked.b, by=asked.by, threshold=asked.threshold)
    except errors.Invalid as refusal:
        if refusal.field != "threshold":
            raise
        form.add_error("threshold", refusal.message)
        return render(request, "synth/consensus.html", context, status=400)
    return _answered(request, project, asked, found, context)


def _answered(
    request: PageRequest, project: Project, asked: Asked, found: Compared, context: dict[str, Any]
) -> HttpResponseBase:
    report, wanted = comparing.report(found), request.GET.get("format")
    name = f"{project.slug}-consensus-{asked.a.pk}-{asked.b.pk}"
    if wanted == "json":
        about = {"project": project.slug, "a": str(asked.a), "b": str(asked.b), "threshold": asked.threshold}
        return JsonResponse(about | {"by": asked.by} | report, json_dumps_params={"indent": 2})
    ids = found.ids(asked.cell, asked.offset, asked.value)
    if wanted == "csv" and request.GET.get("of") == "solutions":
        return csv_file(consensus_list.table(found, ids), f"{name}-solutions.csv")
    if wanted == "csv":
        return csv_file(consensus_list.counts(report, asked.by), f"{name}.csv")
    listed = consensus_list.page(found, ids, paging.after(request))
    more = {
        "asked": asked, "report": report, "total": report["all"],
        "n_apart": report["all"]["comparable"] - report["all"]["kept"],
        "slices": figures.slices(asked, report), "bars": figures.bars(asked, report["all"]["offsets"]),
        "by_choices": figures.choices(found),
        "by_title": dict(figures.choices(found)).get(asked.by, asked.by.removeprefix(META)),
        "rows": listed.rows, "n_listed": len(ids), "said": figures.said(asked),
        "is_first": paging.after(request) is None,
        "next_query": paging.following(request, listed.last), "first_query": paging.first(request),
    }  # fmt: skip
    return render(request, "synth/consensus.html", context | more)


def _missing(known: list[Rater]) -> dict[str, bool]:
    return {
        "no_judge": not any(rater.kind in JUDGES for rater in known),
        "no_rollouts": not any(rater.kind in ROLLOUTS for rater in known),
    }
