"""Source selection: wholly right solutions only."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.methods.sources import REASONS, Candidate, Wanted, unfit


@pytest.mark.parametrize(
    ("candidate", "wanted", "why"),
    [
        ({"labels": "+++"}, {}, ""),
        ({"labels": "+++", "finish_reason": "solution"}, {}, ""),
        ({"labels": "+0+"}, {}, "neutral_step"),
        ({"labels": "+0+"}, {"neutral": True}, ""),
        ({"labels": "++-"}, {}, "wrong_step"),
        ({"labels": "++?"}, {}, "not_judged"),
        ({"labels": "++."}, {}, "not_judged"),
        ({"labels": "++"}, {}, "not_judged"),
        ({}, {}, "no_labels"),
        ({"labels": "+++", "finish_reason": "give_up"}, {}, "gave_up"),
        ({"labels": "+++", "is_made": True}, {}, "made_here"),
        ({"labels": "+++"}, {"fewest": 4}, "too_short"),
        ({"labels": "+++"}, {"most": 2}, "too_long"),
        ({"labels": "---", "gold": "+++"}, {"by": "gold"}, ""),
        ({"labels": "+++", "gold": "++-"}, {"by": "gold"}, "wrong_step"),
        ({"labels": "+++"}, {"by": "gold"}, "no_labels"),
        ({"verdict": "right"}, {"by": "answer"}, ""),
        ({"verdict": "wrong"}, {"by": "answer"}, "wrong_answer"),
        ({"verdict": "undecided"}, {"by": "answer"}, "undecided_answer"),
        ({"labels": "+++"}, {"by": "answer"}, "no_answer"),
    ],
)
def test_which_solutions_are_taken(candidate: dict[str, Any], wanted: dict[str, Any], why: str) -> None:
    assert unfit(Candidate(3, **candidate), Wanted(**wanted)) == why
    assert why == "" or why in REASONS


@given(st.text("+0-?.", min_size=1, max_size=5), st.integers(1, 5), st.booleans())
def test_no_labels_but_right_ones_for_every_step_are_taken(labels: str, n_steps: int, neutral: bool) -> None:
    taken = unfit(Candidate(n_steps, labels), Wanted(neutral=neutral, fewest=1)) == ""
    assert taken == (len(labels) == n_steps and set(labels) <= set("+0" if neutral else "+"))
