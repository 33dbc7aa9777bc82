"""A lead's writes about one item, and the mark that looking at others' labels leaves."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from annotator import errors, policies
from annotator.actions import bulk_items
from annotator.actions.bulk_items import Done
from annotator.actions.record import record
from annotator.models import Assignment, AssignmentState, Event, Item, Membership, Project, Role
from annotator.models.review import OPEN_STATES
from annotator.policies import Actor


def hold(*, by: Actor, project: Project, item_id: int, because: str) -> Item:
    """Keep an item out of the queue until somebody releases it. Work already begun on it goes on."""
    return _one(bulk_items.hold_items, by, project, item_id, because=because)


def release(*, by: Actor, project: Project, item_id: int, because: str) -> Item:
    """Put a held or retired item back into the queue, also for reviewers whose place in it has passed the item."""
    return _one(bulk_items.release_items, by, project, item_id, because=because)


def retire(*, by: Actor, project: Project, item_id: int, because: str) -> Item:
    """Take an item out of the project's work; a release brings it in again."""
    return _one(bulk_items.retire_items, by, project, item_id, because=because)


def set_wanted(*, by: Actor, project: Project, item_id: int, n: int, because: str) -> Item:
    """Want `n` reviewers of an item."""
    return _one(bulk_items.set_wanted, by, project, item_id, n=n, because=because)


def set_priority(*, by: Actor, project: Project, item_id: int, n: int, because: str = "") -> Item:
    """Give an item another place in the queue: the higher, the earlier."""
    return _one(bulk_items.set_priority, by, project, item_id, n=n, because=because)


def _one(do: Callable[..., Done], by: Actor, project: Project, item_id: int, **values: Any) -> Item:
    """Do to one item what is done to many; one that was so already stays as it is. Raises Missing."""
    policies.check_at_least(by, Role.LEAD, project)
    item = Item.objects.filter(project=project, pk=item_id).first()
    if item is None:
        raise errors.Missing("There is no such item.")
    do(by=by, project=project, item_ids=[item_id], **values)
    item.refresh_from_db()
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
