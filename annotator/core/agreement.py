"""Agreement between raters, people and machines alike, from their label strings.

A label string has one character a step: `-`, `0` and `+` are judgements, `?` (unsure) and `.` (not judged)
are missing and never count as wrong. A unit is one step of one solution.

Everything is a sum over units or solutions, so that an interval can resample solutions: `units` keeps the
solution of every row of its count matrix.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotator.core.coefficients import (
    N_VALUES,
    Ints,
    Statistic,
    kappa_of,
    krippendorff_alpha,
    pairs_between,
    pairs_within,
    percent_of,
    percent_within,
    share,
)
from annotator.core.labels import NEUTRAL, RIGHT, UNJUDGED, UNKNOWN, UNSURE, WRONG

VALUES = WRONG + NEUTRAL + RIGHT  # ascending, for the ordinal metric; a value's code is its position here
MISSING = UNSURE + UNJUDGED

_MISSING, _FOREIGN = -1, -2
_CODE_OF = np.full(128, _FOREIGN, dtype=np.int8)
_CODE_OF[[ord(label) for label in MISSING]] = _MISSING
_CODE_OF[[ord(label) for label in VALUES]] = range(N_VALUES)


class Rating(NamedTuple):
    """One rater's labels of one solution.

    solution, rater: ids. labels: one character a step. first_error: 0-based position, or NO_ERROR, or UNKNOWN
    (which is missing).
    """

    solution: int
    rater: int
    labels: str
    first_error: int


class Units(NamedTuple):
    """How often each step got each value.

    solution: int (units,), the id of the solution each unit is a step of, ascending; steps in order.
    counts: int (units, 3), raters per value, columns in the order of `VALUES`.
    """

    solution: Ints
    counts: Ints


class Agreement(NamedTuple):
    """How far a group of raters agree with each other.

    alpha: nominal; n = steps judged by two raters. percent: n = pairs of judgements of one step. first_error:
    n = pairs of raters who know the first error of one solution. n_solutions, n_steps: rated, judged by two
    or more raters. n_raters: raters of those solutions.
    """

    alpha: Statistic
    percent: Statistic
    first_error: Statistic
    n_solutions: int
    n_steps: int
    n_raters: int


class PairAgreement(NamedTuple):
    """How far two raters, or two sides, agree on what both rated.

    kappa: Cohen's; n, as percent's, = pairs of judgements of one step, one from each side. first_error_exact:
    n = such pairs of known first errors of one solution. n_solutions, n_steps: rated, judged by both sides.
    """

    kappa: Statistic
    percent: Statistic
    first_error_exact: Statistic
    n_solutions: int
    n_steps: int


def summarise(ratings: Iterable[Rating]) -> Agreement:
    """Agreement within one group of raters, every pair of them counted once per solution.

    Raises ValueError where `units` does. The order of the ratings does not matter.
    """
    table = _table(ratings)
    tally = _tally(table, np.ones(len(table.solution), dtype=bool))
    shared = np.bincount(table.solution)[table.solution] > 1
    return Agreement(
        alpha=krippendorff_alpha(tally),
        percent=percent_within(tally),
        first_error=_first_error_within(table),
        n_solutions=len(np.unique(table.solution[shared])),
        n_steps=int((tally.sum(axis=1) > 1).sum()),
        n_raters=len(np.unique(table.rater[shared])),
    )


def between(people: Iterable[Rating], machine: Iterable[Rating]) -> PairAgreement:
    """Agreement of two sides: only pairs with one rating from each count, never two of the same side.

    Kappa is Cohen's of the confusion matrix pooled over those pairs. Swapping the sides changes nothing.
    Raises ValueError where `units` does, so also for a rater who stands on both sides of one solution and
    would be compared with themself.
    """
    left, right = list(people), list(machine)
    table = _table(left + right)
    on_left = np.arange(len(table.solution)) < len(left)
    first, second = _tally(table, on_left), _tally(table, ~on_left)
    # Summed over units, (how many left gave i) x (how many right gave j) counts every pair once.
    pooled = first.T @ second
    return PairAgreement(
        kappa=kappa_of(pooled),
        percent=percent_of(pooled),
        first_error_exact=_first_error_between(table, on_left),
        n_solutions=len(np.intersect1d(table.solution[on_left], table.solution[~on_left])),
        n_steps=int((first.any(axis=1) & second.any(axis=1)).sum()),
    )


def pairwise(ratings: Iterable[Rating]) -> dict[tuple[int, int], PairAgreement]:
    """`between` for every two raters of a group, keyed by (smaller id, larger id).

    Two raters without a common solution are there too, with undefined statistics. Raises as `between` does.
    """
    of_rater: defaultdict[int, list[Rating]] = defaultdict(list)
    for rating in ratings:
        of_rater[rating.rater].append(rating)
    return {(a, b): between(of_rater[a], of_rater[b]) for a, b in combinations(sorted(of_rater), 2)}


def first_error_agreement(ratings: Iterable[Rating]) -> Statistic:
    """Share of the pairs of raters of one solution who name the same first error ("none" is one); n = pairs.

    A rating whose first error is unknown makes no pair. Raises ValueError where `units` does.
    """
    return _first_error_within(_table(ratings))


def counts(ratings: Iterable[Rating]) -> Ints:
    """The count matrix of `units` alone, int (units, 3), for `krippendorff_alpha`."""
    return units(ratings).counts


def units(ratings: Iterable[Rating]) -> Units:
    """How many raters gave each step each value; a step with one rater is a row that pairs nothing.

    Raises ValueError for a character that is no label, for labels of different lengths on one solution, and
    for a rater who stands twice on a solution.
    """
    table = _table(ratings)
    tally = _tally(table, np.ones(len(table.solution), dtype=bool))
    return Units(np.repeat(table.ids, table.n_steps), tally)


def encode(labels: str) -> NDArray[np.int8]:
    """Codes of a label string, int8 (steps,): the position in `VALUES`, or -1 where missing.

    Raises ValueError for a character that is no label.
    """
    codes: NDArray[np.int8] = _CODE_OF[np.frombuffer(labels.encode("ascii"), dtype=np.uint8)]
    if (codes == _FOREIGN).any():
        raise ValueError(f"labels are {VALUES + MISSING}, not {labels[int(np.argmin(codes))]!r}")
    return codes


class _Table(NamedTuple):
    """Ratings as columns. Shapes: (solutions,), then (ratings,), then (labels,): all strings end to end."""

    ids: Ints
    n_steps: Ints
    solution: Ints  # index into ids
    rater: Ints
    first_error: Ints
    n_labels: Ints
    code: Ints
    unit: Ints  # row of the count matrix


def _table(ratings: Iterable[Rating]) -> _Table:
    rated = list(ratings)
    ids, solution = np.unique(_column(r.solution for r in rated), return_inverse=True)
    rater = _column(r.rater for r in rated)
    n_labels = _column(len(r.labels) for r in rated)
    n_steps = np.zeros(len(ids), dtype=np.int64)
    n_steps[solution] = n_labels
    _check_lengths(rated, n_steps[solution] != n_labels)
    _check_once(rated, solution, rater)
    # A label's unit: where its solution's units begin, plus how far it stands into its own string.
    starts = (n_steps.cumsum() - n_steps)[solution] - (n_labels.cumsum() - n_labels)
    unit = np.arange(n_labels.sum()) + np.repeat(starts, n_labels)
    code = encode("".join(r.labels for r in rated))
    return _Table(ids, n_steps, solution, rater, _column(r.first_error for r in rated), n_labels, code, unit)


def _column(values: Iterable[int]) -> NDArray[np.int64]:
    return np.fromiter(values, dtype=np.int64)


def _check_lengths(rated: list[Rating], differs: NDArray[np.bool_]) -> None:
    if differs.any():
        raise ValueError(f"solution {rated[int(differs.argmax())].solution} has labels of different lengths")


def _check_once(rated: list[Rating], solution: Ints, rater: Ints) -> None:
    order = np.lexsort((rater, solution))
    again = (np.diff(solution[order]) == 0) & (np.diff(rater[order]) == 0)
    if again.any():
        twice = rated[int(order[int(again.argmax())])]
        raise ValueError(f"rater {twice.rater} stands twice on solution {twice.solution}")


def _tally(table: _Table, rows: NDArray[np.bool_]) -> Ints:
    """Count matrix, int (units, 3), of the ratings that `rows`, bool (ratings,), picks."""
    judged = np.repeat(rows, table.n_labels) & (table.code >= 0)
    cell = table.unit[judged] * N_VALUES + table.code[judged]
    n_units = int(table.n_steps.sum())
    return np.bincount(cell, minlength=n_units * N_VALUES).reshape(n_units, N_VALUES)


def _first_error_within(table: _Table) -> Statistic:
    known = table.first_error != UNKNOWN
    why = "no solution has a known first error from two raters"
    agreed = pairs_within(np.bincount(_same_error(table)[known]))
    return share(agreed, pairs_within(np.bincount(table.solution[known])), why)


def _first_error_between(table: _Table, on_left: NDArray[np.bool_]) -> Statistic:
    known = table.first_error != UNKNOWN
    left, right = known & on_left, known & ~on_left
    same = _same_error(table)
    agreed = pairs_between(same[left], same[right])
    pairs = pairs_between(table.solution[left], table.solution[right])
    return share(agreed, pairs, "no solution has a known first error from both")


def _same_error(table: _Table) -> Ints:
    """A number per rating, int (ratings,), equal where solution and first error are equal."""
    span = int(table.first_error.max(initial=0)) + 3  # room for -2 and -1
    same: Ints = np.unique(table.solution * span + table.first_error, return_inverse=True)[1]
    return same
