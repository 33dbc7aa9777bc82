"""How far raters agree: the page of annotator/reports, the same as JSON and CSV, and the diagnosis table."""

import csv
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import render

from annotator import errors, reports
from annotator.middleware import PageRequest
from annotator.models import Project
from annotator.reports import diagnosis, flat
from annotator.views import agreement_report
from annotator.views.hours import Echo


def agreement(request: PageRequest, **_: object) -> HttpResponseBase:
    """`?by=` chooses the slice of the table; `?format=json` or `csv` gives all of them, and that one."""
    project, by = request.membership.project, request.GET.get("by") or "kind"
    written = request.GET.get("format", "")
    if written not in ("", "json", "csv"):
        raise errors.Invalid("Choose json or csv.", field="format")
    if not written:
        return render(request, "annotator/agreement.html", agreement_report.context(project, by))
    data = whole(project, by)
    if written == "json":
        return JsonResponse(data, json_dumps_params={"indent": 2})
    return _file(flat.table(data), f"{project.slug}-agreement.csv")


def whole(project: Project, by: str) -> dict[str, Any]:
    """The report, with the parts of a meta key under `meta` where `by` is one."""
    found = reports.current(project).data
    key = by.removeprefix(agreement_report.META)
    if key == by:
        return found
    if key not in found["meta_keys"]:
        raise errors.Invalid("There is no such slice of the report.", field="by")
    return found | {"meta": reports.current_by_meta(project, key)}


def diagnosis_file(request: PageRequest, **_: object) -> StreamingHttpResponse:
    """One row a step, one column a rater; `?text=yes` adds the steps themselves."""
    project = request.membership.project
    rows = diagnosis.table(project, text=request.GET.get("text") == "yes")
    return _file(rows, f"{project.slug}-steps.csv")


def _file(rows: Iterable[list[str]], name: str) -> StreamingHttpResponse:
    writer = csv.writer(Echo())
    lines = (str(writer.writerow(row)) for row in rows)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
