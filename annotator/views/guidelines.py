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
from annotator.views.markdown import render_draft


def guidelines(request: PageRequest, project: str) -> HttpResponse:
    if request.method == "POST":
        return _post(request)
    if "edit" in request.GET and request.membership.is_at_least(Role.LEAD):
        return _form_page(request, _empty_form(request))
    shown = _version(request, request.GET.get("version", ""))
    context = {"shown": shown, "html": render_markdown(shown.text) if shown else ""} | _changes(
        request, shown
    )
    if shown:
        acts.read_guideline(by=request.membership, version=shown.version)
    if request.htmx or "fragment" in request.GET:
        response = render(request, "annotator/_guideline.html", context)
    else:
        response = render(request, "annotator/guidelines.html", context | _history(request))
    patch_vary_headers(response, ["HX-Request"])
    return response


def _post(request: PageRequest) -> HttpResponse:
    """Save a new version, take an old one again, or only show what the text looks like."""
    do = request.POST.get("do", "")
    if do == "restore":
        return _restore(request)
    form = GuidelineForm(request.POST)
    if "fragment" in request.POST:
        return _preview(request)
    if do == "save" and form.is_valid() and (written := _write(request, form)):
        messages.success(request, f"Version {written.version} is in force.")
        return redirect("guidelines", request.membership.project.slug)
    return _form_page(request, form, request.POST.get("text", ""))


def _write(request: PageRequest, form: GuidelineForm) -> Guideline | None:
    """The new version; None where it was refused: the form says why, and goes on from what is in force now."""
    project, written = request.membership.project, None
    text, base = form.cleaned_data["text"], form.cleaned_data["base"]
    with refusals_in(form):
        written = acts.write_guideline(by=request.membership, project=project, text=text, base=base)
    if form.errors:
        form.data = request.POST | {"base": project.guideline.version if project.guideline else 0}
    return written


def _restore(request: PageRequest) -> HttpResponse:
    project = request.membership.project
    version = _number(request.POST.get("version", ""))
    base = _number(request.POST.get("base", ""))
    written = acts.restore_guideline(by=request.membership, project=project, version=version, base=base)
    messages.success(request, f"Version {written.version} is in force, with the text of version {version}.")
    return redirect("guidelines", project.slug)


def _form_page(request: PageRequest, form: GuidelineForm, text: str | None = None) -> HttpResponse:
    """The form; after a POST with how `text` looks and how it differs from what is in force."""
    context: dict[str, Any] = {"form": form}
    if text is not None:
        current = request.membership.project.guideline
        context |= {"preview": render_draft(text[: acts.MAX_TEXT])}
        context |= {"difference": line_diff(current.text if current else "", text[: acts.MAX_TEXT])}
    return render(request, "annotator/guidelines.html", context)


def _preview(request: PageRequest) -> HttpResponse:
    """How the text looks, for the panel beside it."""
    return HttpResponse(render_draft(request.POST.get("text", "")[: acts.MAX_TEXT]))


def _empty_form(request: PageRequest) -> GuidelineForm:
    current = request.membership.project.guideline
    initial = {"text": current.text, "base": current.version} if current else {"text": "", "base": 0}
    return GuidelineForm(initial=initial)


def _changes(request: PageRequest, shown: Guideline | None) -> dict[str, Any]:
    """What changed since the version that `from` names, or that this member read last."""
    if shown is None:
        return {}
    since, read_before = request.GET.get("from", ""), request.membership.guideline_read
    is_news = not since and 0 < read_before < shown.version
    before = _version(request, str(read_before) if is_news else since) if is_news or since else None
    if before is None:
        return {}
    return {"since": before, "is_news": is_news, "difference": line_diff(before.text, shown.text)}


def _history(request: PageRequest) -> dict[str, Any]:
    """All versions, without their texts."""
    rows = Guideline.objects.filter(project=request.membership.project).select_related("created_by")
    return {"versions": rows.defer("text"), "can_write": request.membership.is_at_least(Role.LEAD)}


def _version(request: PageRequest, wanted: str) -> Guideline | None:
    """The version that the address names, else the one in force; None while there is none."""
    project = request.membership.project
    if not wanted:
        return project.guideline
    found = Guideline.objects.filter(project=project, version=_number(wanted)).first()
    if found is None:
        raise errors.Missing("There is no such version of these guidelines.")
    return found


def _number(text: str) -> int:
    """A version as an address or a form names it; 0, which none has, for what is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
