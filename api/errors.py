"""Refusals to HTTP for the API, once: {"code", "message", "field"?, "positions"?}."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler

from annotator.errors import Incomplete, PlumblineError


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    if not isinstance(error, PlumblineError):
        return exception_handler(error, context)
    body: dict[str, Any] = {"code": error.code, "message": _written(error.message)}
    if error.field:
        body["field"] = _written(error.field)
    if isinstance(error, Incomplete) and error.positions:
        body["positions"] = error.positions
    return Response(body, status=error.status)


def _written(text: str) -> str:
    """A refusal may name what was sent, and half a surrogate pair has no UTF-8."""
    return text.encode(errors="backslashreplace").decode()
