"""Coefficients against published examples, hand arithmetic and independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]
from statsmodels.stats.inter_rater import fleiss_kappa  # type: ignore[import-untyped]

from annotator.core import pairs, panel
from annotator.core.coefficients import NO_PAIR, NOT_BOTH, Metric, Statistic
from tests.annotator.core.drawing import estimate

Codes = NDArray[np.int64]

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", sections C, D: 4 observers, 12 units.
PUBLISHED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""

# Artstein and Poesio 2008, "Inter-coder agreement for computational linguistics", tables 1 and 4.
TABLE_1 = [[20, 20], [10, 50]]
TABLE_4 = [[46, 0, 0], [6, 32, 6], [0, 0, 10]]

two_raters = hnp.arrays(np.int64, st.tuples(st.just(2), st.integers(0, 12)), elements=st.integers(-1, 2))
tallies = hnp.arrays(np.int64, st.tuples(st.integers(0, 8), st.just(3)), elements=st.integers(0, 4))


def published() -> Codes:
    """The published data as codes, (raters, units), -1 where missing."""
    rows = [line.split() for line in PUBLISHED.strip().splitlines()]
    return np.array([[-1 if cell == "." else int(cell) - 1 for cell in row] for row in rows])


def tally(codes: Codes, n_values: int) -> Codes:
    """(raters, units) codes to (units, values) counts, by the definition."""
    return np.stack([(codes == value).sum(axis=0) for value in range(n_values)], axis=1)


def random_codes(seed: int, raters: int, units: int) -> Codes:
    """Codes 0..2 with about a quarter missing; raters agree more often than by chance."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, 3, units)
    codes = np.where(draw.random((raters, units)) < 0.5, truth, draw.integers(0, 3, (raters, units)))
    return np.where(draw.random((raters, units)) < 0.25, -1, codes)


def textbook_alpha(codes: Codes, metric: Metric, n_values: int) -> float:
    """Alpha from the coincidence matrix, judgement by judgement; NaN where it divides by nothing."""
    matrix = [[0.0] * n_values for _ in range(n_values)]
    for unit in codes.T:
        judged = [int(code) for code in unit if code >= 0]
        for i, first in enumerate(judged):
            for j, second in enumerate(judged):
                if i != j:
                    matrix[first][second] += 1 / (len(judged) - 1)
    margin = [sum(row) for row in matrix]
    observed = expected = 0.0
    for c in range(n_values):
        for k in range(n_values):
            low, high = min(c, k), max(c, k)
            between = sum(margin[low : high + 1]) - (margin[c] + margin[k]) / 2
            distance = float(c != k) if metric == "nominal" else (c != k) * between**2
            observed += matrix[c][k] * distance
            expected += margin[c] * margin[k] * distance
    return 1 - (sum(margin) - 1) * observed / expected if expected else math.nan


def krippendorff_alpha(counts: Codes, metric: Metric = "nominal") -> Statistic:
    sums, n = np.stack(panel.columns_of(counts), axis=1), int((counts.sum(axis=1) > 1).sum())
    return estimate(sums, panel.alpha(metric), n, NO_PAIR, draws=1).statistic


def coincidences(counts: Codes) -> NDArray[np.float64]:
    v = counts.shape[1]
    return np.stack(panel.columns_of(counts)[: v * v]).sum(axis=1).reshape(v, v)


def percent_within(counts: Codes) -> Statistic:
    sums, judged = np.stack(panel.columns_of(counts), axis=1), counts.sum(axis=1)
    return estimate(sums, panel.percent, int((judged * (judged - 1)).sum()) // 2, NO_PAIR, draws=1).statistic


def confusion(a: Codes, b: Codes) -> Codes:
    table = np.zeros((3, 3), dtype=np.int64)
    np.add.at(table, (a[(a >= 0) & (b >= 0)], b[(a >= 0) & (b >= 0)]), 1)
    return table


def kappa_of(table: Codes) -> Statistic:
    return estimate(table.reshape(1, -1).astype(float), pairs.kappa(), int(table.sum()), NOT_BOTH).statistic


def cohen_kappa(a: Codes, b: Codes) -> Statistic:
    return kappa_of(confusion(a, b))


def percent(a: Codes, b: Codes) -> Statistic:
    table = confusion(a, b)
    return estimate(table.reshape(1, -1).astype(float), pairs.percent, int(table.sum()), NOT_BOTH).statistic


def near(statistic: Statistic, value: float, n: int, within: float = 1e-9) -> bool:
    """Whether a statistic is this value, but for rounding, of exactly n."""
    return statistic.n == n and statistic.value is not None and abs(statistic.value - value) < within


@pytest.mark.parametrize(("metric", "alpha"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_of_the_published_example(metric: Metric, alpha: float) -> None:
    # 12 units, of which the last has one judgement.
    assert near(krippendorff_alpha(tally(published(), 5), metric), alpha, n=11, within=0.0005)


def test_coincidences_of_the_published_example() -> None:
    # The matrix printed there; 40 pairable judgements.
    matrix = coincidences(tally(published(), 5))
    assert matrix.sum() == pytest.approx(40)
    assert matrix.sum(axis=1) == pytest.approx([9, 13, 10, 5, 3])
    assert matrix.diagonal() == pytest.approx([7, 10, 8, 4, 3])


def test_nominal_alpha_by_hand() -> None:
    # Units ++, +-, --: o[+,+] = 2, o[-,-] = 2, o[+,-] = o[-,+] = 1; n = 6, each value 3 times.
    # Observed 2/6, expected 2 * 3 * 3 / (6 * 5) = 0.6, alpha = 1 - 0.3333 / 0.6 = 4/9.
    assert near(krippendorff_alpha(np.array([[0, 2], [1, 1], [2, 0]])), 4 / 9, n=3)


def test_ordinal_alpha_by_hand() -> None:
    # Units -0, 00, ++, +0: n(-) = 1, n(0) = 4, n(+) = 3, n = 8.
    # Squared distances: -0 (5 - 2.5)² = 6.25, 0+ (7 - 3.5)² = 12.25, -+ (8 - 2)² = 36.
    # Observed 2 * 6.25 + 2 * 12.25 = 37; expected 2 * (4 * 6.25 + 12 * 12.25 + 3 * 36) = 560.
    # Alpha = 1 - 7 * 37 / 560 = 0.5375.
    counts = np.array([[1, 1, 0], [0, 2, 0], [0, 0, 2], [0, 1, 1]])
    assert near(krippendorff_alpha(counts, "ordinal"), 0.5375, n=4)


def test_alpha_of_complete_agreement_is_exactly_one() -> None:
    assert krippendorff_alpha(np.array([[3, 0, 0], [0, 0, 3]])) == Statistic(1.0, 2)


@pytest.mark.parametrize(
    ("counts", "result"),
    [
        (np.zeros((0, 3), dtype=np.int64), Statistic(None, 0, "no step was judged by two raters")),
        ([[1, 0, 0], [0, 0, 1], [0, 0, 0]], Statistic(None, 0, "no step was judged by two raters")),
        ([[0, 0, 2], [0, 0, 3]], Statistic(None, 2, "only one label was ever used")),
        # The other label stands only where nobody can agree or disagree with it.
        ([[0, 0, 2], [1, 0, 0]], Statistic(None, 1, "only one label was ever used")),
    ],
)
@pytest.mark.parametrize("metric", ["nominal", "ordinal"])
def test_alpha_undefined(counts: object, result: Statistic, metric: Metric) -> None:
    assert krippendorff_alpha(np.array(counts), metric) == result


@pytest.mark.parametrize("metric", ["nominal", "ordinal"])
def test_alpha_equals_the_textbook_on_300_random_matrices(metric: Metric) -> None:
    defined = 0
    for seed in range(300):
        codes = random_codes(seed, raters=2 + seed % 4, units=1 + seed % 15)
        alpha, expected = (
            krippendorff_alpha(tally(codes, 3), metric),
            textbook_alpha(codes, metric, 3),
        )
        assert (alpha.value is None) == math.isnan(expected) == bool(alpha.why)
        if alpha.value is not None:
            assert alpha.value == pytest.approx(expected, abs=1e-12)
            defined += 1
    assert defined >= 200


def test_nominal_alpha_equals_statsmodels_on_200_complete_matrices() -> None:
    # With m raters on each of N units alpha is Fleiss' kappa but for sampling without replacement:
    # 1 - alpha = (1 - kappa) * (n - 1) / n, n = N * m.
    for seed in range(200):
        draw = np.random.default_rng(seed)
        raters, units = 2 + seed % 4, 12 + seed % 15
        counts = tally(draw.integers(0, 3, (raters, units)), 3)
        n = raters * units
        expected = 1 - (1 - fleiss_kappa(counts)) * (n - 1) / n
        assert near(krippendorff_alpha(counts), expected, n=units)


@given(tallies, tallies)
def test_coincidences_add_up_over_units(some: Codes, more: Codes) -> None:
    together = coincidences(np.concatenate([some, more]))
    assert np.allclose(together, coincidences(some) + coincidences(more))


@pytest.mark.parametrize("metric", ["nominal", "ordinal"])
@given(counts=tallies)
def test_alpha_ignores_the_order_of_units(metric: Metric, counts: Codes) -> None:
    alpha = krippendorff_alpha(counts, metric)
    turned = krippendorff_alpha(counts[::-1], metric)
    assert turned == alpha if alpha.value is None else near(turned, alpha.value, alpha.n)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # po = 0.7, pe = (40 * 30 + 60 * 70) / 100² = 0.54, (0.7 - 0.54) / 0.46 = 0.348.
        (TABLE_1, 0.348),
        # po = 0.88, pe = (46 * 52 + 44 * 32 + 10 * 16) / 100² = 0.396, 0.484 / 0.604 = 0.801.
        (TABLE_4, 0.801),
    ],
)
def test_kappa_of_published_contingency_tables(table: list[list[int]], kappa: float) -> None:
    assert near(kappa_of(np.array(table)), kappa, n=100, within=0.0005)


def test_confusion_kappa_and_percent_by_hand() -> None:
    # Both judge the first four steps: (0,0) (0,1) (2,2) (2,2).
    a, b = np.array([0, 0, 2, 2, -1, 1]), np.array([0, 1, 2, 2, 0, -1])
    assert confusion(a, b).tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 2]]
    assert percent(a, b) == Statistic(0.75, 4)
    # po = 3/4, pe = (2 * 1 + 0 * 1 + 2 * 2) / 16 = 6/16, (12 - 6) / (16 - 6) = 0.6.
    assert near(cohen_kappa(a, b), 0.6, n=4)


def test_kappa_undefined() -> None:
    ones, gone = np.array([1, 1, 1]), np.array([-1, -1, -1])
    assert cohen_kappa(ones, ones) == Statistic(None, 3, "only one label was ever used")
    assert cohen_kappa(ones, gone) == Statistic(None, 0, "no step was judged by both")
    assert percent(ones, gone) == Statistic(None, 0, "no step was judged by both")
    # One rater never varies, the other does: chance explains all of it, which is a number.
    assert cohen_kappa(ones, np.array([1, 1, 0])) == Statistic(0.0, 3)


def test_kappa_equals_scikit_learn_on_300_random_pairs() -> None:
    defined = 0
    for seed in range(300):
        a, b = random_codes(seed, raters=2, units=3 + seed % 40)
        both = (a >= 0) & (b >= 0)
        kappa = cohen_kappa(a, b)
        assert kappa.n == both.sum()
        if kappa.value is not None:
            assert kappa.value == pytest.approx(cohen_kappa_score(a[both], b[both]), abs=1e-12)
            assert percent(a, b).value == pytest.approx((a == b)[both].mean())
            defined += 1
    assert defined >= 200


@given(two_raters)
def test_kappa_and_percent_are_symmetric(codes: Codes) -> None:
    a, b = codes
    assert cohen_kappa(a, b).n == cohen_kappa(b, a).n
    assert cohen_kappa(a, b).value == pytest.approx(cohen_kappa(b, a).value, abs=1e-12)
    assert percent(a, b) == percent(b, a)


@given(two_raters)
def test_missing_steps_change_nothing(codes: Codes) -> None:
    a, b = codes
    both = (a >= 0) & (b >= 0)
    assert cohen_kappa(a, b) == cohen_kappa(a[both], b[both])
    assert percent(a, b) == percent(a[both], b[both])


def test_percent_within_counts_pairs() -> None:
    # Three raters ++-: 1 of 3 pairs agrees. Two raters --: 1 of 1. One rater: no pair. 2 of 4.
    assert percent_within(np.array([[1, 2], [2, 0], [1, 0]])) == Statistic(0.5, 4)
    assert percent_within(np.array([[1, 0]])).why == "no step was judged by two raters"
