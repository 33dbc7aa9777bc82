"""The decision rule, by table and by property."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.decision import Final, Rule, decide, differing

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


def _types(*steps: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(step.split()) for step in steps)


@pytest.mark.parametrize(
    ("finals", "agreed_by"),
    [
        # The first error is the same, what follows is not.
        ([Final("+--", S), Final("+-+", S)], {"first_error"}),
        # Right and neutral are one to those who ask what is wrong.
        ([Final("0-+", S), Final("+-+", S)], {"first_error", "wrong_steps", "error_types"}),
        # One stopped at the error, the other went on and found nothing more.
        ([Final("+-.", "found_error"), Final("+-+", S)], {"first_error", "wrong_steps", "error_types"}),
        # The same steps, of other kinds.
        (
            [Final("+-", S, _types("", "circular")), Final("+-", S, _types("", "deception"))],
            {"labels", "first_error", "wrong_steps"},
        ),
        # Unsure after the error does not matter to the first error; before it, it does.
        ([Final("+-?", S), Final("+-+", S)], {"first_error"}),
        ([Final("?-+", S), Final("?-+", S)], set()),
        # No judgement is not "nothing wrong".
        ([Final("...", "give_up"), Final("+++", S)], set()),
        ([Final("+..", "give_up"), Final("...", "give_up")], {"first_error", "wrong_steps", "error_types"}),
    ],
)
def test_rules(finals: list[Final], agreed_by: set[Rule]) -> None:
    rules: tuple[Rule, ...] = get_args(Rule)
    assert {rule for rule in rules if decide(finals, len(finals), rule) == "agreed"} == agreed_by


@given(finals_strategy, st.integers(1, 4))
def test_a_stricter_rule_agrees_less(finals: list[Final], wanted: int) -> None:
    """Equal labels are equal wrong steps, and those an equal first error unless it is unknown."""
    if decide(finals, wanted, "labels") == "agreed":
        assert decide(finals, wanted, "wrong_steps") == "agreed"


@pytest.mark.parametrize(
    ("mine", "decided", "steps"),
    [
        ("+-+", "+-+", []),
        ("+-+", "++-", [1, 2]),
        ("+-.", "+++", [1]),
        ("+?0", "+-+", [1, 2]),
        ("...", "---", []),
    ],
)
def test_steps_that_were_decided_otherwise(mine: str, decided: str, steps: list[int]) -> None:
    assert differing(mine, decided) == steps
