"""Exports over HTTP, for leads: ask, watch, fetch."""

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import errors
from annotator.actions import exports as acts
from annotator.actions.export_options import NAMES
from annotator.models import Export
from annotator.views.files import download
from api import serializers as shapes
from api.requests import member
from api.views.review import REFUSED, body_of

NEWEST = 100


@extend_schema(
    methods=["GET"], operation_id="projects_exports_list", responses=shapes.ExportSerializer(many=True)
)
@extend_schema(
    methods=["POST"], operation_id="projects_exports_create", request=shapes.NewExportSerializer,
    responses={202: shapes.ExportSerializer, 400: REFUSED},
)  # fmt: skip
@api_view(["GET", "POST"])
def exports(request: Request, project: str) -> Response:
    """The newest exports, or a new one, written by the worker."""
    if request.method == "POST":
        return Response(shapes.ExportSerializer(_start(request)).data, status=202)
    rows = Export.objects.filter(project=member(request).project)[:NEWEST]
    return Response(shapes.ExportSerializer(rows, many=True).data)


def _start(request: Request) -> Export:
    asked = shapes.NewExportSerializer(data=body_of(request))
    asked.is_valid(raise_exception=True)
    named = dict(asked.validated_data)
    options = {name: named.pop(name) for name in NAMES if name in named}
    return acts.start_export(by=member(request), project=member(request).project, options=options, **named)


@extend_schema(responses=shapes.ExportSerializer)
@api_view(["GET"])
def export(request: Request, project: str, transfer: int) -> Response:
    """How far an export is; `state` is complete when its file can be fetched."""
    return Response(shapes.ExportSerializer(_find(request, transfer)).data)


@extend_schema(responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, 409: REFUSED})
@api_view(["GET"])
def export_file(request: Request, project: str, transfer: int) -> FileResponse:
    """The file of a complete export."""
    row = _find(request, transfer)
    return download(acts.file_of(row), acts.download_name(row))


def _find(request: Request, transfer: int) -> Export:
    found = Export.objects.filter(project=member(request).project, pk=transfer).first()
    if found is None:
        raise errors.Missing("There is no such export in this project.")
    return found
