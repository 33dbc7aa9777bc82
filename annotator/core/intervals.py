"""Intervals: Wilson's for a share, and the bootstrap for any statistic of sums, clustered by problem group.

Steps of one solution, and solutions of one problem, resemble each other. So whole groups are drawn, not steps.
"""

from collections.abc import Callable
from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

from annotator.core.coefficients import Floats, Ints

LEVEL: Final = 0.95
DRAWS: Final = 1_000
MOST_UNDEFINED: Final = 0.05  # of the draws; an interval of the rest would be too narrow
_CLUSTERS: Final = 2_000  # multiplied at once, so that memory stays flat

FEW: Final = "fewer than two problem groups"
OFTEN_UNDEFINED: Final = "too few data: many draws leave it undefined"

OfSums = Callable[[Floats], Floats]


class Interval(NamedTuple):
    """Both ends, or None where there is no interval, and then why."""

    low: float | None
    high: float | None
    why: str = ""


def wilson(part: int, whole: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of the share part / whole; undefined where the whole is 0.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    Raises ValueError where part is no part of the whole.
    """
    if not 0 <= part <= whole:
        raise ValueError(f"{part} is no part of {whole}")
    if not whole:
        return Interval(None, None, "nothing was counted")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, spread = part / whole, z * z / whole
    middle = share + spread / 2
    half = z * sqrt(share * (1 - share) / whole + spread / (4 * whole))
    low, high = ((middle + sign * half) / (1 + spread) for sign in (-1, 1))
    return Interval(0.0 if part == 0 else low, 1.0 if part == whole else high)


def of_draws(values: Floats, level: float = LEVEL) -> Interval:
    """The percentile interval of a statistic's draws, float (draws,), NaN where undefined.

    What stays undefined in more than MOST_UNDEFINED of the draws has none.
    """
    ordered = np.sort(values)  # what is undefined comes last
    n_defined = len(values) - int(np.isnan(values).sum())
    if len(values) - n_defined > MOST_UNDEFINED * len(values):
        return Interval(None, None, OFTEN_UNDEFINED)
    places = np.array([(1 - level) / 2, (1 + level) / 2]) * (n_defined - 1)
    low, high = np.interp(places, np.arange(n_defined), ordered[:n_defined])
    return Interval(float(low), float(high))


class Draws:
    """Draws of all clusters of a whole, made once, so that any part of it costs one product of matrices.

    A part's clusters come up in a draw as often as they do in the whole: how many of them is random too, as it
    is where the whole is drawn anew. The same seed gives the same draws.
    """

    def __init__(self, n_clusters: int, draws: int = DRAWS, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        times = np.empty((draws, n_clusters), dtype=np.uint8)
        for row in times:
            row[:] = np.bincount(generator.integers(0, n_clusters, n_clusters), minlength=n_clusters)
        self._times = np.ascontiguousarray(times.T)

    def resampled(self, sums: Floats, clusters: Ints) -> Floats:
        """What each draw adds up to, float (draws, k).

        sums: float (clusters, k), what some clusters add.  clusters: int (clusters,), which of the whole they are.
        """
        total = np.zeros((self._times.shape[1], sums.shape[1]))
        less = sums.astype(np.float32)  # an interval's ends need no more, and it takes half the time
        for start in range(0, len(sums), _CLUSTERS):
            some = slice(start, start + _CLUSTERS)
            total += self._times[clusters[some]].T.astype(np.float32) @ less[some]
        return total


def bootstrap(sums: Floats, statistic: OfSums, *, draws: int = DRAWS, seed: int = 0) -> Interval:
    """The interval of a statistic of one whole, drawing its clusters with replacement.

    sums: float (clusters, k), what each cluster adds.  statistic: from sums, float (…, k), to values, float (…),
    NaN where undefined.
    """
    if len(sums) < 2:
        return Interval(None, None, FEW)
    return of_draws(statistic(Draws(len(sums), draws, seed).resampled(sums, np.arange(len(sums)))))
