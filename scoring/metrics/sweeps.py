"""PRMBench's threshold, chosen on one half of the problem groups and reported on the other.

Published thresholds were chosen on what they are reported on, and move PRMScore by up to 30 points. Here a group is
on one side for good: by the hash of its name, so that all versions of a problem stay together and every rater is
measured on the same half.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Final

import numpy as np

from annotator.core.intervals import bootstrap
from annotator.core.labels import RIGHT, WRONG
from scoring.metrics.confusion import FN, FP, TN, TP, Floats, Reading
from scoring.metrics.prmbench import (
    BY_REDUNDANCY,
    CORRECT,
    Item,
    Prediction,
    by_group,
    columns,
    known_wrong,
    numbered,
)
from scoring.metrics.prmbench_report import defined, score_of, shown

CUTS: Final = 200
OVERALL: Final = "overall"


def is_chosen_on(group: str) -> bool:
    """Whether a problem group is in the half on which a threshold is chosen."""
    return sha256(group.encode()).digest()[0] % 2 == 0


def prmbench(
    items: Sequence[Item],
    scores: Mapping[str, Sequence[float]],
    stored: Mapping[str, Prediction],
    reading: Reading = "reference",
    draws: int = 0,
) -> dict[str, Any]:
    """The threshold above which a step is valid that has the highest PRMScore on one half; of equal ones the lowest.

    scores: of the steps, by item id.  stored: the rater's labels, by item id; where they have a redundancy axis it
    stands for its two kinds, and no threshold touches it.  Returns {"threshold", "chosen": {"n_groups", "n_items",
    "score"}, "reported": the same and "interval", "stored": the stored labels' score on the reported half, "curve":
    [{"threshold", "chosen", "reported"}]}.  Raises ValueError where a half has no scored step.
    """
    asked = [item for item in items if item.kind != CORRECT]
    halves = [
        [item for item in asked if is_chosen_on(item.group) == is_chosen] for is_chosen in (True, False)
    ]
    chosen, reported = (_Half(half, scores, stored, reading) for half in halves)
    if not chosen.n_steps or not reported.n_steps:
        raise ValueError("one half of the problem groups has no step with a score: there are too few of them")
    cuts = chosen.cuts()
    curve = [
        {"threshold": float(cut), "chosen": shown(a), "reported": shown(b)}
        for cut, a, b in zip(cuts, chosen.scores(cuts), reported.scores(cuts), strict=True)
    ]
    best = max(
        curve, key=lambda one: (one["chosen"] is not None, one["chosen"] or 0.0, -(one["threshold"] or 0.0))
    )
    at_best = cut_at(halves[1], scores, stored, float(best["threshold"] or 0.0))
    return {
        "threshold": best["threshold"],
        "chosen": {**_sizes(halves[0]), "score": best["chosen"]},
        "reported": {
            **_sizes(halves[1]), "score": best["reported"],
            "interval": _interval(halves[1], at_best, reading, draws) if draws else None,
        },
        "stored": _score(halves[1], stored, reading),
        "curve": curve,
    }  # fmt: skip


def cut_at(
    items: Iterable[Item],
    scores: Mapping[str, Sequence[float]],
    stored: Mapping[str, Prediction],
    threshold: float,
) -> dict[str, Prediction]:
    """What the scores say at a threshold, by item id; without scores nothing could be read."""
    found = {}
    for item in items:
        own, kept = scores.get(item.id), stored.get(item.id)
        if own is not None:
            labels = "".join(RIGHT if score > threshold else WRONG for score in own)
            found[item.id] = Prediction(labels, kept.redundancy if kept else None)
        elif kept is not None:
            found[item.id] = Prediction(
                "", kept.redundancy, is_parsed=kept.is_parsed and kept.redundancy is not None
            )
    return found


class _Half:
    """One half's scores of right and of wrong steps, sorted; and the counts that no threshold changes."""

    def __init__(
        self,
        items: Sequence[Item],
        scores: Mapping[str, Sequence[float]],
        stored: Mapping[str, Prediction],
        reading: Reading,
    ) -> None:
        self._reading: Reading = reading
        cut = [item for item in items if item.id in scores and not _by_axis(item, stored)]
        rows = [row for item in cut for row in _steps(item, scores[item.id], reading)]
        table = np.array(rows, dtype=np.float64).reshape(-1, 2)
        self._right, self._wrong, self._surplus = (
            np.sort(table[table[:, 1] == what, 0]) for what in range(3)
        )
        self.n_steps = len(table)
        names = {item.id for item in cut}
        self._fixed = columns([item for item in items if item.id not in names], stored, reading).counts.sum(
            axis=0
        )
        if reading == "strict":
            self._fixed = self._fixed + sum(
                (_missing(item, len(scores[item.id])) for item in cut), np.zeros(4)
            )

    def cuts(self) -> Floats:
        """Thresholds worth trying: all steps right, and at most CUTS scores."""
        values = np.unique(np.concatenate([self._right, self._wrong]))
        some = values if len(values) <= CUTS else values[np.linspace(0, len(values) - 1, CUTS).astype(int)]
        return np.concatenate([[np.nextafter(some[0], -np.inf)], some])

    def scores(self, cuts: Floats) -> Floats:
        below = [
            np.searchsorted(some, cuts, side="right") for some in (self._right, self._wrong, self._surplus)
        ]
        above = [
            len(some) - n for some, n in zip((self._right, self._wrong, self._surplus), below, strict=True)
        ]
        counts = np.tile(self._fixed, (len(cuts), 1))
        counts[:, TP] += above[0]
        counts[:, FP] += above[1] + above[2]
        counts[:, TN] += below[1]
        counts[:, FN] += below[0] + below[2]
        return score_of(OVERALL, counts, self._reading)


def _by_axis(item: Item, stored: Mapping[str, Prediction]) -> bool:
    found = stored.get(item.id)
    return item.kind in BY_REDUNDANCY and found is not None and found.redundancy is not None


def _steps(item: Item, scores: Sequence[float], reading: Reading) -> Iterable[tuple[float, int]]:
    """Score and what it is of, where that is known: 0 a right step, 1 a wrong one, 2, read strictly, none."""
    wrong, unknown = set(known_wrong(item)), set(item.unknown)
    end = item.n_steps if reading == "strict" else len(scores)
    return [
        (score, 2 if at >= end else int(at in wrong)) for at, score in enumerate(scores) if at not in unknown
    ]


def _missing(item: Item, n: int) -> Floats:
    """The mistakes of a list that ends after n steps."""
    counts = np.zeros(4)
    for at in range(n, item.n_steps):
        if at not in item.unknown:
            counts[FP if at in item.wrong else FN] += 1
    return counts


def _sizes(items: Sequence[Item]) -> dict[str, int]:
    return {"n_groups": len({item.group for item in items}), "n_items": len(items)}


def _score(items: Sequence[Item], said: Mapping[str, Prediction], reading: Reading) -> float | None:
    return shown(score_of(OVERALL, columns(items, said, reading).counts.sum(axis=0), reading))


def _interval(
    items: Sequence[Item], said: Mapping[str, Prediction], reading: Reading, draws: int
) -> list[float | None]:
    found = columns(items, said, reading)
    sums = by_group(items, found, np.ones(len(found.index), dtype=bool), numbered(items))
    low, high, _ = bootstrap(sums[sums.any(axis=1)], partial(defined, OVERALL, reading=reading), draws=draws)
    return [None if end is None else shown(end) for end in (low, high)]
