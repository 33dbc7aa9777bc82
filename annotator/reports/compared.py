"""Statistics of ratings as JSON values: each with n, the reason it is undefined, and its interval."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from annotator.core import columns as cols
from annotator.core import pairs, panel
from annotator.core.coefficients import NO_PAIR, NOT_BOTH, Floats, Ints, Statistic
from annotator.core.columns import Columns, Facing, Panel
from annotator.core.intervals import DRAWS, Draws, Interval, OfSums
from annotator.core.panel import Estimate

PANEL = {
    "alpha": panel.alpha(),
    "alpha_ordinal": panel.alpha("ordinal"),
    "fleiss_kappa": panel.fleiss_kappa,
    "gwet_ac1": panel.gwet_ac1,
    "percent": panel.percent,
}
PAIR = {
    "kappa": pairs.kappa(),
    "kappa_linear": pairs.kappa(1),
    "kappa_quadratic": pairs.kappa(2),
    "percent": pairs.percent,
}
WHOLE_PANEL = {name: one for name, one in PANEL.items() if name != "alpha_ordinal"}
WHOLE_PAIR = {name: PAIR[name] for name in ("kappa", "percent")}
SHARES = {
    "first_error": "no solution has a known first error from both",
    "first_error_near": "no solution has a known first error from both",
    "wrong_steps": "no solution was judged on every step by both",
}
NO_SOLUTION = "no solution was judged as a whole by two raters"
NOT_BOTH_WHOLE = "no solution was judged as a whole by both"


class Comparing:
    """What all comparisons of one report share: its ratings and the draws of their clusters."""

    def __init__(self, of: Columns, draws: int = DRAWS) -> None:
        self.of = of
        self.draws = Draws(of.n_clusters, draws)

    def among(self, which: Ints, unit: Ints, faced: Facing) -> dict[str, Any]:
        """How far the raters of a group agree; which: index array of their ratings; unit: int (ratings,), what
        each rates; faced: every two of them."""
        table, whole = cols.steps(self.of, which, unit), cols.verdicts(self.of, which, unit)
        _, index, times = np.unique(unit[which], return_inverse=True, return_counts=True)
        shared = times[index] > 1
        return {
            **self._panel(table, PANEL, NO_PAIR),
            **self._shares(faced),
            "solution": self._panel(whole, WHOLE_PANEL, NO_SOLUTION),
            "n_solutions": int((times > 1).sum()),
            "n_steps": int((table.counts.sum(axis=1) > 1).sum()),
            "n_raters": len(np.unique(self.of.rater[which[shared]])),
        }

    def among_at(self, table: Panel, positions: slice) -> dict[str, Any]:
        """The same of the steps at some positions: what can be said of steps alone."""
        here = (table.position >= positions.start) & (table.position < (positions.stop or np.inf))
        some = Panel(*(part[here] for part in table))
        return self._panel(some, PANEL, NO_PAIR) | {"n_steps": int((some.counts.sum(axis=1) > 1).sum())}

    def between(self, faced: Facing, at_steps: bool = False) -> dict[str, Any]:
        """How far two sides agree; faced: one row a pair of ratings, one of each side. at_steps: only what can
        be said of some steps alone."""
        n = int(faced.confusion.sum())
        found = self._estimates(faced.confusion.T, faced.cluster, PAIR, n, NOT_BOTH)
        said = _statistics(found)
        if not at_steps:
            n_whole = int(faced.verdicts.sum())
            whole = self._estimates(faced.verdicts.T, faced.cluster, WHOLE_PAIR, n_whole, NOT_BOTH_WHOLE)
            said |= self._shares(faced) | {"solution": _statistics(whole)}
        return said | {
            "confusion": faced.confusion.sum(axis=0).reshape(3, 3).tolist(),
            "n_solutions": faced.n_solutions,
            "n_steps": faced.n_steps,
        }

    def _panel(self, table: Panel, chosen: Mapping[str, OfSums], nothing: str) -> dict[str, Any]:
        judged = table.counts.sum(axis=1)
        n_units, n_pairs = int((judged > 1).sum()), int((judged * (judged - 1) // 2).sum())
        found = self._estimates(panel.columns_of(table.counts), table.cluster, chosen, n_units, nothing)
        return _statistics(found | {"percent": _counted(found["percent"], n_pairs)})

    def _shares(self, faced: Facing) -> dict[str, Any]:
        parts = {
            "first_error": (faced.same_first, faced.knows_first),
            "first_error_near": (faced.near_first, faced.knows_first),
            "wrong_steps": (faced.same_wrong, faced.knows_wrong),
        }
        known = {name: int(knows.sum()) for name, (_, knows) in parts.items()}
        shares = {name: _share_at(2 * place) for place, name in enumerate(parts)}
        rows = [part for both in parts.values() for part in both]
        found = self._estimates(rows, faced.cluster, shares, max(known.values()), "")
        return _statistics({
            name: _counted(one, known[name]) if known[name] else _nothing(SHARES[name])
            for name, one in found.items()
        })  # fmt: skip

    def _estimates(
        self, columns: Iterable[Ints | Floats], cluster: Ints, chosen: Mapping[str, OfSums], n: int, why: str
    ) -> dict[str, Estimate]:
        """Estimates of sums over the things whose columns these are; n: how many things count."""
        if not n:
            return dict.fromkeys(chosen, _nothing(why))
        sums, there = cols.cluster_sums(columns, cluster, self.of.n_clusters)
        values = None
        if len(there) > 1:
            drawn = self.draws.resampled(sums, there)
            values = np.stack([one(drawn) for one in chosen.values()], axis=-1)
        return panel.estimates_from(sums.sum(axis=0), values, chosen, n, why)


def _share_at(column: int) -> OfSums:
    return lambda sums: pairs.share(sums[..., column : column + 2])


def _counted(found: Estimate, n: int) -> Estimate:
    return found._replace(statistic=found.statistic._replace(n=n))


def _nothing(why: str) -> Estimate:
    return Estimate(Statistic(None, 0, why), Interval(None, None, why))


def _statistics(found: Mapping[str, Estimate]) -> dict[str, Any]:
    """Name -> {value, n, why, interval: {low, high, why}}."""
    return {
        name: one.statistic._asdict() | {"interval": one.interval._asdict()} for name, one in found.items()
    }
