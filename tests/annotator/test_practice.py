"""Practice: a lead goes through an item as a reviewer would, and nothing is kept."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotator import queue
from annotator.actions import review
from annotator.models import Annotation, Assignment, AssignmentState, Event, Item, Membership, Role
from tests import factories
from tests.annotator import reviewed

pytestmark = pytest.mark.django_db

WHOLE = {f"label-{i}": "+" for i in range(7)} | {"n_steps": "7"}
ANSWERS = {"verdict-claim": "accept", "verdict-original": "right"}


@pytest.fixture
def lead() -> Membership:
    return factories.member(factories.project(), "lead", Role.LEAD)


@pytest.fixture
def item(lead: Membership) -> Item:
    return factories.injected_item(lead.project, 0)


def signed_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def at(item: Item) -> str:
    return f"{reverse('practice', args=[item.project.slug])}?item={item.pk}"


def send(lead: Membership, item: Item, do: str, phase: str = "blind", **fields: Any) -> Any:
    return signed_in(lead).post(at(item), WHOLE | {"do": do, "practice": phase} | fields)


def kept() -> tuple[int, int]:
    return Annotation.objects.exclude(phase="machine").count(), Item.objects.get().open_slots


def test_a_lead_goes_through_an_item_and_nothing_is_kept(lead: Membership, item: Item) -> None:
    before = kept()
    blind = signed_in(lead).get(at(item))
    assert (blind.status_code, blind.context["page"].phase) == (200, "blind")
    text = blind.content.decode()
    assert "Practice: nothing is kept" in text
    assert "you will not be given it" in text
    assert "The injector’s claim" not in text
    assert not Assignment.objects.exists()
    revealed = send(lead, item, "commit")
    assert revealed.context["page"].phase == "revealed"
    assert "The injector’s claim" in revealed.content.decode()
    done = send(lead, item, "submit", "revealed", **ANSWERS)
    assert done.context["page"].phase == "done"
    assert "nothing was kept" in done.content.decode()
    assert "Another one" in done.content.decode()
    assert "Reopen" not in done.content.decode()
    assert kept() == before


def test_who_has_seen_what_is_revealed_gets_no_slot(lead: Membership, item: Item) -> None:
    signed_in(lead).get(at(item))
    send(lead, item, "save")
    assert not Assignment.objects.exists()
    send(lead, item, "commit")
    assert Assignment.objects.get().state == AssignmentState.BARRED
    assert Event.objects.get().verb == "look"
    assert queue.claim(by=lead) is None
    assert "you will not be given it" not in signed_in(lead).get(at(item)).content.decode()


@pytest.mark.parametrize("do", ["save", "submit", "ask"])
def test_a_form_made_by_hand_sees_nothing_unseen(lead: Membership, item: Item, do: str) -> None:
    assert "The injector’s claim" in send(lead, item, do, "revealed").content.decode()
    assert Assignment.objects.get().state == AssignmentState.BARRED


def test_who_reviews_the_item_practises_only_until_the_reveal(lead: Membership, item: Item) -> None:
    held = reviewed.claimed(lead, item)
    assert signed_in(lead).get(at(item)).status_code == 200
    refused = send(lead, item, "commit")
    assert refused.status_code == 409
    assert "The injector’s claim" not in refused.content.decode()
    assert "You are reviewing this item yourself" in refused.content.decode()
    assert send(lead, item, "save", "revealed").status_code == 409
    held.refresh_from_db()
    assert (held.state, held.draft) == (AssignmentState.CLAIMED, {})


def test_what_a_review_would_refuse_is_refused_with_what_was_entered(lead: Membership, item: Item) -> None:
    refused = send(lead, item, "commit", **{"label-2": "", "note": "Mine."})
    assert refused.status_code == 422
    assert refused.context["page"].missing == [2]
    assert refused.context["page"].judgement.note == "Mine."
    unanswered = send(lead, item, "submit", "revealed")
    assert (unanswered.status_code, unanswered.context["page"].phase) == (422, "revealed")
    early = send(lead, item, "bad_problem")
    assert early.context["page"].error.field == "note"
    assert send(lead, item, "bad_problem", why="No such number.").context["page"].phase == "done"
    assert signed_in(lead).post(at(item), {"do": "commit"}).status_code == 400


def test_without_a_reveal_submitting_ends_it_and_bars_nobody(lead: Membership) -> None:
    item = factories.plain_item(lead.project, 0, protocol="label_steps")
    assert "you will not be given it" not in signed_in(lead).get(at(item)).content.decode()
    assert send(lead, item, "submit").context["page"].phase == "done"
    assert not Assignment.objects.exists()


def test_asking_and_skipping_go_nowhere(lead: Membership, item: Item) -> None:
    asked = send(lead, item, "ask", question="Why?", note="Kept here.")
    assert "goes nowhere in practice" in asked.content.decode()
    assert asked.context["page"].judgement.note == "Kept here."
    assert send(lead, item, "skip")["Location"] == reverse("practice", args=[item.project.slug])
    assert not Event.objects.exists()


def test_following_steps_are_labelled_without_javascript(lead: Membership, item: Item) -> None:
    labels = {f"label-{i}": "" for i in range(1, 7)}
    assert send(lead, item, "", following="0", **labels).context["page"].judgement.labels == "+" * 7
    assert send(lead, item, "", following="x").status_code == 400


def test_an_item_at_random_is_a_decided_one_if_there_is_one(lead: Membership, item: Item) -> None:
    decided = factories.injected_item(lead.project, 1, wanted=1)
    reviewed.submitted(factories.member(lead.project), decided, "+-++", error_types={"1": ["counterfactual"]})
    decided.refresh_from_db()
    assert decided.decision != "incomplete"
    page = reverse("practice", args=[lead.project.slug])
    for _ in range(3):
        assert signed_in(lead).get(page)["Location"] == at(decided)
    Item.objects.filter(pk=decided.pk).update(held=True, retired=True)
    assert signed_in(lead).get(page)["Location"] == at(item)


def test_an_empty_project_says_what_is_missing(lead: Membership) -> None:
    answer = signed_in(lead).get(reverse("practice", args=[lead.project.slug]), follow=True)
    assert "import solutions first" in answer.content.decode()


def test_items_of_others_and_nonsense_are_not_found(lead: Membership) -> None:
    other = factories.injected_item(factories.project(), 0)
    page = reverse("practice", args=[lead.project.slug])
    for wanted in (str(other.pk), "x", "-1", "9" * 30, "²"):
        assert signed_in(lead).get(f"{page}?item={wanted}").status_code == 404
    mine = factories.injected_item(lead.project, 0)
    assert signed_in(lead).post(at(mine), WHOLE | {"do": "save", "practice": "done"}).status_code == 404


def test_a_reviewer_has_no_practice(lead: Membership, item: Item) -> None:
    assert signed_in(factories.member(lead.project)).get(at(item)).status_code == 403


def test_the_check_writes_nothing(lead: Membership, item: Item) -> None:
    held = Assignment(item=item, project=lead.project, rater_id=lead.rater_id)
    review.check(assignment=held, data={"labels": "+" * 7})
    assert held.pk is None
    assert not Assignment.objects.exists()
