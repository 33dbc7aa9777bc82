"""Two raters on the same solutions: how far apart they are, how sure that is, and whether it may be chance.

Solutions of one problem resemble each other, so whole problem groups are drawn, the same ones for both raters
(interval), and whole groups change sides (p): approximate randomisation, Noreen 1989. Were the two equally good,
it would not matter who said what of a group.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from annotator.core.intervals import DRAWS, Draws, OfSums, of_draws
from scoring.metrics.confusion import Floats

_AT_ONCE: Final = 100  # draws, so that memory stays flat


class Paired(NamedTuple):
    """a, b: the statistic of each.  difference: a - b.  low, high: its 95 % interval.  p: two-sided, between 0
    and 1.  n: problem groups that count. None where undefined."""

    a: float | None
    b: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int = 0


class Part(NamedTuple):
    """Which columns of the sums, and the statistic of these: from float (…, k) to values, float (…), NaN where
    undefined."""

    columns: slice
    statistic: OfSums


WHOLE: Final = slice(None)


def paired(
    a: Floats, b: Floats, parts: Mapping[str, Part], *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Paired]:
    """Compare two raters by statistics of sums, all parts on the same draws.

    a, b: float (groups, k), what each problem group adds, in the same order.  draws: 0 for neither intervals nor p.
    """
    there = a.any(axis=1) | b.any(axis=1)
    a, b = a[there], b[there]
    found = {name: _seen(a, b, part) for name, part in parts.items()}
    if len(a) < 2 or not draws:
        return found
    drawn = Draws(len(a), draws, seed).resampled(np.hstack([a, b]), np.arange(len(a)))
    swapped = np.concatenate(list(_exchanged(a, b, draws, seed)))
    return {
        name: found[name] if found[name].difference is None else _told(found[name], drawn, swapped, part)
        for name, part in parts.items()
    }


def _seen(a: Floats, b: Floats, part: Part) -> Paired:
    mine, other = a[:, part.columns], b[:, part.columns]
    n = int((mine.any(axis=1) | other.any(axis=1)).sum())
    x, y = (_defined(part.statistic(one.sum(axis=0))) for one in (mine, other))
    return Paired(x, y, None if x is None or y is None else x - y, n=n)


def _told(seen: Paired, drawn: Floats, swapped: Floats, part: Part) -> Paired:
    if seen.n < 2:
        return seen
    low, high, _ = of_draws(_apart(drawn, part))
    return seen._replace(low=low, high=high, p=_p(abs(seen.difference or 0.0), _apart(swapped, part)))


def _apart(both: Floats, part: Part) -> Floats:
    k = both.shape[-1] // 2
    apart: Floats = part.statistic(both[:, :k][:, part.columns]) - part.statistic(
        both[:, k:][:, part.columns]
    )
    return apart


def _p(seen: float, values: Floats) -> float | None:
    """The share of random exchanges that leave the two at least as far apart; what was seen counts as one."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    return (1 + int((np.abs(known) >= seen - 1e-9).sum())) / (1 + len(known))


def _exchanged(a: Floats, b: Floats, draws: int, seed: int) -> Iterator[Floats]:
    """Sums of both after random exchanges, float (draws, 2 k)."""
    generator = np.random.default_rng(seed)
    total, apart = a.sum(axis=0) + b.sum(axis=0), b - a
    for start in range(0, draws, _AT_ONCE):
        n = min(_AT_ONCE, draws - start)
        swap = generator.integers(0, 2, (n, len(a))).astype(np.float64)
        first = a.sum(axis=0) + swap @ apart
        yield np.hstack([first, total - first])


def _defined(value: Floats) -> float | None:
    return None if np.isnan(value) else float(value)
