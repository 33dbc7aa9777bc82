"""Agreement of two sides, and of every pair within a group, as sums that clusters can be drawn from.

Two sides: two raters, people and a machine, two machines. Only what both judged counts, and only pairs with one
of each side. Within a group: every two raters of one thing.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from annotator.core.coefficients import NOT_BOTH, Floats, Ints, weighted_kappa
from annotator.core.intervals import OfSums
from annotator.core.labels import NO_ERROR, UNKNOWN
from annotator.core.panel import Estimate, estimates_of

NONE_KNOWN: Final = "no solution is known to both"


def confusion_sums(left: Ints, right: Ints, cluster: Ints) -> Floats:
    """Confusion of two sides per cluster, float (clusters, values * values), rows left; ascending clusters.

    left, right: int (units, values), how many of the side gave each unit each value.  cluster: int (units,).
    """
    _, index = np.unique(cluster, return_inverse=True)
    n = int(index.max(initial=-1)) + 1
    values = range(left.shape[1])
    columns = [
        np.bincount(index, weights=left[:, a] * right[:, b], minlength=n) for a in values for b in values
    ]
    return np.stack(columns, axis=1) if n else np.zeros((0, left.shape[1] ** 2))


def kappa(power: int = 0) -> OfSums:
    """Cohen's kappa of confusion sums; power: see coefficients.weighted_kappa."""
    return lambda sums: weighted_kappa(_square(sums), power)


def percent(sums: Floats) -> Floats:
    """Share of a confusion's pairs that say the same."""
    tables = _square(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1)))


def estimate(sums: Floats, statistic: OfSums, *, draws: int, seed: int = 0) -> Estimate:
    """A statistic of confusion sums with its interval; n: pairs of judgements."""
    return estimates(sums, {"it": statistic}, draws=draws, seed=seed)["it"]


def estimates(
    sums: Floats, statistics: Mapping[str, OfSums], *, draws: int, seed: int = 0
) -> dict[str, Estimate]:
    """`estimate` of several statistics, which share their draws; so they cost little more than one."""
    return estimates_of(sums, statistics, round(float(sums.sum())), NOT_BOTH, draws, seed)


def same_first_error(first: Ints, other: Ints, within: int = 0) -> tuple[Ints, Ints]:
    """Which pairs of first errors agree, and which can be compared; both bool (pairs,).

    first, other: 0-based positions, NO_ERROR, or UNKNOWN, which compares with nothing.  within: how many
    steps apart still agree; an error and none never do.
    """
    known = (first != UNKNOWN) & (other != UNKNOWN)
    both = (first != NO_ERROR) & (other != NO_ERROR)
    near = both & (np.abs(first - other) <= within)
    return known & (near | ((first == NO_ERROR) & (other == NO_ERROR))), known


def share_sums(agreed: Ints, counted: Ints, cluster: Ints) -> Floats:
    """Pairs that agree and pairs, per cluster, float (clusters, 2); the arguments are (pairs,)."""
    _, index = np.unique(cluster, return_inverse=True)
    n = int(index.max(initial=-1)) + 1
    return np.stack([np.bincount(index, weights=part, minlength=n) for part in (agreed, counted)], axis=1)


def share(sums: Floats) -> Floats:
    """The share of the pairs that agree."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def share_estimate(sums: Floats, *, draws: int, seed: int = 0) -> Estimate:
    """The share with its interval; n: pairs that can be compared."""
    n = round(float(sums[:, 1].sum()))
    return estimates_of(sums, {"it": share}, n, NONE_KNOWN, draws, seed)["it"]


def _square(sums: Floats) -> Floats:
    side = round(sums.shape[-1] ** 0.5)
    return sums.reshape(*sums.shape[:-1], side, side)
