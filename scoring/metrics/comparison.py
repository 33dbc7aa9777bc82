"""One rater beside another on one benchmark: each difference with its interval and p. In percent; p is a share.

Only what both were asked counts, so that like is compared with like: the caller gives the same solutions twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from annotator.core.intervals import DRAWS, OfSums
from scoring.metrics import best_of_n, processbench
from scoring.metrics.best_of_n import Question
from scoring.metrics.confusion import Floats, Reading
from scoring.metrics.paired import Paired, paired
from scoring.metrics.prmbench import CORRECT, Item, Prediction, by_group, columns, numbered, ordered
from scoring.metrics.prmbench_report import score_of
from scoring.metrics.processbench import Case

OVERALL: Final = "overall"
NOTHING: Final[dict[str, Any]] = {
    "a": None, "b": None, "difference": None, "interval": None, "p": None, "n": 0
}  # fmt: skip


def prmbench(
    items: Sequence[Item],
    a: Mapping[str, Prediction],
    b: Mapping[str, Prediction],
    reading: Reading = "reference",
    draws: int = DRAWS,
) -> dict[str, Any]:
    """PRMScore of two raters, overall and per kind: {"overall": D, "parts": {kind: D}}; D as `shown` has it."""
    return _of_sides([(items, a), (items, b)], reading, draws)


def two_truths(
    first: Sequence[Item],
    other: Sequence[Item],
    said: Mapping[str, Prediction],
    reading: Reading = "reference",
    draws: int = DRAWS,
) -> dict[str, Any]:
    """One rater's PRMScore by two truths of the same solutions, as D: a is by the first."""
    found: dict[str, Any] = _of_sides([(first, said), (other, said)], reading, draws, [OVERALL])[OVERALL]
    return found


def _of_sides(
    both: Sequence[tuple[Sequence[Item], Mapping[str, Prediction]]],
    reading: Reading,
    draws: int,
    names: Sequence[str] | None = None,
) -> dict[str, Any]:
    items = both[0][0]
    number = numbered(items)
    sides = [(one, found := columns(one, said, reading), _kind(one, found.index)) for one, said in both]
    made = {}
    for name in names or (OVERALL, *ordered(item.kind for item in items)):
        sums = [
            by_group(one, found, kind != CORRECT if name == OVERALL else kind == name, number)
            for one, found, kind in sides
        ]
        made[name] = shown(paired(sums, _score(name, reading), draws=draws))
    return {OVERALL: made.pop(OVERALL), "parts": made}


def _kind(items: Sequence[Item], index: Any) -> Any:
    return np.array([items[n].kind for n in index], dtype=object)


def _score(name: str, reading: Reading) -> OfSums:
    def score(sums: Floats) -> Floats:
        values = score_of(name, sums, reading)
        return np.where(values < 0, np.nan, values)  # the reference's mark for what is undefined

    return score


def of_processbench(a: Sequence[Case], b: Sequence[Case], draws: int = DRAWS) -> dict[str, Any]:
    """Mean F1 of two raters, and F1 per subset. a, b: the same cases with the prediction of each."""
    number, names = processbench.numbered(a), processbench.subsets_of(a)
    parts = {}
    for name in names:
        one = [name]
        sums = (processbench.by_group(cases, one, number) for cases in (a, b))
        parts[name] = shown(paired(sums, processbench.mean_f1, draws=draws))
    both = (processbench.by_group(cases, names, number) for cases in (a, b))
    return {OVERALL: shown(paired(both, processbench.mean_f1, draws=draws)), "parts": parts}


def of_best_of_n(a: Sequence[Question], b: Sequence[Question], draws: int = DRAWS) -> dict[str, Any]:
    """prm@n by product of two raters, and per dataset. a, b: the same questions with the scores of each; only
    those of which both have scores count."""
    both = [(x, y) for x, y in zip(a, b, strict=True) if _is_scored(x) and _is_scored(y)]
    names = list(dict.fromkeys(x.dataset for x, _ in both))
    number = {group: n for n, group in enumerate(sorted({x.group or x.id for x, _ in both}))}
    sides = [[x for x, _ in both], [y for _, y in both]]
    parts = {}
    for name in names:
        sums = [best_of_n.by_group(side, [name], number) for side in sides]
        parts[name] = shown(paired(sums, best_of_n.mean_hit, draws=draws))
    sums = [best_of_n.by_group(side, names, number) for side in sides]
    return {OVERALL: shown(paired(sums, best_of_n.mean_hit, draws=draws)), "parts": parts}


def _is_scored(question: Question) -> bool:
    return any(response.scores for response in question.responses)


def shown(found: Paired) -> dict[str, Any]:
    """{"a", "b", "difference", "interval": [low, high] or None, "p", "n": problem groups}."""
    ends = None if found.low is None or found.high is None else [100 * found.low, 100 * found.high]
    a, b, apart = (None if x is None else 100 * x for x in (found.a, found.b, found.difference))
    return {"a": a, "b": b, "difference": apart, "interval": ends, "p": found.p, "n": found.n}
