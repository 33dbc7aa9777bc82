"""Two raters' first errors beside each other, as columns: what consensus.py counts one by one, for many at once.

A column is int (solutions,): 0-based positions, or NO_ERROR or UNKNOWN of core.labels, or UNREAD.
"""

from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from annotator.core.labels import NO_ERROR, UNKNOWN
from synth.methods.consensus import Table

Ints = NDArray[np.integer[Any]]

UNREAD: Final = -3  # what it wrote could not be read


class Cell(IntEnum):
    """Where a solution stands in the 2×2; both name an error in SAME and DIFFER."""

    NOT_COMPARABLE = 0
    BOTH_NONE = 1
    ONLY_A = 2
    ONLY_B = 3
    SAME = 4
    DIFFER = 5


def cells(a: Ints, b: Ints) -> Ints:
    """Return the Cell of each solution. Raises ValueError for what is neither a position nor a code."""
    for column in (a, b):
        if len(column) and column.min() < UNREAD:
            raise ValueError(f"{column.min()} is no first error")
    found = np.full(len(a), Cell.NOT_COMPARABLE, dtype=np.int8)
    known = (a >= NO_ERROR) & (b >= NO_ERROR)
    found[known & (a == NO_ERROR) & (b == NO_ERROR)] = Cell.BOTH_NONE
    found[known & (a >= 0) & (b == NO_ERROR)] = Cell.ONLY_A
    found[known & (a == NO_ERROR) & (b >= 0)] = Cell.ONLY_B
    found[(a >= 0) & (a == b)] = Cell.SAME
    found[(a >= 0) & (b >= 0) & (a != b)] = Cell.DIFFER
    return found


def table(a: Ints, b: Ints) -> Table:
    """Count the solutions as consensus.tally does."""
    found = cells(a, b)
    n = np.bincount(found, minlength=len(Cell))
    both = found >= Cell.SAME
    steps, times = np.unique(a[both] - b[both], return_counts=True)
    made = Table(
        int(n[Cell.BOTH_NONE]), int(n[Cell.ONLY_A]), int(n[Cell.ONLY_B]), int(n[Cell.NOT_COMPARABLE])
    )
    made.offsets.update(dict(zip(steps.tolist(), times.tolist(), strict=True)))
    return made


assert UNREAD < UNKNOWN < NO_ERROR < 0  # noqa: S101  (cells reads the codes by their order)
