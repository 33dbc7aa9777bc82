"""Leads and reviewers at one item at once, on whichever database the tests run."""

from typing import Any

import pytest

from annotator import errors, queue
from annotator.actions import adjudicate as acts
from annotator.actions import adjudication_queue, bulk_items, review
from annotator.actions.integrity import check_items
from annotator.actions.projects import change_settings
from annotator.models import Annotation, Item, Membership, Phase, Role
from annotator.policies import Operator
from tests.annotator.test_races import at_once
from tests.crowd import crowd, join, plain_items

pytestmark = pytest.mark.django_db(transaction=True)

WHY = {"cause": "ambiguous", "reason": "Either way."}


def disputed(n_leads: int, overlap: int = 2) -> tuple[Item, list[Membership], list[Membership]]:
    """An item that two reviewers differ on; the leads; the reviewers."""
    project, reviewers = crowd(3, overlap=2)
    (item,) = plain_items(project, 1)
    for me, labels in zip(reviewers[:2], ("+++", "++-"), strict=True):
        assignment = queue.claim(by=me)
        assert assignment
        review.submit(by=me, assignment_id=assignment.pk, data={"labels": labels})
    leads = [join(project, f"lead-{project.pk}-{n}") for n in range(n_leads)]
    Membership.objects.filter(pk__in=[lead.pk for lead in leads]).update(role=Role.LEAD)
    item.refresh_from_db()
    return (
        item,
        list(Membership.objects.filter(pk__in=[m.pk for m in leads]).select_related("project")),
        reviewers,
    )


def attempt(call: Any) -> Any:
    try:
        return call()
    except errors.PlumblineError as refused:
        return refused


def sound(item: Item) -> None:
    assert list(check_items(by=Operator(), project=item.project)) == []


def test_of_leads_who_settle_at_once_one_does() -> None:
    item, leads, _ = disputed(6)
    seen = acts.seen_version(item)

    def settle(lead: Membership) -> Any:
        return attempt(lambda: acts.settle(by=lead, item_id=item.pk, labels="+++", seen=seen, **WHY))

    done = at_once([lambda lead=lead: settle(lead) for lead in leads])
    assert sum(isinstance(one, Item) for one in done) == 1
    assert sum(isinstance(one, errors.Conflict) for one in done) == 5
    assert Annotation.objects.filter(phase=Phase.ADJUDICATION).count() == 1
    sound(item)


def test_the_same_lead_pressing_twice_settles_once() -> None:
    item, (lead,), _ = disputed(1)
    seen = acts.seen_version(item)
    calls = [
        lambda: attempt(lambda: acts.settle(by=lead, item_id=item.pk, labels="+++", seen=seen, **WHY))
    ] * 4
    done = at_once(calls, threads=4)
    assert sum(isinstance(one, Item) for one in done) == 1
    assert Annotation.objects.filter(phase=Phase.ADJUDICATION).count() == 1


def test_a_lead_settles_while_another_asks_for_one_more_and_a_reviewer_reopens() -> None:
    """Whoever comes first, what is stored is what follows from the rows."""
    for _ in range(5):
        item, (first, second), reviewers = disputed(2)
        seen = acts.seen_version(item)
        mine = review.Assignment.objects.get(item=item, rater=reviewers[0].rater)

        def more(by: Membership = second, item: Item = item, seen: str = seen) -> Any:
            return attempt(lambda: acts.one_more(by=by, item_id=item.pk, because="see", seen=seen))

        def settle(by: Membership = first, item: Item = item, seen: str = seen) -> Any:
            return attempt(lambda: acts.settle(by=by, item_id=item.pk, labels="++-", seen=seen, **WHY))

        def reopen(by: Membership = reviewers[0], pk: int = mine.pk) -> Any:
            return attempt(lambda: review.reopen(by=by, assignment_id=pk))

        done = at_once([settle, more, reopen, reopen])
        item.refresh_from_db()
        settled = isinstance(done[0], Item)
        assert (item.decision == "settled") == settled
        assert not (settled and isinstance(done[2], review.Assignment))
        sound(item)


def test_a_rule_that_changes_while_reviewers_submit_decides_all_items() -> None:
    project, reviewers = crowd(4, overlap=2)
    items = plain_items(project, 12)
    (lead,) = [join(project, f"lead-{project.pk}")]
    Membership.objects.filter(pk=lead.pk).update(role=Role.OWNER)
    lead.refresh_from_db()
    labels = ["+-+", "+-0", "0-+", "+-+"]

    def work(me: Membership, said: str) -> None:
        while assignment := queue.claim(by=me):
            review.submit(by=me, assignment_id=assignment.pk, data={"labels": f"{said[:2]}."})

    def change() -> None:
        for rule in ("wrong_steps", "labels", "wrong_steps"):
            change_settings(by=lead, project=project, decision_rule=rule)

    at_once(
        [
            *(lambda me=me, said=said: work(me, said) for me, said in zip(reviewers, labels, strict=True)),
            change,
        ]
    )
    sound(items[0])
    assert set(Item.objects.filter(project=project).values_list("decision", flat=True)) == {"agreed"}


def test_leads_who_open_the_next_item_at_once_may_meet_but_do_not_harm() -> None:
    item, leads, _ = disputed(3)

    def open_next(lead: Membership) -> int | None:
        found = adjudication_queue.next_item(lead)
        return found.pk if found else None

    assert set(at_once([lambda lead=lead: open_next(lead) for lead in leads])) == {item.pk}
    bulk_items.hold_items(by=Operator(), project=item.project, item_ids=[item.pk], because="later")
    assert open_next(leads[0]) is None
