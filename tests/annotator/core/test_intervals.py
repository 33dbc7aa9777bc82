"""Wilson's interval against statsmodels, the clustered bootstrap against drawing clusters one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from annotator.core.intervals import FEW, OFTEN_UNDEFINED, Draws, bootstrap, of_draws, wilson
from tests.annotator.core.drawing import drawn


@given(st.integers(0, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_statsmodels(counts: tuple[int, int]) -> None:
    part, whole = counts
    found = wilson(part, whole)
    if not whole:
        assert found.low is None
        assert found.why
        return
    low, high = proportion_confint(part, whole, method="wilson")
    assert found.low == pytest.approx(low, abs=1e-12)
    assert found.high == pytest.approx(high, abs=1e-12)


def test_wilson_by_hand() -> None:
    # 8 of 10: (0.8 + 0.19207) / 1.38415 -+ 1.95996 * sqrt(0.016 + 0.0096036) / 1.38415
    low, high, _ = wilson(8, 10)
    assert (low, high) == (pytest.approx(0.4901625, abs=1e-6), pytest.approx(0.9433178, abs=1e-6))


def test_wilson_refuses_what_is_no_part() -> None:
    with pytest.raises(ValueError, match="no part"):
        wilson(3, 2)


def _mean(sums: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1]


def test_draws_spread_as_if_clusters_were_drawn_one_by_one() -> None:
    generator = np.random.default_rng(5)
    sums = np.stack([generator.integers(0, 4, 60), np.full(60, 3)], axis=1).astype(float)
    together = drawn(sums, _mean, draws=4_000, seed=1)
    picks = generator.integers(0, 60, size=(4_000, 60))
    one_by_one = _mean(sums[picks].sum(axis=1))
    assert together.mean() == pytest.approx(one_by_one.mean(), abs=0.005)
    assert together.std() == pytest.approx(one_by_one.std(), rel=0.08)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    generator, covered = np.random.default_rng(7), 0
    for seed in range(200):
        right = generator.binomial(5, 0.7, size=40)
        sums = np.stack([right, np.full(40, 5)], axis=1).astype(float)
        low, high, _ = of_draws(drawn(sums, _mean, draws=300, seed=seed))
        covered += low is not None and high is not None and low <= 0.7 <= high
    assert 175 <= covered <= 198  # 95 % of 200, less what a percentile interval of 40 clusters lacks


def test_the_same_seed_gives_the_same_interval() -> None:
    sums = np.array([[1.0, 2.0], [2.0, 2.0], [0.0, 2.0]])
    assert of_draws(drawn(sums, _mean, 1_000, 3)) == of_draws(drawn(sums, _mean, 1_000, 3))


def test_what_is_often_undefined_says_why() -> None:
    sums = np.array([[1.0, 1.0], [0.0, 0.0]])  # a quarter of the draws hold nothing
    assert of_draws(drawn(sums, _mean, 1_000)).why == OFTEN_UNDEFINED


def test_a_part_is_drawn_as_the_whole_is() -> None:
    draws, sums = Draws(5_000, 50), np.ones((5_000, 1))
    assert set(draws.resampled(sums, np.arange(5_000)).ravel()) == {5_000}
    some = np.arange(0, 5_000, 2)
    rest = np.arange(1, 5_000, 2)
    parts = [draws.resampled(sums[which], which).ravel() for which in (some, rest)]
    assert (parts[0] + parts[1] == 5_000).all()
    assert len(set(parts[0])) > 1


def test_the_ends_are_numpys_quantiles() -> None:
    values = np.random.default_rng(1).random(1_000)
    found = of_draws(np.append(values, [np.nan] * 20))
    assert (found.low, found.high) == tuple(pytest.approx(end) for end in np.quantile(values, [0.025, 0.975]))


def test_the_interval_of_a_whole_covers_the_truth_about_as_often_as_it_says() -> None:
    def mean(sums: np.ndarray) -> np.ndarray:
        return sums[..., 0] / sums[..., 1]

    generator, covered = np.random.default_rng(11), 0
    for seed in range(200):
        sums = np.stack([generator.binomial(5, 0.7, size=40), np.full(40, 5)], axis=1).astype(float)
        low, high, _ = bootstrap(sums, mean, draws=300, seed=seed)
        covered += low is not None and high is not None and low <= 0.7 <= high
    assert 175 <= covered <= 198  # 95 % of 200, less what a percentile interval of 40 clusters lacks
    assert bootstrap(sums[:1], mean).why == FEW
