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
from scoring.metrics.paired import WHOLE, Paired, Part, paired
from scoring.metrics.prmbench import Item, Prediction, by_group, columns, numbered, ordered
from scoring.metrics.prmbench_report import defined
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
    """One rater's PRMScore by two truths of the same solutions; a is by the first."""
    return _of_sides([(first, said), (other, said)], reading, draws)


def _of_sides(
    both: Sequence[tuple[Sequence[Item], Mapping[str, Prediction]]], reading: Reading, draws: int
) -> dict[str, Any]:
    items = both[0][0]
    number, kinds = numbered(items), ordered(item.kind for item in items)
    sides = [_sums(one, said, kinds, number, reading) for one, said in both]
    parts = {name: Part(slice(4 * n, 4 * n + 4), _score(name, reading)) for n, name in enumerate(kinds)}
    return _told(sides, {OVERALL: Part(WHOLE, _score(OVERALL, reading)), **parts}, draws)


def _sums(
    items: Sequence[Item],
    said: Mapping[str, Prediction],
    kinds: Sequence[str],
    number: Mapping[str, int],
    reading: Reading,
) -> Floats:
    """What each problem group adds, float (groups, 4 a kind)."""
    found = columns(items, said, reading)
    kind = np.array([items[n].kind for n in found.index], dtype=object)
    return np.hstack([by_group(items, found, kind == name, number) for name in kinds])


def _score(name: str, reading: Reading) -> OfSums:
    def score(sums: Floats) -> Floats:
        pooled = sums.reshape(*sums.shape[:-1], -1, 4).sum(axis=-2)
        return defined(name, pooled, reading)

    return score


def of_processbench(a: Sequence[Case], b: Sequence[Case], draws: int = DRAWS) -> dict[str, Any]:
    """Mean F1 of two raters, and F1 per subset. a, b: the same cases with the prediction of each."""
    number, names = processbench.numbered(a), processbench.subsets_of(a)
    sides = [processbench.by_group(cases, names, number) for cases in (a, b)]
    f1 = processbench.mean_f1
    parts = {name: Part(slice(4 * n, 4 * n + 4), f1) for n, name in enumerate(names)}
    return _told(sides, {OVERALL: Part(WHOLE, f1), **parts}, draws)


def of_best_of_n(
    a: Sequence[Question], b: Sequence[Question], draws: int = DRAWS, by: tuple[str, str] = ("", "")
) -> dict[str, Any]:
    """prm@n of two raters, and per dataset. a, b: the same questions with the scores of each; only those of which
    both have scores count. by: the aggregate of each, "" for the headline of its scores; `headlines` says which."""
    both = [(x, y) for x, y in zip(a, b, strict=True) if _is_scored(x) and _is_scored(y)]
    if not both:
        return {OVERALL: NOTHING, "parts": {}}
    names = list(dict.fromkeys(x.dataset for x, _ in both))
    number = best_of_n.numbered(x for x, _ in both)
    asked = [[pair[n] for pair in both] for n in (0, 1)]
    first = [name or best_of_n.headline(some) for name, some in zip(by, (a, b), strict=True)]
    sides = [best_of_n.by_group(some, names, number, name) for some, name in zip(asked, first, strict=True)]
    parts = {name: Part(slice(2 * n, 2 * n + 2), best_of_n.mean_hit) for n, name in enumerate(names)}
    return _told(sides, {OVERALL: Part(WHOLE, best_of_n.mean_hit), **parts}, draws) | {"headlines": first}


def _is_scored(question: Question) -> bool:
    return any(response.scores for response in question.responses)


def _told(sides: Sequence[Floats], parts: Mapping[str, Part], draws: int) -> dict[str, Any]:
    found = {name: shown(one) for name, one in paired(sides[0], sides[1], parts, draws=draws).items()}
    return {OVERALL: found.pop(OVERALL), "parts": found}


def shown(found: Paired) -> dict[str, Any]:
    """{"a", "b", "difference", "interval": [low, high] or None, "p", "n": problem groups}."""
    ends = None if found.low is None or found.high is None else [100 * found.low, 100 * found.high]
    a, b, apart = (None if x is None else 100 * x for x in (found.a, found.b, found.difference))
    return {"a": a, "b": b, "difference": apart, "interval": ends, "p": found.p, "n": found.n}
