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


def weighted_kappa(tables: Floats, power: int = 0) -> Floats:
    """Cohen's kappa of confusion matrices, float (…, values, values): float (…), NaN where undefined: nothing was
    compared, or both used one and the same label.

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


def alpha_of(coincidences: Floats, metric: Metric = "nominal") -> Floats:
    """Krippendorff's alpha, 1 - observed / expected disagreement, from coincidence matrices, float (…, values,
    values), values ascending for the ordinal metric: float (…).

    At most 1; 0 is chance, below it is systematic. NaN where fewer than two values were used: with no variation
    there is no chance to compare with, and percent agreement says what is to be said. The matrix of o[c, k] = sum
    over units of n[u, c] * (n[u, k] - [c = k]) / (m[u] - 1), m[u] = the unit's judgements, is a sum over units.
    Source: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", sections C and D.
    """
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
