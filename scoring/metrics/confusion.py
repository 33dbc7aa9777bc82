"""Counts of labelled steps and what is computed from them. A *valid* step is the positive class.

A row of counts is (tp, fp, tn, fn): right steps called valid, wrong ones called valid, wrong ones called
invalid, right ones called invalid. All functions take float (…, 4) and give float (…).

Two readings (reference: PRMBench's evaluator, mr_eval/tasks/prmtest_classified/task.py):

    reference   0/0 is -1, and that -1 enters F1, as there; so its published numbers can be had again
    strict      0/0 is undefined (NaN)

In both F1, and so PRMScore, is undefined (NaN) where there is nothing to find, and where the evaluator has -1: it
adds that -1 to other numbers, and its tables print 0. No published number needs that.
"""

from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Reading = Literal["reference", "strict"]
READINGS: Final[tuple[str, ...]] = get_args(Reading)
TP, FP, TN, FN = range(4)


def negative(counts: Floats) -> Floats:
    """The counts with invalid as the positive class."""
    return counts[..., [TN, FN, TP, FP]]


def precision(counts: Floats, reading: Reading) -> Floats:
    return _ratio(counts[..., TP], counts[..., TP] + counts[..., FP], reading)


def recall(counts: Floats, reading: Reading) -> Floats:
    return _ratio(counts[..., TP], counts[..., TP] + counts[..., FN], reading)


def accuracy(counts: Floats, reading: Reading) -> Floats:
    return _ratio(counts[..., TP] + counts[..., TN], counts.sum(axis=-1), reading)


def f1(counts: Floats, reading: Reading) -> Floats:
    """The harmonic mean of precision and recall; strict: from the counts, so that no 0/0 hides in it."""
    tp, fp, fn = counts[..., TP], counts[..., FP], counts[..., FN]
    if reading == "strict":
        mean = _ratio(2 * tp, 2 * tp + fp + fn, reading)
    else:
        p, r = precision(counts, reading), recall(counts, reading)
        mean = _ratio(2 * p * r, p + r, reading)
    return np.where((tp + fn == 0) | (mean < 0), np.nan, mean)


def prm_score(counts: Floats, reading: Reading) -> Floats:
    """PRMScore: half F1 of the valid, half F1 of the invalid steps (arXiv 2501.03124, section 4)."""
    positive, other = f1(counts, reading), f1(negative(counts), reading)
    return 0.5 * positive + 0.5 * other


def _ratio(part: Any, whole: Any, reading: Reading) -> Floats:
    undefined = -1.0 if reading == "reference" else np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole == 0, undefined, np.divide(part, whole))
