"""A lead's writes about an item: hold and release it, and the mark that looking at others' labels leaves."""

from django.db import transaction
from django.utils import timezone

from annotator import errors, policies, queue
from annotator.actions.record import record
from annotator.models import Assignment, AssignmentState, Event, Item, Membership, Project, Role
from annotator.models.review import OPEN_STATES
from annotator.policies import Actor

MAX_REASON = 300


@transaction.atomic
def hold(*, by: Actor, project: Project, item_id: int, because: str) -> Item:
    """Keep an item out of the queue until somebody releases it. Work already begun on it goes on."""
    item = _lock(by, project, item_id)
    reason = _reason(because, "hold")
    if item.held:
        return item
    item.held, item.held_because = True, reason
    item.save(update_fields=["held", "held_because"])
    record(by, "hold", project, item=item, because=reason)
    return item


@transaction.atomic
def release(*, by: Actor, project: Project, item_id: int, because: str) -> Item:
    """Put a held item back into the queue, also for reviewers whose place in it has passed the item."""
    item = _lock(by, project, item_id)
    reason = _reason(because, "release")
    if not item.held:
        return item
    item.held, item.held_because = False, ""
    item.save(update_fields=["held", "held_because"])
    queue.reopen([item.pk], timezone.now())
    record(by, "release", project, item=item, because=reason)
    return item


def look(*, by: Membership, item: Item) -> None:
    """Whoever is about to see others' labels of an item gets no slot on it from now on.

    Raises Conflict for somebody who holds the item: their own judgement comes first. The first look at an
    item by each person is in its history, so that a later change of their own labels can be judged.
    """
    if _looked(by, item):
        return
    with transaction.atomic():
        Membership.objects.select_for_update(no_key=True).get(pk=by.pk)
        mine, _ = Assignment.objects.select_for_update(no_key=True, of=("self",)).get_or_create(
            item=item, rater_id=by.rater_id,
            defaults={"project_id": by.project_id, "state": AssignmentState.BARRED},
        )  # fmt: skip
        _check_not_reviewing(mine)
        if mine.state == AssignmentState.EXPIRED:
            mine.state = AssignmentState.BARRED
            mine.save(update_fields=["state"])
        record(by, "look", by.project, item=item)


def _looked(by: Membership, item: Item) -> bool:
    """Whether this look changes nothing; one query, since an item page is opened more often than first."""
    mine = Assignment.objects.filter(item=item, rater_id=by.rater_id).values_list("state", flat=True).first()
    if mine is None or mine == AssignmentState.EXPIRED or mine in OPEN_STATES:
        return False
    return Event.objects.filter(item=item, actor=by.user, verb="look").exists()


def _check_not_reviewing(mine: Assignment) -> None:
    if mine.state in OPEN_STATES:
        raise errors.Conflict("You are reviewing this item yourself: submit or skip it first, then look.")


def _lock(by: Actor, project: Project, item_id: int) -> Item:
    policies.check_at_least(by, Role.LEAD, project)
    item = queue.lock_items([item_id]).filter(project=project).first()
    if item is None:
        raise errors.Missing("There is no such item.")
    return item


def _reason(because: str, verb: str) -> str:
    if not because.strip():
        raise errors.Incomplete(
            f"Say why you {verb} it: whoever reads this later wants to know.", field="because"
        )
    return because.strip()[:MAX_REASON]
