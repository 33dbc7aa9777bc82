"""The API asks the same matrix as the pages (annotator/policies.py)."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from annotator import policies


class DeclaredAccess(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises the refusal itself (api/errors.py answers it); sets `request.membership` where there is one."""
        match: Any = request.resolver_match
        membership = policies.authorise(match.view_name, request.method or "GET", request.user, view.kwargs)
        request.membership = membership  # type: ignore[attr-defined]
        return True
