"""A lead gives items to a reviewer, and takes work back from one."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from annotator import errors, policies, queue
from annotator.actions.bulk_items import Batch, Done, act, reason_for
from annotator.actions.decide import decide_item
from annotator.actions.record import record
from annotator.actions.texts import worded
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Item,
    Membership,
    Phase,
    Project,
    Role,
    Use,
)
from annotator.models.review import OPEN_STATES
from annotator.policies import Actor

MOST_ASSIGNED = 1_000  # open ones of one reviewer, so that a claim stays cheap
HAD = {
    AssignmentState.CLAIMED: "are with them already",
    AssignmentState.COMMITTED: "are with them already",
    AssignmentState.SUBMITTED: "have been submitted by them",
    AssignmentState.SKIPPED: "have been skipped by them",
    AssignmentState.BARRED: "cannot be theirs: they have seen the labels",
    AssignmentState.EXPIRED: "have been judged by them in an exam",  # with `reopened`; other claims come back
}
FULL = f"are more than the {MOST_ASSIGNED:,} that one person can have waiting"


def assign(
    *,
    by: Actor,
    project: Project,
    item_ids: Sequence[int],
    to: Membership,
    because: str = "",
    chosen: str = "",
) -> Done:
    """Give each item to one reviewer, who gets these before others and has no lease on them. A slot of each is
    used; items without a free one, and those the reviewer has had, are left alone."""
    if to.project_id != project.pk:
        raise errors.Missing("This person is not in the project.", field="reviewer")
    if to.paused_at:
        raise errors.Conflict(f"{to.user} is paused: resume them first, or choose somebody else.", field="to")

    def change(batch: Batch) -> None:
        batch.skip("are retired", lambda item: item.retired)
        batch.skip("are held", lambda item: item.held)
        had = _had(to, batch.ids)
        for state, why in HAD.items():
            batch.skip_ids(why, [pk for pk, theirs in had.items() if theirs == state])
        batch.skip("have no open slot", lambda item: item.open_slots == 0)
        batch.skip_ids(FULL, batch.ids[_room(to) :])
        _give(to, project, batch.items)

    data = {"to": to.user.get_username(), "because": worded(because, "because", 300), "chosen": chosen}
    return act(by, project, item_ids, "assign", change, data, before=lambda: queue.lock_membership(to))


def _had(to: Membership, item_ids: Sequence[int]) -> dict[int, str]:
    rows = Assignment.objects.filter(item__in=item_ids, rater=to.rater_id)
    return dict(rows.exclude(state=AssignmentState.EXPIRED, reopened=False).values_list("item", "state"))


def _room(to: Membership) -> int:
    mine = Assignment.objects.filter(project=to.project_id, rater=to.rater_id, state__in=OPEN_STATES)
    return max(0, MOST_ASSIGNED - mine.count())


def _give(to: Membership, project: Project, items: Sequence[Item]) -> None:
    """An expired claim of theirs comes to life again, draft and all."""
    rows = [
        Assignment(
            project=project, item=item, rater_id=to.rater_id, state=AssignmentState.CLAIMED, assigned=True
        )
        for item in items
    ]
    Assignment.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["item", "rater"],
        update_fields=["state", "assigned", "claimed_at", "lease_until", "purpose"],
    )  # fmt: skip
    queue.count_slots([item.pk for item in items])


def unassign(
    *,
    by: Actor,
    project: Project,
    item_ids: Sequence[int],
    of: Membership | None = None,
    because: str = "",
    chosen: str = "",
) -> Done:
    """Take back what was assigned (to `of`, or to anybody) and is not committed: slots go back, drafts stay as
    those of an expired claim do. What a reviewer works on at this moment is left alone."""

    def change(batch: Batch) -> None:
        rows = Assignment.objects.filter(
            item__in=batch.ids, state=AssignmentState.CLAIMED, assigned=True, reopened=False
        )
        if of:
            rows = rows.filter(rater=of.rater_id)
        # Assignments are locked before items elsewhere, so none is waited for here.
        free = list(rows.select_for_update(no_key=True, skip_locked=True, of=("self",)))
        _expire(rows.filter(pk__in=[row.pk for row in free]))
        given_back = {row.item_id for row in free}
        batch.skip_ids("were not assigned", set(batch.ids) - given_back)
        queue.count_slots(batch.ids)

    data = {
        "of": of.user.get_username() if of else "",
        "because": worded(because, "because", 300),
        "chosen": chosen,
    }
    return act(by, project, item_ids, "unassign", change, data)


def _expire(rows: QuerySet[Assignment], *, reopened: bool = False) -> None:
    rows.update(state=AssignmentState.EXPIRED, assigned=False, lease_until=None, reopened=reopened)


@transaction.atomic
def take_back(*, by: Actor, project: Project, assignment_id: int, because: str) -> Assignment:
    """Take one piece of work out of its reviewer's hands.

    A claim expires, with its draft, and its slot goes back. What was committed and never sent (a reveal that
    nobody answered, a submission taken back) is closed: it counts as submitted, with the last judgement that
    was stored as the last word, so that nothing is lost and the item can be decided. Raises Conflict for what
    nobody holds.

    A question of an exam expires in any state, to be asked again: closed, an earlier attempt's answer would count.
    """
    policies.check_at_least(by, Role.LEAD, project)
    reason = reason_for(because, "take it back")
    mine = _lock(project, assignment_id)
    item = queue.lock_items([mine.item_id]).get()
    is_claim = mine.state == AssignmentState.CLAIMED and not mine.reopened
    if is_claim or mine.purpose == Use.EXAM:
        # `reopened` says that it has been judged: then it is never given as work.
        _expire(Assignment.objects.filter(pk=mine.pk), reopened=not is_claim)
        queue.give_back([item.pk], timezone.now())
        verb = "take_back"
    else:
        close(mine, timezone.now())
        if mine.purpose == Use.WORK:
            decide_item(item)
        verb = "close"
    record(by, verb, project, item=item, of=mine.rater.name, because=reason)
    mine.refresh_from_db()
    return mine


def _lock(project: Project, assignment_id: int) -> Assignment:
    """An open assignment and, before it, whose it is: the order of queue.py."""
    rows = Assignment.objects.filter(pk=assignment_id, project=project, state__in=OPEN_STATES).order_by()
    holders = Membership.objects.filter(project=project, rater__in=rows.values("rater"))
    holders.select_for_update(no_key=True, of=("self",)).order_by().first()
    mine = rows.select_for_update(no_key=True, of=("self",)).first()
    if mine is None:
        raise errors.Conflict("Nobody holds that any more.")
    return mine


def close(mine: Assignment, now: datetime) -> None:
    """Count a locked assignment whose judgement is stored as submitted. The caller decides the item anew."""
    if not mine.reopened:
        said = Annotation.objects.filter(assignment=mine, phase=Phase.BLIND, superseded_at__isnull=True)
        took = said.aggregate(ms=Max("duration_ms"))["ms"] or 0
        member = Membership.objects.filter(project=mine.project_id, rater=mine.rater_id)
        member.update(n_submitted=F("n_submitted") + 1, active_ms=F("active_ms") + took)
        mine.submitted_at = now
    mine.state, mine.reopened = AssignmentState.SUBMITTED, False
    mine.save(update_fields=["state", "reopened", "submitted_at"])
