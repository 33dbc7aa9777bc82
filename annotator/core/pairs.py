"""Agreement of two sides, and of every pair within a group, as sums that clusters can be drawn from.

Two sides: two raters, people and a machine, two machines. Only what both judged counts, and only pairs with one
of each side. Within a group: every two raters of one thing.
"""

import numpy as np

from annotator.core.coefficients import Floats, Ints, weighted_kappa
from annotator.core.intervals import OfSums
from annotator.core.labels import NO_ERROR, UNKNOWN


def kappa(power: int = 0) -> OfSums:
    """Cohen's kappa of confusion sums, float (…, values * values), rows one side; power: see
    coefficients.weighted_kappa."""
    return lambda sums: weighted_kappa(_square(sums), power)


def percent(sums: Floats) -> Floats:
    """Share of a confusion's pairs that say the same."""
    tables = _square(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.trace(tables, axis1=-2, axis2=-1) / tables.sum(axis=(-2, -1)))


def same_first_error(first: Ints, other: Ints, within: int = 0) -> tuple[Ints, Ints]:
    """Which pairs of first errors agree, and which can be compared; both bool (pairs,).

    first, other: 0-based positions, NO_ERROR, or UNKNOWN, which compares with nothing.  within: how many
    steps apart still agree; an error and none never do.
    """
    known = (first != UNKNOWN) & (other != UNKNOWN)
    both = (first != NO_ERROR) & (other != NO_ERROR)
    near = both & (np.abs(first - other) <= within)
    return known & (near | ((first == NO_ERROR) & (other == NO_ERROR))), known


def share(sums: Floats) -> Floats:
    """The share of the pairs that agree; sums: float (…, 2), pairs that agree and pairs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / sums[..., 1])


def _square(sums: Floats) -> Floats:
    side = round(sums.shape[-1] ** 0.5)
    return sums.reshape(*sums.shape[:-1], side, side)
