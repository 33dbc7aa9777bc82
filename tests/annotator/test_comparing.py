"""Agreement from label strings: hand-worked cases, brute force, and properties."""

from __future__ import annotations

import random
from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from annotator.core import columns as cols
from annotator.core.labels import NO_ERROR, UNKNOWN, first_error
from annotator.reports.compared import Comparing

ALICE, BOB, JUDGE = 1, 2, 9
ONE_LABEL = "only one label was ever used"
NO_PAIR = "no step was judged by two raters"


class Rating(NamedTuple):
    solution: int
    rater: int
    labels: str


def group(*raters: list[str]) -> list[Rating]:
    """Rater r's labels of solutions 0, 1, ...; "" where the rater did not rate it."""
    return [
        Rating(solution, rater, labels)
        for rater, strings in enumerate(raters)
        for solution, labels in enumerate(strings)
        if labels
    ]


def table(made: list[Rating]) -> cols.Columns:
    first = [first_error(one.labels) for one in made]
    solution = [one.solution for one in made]
    return cols.columns(solution, [one.rater for one in made], solution, [one.labels for one in made], first)


def among(made: list[Rating]) -> dict[str, Any]:
    of = table(made)
    everybody = np.arange(len(made))
    faced = cols.facing(of, *cols.within(of.solution))
    return Comparing(of, draws=2).among(everybody, of.solution, faced)


def between(left: list[Rating], right: list[Rating]) -> dict[str, Any]:
    of = table(left + right)
    sides = np.arange(len(left)), np.arange(len(left), len(left) + len(right))
    return Comparing(of, draws=2).between(cols.facing(of, *cols.across(*sides, of.solution)))


def found(statistic: dict[str, Any]) -> tuple[float | None, int]:
    return statistic["value"], statistic["n"]


@st.composite
def ratings(draw: st.DrawFn, raters: int = 4) -> list[Rating]:
    """A few solutions, each rated by some of the raters, in any order."""
    made = []
    for solution in range(draw(st.integers(0, 4))):
        n_steps = draw(st.integers(1, 5))
        for rater in draw(st.sets(st.integers(0, raters - 1))):
            labels = draw(st.text("-0+?.", min_size=n_steps, max_size=n_steps))
            made.append(Rating(20 - solution, rater, labels))
    return draw(st.permutations(made))


def judged_pairs(pairs: list[tuple[Rating, Rating]]) -> list[tuple[str, str]]:
    """Every two labels of one step, both judged."""
    steps = [step for a, b in pairs for step in zip(a.labels, b.labels, strict=True)]
    return [(x, y) for x, y in steps if x not in "?." and y not in "?."]


def firsts(pairs: list[tuple[Rating, Rating]]) -> list[tuple[int, int]]:
    errors = [(first_error(a.labels), first_error(b.labels)) for a, b in pairs]
    return [(x, y) for x, y in errors if UNKNOWN not in (x, y)]


def is_near(x: int, y: int) -> bool:
    return x == y or (NO_ERROR not in (x, y) and abs(x - y) == 1)


def wrong_sets(pairs: list[tuple[Rating, Rating]]) -> list[bool]:
    """Whether both name the same wrong steps, of those who both judged every step."""
    whole = [(a.labels, b.labels) for a, b in pairs if not set(a.labels + b.labels) & {"?", "."}]
    return [[x == "-" for x in a] == [y == "-" for y in b] for a, b in whole]


def verdicts(pairs: list[tuple[Rating, Rating]]) -> list[bool]:
    """Whether both say the same of whether there is an error at all, of those who both say."""
    said = [(verdict(a.labels), verdict(b.labels)) for a, b in pairs]
    return [x == y for x, y in said if x and y]


def verdict(labels: str) -> str:
    if "-" in labels:
        return "wrong"
    return "" if set(labels) & {"?", "."} else "right"


def share(agreed: list[bool]) -> tuple[Any, int]:
    return (pytest.approx(sum(agreed) / len(agreed)) if agreed else None), len(agreed)


def test_among_by_hand() -> None:
    # Steps where two or three judged: +++ ++- --, and +- of solution 1; solution 2 has one rater.
    #   pairs: 3 of 3, 1 of 3, 1 of 1, 0 of 1: 5 of 8.
    #   coincidences: +++ gives o[++] 3; ++- o[++] 1, o[+-] 1, o[-+] 1; -- o[--] 2; +- o[+-] 1, o[-+] 1.
    #   n(+) = 6, n(-) = 4, n = 10; alpha = 1 - 9 * 4 / (2 * 6 * 4) = 0.25.
    # First errors of solution 0: 2, 2, 1: 1 pair of 3, all within a step. Of solution 1: none, 0: 0 of 1.
    # Wrong steps: only the first two raters judged all of solution 0: {2}, {2}; of solution 1: {}, {0}.
    # An error or none: solution 0 all three say there is one; solution 1 none, one: 3 of 4.
    made = among(group(["++-", "+", "--"], ["++-", "-"], ["+-.", ""]))
    assert found(made["alpha"]) == (pytest.approx(0.25), 4)
    assert found(made["percent"]) == (0.625, 8)
    assert found(made["first_error"]) == (0.25, 4)
    assert found(made["first_error_near"]) == (0.75, 4)
    assert found(made["wrong_steps"]) == (0.5, 2)
    assert found(made["solution"]["percent"]) == (0.75, 4)
    assert (made["n_solutions"], made["n_steps"], made["n_raters"]) == (2, 4, 3)


def test_between_by_hand() -> None:
    # The judge meets Alice on (+,+) (-,-) and Bob on (-,+) (-,-), people first; the third step pairs nobody.
    #   Alice and Bob disagree on step 0, which is not asked.
    #   po = 3/4; people + - = 1 3, judge 2 2; pe = (1 * 2 + 3 * 2) / 16 = 1/2; kappa = 0.5.
    # First errors: Alice 1, Bob 0, judge 1: one pair of two, and both within a step.
    people = [Rating(7, ALICE, "+-?"), Rating(7, BOB, "--."), Rating(8, ALICE, "+")]
    made = between(people, [Rating(7, JUDGE, "+-+"), Rating(6, JUDGE, "+")])
    assert found(made["kappa"]) == (0.5, 4)
    assert found(made["percent"]) == (0.75, 4)
    assert found(made["first_error"]) == (0.5, 2)
    assert found(made["first_error_near"]) == (1, 2)
    assert made["wrong_steps"]["why"] == "no solution was judged on every step by both"
    assert made["confusion"] == [[2, 0, 1], [0, 0, 0], [0, 0, 1]]  # rows people, - 0 +
    assert (made["n_solutions"], made["n_steps"]) == (1, 2)


def test_49_of_50_identical_solutions() -> None:
    # 50 solutions of 8 steps; on the last one Bob says the opposite: 392 of 400 steps agree.
    # Both say + 200 times: pe = 0.5, kappa = (0.98 - 0.5) / 0.5 = 0.96.
    alice = ["++++----"] * 50
    bob = ["++++----"] * 49 + ["----++++"]
    made = between(group(alice), [one._replace(rater=BOB) for one in group(bob)])
    assert found(made["kappa"]) == (pytest.approx(0.96), 400)
    assert found(made["percent"]) == (0.98, 400)
    # First errors 4 and 0 on the last one.
    assert found(made["first_error"]) == (0.98, 50)
    # Coincidences are 784 of 800 on the diagonal: alpha = 1 - 799 * 16 / (2 * 400 * 400) = 0.96005.
    assert found(among(group(alice, bob))["alpha"]) == (pytest.approx(0.96005), 400)


def test_identical_and_random_reviewers() -> None:
    dice = random.Random(7)
    alice, bob = (["".join(dice.choices("-0+", k=8)) for _ in range(50)] for _ in range(2))
    same, chance = among(group(alice, alice)), among(group(alice, bob))
    for name in ("alpha", "alpha_ordinal", "fleiss_kappa", "gwet_ac1", "percent"):
        assert same[name]["value"] == pytest.approx(1)
    assert chance["alpha"]["value"] == pytest.approx(0, abs=0.1)
    made = between(group(alice), [one._replace(rater=BOB) for one in group(bob)])
    for name, weights in (("kappa", None), ("kappa_linear", "linear"), ("kappa_quadratic", "quadratic")):
        a, b = (["-0+".index(label) for label in "".join(of)] for of in (alice, bob))
        assert found(made[name]) == (pytest.approx(cohen_kappa_score(a, b, weights=weights)), 400)


def test_one_label_throughout_has_a_percentage_and_no_alpha() -> None:
    made = among(group(["++"], ["++"]))
    assert (*found(made["alpha"]), made["alpha"]["why"]) == (None, 2, ONE_LABEL)
    assert found(made["percent"]) == (1, 2)


def test_missing_is_never_wrong() -> None:
    made = among(group(["+?.-"], ["+--."]))
    assert found(made["percent"]) == (1, 1)
    assert made["first_error"]["why"] == "no solution has a known first error from both"
    assert found(made["solution"]["percent"]) == (1, 1)  # a wrong step is one, whatever is unjudged


def test_no_ratings() -> None:
    made = among([])
    assert (*found(made["alpha"]), made["alpha"]["why"]) == (None, 0, NO_PAIR)
    assert made["solution"]["alpha"]["why"] == "no solution was judged as a whole by two raters"
    assert (made["n_solutions"], made["n_steps"], made["n_raters"]) == (0, 0, 0)
    assert between([], [])["kappa"]["why"] == "no step was judged by both"


def test_a_solution_has_one_length() -> None:
    with pytest.raises(ValueError, match="solution 4 has labels of different lengths"):
        table([Rating(4, ALICE, "+-"), Rating(4, BOB, "+")])


def test_what_is_no_label_is_refused() -> None:
    assert cols.encode("-0+?.").tolist() == [0, 1, 2, -1, -1]
    with pytest.raises(ValueError, match="not 'x'"):
        cols.encode("+x-")
    with pytest.raises(ValueError, match="ascii"):
        cols.encode("+\u2212")  # a minus sign that is not the label


def test_steps_have_their_position_and_cluster() -> None:
    of = cols.columns([5, 3, 5], [1, 2, 2], [1, 0, 1], ["+-?", "0", "+0."], [1, UNKNOWN, UNKNOWN])
    made = cols.steps(of, np.arange(3), of.solution)
    # Solution 3 first; the third step of solution 5 was judged by nobody. Columns - 0 +.
    assert made.counts.tolist() == [[0, 1, 0], [0, 0, 2], [1, 1, 0]]
    assert (made.position.tolist(), made.cluster.tolist()) == ([0, 0, 1], [0, 1, 1])


@pytest.mark.parametrize(
    ("positions", "confused"), [(slice(0, 1), [1, 0]), (slice(1, 3), [0, 1]), (slice(3, None), [0, 0])]
)
def test_a_range_of_positions_is_all_that_is_compared(positions: slice, confused: list[int]) -> None:
    of = table(group(["+-?", "+"], ["+++", "."]))
    made = cols.facing(of, *cols.within(of.solution), positions)
    said = made.confusion.sum(axis=0).reshape(3, 3)
    assert [said[2, 2], said[0, 2]] == confused
    assert made.n_steps == sum(confused)


@given(ratings())
def test_among_equals_brute_force(made: list[Rating]) -> None:
    pairs = [(a, b) for a, b in combinations(made, 2) if a.solution == b.solution]
    result = among(made)
    assert found(result["percent"]) == share([x == y for x, y in judged_pairs(pairs)])
    assert found(result["first_error"]) == share([x == y for x, y in firsts(pairs)])
    assert found(result["first_error_near"]) == share([is_near(x, y) for x, y in firsts(pairs)])
    assert found(result["wrong_steps"]) == share(wrong_sets(pairs))
    assert found(result["solution"]["percent"]) == share(verdicts(pairs))
    assert result["n_solutions"] == len({a.solution for a, _ in pairs})
    assert result["n_raters"] == len({one.rater for pair in pairs for one in pair})
    assert result["n_steps"] == result["alpha"]["n"]


@given(ratings())
def test_between_equals_brute_force(made: list[Rating]) -> None:
    people, machine = [r for r in made if r.rater < 2], [r for r in made if r.rater >= 2]
    pairs = [(a, b) for a, b in product(people, machine) if a.solution == b.solution]
    result, labels = between(people, machine), judged_pairs(pairs)
    assert found(result["percent"]) == share([x == y for x, y in labels])
    assert found(result["first_error"]) == share([x == y for x, y in firsts(pairs)])
    assert found(result["wrong_steps"]) == share(wrong_sets(pairs))
    assert found(result["solution"]["percent"]) == share(verdicts(pairs))
    assert result["n_solutions"] == len({a.solution for a, _ in pairs})
    assert (result["kappa"]["value"] is None) == (len({label for pair in labels for label in pair}) < 2)
    if result["kappa"]["value"] is not None:
        first, second = zip(*labels, strict=True)
        assert result["kappa"]["value"] == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


@given(ratings(), st.randoms(use_true_random=False))
def test_order_and_names_do_not_matter(made: list[Rating], dice: random.Random) -> None:
    mixed = dice.sample(made, len(made))
    renamed = [r._replace(rater=50 - 3 * r.rater) for r in made]
    for other in (mixed, renamed):
        assert _values(among(other)) == pytest.approx(_values(among(made)), nan_ok=True)


def _values(of: dict[str, Any]) -> dict[str, float]:
    names = ("alpha", "alpha_ordinal", "gwet_ac1", "percent", "first_error", "wrong_steps")
    return {name: np.nan if of[name]["value"] is None else of[name]["value"] for name in names}


@given(ratings())
def test_a_rater_who_judges_nothing_changes_nothing(made: list[Rating]) -> None:
    silent = [Rating(s, JUDGE, "?" * n) for s, n in {(r.solution, len(r.labels)) for r in made}]
    assert _values(among(made + silent)) == pytest.approx(_values(among(made)), nan_ok=True)
    assert between(made, silent)["percent"]["value"] is None
