"""A lead's acts on many items: what changes, what is left alone and why, and what it costs."""

from collections.abc import Callable
from typing import Any

import pytest

from annotator import errors, queue
from annotator.actions import bulk_items as act
from annotator.actions import items as single
from annotator.actions import review
from annotator.actions.integrity import check_items
from annotator.models import Decision, Event, Item, Membership, Project, Role
from annotator.policies import Operator
from tests import factories
from tests.annotator.reviewed import claimed, submitted
from tests.annotator.test_queue import check_slots
from tests.crowd import crowd, plain_items

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> tuple[Project, list[Item], list[Membership]]:
    """Six items of label_steps, wanted by two; three reviewers."""
    project, people = crowd(3, overlap=2)
    return project, plain_items(project, 6), people


def ids(items: list[Item]) -> list[int]:
    return [item.pk for item in items]


def clean(project: Project) -> bool:
    check_slots(project)
    return not list(check_items(by=Operator(), project=project))


def do(action: Callable[..., act.Done], items: list[Item], **values: Any) -> act.Done:
    given = {"because": "Because.", **values}
    return action(by=Operator(), project=items[0].project, item_ids=ids(items), **given)


class TestWanted:
    def test_more_opens_items_again_also_for_those_who_have_passed_them(self, world: Any) -> None:
        project, items, (alice, bob, eve) = world
        for me in (alice, bob):
            submitted(me, items[0], "+++")
        queue.claim(by=eve)  # passes the first item, which is full
        review.skip(by=eve, assignment_id=queue.claim(by=eve).pk, reason="Mine.")
        done = do(act.set_wanted, items, n=3)
        assert done == act.Done(6, {})
        items[0].refresh_from_db()
        assert (items[0].wanted, items[0].open_slots, items[0].decision) == (3, 1, "incomplete")
        assert items[0].gold is None
        assert queue.claim(by=eve).item_id == items[0].pk
        assert clean(project)

    def test_fewer_decides_by_what_is_in(self, world: Any) -> None:
        project, items, (alice, bob, _eve) = world
        Item.objects.update(wanted=3, open_slots=3)
        submitted(alice, items[0], "+++")
        submitted(alice, items[1], "++-")
        submitted(bob, items[1], "+-.")
        do(act.set_wanted, items, n=1)
        found = list(Item.objects.order_by("id").values_list("decision", "wanted", "open_slots")[:3])
        assert found == [("agreed", 1, 0), ("conflicted", 1, 0), ("incomplete", 1, 1)]
        assert clean(project)

    def test_slots_in_use_stay_and_one_given_back_opens_no_slot_too_many(self, world: Any) -> None:
        project, items, (alice, bob, eve) = world
        mine, theirs = claimed(alice, items[0]), claimed(bob, items[0])
        do(act.set_wanted, items[:1], n=1)
        assert clean(project)
        review.skip(by=bob, assignment_id=theirs.pk, reason="Mine.")
        assert clean(project)
        assert queue.claim(by=eve).item_id != items[0].pk
        review.submit(by=alice, assignment_id=mine.pk, data={"labels": "+++"})
        items[0].refresh_from_db()
        assert (items[0].decision, items[0].open_slots) == ("agreed", 0)
        assert clean(project)

    def test_settled_and_retired_items_are_left_alone_and_counted(self, world: Any) -> None:
        _, items, _ = world
        Item.objects.filter(pk=items[0].pk).update(decision=Decision.SETTLED)
        Item.objects.filter(pk=items[1].pk).update(retired=True, held=True)
        Item.objects.filter(pk=items[2].pk).update(wanted=4, open_slots=4)
        done = do(act.set_wanted, items, n=4)
        assert done == act.Done(3, {"are settled": 1, "are retired": 1, "wanted that many already": 1})
        assert do(act.set_wanted, items, n=4).n == 0

    @pytest.mark.parametrize("n", [0, -1, 21])
    def test_a_number_out_of_range_is_refused(self, world: Any, n: int) -> None:
        with pytest.raises(errors.Invalid) as refused:
            do(act.set_wanted, world[1], n=n)
        assert refused.value.field == "n"
        assert set(Item.objects.values_list("wanted", flat=True)) == {2}

    def test_a_single_item(self, world: Any) -> None:
        project, items, _ = world
        assert (
            single.set_wanted(by=Operator(), project=project, item_id=items[3].pk, n=5, because="!").wanted
            == 5
        )
        assert single.set_priority(by=Operator(), project=project, item_id=items[3].pk, n=7).priority == 7
        assert Event.objects.filter(item=items[3]).count() == 2


class TestPriority:
    def test_a_raise_is_seen_by_those_who_have_passed_the_item(self, world: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr(queue, "ITEMS_PER_MARK", 1)
        _, items, (alice, *_) = world
        for _ in range(4):
            review.skip(by=alice, assignment_id=queue.claim(by=alice).pk, reason="Mine.")
        extra = plain_items(items[0].project, 1)[0]
        do(act.set_priority, [extra], n=3)
        assert queue.claim(by=alice).item_id == extra.pk

    def test_only_raise(self, world: Any) -> None:
        _, items, _ = world
        do(act.set_priority, items[:2], n=9)
        done = do(act.set_priority, items[1:3], n=5, at_least=True)
        assert done == act.Done(1, {"had a higher one": 1})
        assert list(Item.objects.order_by("id").values_list("priority", flat=True)[:4]) == [9, 9, 5, 0]

    def test_an_absurd_one_is_refused(self, world: Any) -> None:
        with pytest.raises(errors.Invalid, match="whole number"):
            do(act.set_priority, world[1], n=10**12)


class TestHold:
    def test_hold_release_retire(self, world: Any) -> None:
        _project, items, (alice, *_) = world
        assert do(act.hold_items, items[:2]).n == 2
        assert do(act.retire_items, items[1:3], because="No figure.") == act.Done(2, {})
        held = Item.objects.order_by("id").values_list("held", "retired", "held_because")[:3]
        assert list(held) == [
            (True, False, "Because."),
            (True, True, "No figure."),
            (True, True, "No figure."),
        ]
        assert queue.claim(by=alice).item_id == items[3].pk
        assert do(act.release_items, items) == act.Done(3, {"were not held": 3})
        assert not Item.objects.filter(held=True).exists()
        assert not Item.objects.filter(retired=True).exists()

    def test_what_is_held_already_keeps_its_reason(self, world: Any) -> None:
        _, items, _ = world
        do(act.hold_items, items[:1], because="First.")
        assert do(act.hold_items, items[:1], because="Second.") == act.Done(0, {"were held already": 1})
        assert Item.objects.get(pk=items[0].pk).held_because == "First."

    @pytest.mark.parametrize("action", [act.hold_items, act.release_items, act.retire_items])
    def test_it_wants_a_reason(self, world: Any, action: Any) -> None:
        with pytest.raises(errors.Incomplete, match="Say why"):
            do(action, world[1], because=" ")


class TestRecord:
    def test_one_event_says_it_of_all_and_each_item_has_its_own(self, world: Any) -> None:
        project, items, _ = world
        do(act.hold_items, items, chosen="Finding: No-op")
        (whole,) = Event.objects.filter(verb="bulk", item=None)
        assert whole.data == {
            "do": "hold", "n_items": 6, "skipped": {}, "because": "Because.", "chosen": "Finding: No-op",
        }  # fmt: skip
        of_items = Event.objects.filter(verb="hold", project=project).order_by("item")
        assert list(of_items.values_list("item", flat=True)) == ids(items)
        assert of_items[0].data == {"because": "Because."}

    def test_what_changes_nothing_leaves_no_event(self, world: Any) -> None:
        do(act.release_items, world[1])
        assert not Event.objects.exists()

    def test_it_is_for_leads_of_the_project(self, world: Any) -> None:
        project, items, (alice, *_) = world
        elsewhere = factories.member(factories.project(), role=Role.LEAD)
        with pytest.raises(errors.Forbidden):
            act.hold_items(by=alice, project=project, item_ids=ids(items), because="?")
        with pytest.raises(errors.Missing):
            act.hold_items(by=elsewhere, project=project, item_ids=ids(items), because="?")
        done = act.hold_items(by=elsewhere, project=elsewhere.project, item_ids=ids(items), because="?")
        assert done == act.Done(0, {"are not there": 6})
        assert not Item.objects.filter(held=True).exists()

    def test_queries_grow_with_batches_only(self, world: Any, django_assert_num_queries: Any) -> None:
        project, items, _ = world
        more = [*items, *plain_items(project, 94)]
        with django_assert_num_queries(9):
            do(act.set_wanted, items, n=3)
        with django_assert_num_queries(9):
            do(act.set_wanted, more, n=4)
