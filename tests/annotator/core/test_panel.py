"""Panel statistics against a published worked example, libraries, and the plain functions of coefficients."""

from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import fleiss_kappa

from annotator.core import panel
from annotator.core.coefficients import ONE_LABEL, weighted_kappa
from annotator.core.intervals import FEW
from tests.annotator.core.drawing import panel_estimate, panel_sums

# Gwet 2014, "Handbook of Inter-Rater Reliability", table 2.10: twelve subjects, four raters, 0 is missing.
GWET = [
    [1, 1, 0, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [0, 5, 5, 5], [0, 0, 1, 1], [0, 0, 3, 0],
]  # fmt: skip


def _counts(rows: list[list[int]], values: range) -> np.ndarray:
    return np.array([[row.count(value) for value in values] for row in rows])


@pytest.mark.parametrize(
    ("statistic", "published"),
    [(panel.gwet_ac1, 0.77544), (panel.fleiss_kappa, 0.76117), (panel.alpha(), 0.74342)],
)
def test_the_published_example(statistic: Callable[[np.ndarray], np.ndarray], published: float) -> None:
    found = panel_estimate(_counts(GWET, range(1, 6)), np.arange(12), statistic)
    assert found.statistic.value == pytest.approx(published, abs=5e-6)
    assert found.statistic.n == 11


def _random(seed: int, missing: float) -> np.ndarray:
    generator = np.random.default_rng(seed)
    truth = generator.choice(3, size=60, p=[0.2, 0.1, 0.7])
    ratings = np.where(generator.random((4, 60)) < 0.8, truth, generator.choice(3, size=(4, 60)))
    kept = generator.random((4, 60)) >= missing
    return np.stack([((ratings == value) & kept).sum(axis=0) for value in range(3)], axis=1)


@pytest.mark.parametrize("seed", range(200))
def test_sums_over_clusters_say_the_same_as_the_whole(seed: int) -> None:
    counts = _random(seed, missing=0.3)
    total = panel_sums(counts, np.arange(60) // 7).sum(axis=0)
    whole = np.stack(panel.columns_of(counts), axis=1).sum(axis=0)
    for statistic in (
        panel.alpha(),
        panel.alpha("ordinal"),
        panel.percent,
        panel.fleiss_kappa,
        panel.gwet_ac1,
    ):
        assert float(statistic(total)) == pytest.approx(float(statistic(whole)))


@pytest.mark.parametrize("seed", range(100))
def test_fleiss_equals_statsmodels_where_nothing_is_missing(seed: int) -> None:
    counts = _random(seed, missing=0.0)
    total = panel_sums(counts, np.arange(60)).sum(axis=0)
    assert float(panel.fleiss_kappa(total)) == pytest.approx(fleiss_kappa(counts), abs=1e-12)


@pytest.mark.parametrize("seed", range(200))
@pytest.mark.parametrize(("power", "weights"), [(0, None), (1, "linear"), (2, "quadratic")])
def test_weighted_kappa_equals_sklearn(seed: int, power: int, weights: str | None) -> None:
    generator = np.random.default_rng(seed)
    a, b = generator.integers(0, 3, size=(2, 40))
    table = np.zeros((3, 3))
    np.add.at(table, (a, b), 1)
    expected = cohen_kappa_score(a, b, weights=weights, labels=[0, 1, 2])
    assert float(weighted_kappa(table, power)) == pytest.approx(expected, abs=1e-12)


def test_ac1_by_hand() -> None:
    # Two raters, four units: right-right three times, right-wrong once. pa = 3/4; right's share 7/8 of two
    # values: pe = 2 * 7/8 * 1/8 = 7/32; (3/4 - 7/32) / (25/32) = 17/25.
    counts = np.array([[0, 2], [0, 2], [0, 2], [1, 1]])
    assert float(panel.gwet_ac1(panel_sums(counts, np.arange(4)).sum(axis=0))) == pytest.approx(17 / 25)


def test_undefined_says_why() -> None:
    alone = panel_estimate(np.array([[1, 0], [0, 1]]), np.arange(2), panel.alpha())
    assert (alone.statistic, alone.interval.low) == ((None, 0, "nothing"), None)
    same = panel_estimate(np.array([[2, 0], [2, 0]]), np.arange(2), panel.alpha())
    assert same.statistic == (None, 2, ONE_LABEL)


def test_one_cluster_has_a_value_and_no_interval() -> None:
    found = panel_estimate(np.array([[2, 0], [1, 1]]), np.zeros(2, dtype=int), panel.percent)
    assert (found.statistic.value, found.interval.why) == (0.5, FEW)


def test_an_interval_holds_its_statistic() -> None:
    counts = _random(3, missing=0.2)
    for statistic in (panel.alpha(), panel.gwet_ac1, panel.fleiss_kappa, panel.percent):
        found = panel_estimate(counts, np.arange(60) // 3, statistic, draws=500)
        low, high, _ = found.interval
        assert low is not None
        assert high is not None
        assert found.statistic.value is not None
        assert low < found.statistic.value < high
