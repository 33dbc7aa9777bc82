"""Making a project and changing its settings."""

from django.contrib import messages
from django.forms import model_to_dict
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator.actions import projects as acts
from annotator.forms import NewProjectForm, SettingsForm, refusals_in
from annotator.middleware import PageRequest
from annotator.views.project_page import project_page

__all__ = ["new_project", "project_page", "settings_page"]


def new_project(request: PageRequest) -> HttpResponse:
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            project = acts.create_project(by=request.user, **form.cleaned_data)
            messages.success(request, "The project is there. Next: write guidelines, import, invite people.")
            return redirect("project", project.slug)
    return render(request, "annotator/new_project.html", {"form": form})


def settings_page(request: PageRequest, project: str) -> HttpResponse:
    current = request.membership.project
    form = SettingsForm(request.POST or None, initial=model_to_dict(current, acts.CHANGEABLE))
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            acts.change_settings(by=request.membership, project=current, **form.cleaned_data)
            messages.success(request, "The settings are saved.")
            return redirect("settings", project)
    return render(request, "annotator/settings.html", {"form": form})
