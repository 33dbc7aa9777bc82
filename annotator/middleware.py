"""Access before every page, and errors to HTTP after it: each in one place. The API has its own (api/)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url

from annotator import errors, policies
from annotator.models import Membership, User


class PageRequest(HttpRequest):
    """What a project's page receives: AccessMiddleware has set these."""

    user: User
    membership: Membership
    htmx: Any


class AccessMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.view_name.startswith("api:"):
            return None  # DRF authenticates tokens after us: api/permissions.py asks the same matrix
        try:
            membership = policies.authorise(match.view_name, request.method or "GET", request.user, kwargs)
        except errors.PlumblineError as error:
            return self.process_exception(request, error)
        if membership is not None:
            request.membership = membership  # type: ignore[attr-defined]
        if "%00" in request.META.get("QUERY_STRING", ""):  # no database of ours can look for it
            return self.process_exception(
                request, errors.Invalid("An address cannot hold the character NUL.")
            )
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, errors.PlumblineError):
            return None
        if isinstance(error, errors.SignInNeeded):
            return HttpResponseRedirect(
                f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': _back(request)})}"
            )
        return render(request, "annotator/error.html", {"error": error}, status=error.status)


def _back(request: HttpRequest) -> str:
    """Where to go on after signing in: here, or home if here only takes a POST."""
    match = request.resolver_match
    shows = match is not None and "GET" in policies.ACCESS.get(match.view_name, {})
    return request.get_full_path() if shows else resolve_url(settings.LOGIN_REDIRECT_URL)
