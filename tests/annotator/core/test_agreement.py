"""Agreement from label strings: hand-worked cases, brute force, and properties."""

from __future__ import annotations

import random
import time
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score  # type: ignore[import-untyped]

from annotator.core import agreement
from annotator.core.agreement import Agreement, Rating
from annotator.core.coefficients import Statistic
from annotator.core.labels import UNKNOWN, first_error

ALICE, BOB, CHARLIE, JUDGE = 1, 2, 3, 9
NO_PAIR = "no step was judged by two raters"
NO_ERROR_PAIR = "no solution has a known first error from two raters"


def rating(solution: int, rater: int, labels: str) -> Rating:
    return Rating(solution, rater, labels, first_error(labels))


def group(*raters: list[str]) -> list[Rating]:
    """Rater r's labels of solutions 0, 1, ...; "" where the rater did not rate it."""
    return [
        rating(solution, rater, labels)
        for rater, strings in enumerate(raters)
        for solution, labels in enumerate(strings)
        if labels
    ]


@st.composite
def ratings(draw: st.DrawFn, raters: int = 4) -> list[Rating]:
    """A few solutions, each rated by some of the raters, in any order."""
    made = []
    for solution in range(draw(st.integers(0, 4))):
        n_steps = draw(st.integers(0, 5))
        for rater in draw(st.sets(st.integers(0, raters - 1))):
            labels = draw(st.text("-0+?.", min_size=n_steps, max_size=n_steps))
            made.append(rating(100 - solution, rater, labels))
    return draw(st.permutations(made))


def near(statistic: Statistic, value: float, n: int) -> bool:
    """Whether a statistic is this value, but for rounding, of exactly n."""
    return statistic.n == n and statistic.value is not None and abs(statistic.value - value) < 1e-9


def judged_pairs(pairs: list[tuple[Rating, Rating]]) -> list[tuple[str, str]]:
    """Every two labels of one step, both judged."""
    steps = [step for a, b in pairs for step in zip(a.labels, b.labels, strict=True)]
    return [(x, y) for x, y in steps if x not in "?." and y not in "?."]


def known_pairs(pairs: list[tuple[Rating, Rating]]) -> list[tuple[int, int]]:
    errors = [(a.first_error, b.first_error) for a, b in pairs]
    return [(x, y) for x, y in errors if UNKNOWN not in (x, y)]


def equal_share(pairs: list[tuple[str, str]] | list[tuple[int, int]]) -> tuple[float | None, int]:
    return (sum(x == y for x, y in pairs) / len(pairs) if pairs else None), len(pairs)


def test_units_by_hand() -> None:
    # Solution 5 has three steps and two raters; solution 3 has one step and one rater.
    made = agreement.units([rating(5, ALICE, "+-?"), rating(3, BOB, "0"), rating(5, BOB, "+0.")])
    assert made.solution.tolist() == [3, 5, 5, 5]
    # Columns - 0 +; unsure and not judged are in none of them.
    assert made.counts.tolist() == [[0, 1, 0], [0, 0, 2], [1, 1, 0], [0, 0, 0]]


def test_encode() -> None:
    assert agreement.encode("-0+?.").tolist() == [0, 1, 2, -1, -1]
    with pytest.raises(ValueError, match="not 'x'"):
        agreement.encode("+x-")
    with pytest.raises(ValueError, match="ascii"):
        agreement.encode("+\u2212")  # a minus sign that is not the label


def test_summarise_by_hand() -> None:
    # Steps where two or three judged: +++ ++- --, and +- of solution 1; solution 2 has one rater.
    #   pairs: 3 of 3, 1 of 3, 1 of 1, 0 of 1: 5 of 8.
    #   coincidences: +++ gives o[++] 3; ++- o[++] 1, o[+-] 1, o[-+] 1; -- o[--] 2; +- o[+-] 1, o[-+] 1.
    #   n(+) = 6, n(-) = 4, n = 10; alpha = 1 - 9 * 4 / (2 * 6 * 4) = 0.25.
    # First errors of solution 0: 2, 2, 1: 1 pair of 3. Of solution 1: none, 0: 0 of 1.
    made = agreement.summarise(group(["++-", "+", "--"], ["++-", "-"], ["+-.", ""]))
    assert near(made.alpha, 0.25, 4)
    assert made.percent == Statistic(0.625, 8)
    assert made.first_error == Statistic(0.25, 4)
    assert (made.n_solutions, made.n_steps, made.n_raters) == (2, 4, 3)


def test_between_by_hand() -> None:
    # The judge meets Alice on (+,+) (-,-) and Bob on (-,+) (-,-), people first; the third step pairs nobody.
    #   Alice and Bob disagree on step 0, which is not asked.
    #   po = 3/4; people + - = 1 3, judge 2 2; pe = (1 * 2 + 3 * 2) / 16 = 1/2; kappa = 0.5.
    # First errors: Alice 1, Bob 0, judge 1: one pair of two.
    people = [rating(7, ALICE, "+-?"), rating(7, BOB, "--."), rating(8, ALICE, "+")]
    made = agreement.between(people, [rating(7, JUDGE, "+-+"), rating(6, JUDGE, "+")])
    assert made.kappa == Statistic(0.5, 4)
    assert made.percent == Statistic(0.75, 4)
    assert made.first_error_exact == Statistic(0.5, 2)
    assert (made.n_solutions, made.n_steps) == (1, 2)


def test_pairwise_has_every_two_raters() -> None:
    made = agreement.pairwise(
        [rating(1, BOB, "+-"), rating(1, ALICE, "+-"), rating(2, BOB, "-"), rating(2, CHARLIE, "+")]
    )
    assert list(made) == [(ALICE, BOB), (ALICE, CHARLIE), (BOB, CHARLIE)]
    assert made[ALICE, BOB].kappa == Statistic(1.0, 2)
    assert made[BOB, CHARLIE].percent == Statistic(0.0, 1)
    assert made[ALICE, CHARLIE].n_solutions == 0
    assert made[ALICE, CHARLIE].kappa.why == "no step was judged by both"
    assert made[ALICE, CHARLIE].first_error_exact.why == "no solution has a known first error from both"


def test_49_of_50_identical_solutions() -> None:
    # 50 solutions of 8 steps; on the last one Bob says the opposite: 392 of 400 steps agree.
    # Both say + 200 times: pe = 0.5, kappa = (0.98 - 0.5) / 0.5 = 0.96.
    alice = ["++++----"] * 50
    bob = ["++++----"] * 49 + ["----++++"]
    made = agreement.between(group(alice), [rating._replace(rater=BOB) for rating in group(bob)])
    assert near(made.kappa, 0.96, 400)
    assert made.percent == Statistic(0.98, 400)
    # First errors 4 and 0 on the last one.
    assert made.first_error_exact == Statistic(0.98, 50)
    # Coincidences are 784 of 800 on the diagonal: alpha = 1 - 799 * 16 / (2 * 400 * 400) = 0.96005.
    assert near(agreement.summarise(group(alice, bob)).alpha, 0.96005, 400)


def test_identical_and_random_reviewers() -> None:
    dice = random.Random(7)
    alice, bob = (["".join(dice.choices("-0+", k=8)) for _ in range(50)] for _ in range(2))
    same, chance = agreement.summarise(group(alice, alice)), agreement.summarise(group(alice, bob))
    assert same.alpha.value == same.percent.value == 1.0
    assert chance.alpha.value == pytest.approx(0, abs=0.1)
    kappa = agreement.pairwise(group(alice, bob))[0, 1].kappa
    assert near(kappa, cohen_kappa_score([*"".join(alice)], [*"".join(bob)]), 400)


def test_one_label_throughout_has_a_percentage_and_no_alpha() -> None:
    made = agreement.summarise(group(["++"], ["++"]))
    assert made.alpha == Statistic(None, 2, "only one label was ever used")
    assert made.percent == Statistic(1.0, 2)


def test_missing_is_never_wrong() -> None:
    made = agreement.summarise(group(["+?.-"], ["+--."]))
    assert made.percent == Statistic(1.0, 1)
    assert made.first_error == Statistic(None, 0, NO_ERROR_PAIR)


def test_no_ratings() -> None:
    made = agreement.summarise([])
    assert made == Agreement(
        Statistic(None, 0, NO_PAIR), Statistic(None, 0, NO_PAIR), Statistic(None, 0, NO_ERROR_PAIR), 0, 0, 0
    )
    assert agreement.between([], []).kappa.value is None
    assert agreement.pairwise([]) == {}
    assert agreement.counts([]).shape == (0, 3)


def test_a_solution_has_one_length() -> None:
    with pytest.raises(ValueError, match="solution 4 has labels of different lengths"):
        agreement.summarise([rating(4, ALICE, "+-"), rating(4, BOB, "+")])


def test_a_rater_stands_once_on_a_solution() -> None:
    twice = [rating(4, ALICE, "+"), rating(5, BOB, "+"), rating(4, ALICE, "-")]
    with pytest.raises(ValueError, match="rater 1 stands twice on solution 4"):
        agreement.summarise(twice)
    with pytest.raises(ValueError, match="rater 1 stands twice on solution 4"):
        agreement.between(twice[:2], twice[2:])


def test_a_million_labels_take_less_than_a_second() -> None:
    dice = random.Random(1)
    made = [
        rating(solution, rater, "".join(dice.choices("-0+?.", k=10)))
        for solution in range(33_334)
        for rater in range(3)
    ]
    start = time.perf_counter()
    assert agreement.counts(made).shape == (333_340, 3)
    assert time.perf_counter() - start < 1


@given(ratings())
def test_summarise_equals_brute_force(made: list[Rating]) -> None:
    pairs = [(a, b) for a, b in combinations(made, 2) if a.solution == b.solution]
    result = agreement.summarise(made)
    assert result.percent[:2] == equal_share(judged_pairs(pairs))
    assert result.first_error[:2] == equal_share(known_pairs(pairs))
    assert result.first_error == agreement.first_error_agreement(made)
    assert result.n_solutions == len({a.solution for a, _ in pairs})
    assert result.n_raters == len({rating.rater for pair in pairs for rating in pair})
    assert result.n_steps == result.alpha.n


@given(ratings())
def test_between_equals_brute_force(made: list[Rating]) -> None:
    people, machine = [r for r in made if r.rater < 2], [r for r in made if r.rater >= 2]
    pairs = [(a, b) for a, b in product(people, machine) if a.solution == b.solution]
    result = agreement.between(people, machine)
    labels = judged_pairs(pairs)
    assert result.percent[:2] == equal_share(labels)
    assert result.first_error_exact[:2] == equal_share(known_pairs(pairs))
    assert result.n_solutions == len({a.solution for a, _ in pairs})
    assert (result.kappa.value is None) == (len({label for pair in labels for label in pair}) < 2)
    if result.kappa.value is not None:
        first, second = zip(*labels, strict=True)
        assert result.kappa.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


@given(ratings(), st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(made: list[Rating], dice: random.Random) -> None:
    mixed = dice.sample(made, len(made))
    assert agreement.summarise(mixed) == agreement.summarise(made)
    renamed = [r._replace(rater=50 - 3 * r.rater) for r in made]
    assert agreement.summarise(renamed) == agreement.summarise(made)
    assert np.array_equal(agreement.counts(mixed), agreement.counts(made))


@given(ratings())
def test_between_is_symmetric(made: list[Rating]) -> None:
    some, others = [r for r in made if r.rater % 2], [r for r in made if r.rater % 2 == 0]
    assert agreement.between(some, others) == agreement.between(others, some)


@given(ratings(raters=1))
def test_one_rater_is_undefined(made: list[Rating]) -> None:
    result = agreement.summarise(made)
    assert result.alpha == result.percent == Statistic(None, 0, NO_PAIR)
    assert result.first_error == Statistic(None, 0, NO_ERROR_PAIR)
    assert (result.n_solutions, result.n_steps, result.n_raters) == (0, 0, 0)
    assert agreement.pairwise(made) == {}


@given(ratings(raters=1))
def test_identical_raters_agree_wholly(made: list[Rating]) -> None:
    result = agreement.summarise(made + [r._replace(rater=BOB) for r in made])
    used = {label for r in made for label in r.labels} - {"?", "."}
    assert result.percent.value == (1.0 if used else None)
    assert result.alpha.value == (1.0 if len(used) > 1 else None)


@given(ratings())
def test_a_rater_who_judges_nothing_changes_nothing(made: list[Rating]) -> None:
    silent = [rating(s, JUDGE, "?" * n) for s, n in {(r.solution, len(r.labels)) for r in made} if n]
    before, after = agreement.summarise(made), agreement.summarise(made + silent)
    assert after[:3] == before[:3]
    assert agreement.between(made, silent).percent.value is None
