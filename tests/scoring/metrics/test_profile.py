"""Profiles by hand and against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from scoring.metrics import profile
from scoring.metrics.profile import Scored


def test_minimum_at_last_by_hand() -> None:
    solutions = [Scored([0.9, 0.1]), Scored([0.1, 0.1]), Scored([0.1, 0.9]), Scored([0.5]), Scored([])]
    assert profile.minimum_at_last(solutions) == 50  # the first and the single step; a tie is the first's
    assert profile.minimum_at_last([]) is None


def test_steps_without_a_label_or_a_score_do_not_count() -> None:
    scores, is_right = profile.steps([Scored([0.9, 0.8, 0.3, 0.2], "+0-?"), Scored([0.5], "..+")])
    assert scores.tolist() == [0.9, 0.8, 0.3]
    assert is_right.tolist() == [True, True, False]


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=2, max_size=60))
def test_auc_equals_sklearn_ties_included(pairs: list[tuple[float, bool]]) -> None:
    scores, is_right = np.array([s for s, _ in pairs]), np.array([r for _, r in pairs])
    found = profile.auc(scores, is_right)
    if is_right.all() or not is_right.any():
        assert found is None
    else:
        assert found == pytest.approx(roc_auc_score(is_right, scores))


def test_histograms_hold_every_step_also_outside_0_and_1() -> None:
    scores, is_right = np.array([-2.0, 0.5, 3.0]), np.array([True, False, True])
    found = profile.histograms(scores, is_right)
    assert (sum(found["right"]), sum(found["wrong"])) == (2, 1)
    assert (found["edges"][0], found["edges"][-1]) == (-2, 3)


def test_calibration_by_hand() -> None:
    scores, is_right = np.array([0.95, 0.95, 0.15, 1.0]), np.array([True, False, False, True])
    found = profile.calibration(scores, is_right)
    assert found is not None
    top = found["bins"][9]
    assert (top["n"], top["score"], top["right"]) == (3, pytest.approx(2.9 / 3), pytest.approx(2 / 3))
    # Three at .9667 of which two thirds are right, one at .15 that is wrong: (3 * .3 + .15) / 4.
    assert found["error"] == pytest.approx((3 * 0.3 + 0.15) / 4)
    assert profile.calibration(np.array([1.5]), np.array([True])) is None
    assert profile.calibration(np.array([]), np.array([], dtype=bool)) is None
