"""What the one review page shows and asks under each protocol, without a browser."""

import json
from typing import Any

import pytest

from annotator.core import findings as found
from annotator.models import Annotation, Assignment, Finding, Item, Problem, Protocol, Rater, Role
from annotator.views.review_reveal import differ
from tests import factories as make
from tests.annotator.test_review_page import VERDICT, Desk, signed_in
from tests.made import MADE, Made

pytestmark = pytest.mark.django_db

OWN = [
    {"code": "edit", "title": "wrong unit", "key": "p", "definition": "Metres are no seconds."},
    {"code": "typo", "title": "typo", "key": "j", "definition": "Letters out of order."},
]


def config_of(html: str) -> dict[str, Any]:
    text = html.split('<script id="review-config" type="application/json">')[1].split("</script>")[0]
    found: dict[str, Any] = json.loads(text)
    return found


# --- Label steps --------------------------------------------------------------------------------------


def label_steps(**values: Any) -> Desk:
    return Desk(make.plain_item(make.project(protocol=Protocol.LABEL_STEPS, **values), 1))


def test_a_project_may_want_labels_after_the_first_error() -> None:
    desk = label_steps(label_after_error=True)
    html = desk.html()
    assert "blind stops" not in html
    assert "Judge every step" in html
    refused = desk.post("submit", "+-..")
    assert refused.status_code == 422
    assert "step 3" in refused.content.decode()
    assert desk.post("submit", "+-+0").status_code == 302


def test_bulk_labels_past_the_stop_do_not_count_and_those_by_hand_do() -> None:
    desk = label_steps()
    desk.post("submit", "+-+-", bulk="0+,2+", type__3=["circular"])
    stored = Annotation.objects.get()
    assert (stored.labels, stored.finish_reason, stored.bulk) == ("+-.-", "found_error", [0])
    assert stored.error_types == {"3": ["circular"]}


def test_an_error_in_the_last_step_is_an_error_found() -> None:
    desk = label_steps()
    desk.post("submit", "+++-")
    assert Annotation.objects.get().finish_reason == "found_error"


def test_the_rest_is_labelled_like_a_step_without_a_script() -> None:
    desk = label_steps()
    response = desk.post("", "0+", following="1")
    assert response["Location"] == f"{desk.url}#s1"
    assert (desk.draft()["labels"], desk.draft()["bulk"]) == ("0+++", [2, 3])
    html = desk.html()
    assert 'name="bulk" value="2+,3+"' in html
    assert html.count('class="step bulk"') == 2


def test_a_bulk_step_that_is_labelled_by_hand_is_none_anymore() -> None:
    desk = label_steps()
    desk.post("submit", "0+-", bulk="1+,2+,9+,x,1")
    assert Annotation.objects.get().bulk == [1]


def test_only_a_label_that_there_is_is_given_on() -> None:
    desk = label_steps()
    for step in ("2", "9", "x", "-1", "99999"):
        refused = desk.post("", "0+", following=step)
        assert refused.status_code == 400, step
    assert desk.draft() == {}


def test_without_a_bulk_act_there_is_no_bulk() -> None:
    desk = label_steps()
    desk.post("submit", "++++")
    assert Annotation.objects.get().bulk is None


# --- Verify labels ------------------------------------------------------------------------------------


@pytest.fixture
def checked() -> Item:
    """A judge, a PRM with scores and rollouts (k of 8) have labelled four steps."""
    item = make.plain_item(make.project(protocol=Protocol.VERIFY_LABELS, overlap=9), 1)
    judge = Rater.objects.create(kind="judge", name="judge-of-names")
    prm = Rater.objects.create(kind="prm", name="prm-of-names")
    rollouts = Rater.objects.create(kind="rollouts", name="rollouts-of-names", spec={"n": 8})
    make.machine_labels(item.solution, judge, "+-..")
    for rater, labels, scores in (
        (prm, "+--+", [0.831, 0.2, None, 0.9]),
        (rollouts, "++-+", [1.0, 0.75, 0, 1]),
    ):
        row = make.machine_labels(item.solution, rater, labels)
        Annotation.objects.filter(pk=row.pk).update(scores=scores)
    Annotation.objects.filter(rater=prm).update(redundancy_labels="++-+")
    return item


NAMES = ("judge<", "judge <", "prm", "rollouts", "-of-names", "6/8")


def test_machines_are_letters_until_the_last_word_is_in(checked: Item) -> None:
    desk = Desk(checked)
    assert 'class="said' not in desk.html()
    desk.post("commit", "++++")
    html = desk.html().split('<form method="post" id="review"')[1].split("<script")[0]
    assert not [name for name in NAMES if name in html]
    assert all(f">{letter} <span" in html for letter in "ABC")
    assert "0.83" in html
    assert "0.75" in html
    assert html.count("redundant</small>") == 1
    assert "2 of 4 steps differ from yours" in html
    desk.post("submit", "++++")
    html = desk.html()
    assert ">A <span" not in html
    assert all(f">{name} <span" in html for name in ("judge", "prm", "rollouts"))
    assert "6/8" in html


def test_the_order_of_machines_is_drawn_for_each_assignment(checked: Item) -> None:
    orders = set()
    for _ in range(9):
        desk = Desk(checked)
        desk.post("commit", "++++")
        first = desk.html()
        assert first.split("data-said")[1][:8] == desk.html().split("data-said")[1][:8]
        orders.add(desk.html().split('data-said="')[2][:3])
    assert len(orders) > 1


def test_who_did_not_judge_a_step_does_not_differ() -> None:
    assert differ("-", "+")
    assert differ("0", "+")
    assert not differ(".", "+")
    assert not differ("+", "+")
    assert not differ("+", ".")


def test_verifying_labels_asks_nothing(checked: Item) -> None:
    desk = Desk(checked)
    desk.post("commit", "++++")
    assert 'class="question' not in desk.html()
    desk.post("submit", "+-++")
    assert Annotation.objects.get(phase="revealed").verdict is None


def test_what_could_not_be_read_is_not_shown(checked: Item) -> None:
    Annotation.objects.filter(rater__kind="judge").update(is_parsed=False)
    desk = Desk(checked)
    desk.post("commit", "++++")
    assert ">C <span" not in desk.html()


# --- Check solution -----------------------------------------------------------------------------------


def check_solution(last: str, answer: str | None) -> str:
    made = Made("What is $1/2 + 1/2$?", "", ["It is 1."], "multi_solutions", ["Twice.", last], [], "")
    item = make.injected_item(make.project(protocol=Protocol.CHECK_SOLUTION), made=made)
    Problem.objects.update(answer=answer)
    html = Desk(item).html()
    return html.split('<p class="ending">')[1].split("</p>")[0] if '<p class="ending">' in html else ""


@pytest.mark.parametrize(
    ("last", "answer", "said"),
    [
        ("So \\boxed{1}.", "1", "the same"),
        ("So \\boxed{2}.", "1", "another answer"),
        ("So \\boxed{2x}.", "1", "cannot tell if the same"),
        ("So it ends.", "1", "Answer at the end: none found"),
        ("So \\boxed{1}.", None, "Reference: none"),
    ],
)
def test_the_answer_at_the_end_is_compared(last: str, answer: str | None, said: str) -> None:
    assert said in check_solution(last, answer)


def test_a_boxed_formula_is_set() -> None:
    assert 'class="tex">$\\frac{1}{2}$' in check_solution("So \\boxed{\\frac{1}{2}}.", "1/2")


def test_check_solution_stores_three_answers_and_shows_the_original() -> None:
    desk = Desk(make.injected_item(make.project(protocol=Protocol.CHECK_SOLUTION), 1))
    html = desk.html()
    assert "What changed" in html
    assert html.count('<fieldset class="question') == 3
    answers = {"right": "yes", "different": "no", "answer": "wrong"}
    desk.post("submit", "++++", **{f"verdict-{name}": value for name, value in answers.items()})
    assert Annotation.objects.get(rater=desk.member.rater).verdict == answers


def test_other_protocols_compute_no_answer() -> None:
    assert '<p class="ending">' not in label_steps().html()


# --- Verify injection ---------------------------------------------------------------------------------


def test_findings_are_shown_after_the_commit_only() -> None:
    desk = Desk(make.injected_item(make.project(), 1))
    for code, position, detail in (
        ("wrong_is_original", 1, "step 2 <of> the original"),
        ("no_op", None, ""),
        ("code_of_long_ago", 0, ""),
    ):
        Finding.objects.create(
            project=desk.project, solution=desk.item.solution, code=code, position=position, detail=detail
        )
    code = found.CODES["wrong_is_original"]
    assert code.title not in desk.html()
    desk.post("commit", "++++")
    html = desk.html()
    step = html.split('id="s1"')[1].split('id="s2"')[0]
    assert f"{code.title}: step 2 &lt;of&gt; the original" in step
    assert found.CODES["no_op"].advice in html.split('<ol class="steps">')[0]
    assert "code of long ago" in html


# --- A project's own error types ----------------------------------------------------------------------


def own_types(**values: Any) -> Desk:
    return Desk(make.injected_item(make.project(error_types=OWN, **values), 1))


def test_a_project_names_its_own_error_types() -> None:
    desk = own_types()
    html = desk.html()
    assert "<kbd>p</kbd>wrong unit" in html
    assert 'value="typo">typo</label>' in html  # its key is that of another action
    assert "counterfactual" not in html
    config = config_of(html)
    assert config["types"][0] == ["edit", "p", "error type: wrong unit", "Metres are no seconds."]
    assert config["types"][1][:3] == ["typo", "", "error type: typo (its key is that of: next step)"]
    assert desk.post("commit", "+-++", type__1=["counterfactual"]).status_code == 400
    desk.post("commit", "+-++", type__1=["edit"])
    assert Annotation.objects.get(phase="blind").error_types == {"1": ["edit"]}


def test_a_claimed_kind_that_a_project_has_not_is_not_chosen_for_anybody() -> None:
    desk = own_types()
    desk.post("commit", "+-++")
    html = desk.html()
    assert '<option value="" selected>choose</option>' in html
    assert "false fact" in html  # the claim itself, as the format has it
    assert desk.post("submit", "+-++", **{**VERDICT, "verdict-kind": "counterfactual"}).status_code == 400
    assert desk.post("submit", "+-++", **{**VERDICT, "verdict-kind": "edit"}).status_code == 302


def test_a_draft_with_a_type_that_a_project_gave_up_opens() -> None:
    desk = Desk(make.injected_item(make.project(), 1))
    desk.post("save", "+-++", type__1=["counterfactual"])
    desk.project.error_types = OWN
    desk.project.save()
    assert 'name="label-1" value="-" aria-label="wrong" checked' in desk.html()


# --- Taken down ---------------------------------------------------------------------------------------


def test_a_problem_that_was_taken_down_says_so() -> None:
    desk = Desk(make.injected_item(make.project(), 1))
    Problem.objects.update(taken_down_at="2026-01-02T03:04:05Z", text="", answer="")
    html = desk.html()
    assert "taken down" in html
    assert "Go on to the next item" in html
    assert 'class="step' not in html
    assert MADE[1].changed_steps[1][:10] not in html
    assert Assignment.objects.count() == 1


# --- As a lead reads it -------------------------------------------------------------------------------


def item_page(desk: Desk) -> str:
    lead = signed_in(make.member(desk.project, "lead", Role.LEAD))
    return lead.get(f"/p/{desk.project.slug}/items/{desk.item.pk}/").content.decode()


def test_an_items_page_marks_what_was_labelled_in_bulk() -> None:
    desk = label_steps()
    desk.post("submit", "0+++", bulk="2+,3+")
    assert item_page(desk).count(">bulk</small>") == 2


def test_an_items_page_shows_the_answers_of_its_protocol() -> None:
    desk = Desk(make.injected_item(make.project(protocol=Protocol.CHECK_SOLUTION), 1))
    desk.post(
        "submit", "++++", **{"verdict-right": "yes", "verdict-different": "no", "verdict-answer": "wrong"}
    )
    table = item_page(desk).split("<caption>What people answered")[1].split("</table>")[0]
    assert "<td>yes</td><td>no</td><td>wrong</td>" in table
    assert "Different</th>" in table
    assert "Claim" not in table


def test_an_items_page_names_a_projects_own_types() -> None:
    desk = own_types()
    desk.post("commit", "+-++", type__1=["edit"])
    desk.post("submit", "+-++", type__1=["edit"], **{**VERDICT, "verdict-kind": "typo"})
    html = item_page(desk)
    assert '<span class="types">wrong unit</span>' in html
    assert "<td>typo</td>" in html
