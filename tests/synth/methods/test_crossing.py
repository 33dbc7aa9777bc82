"""Columns of first errors against consensus.py, which counts one pair at a time."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.labels import NO_ERROR, UNKNOWN
from synth.methods import consensus, crossing
from synth.methods.crossing import UNREAD, Cell

FIRST = st.sampled_from([UNREAD, UNKNOWN, NO_ERROR, 0, 1, 2, 7])
WORD = {
    Cell.NOT_COMPARABLE: "not_comparable", Cell.BOTH_NONE: "kept", Cell.SAME: "kept",
    Cell.ONLY_A: "apart", Cell.ONLY_B: "apart", Cell.DIFFER: "apart",
}  # fmt: skip


def said(first: int) -> int | None:
    return None if first == UNREAD else first


def columns(pairs: list[tuple[int, int]]) -> tuple[crossing.Ints, crossing.Ints]:
    both = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return both[:, 0], both[:, 1]


@given(st.lists(st.tuples(FIRST, FIRST), max_size=40))
def test_columns_count_as_pairs_do(pairs: list[tuple[int, int]]) -> None:
    assert crossing.table(*columns(pairs)) == consensus.tally((said(a), said(b)) for a, b in pairs)


def test_every_pair_stands_where_it_is_compared() -> None:
    pairs = list(itertools.product([UNREAD, UNKNOWN, NO_ERROR, 0, 1, 5], repeat=2))
    found = crossing.cells(*columns(pairs))
    for (a, b), cell in zip(pairs, found.tolist(), strict=True):
        assert WORD[Cell(cell)] == consensus.compare(said(a), said(b))
        if cell in (Cell.ONLY_A, Cell.ONLY_B):
            assert (a >= 0, b >= 0) == (cell == Cell.ONLY_A, cell == Cell.ONLY_B)


def test_what_is_no_first_error_is_refused() -> None:
    with pytest.raises(ValueError, match="-4 is no first error"):
        crossing.cells(*columns([(0, -4)]))
