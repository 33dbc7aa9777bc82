"""Items sent to one more review, first in the queue, and taken back from it."""

import pytest

from annotator import errors, queue
from annotator.actions import bulk_items, second_look
from annotator.models import Decision, Event, Item, Membership, Project, Role
from tests import factories
from tests.annotator.reviewed import submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> tuple[Project, Membership, Item, Item]:
    """One reviewer an item; the first is decided, the second waits."""
    project = factories.project(overlap=1)
    done, waiting = factories.injected_item(project, 0), factories.injected_item(project, 1)
    submitted(factories.member(project), done, "++--+++")
    done.refresh_from_db()
    assert done.decision == Decision.AGREED
    return project, factories.member(project, role=Role.LEAD), done, waiting


def send(lead: Membership, *items: Item) -> bulk_items.Done:
    ids = [item.pk for item in items]
    return second_look.send_to_review(
        by=lead, project=lead.project, item_ids=ids, because="The model misses it."
    )


def test_a_decided_item_wants_one_more_and_comes_first(world: tuple[Project, Membership, Item, Item]) -> None:
    project, lead, done, waiting = world
    gold = done.gold
    assert send(lead, done) == (1, {})
    done.refresh_from_db()
    assert (done.wanted, done.open_slots, done.decision, done.gold) == (2, 1, Decision.INCOMPLETE, None)
    assert done.priority > waiting.priority
    other = factories.member(project)
    claimed = queue.claim(by=other)
    assert claimed is not None
    assert claimed.item_id == done.pk
    assert gold is not None
    event = Event.objects.get(item=done, verb="send_to_review")
    assert event.data["because"] == "The model misses it."


def test_what_waits_moves_to_the_front_and_stays_there(world: tuple[Project, Membership, Item, Item]) -> None:
    _, lead, done, waiting = world
    send(lead, done)
    assert send(lead, waiting).n == 1
    waiting.refresh_from_db()
    assert (waiting.wanted, waiting.open_slots) == (1, 1)
    assert send(lead, waiting) == (0, {"were sent already, and wait": 1})


def test_taking_back_restores_the_decision(world: tuple[Project, Membership, Item, Item]) -> None:
    project, lead, done, waiting = world
    send(lead, done, waiting)
    assert second_look.sent_ids(project, [done.pk, waiting.pk]) == {done.pk, waiting.pk}
    ids = [done.pk, waiting.pk]
    assert second_look.take_back(by=lead, project=project, item_ids=ids) == (2, {})
    for item in (done, waiting):
        was = {name: getattr(item, name) for name in ("wanted", "open_slots", "priority", "decision", "gold")}
        item.refresh_from_db()
        assert {name: getattr(item, name) for name in was} == was
    assert second_look.sent_ids(project, ids) == set()
    again = second_look.take_back(by=lead, project=project, item_ids=ids)
    assert again == (0, {"were not sent": 2})


def test_what_was_taken_up_is_not_taken_back(world: tuple[Project, Membership, Item, Item]) -> None:
    project, lead, done, _ = world
    send(lead, done)
    queue.claim(by=factories.member(project))
    back = second_look.take_back(by=lead, project=project, item_ids=[done.pk])
    assert back == (0, {"have been taken up or changed since": 1})
    assert send(lead, done) == (0, {"are in a reviewer's hands": 1})


def test_held_items_stay_and_say_so(world: tuple[Project, Membership, Item, Item]) -> None:
    project, lead, done, _ = world
    bulk_items.hold_items(by=lead, project=project, item_ids=[done.pk], because="Wait.")
    assert send(lead, done) == (0, {"are held": 1})


def test_a_reviewer_may_not_and_a_reason_is_asked(world: tuple[Project, Membership, Item, Item]) -> None:
    project, lead, done, _ = world
    with pytest.raises(errors.Forbidden):
        send(factories.member(project), done)
    with pytest.raises(errors.Incomplete):
        second_look.send_to_review(by=lead, project=project, item_ids=[done.pk], because=" ")
