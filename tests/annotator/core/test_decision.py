"""The decision rule, by table and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.decision import Final, decide

S, BAD = "solution", "bad_problem"


@pytest.mark.parametrize(
    ("finals", "wanted", "expected"),
    [
        ([], 1, "incomplete"),
        ([Final("++", S)], 2, "incomplete"),
        ([Final("++", S)], 1, "agreed"),
        ([Final("+-", S), Final("+-", S)], 2, "agreed"),
        ([Final("+-", S), Final("++", S)], 2, "conflicted"),
        ([Final("+-", S), Final("+0", S)], 2, "conflicted"),
        ([Final("..", BAD), Final("..", BAD)], 2, "agreed"),
        ([Final("..", BAD), Final("++", S)], 2, "conflicted"),
        ([Final("+?", S), Final("+?", S)], 2, "conflicted"),  # unsure twice is a question, not an agreement
        ([Final("+-", S), Final("+-", S), Final("++", S)], 2, "conflicted"),  # a third opinion counts
    ],
)
def test_table(finals: list[Final], wanted: int, expected: str) -> None:
    assert decide(finals, wanted) == expected


finals_strategy = st.lists(
    st.builds(Final, st.text(alphabet="+0-?.", min_size=3, max_size=3), st.sampled_from([S, BAD])), max_size=4
)


@given(finals_strategy, st.integers(1, 4))
def test_order_does_not_matter(finals: list[Final], wanted: int) -> None:
    assert decide(finals, wanted) == decide(finals[::-1], wanted)


@given(finals_strategy, st.integers(1, 4))
def test_incomplete_exactly_while_reviewers_are_missing(finals: list[Final], wanted: int) -> None:
    assert (decide(finals, wanted) == "incomplete") == (len(finals) < wanted)
