"""Many ratings as columns, so that a slice of them is an index array and a statistic one pass of numpy.

A rating is one rater's labels of one solution, one character a step: `-`, `0` and `+` are judgements, `?` (unsure)
and `.` (not judged) are missing and never count as wrong. A cluster is what an interval draws: a group of problems.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotator.core.coefficients import N_VALUES, Floats, Ints
from annotator.core.labels import NEUTRAL, NO_ERROR, RIGHT, UNJUDGED, UNSURE, WRONG
from annotator.core.pairs import same_first_error

VALUES = WRONG + NEUTRAL + RIGHT  # ascending, for the ordinal metric; a value's code is its position here
MISSING = UNSURE + UNJUDGED

_WRONG = VALUES.index(WRONG)
_MISSING, _FOREIGN = -1, -2
_CODE_OF = np.full(128, _FOREIGN, dtype=np.int8)
_CODE_OF[[ord(label) for label in MISSING]] = _MISSING
_CODE_OF[[ord(label) for label in VALUES]] = range(N_VALUES)


class Columns(NamedTuple):
    """Ratings. Shapes: (ratings,), but `code`, int8 (labels,): all label strings end to end.

    solution, rater, cluster: ids.  first_error: 0-based, NO_ERROR or UNKNOWN.  start: where a rating's labels
    begin in `code`.  base: where its solution's steps begin, if solutions lie end to end.  verdict: 0 some step
    is wrong, whatever is unjudged, 1 none is, -1 unknown.  is_whole: every step is judged.  code: position in
    VALUES, negative where missing.  n_clusters: clusters are numbered below it.
    """

    solution: Ints
    rater: Ints
    cluster: Ints
    first_error: Ints
    n_steps: Ints
    start: Ints
    base: Ints
    verdict: Ints
    is_whole: Ints
    code: Ints
    n_clusters: int


class Panel(NamedTuple):
    """How many raters gave each unit each value: counts, int (units, values); cluster and position (0-based;
    0 for a whole solution), int (units,)."""

    counts: Ints
    cluster: Ints
    position: Ints


class Facing(NamedTuple):
    """Pairs of ratings of one solution, one row a pair; bool and int (pairs,).

    confusion: int (pairs, 9), of the steps both judged, rows the first of the pair.  verdicts: int (pairs, 4),
    of whether the solution has an error.  same_x, knows_x: whether both say the same of x, and whether both say
    anything: the first error, exact or at most one step off; the set of wrong steps, where neither misses any.
    n_steps: different steps judged by both sides.  n_solutions: different solutions.
    """

    cluster: Ints
    confusion: Ints
    verdicts: Ints
    same_first: Ints
    near_first: Ints
    knows_first: Ints
    same_wrong: Ints
    knows_wrong: Ints
    n_steps: int
    n_solutions: int


def columns(
    solution: Sequence[int],
    rater: Sequence[int],
    cluster: Sequence[int],
    labels: Sequence[str],
    first_error: Sequence[int],
) -> Columns:
    """One entry a rating. Raises ValueError for a character that is no label, and for labels of different
    lengths on one solution."""
    n_steps = np.fromiter(map(len, labels), dtype=np.int64, count=len(labels))
    solutions, raters, clusters, firsts = (
        np.asarray(part, dtype=np.int64) for part in (solution, rater, cluster, first_error)
    )
    _check_lengths(solutions, n_steps)
    start, code = n_steps.cumsum() - n_steps, encode("".join(labels))
    is_whole = _how_many(code < 0, start) == 0
    verdict = np.where(_how_many(code == _WRONG, start) > 0, 0, np.where(firsts == NO_ERROR, 1, -1))
    n_clusters = int(clusters.max(initial=-1)) + 1
    base = _bases(solutions, n_steps)
    return Columns(
        solutions, raters, clusters, firsts, n_steps, start, base, verdict, is_whole, code, n_clusters
    )


def encode(labels: str) -> NDArray[np.int8]:
    """Codes of a label string, int8 (steps,): the position in `VALUES`, or -1 where missing.

    Raises ValueError for a character that is no label.
    """
    codes: NDArray[np.int8] = _CODE_OF[np.frombuffer(labels.encode("ascii"), dtype=np.uint8)]
    if (codes == _FOREIGN).any():
        raise ValueError(f"labels are {VALUES + MISSING}, not {labels[int(np.argmin(codes))]!r}")
    return codes


def _how_many(labels: NDArray[np.bool_], start: Ints) -> Ints:
    """How many of each rating's labels are picked; labels: bool (labels,)."""
    total: Ints = np.add.reduceat(labels.astype(np.int64), start) if len(start) else start
    return total


def _check_lengths(solution: Ints, n_steps: Ints) -> None:
    ids, index = np.unique(solution, return_inverse=True)
    longest = np.zeros(len(ids), dtype=np.int64)
    np.maximum.at(longest, index, n_steps)
    differs = longest[index] != n_steps
    if differs.any():
        raise ValueError(f"solution {solution[differs.argmax()]} has labels of different lengths")


def within(unit: Ints) -> tuple[Ints, Ints]:
    """Every two ratings of one unit; unit: int (ratings,), what each rates. Index arrays, (pairs,) each."""
    order = np.argsort(unit, kind="stable")
    sorted_unit, found, apart = unit[order], [(order[:0], order[:0])], 1
    while apart < len(order) and (same := sorted_unit[apart:] == sorted_unit[:-apart]).any():
        found.append((order[:-apart][same], order[apart:][same]))
        apart += 1
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def across(left: Ints, right: Ints, solution: Ints) -> tuple[Ints, Ints]:
    """Every rating of `left` with every rating of `right` of its solution; index arrays in, index arrays out."""
    right = right[np.argsort(solution[right], kind="stable")]
    begin = np.searchsorted(solution[right], solution[left], side="left")
    times = np.searchsorted(solution[right], solution[left], side="right") - begin
    return np.repeat(left, times), right[_runs(begin, times)]


def _runs(begin: Ints, times: Ints) -> Ints:
    """begin[0], begin[0] + 1, … (times[0] of them), begin[1], …"""
    skipped = times.cumsum() - times
    runs: Ints = np.arange(times.sum()) + np.repeat(begin - skipped, times)
    return runs


def steps(of: Columns, which: Ints, unit: Ints) -> Panel:
    """Of the ratings `which`, an index array: every step that somebody judged; unit: int (ratings,)."""
    length = of.n_steps[which]
    base = _bases(unit[which], length)
    at = _runs(of.start[which], length)
    row, code = _runs(base, length), of.code[at]
    judged = code >= 0
    n_rows = int(row.max(initial=-1)) + 1
    counts = np.bincount(row[judged] * N_VALUES + code[judged], minlength=n_rows * N_VALUES)
    cluster, position = np.zeros((2, n_rows), dtype=np.int64)
    cluster[row] = np.repeat(of.cluster[which], length)
    position[row] = _runs(np.zeros_like(length), length)
    return _seen(Panel(counts.reshape(n_rows, N_VALUES), cluster, position))


def _bases(unit: Ints, length: Ints) -> Ints:
    """Where the rows of each rating's unit begin, if units lie end to end; (ratings,)."""
    _, first, index = np.unique(unit, return_index=True, return_inverse=True)
    of_unit = length[first]
    bases: Ints = (of_unit.cumsum() - of_unit)[index]
    return bases


def _seen(panel: Panel) -> Panel:
    seen = panel.counts.any(axis=1)
    return Panel(*(part[seen] for part in panel))


def verdicts(of: Columns, which: Ints, unit: Ints) -> Panel:
    """Of the ratings `which`: units that somebody judged as a whole, values: has an error, has none."""
    _, index = np.unique(unit[which], return_inverse=True)
    code, n_rows = of.verdict[which], int(index.max(initial=-1)) + 1
    counts = np.bincount(index[code >= 0] * 2 + code[code >= 0], minlength=2 * n_rows)
    cluster = np.zeros(n_rows, dtype=np.int64)
    cluster[index] = of.cluster[which]
    return _seen(Panel(counts.reshape(n_rows, 2), cluster, np.zeros_like(cluster)))


def facing(of: Columns, first: Ints, other: Ints, positions: slice = slice(None)) -> Facing:
    """What pairs of ratings say of the same things; `first`, `other`: index arrays (pairs,).

    positions: a range of 0-based steps to look at, without a step; it narrows `confusion` and `n_steps`.
    """
    confusion, n_steps = _confusion(of, first, other, positions)
    same, knows = same_first_error(of.first_error[first], of.first_error[other])
    near, _ = same_first_error(of.first_error[first], of.first_error[other], within=1)
    table = confusion.reshape(-1, N_VALUES, N_VALUES)
    apart = table[:, _WRONG, :].sum(axis=1) + table[:, :, _WRONG].sum(axis=1) - 2 * table[:, _WRONG, _WRONG]
    knows_wrong = of.is_whole[first] & of.is_whole[other]
    return Facing(
        of.cluster[first], confusion, _two_by_two(of.verdict, first, other), same, near, knows,
        knows_wrong & (apart == 0), knows_wrong, n_steps, len(np.unique(of.solution[first])),
    )  # fmt: skip


def _confusion(of: Columns, first: Ints, other: Ints, positions: slice) -> tuple[Ints, int]:
    low, high = positions.start or 0, positions.stop
    length = of.n_steps[first] if high is None else np.minimum(of.n_steps[first], high)
    length = np.maximum(length - low, 0)
    a, b = (of.code[_runs(of.start[side] + low, length)] for side in (first, other))
    both = (a >= 0) & (b >= 0)
    pair = np.repeat(np.arange(len(first)), length)
    cell = (pair[both] * N_VALUES + a[both]) * N_VALUES + b[both]
    table = np.bincount(cell, minlength=len(first) * N_VALUES**2).reshape(len(first), N_VALUES**2)
    judged = np.zeros(int((of.base + of.n_steps).max(initial=0)), dtype=bool)
    judged[_runs(of.base[first] + low, length)[both]] = True
    return table, int(judged.sum())


def _two_by_two(code: Ints, first: Ints, other: Ints) -> Ints:
    a, b = code[first], code[other]
    both = (a >= 0) & (b >= 0)
    table = np.zeros((len(first), 4), dtype=np.int64)
    table[np.flatnonzero(both), 2 * a[both] + b[both]] = 1
    return table


def cluster_sums(columns: Iterable[Ints | Floats], cluster: Ints, n_clusters: int) -> tuple[Floats, Ints]:
    """What each cluster adds, float (clusters, columns), and which clusters those are, ascending.

    columns: what each thing adds, each (things,).  cluster: int (things,), below n_clusters.
    """
    there = np.flatnonzero(np.bincount(cluster, minlength=n_clusters))
    sums = [np.bincount(cluster, weights=column, minlength=n_clusters)[there] for column in columns]
    return np.stack(sums, axis=1), there
