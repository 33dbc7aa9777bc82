"""A reviewer's loop over HTTP: claim, draft, commit, reveal, submit. Each view is parse, one action, show."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import blinding, errors, policies, queue
from annotator.actions import review as acts
from annotator.actions.alternatives import alternatives_of
from annotator.models import Assignment, Membership
from api import serializers as shapes
from api.requests import member

REFUSED = OpenApiResponse(shapes.RefusalSerializer, "What is wrong, and where.")


def body_of(request: Request) -> Mapping[str, Any]:
    if not isinstance(request.data, Mapping):
        raise errors.Invalid("The body must be a JSON object.")
    return request.data


def _show(by: Membership, assignment: Assignment) -> dict[str, Any]:
    assignment.original = blinding.original(assignment)  # type: ignore[attr-defined]
    assignment.alternatives = alternatives_of(assignment)  # type: ignore[attr-defined]
    data = shapes.AssignmentSerializer(assignment).data
    return data if policies.sees_numbers(by) else {**data, "item": None}


@extend_schema(responses=shapes.ProjectSerializer(many=True))
@api_view(["GET"])
def projects(request: Request) -> Response:
    """The projects you are in."""
    mine = Membership.objects.filter(user=request.user.pk).select_related("project").order_by("project__name")
    return Response(shapes.ProjectSerializer(mine, many=True).data)


@extend_schema(request=None, responses={200: shapes.AssignmentSerializer, 204: None})
@api_view(["POST"])
def claim(request: Request, project: str) -> Response:
    """Your open assignment, else the next item; 204 when nothing is left for you."""
    claimed = queue.claim(by=member(request))
    if claimed is None:
        return Response(status=204)
    return Response(_show(member(request), acts.load(member(request), claimed.pk)))


@extend_schema(responses=shapes.AssignmentSerializer)
@api_view(["GET"])
def assignment(request: Request, project: str, assignment: int) -> Response:
    """What you may see of your assignment in its phase, with your draft."""
    return Response(_show(member(request), acts.load(member(request), assignment)))


@extend_schema(
    request=shapes.DraftSerializer, responses={200: shapes.StateSerializer, 409: REFUSED, 400: REFUSED}
)
@api_view(["PUT"])
def draft(request: Request, project: str, assignment: int) -> Response:
    """Save an unfinished judgement made from `version`; 409 if it was changed elsewhere meanwhile."""
    body = body_of(request)
    version, data = body.get("version"), body.get("draft")
    if isinstance(version, bool) or not isinstance(version, int):
        raise errors.Invalid("version: must be a whole number.", field="version")
    if not isinstance(data, Mapping):
        raise errors.Invalid("draft: must be a JSON object.", field="draft")
    saved = acts.save_draft(by=member(request), assignment_id=assignment, data=data, version=version)
    return Response(shapes.StateSerializer(saved).data)


@extend_schema(
    request=shapes.JudgementSerializer, responses={200: shapes.StateSerializer, 409: REFUSED, 422: REFUSED}
)
@api_view(["POST"])
def commit(request: Request, project: str, assignment: int) -> Response:
    """Your blind judgement. Sent again it changes nothing and answers the same."""
    done = acts.commit(by=member(request), assignment_id=assignment, data=body_of(request))
    return Response(shapes.StateSerializer(done).data)


@extend_schema(responses={200: shapes.RevealSerializer, 409: REFUSED})
@api_view(["GET"])
def reveal(request: Request, project: str, assignment: int) -> Response:
    """What machines said; only after your commit."""
    shown = blinding.reveal(acts.load(member(request), assignment))
    return Response(shapes.RevealSerializer(shown).data)


@extend_schema(
    request=shapes.SubmitSerializer, responses={200: shapes.SubmittedSerializer, 409: REFUSED, 422: REFUSED}
)
@api_view(["POST"])
def submit(request: Request, project: str, assignment: int) -> Response:
    """Your last word; with `claim_next` the next item is claimed at once. Sent again it changes nothing."""
    data = dict(body_of(request))
    claim_next = data.pop("claim_next", False)
    done = acts.submit(by=member(request), assignment_id=assignment, data=data)
    following = queue.claim(by=member(request)) if claim_next else None
    done.next = following.pk if following else None  # type: ignore[attr-defined]
    return Response(shapes.SubmittedSerializer(done).data)


@extend_schema(request=shapes.SkipSerializer, responses={200: shapes.StateSerializer, 409: REFUSED})
@api_view(["POST"])
def skip(request: Request, project: str, assignment: int) -> Response:
    """Give the item back with a reason."""
    reason = body_of(request).get("reason", "")
    if not isinstance(reason, str):
        raise errors.Invalid("reason: must be text.", field="reason")
    done = acts.skip(by=member(request), assignment_id=assignment, reason=reason)
    return Response(shapes.StateSerializer(done).data)


@extend_schema(request=None, responses={200: shapes.StateSerializer, 409: REFUSED})
@api_view(["POST"])
def reopen(request: Request, project: str, assignment: int) -> Response:
    """Take your own submission back while the item is undecided."""
    done = acts.reopen(by=member(request), assignment_id=assignment)
    return Response(shapes.StateSerializer(done).data)
