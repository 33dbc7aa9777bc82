"""Statistics of ratings as JSON values: each with n, the reason it is undefined, and its interval."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from annotator.core import columns as cols
from annotator.core import pairs, panel
from annotator.core.coefficients import NO_PAIR, Ints, Statistic
from annotator.core.columns import Columns, Facing, Panel
from annotator.core.intervals import DRAWS, Interval, OfSums
from annotator.core.panel import Estimate

PANEL = {
    "alpha": panel.alpha(),
    "alpha_ordinal": panel.alpha("ordinal"),
    "fleiss_kappa": panel.fleiss_kappa,
    "gwet_ac1": panel.gwet_ac1,
}
PAIR = {
    "kappa": pairs.kappa(),
    "kappa_linear": pairs.kappa(1),
    "kappa_quadratic": pairs.kappa(2),
    "percent": pairs.percent,
}
SHARES = {
    "first_error": "no solution has a known first error from both",
    "first_error_near": "no solution has a known first error from both",
    "wrong_steps": "no solution was judged on every step by both",
}
NO_SOLUTION = "no solution was judged as a whole by two raters"
NOT_BOTH_WHOLE = "no solution was judged as a whole by both"


def statistic(found: Estimate) -> dict[str, Any]:
    """{value, n, why, interval: {low, high, why}}."""
    return found.statistic._asdict() | {"interval": found.interval._asdict()}


def among(of: Columns, which: Ints, unit: Ints, faced: Facing) -> dict[str, Any]:
    """How far the raters of a group agree; which: index array of their ratings; unit: int (ratings,), what each
    rates; faced: every two of them."""
    table, whole = cols.steps(of, which, unit), cols.verdicts(of, which, unit)
    _, index, times = np.unique(unit[which], return_inverse=True, return_counts=True)
    shared = times[index] > 1
    return {
        **_panel(table.counts, table.cluster, NO_PAIR),
        **_shares(faced),
        "solution": _panel(whole.counts, whole.cluster, NO_SOLUTION, ordinal=False),
        "n_solutions": int((times > 1).sum()),
        "n_steps": int((table.counts.sum(axis=1) > 1).sum()),
        "n_raters": len(np.unique(of.rater[which[shared]])),
    }


def among_at(table: Panel, positions: slice) -> dict[str, Any]:
    """The same of the steps at some positions: what can be said of steps alone."""
    here = (table.position >= positions.start) & (table.position < (positions.stop or np.inf))
    counts = table.counts[here]
    found = _panel(counts, table.cluster[here], NO_PAIR)
    return found | {"n_steps": int((counts.sum(axis=1) > 1).sum())}


def _panel(counts: Ints, cluster: Ints, nothing: str, ordinal: bool = True) -> dict[str, Any]:
    sums = panel.sums_of(counts, cluster)
    chosen = PANEL if ordinal else {name: one for name, one in PANEL.items() if name != "alpha_ordinal"}
    n_units, n_pairs = round(float(sums[:, -4].sum())), round(float(sums[:, -1].sum()))
    found = panel.estimates_of(sums, {**chosen, "percent": panel.percent}, n_units, nothing, DRAWS, 0)
    percent = found["percent"]
    found["percent"] = percent._replace(statistic=percent.statistic._replace(n=n_pairs))
    return {name: statistic(one) for name, one in found.items()}


def between(found: Facing, at_steps: bool = False) -> dict[str, Any]:
    """How far two sides agree; found: one row a pair of ratings, one of each side. at_steps: only what can be
    said of some steps alone."""
    sums = cols.cluster_sums(found.confusion, found.cluster)
    said = _statistics(pairs.estimates(sums, PAIR, draws=DRAWS))
    if not at_steps:
        whole = cols.cluster_sums(found.verdicts, found.cluster)
        chosen = {name: PAIR[name] for name in ("kappa", "percent")}
        n = round(float(whole.sum()))
        said |= _shares(found)
        said["solution"] = _statistics(panel.estimates_of(whole, chosen, n, NOT_BOTH_WHOLE, DRAWS, 0))
    return said | {
        "confusion": found.confusion.sum(axis=0).reshape(3, 3).tolist(),
        "n_solutions": found.n_solutions,
        "n_steps": found.n_steps,
    }


def _shares(found: Facing) -> dict[str, Any]:
    parts = {
        "first_error": (found.same_first, found.knows_first),
        "first_error_near": (found.near_first, found.knows_first),
        "wrong_steps": (found.same_wrong, found.knows_wrong),
    }
    rows = np.stack([part for both in parts.values() for part in both], axis=1).astype(np.int64)
    sums = cols.cluster_sums(rows, found.cluster)
    known = {name: int(knows.sum()) for name, (_, knows) in parts.items()}
    shares = {name: _share_at(2 * place) for place, name in enumerate(parts)}
    said = panel.estimates_of(sums, shares, max(known.values()), "", DRAWS, 0)
    return _statistics({name: _share_of(one, known[name], SHARES[name]) for name, one in said.items()})


def _share_at(column: int) -> OfSums:
    return lambda sums: pairs.share(sums[..., column : column + 2])


def _share_of(found: Estimate, n: int, nothing: str) -> Estimate:
    if not n:
        return Estimate(Statistic(None, 0, nothing), Interval(None, None, nothing))
    return found._replace(statistic=found.statistic._replace(n=n))


def _statistics(found: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: statistic(one) for name, one in found.items()}
