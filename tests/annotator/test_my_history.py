"""A reviewer's own submissions, searched; at a bounded cost, and without what tells the kind of an item."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator import queue
from annotator.actions import review
from annotator.models import Assignment, Membership, Project, Protocol
from annotator.views import my_history
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(db: None) -> Project:
    return make.project(protocol=Protocol.LABEL_STEPS)


@pytest.fixture
def alice(project: Project) -> Membership:
    """Has judged a sum, a product and a root, gave one up and skipped one."""
    me = make.member(project, "alice")
    for text, labels in (
        ("Find the sum of 3 and 4.", "+-"),
        ("Find the product.", "++"),
        ("A root of 9?", "-."),
    ):
        judged(me, text, labels)
    lost = claimed(me, "A hopeless sum.")
    review.submit(
        by=me, assignment_id=lost.pk, data={"labels": "..", "finish_reason": "give_up", "note": "No."}
    )
    skipped = claimed(me, "A sum in Latin.")
    review.skip(by=me, assignment_id=skipped.pk, reason="I do not read Latin.")
    return me


def claimed(me: Membership, text: str) -> Assignment:
    make.queued(me.project, make.solution(me.project, text, ["So.", "Then."], answer="1"))
    found = queue.claim(by=me)
    assert found is not None
    return found


def judged(me: Membership, text: str, labels: str) -> Assignment:
    return review.submit(by=me, assignment_id=claimed(me, text).pk, data={"labels": labels})


def listed(me: Membership, **asked: Any) -> list[str]:
    """The problems on the page, in its order."""
    return [line.problem for line in page(me, **asked).submitted]


def page(me: Membership, **asked: Any) -> Any:
    client = Client()
    client.force_login(me.user, "django.contrib.auth.backends.ModelBackend")
    return client.get(f"/p/{me.project.slug}/mine/", asked).context["page"]


def test_words_are_all_found_in_any_case_and_order(alice: Membership) -> None:
    assert listed(alice, q="SUM find") == ["Find the sum of 3 and 4."]
    assert listed(alice, q="find") == ["Find the product.", "Find the sum of 3 and 4."]
    assert listed(alice, q="cosine") == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"said": "wrong"}, ["A root of 9?", "Find the sum of 3 and 4."]),
        ({"step": "2"}, ["Find the sum of 3 and 4."]),
        ({"said": "none"}, ["Find the product."]),
        ({"said": "early"}, ["A hopeless sum."]),
        ({"said": "skipped"}, ["A sum in Latin."]),
        ({"said": "skipped", "q": "product"}, []),
        ({"said": "wrong", "q": "root"}, ["A root of 9?"]),
    ],
)
def test_what_was_said_is_searched(alice: Membership, asked: dict[str, str], found: list[str]) -> None:
    assert listed(alice, **asked) == found


def test_an_item_and_days_are_searched(alice: Membership) -> None:
    first, *others = Assignment.objects.filter(state="submitted").order_by("id")
    Assignment.objects.filter(pk=first.pk).update(
        submitted_at=timezone.make_aware(datetime(2026, 3, 1, 23, 30))
    )
    for other in others:
        Assignment.objects.filter(pk=other.pk).update(
            submitted_at=timezone.make_aware(datetime(2026, 3, 2, 0, 30))
        )
    assert listed(alice, item=first.item_id) == ["Find the sum of 3 and 4."]
    assert listed(alice, until="2026-03-01") == ["Find the sum of 3 and 4."]
    assert len(listed(alice, since="2026-03-02", until="2026-03-02")) == 3


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"since": "2026-03-02", "until": "2026-03-01"}, "until"),
        ({"said": "none", "step": "2"}, "step"),
        ({"since": "soon"}, "since"),
        ({"said": "anything else"}, "said"),
        ({"item": "x"}, "item"),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field(
    alice: Membership, asked: dict[str, str], field: str
) -> None:
    found = page(alice, **asked)
    assert set(found.form.errors) == {field}
    assert found.submitted == []


def test_others_work_and_foreign_ids_are_not_found(alice: Membership, project: Project) -> None:
    bob = make.member(project, "bob")
    assert listed(bob, q="sum") == []
    told = Assignment.objects.filter(state="submitted").first()
    assert told is not None
    assert listed(alice, q=told.item.solution.foreign_id) == []
    client = Client()
    client.force_login(alice.user, "django.contrib.auth.backends.ModelBackend")
    assert told.item.solution.foreign_id not in client.get(f"/p/{project.slug}/mine/").content.decode()


def test_a_search_goes_on_where_it_stopped(alice: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(my_history, "CHUNK", 2)
    first = page(alice, q="find")
    assert [line.problem for line in first.submitted] == []
    assert first.looked_at == 2
    second = page(alice, q="find", before=first.before)
    assert [line.problem for line in second.submitted] == ["Find the product.", "Find the sum of 3 and 4."]
    assert second.before == ""


def test_a_full_page_of_hits_loses_none(alice: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(my_history, "PER_PAGE", 1)
    seen, before = [], ""
    for _ in range(5):
        found = page(alice, q="sum", before=before)
        seen += [line.problem for line in found.submitted]
        before = found.before
        if not before:
            break
    assert seen == ["A hopeless sum.", "Find the sum of 3 and 4."]


@pytest.mark.parametrize("asked", [{}, {"q": "sum"}, {"said": "wrong"}, {"said": "skipped", "q": "sum"}])
def test_a_search_makes_as_many_queries_however_much_was_done(
    project: Project, asked: dict[str, str]
) -> None:
    me = make.member(project, "carol")
    judged(me, "Find the sum.", "-.")
    few = queries(me, asked)
    for number in range(6):
        judged(me, f"Find the sum {number}.", "-.")
    assert queries(me, asked) == few


def queries(me: Membership, asked: dict[str, str]) -> int:
    client = Client()
    client.force_login(me.user, "django.contrib.auth.backends.ModelBackend")
    with CaptureQueriesContext(connection) as made:
        assert client.get(f"/p/{me.project.slug}/mine/", asked).status_code == 200
    return len(made)


def test_skipped_ones_page_by_number(alice: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    other = claimed(alice, "Another sum in Latin.")
    review.skip(by=alice, assignment_id=other.pk, reason="Latin again.")
    Assignment.objects.filter(state="skipped").update(claimed_at=timezone.now() - timedelta(days=3))
    monkeypatch.setattr(my_history, "PER_PAGE", 1)
    first = page(alice, said="skipped")
    assert [line.outcome for line in first.submitted] == ["Latin again."]
    second = page(alice, said="skipped", before=first.before)
    assert [line.problem for line in second.submitted] == ["A sum in Latin."]
