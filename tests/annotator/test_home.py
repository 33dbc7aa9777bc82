"""The home page: what is mine to do, in each of my projects and in nobody else's."""

import pytest
from django.test import Client
from django.utils import timezone

from annotator import queue
from annotator.actions import review
from annotator.actions.questions import answer_question
from annotator.models import Assignment, Item, Membership, Question, Role, User
from tests import factories

pytestmark = pytest.mark.django_db


def home(user: User) -> str:
    client = Client()
    client.force_login(user)
    response = client.get("/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def test_without_a_project_it_says_to_ask_for_a_link(db: None) -> None:
    alone = User.objects.create_user("alone")
    assert "Ask a lead for an invitation link" in home(alone)
    assert "/projects/new/" not in home(alone)


def test_an_operator_is_told_to_make_a_project() -> None:
    assert 'href="/projects/new/"' in home(User.objects.create_superuser("root"))


def test_it_counts_what_is_open_for_me_and_offers_the_next() -> None:
    me = _reviewer_of(2)
    page = home(me.user)
    assert "<b>2</b> open for me" in page
    assert f'action="/p/{me.project.slug}/next/"' in page


def test_what_i_have_had_is_not_open_for_me() -> None:
    me = _reviewer_of(2)
    review.skip(by=me, assignment_id=_claim(me).pk, reason="I wrote it")
    assert "<b>1</b> open for me" in home(me.user)


def test_an_expired_claim_is_open_for_me_again() -> None:
    me = _reviewer_of(1)
    claimed = _claim(me)
    Assignment.objects.filter(pk=claimed.pk).update(
        lease_until=timezone.now() - timezone.timedelta(minutes=1)
    )
    queue.expire_due(me.project, timezone.now())
    assert "<b>1</b> open for me" in home(me.user)


def test_held_items_are_open_for_nobody() -> None:
    me = _reviewer_of(2)
    me.project.items.update(held=True)
    page = home(me.user)
    assert "<b>0</b> open for me" in page
    assert "Nothing open for you." in page


def test_it_shows_where_i_stopped() -> None:
    me = _reviewer_of(2)
    begun = _claim(me)
    labels = "+-".ljust(begun.item.solution.n_steps, ".")
    review.save_draft(by=me, assignment_id=begun.pk, data={"labels": labels}, version=0)
    page = home(me.user)
    assert f"item {begun.item_id}, 2 steps judged" in page
    assert f'href="/p/{me.project.slug}/review/{begun.pk}/">Continue' in page


def test_it_asks_to_read_new_guidelines_until_they_are_read() -> None:
    me = _reviewer_of(1)
    assert "version 1 is new to you" in home(me.user)
    Membership.objects.filter(pk=me.pk).update(guideline_read=1)
    assert "is new to you" not in home(me.user)


def test_it_counts_my_questions_and_not_others() -> None:
    me, other = _reviewer_of(1), factories.member(factories.project())
    _ask(me, me.project.items.get())
    lead = factories.member(me.project, role=Role.LEAD)
    assert "0 answered, 1 waiting" in home(me.user)
    assert "1 question to answer" in home(lead.user)
    answer_question(by=lead, project=me.project, question_id=Question.objects.get().pk, text="Yes.")
    assert "1 answered, 0 waiting" in home(me.user)
    assert "to answer" not in home(lead.user)
    assert "My questions" not in home(other.user)


def test_leads_see_conflicts_and_reviewers_do_not() -> None:
    me = _reviewer_of(1)
    lead = factories.member(me.project, role=Role.LEAD)
    me.project.items.update(decision="conflicted")
    assert "1 conflicted item<" in home(lead.user)
    assert "conflicted" not in home(me.user)


def test_health_and_favicon_need_no_account() -> None:
    assert Client().get("/healthz").content == b"ok"
    assert Client().get("/favicon.ico").headers["Location"].endswith("favicon.svg")


def _reviewer_of(n_items: int) -> Membership:
    project = factories.project()
    for number in range(n_items):
        factories.injected_item(project, number)
    return factories.member(project)


def _claim(me: Membership) -> Assignment:
    claimed = queue.claim(by=me)
    assert claimed
    return claimed


def _ask(me: Membership, item: Item) -> None:
    assert item
    review.ask(by=me, assignment_id=_claim(me).pk, text="Is it?")
