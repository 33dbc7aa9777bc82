"""Many at once, on whichever database the tests run: SQLite, and PostgreSQL in the second run."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from annotator import errors, queue
from annotator.actions import assigning, bulk_items, people, projects, review
from annotator.actions.integrity import check_items
from annotator.models import Annotation, Assignment, Item, Membership, Project, Role
from annotator.policies import Operator
from tests import factories
from tests.crowd import crowd, injected_siblings, join, plain_items

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(calls: list[Callable[[], Any]], threads: int = 16) -> list[Any]:
    """Run the calls in threads with a common start; a raised error fails the test."""
    start = threading.Barrier(min(threads, len(calls)))

    def run(numbered: tuple[int, Callable[[], Any]]) -> Any:
        number, call = numbered
        try:
            if number < start.parties:
                start.wait()
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(start.parties) as pool:
        return list(pool.map(run, enumerate(calls)))


def work_until_empty(me: Membership) -> list[int]:
    """Claim and submit until nothing is left; the ids of the items done."""
    done = []
    while assignment := queue.claim(by=me):
        review.submit(by=me, assignment_id=assignment.pk, data={"labels": "+++"})
        done.append(assignment.item_id)
    return done


def test_fifty_clients_claim_ten_items_with_overlap_two() -> None:
    project, reviewers = crowd(50, overlap=2)
    plain_items(project, 10)
    claimed = at_once([lambda me=me: queue.claim(by=me) for me in reviewers], threads=50)
    given = Counter(assignment.item_id for assignment in claimed if assignment)
    assert sorted(given.values()) == [2] * 10
    assert list(Item.objects.values_list("open_slots", flat=True)) == [0] * 10


def test_leases_that_run_out_midway_are_given_out_again_and_never_twice() -> None:
    project, reviewers = crowd(50, overlap=2)
    plain_items(project, 10)
    first, second = reviewers[:20], reviewers[20:]
    mine = [a for a in at_once([lambda me=me: queue.claim(by=me) for me in first]) if a]
    gone = [a.pk for a in mine[:9]]
    Assignment.objects.filter(pk__in=gone).update(lease_until=timezone.now() - timedelta(seconds=1))
    again = [a for a in at_once([lambda me=me: queue.claim(by=me) for me in second]) if a]
    assert len(again) == 9
    assert Assignment.objects.filter(state="expired").count() == 9
    held = Counter(Assignment.objects.filter(state="claimed").values_list("item", flat=True))
    assert sorted(held.values()) == [2] * 10
    assert set(Item.objects.values_list("open_slots", flat=True)) == {0}


def test_no_item_is_given_twice_at_overlap_one_to_the_very_last() -> None:
    project, reviewers = crowd(12)
    items = plain_items(project, 90)
    done = at_once([lambda me=me: work_until_empty(me) for me in reviewers])
    given = Counter(item_id for each in done for item_id in each)
    assert given == Counter(item.pk for item in items)
    assert Annotation.objects.count() == 90
    assert set(Item.objects.values_list("decision", flat=True)) == {"agreed"}


def test_the_same_submission_sent_at_once_is_stored_once() -> None:
    project, (me,) = crowd(1)
    plain_items(project, 1)
    assignment = queue.claim(by=me)
    sent = [lambda: review.submit(by=me, assignment_id=assignment.pk, data={"labels": "+-."})] * 8
    at_once(sent, threads=8)
    assert Annotation.objects.count() == 1
    me.refresh_from_db()
    assert me.n_submitted == 1


def test_two_tabs_claim_one_item() -> None:
    project, (me,) = crowd(1)
    plain_items(project, 5)
    claimed = at_once([lambda: queue.claim(by=me)] * 6, threads=6)
    assert len({assignment.pk for assignment in claimed}) == 1


def test_reviewers_who_call_the_original_wrong_at_once_do_not_deadlock() -> None:
    """Each submission holds its siblings: the locks are taken in one order."""
    project, reviewers = crowd(6)
    injected_siblings(project, 6)
    ready = []
    for me in reviewers:
        assignment = queue.claim(by=me)
        review.commit(by=me, assignment_id=assignment.pk, data={"labels": "+++"})
        ready.append((me, assignment.pk))
    verdict = {"labels": "+++", "verdict": {"claim": "reject", "original": "wrong"}}
    at_once(
        [lambda me=me, pk=pk: review.submit(by=me, assignment_id=pk, data=verdict) for me, pk in ready], 6
    )
    assert Annotation.objects.filter(phase="revealed").count() == 6
    assert not Item.objects.filter(held=False, decision="incomplete").exists()


def test_a_lead_changes_everything_while_reviewers_work() -> None:
    """Wanted, priority, assignments and taking back, against claims and submissions: no deadlock, and every
    item ends with the slots and the decision that follow from its rows."""
    project, reviewers = crowd(6, overlap=2)
    items = [item.pk for item in plain_items(project, 60)]
    of = {"by": Operator(), "project": project, "item_ids": items}

    def lead(number: int) -> None:
        for n in (3, 1, 2):
            bulk_items.set_wanted(**of, n=n, because="Race.")
            assigning.assign(**of, to=reviewers[number])
            bulk_items.set_priority(**of, n=n)
            assigning.unassign(**of)

    work = [lambda me=me: work_until_empty(me) for me in reviewers]
    at_once([*work, lambda: lead(0), lambda: lead(5)], threads=8)
    for me in reviewers:  # what was assigned, taken back or wanted again at the very end
        work_until_empty(me)
    assert list(check_items(by=Operator(), project=project)) == []
    assert set(Item.objects.values_list("decision", "open_slots")) == {("agreed", 0)}
    submitted = Counter(Assignment.objects.filter(state="submitted").values_list("item", flat=True))
    assert set(submitted) == set(items)
    assert Annotation.objects.count() == sum(submitted.values())


def test_a_lead_takes_back_what_its_reviewer_sends_at_that_moment() -> None:
    project, reviewers = crowd(8)
    plain_items(project, 8)
    held = [(me, queue.claim(by=me).pk) for me in reviewers]

    def take(pk: int) -> None:
        with contextlib.suppress(errors.Conflict):  # sent a moment before
            assigning.take_back(by=Operator(), project=project, assignment_id=pk, because="Race.")

    sends = [
        lambda me=me, pk=pk: review.submit(by=me, assignment_id=pk, data={"labels": "+++"}) for me, pk in held
    ]
    at_once(
        [call for send, (_, pk) in zip(sends, held, strict=True) for call in (send, lambda pk=pk: take(pk))]
    )
    assert Annotation.objects.count() == 8
    assert list(check_items(by=Operator(), project=project)) == []


def test_claims_are_taken_back_and_skipped_while_their_holders_work() -> None:
    """Whoever gives back locks the project last, a lead as well as a reviewer: no deadlock, no slot lost."""
    project, reviewers = crowd(6, overlap=2)
    plain_items(project, 30)

    def work(me: Membership) -> None:
        for n in range(12):
            held = queue.claim(by=me)
            if held is None:
                return
            of = {"by": me, "assignment_id": held.pk}
            with contextlib.suppress(errors.Conflict):  # taken back a moment before
                if n % 3:
                    review.submit(**of, data={"labels": "+++"})
                else:
                    review.skip(**of, reason="Race.")

    def take() -> None:
        for me in reviewers * 3:
            people.take_back_claims(by=Operator(), membership=me, because="Race.")

    at_once([*[lambda me=me: work(me) for me in reviewers], take, take], threads=8)
    assert list(check_items(by=Operator(), project=project)) == []


def test_who_saw_is_barred_while_somebody_holds_a_row_and_wants_another() -> None:
    """Whoever bars waits for one row and holds none; else the two would wait for each other."""
    project = factories.project(overlap=1, labels_first=False)
    for at in range(2):
        factories.injected_item(project, at)
    low, high = (queue.claim(by=factories.member(project)) for _ in range(2))
    assert low
    assert high
    locked = threading.Event()

    def hold() -> None:
        rows = Assignment.objects.select_for_update(no_key=True, of=("self",))
        with transaction.atomic():
            list(rows.filter(pk=high.pk))
            locked.set()
            time.sleep(1)
            list(rows.filter(pk=low.pk))

    def bar() -> None:
        locked.wait()
        projects.change_settings(by=Operator(), project=project, labels_first=True)

    at_once([hold, bar])
    assert set(Assignment.objects.values_list("state", flat=True)) == {"barred"}


def test_of_two_owners_who_step_down_at_once_one_stays() -> None:
    project, (one, other) = crowd(2)
    for me in (one, other):
        me.role = Role.OWNER
        me.save(update_fields=["role"])

    def step_down(me: Membership) -> bool:
        try:
            people.change_role(by=me, membership=me, role=Role.REVIEWER)
        except errors.Conflict:
            return False
        return True

    assert sorted(at_once([lambda: step_down(one), lambda: step_down(other)])) == [False, True]
    assert Membership.objects.filter(project=project, role=Role.OWNER).count() == 1


def test_probes_among_the_work_take_no_slot_and_come_once_to_each() -> None:
    """Everybody works until nothing is left, each in two windows at once, and every other claim is a probe."""
    project, reviewers = crowd(4, overlap=2)
    made = plain_items(project, 12)
    judge = join(project, "judge")
    for item in made[:6]:
        gold = Annotation.objects.create(
            solution=item.solution, rater=judge.rater, phase="adjudication", labels="+++", n_steps=3,
            first_error=-1, finish_reason="solution",
        )  # fmt: skip
        Item.objects.filter(pk=item.pk).update(
            decision="settled", gold=gold, is_probe=True, wanted=1, open_slots=0
        )
        Assignment.objects.create(project=project, item=item, rater=judge.rater, state="submitted")
    Project.objects.filter(pk=project.pk).update(probe_rate=0.5)
    twice = [Membership.objects.select_related("project").get(pk=me.pk) for me in reviewers for _ in range(2)]
    at_once([lambda me=me: work_through(me) for me in twice])
    done = Assignment.objects.exclude(rater=judge.rater)
    assert set(done.values_list("state", flat=True)) == {"submitted"}
    per_item = Counter(done.filter(purpose="work").values_list("item", flat=True))
    assert per_item == {item.pk: 2 for item in made[6:]}
    assert not done.filter(purpose="probe").exclude(item__is_probe=True).exists()
    assert list(check_items(by=Operator(), project=project)) == []


def work_through(me: Membership) -> None:
    """As two windows of one person do: what one has sent, the other sends again, which changes nothing."""
    while assignment := queue.claim(by=me):
        review.submit(by=me, assignment_id=assignment.pk, data={"labels": "+++"})
