"""Consensus against a case worked by hand and a naive version."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.labels import NO_ERROR, UNKNOWN
from synth.methods import consensus

FIRST = st.one_of(st.none(), st.sampled_from([NO_ERROR, UNKNOWN]), st.integers(0, 4))


def test_a_table_worked_by_hand() -> None:
    rows = [
        (NO_ERROR, NO_ERROR),
        (NO_ERROR, NO_ERROR),
        (NO_ERROR, 2),
        (3, NO_ERROR),
        (1, 1),
        (4, 1),
        (0, 2),
        (UNKNOWN, 2),
        (None, NO_ERROR),
    ]
    table = consensus.tally(rows)
    assert (table.both_none, table.only_b, table.only_a, table.both_some) == (2, 1, 1, 3)
    assert (table.same, table.differ) == (1, 2)
    assert (table.comparable, table.not_comparable, table.kept) == (7, 2, 3)
    assert table.kept_share == 3 / 7
    assert table.offsets == {0: 1, 3: 1, -2: 1}


def test_nothing_to_compare_has_no_share() -> None:
    table = consensus.tally([(None, 1), (UNKNOWN, UNKNOWN)])
    assert (table.kept_share, table.comparable, table.not_comparable) == (None, 0, 2)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (2, 2, "++-."),
        (0, 0, "-..."),
        (NO_ERROR, NO_ERROR, "++++"),
        (2, 1, None),
        (NO_ERROR, 2, None),
        (UNKNOWN, UNKNOWN, None),
        (None, None, None),
    ],
)
def test_labels_are_those_of_the_first_error_where_both_agree(
    a: int | None, b: int | None, expected: str | None
) -> None:
    assert consensus.labels(a, b, 4) == expected


def test_an_error_outside_the_solution_is_refused() -> None:
    with pytest.raises(ValueError, match="position 4"):
        consensus.labels(4, 4, 4)
    with pytest.raises(ValueError, match="-3 is no first error"):
        consensus.compare(-3, 0)


def test_groups_are_counted_apart_and_bands_go_from_short_to_long() -> None:
    rows = [(25, 1, 1), (3, 0, 1), (4, NO_ERROR, NO_ERROR), (5, None, 1)]
    tables = consensus.tally_by((consensus.band(n), a, b) for n, a, b in rows)
    assert list(consensus.in_bands(tables)) == ["1–4", "5–8", "21 or more"]
    assert tables["1–4"].kept_share == 0.5
    assert tables["5–8"].not_comparable == 1


@given(st.lists(st.tuples(FIRST, FIRST), max_size=30))
def test_counts_are_those_of_the_naive_version(rows: list[tuple[int | None, int | None]]) -> None:
    table = consensus.tally(rows)
    known = [(a, b) for a, b in rows if a not in (None, UNKNOWN) and b not in (None, UNKNOWN)]
    assert table.comparable == len(known)
    assert table.not_comparable == len(rows) - len(known)
    assert table.kept == sum(a == b for a, b in known)
    assert table.kept == sum(consensus.labels(a, b, 5) is not None for a, b in rows)
    assert table.offsets == Counter(a - b for a, b in known if a != NO_ERROR != b)
    assert table.only_a == sum(a != NO_ERROR == b for a, b in known)
    assert table.both_none + table.only_a + table.only_b + table.same + table.differ == len(known)


@given(FIRST, FIRST)
def test_it_does_not_matter_who_is_named_first(a: int | None, b: int | None) -> None:
    assert consensus.compare(a, b) == consensus.compare(b, a)
    assert consensus.labels(a, b, 5) == consensus.labels(b, a, 5)
