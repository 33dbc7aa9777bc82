"""Practice: a lead sees an item as its reviewers do. Nothing is kept but that they have seen what is revealed."""

import random
from typing import Any

from django.contrib import messages
from django.db.models import Max, Min
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from annotator import errors
from annotator.actions import items as item_acts
from annotator.actions import review as acts
from annotator.core.judgement import ENDS_EARLY, BadJudgement, label_following
from annotator.middleware import PageRequest
from annotator.models import Assignment, AssignmentState, Decision, Item, Membership, Project, Protocol, Use
from annotator.views import review_form, review_page

# A decided item first: to see what is revealed of it costs nobody a slot.
ORDER = (Decision.AGREED, Decision.SETTLED, Decision.CONFLICTED, Decision.INCOMPLETE)
STATES = {"blind": AssignmentState.CLAIMED, "revealed": AssignmentState.COMMITTED}
ASKED = "A question goes nowhere in practice. In a review the leads would read it."


def practice(request: PageRequest, project: str) -> HttpResponse:
    by, wanted = request.membership, request.GET.get("item", "")
    if not wanted:
        found = _any_item(by.project)
        if found is None:
            messages.info(request, "There is nothing to practise on yet: import solutions first.")
            return redirect("project", project)
        return redirect(f"{reverse('practice', args=[project])}?item={found}")
    held = _assignment(by, wanted, request.POST.get("practice", "blind"))
    return _show(request, held) if request.method != "POST" else _post(request, held)


def _post(request: PageRequest, held: Assignment) -> HttpResponse:
    """The page that would come next; or this one, with what was entered and why it was refused."""
    do = request.POST.get("do", "")
    if do == "skip":
        return redirect("practice", request.membership.project.slug)
    if held.state == AssignmentState.COMMITTED:  # whatever page the form came from, it shows what is revealed
        item_acts.look(by=request.membership, item=held.item)
    error: errors.PlumblineError | None = None
    entered = review_form.read(request.POST, do if do in ENDS_EARLY else "")
    try:
        if "following" in request.POST:
            entered = _followed(request, held, entered)
        elif do == "ask":
            messages.info(request, ASKED)
        elif do != "save":
            _go_on(request.membership, held, entered)
    except (errors.Invalid, errors.Conflict) as refused:
        error = refused
    return _show(request, held, entered, error)


def _go_on(by: Membership, held: Assignment, entered: dict[str, Any]) -> None:
    """From blind to what is revealed, from there to the end. Who saw what is revealed gets no slot."""
    acts.check(assignment=held, data=entered)
    reveals = Protocol(held.item.protocol).reveals
    if reveals:
        item_acts.look(by=by, item=held.item)
    is_over = held.state == AssignmentState.COMMITTED or entered["finish_reason"] in ENDS_EARLY
    held.state = AssignmentState.SUBMITTED if is_over or not reveals else AssignmentState.COMMITTED
    held.draft = entered


def _followed(request: PageRequest, held: Assignment, entered: dict[str, Any]) -> dict[str, Any]:
    position = request.POST["following"]
    if not position.isdecimal() or len(position) > 4:
        raise errors.Invalid("following: must be a step.", field="following")
    try:
        return label_following(entered, int(position), acts.stops_at_first_error(held))
    except BadJudgement as error:
        raise errors.Invalid(error.message, field=error.field) from None


def _show(
    request: PageRequest,
    held: Assignment,
    entered: dict[str, Any] | None = None,
    error: errors.PlumblineError | None = None,
) -> HttpResponse:
    page = review_page.build(held, request.membership, entered, error)
    context = {"page": page, "costs_slot": _costs_slot(request.membership, held)}
    return render(request, "annotator/practice.html", context, status=error.status if error else 200)


def _costs_slot(by: Membership, held: Assignment) -> bool:
    """Whether going on would keep this lead from reviewing the item."""
    item = held.item
    if held.state != AssignmentState.CLAIMED or not Protocol(item.protocol).reveals or not item.open_slots:
        return False
    mine = Assignment.objects.filter(item=item, rater=by.rater_id)
    return not mine.exclude(state=AssignmentState.EXPIRED).exists()


def _assignment(by: Membership, wanted: str, phase: str) -> Assignment:
    """As if this lead held the item; never saved."""
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 else 0
    rows = Item.objects.select_related("solution__problem", "solution__parent__problem")
    item = rows.filter(project=by.project_id, pk=number).first()
    if item is None or phase not in STATES:
        raise errors.Missing("There is no such item in this project.")
    return Assignment(
        item=item, project=by.project, rater_id=by.rater_id, state=STATES[phase], purpose=Use.DEMONSTRATION
    )


def _any_item(project: Project) -> int | None:
    """One at random, at the same cost however many there are."""
    for decision in ORDER:
        rows = Item.objects.filter(
            project=project, decision=decision, retired=False, solution__problem__taken_down_at__isnull=True
        )
        ends = Item.objects.filter(project=project, decision=decision).aggregate(
            first=Min("id"), last=Max("id")
        )
        if ends["first"] is None:
            continue
        start = random.randint(ends["first"], ends["last"])  # noqa: S311, any item will do
        ids = rows.order_by("id").values_list("id", flat=True)
        found = ids.filter(id__gte=start).first() or ids.first()
        if found is not None:
            return found
    return None
