"""What a unit's outcome becomes: annotations, solutions with their claims and findings, items; made twice it is one."""

import pytest
from django.db import IntegrityError

from annotator import queue
from annotator.actions import machine_rows as rows
from annotator.actions.findings import PRIORITY
from annotator.actions.machine_rows import Injected, Judged
from annotator.core import align
from annotator.core import labels as lab
from annotator.formats import best_of_n
from annotator.models import (
    Annotation,
    Decision,
    Finding,
    Injection,
    Item,
    Problem,
    Project,
    Protocol,
    Rater,
    RaterKind,
    Solution,
    Unit,
)
from tests import factories as make

pytestmark = pytest.mark.django_db
STEPS = ["2 + 2 = 4.", "4 + 3 = 7.", "So it is 7."]
WRONG = ["2 + 2 = 4.", "4 + 3 = 8.", "So it is 8."]


@pytest.fixture
def project() -> Project:
    return make.project(overlap=2)


@pytest.fixture
def unit(project: Project) -> Unit:
    return make.unit(make.run(project, "inject"))


@pytest.fixture
def parent(project: Project) -> Solution:
    found = make.solution(project, "What is 2 + 2 + 3?", STEPS, answer="7")
    Problem.objects.update(group="g", foreign_id="p7")
    found.problem.refresh_from_db()
    return found


@pytest.fixture
def rater() -> Rater:
    return rows.rater_of(RaterKind.INJECTOR, "m", {"model": "m", "temperature": 1.0})


def made(**values: object) -> Injected:
    usual = {
        "steps": WRONG,
        "error_type": "deception",
        "claimed_changed": [2, 3],
        "claimed_wrong": [2],
        "reason": "It is 7.",
    }
    return Injected(**{**usual, **values})  # type: ignore[arg-type]


# --- Raters --------------------------------------------------------------------------------------------


def test_another_spec_is_another_rater(rater: Rater) -> None:
    assert rows.rater_of(RaterKind.INJECTOR, "m", {"model": "m", "temperature": 1.0}) == rater
    assert rows.rater_of(RaterKind.INJECTOR, "m", {"model": "m", "temperature": 0.0}) != rater
    assert rows.rater_of(RaterKind.JUDGE, "m", {"model": "m", "temperature": 1.0}) != rater


# --- Annotations ---------------------------------------------------------------------------------------


def test_a_second_word_supersedes_the_first_and_both_are_kept(
    unit: Unit, rater: Rater, parent: Solution
) -> None:
    other = rows.rater_of(RaterKind.JUDGE, "other", {})
    rows.annotate(unit, other, parent, Judged("+++"))
    first = rows.annotate(unit, rater, parent, Judged("+-.", note="because"))
    second = rows.annotate(unit, rater, parent, Judged("+++", scores=(1.0, 0.5, 0.25)))
    first.refresh_from_db()
    assert first.superseded_at
    current = Annotation.objects.filter(solution=parent, superseded_at=None)
    assert {row.rater_id: row.labels for row in current} == {rater.pk: "+++", other.pk: "+++"}
    assert (first.first_error, second.first_error, second.scores) == (1, lab.NO_ERROR, [1.0, 0.5, 0.25])
    assert (first.unit, first.phase, first.note) == (unit, "machine", "because")
    rows.withdraw(rater, parent)
    assert list(current.values_list("rater", flat=True)) == [other.pk]


def test_labels_that_do_not_fit_the_steps_are_refused(unit: Unit, rater: Rater, parent: Solution) -> None:
    with pytest.raises(IntegrityError):
        rows.annotate(unit, rater, parent, Judged("++"))


def test_what_could_not_be_read_says_nothing_and_is_counted(
    unit: Unit, rater: Rater, parent: Solution
) -> None:
    row = rows.annotate(unit, rater, parent, Judged("...", is_parsed=False))
    assert (row.is_parsed, row.first_error) == (False, lab.UNKNOWN)


# --- Injections ----------------------------------------------------------------------------------------


def test_an_injection_is_stored_whole_and_queued(
    unit: Unit, rater: Rater, parent: Solution, project: Project
) -> None:
    child = rows.inject(unit, rater, parent, made(meta={"injector": "m"}))
    assert (child.parent, child.problem, child.unit) == (parent, parent.problem, unit)
    assert child.foreign_id == "deception_g"
    assert child.meta == {"length": 3, "injector": "m"}
    claim = Injection.objects.get(child=child)
    assert (claim.claimed_changed, claim.claimed_wrong, claim.reason, claim.rater) == (
        [2, 3],
        [2],
        "It is 7.",
        rater,
    )
    assert [pair.op for pair in align.load(claim.alignment)] == ["equal", "changed", "changed"]
    assert Annotation.objects.get(solution=child).labels == "+-+"
    item = Item.objects.get(solution=child)
    assert (item.protocol, item.error_type, item.wanted, item.open_slots) == (
        Protocol.VERIFY_INJECTION, "deception", project.overlap, project.overlap,
    )  # fmt: skip
    assert item.decision == Decision.INCOMPLETE
    held = queue.claim(by=make.member(project))
    assert held
    assert held.item == item


def test_the_same_injection_twice_is_one(unit: Unit, rater: Rater, parent: Solution) -> None:
    first = rows.inject(unit, rater, parent, made())
    assert rows.inject(unit, rater, parent, made(reason="said otherwise")) == first
    assert (Injection.objects.count(), Item.objects.count(), Annotation.objects.count()) == (1, 1, 1)
    rows.inject(unit, rater, parent, made(error_type="confidence"))  # another kind is another claim
    assert (Injection.objects.count(), Item.objects.count()) == (2, 2)


def test_a_claim_out_of_range_is_kept_verbatim_and_only_what_is_usable_is_labelled(
    unit: Unit, rater: Rater, parent: Solution
) -> None:
    child = rows.inject(unit, rater, parent, made(claimed_wrong=[9, 3, 2]))
    assert Injection.objects.get(child=child).claimed_wrong == [9, 3, 2]
    assert Annotation.objects.get(solution=child).labels == "+--"


def test_a_changed_question_is_a_child_of_the_problem(unit: Unit, rater: Rater, parent: Solution) -> None:
    child = rows.inject(
        unit, rater, parent, made(error_type="missing_condition", question="What is 2 + 2 + x?")
    )
    assert child.problem != parent.problem
    assert (child.problem.parent, child.problem.group, child.problem.answer) == (parent.problem, "g", None)
    again = rows.inject(unit, rater, parent, made(error_type="deception", question="What is 2 + 2 + x?"))
    assert again.problem == child.problem
    assert rows.inject(unit, rater, parent, made(question=parent.problem.text)).problem == parent.problem


def test_another_solution_is_to_be_checked_not_verified(unit: Unit, rater: Rater, parent: Solution) -> None:
    child = rows.inject(
        unit, rater, parent,
        Injected(["3 + 2 = 5.", "5 + 2 = 7."], lab.MULTI_SOLUTIONS),
    )  # fmt: skip
    assert Item.objects.get(solution=child).protocol == Protocol.CHECK_SOLUTION
    assert Annotation.objects.get(solution=child).labels == "++"


def test_what_checks_doubt_comes_first(unit: Unit, rater: Rater, parent: Solution) -> None:
    """A claim of a step that is not there is a finding that means trouble."""
    child = rows.inject(unit, rater, parent, made(claimed_changed=[9], claimed_wrong=[9]))
    assert Finding.objects.filter(solution=child).exists()
    assert Item.objects.get(solution=child).priority == PRIORITY


# --- Samples -------------------------------------------------------------------------------------------


def sampled(unit: Unit, problem: Problem, place: int = 0, steps: list[str] | None = None) -> Solution:
    steps = steps or STEPS
    return rows.sample(
        unit, problem, steps, place=place, response="\n\n".join(steps), meta={"generator": "m"}
    )


def test_samples_of_one_run_are_a_set_and_are_not_queued(unit: Unit, parent: Solution) -> None:
    problem = parent.problem
    first, second = (
        sampled(unit, problem, 0),
        sampled(unit, problem, 1),
    )  # equal texts stay apart by their place
    assert first != second
    assert sampled(unit, problem, 0) == first
    assert [row.foreign_id for row in (first, second)] == [f"p7.{unit.run_id}/0", f"p7.{unit.run_id}/1"]
    assert first.foreign_format == best_of_n.NAME
    assert first.meta == {"length": 3, "sample": 0, "run": unit.run_id, "generator": "m"}
    assert not Item.objects.exists()


def test_another_run_has_a_whole_set_of_its_own_even_where_it_draws_the_same(
    unit: Unit, parent: Solution
) -> None:
    other = make.unit(make.run(unit.run.project, "sample"))
    first, second = sampled(unit, parent.problem), sampled(other, parent.problem)
    assert first.digest == second.digest
    assert (first.foreign_id, second.foreign_id) == (f"p7.{unit.run_id}/0", f"p7.{other.run_id}/0")


# --- The queue -----------------------------------------------------------------------------------------


def test_what_is_queued_already_may_only_move_up(parent: Solution) -> None:
    first = rows.queue_up(parent, Protocol.VERIFY_LABELS, priority=PRIORITY)
    assert rows.queue_up(parent, Protocol.VERIFY_LABELS) == first
    first.refresh_from_db()
    assert first.priority == PRIORITY
    rows.queue_up(parent, Protocol.VERIFY_LABELS, priority=PRIORITY + 1)
    first.refresh_from_db()
    assert first.priority == PRIORITY + 1
    rows.queue_up(parent, Protocol.LABEL_STEPS)
    assert Item.objects.count() == 2


def test_a_note_of_trouble_moves_items_up_once(parent: Solution) -> None:
    item = rows.queue_up(parent, Protocol.VERIFY_LABELS)
    for _ in range(2):
        rows.note(parent, "none_but_wrong", "The final answer is wrong.")
    item.refresh_from_db()
    assert item.priority == PRIORITY
    assert Finding.objects.filter(solution=parent, code="none_but_wrong").count() == 1
