"""Exports, for leads: what would go out, ask for it, watch, fetch."""

from django.contrib import messages
from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.actions import export_options, export_rows
from annotator.actions import exports as acts
from annotator.caching import self_tuned
from annotator.forms import refusals_in
from annotator.middleware import PageRequest
from annotator.models import Export, Project
from annotator.views import export_texts, paging
from annotator.views.export_forms import ExportForm, first_chosen
from annotator.views.files import download
from annotator.views.imports import LOOKS


def exports(request: PageRequest, project: str) -> HttpResponse:
    me = request.membership
    form = ExportForm(request.POST if request.method == "POST" else request.GET or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            row = acts.start_export(by=me, project=me.project, **form.asked())
            return redirect("export", project, row.pk)
    page = paging.page(request, Export.objects.filter(project=me.project), newest_first=True)
    chosen = first_chosen(form)
    context = {
        "form": form,
        "project": me.project,
        "page": page,
        "rows": [(row, LOOKS.get(row.state, "mid")) for row in page.rows],
        "choices": _choices(me.project, form),
        "meanings": export_texts.meanings(chosen) if chosen else [],
        "example": export_texts.example(chosen) if chosen else [],
        "cannot": not chosen,
    }
    # htmx shows no refusal but what stands in the page's own part, so that part comes as a success.
    is_refused = form.errors and "HX-Request" not in request.headers
    return render(request, "annotator/exports.html", context, status=400 if is_refused else 200)


def _choices(project: Project, form: ExportForm) -> list[export_rows.Choice]:
    """What can be exported, counted for as many reviewers as the form asks for."""
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    least = asked.get("min_raters", 1)
    return self_tuned(f"choices:{project.pk}:{least}", lambda: export_rows.choices(project, least))


def export_page(request: PageRequest, project: str, transfer: int) -> HttpResponse:
    row = _find(request, transfer)
    if request.method == "POST":
        try:
            acts.resume_export(by=request.membership, row=row)
        except errors.Conflict as error:
            messages.error(request, error.message)
        return redirect("export", project, transfer)
    resumable = acts.can_resume(row)
    context = {
        "row": row,
        "project": row.project,
        "look": LOOKS.get(row.state, "mid"),
        "left_out": row.report.get("left_out", {}),
        "can_resume": resumable,
        "is_polled": row.is_running and not resumable,
        "meanings": export_texts.meanings(
            export_options.choose(acts.format_written(row.format), row.options)
        ),
    }
    return render(request, "annotator/export.html", context)


def export_file(request: PageRequest, project: str, transfer: int) -> FileResponse:
    row = _find(request, transfer)
    return download(acts.file_of(row), acts.download_name(row))


def _find(request: PageRequest, transfer: int) -> Export:
    rows = Export.objects.select_related("project", "created_by")
    found = rows.filter(project=request.membership.project, pk=transfer).first()
    if found is None:
        raise errors.Missing("There is no such export in this project.")
    return found
