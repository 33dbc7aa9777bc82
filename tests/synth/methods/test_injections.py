"""Why an injection is not kept. One solution, and one edit of it for each reason."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.methods import injections
from synth.methods.injections import Injected, faults, remarks

PROBLEM = "A box holds 4 rows of 6 pears. Half of them are sold. How many are left?"
STEPS = ("There are 4 * 6 = 24 pears.", "Half of 24 is 12.", "So 24 - 12 = 12 pears are left.")
GOOD = Injected(
    PROBLEM,
    (STEPS[0], "Half of 24 is 14.", "So 24 - 14 = 10 pears are left."),
    (2, 3),
    (2, 3),
    "Half of 24 is 12.",
    "counterfactual",
)


def codes(**parts: Any) -> list[str]:
    return [found.code for found in faults(PROBLEM, STEPS, replace(GOOD, **parts))]


def test_a_sound_injection_has_no_fault() -> None:
    assert codes() == []


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("wrong_out_of_range", {"claimed_wrong": (2, 4), "claimed_changed": (2, 3, 4)}),
        ("changed_out_of_range", {"claimed_changed": (2, 3, 4)}),
        ("changed_out_of_range", {"claimed_changed": (0, 2, 3)}),
        ("wrong_not_changed", {"claimed_changed": (2,)}),
        ("no_op", {"steps": STEPS}),
        ("empty_step", {"steps": (*GOOD.steps[:2], " ")}),
        ("wrong_is_original", {"steps": (STEPS[0], STEPS[1], GOOD.steps[2])}),
        ("gives_away", {"steps": (STEPS[0], "Half of 24 is, by mistake, 14.", GOOD.steps[2])}),
        ("original_altered", {"steps": ("There are 4 times 6, so 24 pears.", *GOOD.steps[1:])}),
        ("nothing_wrong", {"claimed_wrong": ()}),
    ],
)
def test_each_fault_is_named(code: str, parts: dict[str, Any]) -> None:
    assert code in codes(**parts)
    assert injections.title(code) != code


def test_numbers_and_blanks_alter_nothing() -> None:
    assert codes(steps=("Step 1. " + STEPS[0] + " ", *GOOD.steps[1:])) == []


@pytest.mark.parametrize("kind", ["redundancy", "circular"])
def test_a_repeated_step_may_be_redundant_or_circular(kind: str) -> None:
    again = {"steps": (*STEPS[:2], STEPS[0], STEPS[2]), "claimed_changed": (3,), "claimed_wrong": (3,)}
    assert codes(**again, error_type=kind) == []
    assert codes(**again, error_type="deception") == ["wrong_is_original"]


def test_a_changed_problem_makes_a_step_wrong_that_stands_in_the_original() -> None:
    lacking = PROBLEM.replace("4 rows of ", "some rows of ")
    kept = {"question": lacking, "steps": STEPS, "claimed_changed": (1,), "claimed_wrong": (1,)}
    assert codes(**kept, error_type="missing_condition") == []
    assert codes(**kept, error_type="deception") == []


def test_final_step_length_and_problem_are_only_remarked_on() -> None:
    made = replace(
        GOOD, question=PROBLEM + " Say why.", steps=(*GOOD.steps, "Ten."), claimed_changed=(2, 3, 4)
    )
    assert faults(PROBLEM, STEPS, made) == ()
    assert {found.code for found in remarks(PROBLEM, STEPS, made)} >= {
        "final_step_changed",
        "length_changed",
        "question_changed",
    }


texts = st.text(max_size=12)


@given(
    st.lists(texts, min_size=1, max_size=4),
    st.lists(texts, max_size=4),
    st.lists(st.integers(-2, 6), max_size=4),
    st.lists(st.integers(-2, 6), max_size=4),
    st.sampled_from(injections.KINDS),
)
def test_whatever_is_claimed_is_judged(
    steps: list[str], new: list[str], changed: list[int], wrong: list[int], kind: str
) -> None:
    made = Injected("q", tuple(new), tuple(changed), tuple(wrong), "", kind)
    if not faults("q", steps, made):
        assert wrong
        assert set(wrong) <= set(changed) <= set(range(1, len(new) + 1))
        assert all(step.strip() for step in new)
        assert list(new) != steps
