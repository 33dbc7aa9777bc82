"""The queue against a brute-force model: order, caps, and what comes back."""

import itertools
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotator import queue
from annotator.actions import review
from annotator.models import Assignment, AssignmentState, Item, Membership, Project
from tests.crowd import crowd, plain_items

pytestmark = pytest.mark.django_db

HOLDS = (AssignmentState.CLAIMED, AssignmentState.COMMITTED, AssignmentState.SUBMITTED)


def expected_item(me: Membership) -> Item | None:
    """What the rule says, with no index and no frontier: the first open item this reviewer has not had."""
    had = Assignment.objects.filter(rater=me.rater).exclude(state=AssignmentState.EXPIRED).values("item")
    rows = Item.objects.filter(project=me.project, open_slots__gt=0, held=False).exclude(pk__in=had)
    return rows.order_by("-priority", "id").first()


def check_slots(project: Project) -> None:
    """An item's open slots are what it wants less what is held; where fewer are wanted by now than hold it, none."""
    held = Counter(
        Assignment.objects.filter(project=project, state__in=HOLDS, surplus=False).values_list(
            "item", flat=True
        )
    )
    for item in Item.objects.filter(project=project):
        assert item.open_slots == max(0, item.wanted - held[item.pk]), item


def test_priority_then_age() -> None:
    project, (alice,) = crowd(1)
    items = plain_items(project, 4)
    Item.objects.filter(pk=items[2].pk).update(priority=5)
    order = []
    for _ in range(4):
        assignment = queue.claim(by=alice)
        order.append(assignment.item_id)
        review.skip(by=alice, assignment_id=assignment.pk, reason="next")
    assert order == [items[i].pk for i in (2, 0, 1, 3)]
    assert queue.claim(by=alice) is None


def test_a_reviewer_holds_one_item_at_a_time() -> None:
    project, (alice,) = crowd(1)
    plain_items(project, 3)
    first, second = queue.claim(by=alice), queue.claim(by=alice)
    assert first == second


def test_overlap_is_a_hard_cap() -> None:
    project, reviewers = crowd(3, overlap=2)
    plain_items(project, 1)
    assert [queue.claim(by=me) is not None for me in reviewers] == [True, True, False]


def test_an_expired_claim_goes_to_the_next_and_its_draft_stays() -> None:
    project, (alice, bob) = crowd(2, overlap=1)
    (item,) = plain_items(project, 1)
    mine = queue.claim(by=alice)
    review.save_draft(by=alice, assignment_id=mine.pk, data={"labels": "+.."}, version=0)
    Assignment.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert queue.claim(by=bob).item_id == item.pk
    mine.refresh_from_db()
    assert (mine.state, mine.draft["labels"]) == (AssignmentState.EXPIRED, "+..")


def test_expired_claims_come_back_while_there_is_other_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims follow each other faster than a process looks for expired ones; it looks all the same."""
    clock = itertools.count(1000, 0.3)
    monkeypatch.setattr(queue, "monotonic", lambda: next(clock))
    monkeypatch.setattr(queue, "_looked_at", {})
    project, (alice, bob) = crowd(2)
    items = plain_items(project, 12)
    queue.claim(by=alice)
    Assignment.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    done = []
    for _ in range(8):
        assignment = queue.claim(by=bob)
        done.append(assignment.item_id)
        review.submit(by=bob, assignment_id=assignment.pk, data={"labels": "+++"})
    assert items[0].pk in done


def test_late_work_is_kept_and_marked_surplus() -> None:
    project, (alice, bob) = crowd(2, overlap=1)
    plain_items(project, 1)
    mine = queue.claim(by=alice)
    Assignment.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    theirs = queue.claim(by=bob)
    review.submit(by=bob, assignment_id=theirs.pk, data={"labels": "+++"})
    late = review.submit(by=alice, assignment_id=mine.pk, data={"labels": "+-."})
    assert late.surplus
    item = Item.objects.get()
    assert (item.n_submitted, item.open_slots, item.decision) == (1, 0, "agreed")
    assert mine.annotations.get().labels == "+-."


def test_late_work_takes_its_slot_again_while_it_is_free() -> None:
    project, (alice, _) = crowd(2, overlap=1)
    plain_items(project, 1)
    mine = queue.claim(by=alice)
    queue.expire_due(project, timezone.now() + timedelta(days=1))
    done = review.submit(by=alice, assignment_id=mine.pk, data={"labels": "+++"})
    assert not done.surplus
    check_slots(project)


def test_a_held_item_is_not_given_out() -> None:
    project, (alice,) = crowd(1)
    plain_items(project, 1)
    Item.objects.update(held=True)
    assert queue.claim(by=alice) is None


ACTS = st.sampled_from(["claim", "submit", "skip", "expire", "reopen", "import"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(ACTS, st.integers(0, 2)), max_size=40), st.integers(1, 3))
def test_any_history_keeps_order_and_caps(
    monkeypatch: pytest.MonkeyPatch, history: list[tuple[str, int]], overlap: int
) -> None:
    monkeypatch.setattr(queue, "ITEMS_PER_MARK", 2)
    project, reviewers = crowd(3, overlap=overlap)
    plain_items(project, 5)
    for act, number in history:
        play(act, reviewers[number], project)
        check_slots(project)


def play(act: str, me: Membership, project: Project) -> None:
    mine = Assignment.objects.filter(rater=me.rater, state__in=["claimed", "committed"]).first()
    if act == "import":
        plain_items(project, 2, priority=me.pk % 3)
        queue.forget_frontiers(project)
    elif act == "expire":
        queue.expire_due(project, timezone.now() + timedelta(days=1), limit=1)
    elif act == "reopen":
        done = Assignment.objects.filter(
            rater=me.rater, state="submitted", item__decision="incomplete"
        ).first()
        if done and not mine:
            review.reopen(by=me, assignment_id=done.pk)
    elif mine and act == "submit":
        review.submit(by=me, assignment_id=mine.pk, data={"labels": "+++"})
    elif mine and act == "skip" and not mine.reopened:
        review.skip(by=me, assignment_id=mine.pk, reason="why not")
    elif act == "claim":
        expected = mine.item if mine else expected_item(me)
        claimed = queue.claim(by=me)
        assert (claimed.item if claimed else None) == expected


def test_many_items_given_back_at_one_moment_come_before_lower_priorities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than are looked at in one go, all with one time, so that no mark in time tells them apart."""
    monkeypatch.setattr(queue, "REOPENED_AT_ONCE", 3)
    project, (bob,) = crowd(1)
    items = plain_items(project, 12)
    first = [item.pk for item in items[:8]]
    Item.objects.filter(pk__in=first).update(priority=10, wanted=1, open_slots=0)
    me = Membership.objects.get(pk=bob.pk)
    while queue.claim(by=me):  # passes the eight, which others hold
        review.skip(by=me, assignment_id=queue.claim(by=me).pk, reason="next")
        if Assignment.objects.filter(rater=bob.rater).count() == 2:
            break
    queue.give_back(first, timezone.now())
    got = []
    for _ in first:
        assignment = queue.claim(by=Membership.objects.get(pk=bob.pk))
        got.append(assignment.item_id)
        labels = "+" * assignment.item.solution.n_steps
        review.submit(by=me, assignment_id=assignment.pk, data={"labels": labels})
    assert got == first
