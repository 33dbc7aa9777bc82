"""Imports, for leads: upload, watch the check, read its errors, write or remove."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.actions import imports as acts
from annotator.actions.import_map import can_map
from annotator.actions.import_report import Report
from annotator.actions.transfers import awaits_map
from annotator.core.findings import CODES, Code, explained
from annotator.forms import refusals_in
from annotator.middleware import PageRequest
from annotator.models import Import, ImportKind, TransferState
from annotator.views import labels_in, paging, words
from annotator.views.transfer_forms import ImportForm

STEPS = {"write": acts.write_good, "resume": acts.resume_import, "remove": acts.remove_import}
LOOKS: dict[str, str] = {
    TransferState.COMPLETE: "ok",
    TransferState.FAILED: "no",
    TransferState.REMOVED: "",
    TransferState.CHECKED: "accent",
}


def imports(request: PageRequest, project: str) -> HttpResponse:
    me = request.membership
    form = ImportForm(request.POST or None, request.FILES or None, project=me.project)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            row = acts.start_upload(by=me, project=me.project, **form.cleaned_data)
            return redirect("import-map" if awaits_map(row) else "import", project, row.pk)
    page = paging.page(request, Import.objects.filter(project=me.project), newest_first=True)
    rows = [(row, look(row)) for row in page.rows]
    context = {"form": form, "project": me.project, "page": page, "rows": rows}
    return render(request, "annotator/imports.html", context, status=400 if form.errors else 200)


def import_page(request: PageRequest, project: str, transfer: int) -> HttpResponse:
    row = find_import(request, transfer)
    if request.method == "POST":
        return _step(request, row)
    if row.kind == ImportKind.ANNOTATIONS:
        return render(request, "annotator/import_judgements.html", _context(row) | labels_in.found_in(row))
    return render(request, "annotator/import.html", _context(row))


def find_import(request: PageRequest, transfer: int) -> Import:
    """The import by its number. Raises Missing where it is not of the membership's project."""
    row = (
        Import.objects.select_related("project", "created_by")
        .filter(project=request.membership.project, pk=transfer)
        .first()
    )
    if row is None:
        raise errors.Missing("There is no such import in this project.")
    return row


def _step(request: PageRequest, row: Import) -> HttpResponse:
    step = STEPS.get(request.POST.get("do", ""))
    if step is None:
        raise errors.Invalid("Write, resume or remove it.", field="do")
    try:
        step(by=request.membership, row=row)
    except errors.Conflict as error:
        messages.error(request, error.message)
    return redirect("import", row.project.slug, row.pk)


def _context(row: Import) -> dict[str, object]:
    report = Report.from_json(row.report)
    return {
        "row": row,
        "project": row.project,
        "report": report,
        "look": look(row),
        "kinds": [(words.kind_title(kind), report.kinds[kind]) for kind in sorted(report.kinds)],
        "findings": _found(report.findings or {}),
        "no_findings": report.findings == {},
        "n_hidden": report.n_bad - len(report.errors),
        "can_write": row.state == TransferState.CHECKED,
        "can_resume": acts.can_resume(row),
        "can_remove": acts.can_remove(row),
        "can_map": can_map(row),
        "awaits_map": awaits_map(row),
        "is_polled": row.is_running and not acts.can_resume(row) and not awaits_map(row),
    }


def _found(counts: dict[str, dict[str, int]]) -> list[tuple[str, Code, dict[str, int]]]:
    """What checks found, in the order of the checks."""
    codes = [*(code for code in CODES if code in counts), *sorted(set(counts) - set(CODES))]
    return [(code, explained(code), counts[code]) for code in codes]


def look(row: Import) -> str:
    """The colour of a state's tag."""
    return LOOKS.get(row.state, "mid")
