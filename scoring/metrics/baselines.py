"""What needs no model: beside every measured one, so that a number can be read.

all valid         every step is right
fair coin         each step right with probability one half, in expectation
base rate         each step wrong with the data's share of wrong steps, in expectation: PRMScore 50 whatever
                  that share is, since F1 and negative F1 then add up to 1
last step         only the last step is wrong
last 30 %         the last three tenths of the steps are wrong, at least one
step index        the later a step the worse: a score that falls from 1 to 0, cut at the threshold that does
                  best on the data; an upper bound of what position alone tells
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import ceil
from typing import Any, Final, NamedTuple

import numpy as np

from annotator.core.labels import NO_ERROR
from scoring.metrics.best_of_n import Question
from scoring.metrics.confusion import FN, FP, TN, TP, Floats, Reading
from scoring.metrics.prmbench import CORRECT, Item, ordered
from scoring.metrics.prmbench_report import score_of, shown
from scoring.metrics.processbench import Case, f1_of, subsets_of

LAST_SHARE: Final = 0.3
CUTS: Final = 50


class Flat(NamedTuple):
    """The steps of all items but originals, one after the other; all of shape (steps,). kind: a place in `names`.
    at: 0-based position.  n: how many steps its solution has.  wrong: whether it is."""

    names: list[str]
    kind: Any
    at: Any
    n: Any
    wrong: Any


def flat(items: Iterable[Item]) -> Flat:
    """The steps whose truth is known."""
    asked = [item for item in items if item.kind != CORRECT]
    names = ordered(item.kind for item in asked)
    lengths = np.array([item.n_steps for item in asked], dtype=np.int64)
    starts = lengths.cumsum() - lengths
    kind = np.repeat([names.index(item.kind) for item in asked], lengths).astype(np.int64)
    at = np.arange(int(lengths.sum())) - np.repeat(starts, lengths)
    wrong, known = np.zeros(len(at), dtype=bool), np.ones(len(at), dtype=bool)
    wrong[_places(asked, starts, lambda item: item.wrong)] = True
    known[_places(asked, starts, lambda item: item.unknown)] = False
    n = np.repeat(lengths, lengths)
    return Flat(names, kind[known], at[known], n[known], wrong[known])


def _places(asked: Sequence[Item], starts: Any, positions: Callable[[Item], tuple[int, ...]]) -> Any:
    found = [
        start + at
        for item, start in zip(asked, starts.tolist(), strict=True)
        for at in positions(item)
        if 0 <= at < item.n_steps
    ]
    return np.array(found, dtype=np.int64)


def prmbench(items: Sequence[Item], reading: Reading = "reference") -> dict[str, dict[str, Any]]:
    """PRMScore of each baseline, overall and per kind, in percent: name -> {"overall", "kinds"}."""
    steps = flat(items)
    if not len(steps.at):
        return {}
    is_last = steps.at == steps.n - 1
    is_late = steps.at >= steps.n - np.ceil(LAST_SHARE * steps.n)
    called = {"all valid": np.ones_like(is_last), "last step": ~is_last, "last 30 %": ~is_late}
    found = {name: _scored(steps, valid, reading) for name, valid in called.items()}
    found["fair coin"] = _expected(steps, lambda share: 0.5, reading)
    found["base rate"] = _expected(steps, lambda share: share, reading)
    return found | {"step index": _best_cut(steps, reading)}


def _scored(steps: Flat, valid: Any, reading: Reading) -> dict[str, Any]:
    """What the steps called valid score. Every step has its label, so both readings count alike."""
    cell = np.where(valid, np.where(steps.wrong, FP, TP), np.where(steps.wrong, TN, FN))
    counts = np.bincount(steps.kind * 4 + cell, minlength=4 * len(steps.names)).reshape(-1, 4)
    return _brief(steps.names, counts.astype(np.float64), reading)


def _brief(names: Sequence[str], counts: Floats, reading: Reading) -> dict[str, Any]:
    kinds = {name: shown(score_of(name, row, reading)) for name, row in zip(names, counts, strict=True)}
    return {"overall": shown(score_of("overall", counts.sum(axis=0), reading)), "kinds": kinds}


def _expected(steps: Flat, rate: Callable[[float], float], reading: Reading) -> dict[str, Any]:
    """Scores of the expected counts where each step is called wrong with probability rate(share of wrong), a
    kind's own share for the kind and the share of all for all."""
    size = np.bincount(steps.kind, minlength=len(steps.names))
    wrong = np.bincount(steps.kind, weights=steps.wrong, minlength=len(steps.names))
    rows = [_expected_counts(n, w, rate(w / n)) for n, w in zip(size.tolist(), wrong.tolist(), strict=True)]
    n, w = int(size.sum()), float(wrong.sum())
    whole = shown(score_of("overall", _expected_counts(n, w, rate(w / n)), reading))
    return _brief(steps.names, np.array(rows), reading) | {"overall": whole}


def _expected_counts(steps: int, wrong: float, called_wrong: float) -> Floats:
    right = steps - wrong
    return np.array(
        [right * (1 - called_wrong), wrong * (1 - called_wrong), wrong * called_wrong, right * called_wrong]
    )


def _best_cut(steps: Flat, reading: Reading) -> dict[str, Any]:
    """The step index cut where its overall PRMScore is highest, the lowest of equally good cuts."""
    score = 1 - steps.at / steps.n
    cuts = np.linspace(0, 1, CUTS, endpoint=False)
    found = [_scored(steps, score > cut, reading) | {"threshold": float(cut)} for cut in cuts]
    return max(found, key=lambda one: one["overall"] or 0.0)


def processbench(cases: Sequence[Case]) -> dict[str, dict[str, Any]]:
    """F1 of each baseline, mean and per subset, in percent: name -> {"overall", "kinds"}.

    first step: the first step is the first wrong one. step index: as in PRMBench, at the cut that does best on the
    data: the first wrong step is always at one part of the solution. The fair coin and the base rate (the share of
    wrong steps among those that are labelled) call step after step wrong by chance; the figures are expectations.
    """
    labelled = sum(case.n_steps if case.label == NO_ERROR else case.label + 1 for case in cases)
    share = sum(case.label != NO_ERROR for case in cases) / labelled if labelled else 0.0
    sure: dict[str, Callable[[Case], int]] = {
        "all valid": lambda case: NO_ERROR,
        "first step": lambda case: 0,
        "last step": lambda case: case.n_steps - 1,
        "last 30 %": lambda case: case.n_steps - ceil(LAST_SHARE * case.n_steps),
    }
    found = {name: _f1s(cases, partial(_certain, at)) for name, at in sure.items()}
    found["step index"] = _best_part(cases)
    by_chance = {"fair coin": 0.5, "base rate": share}
    return found | {name: _f1s(cases, partial(_chance, rate)) for name, rate in by_chance.items()}


def _certain(at: Callable[[Case], int], case: Case) -> float:
    return float(at(case) == case.label)


def _best_part(cases: Sequence[Case]) -> dict[str, Any]:
    """The step index cut where the mean F1 is highest, the lowest of equally good cuts."""
    names = subsets_of(cases)
    subset = np.array([names.index(case.subset) for case in cases], dtype=np.int64)
    label = np.array([case.label for case in cases], dtype=np.int64)
    n = np.array([case.n_steps for case in cases], dtype=np.int64)
    parts = [
        ((subset == k) & (label != NO_ERROR), (subset == k) & (label == NO_ERROR)) for k in range(len(names))
    ]
    found = []
    for cut in np.linspace(0, 1, CUTS, endpoint=False):
        first = np.ceil(n * (1 - cut) - 1e-9).astype(
            np.int64
        )  # the first of which 1 - index / n is not above
        hit = np.where(first < n, first, NO_ERROR) == label
        f1s = (
            f1_of(*(100 * float(hit[some].mean()) if some.any() else None for some in pair)) for pair in parts
        )
        found.append(_of_subsets(dict(zip(names, f1s, strict=True))) | {"threshold": float(cut)})
    return max(found, key=lambda one: one["overall"] or 0.0)


def _chance(rate: float, case: Case) -> float:
    """That a rater who calls each step wrong with this probability names the first wrong step, or none."""
    if case.label == NO_ERROR:
        return float((1 - rate) ** case.n_steps)
    return float((1 - rate) ** case.label * rate)


def _f1s(cases: Sequence[Case], hit: Callable[[Case], float]) -> dict[str, Any]:
    f1: dict[str, float | None] = {}
    for subset in subsets_of(cases):
        sides: dict[bool, list[float]] = {True: [], False: []}
        for case in cases:
            if case.subset == subset:
                sides[case.label != NO_ERROR].append(hit(case))
        f1[subset] = f1_of(*(100 * sum(some) / len(some) if some else None for some in sides.values()))
    return _of_subsets(f1)


def _of_subsets(f1: dict[str, float | None]) -> dict[str, Any]:
    """Their mean, undefined where one of them is, and themselves."""
    known = [value for value in f1.values() if value is not None]
    return {"overall": sum(known) / len(known) if known and len(known) == len(f1) else None, "kinds": f1}


def best_of_n(questions: Iterable[Question]) -> dict[str, dict[str, Any]]:
    """Accuracy of picks without a rater, mean and per dataset, in percent: name -> {"overall", "kinds"}. random
    pick: in expectation."""
    shares: dict[str, list[tuple[float, float]]] = {}
    for question in questions:
        right = [float(response.is_right) for response in question.responses]
        shares.setdefault(question.dataset, []).append((sum(right) / len(right), right[0]))
    names = ("random pick", "first response")
    kinds = [
        {dataset: 100 * sum(one[n] for one in some) / len(some) for dataset, some in shares.items()}
        for n in range(len(names))
    ]
    return {
        name: {"overall": sum(of.values()) / len(of) if of else None, "kinds": of}
        for name, of in zip(names, kinds, strict=True)
    }
