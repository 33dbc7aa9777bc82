"""Accuracy against gold and signs of haste, worked by hand."""

from collections import Counter
from datetime import date

import pytest

from annotator.core import accuracy, haste
from annotator.core.accuracy import Case, Pattern, Share
from annotator.core.decision import Final
from annotator.core.haste import Sent
from annotator.core.intervals import wilson

MONDAY = date(2026, 11, 16)


def final(labels: str, types: dict[int, str] | None = None, reason: str = "solution") -> Final:
    named = types or {}
    sets = tuple(frozenset({named[at]} if at in named else ()) for at in range(len(labels)))
    return Final(labels, reason, sets if named else ())


def case(gold: str, said: str, kind: str = "circular", day: date = MONDAY, item: int = 1) -> Case:
    return Case(item, kind, day, final(gold), final(said))


@pytest.mark.parametrize(
    ("rule", "right", "n"),
    [("labels", 1, 3), ("first_error", 2, 3), ("wrong_steps", 1, 3), ("error_types", 1, 3)],
)
def test_an_item_is_right_as_the_rule_means_it(rule: str, right: int, n: int) -> None:
    """Whole; the first error alone; nothing. A gold with a question is no item to be right on."""
    cases = [case("+-+", "+-+"), case("+--", "+-+"), case("+-+", "+++"), case("+?+", "+?+")]
    found = accuracy.items_right(cases, rule)  # type: ignore[arg-type]
    assert (found.right, found.n) == (right, n)


def test_steps_that_either_did_not_judge_are_missing() -> None:
    cases = [case("+0-.", "+++-"), case("+-?+", "?-++")]
    assert accuracy.steps_right(cases, "labels") == Share(1 + 2, 3 + 2)
    assert accuracy.steps_right(cases, "wrong_steps") == Share(2 + 2, 3 + 2)


def test_who_gave_up_judged_no_step_and_got_the_item_wrong() -> None:
    given_up = Case(1, "", MONDAY, final("+-"), Final("..", "give_up"))
    assert accuracy.steps_right([given_up], "labels") == Share(0, 0)
    assert accuracy.items_right([given_up], "labels") == Share(0, 1)


def test_a_share_has_wilsons_interval_or_says_why_not() -> None:
    low, high, _ = wilson(3, 4)
    assert Share(3, 4).to_json() == {"value": 0.75, "right": 3, "n": 4, "low": low, "high": high, "why": ""}
    none = Share(0, 0).to_json()
    assert (none["value"], none["low"], none["why"]) == (None, None, "nothing was counted")


def test_kinds_and_weeks_add_up() -> None:
    cases = [
        case("+-", "+-", "circular", date(2026, 11, 22)),
        case("+-", "++", "circular", date(2026, 11, 23)),
        case("+-", "+-", "", MONDAY),
    ]
    assert accuracy.by_kind(cases, "labels") == {"": Share(1, 1), "circular": Share(1, 2)}
    assert accuracy.by_week(cases, "labels") == {MONDAY: Share(2, 2), date(2026, 11, 23): Share(0, 1)}


def test_patterns_count_what_was_missed_invented_and_misnamed() -> None:
    cases = [
        Case(1, "circular", MONDAY, final("+-"), final("-+")),
        Case(2, "circular", MONDAY, final("+-"), final("++")),
        Case(3, "deception", MONDAY, final("-", {0: "deception"}), final("-", {0: "circular"})),
        Case(4, "deception", MONDAY, final("?-"), final("-?")),
    ]
    assert accuracy.patterns(cases) == [
        Pattern("missed", "circular", 2, 2, 2),
        Pattern("false_alarm", "", 1, 2, 1),
        Pattern("misnamed", "deception", 1, 1, 1),
    ]


@pytest.mark.parametrize(
    ("n", "chances", "items", "often"), [(9, 9, 2, False), (3, 10, 3, True), (3, 11, 3, False)]
)
def test_nobody_is_told_of_what_shows_in_two_items_nor_of_what_is_rare(
    n: int, chances: int, items: int, often: bool
) -> None:
    assert Pattern("missed", "circular", n, chances, items).is_often is often


def sent(*labels: str, ms: int | None = None) -> list[Sent]:
    return [Sent(item, text, ms) for item, text in enumerate(labels)]


def test_too_fast_is_under_a_third_of_what_is_usual() -> None:
    of_two = sent(*["+-..."] * 10, ms=2_000)  # 1 s each of the two steps that were judged
    assert haste.ms_a_step(of_two) == 1_000
    assert haste.too_fast(of_two, 3_000) is None
    found = haste.too_fast(of_two, 3_001)
    assert found
    assert (found.ms, found.usual_ms, found.items) == (1_000, 3_001, list(range(10)))
    assert haste.too_fast(of_two[:9], 9_000) is None
    assert haste.too_fast(of_two, None) is None
    assert haste.too_fast(sent(*["+"] * 20), 9_000) is None


def test_a_straight_line_is_a_run_that_chance_would_hardly_give() -> None:
    """Others say "no wrong step" of one item in five: 8 in a row of 9 are 9 * .2**8 = 0.00002 runs."""
    run = sent("-+", *["++", "+++"] * 4)
    others = Counter({(): 19, (0,): 79})
    found = haste.straight_line(run, others)
    assert found
    assert (found.wrong, found.length, found.items) == ((), 8, list(range(1, 9)))
    assert found.usual == pytest.approx(20 / 100)
    assert haste.straight_line(run[:-1], others) is None  # 7 are too few to say
    assert haste.straight_line(run, Counter({(): 90, (0,): 8})) is None  # here nearly everything is right


def test_a_straight_line_may_name_a_step() -> None:
    found = haste.straight_line(sent(*["+-", "+-+"] * 5), Counter({(): 50, (1,): 10}))
    assert found
    assert found.wrong == (1,)
