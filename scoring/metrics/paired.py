"""Two raters on the same solutions: how far apart they are, how sure that is, and whether it may be chance.

Solutions of one problem resemble each other, so whole problem groups are drawn, the same ones for both raters
(interval), and whole groups change sides (p): approximate randomisation, Noreen 1989. Were the two equally good,
it would not matter who said what of a group.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import numpy as np

from annotator.core.intervals import DRAWS, OfSums, bootstrap
from scoring.metrics.confusion import Floats

_AT_ONCE: Final = 100  # draws, so that memory stays flat


class Paired(NamedTuple):
    """a, b: the statistic of each.  difference: a - b.  low, high: its 95 % interval.  p: two-sided, between 0
    and 1.  n: problem groups that count. None where undefined."""

    a: float | None
    b: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    n: int


def paired(sides: Iterable[Floats], statistic: OfSums, *, draws: int = DRAWS, seed: int = 0) -> Paired:
    """Compare two raters by a statistic of sums.

    sides: of both, float (groups, k), what each group adds, in the same order.  statistic: from sums, float
    (…, k), to values, float (…), NaN where undefined.
    """
    a, b = sides
    there = a.any(axis=1) | b.any(axis=1)
    a, b = a[there], b[there]
    own, other = (_defined(statistic(one.sum(axis=0))) for one in (a, b))
    if own is None or other is None:
        return Paired(own, other, None, None, None, None, len(a))
    low, high, _ = bootstrap(np.hstack([a, b]), lambda sums: _apart(sums, statistic), draws=draws, seed=seed)
    p = _p(a, b, statistic, draws, seed) if len(a) > 1 and draws else None
    return Paired(own, other, own - other, low, high, p, len(a))


def _apart(both: Floats, statistic: OfSums) -> Floats:
    k = both.shape[-1] // 2
    return statistic(both[..., :k]) - statistic(both[..., k:])


def _p(a: Floats, b: Floats, statistic: OfSums, draws: int, seed: int) -> float | None:
    """The share of random exchanges that leave the two at least as far apart; what was seen counts as one."""
    seen = abs(float(_apart(np.hstack([a.sum(axis=0), b.sum(axis=0)]), statistic)))
    values = np.concatenate(list(_exchanged(a, b, statistic, draws, seed)))
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    return (1 + int((np.abs(known) >= seen - 1e-12).sum())) / (1 + len(known))


def _exchanged(a: Floats, b: Floats, statistic: OfSums, draws: int, seed: int) -> Iterator[Floats]:
    generator = np.random.default_rng(seed)
    total, apart = a.sum(axis=0) + b.sum(axis=0), b - a
    for start in range(0, draws, _AT_ONCE):
        n = min(_AT_ONCE, draws - start)
        swap = generator.integers(0, 2, (n, len(a))).astype(np.float64)
        first = a.sum(axis=0) + swap @ apart
        yield _apart(np.hstack([first, total - first]), statistic)


def _defined(value: Floats) -> float | None:
    return None if np.isnan(value) else float(value)
