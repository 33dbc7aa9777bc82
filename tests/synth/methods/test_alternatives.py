"""Alternative solutions: right ones that differ."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.methods.alternatives import REASONS, AlternativesHow, alternatives, likeness, spec
from synth.methods.asks import Reply
from tests.synth.methods.driven import drive

PROBLEM = "Add the numbers from 1 to 4."
STEPS = ("First 1 + 2 = 3.", "Then 3 + 3 = 6.", "Last 6 + 4 = 10, so \\boxed{10}.")
OTHER = "Pair the ends: 1 + 4 = 5 and 2 + 3 = 5.\n\nTwo pairs of five make \\boxed{10}."
COPY = "1. First, 1 + 2 = 3.\n\n2. Then 3 + 3 = 6.\n\n3. Last, 6 + 4 = 10, so \\boxed{10}."


def test_right_solutions_that_differ_are_kept_and_the_rest_is_dropped_with_its_reason() -> None:
    replies = [
        OTHER,
        COPY,
        OTHER.replace("10", "11"),
        "",
        Reply(OTHER, "length"),
        "No idea.",
        OTHER + " Yes.",
    ]
    found, asked = drive(alternatives(PROBLEM, STEPS, "10", AlternativesHow(n=7)), replies)
    assert [one.draw.n for one in found.kept] == [0]
    assert [(one.draw.n, one.because, one.of) for one in found.dropped] == [
        (1, "near_copy", None),
        (2, "wrong", None),
        (3, "empty", None),
        (4, "unfinished", None),
        (5, "undecided", None),
        (6, "near_copy", 0),
    ]
    assert {one.because for one in found.dropped} == set(REASONS)
    assert found.kept[0].likeness < 0.85 <= (found.dropped[0].likeness or 0)
    assert STEPS[0] not in asked[0].messages[-1]["content"]


def test_without_a_reference_answer_none_is_checked() -> None:
    found, _ = drive(alternatives(PROBLEM, STEPS, None, AlternativesHow(n=1)), [OTHER.replace("10", "11")])
    assert [one.draw.verdict for one in found.kept] == [None]


def test_the_known_solution_is_shown_where_the_settings_say_so() -> None:
    how = AlternativesHow(n=1, shows=True)
    _, asked = drive(alternatives(PROBLEM, STEPS, "10", how), [OTHER])
    assert STEPS[0] in asked[0].messages[-1]["content"]
    assert spec(how, "m") != spec(AlternativesHow(n=1), "m")
    assert spec(how, "m") == spec(AlternativesHow(n=1, shows=True, nearest=0.6), "m")


@pytest.mark.parametrize(
    ("a", "b", "least", "most"),
    [
        (STEPS, STEPS, 1, 1),
        (STEPS, STEPS[::-1], 1, 1),  # the same steps in another order
        (STEPS, tuple(f"Step {n}.  {step}" for n, step in enumerate(STEPS, 1)), 1, 1),
        (STEPS, (*STEPS, "This is a step that has nothing to do with the other ones at all."), 0.7, 0.8),
        (("aaaa",), ("bbbb",), 0, 0),
        ((), (), 1, 1),
        ((), STEPS, 0, 0),
    ],
)
def test_likeness(a: tuple[str, ...], b: tuple[str, ...], least: float, most: float) -> None:
    assert least <= likeness(a, b) <= most


solutions = st.lists(st.text(max_size=8), max_size=4)


@given(solutions, solutions)
def test_likeness_is_from_0_to_1_and_1_for_the_same(a: list[str], b: list[str]) -> None:
    assert 0 <= likeness(a, b) <= 1
    assert likeness(a, a) == 1
