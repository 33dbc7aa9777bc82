"""A project's guidelines: read, as a page or in the review screen's drawer; compared; written."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers

from annotator import errors
from annotator.actions import guidelines as acts
from annotator.core.linediff import line_diff
from annotator.forms import GuidelineForm, refusals_in
from annotator.middleware import PageRequest
from annotator.models import Guideline, Role
from annotator.views.markdown import render as render_markdown


def guidelines(request: PageRequest, project: str) -> HttpResponse:
    if request.method == "POST":
        return _write(request)
    if "edit" in request.GET and request.membership.is_at_least(Role.LEAD):
        return render(request, "annotator/guidelines.html", {"form": _empty_form(request)})
    shown = _version(request, request.GET.get("version", ""))
    read_before = request.membership.guideline_read
    if shown:
        acts.read_guideline(by=request.membership, version=shown.version)
    context = {
        "shown": shown,
        "html": render_markdown(shown.text) if shown else "",
        "read_before": read_before,
    }
    is_fragment = bool(request.htmx) or "fragment" in request.GET
    template = "annotator/_guideline.html" if is_fragment else "annotator/guidelines.html"
    response = render(request, template, context if is_fragment else context | _history(request, shown))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _write(request: PageRequest) -> HttpResponse:
    """Save a new version, or only show how it would differ."""
    project = request.membership.project
    form = GuidelineForm(request.POST)
    if request.POST.get("do") == "save" and form.is_valid():
        text, base = form.cleaned_data["text"], form.cleaned_data["base"]
        with refusals_in(form):
            written = acts.write_guideline(by=request.membership, project=project, text=text, base=base)
            messages.success(request, f"Version {written.version} is in force.")
        if not form.errors:
            return redirect("guidelines", project.slug)
        form.data = request.POST | {"base": project.guideline.version if project.guideline else 0}
    before = project.guideline.text if project.guideline else ""
    context = {"form": form, "difference": line_diff(before, request.POST.get("text", ""))}
    return render(request, "annotator/guidelines.html", context)


def _empty_form(request: PageRequest) -> GuidelineForm:
    current = request.membership.project.guideline
    initial = {"text": current.text, "base": current.version} if current else {"text": "", "base": 0}
    return GuidelineForm(initial=initial)


def _history(request: PageRequest, shown: Guideline | None) -> dict[str, Any]:
    """All versions, without their texts; and what changed since the version that `from` names."""
    rows = Guideline.objects.filter(project=request.membership.project).select_related("created_by")
    can_write = request.membership.is_at_least(Role.LEAD)
    context: dict[str, Any] = {"versions": rows.defer("text"), "can_write": can_write}
    if shown and (since := request.GET.get("from", "")):
        before = _version(request, since)
        if before:
            context |= {"since": before, "difference": line_diff(before.text, shown.text)}
    return context


def _version(request: PageRequest, wanted: str) -> Guideline | None:
    """The version that the address names, else the one in force; None while there is none."""
    project = request.membership.project
    if not wanted:
        return project.guideline
    version = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10 else 0
    found = Guideline.objects.filter(project=project, version=version).first()
    if found is None:
        raise errors.Missing("There is no such version of these guidelines.")
    return found
