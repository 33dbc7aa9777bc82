"""ProcessBench's metrics (arXiv 2412.06559; its code/run_eval.py). In percent; undefined is None.

A prediction is the 0-based first wrong step, NO_ERROR, or None where the reply could not be read, which is wrong
whatever the label is. F1 is the harmonic mean of the accuracies on solutions with and without an error; the
average over subsets is unweighted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotator.core.intervals import bootstrap
from annotator.core.labels import NO_ERROR

Floats = NDArray[np.float64]

GSM8K: Final = "gsm8k"
SUBSETS: Final = (GSM8K, "math", "olympiadbench", "omnimath")


class Case(NamedTuple):
    """A labelled solution with its prediction. label: 0-based first wrong step or NO_ERROR. is_answer_right:
    whether its final answer is; None if not known. n_steps: 0 where nobody asks."""

    id: str
    subset: str
    label: int
    prediction: int | None
    group: str
    is_answer_right: bool | None = None
    n_steps: int = 0


def evaluate(cases: Iterable[Case], draws: int = 0) -> dict[str, Any]:
    """Return the accuracies and F1 per subset and their mean. draws: of problem groups, for an interval of the
    mean F1; 0 for none."""
    by_subset: dict[str, list[Case]] = {}
    for case in cases:
        by_subset.setdefault(case.subset, []).append(case)
    subsets = {name: _of_subset(by_subset[name]) for name in _ordered(by_subset)}
    report: dict[str, Any] = {
        name: _mean(subsets, name) for name in ("f1", "error_accuracy", "correct_accuracy")
    }
    report["subsets"] = subsets
    report["n_unparsed"] = sum(case.prediction is None for cases in by_subset.values() for case in cases)
    if draws:
        report["interval"] = _interval(by_subset, draws)
    return report


def subsets_of(cases: Iterable[Case]) -> list[str]:
    """The subsets that there are: ProcessBench's in its order, then others by name."""
    return _ordered({case.subset for case in cases})


def _ordered(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (SUBSETS.index(name) if name in SUBSETS else len(SUBSETS), name))


def f1_of(error: float | None, correct: float | None) -> float | None:
    """The harmonic mean of two accuracies in percent; 0 where both are 0, None where one is undefined."""
    if error is None or correct is None:
        return None
    return 2 * error * correct / (error + correct) if error + correct else 0.0


def vote(predictions: Sequence[str | None]) -> int | None:
    """The prediction that most replies name, as the reference counts them: as texts, so that "01" is not "1";
    of equally many the first met; None where it is no whole number or nothing could be read."""
    counted = Counter(reply for reply in predictions if reply is not None)
    if not counted:
        return None
    try:
        return int(counted.most_common(1)[0][0])
    except ValueError:
        return None


def first_below(scores: Sequence[float], threshold: float) -> int:
    """The first step whose score is not above the threshold, 0-based, or NO_ERROR."""
    return next((at for at, score in enumerate(scores) if score <= threshold), NO_ERROR)


def first_of(first: int | None, n_said: int, n_steps: int) -> int | None:
    """What a list of labels says whose first wrong step, or NO_ERROR, is `first`: None where it ends before the
    solution does without one, since nobody knows what it would have said. n_steps: 0 where not known."""
    return None if first == NO_ERROR and n_said < n_steps else first


def sweep(
    cases: Sequence[Case], scores: Mapping[str, Sequence[float]], tuned_on: str = GSM8K
) -> dict[str, Any]:
    """The threshold with the highest F1 on one subset, applied to all, as the paper's section 4.1 does.

    scores: of the steps, by case id; a case without scores is unparsed. Of thresholds that do equally well the
    lowest is chosen. Raises ValueError where no case is of that subset, or none of these has scores.
    """
    own = [case for case in cases if case.subset == tuned_on]
    if not own:
        raise ValueError(f"there is no solution of the subset {tuned_on!r} to choose a threshold on")
    best = _best(own, {case.id: np.asarray(scores[case.id]) for case in own if scores.get(case.id)})
    return {"threshold": best, "tuned_on": tuned_on, **evaluate(at_threshold(cases, scores, best))}


def tuned_on(cases: Sequence[Case]) -> str:
    """The subset on which a threshold is chosen, as the paper's section 4.1 does on GSM8K; without it the largest."""
    there = Counter(case.subset for case in cases)
    return GSM8K if GSM8K in there else max(subsets_of(cases), key=lambda name: there[name])


def _best(cases: Sequence[Case], scores: Mapping[str, Floats]) -> float:
    """The lowest of the thresholds with the highest F1: one sort, whatever their number.

    What a threshold predicts changes only at a score, and only a running minimum can be the first below. A case is
    hit from one score on and up to another, which is no part of it.
    """
    lows = {name: np.minimum.accumulate(one) for name, one in scores.items()}
    cuts = np.unique(np.concatenate([*lows.values(), np.zeros(0)]))
    if not len(cuts):
        raise ValueError("no solution to choose a threshold on has scores")
    hits = []
    for is_error in (True, False):
        some = [case for case in cases if (case.label != NO_ERROR) == is_error]
        between = [_hit(case.label, lows[case.id], case.n_steps) for case in some if case.id in lows]
        first, end = (np.sort([ends[n] for ends in between]) for n in range(2))
        n_hit = np.searchsorted(first, cuts, side="right") - np.searchsorted(end, cuts, side="right")
        hits.append(100 * n_hit / len(some) if some else np.zeros(len(cuts)))
    error, correct = hits
    f1 = 2 * error * correct / np.where(error + correct == 0, 1, error + correct)
    return float(cuts[int(f1.argmax())])


def _hit(label: int, lows: Floats, n_steps: int) -> tuple[float, float]:
    """From which threshold on, and up to which, the first step not above it is the labelled one, or none is."""
    if label == NO_ERROR:
        return (-np.inf, float(lows[-1])) if len(lows) >= n_steps else (np.inf, np.inf)
    if label >= len(lows):
        return np.inf, np.inf
    before = float(lows[label - 1]) if label else np.inf
    return min(float(lows[label]), before), before


def at_threshold(
    cases: Iterable[Case], scores: Mapping[str, Sequence[float]], threshold: float
) -> list[Case]:
    """The cases with what the scores predict at a threshold; unparsed where they end before the solution does and
    say no error so far."""

    def first(case: Case) -> int | None:
        own = scores.get(case.id)
        return None if own is None else first_of(first_below(own, threshold), len(own), case.n_steps)

    return [case._replace(prediction=first(case)) for case in cases]


def wrong_process(cases: Iterable[Case]) -> dict[str, Any]:
    """How many errors are found among solutions with a right answer and a wrong process (arXiv 2501.07301,
    table 5): per subset, n, accuracy; and the unweighted mean."""
    found: dict[str, list[bool]] = {}
    for case in cases:
        if case.is_answer_right and case.label != NO_ERROR:
            found.setdefault(case.subset, []).append(case.prediction == case.label)
    rows = {name: {"n": len(hits), "accuracy": 100 * sum(hits) / len(hits)} for name, hits in found.items()}
    values = [row["accuracy"] for row in rows.values()]
    return {"accuracy": sum(values) / len(values) if values else None, "subsets": rows}


def _of_subset(cases: Sequence[Case]) -> dict[str, Any]:
    hits = {True: [], False: []}  # type: dict[bool, list[bool]]
    for case in cases:
        hits[case.label != NO_ERROR].append(case.prediction == case.label)
    error, correct = (100 * sum(part) / len(part) if part else None for part in (hits[True], hits[False]))
    return {
        "f1": f1_of(error, correct),
        "error_accuracy": error,
        "correct_accuracy": correct,
        "n_error": len(hits[True]),
        "n_correct": len(hits[False]),
    }


def _mean(subsets: Mapping[str, Mapping[str, Any]], name: str) -> float | None:
    values = [subset[name] for subset in subsets.values()]
    return sum(values) / len(values) if values and None not in values else None


def _interval(by_subset: Mapping[str, Sequence[Case]], draws: int) -> list[float | None]:
    """95 % of the mean F1."""
    names = list(by_subset)
    cases = [case for some in by_subset.values() for case in some]
    low, high, _ = bootstrap(by_group(cases, names, numbered(cases)), mean_f1, draws=draws)
    return [None if end is None else 100 * end for end in (low, high)]


def numbered(cases: Iterable[Case]) -> dict[str, int]:
    """Each problem group with a number from 0 on, in the order of their names."""
    return {group: n for n, group in enumerate(sorted({case.group for case in cases}))}


def by_group(cases: Iterable[Case], subsets: Sequence[str], number: Mapping[str, int]) -> Floats:
    """What each problem group adds, float (groups, 4 a subset): hits and solutions with an error, hits and
    solutions without."""
    sums = np.zeros((len(number), 4 * len(subsets)))
    column = {name: 4 * n for n, name in enumerate(subsets)}
    for case in cases:
        if case.subset in column:
            at = column[case.subset] + (0 if case.label != NO_ERROR else 2)
            sums[number[case.group], at] += case.prediction == case.label
            sums[number[case.group], at + 1] += 1
    return sums


def mean_f1(sums: Floats) -> Floats:
    """The unweighted mean of the subsets' F1, 0..1, from sums as `by_group` has them."""
    parts = sums.reshape(*sums.shape[:-1], -1, 4)
    with np.errstate(invalid="ignore", divide="ignore"):
        error, correct = parts[..., 0] / parts[..., 1], parts[..., 2] / parts[..., 3]
        f1 = np.where(error + correct == 0, 0.0, 2 * error * correct / (error + correct))
    means: Floats = f1.mean(axis=-1)
    return means
