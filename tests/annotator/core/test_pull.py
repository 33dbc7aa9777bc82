from fractions import Fraction

import pytest

from annotator.core.intervals import wilson
from annotator.core.pull import RATES, Pair, rates, rates_of, standing, tally, together


def shares(*pairs: Pair) -> dict[str, tuple[Fraction | None, int]]:
    found = rates(pairs)
    assert tuple(found) == RATES
    return {
        name: (None if one.value is None else Fraction(one.value).limit_denominator(100), one.n)
        for name, one in found.items()
    }


def test_worked_by_hand() -> None:
    """before   + + - - + 0
    after       + - - + - +
    machine     + - + + + +
    decision    + - - - + +
    """
    found = shares(Pair("++--+0", "+--+-+", "+-++++", "+---++"))
    assert found["items"] == (1, 1)
    assert found["steps"] == (Fraction(4, 6), 6)  # steps 2, 4, 5, and 6 from neutral to right
    assert found["towards"] == (Fraction(2, 3), 3)  # they differed at 2, 3, 4; 2 and 4 gave in
    assert found["away"] == (Fraction(1, 3), 3)  # at one on 1, 5, 6; 5 left
    assert found["spoiled"] == (Fraction(2, 5), 5)  # right on 1, 3, 4, 5, 6; 4 and 5 were spoilt
    assert found["mended"] == (1, 1)  # wrong on 2, and then right


def test_unsure_and_not_judged_say_nothing() -> None:
    found = shares(Pair("+?..", "?+.+", "----", "----"))
    assert found["steps"] == (1, 2)
    assert found["towards"] == (0, 1)  # from right to unsure: not what the machine says
    assert found["away"] == (None, 0)
    assert found["mended"] == (0, 1)
    assert shares(Pair("++", "++", "?.", ""))["towards"] == (None, 0)


def test_one_changed_step_makes_a_changed_item() -> None:
    found = shares(Pair("+++", "++-"), Pair("+++", "+++"), Pair("-+", "-+"))
    assert found["items"] == (Fraction(1, 3), 3)
    assert found["steps"] == (Fraction(1, 8), 8)


def test_each_has_wilsons_interval_or_why_there_is_none() -> None:
    found = rates([Pair("+" * 10, "-" + "+" * 9)])
    assert found["steps"].interval == wilson(1, 10)
    assert found["towards"].value is None
    assert found["towards"].why == "no step was judged otherwise than by the machine"


def test_machines_speak_together_where_they_are_at_one() -> None:
    assert together(["+-0-.", "+-+.?"]) == "+-+-."
    assert together(["+-", "--"]) == ".-"
    assert together([]) == ""


def test_parts_add_up() -> None:
    pairs = [Pair("++-", "+--", "+-+", "+--"), Pair("0?", "-?", "--")]
    assert rates_of([tally(pair) for pair in pairs]) == rates(pairs)
    assert rates([])["items"].why == "no review has both"


def test_how_labels_stand_to_what_another_says() -> None:
    found = standing([("++-?", "+--+"), ("0.", "+-"), ("+", "")])
    assert (found.value, found.n) == (0.75, 4)
    assert standing([]).why == "no step was judged by both"


def test_other_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        rates([Pair("++", "+++")])
