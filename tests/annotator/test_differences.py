"""Where a reviewer and the decision differ: when it is shown, what of it, and to whom."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotator.actions import adjudicate as acts
from annotator.actions import items as item_acts
from annotator.models import Assignment, Decision, Item, Membership, Use
from annotator.views import differences
from tests import factories as make
from tests.annotator.reviewed import submitted
from tests.annotator.test_adjudication import World, signed_in

pytestmark = pytest.mark.django_db


def page(me: Membership, query: str = "") -> str:
    response = signed_in(me).get(reverse("differences", args=[me.project.slug]) + query)
    assert response.status_code == 200
    return response.content.decode()


def mine(me: Membership, item: Item) -> Assignment:
    return Assignment.objects.get(item=item, rater=me.rater)


def review_page(me: Membership, item: Item) -> str:
    response: Client = signed_in(me)
    return response.get(reverse("review", args=[me.project.slug, mine(me, item).pk])).content.decode()


def settled(world: World) -> None:
    world.settle(
        "+-++",
        error_types={"1": ["counterfactual"]},
        cause="reviewer_error",
        reason="Look at step 2 zz-reason",
    )


def test_nothing_is_shown_before_the_item_is_decided() -> None:
    world = World()
    for text in (page(world.bob), review_page(world.bob, world.item)):
        assert "Decided" not in text
        assert "differs from yours at" not in text
    assert "Nothing: on all items" in page(world.bob)


def test_a_reviewer_reads_gold_and_reason_and_no_names() -> None:
    world = World()
    settled(world)
    for text in (page(world.bob), review_page(world.bob, world.item)):
        assert "zz-reason" in text
        assert "false fact" in text
        for name in ("alice", "lead"):
            assert name not in text.replace("leads", "").replace("a lead", "").replace("misleading", "")
    assert "you called correct what was wrong" in page(world.bob)
    assert "The decision differs from yours at" in review_page(world.bob, world.item)


def test_who_said_what_was_decided_has_nothing_to_read() -> None:
    world = World()
    settled(world)
    assert "zz-reason" not in page(world.alice)
    assert "zz-reason" not in review_page(world.alice, world.item)


def test_another_reviewers_note_is_no_reason() -> None:
    """Gold of an agreed item is a reviewer's annotation: its note was for the leads."""
    world = World("+-+-", "+-++", decision_rule="first_error")
    assert world.item.decision == Decision.AGREED
    assert world.item.gold
    type(world.item.gold).objects.filter(pk=world.item.gold_id).update(note="zz-note")
    text = page(world.bob)
    assert "Decision" in text
    assert "zz-note" not in text + review_page(world.bob, world.item)


@pytest.mark.parametrize("purpose", [Use.PROBE, Use.EXAM])
def test_what_measures_a_reviewer_is_never_there(purpose: str) -> None:
    world = World()
    settled(world)
    Assignment.objects.filter(rater=world.bob.rater).update(purpose=purpose)
    for text in (page(world.bob), review_page(world.bob, world.item)):
        assert "zz-reason" not in text
        assert "Decided" not in text


def test_a_reopened_decision_is_gone() -> None:
    world = World()
    settled(world)
    acts.reopen_decision(by=world.lead, project=world.project, item_id=world.item.pk, because="wrong")
    assert "zz-reason" not in page(world.bob) + review_page(world.bob, world.item)


def test_a_broken_problem_shows_no_labels() -> None:
    world = World()
    world.settle("....", cause="broken_problem", reason="zz-reason")
    assert "zz-reason" not in page(world.bob)


def test_pages_go_on_where_the_last_one_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(differences, "PER_PAGE", 2)
    monkeypatch.setattr(differences, "CHUNK", 3)
    world = World()
    settled(world)
    items = [world.item]
    for number in range(6):
        item = make.plain_item(world.project, 1)
        submitted(world.alice, item, "+-++")
        submitted(world.bob, item, "+-++" if number == 3 else "++++")
        item.refresh_from_db()
        if item.decision == Decision.CONFLICTED:
            acts.settle(
                by=world.lead, item_id=item.pk, labels="+-++", cause="ambiguous", reason="so",
                seen=acts.seen_version(item),
            )  # fmt: skip
            items.append(item)
    found, before = [], ""
    for _ in range(10):
        lines, before = differences.page_of(world.bob, before)
        found += [line.assignment.item for line in lines]
        if not before:
            break
    assert found == items[::-1]
    assert differences.patterns(world.bob) == [(6, "you called correct what was wrong")]
    assert 'rel="next"' in page(world.bob)
    assert page(world.bob, "?before=nonsense")


def test_more_items_make_no_more_queries() -> None:
    """Of the reviewer's page by the number of items, of the lead's by the number of reviewers."""
    world = World()
    settled(world)
    counts = []
    for n in (0, 8):
        for _ in range(n):
            item = make.plain_item(world.project, 1)
            submitted(world.alice, item, "+-++")
            submitted(world.bob, item, "+-0+")
            Item.objects.filter(pk=item.pk).update(decision="agreed", gold=item.solution.annotations.first())
        with CaptureQueriesContext(connection) as queries:
            page(world.bob)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_more_reviewers_make_no_more_queries() -> None:
    world = World(overlap=2)
    address = reverse("adjudicate-item", args=[world.project.slug, world.item.pk])
    client, counts = signed_in(world.lead), []
    client.get(address)  # the first look is recorded
    for n in (0, 4):
        if n:
            item_acts.set_wanted(
                by=world.lead, project=world.project, item_id=world.item.pk, n=2 + n, because="x"
            )
        for _ in range(n):
            submitted(make.member(world.project), world.item, "++0+")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
