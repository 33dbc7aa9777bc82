"""The item browser, an item's page, holding, looking, and questions."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from annotator import errors, queue
from annotator.actions import items as act
from annotator.actions import review
from annotator.actions.questions import answer_question
from annotator.models import Assignment, AssignmentState, Decision, Event, Item, Membership, Question, Role
from annotator.policies import Operator
from annotator.views import paging
from tests import factories
from tests.annotator.reviewed import claimed, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def item() -> Item:
    """An item of kind "circular", wanted by two."""
    return factories.injected_item(factories.project(overlap=2))


@pytest.fixture
def lead(item: Item) -> Membership:
    return factories.member(item.project, "lena", role=Role.LEAD)


@pytest.fixture
def anna(item: Item) -> Membership:
    return factories.member(item.project, "anna")


def get(who: Membership, path: str, **data: Any) -> HttpResponse:
    client = Client()
    client.force_login(who.user)
    return client.get(f"/p/{who.project.slug}/{path}", data)


def text(who: Membership, path: str, **data: Any) -> str:
    response = get(who, path, **data)
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def post(who: Membership, path: str, **data: Any) -> HttpResponse:
    client = Client()
    client.force_login(who.user)
    return client.post(f"/p/{who.project.slug}/{path}", data)


def listed(lead: Membership, **filters: Any) -> list[int]:
    return [item.pk for item in get(lead, "items/", **filters).context["page"].rows]


def right(item: Item) -> str:
    return "+" * item.solution.n_steps


class TestBrowser:
    def test_it_shows_an_item_with_a_link(self, item: Item, lead: Membership) -> None:
        page = text(lead, "items/")
        assert f'href="/p/{item.project.slug}/items/{item.pk}/">{item.pk}</a>' in page
        assert "Three pencils and a jumbo eraser" in page
        assert "0 of 2" in page

    def test_without_items_it_says_to_import(self) -> None:
        lead = factories.member(factories.project(), role=Role.LEAD)
        assert "import solutions" in text(lead, "items/")

    def test_filters_choose(self, item: Item, lead: Membership, anna: Membership) -> None:
        held = factories.injected_item(item.project, 1, held=True, decision=Decision.CONFLICTED)
        plain = factories.plain_item(item.project, 2, open_slots=0, protocol="label_steps")
        submitted(anna, item, right(item))
        assert listed(lead) == [item.pk, held.pk, plain.pk]
        assert listed(lead, decision="conflicted") == [held.pk]
        assert listed(lead, kind=held.error_type) == [held.pk]
        assert listed(lead, kind="none") == [plain.pk]
        assert listed(lead, held="yes") == [held.pk]
        assert listed(lead, held="no") == [item.pk, plain.pk]
        assert listed(lead, open="yes") == [item.pk]
        assert listed(lead, open="no") == [held.pk, plain.pk]
        assert listed(lead, reviewer=anna.rater_id) == [item.pk]
        assert listed(lead, reviewer=lead.rater_id) == []
        assert listed(lead, q=plain.solution.foreign_id) == [plain.pk]
        assert listed(lead, held="yes", decision="agreed") == []

    def test_a_prefix_is_no_pattern(self, item: Item, lead: Membership) -> None:
        assert listed(lead, q=item.solution.foreign_id[:6]) == [item.pk]
        assert listed(lead, q="%") == listed(lead, q="_") == []
        assert listed(lead, q=item.solution.foreign_id[1:]) == []

    @pytest.mark.parametrize(
        "query",
        [{"decision": "x"}, {"kind": "x"}, {"held": "1"}, {"reviewer": "999"}, {"day": "x"}, {"q": "a\0"}],
    )
    def test_a_value_that_is_no_choice_is_refused(self, lead: Membership, query: dict[str, str]) -> None:
        assert get(lead, "items/", **query).status_code == 400

    @pytest.mark.parametrize(
        "query",
        [
            {"solution__annotations__labels__startswith": "-"},
            {"project": "2"},
            {"order_by": "solution__annotations"},
            {"after": "x"},
            {"after": "9" * 40},
        ],
    )
    def test_other_parameters_choose_nothing(
        self, item: Item, lead: Membership, query: dict[str, str]
    ) -> None:
        assert get(lead, "items/", **query).status_code == 200
        if "after" not in query:
            assert listed(lead, **query) == [item.pk]

    def test_pages_by_key_hold_every_item_once(
        self, item: Item, lead: Membership, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(paging, "PAGE", 2)
        for number in range(1, 5):
            factories.injected_item(item.project, number)
        seen, query = [], "held=no"
        while query is not None:
            response = get(lead, f"items/?{query}")
            seen += [row.pk for row in response.context["page"].rows]
            query = response.context["page"].query
        assert seen == list(item.project.items.order_by("id").values_list("id", flat=True))

    def test_a_page_of_disagreements(self, item: Item, lead: Membership, anna: Membership) -> None:
        other = factories.injected_item(item.project, 1)
        ben = factories.member(item.project)
        for which in (item, other):
            submitted(anna, which, right(which))
            submitted(ben, which, "-" + right(which)[1:] if which == other else right(which))
        assert listed(lead, disagree="people") == [other.pk]
        assert listed(lead, disagree="injector") == [item.pk, other.pk]
        assert listed(lead, disagree="injector", kind=item.error_type) == [item.pk]
        assert listed(lead, disagree="people", decision="agreed") == []
        assert listed(lead, disagree="injector", after=item.pk) == [other.pk]

    def test_another_projects_items_are_not_listed(self, item: Item) -> None:
        outsider = factories.member(factories.project(), role=Role.LEAD)
        assert listed(outsider) == []
        assert get(outsider, f"items/{item.pk}/").status_code == 404

    def test_reviewers_are_refused(self, item: Item, anna: Membership) -> None:
        assert get(anna, "items/").status_code == get(anna, f"items/{item.pk}/").status_code == 403


class TestPage:
    def test_it_shows_steps_beside_raters(self, item: Item, lead: Membership, anna: Membership) -> None:
        kinds = {"error_types": {"2": ["deception"]}}
        submitted(
            anna, item, "++-" + right(item)[3:], then="++-" + "-" * (item.solution.n_steps - 3), **kinds
        )
        response = get(lead, f"items/{item.pk}/")
        rows = [row for row in response.context["rows"] if row.number]
        assert [row.number for row in rows] == list(range(1, item.solution.n_steps + 1))
        assert [cell.rater for cell in rows[0].cells] == ["anna", "prmbench"]
        third, fourth = rows[2].cells[0], rows[3].cells[0]
        assert (third.mark.word, third.types, third.before) == ("wrong", ["deceptive"], None)
        assert (fourth.mark.word, fourth.before.word) == ("wrong", "correct")
        page = text(lead, f"items/{item.pk}/")
        assert "blind: ✓ correct" in page
        assert "accept" in page

    def test_the_original_stands_beside_what_changed(self, item: Item, lead: Membership) -> None:
        rows = get(lead, f"items/{item.pk}/").context["rows"]
        assert len([row for row in rows if row.old_number]) == item.solution.parent.n_steps
        changed = next(row for row in rows if row.op == "changed")
        shown = "".join(piece for _, piece in changed.new)
        assert shown == item.solution.steps[changed.number - 1]
        assert "circular" in text(lead, f"items/{item.pk}/")

    def test_an_item_without_original_or_labels(self, lead: Membership) -> None:
        plain = factories.plain_item(lead.project, protocol="label_steps")
        page = text(lead, f"items/{plain.pk}/")
        assert "no reviewer has submitted yet" in page
        assert "The claim" not in page

    def test_text_from_data_is_escaped(self, lead: Membership) -> None:
        bad = "<script>alert(1)</script>"
        shown = factories.solution(lead.project, bad, [bad, bad + "2"])
        hostile = factories.queued(lead.project, shown, held=True, held_because=bad, protocol="label_steps")
        Question.objects.create(project=lead.project, item=hostile, asked_by=lead.user, text=bad)
        for path in (f"items/{hostile.pk}/", "items/", "questions/"):
            assert "<script>alert" not in text(lead, path)

    def test_history_is_told_in_words(self, item: Item, lead: Membership, anna: Membership) -> None:
        mine = submitted(anna, item, right(item))
        review.reopen(by=anna, assignment_id=mine.pk)
        act.hold(by=lead, project=item.project, item_id=item.pk, because="No figure.")
        page = text(lead, f"items/{item.pk}/")
        told = [
            "anna submitted",
            "anna took their submission back",
            "lena held it: No figure.",
            "lena looked",
        ]
        assert [words in page for words in told] == [True] * 4

    def test_an_edit_is_shown_as_a_proposal(self, item: Item, lead: Membership, anna: Membership) -> None:
        submitted(anna, item, right(item), edit={"0": "1. Something else."})
        assert "anna proposes other steps" in text(lead, f"items/{item.pk}/")
        assert "Something else." in text(lead, f"items/{item.pk}/")


class TestLook:
    def test_whoever_looks_gets_no_slot(self, item: Item, lead: Membership) -> None:
        text(lead, f"items/{item.pk}/")
        assert Assignment.objects.get(item=item, rater=lead.rater).state == AssignmentState.BARRED
        assert queue.claim(by=lead) is None
        item.refresh_from_db()
        assert item.open_slots == 2

    def test_looking_again_writes_nothing(self, item: Item, lead: Membership) -> None:
        text(lead, f"items/{item.pk}/")
        text(lead, f"items/{item.pk}/")
        assert Event.objects.filter(item=item, verb="look").count() == 1

    def test_an_expired_claim_becomes_barred(self, item: Item, lead: Membership) -> None:
        mine = claimed(lead, item)
        Assignment.objects.filter(pk=mine.pk).update(state=AssignmentState.EXPIRED)
        act.look(by=lead, item=item)
        mine.refresh_from_db()
        assert mine.state == AssignmentState.BARRED

    @pytest.mark.parametrize("state", [AssignmentState.CLAIMED, AssignmentState.COMMITTED])
    def test_whoever_reviews_it_sees_nothing_before_they_are_done(
        self, item: Item, lead: Membership, state: str
    ) -> None:
        mine = claimed(lead, item)
        Assignment.objects.filter(pk=mine.pk).update(state=state)
        response = get(lead, f"items/{item.pk}/")
        assert response.status_code == 409
        assert b"prmbench" not in response.content
        mine.refresh_from_db()
        assert mine.state == state

    def test_submitted_work_stays_and_the_look_is_in_the_history(self, item: Item, lead: Membership) -> None:
        mine = submitted(lead, item, right(item))
        act.look(by=lead, item=item)
        mine.refresh_from_db()
        assert mine.state == AssignmentState.SUBMITTED
        assert Event.objects.filter(item=item, actor=lead.user, verb="look").exists()


class TestHold:
    def test_a_held_item_is_given_to_nobody_until_released(
        self, item: Item, lead: Membership, anna: Membership
    ) -> None:
        assert post(lead, f"items/{item.pk}/", do="hold", because="No figure.").status_code == 302
        assert queue.claim(by=anna) is None
        assert post(lead, f"items/{item.pk}/", do="release", because="Found it.").status_code == 302
        assert queue.claim(by=anna).item_id == item.pk
        assert [e.data["because"] for e in Event.objects.order_by("id")] == ["No figure.", "Found it."]

    def test_a_released_item_reaches_those_whose_place_has_passed_it(
        self, item: Item, lead: Membership, anna: Membership
    ) -> None:
        later = factories.injected_item(item.project, 1)
        act.hold(by=lead, project=item.project, item_id=item.pk, because="?")
        mine = queue.claim(by=anna)
        assert mine.item_id == later.pk
        review.skip(by=anna, assignment_id=mine.pk, reason="Mine.")
        act.release(by=lead, project=item.project, item_id=item.pk, because="!")
        assert queue.claim(by=anna).item_id == item.pk

    def test_twice_is_once(self, item: Item, lead: Membership) -> None:
        for _ in range(2):
            act.hold(by=lead, project=item.project, item_id=item.pk, because="No figure.")
        assert Event.objects.filter(verb="hold").count() == 1

    @pytest.mark.parametrize("do", [act.hold, act.release])
    def test_it_wants_a_reason(self, item: Item, lead: Membership, do: Any) -> None:
        with pytest.raises(errors.Incomplete, match="Say why"):
            do(by=lead, project=item.project, item_id=item.pk, because="  ")

    def test_it_is_for_leads_of_this_project(self, item: Item, anna: Membership) -> None:
        elsewhere = factories.member(factories.project(), role=Role.LEAD)
        with pytest.raises(errors.Forbidden):
            act.hold(by=anna, project=item.project, item_id=item.pk, because="?")
        with pytest.raises(errors.Missing):
            act.hold(by=elsewhere, project=item.project, item_id=item.pk, because="?")
        with pytest.raises(errors.Missing):
            act.hold(by=elsewhere, project=elsewhere.project, item_id=item.pk, because="?")

    def test_an_operator_may(self, item: Item) -> None:
        assert act.hold(by=Operator(), project=item.project, item_id=item.pk, because="?").held

    def test_an_unknown_act_is_refused(self, item: Item, lead: Membership) -> None:
        assert post(lead, f"items/{item.pk}/", do="delete").status_code == 400


class TestQuestions:
    @pytest.fixture
    def question(self, item: Item, anna: Membership) -> Question:
        return review.ask(by=anna, assignment_id=claimed(anna, item).pk, text="Is it redundant?")

    def test_a_lead_answers_and_the_reviewer_reads_it(
        self, question: Question, lead: Membership, anna: Membership
    ) -> None:
        assert "Is it redundant?" in text(lead, "questions/")
        assert "waiting" in text(anna, "questions/")
        assert post(lead, "questions/", question=question.pk, answer="It is.").status_code == 302
        assert "It is." in text(anna, "questions/")
        assert "Is it redundant?" not in text(lead, "questions/")
        assert "It is." in text(lead, "questions/", state="answered")
        assert Event.objects.filter(verb="answer", item=question.item, actor=lead.user).exists()

    def test_a_reviewer_sees_only_their_own(self, question: Question) -> None:
        other = factories.member(question.project)
        assert "redundant" not in text(other, "questions/")

    def test_a_reviewer_does_not_answer(self, question: Question, anna: Membership) -> None:
        assert post(anna, "questions/", question=question.pk, answer="Yes.").status_code == 403
        with pytest.raises(errors.Forbidden):
            answer_question(by=anna, project=question.project, question_id=question.pk, text="Yes.")

    def test_from_an_items_page_one_comes_back_to_it(self, question: Question, lead: Membership) -> None:
        sent = {"question": question.pk, "answer": "Yes.", "from": "item"}
        assert post(lead, "questions/", **sent).headers["Location"].endswith(f"/items/{question.item_id}/")

    @pytest.mark.parametrize("sent", [{"question": "x", "answer": "a"}, {"answer": "a"}])
    def test_an_answer_names_its_question(self, lead: Membership, sent: dict[str, str]) -> None:
        assert post(lead, "questions/", **sent).status_code == 400

    def test_an_empty_answer_is_refused(self, question: Question, lead: Membership) -> None:
        assert post(lead, "questions/", question=question.pk, answer=" ").status_code == 422

    def test_a_question_of_another_project_is_not_there(self, question: Question) -> None:
        elsewhere = factories.member(factories.project(), role=Role.LEAD)
        assert post(elsewhere, "questions/", question=question.pk, answer="Yes.").status_code == 404


def test_who_has_looked_may_not_reopen_their_own_work(item: Item, anna: Membership) -> None:
    done = submitted(anna, item, right(item))
    act.look(by=anna, item=item)
    with pytest.raises(errors.Conflict, match="seen what others said"):
        review.reopen(by=anna, assignment_id=done.pk)
