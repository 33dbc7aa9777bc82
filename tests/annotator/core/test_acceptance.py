import pytest

from annotator.core.acceptance import Drawn, Rate, Word, is_under, rates
from annotator.core.intervals import Interval


def shares(*sample: Drawn) -> dict[str, tuple[float | None, int]]:
    return {name: (rate.value, rate.n) for name, rate in rates(sample).items()}


def test_really_wrong_is_counted_over_what_is_decided_and_known() -> None:
    found = shares(
        Drawn("circular", "++-"),
        Drawn("circular", "?.-"),  # wrong, whatever stands before it
        Drawn("circular", "+++"),
        Drawn("circular", "++?"),  # not known
        Drawn("circular"),  # not decided
    )
    assert found["really_wrong"] == found["as_claimed"] == (pytest.approx(2 / 3), 3)


def test_another_solution_is_as_claimed_when_it_is_right() -> None:
    found = shares(Drawn("multi_solutions", "++0"), Drawn("multi_solutions", "+-+"))
    assert found["as_claimed"] == found["really_wrong"] == (0.5, 2)
    assert shares(Drawn("multi_solutions", "+++"))["as_claimed"] == (1.0, 1)


def test_claims_that_reviewers_judge_differently_are_disputed() -> None:
    yes, no, fix = Word("accept"), Word("reject"), Word("fix")
    found = shares(
        Drawn("circular", "-", words=[yes, yes]),
        Drawn("circular", "-", words=[yes, no]),
        Drawn("circular", "-", words=[fix, Word()]),
        Drawn("circular", "-", words=[no]),
        Drawn("circular", "-"),
    )
    assert [found[name] for name in ("accepted", "fixed", "rejected", "disputed")] == [(0.25, 4)] * 4


@pytest.mark.parametrize(
    ("words", "types", "expected"),
    [
        ([Word(kind="circular")], None, 1.0),
        ([Word("accept", kind="deception")], None, 0.0),
        ([Word("accept", types=["deception", "circular"])], None, 1.0),
        ([Word("accept")], None, 1.0),
        ([Word("reject")], None, 0.0),
        ([Word("fix")], None, None),
        ([Word("accept"), Word("reject")], None, 0.0),
        ([Word("reject")], ["circular"], 1.0),  # a lead settled it
        ([Word("accept")], ["deception"], 0.0),
    ],
)
def test_the_kind_is_right_where_all_who_say_something_say_so(
    words: list[Word], types: list[str] | None, expected: float | None
) -> None:
    assert shares(Drawn("circular", "-", types, words=words))["right_kind"][0] == expected
    assert shares(Drawn("", "-", types, words=words))["right_kind"] == (None, 0)  # nothing was claimed


def test_originals_and_differences() -> None:
    found = shares(
        Drawn("circular", "-", differs=True, words=[Word(original="right")]),
        Drawn("circular", "", differs=False, words=[Word(original="unsure")]),
        Drawn("circular", "-", words=[Word(original="right"), Word(original="wrong")]),
    )
    assert found["differs"] == (0.5, 2)
    assert found["original_right"] == (0.5, 2)


def test_each_share_has_its_interval_and_without_data_a_reason() -> None:
    found = rates([Drawn("circular", "-")] * 9 + [Drawn("circular", "+")])["as_claimed"]
    # By hand: (0.9 + 0.19207 ± 1.95996 · √(0.009 + 0.00960)) / 1.38415
    assert found.interval.low == pytest.approx(0.5958, abs=1e-4)
    assert found.interval.high == pytest.approx(0.9821, abs=1e-4)
    nothing = rates([])["as_claimed"]
    assert nothing == Rate(None, 0, Interval(None, None, "none is decided"), "none is decided")


def test_the_share_itself_is_held_against_the_bar() -> None:
    found = rates([Drawn("circular", "-")] * 9 + [Drawn("circular", "+")])["as_claimed"]
    assert [is_under(found, bar) for bar in (0.95, 0.9, None)] == [True, False, None]
    assert is_under(rates([])["as_claimed"], 0.9) is None
