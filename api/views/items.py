"""Items and agreement, for leads."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from annotator import blinding, errors, reports
from annotator.actions import adjudicate as adjudicating
from annotator.actions import items as acts
from annotator.measured import reviewers as measured_reviewers
from annotator.models import Annotation, Decision, Item
from api import serializers as shapes
from api.requests import member
from api.views.review import REFUSED, body_of

PAGE = 100
MAX_DIGITS = 19  # fewer digits than this fit the id column
SETTLES_BY = ("labels", "error_types", "bulk", "cause", "reason", "seen")
FILTERS = {"decision": set(Decision.values), "held": {"true", "false"}}


@extend_schema(
    operation_id="projects_items_list",
    parameters=[
        OpenApiParameter("after", int, description="Items with a larger id."),
        OpenApiParameter("decision", str, enum=Decision.values),
        OpenApiParameter("error_type", str),
        OpenApiParameter("held", bool),
    ],
    responses=shapes.ItemPageSerializer,
)
@api_view(["GET"])
def items(request: Request, project: str) -> Response:
    """A page of items by id; filters are named, anything else is refused."""
    rows = Item.objects.filter(project=member(request).project, **_filters(request)).order_by("id")
    page = list(rows[: PAGE + 1])
    following = page[PAGE - 1].pk if len(page) > PAGE else None
    return Response(shapes.ItemPageSerializer({"items": page[:PAGE], "next_after": following}).data)


def _filters(request: Request) -> dict[str, object]:
    """Query parameters to ORM filters by an allow-list: no name from outside reaches the ORM."""
    chosen: dict[str, object] = {}
    for name, value in request.query_params.dict().items():
        if name == "after" and value.isdecimal() and len(value) < MAX_DIGITS:
            chosen["pk__gt"] = int(value)
        elif name == "error_type" and "\0" not in value:
            chosen["error_type"] = value
        elif name in FILTERS and value in FILTERS[name]:
            chosen[name] = value == "true" if name == "held" else value
        else:
            raise errors.Invalid(f"{name}: no such filter, or not such a value.", field=name)
    return chosen


@extend_schema(responses=shapes.ItemDetailSerializer)
@api_view(["GET"])
def item(request: Request, project: str, item: int) -> Response:
    """One item with everybody's annotations. Whoever looks gets no slot on it."""
    found = (
        Item.objects.select_related("solution__problem")
        .filter(project=member(request).project, pk=item)
        .first()
    )
    if found is None:
        raise errors.Missing("There is no such item in this project.")
    acts.look(by=member(request), item=found)
    rows = Annotation.objects.filter(solution=found.solution, superseded_at__isnull=True)
    found.annotations = rows.select_related("rater", "guideline").order_by("id")  # type: ignore[attr-defined]
    found.findings = blinding.findings(found.solution)  # type: ignore[attr-defined]
    found.adjudication = adjudicating.adjudication_of(found)  # type: ignore[attr-defined]
    found.seen = adjudicating.seen_version(found)  # type: ignore[attr-defined]
    return Response(shapes.ItemDetailSerializer(found).data)


@extend_schema(
    request=shapes.NewAdjudicationSerializer,
    responses={200: shapes.ItemSerializer, 400: REFUSED, 403: REFUSED, 409: REFUSED, 422: REFUSED},
)
@api_view(["POST"])
def adjudicate(request: Request, project: str, item: int) -> Response:
    """Settle an item whose reviewers differ. Their judgements stay beside yours."""
    sent, found = body_of(request), adjudicating.find(member(request), item)
    unknown = sorted(set(sent) - set(SETTLES_BY))
    if unknown:
        raise errors.Invalid(f"{unknown[0]}: is not a field of an adjudication.", field=unknown[0])
    cause, reason, seen = (str(sent.get(name) or "") for name in ("cause", "reason", "seen"))
    settled = adjudicating.settle(
        by=member(request), item_id=found.pk, labels=sent.get("labels"), error_types=sent.get("error_types"),
        bulk=sent.get("bulk") or [], cause=cause, reason=reason, seen=seen,
    )  # fmt: skip
    return Response(shapes.ItemSerializer(settled).data)


@extend_schema(
    request=shapes.ReopenDecisionSerializer,
    responses={200: shapes.ItemSerializer, 400: REFUSED, 409: REFUSED, 422: REFUSED},
)
@api_view(["POST"])
def reopen_decision(request: Request, project: str, item: int) -> Response:
    """Take an adjudication back: it is kept, and the reviewers' judgements decide again."""
    me, because = member(request), str(body_of(request).get("because") or "")
    reopened = adjudicating.reopen_decision(by=me, project=me.project, item_id=item, because=because)
    return Response(shapes.ItemSerializer(reopened).data)


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def agreement(request: Request, project: str) -> Response:
    """The same figures as the page and `manage.py agreement --json`; undefined is null with a reason."""
    return Response(reports.current(member(request).project).data)


@extend_schema(responses=OpenApiTypes.OBJECT)
@api_view(["GET"])
def reviewers(request: Request, project: str) -> Response:
    """How right reviewers are on probes: the same as `manage.py reviewers --json`."""
    return Response(measured_reviewers.current(member(request).project))
