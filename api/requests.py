"""What api/permissions.py has put on a request of a project."""

from rest_framework.request import Request

from annotator.models import Membership


def member(request: Request) -> Membership:
    found: Membership = request.membership  # type: ignore[attr-defined]
    return found
