"""Two sides against scikit-learn and by hand; first errors by table."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from annotator.core import columns as cols
from annotator.core import pairs
from annotator.core.coefficients import NOT_BOTH, ONE_LABEL
from annotator.core.labels import NO_ERROR, UNKNOWN
from tests.annotator.core.drawing import estimate, sums_of


def _confusion_sums(a: np.ndarray, b: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Of one step a solution, two raters; -1 is missing."""
    labels = ["-0+?"[value] for side in (a, b) for value in side]
    solution = [*range(len(a)), *range(len(a))]
    unknown = [UNKNOWN] * len(labels)
    of = cols.columns(solution, [0] * len(a) + [1] * len(a), [*cluster, *cluster], labels, unknown)
    made = cols.facing(of, np.arange(len(a)), np.arange(len(a), 2 * len(a)))
    return sums_of(list(made.confusion.T), made.cluster)


@pytest.mark.parametrize("power", [0, 1, 2])
def test_kappa_of_sums_equals_sklearn_whatever_the_clusters(power: int) -> None:
    generator = np.random.default_rng(power)
    for _ in range(200):
        a, b = generator.integers(-1, 3, size=(2, 50))
        both = (a >= 0) & (b >= 0)
        sums = _confusion_sums(a, b, np.arange(50) // 4)
        found = estimate(sums, pairs.kappa(power), int(sums.sum()), draws=2)
        weights = {0: None, 1: "linear", 2: "quadratic"}[power]
        expected = cohen_kappa_score(a[both], b[both], weights=weights, labels=[0, 1, 2])
        assert found.statistic.value == pytest.approx(expected, abs=1e-12)
        assert found.statistic.n == both.sum()


def test_percent_by_hand() -> None:
    a, b = np.array([2, 2, 0, 1, -1]), np.array([2, 0, 0, -1, 2])
    found = estimate(_confusion_sums(a, b, np.arange(5)), pairs.percent, 3)
    assert found.statistic == (pytest.approx(2 / 3), 3, "")


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
    parts = pairs.same_first_error(first, other)
    sums = sums_of([part.astype(int) for part in parts], np.array([0, 0, 1, 2]))
    assert estimate(sums, pairs.share, 3).statistic == (pytest.approx(2 / 3), 3, "")


def test_undefined_says_why() -> None:
    nothing = _confusion_sums(np.array([-1, -1]), np.array([1, 2]), np.arange(2))
    assert estimate(nothing, pairs.kappa(), 0, NOT_BOTH).statistic == (None, 0, NOT_BOTH)
    alike = _confusion_sums(np.array([2, 2]), np.array([2, 2]), np.arange(2))
    assert estimate(alike, pairs.kappa(), 2).statistic == (None, 2, ONE_LABEL)
