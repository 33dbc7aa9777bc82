"""Rules that put errors in: each does what it says, only where it surely is an error, and claims just that."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core import arithmetic
from annotator.core.align import bare
from annotator.core.checks import Injection, check
from synth.methods import rules
from synth.methods.injections import Injected

Source = tuple[str, Sequence[str]]

PLAYS = (
    "A play sold 40 tickets at $6 and some at $2, for $330 in all. How many tickets were sold?",
    (
        "The dear tickets brought in $40 \\cdot 6 = 240$ dollars.",
        "That leaves $330 - 240 = 90$ dollars for the cheap ones.",
        "So $90 \\div 2 = 45$ cheap tickets were sold.",
        "Together they are $40 + 45 = 85$, so the answer is $\\boxed{85}$.",
    ),
)
ROOTS = (
    "The product of $x-4$ and $x+1$ is zero for a width $x$. What is $x$?",
    (
        "Step 1. Expanding, $(x-4)(x+1)=x^2-3x-4$.",
        "Step 2. A width is positive, so it is the first factor that is zero.",
        "Step 3. Hence $x=4$.",
        "Step 4. The answer is $\\boxed{4}$.",
    ),
)
RECORDS = [json.loads(line) for line in Path("annotator/demo/problems.jsonl").read_text().splitlines()]
DEMO = list({one["original_question"]: tuple(one["original_process"]) for one in RECORDS}.items())


def made(source: Source, kind: str, seeds: int = 30) -> list[Injected]:
    return [found for seed in range(seeds) if (found := rules.inject(*source, kind, seed))]


def test_a_wrong_number_is_followed_where_every_use_can_be_worked_out() -> None:
    found = next(one for one in made(PLAYS, "deception") if one.claimed_wrong == (2, 3, 4))
    (false,) = arithmetic.false_equalities(found.steps[1])
    assert false.left == 90
    assert found.steps[2].startswith(f"So ${false.right} \\div 2 = ")
    assert not any(arithmetic.false_equalities(step) for step in found.steps[2:])
    assert found.claimed_changed == found.claimed_wrong
    assert "go on with the wrong one" in found.reason


def test_a_wrong_number_that_also_stands_for_something_else_is_not_followed() -> None:
    problem = "Elsewhere it was 90 and 45. " + PLAYS[0]
    found = [one for one in made((problem, PLAYS[1]), "deception") if one.claimed_wrong[0] in (2, 3)]
    assert found
    assert {len(one.claimed_wrong) for one in found} == {1}


def test_steps_that_cannot_be_worked_out_keep_the_right_number() -> None:
    steps = (PLAYS[1][1], "From $90 = 2c$ we get $c = 45$ by dividing.", PLAYS[1][3])
    found = [one for one in made((PLAYS[0], steps), "deception") if one.claimed_wrong[0] == 1]
    assert found
    assert {one.claimed_wrong for one in found} == {(1,)}
    assert {one.steps[1:] for one in found} == {steps[1:]}


def test_a_sign_is_turned_in_an_identity() -> None:
    found = {one.steps[0] for one in made(ROOTS, "counterfactual")}
    assert found == {
        "Step 1. Expanding, $(x-4)(x+1)=x^2+3x-4$.",
        "Step 1. Expanding, $(x-4)(x+1)=x^2-3x+4$.",
    }


def test_a_sign_is_turned_in_a_difference_but_not_in_a_sum() -> None:
    found = made(PLAYS, "counterfactual")
    assert {one.claimed_wrong for one in found} == {(2,)}
    assert found[0].steps[1] == "That leaves $330 - 240 = -90$ dollars for the cheap ones."


def test_certainty_stands_before_the_sentence_that_is_wrong() -> None:
    steps = ("We add. The sum is $12 + 13 = 25$.",)
    for found in made(("What is $12 + 13$?", steps), "confidence"):
        assert found.steps[0].startswith("We add. ")
        assert found.steps[0].split("We add. ")[1].split(" ")[0] in {
            "Obviously,", "Clearly,", "Without", "It", "Everyone",
        }  # fmt: skip
        assert arithmetic.false_equalities(found.steps[0])


def test_a_condition_is_dropped_and_only_its_step_is_wrong() -> None:
    (found,) = {one.steps for one in made(ROOTS, "missing_condition")}
    assert found[1] == "Step 2. So it is the first factor that is zero."
    assert made(ROOTS, "missing_condition")[0].claimed_wrong == (2,)


def test_a_condition_that_stands_elsewhere_too_is_not_missing() -> None:
    problem = ROOTS[0].replace("a width", "a positive width")
    assert made((problem, ROOTS[1]), "missing_condition") == []


def test_a_repetition_renumbers_the_steps_after_it() -> None:
    for found in made(ROOTS, "redundancy"):
        assert [step.split(".")[0] for step in found.steps] == [f"Step {n}" for n in range(1, 6)]
        (place,) = found.claimed_wrong
        rest = [bare(step) for n, step in enumerate(found.steps, 1) if n != place]
        assert rest == [bare(step) for step in ROOTS[1]]
        assert place < len(found.steps)  # the answer stays last


def test_a_loop_takes_a_result_for_granted_and_then_derives_it() -> None:
    found = next(one for one in made(ROOTS, "circular") if "$x = 4$" in one.reason)
    assert found.steps[2] == "Step 3. We may already use here that $x = 4$."
    assert found.steps[3] == "Step 4. Using that $x = 4$: $x=4$."
    assert found.claimed_wrong == (3, 4)


def test_a_value_contradicts_the_step_that_found_it() -> None:
    recalled = made(ROOTS, "step_contradiction")
    assert {one.claimed_wrong for one in recalled} == {(4,)}
    assert all(one.steps[3].startswith("Step 4. Recall that $x = ") for one in recalled)
    for found in made(PLAYS, "step_contradiction"):
        (place,) = found.claimed_wrong
        assert not arithmetic.false_equalities(
            found.steps[place - 1]
        )  # what follows in the step is worked out anew
        assert found.steps[place - 1] != PLAYS[1][place - 1]


@pytest.mark.parametrize(
    "supposed", ["If $x=4$, we are done.", "For $x=4$ it is zero.", "So $x=4$ or $x=-1$."]
)
def test_a_value_of_one_case_only_is_contradicted_by_nothing(supposed: str) -> None:
    assert made(("What is $x$?", (supposed, "We go on.", "It is done.")), "step_contradiction") == []


@pytest.mark.parametrize("kind", ["deception", "counterfactual", "confidence", "step_contradiction"])
def test_arithmetic_of_another_kind_is_left_alone(kind: str) -> None:
    assert made(("In base 7, " + PLAYS[0], PLAYS[1]), kind, 3) == []


@pytest.mark.parametrize("kind", [*rules.CANNOT, "no_such_kind"])
def test_it_says_which_kinds_it_cannot_do(kind: str) -> None:
    with pytest.raises(ValueError, match=r"rule|misapplied"):
        rules.inject(*PLAYS, kind)


@pytest.mark.parametrize("kind", rules.KINDS)
def test_the_demo_has_something_for_every_kind(kind: str) -> None:
    assert sum(rules.inject(*source, kind) is not None for source in DEMO) >= 3


@pytest.mark.parametrize("kind", rules.KINDS)
def test_what_holds_of_every_injection(kind: str) -> None:
    for source in [PLAYS, ROOTS, *DEMO]:
        assert_sound(source, kind, 1)


TEXT = st.one_of(
    st.sampled_from([step for _, steps in (PLAYS, ROOTS, *DEMO[:8]) for step in steps]),
    st.text(max_size=40),
    st.text("0123456789=+-*/.,$\\{}()^_ ax\n", max_size=30),
)


@given(TEXT, st.lists(TEXT, max_size=5), st.sampled_from(rules.KINDS), st.integers(0, 9))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_it_fail_or_lie(problem: str, steps: list[str], kind: str, seed: int) -> None:
    assert_sound((problem, steps), kind, seed)


def assert_sound(source: Source, kind: str, seed: int) -> None:
    """Never a no-op, claims that are in range and of changed steps only, the original whole, the same every time."""
    problem, steps = source
    before = list(steps)
    found = rules.inject(problem, steps, kind, seed)
    assert found == rules.inject(problem, list(steps), kind, seed)
    assert list(steps) == before
    if found is None:
        return
    assert (found.question, found.error_type) == (problem, kind)
    assert found.claimed_wrong
    assert set(found.claimed_wrong) <= set(found.claimed_changed) <= set(range(1, len(found.steps) + 1))
    rest = iter(map(bare, steps))
    unclaimed = [bare(step) for n, step in enumerate(found.steps, 1) if n not in found.claimed_changed]
    assert all(step in rest for step in unclaimed)  # what is not claimed is the original, in its order
    claim = Injection(problem, steps, kind, found.claimed_changed, found.claimed_wrong)
    codes = {one.code for one in check(found.steps, problem=problem, injection=claim)}
    assert not codes & {"no_op", "gives_away", "wrong_is_original", "wrong_out_of_range", "changed_verbatim"}
    assert "changed_unclaimed" not in codes
