"""Agreement coefficients: numbers from count matrices, with no notion of who rated what.

An undefined coefficient is `Statistic(None, n, why)`, never -1, 0 or NaN: libraries disagree on these cases
(an error, a perfect 1, a NaN), so this is the one place that decides them.

Codes are small integers, one per judgement; a negative code is missing and never counts as a disagreement.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Metric = Literal["nominal", "ordinal"]

N_VALUES = 3
NO_PAIR = "no step was judged by two raters"
NOT_BOTH = "no step was judged by both"
ONE_LABEL = "only one label was ever used"


class Statistic(NamedTuple):
    """A number, what it was computed from, and why there is none.

    value: the statistic, or None where it is undefined. n: how many things were counted (each function says
    which). why: the reason it is undefined in words for a page, "" where it is defined.
    """

    value: float | None
    n: int
    why: str = ""


def share(part: int, whole: int, why: str) -> Statistic:
    """`part / whole`, n = whole; undefined because of `why` where the whole is 0."""
    return Statistic(part / whole, whole) if whole else Statistic(None, 0, why)


def confusion(a: Ints, b: Ints) -> Ints:
    """How often rater a gave value i where rater b gave value j.

    a, b: codes of the same steps, shape (steps,), in 0..2, negative where missing. Returns int (3, 3), rows
    a, columns b, over the steps that neither misses. Raises ValueError on unequal lengths or a code above 2.
    """
    if a.shape != b.shape:
        raise ValueError(f"raters judge the same steps, not {a.shape} and {b.shape}")
    both = (a >= 0) & (b >= 0)
    first, second = a[both].astype(np.int64), b[both].astype(np.int64)
    if both.any() and max(first.max(), second.max()) >= N_VALUES:
        raise ValueError(f"codes go from 0 to {N_VALUES - 1}")
    return np.bincount(first * N_VALUES + second, minlength=N_VALUES**2).reshape(N_VALUES, N_VALUES)


def percent(a: Ints, b: Ints) -> Statistic:
    """Share of the steps judged by both on which two raters agree, 0..1; n = those steps. See `confusion`."""
    return percent_of(confusion(a, b))


def cohen_kappa(a: Ints, b: Ints) -> Statistic:
    """Cohen's kappa of two raters' codes; n = steps judged by both. See `confusion` and `kappa_of`."""
    return kappa_of(confusion(a, b))


def percent_of(table: Ints) -> Statistic:
    """Share of a (values, values) confusion matrix that lies on its diagonal; n = its sum."""
    return share(int(np.trace(table)), int(table.sum()), NOT_BOTH)


def kappa_of(table: Ints) -> Statistic:
    """Cohen's kappa, (po - pe) / (1 - pe), of a (values, values) confusion matrix; n = its sum.

    po is the diagonal's share and pe the share expected from the margins (Cohen 1960, "A coefficient of
    agreement for nominal scales"). Undefined where nothing was compared, and where both used one and the same
    label: then pe = 1. Transposing the matrix does not change the result, to the last bit.
    """
    n = int(table.sum())
    if n == 0:
        return Statistic(None, 0, NOT_BOTH)
    # Multiplied through by n², so that everything up to the last division is exact.
    expected = int(table.sum(axis=0) @ table.sum(axis=1))
    if expected == n * n:
        return Statistic(None, n, ONE_LABEL)
    return Statistic((n * int(np.trace(table)) - expected) / (n * n - expected), n)


def weighted_kappa(tables: Floats, power: int = 0) -> Floats:
    """Cohen's kappa of confusion matrices, float (…, values, values): float (…), NaN where undefined.

    power: how a disagreement grows with the distance of two values: 0 not at all (plain kappa), 1 linearly,
    2 by its square. Source: Cohen 1968, "Weighted kappa".
    """
    place = np.arange(tables.shape[-1])
    gap = np.abs(place[:, np.newaxis] - place)
    weight = (gap > 0) * 1.0 if power == 0 else gap.astype(np.float64) ** power
    rows, columns = tables.sum(axis=-1), tables.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.einsum("...i,ij,...j->...", rows, weight, columns) / tables.sum(axis=(-2, -1))
        observed = (tables * weight).sum(axis=(-2, -1))
        return np.where(expected > 0, 1 - observed / expected, np.nan)


def percent_within(counts: Ints) -> Statistic:
    """Share of the pairs of judgements of one unit that agree, 0..1; counts: int (units, values), n = pairs.

    Every pair weighs the same, so that a unit with many raters weighs more than in alpha.
    """
    pairs = pairs_within(counts.sum(axis=1))
    return share(pairs_within(counts), pairs, NO_PAIR)


def pairs_within(sizes: Ints) -> int:
    """Unordered pairs of members within groups of these sizes; int of any shape."""
    return int((sizes * (sizes - 1) // 2).sum())


def pairs_between(left: Ints, right: Ints) -> int:
    """Pairs of one member of each side in the same group; left, right: int (members,), group numbers."""
    n_groups = int(max(left.max(initial=-1), right.max(initial=-1))) + 1
    return int(np.bincount(left, minlength=n_groups) @ np.bincount(right, minlength=n_groups))


def coincidences(counts: Ints) -> Floats:
    """Krippendorff's coincidence matrix of a (units, values) count matrix; float (values, values).

    o[c, k] = sum over units of n[u, c] * (n[u, k] - [c = k]) / (m[u] - 1), m[u] = the unit's judgements.
    Units with fewer than two drop out. It is a sum over units, so that resampling solutions is adding up
    their matrices.
    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C.
    """
    judged = counts.sum(axis=1)
    pairable = counts[judged > 1].astype(np.float64)
    weighted = pairable / (judged[judged > 1, np.newaxis] - 1)
    matrix: Floats = weighted.T @ pairable - np.diag(weighted.sum(axis=0))
    return matrix


def krippendorff_alpha(counts: Ints, metric: Metric = "nominal") -> Statistic:
    """Krippendorff's alpha, 1 - observed / expected disagreement; n = units with two or more judgements.

    counts: int (units, values): how many raters gave each unit each value, any number of raters a unit and
    any number of values, in ascending order for the ordinal metric. At most 1; 0 is chance, below it is
    systematic. Undefined where no unit has two judgements, and where every pairable judgement is the same:
    with no variation there is no chance to compare with, and percent agreement says what is to be said.
    Source: Krippendorff 2011 (see `coincidences`), section C, with the metric differences of section D.
    """
    n = int((counts.sum(axis=1) > 1).sum())
    if n == 0:
        return Statistic(None, 0, NO_PAIR)
    value = float(alpha_of(coincidences(counts), metric))
    return Statistic(None, n, ONE_LABEL) if np.isnan(value) else Statistic(value, n)


def alpha_of(coincidences: Floats, metric: Metric = "nominal") -> Floats:
    """Alpha from coincidence matrices, float (…, values, values): float (…), NaN where fewer than two values
    were used."""
    totals = coincidences.sum(axis=-1)
    distance = DISTANCES[metric](totals)
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = np.einsum("...i,...ij,...j->...", totals, distance, totals) / (totals.sum(axis=-1) - 1)
        alpha = 1 - (coincidences * distance).sum(axis=(-2, -1)) / expected
    used = (totals > 0).sum(axis=-1)
    return np.where(used < 2, np.nan, alpha)


def _nominal(totals: Floats) -> Floats:
    """0 for equal values, else 1; float (values, values)."""
    return 1 - np.eye(totals.shape[-1])


def _ordinal(totals: Floats) -> Floats:
    """Squared rank distance: judgements between two values, both ends half; float (…, values, values)."""
    # The middle rank of each value: all judgements below it and half of its own.
    rank = totals.cumsum(axis=-1) - totals / 2
    distance: Floats = (rank[..., :, np.newaxis] - rank[..., np.newaxis, :]) ** 2
    return distance


DISTANCES = {"nominal": _nominal, "ordinal": _ordinal}
