"""Two sides against scikit-learn and by hand; first errors by table."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from annotator.core import pairs
from annotator.core.coefficients import NOT_BOTH, ONE_LABEL
from annotator.core.labels import NO_ERROR, UNKNOWN


def _one_hot(values: np.ndarray) -> np.ndarray:
    return (values[:, np.newaxis] == np.arange(3)).astype(np.int64)  # -1 is a row of zeros


@pytest.mark.parametrize("power", [0, 1, 2])
def test_kappa_of_sums_equals_sklearn_whatever_the_clusters(power: int) -> None:
    generator = np.random.default_rng(power)
    for _ in range(200):
        a, b = generator.integers(-1, 3, size=(2, 50))
        both = (a >= 0) & (b >= 0)
        sums = pairs.confusion_sums(_one_hot(a), _one_hot(b), np.arange(50) // 4)
        found = pairs.estimate(sums, pairs.kappa(power), draws=2)
        weights = {0: None, 1: "linear", 2: "quadratic"}[power]
        expected = cohen_kappa_score(a[both], b[both], weights=weights, labels=[0, 1, 2])
        assert found.statistic.value == pytest.approx(expected, abs=1e-12)
        assert found.statistic.n == both.sum()


def test_percent_by_hand() -> None:
    a, b = np.array([2, 2, 0, 1, -1]), np.array([2, 0, 0, -1, 2])
    found = pairs.estimate(
        pairs.confusion_sums(_one_hot(a), _one_hot(b), np.arange(5)), pairs.percent, draws=50
    )
    assert found.statistic == (pytest.approx(2 / 3), 3, "")


def test_a_side_of_several_makes_every_pair_once() -> None:
    left, right = np.array([[1, 0, 2]]), np.array([[1, 0, 1]])
    assert pairs.confusion_sums(left, right, np.array([9])).reshape(3, 3).tolist() == [
        [1, 0, 1], [0, 0, 0], [2, 0, 2],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "other", "within", "agreed", "known"),
    [
        (2, 2, 0, True, True),
        (2, 3, 0, False, True),
        (2, 3, 1, True, True),
        (2, 4, 1, False, True),
        (NO_ERROR, NO_ERROR, 0, True, True),
        (0, NO_ERROR, 1, False, True),  # the codes are neighbours, the meanings are not
        (UNKNOWN, UNKNOWN, 1, False, False),
        (UNKNOWN, NO_ERROR, 1, False, False),
    ],
)
def test_first_errors(first: int, other: int, within: int, agreed: bool, known: bool) -> None:
    found = pairs.same_first_error(np.array([first]), np.array([other]), within)
    assert [bool(part[0]) for part in found] == [agreed, known]


def test_share_counts_only_what_can_be_compared() -> None:
    first, other = np.array([1, 1, 4, UNKNOWN]), np.array([1, 2, 4, 0])
    sums = pairs.share_sums(*pairs.same_first_error(first, other), np.array([1, 1, 2, 3]))
    assert pairs.share_estimate(sums, draws=10).statistic == (pytest.approx(2 / 3), 3, "")


def test_undefined_says_why() -> None:
    nothing = pairs.confusion_sums(np.zeros((2, 3), dtype=int), np.ones((2, 3), dtype=int), np.arange(2))
    assert pairs.estimate(nothing, pairs.kappa(), draws=2).statistic == (None, 0, NOT_BOTH)
    alike = pairs.confusion_sums(np.array([[0, 0, 1]] * 2), np.array([[0, 0, 1]] * 2), np.arange(2))
    assert pairs.estimate(alike, pairs.kappa(), draws=2).statistic == (None, 2, ONE_LABEL)
