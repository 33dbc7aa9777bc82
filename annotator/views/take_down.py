"""The page that takes a problem down: what goes, why, and the item's number once more."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator.actions import takedown
from annotator.actions.bulk_items import MAX_REASON
from annotator.errors import Missing
from annotator.forms import Plain, refusals_in
from annotator.middleware import PageRequest
from annotator.models import Item, Problem, Solution


class TakeDownForm(Plain, forms.Form):
    because = forms.CharField(max_length=MAX_REASON, label="Why")
    whole_group = forms.BooleanField(
        required=False, initial=True, label="All versions of the problem",
        help_text="The original, changed ones, and every solution of each.",
    )  # fmt: skip
    typed = forms.CharField(max_length=20, label="The item's number, to confirm")


def take_down(request: PageRequest, item: int, **_: object) -> HttpResponse:
    project = request.membership.project
    found = Item.objects.select_related("solution__problem").filter(project=project, pk=item).first()
    if found is None:
        raise Missing("There is no such item in this project.")
    form = TakeDownForm(request.POST) if request.method == "POST" else TakeDownForm()
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            done = takedown.take_down(
                by=request.membership, project=project, item_id=item, **form.cleaned_data
            )
            messages.success(request, f"Taken down: {done.solutions} solutions of {done.problems} problems.")
            return redirect("item", project.slug, item)
    problem = found.solution.problem
    versions = Problem.objects.filter(project=project, group=problem.group)
    context = {
        "item": found,
        "form": form,
        "problem": problem,
        "n_problems": versions.count(),
        "n_solutions": Solution.objects.filter(problem__in=versions.values("pk")).count(),
        "n_own": Solution.objects.filter(problem=problem).count(),
    }
    return render(request, "annotator/take_down.html", context, status=400 if form.errors else 200)
