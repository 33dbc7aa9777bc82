"""Sums of clusters and their intervals, as the report makes them, for the tests of statistics."""

import numpy as np

from annotator.core import columns as cols
from annotator.core import panel
from annotator.core.intervals import Draws, OfSums
from annotator.core.panel import Estimate


def sums_of(columns: list[np.ndarray], cluster: np.ndarray) -> np.ndarray:
    return cols.cluster_sums(columns, cluster, int(cluster.max()) + 1)[0]


def drawn(sums: np.ndarray, statistic: OfSums, draws: int, seed: int = 0) -> np.ndarray:
    return statistic(Draws(len(sums), draws, seed).resampled(sums, np.arange(len(sums))))


def estimate(
    sums: np.ndarray, statistic: OfSums, n: int, nothing: str = "nothing", draws: int = 50
) -> Estimate:
    values = drawn(sums, statistic, draws)[:, np.newaxis] if len(sums) > 1 else None
    return panel.estimates_from(sums.sum(axis=0), values, {"it": statistic}, n, nothing)["it"]


def panel_sums(counts: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    return sums_of(panel.columns_of(counts), cluster)


def panel_estimate(counts: np.ndarray, cluster: np.ndarray, statistic: OfSums, draws: int = 50) -> Estimate:
    n = int((counts.sum(axis=1) > 1).sum())
    return estimate(panel_sums(counts, cluster), statistic, n, draws=draws)
