"""Agreement of a panel of raters as sums over units, so that clusters of units can be resampled.

A unit is whatever is judged once by each rater: a step, or a solution as a whole. Values are codes; a unit may
be judged by any number of raters, and one judged by fewer than two pairs nothing.

Columns of a row of sums, for v values:

    v * v   Krippendorff's coincidences
    v       sum over judged units of the share of raters who gave the value
    5       judged units; pairable units; sum over pairable units of the share of pairs that agree;
            pairs that agree; pairs
"""

from collections.abc import Mapping
from math import isqrt
from typing import Final, NamedTuple

import numpy as np

from annotator.core.coefficients import (
    ONE_LABEL,
    Floats,
    Ints,
    Metric,
    Statistic,
    alpha_of,
)
from annotator.core.intervals import FEW, Interval, OfSums, of_draws

_TAIL: Final = 5


class Estimate(NamedTuple):
    """A statistic with its interval."""

    statistic: Statistic
    interval: Interval


def columns_of(counts: Ints) -> list[Floats]:
    """What each unit adds, float (units,), a column at a time.

    counts: int (units, values), raters of each unit per value.
    """
    n_values = counts.shape[1]
    judged = counts.sum(axis=1)
    many = counts.astype(np.float64)
    pairable = judged > 1
    weight = np.where(pairable, 1 / np.maximum(judged - 1, 1), 0.0)
    columns = [
        weight * many[:, a] * (many[:, b] - (a == b)) for a in range(n_values) for b in range(n_values)
    ]
    share = 1 / np.maximum(judged, 1)
    columns += [many[:, a] * share for a in range(n_values)]
    same, pairs = (many * (many - 1)).sum(axis=1) / 2, judged * (judged - 1) / 2
    agreed = np.divide(same, pairs, out=np.zeros_like(same), where=pairs > 0)
    return [*columns, (judged > 0) * 1.0, pairable * 1.0, agreed, same, pairs]


def n_values_of(sums: Floats) -> int:
    """How many values the columns are for."""
    return (isqrt(4 * (sums.shape[-1] - _TAIL) + 1) - 1) // 2  # of v * v + v + _TAIL columns


class _Parts(NamedTuple):
    coincidences: Floats  # (…, v, v)
    shares: Floats  # (…, v), means over judged units
    pairable: Floats
    agreed: Floats  # mean over pairable units
    same: Floats
    pairs: Floats


def _parts(sums: Floats) -> _Parts:
    v = n_values_of(sums)
    judged, pairable, agreed, same, pairs = np.moveaxis(sums[..., -_TAIL:], -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = sums[..., v * v : v * v + v] / judged[..., np.newaxis]
        return _Parts(
            sums[..., : v * v].reshape(*sums.shape[:-1], v, v),
            shares,
            pairable,
            agreed / pairable,
            same,
            pairs,
        )


def alpha(metric: Metric = "nominal") -> OfSums:
    """Krippendorff's alpha from sums (coefficients.alpha_of)."""
    return lambda sums: alpha_of(_parts(sums).coincidences, metric)


def percent(sums: Floats) -> Floats:
    """Share of the pairs of judgements of one unit that agree; every pair weighs the same."""
    parts = _parts(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(parts.same / parts.pairs)


def fleiss_kappa(sums: Floats) -> Floats:
    """Fleiss' kappa, with any number of raters a unit: (pa - pe) / (1 - pe), pe the sum of squared shares.

    Source: Fleiss 1971; with missing judgements as in Gwet 2014, "Handbook of Inter-Rater Reliability",
    section 2.4 (shares over judged units, agreement over units with two or more).
    """
    parts = _parts(sums)
    return _chance_corrected(parts.agreed, (parts.shares**2).sum(axis=-1))


def gwet_ac1(sums: Floats) -> Floats:
    """Gwet's AC1, with any number of raters a unit: chance is sum of share * (1 - share), over values - 1.

    Little moved by one value being rare, where kappa falls. Defined also where only one value was used.
    Source: Gwet 2008, "Computing inter-rater reliability and its variance in the presence of high agreement".
    """
    parts = _parts(sums)
    spread = (parts.shares * (1 - parts.shares)).sum(axis=-1)
    return _chance_corrected(parts.agreed, spread / (parts.shares.shape[-1] - 1))


def _chance_corrected(agreed: Floats, chance: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(chance < 1, (agreed - chance) / (1 - chance), np.nan)


def estimates_from(
    total: Floats, values: Floats | None, statistics: Mapping[str, OfSums], n: int, nothing: str
) -> dict[str, Estimate]:
    """Statistics with their intervals, computed from `n` things; `nothing` is why they are undefined where n is 0.

    total: the sums of all.  values: float (draws, statistics), of each draw, or None where there were too few
    clusters to draw.  Where a statistic is undefined although n is not 0, all judgements are the same.
    """
    found, why = {}, ONE_LABEL if n else nothing
    for place, (name, one) in enumerate(statistics.items()):
        value = float(one(total)) if n else np.nan
        if np.isnan(value):
            found[name] = Estimate(Statistic(None, n, why), Interval(None, None, why))
        else:
            interval = Interval(None, None, FEW) if values is None else of_draws(values[:, place])
            found[name] = Estimate(Statistic(value, n), interval)
    return found
