"""Items given to one reviewer, and work taken back."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from annotator import errors, queue
from annotator.actions import assigning, bulk_items, people, review
from annotator.actions import items as single
from annotator.actions.assigning import Done
from annotator.actions.integrity import check_items
from annotator.models import Annotation, Assignment, Event, Item, Membership, Project, Role
from annotator.policies import Operator
from tests import factories
from tests.annotator.reviewed import claimed, submitted
from tests.annotator.test_queue import check_slots
from tests.crowd import crowd, plain_items

pytestmark = pytest.mark.django_db
World = tuple[Project, list[Item], list[Membership]]


@pytest.fixture
def world() -> World:
    """Five items of label_steps, wanted by one; two reviewers."""
    project, people = crowd(2)
    return project, plain_items(project, 5), people


def assign(items: list[Item], to: Membership) -> Done:
    return assigning.assign(by=Operator(), project=to.project, item_ids=[i.pk for i in items], to=to)


def unassign(items: list[Item], of: Membership | None = None) -> Done:
    return assigning.unassign(by=Operator(), project=items[0].project, item_ids=[i.pk for i in items], of=of)


def clean(project: Project) -> bool:
    check_slots(project)
    return not list(check_items(by=Operator(), project=project))


class TestAssign:
    def test_they_get_it_first_and_nobody_else_does(self, world: World) -> None:
        project, items, (alice, bob) = world
        assert assign([items[3], items[4]], alice) == Done(2, {})
        assert clean(project)
        assert queue.claim(by=alice).item_id == items[3].pk
        seen = []
        while mine := queue.claim(by=bob):
            seen.append(mine.item_id)
            review.submit(by=bob, assignment_id=mine.pk, data={"labels": "+++"})
        assert seen == [item.pk for item in items[:3]]

    def test_one_after_another_by_priority(self, world: World) -> None:
        _, items, (alice, _) = world
        Item.objects.filter(pk=items[2].pk).update(priority=5)
        assign(items[:3], alice)
        done = []
        while len(done) < 4:
            mine = queue.claim(by=alice)
            done.append(mine.item_id)
            review.submit(by=alice, assignment_id=mine.pk, data={"labels": "+++"})
        assert done == [items[i].pk for i in (2, 0, 1, 3)]

    def test_what_is_begun_comes_before_what_is_only_assigned(self, world: World) -> None:
        _, items, (alice, _) = world
        begun = queue.claim(by=alice)
        assign([items[2]], alice)
        assert queue.claim(by=alice) == begun

    def test_it_has_no_lease_and_its_time_begins_when_it_is_opened(self, world: World) -> None:
        project, items, (alice, _bob) = world
        assign([items[0]], alice)
        later = timezone.now() + timedelta(days=30)
        assert queue.expire_due(project, later) == 0
        mine = Assignment.objects.get()
        assert (mine.assigned, mine.lease_until, mine.claimed_at) == (True, None, None)
        opened = queue.claim(by=alice)
        assert opened.claimed_at is not None
        review.save_draft(by=alice, assignment_id=opened.pk, data={"labels": "+.."}, version=0)
        mine.refresh_from_db()
        assert (mine.lease_until, mine.claimed_at) == (None, opened.claimed_at)
        assert queue.expire_due(project, later) == 0

    def test_a_draft_saved_without_a_claim_begins_it_too(self, world: World) -> None:
        _, items, (alice, _) = world
        assign([items[0]], alice)
        mine = Assignment.objects.get()
        review.save_draft(by=alice, assignment_id=mine.pk, data={"labels": "+.."}, version=0)
        mine.refresh_from_db()
        assert mine.claimed_at is not None

    def test_who_has_had_it_and_what_is_full_or_held_is_counted(self, world: World) -> None:
        project, items, (alice, bob) = world
        submitted(alice, items[0], "+++")
        review.skip(by=alice, assignment_id=claimed(alice, items[1]).pk, reason="Mine.")
        claimed(bob, items[2])
        Item.objects.filter(pk=items[3].pk).update(held=True)
        single.look(by=alice, item=items[4])
        assert assign(items, alice) == Done(
            0,
            {
                "are held": 1,
                "have been submitted by them": 1,
                "have been skipped by them": 1,
                "cannot be theirs: they have seen the labels": 1,
                "have no open slot": 1,
            },
        )
        assert clean(project)

    def test_an_expired_claim_comes_to_life_with_its_draft(self, world: World) -> None:
        project, items, (alice, _) = world
        mine = claimed(alice, items[0])
        review.save_draft(by=alice, assignment_id=mine.pk, data={"labels": "+.."}, version=0)
        queue.expire_due(project, timezone.now() + timedelta(days=1))
        assert assign(items[:1], alice).n == 1
        mine.refresh_from_db()
        assert (mine.state, mine.assigned, mine.draft["labels"]) == ("claimed", True, "+..")
        assert clean(project)

    def test_a_held_one_waits_until_it_is_released(self, world: World) -> None:
        project, items, (alice, _) = world
        assign([items[4]], alice)
        single.hold(by=Operator(), project=project, item_id=items[4].pk, because="?")
        first = queue.claim(by=alice)
        assert first.item_id == items[0].pk
        review.submit(by=alice, assignment_id=first.pk, data={"labels": "+++"})
        single.release(by=Operator(), project=project, item_id=items[4].pk, because="!")
        assert queue.claim(by=alice).item_id == items[4].pk

    def test_nobody_has_more_waiting_than_a_claim_can_look_through(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(assigning, "MOST_ASSIGNED", 2)
        assert assign(world[1], world[2][0]) == Done(2, {assigning.FULL: 3})

    def test_twice_is_once(self, world: World) -> None:
        project, items, (alice, _) = world
        assign(items, alice)
        assert assign(items, alice) == Done(0, {"are with them already": 5})
        assert clean(project)

    def test_somebody_from_elsewhere_is_refused(self, world: World) -> None:
        other = factories.member(factories.project())
        with pytest.raises(errors.Missing):
            assigning.assign(by=Operator(), project=world[0], item_ids=[world[1][0].pk], to=other)


class TestTakeBack:
    def test_unassign_gives_the_slots_back(self, world: World) -> None:
        project, items, (alice, bob) = world
        assign(items[:2], alice)
        assign(items[2:3], bob)
        assert unassign(items, of=alice) == Done(2, {"were not assigned": 3})
        assert clean(project)
        assert queue.claim(by=bob).item_id == items[2].pk
        assert unassign(items) == Done(1, {"were not assigned": 4})
        assert clean(project)

    def test_an_ordinary_claim_after_it_has_a_lease(self, world: World) -> None:
        _, items, (alice, _) = world
        assign(items[:1], alice)
        unassign(items)
        mine = queue.claim(by=alice)
        mine.refresh_from_db()
        assert (mine.item_id, mine.assigned) == (items[0].pk, False)
        assert mine.lease_until is not None

    def test_retiring_takes_back_what_was_not_begun(self, world: World) -> None:
        project, items, (alice, _bob) = world
        assign(items[:2], alice)
        begun = queue.claim(by=alice)
        bulk_items.retire_items(
            by=Operator(), project=project, item_ids=[item.pk for item in items], because="Old."
        )
        states = dict(Assignment.objects.values_list("item", "state"))
        assert states == {begun.item_id: "claimed", items[1].pk: "expired"}
        assert clean(project)

    def test_who_leaves_gives_back_what_was_assigned(self, world: World) -> None:
        project, items, (alice, bob) = world
        assign(items, alice)
        people.remove_member(by=Operator(), membership=alice)
        assert clean(project)
        assert queue.claim(by=bob).item_id == items[0].pk

    def test_a_claim_expires_with_its_draft(self, world: World) -> None:
        project, items, (alice, bob) = world
        mine = claimed(alice, items[0])
        review.save_draft(by=alice, assignment_id=mine.pk, data={"labels": "+.."}, version=0)
        done = assigning.take_back(by=Operator(), project=project, assignment_id=mine.pk, because="Ill.")
        assert (done.state, done.draft["labels"]) == ("expired", "+..")
        assert queue.claim(by=bob).item_id == items[0].pk
        assert Event.objects.filter(verb="take_back", item=items[0]).get().data["because"] == "Ill."
        assert clean(project)

    def test_a_reveal_that_nobody_answers_is_closed_with_the_blind_judgement(self) -> None:
        item = factories.injected_item(factories.project(overlap=2))
        anna, ben = (factories.member(item.project) for _ in range(2))
        labels = "-" + "+" * (item.solution.n_steps - 1)
        submitted(anna, item, labels)
        mine = claimed(ben, item)
        review.commit(by=ben, assignment_id=mine.pk, data={"labels": labels, "duration_ms": 0})
        done = assigning.take_back(
            by=Operator(), project=item.project, assignment_id=mine.pk, because="Gone."
        )
        item.refresh_from_db()
        ben.refresh_from_db()
        assert (done.state, item.decision, item.n_submitted, ben.n_submitted) == ("submitted", "agreed", 2, 1)
        assert Annotation.objects.filter(assignment=mine).count() == 1
        assert clean(item.project)

    def test_a_submission_taken_back_counts_again_and_once(self, world: World) -> None:
        project, items, (alice, _bob) = world
        Item.objects.update(wanted=2, open_slots=2)
        mine = submitted(alice, items[0], "+++")
        review.reopen(by=alice, assignment_id=mine.pk)
        done = assigning.take_back(by=Operator(), project=project, assignment_id=mine.pk, because="Gone.")
        alice.refresh_from_db()
        assert (done.state, done.reopened, alice.n_submitted) == ("submitted", False, 1)
        assert Item.objects.get(pk=items[0].pk).n_submitted == 1
        assert clean(project)

    def test_what_nobody_holds_is_a_conflict(self, world: World) -> None:
        project, items, (alice, _) = world
        mine = submitted(alice, items[0], "+++")
        with pytest.raises(errors.Conflict):
            assigning.take_back(by=Operator(), project=project, assignment_id=mine.pk, because="?")

    def test_a_reviewer_may_not(self, world: World) -> None:
        project, items, (alice, bob) = world
        mine = claimed(alice, items[0])
        with pytest.raises(errors.Forbidden):
            assigning.take_back(by=bob, project=project, assignment_id=mine.pk, because="?")

    def test_from_the_items_page(self, world: World, client: Any) -> None:
        project, items, (alice, _) = world
        mine = claimed(alice, items[0])
        lead = factories.member(project, role=Role.LEAD)
        client.force_login(lead.user)
        path = f"/p/{project.slug}/items/{items[0].pk}/"
        assert "Take it back" in client.get(path).content.decode()
        sent = client.post(path, {"do": "take-back", "assignment": mine.pk, "because": "Ill."})
        assert sent.status_code == 302
        mine.refresh_from_db()
        assert mine.state == "expired"
