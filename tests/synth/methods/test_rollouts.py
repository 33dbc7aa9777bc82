"""Rollouts against cases worked by hand, and against a naive version that draws everything."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from annotator.core.labels import NO_ERROR, UNKNOWN
from synth.methods.asks import Ask, Check, Reply, Verdict, digest_of
from synth.methods.estimates import (
    Draw,
    Estimate,
    Prefix,
    dump,
    first_error,
    first_error_stored,
    hard,
    labels,
    load,
    soft,
)
from synth.methods.rollouts import RolloutHow, most_draws, request, rollouts, waves
from synth.methods.settings import spec

STEPS = ("We set up.", "We compute.", "We conclude.")
SAID: dict[str, Verdict] = {"R": "right", "W": "wrong", "U": "undecided"}


class World:
    """A model and a checker: `table[step][draw]` is R, W or U, C (cut off) or N (ended without an answer)."""

    def __init__(self, table: Sequence[str], how: RolloutHow, steps: Sequence[str] = STEPS) -> None:
        self.table, self.how, self.steps = table, how, steps
        self.asked: list[Ask] = []
        self.batches: list[int] = []
        self.prompts = {
            request("P", steps[: at + 1], how, 0).messages[-1]["content"]: at for at in range(len(steps))
        }

    def run(self) -> Estimate:
        method = rollouts("P", self.steps, "R", self.how)
        batch = next(method)
        while True:
            self.batches.append(len(batch))
            try:
                batch = method.send([self.answer(one) for one in batch])
            except StopIteration as end:
                return end.value

    def answer(self, one: Ask | Check) -> Reply | Verdict:
        if isinstance(one, Check):
            assert one.gold == "R"
            return SAID[one.answer]
        self.asked.append(one)
        outcome = self.table[self.prompts[one.messages[-1]["content"]]][one.draw]
        if outcome in "CN":
            return Reply("So far nothing.", "length" if outcome == "C" else "stop")
        return Reply(f"First this.\n\nThe answer is \\boxed{{{outcome}}}.")


def naive(table: Sequence[str]) -> str:
    """Labels by the definitions alone: draw all of everything, then look."""
    found = ""
    for row in table:
        right = any(outcome == "R" for outcome in row)
        unsure = any(outcome in "UCN" for outcome in row)
        found += "+" if right else "?" if unsure else "-"
        if not right:
            return found + "." * (len(table) - len(found))
    return found


def test_counts_worked_by_hand() -> None:
    world = World(["RWRU", "WWRW", "WWWW"], RolloutHow(n=4))
    found = world.run()
    assert [(p.position, p.k, p.drawn, p.undecided, p.planned, p.stopped) for p in found.prefixes] == [
        (0, 2, 4, 1, 4, False),
        (1, 1, 4, 0, 4, False),
        (2, 0, 4, 0, 4, False),
    ]
    assert hard(found) == [True, True, False]
    assert soft(found) == [2 / 3, 1 / 4, 0.0]
    assert labels(found) == "++-"
    assert labels(found, 0.5) == "+-."
    assert labels(found, 0.25) == "++-"
    assert (first_error(found), first_error(found, 0.7)) == (2, 0)


def test_nothing_is_drawn_after_the_first_prefix_without_success() -> None:
    world = World(["RRRR", "WWWW", "RRRR"], RolloutHow(n=4))
    found = world.run()
    assert labels(found) == "+-."
    assert len(world.asked) == 8
    assert (hard(found), soft(found)) == ([True, False, None], [1.0, 0.0, None])


@pytest.mark.parametrize("row", ["WWUW", "WWCW", "WNWW", "UUUU"])
def test_no_success_but_an_undecided_draw_is_unknown(row: str) -> None:
    found = World(["RWWW", row, "RRRR"], RolloutHow(n=4)).run()
    assert labels(found) == "+?."
    assert first_error(found) == UNKNOWN
    assert hard(found) == [True, None, None]
    assert soft(found)[1] == (None if row == "UUUU" else 0.0)


def test_a_draw_without_an_answer_is_undecided_whatever_ended_it() -> None:
    found = World(["CNRW", "WWWW", "WWWW"], RolloutHow(n=4)).run()
    assert [draw.verdict for draw in found.prefixes[0].draws] == ["undecided", "undecided", "right", "wrong"]
    assert [draw.finish_reason for draw in found.prefixes[0].draws] == ["length", "stop", "stop", "stop"]
    assert soft(found)[0] == 1 / 2


def test_a_thought_that_never_ends_holds_no_answer() -> None:
    method = rollouts("P", ["a"], "5", RolloutHow(n=1))
    next(method)
    with pytest.raises(StopIteration) as end:
        method.send([Reply("<think>maybe \\boxed{5}", "length")])
    assert labels(end.value.value) == "?"


@pytest.mark.parametrize(("answer", "expected"), [("R", "+++"), ("W", "++-"), ("U", "++?")])
def test_a_prefix_that_holds_the_final_answer_is_checked_not_sampled(answer: str, expected: str) -> None:
    steps = ("We set up.", "We compute.", f"So the answer is $\\boxed{{{answer}}}$.")
    world = World(["WWRW", "RRRR", "...."], RolloutHow(n=4), steps)
    found = world.run()
    last = found.prefixes[-1]
    assert (last.holds_answer, last.drawn, last.planned) == (True, 1, 1)
    assert labels(found) == expected
    assert len(world.asked) == most_draws(steps, world.how) == 8


def test_an_intermediate_box_is_no_final_answer_but_the_final_one_before_a_remark_is() -> None:
    steps = ("First $\\boxed{W}$.", "Then $\\boxed{R}$.", "That was it.")
    world = World(["RW", "..", ".."], RolloutHow(n=2), steps)
    found = world.run()
    assert [prefix.holds_answer for prefix in found.prefixes] == [False, True, True]
    assert labels(found) == "+++"
    assert len(world.asked) == 2


def test_early_stop_offers_only_any_right() -> None:
    world = World(["RWRR", "WWRW", "WWWW"], RolloutHow(n=4, early_stop=True))
    found = world.run()
    assert [(p.k, p.drawn, p.stopped) for p in found.prefixes] == [(1, 1, True), (1, 4, False), (0, 4, False)]
    assert labels(found) == "++-"
    assert soft(found) == [None, None, None]
    with pytest.raises(ValueError, match="first success"):
        labels(found, 0.5)


def test_early_stop_and_all_draws_ask_for_the_same_draws() -> None:
    table = ["WWRW", "WRWW", "WWWW"]
    sent = [World(table, RolloutHow(n=4, early_stop=early)) for early in (False, True)]
    for world in sent:
        world.run()
    full, early = ([digest_of("m", one) for one in world.asked] for world in sent)
    assert len(set(full)) == len(full)
    assert set(early) < set(full)


@pytest.mark.parametrize("threshold", [0, -0.1, 1.01])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        labels(World(["R", "R", "R"], RolloutHow(n=1)).run(), threshold)


def test_settings_say_what_cannot_be() -> None:
    with pytest.raises(ValidationError, match="all 8 draws are the same"):
        RolloutHow(temperature=0)
    assert RolloutHow(temperature=0, n=1).n == 1


@pytest.mark.parametrize(("steps", "gold"), [((), "R"), (STEPS, " ")])
def test_nothing_to_roll_out_is_refused(steps: Sequence[str], gold: str) -> None:
    with pytest.raises(ValueError, match="reference answer"):
        next(rollouts("P", steps, gold, RolloutHow()))


def test_a_beginning_goes_into_the_model_s_turn_where_asked() -> None:
    one = request("P", ("a", "b"), RolloutHow(prefill=True), 2)
    assert one.messages[-1] == {"role": "assistant", "content": "a\n\nb\n\n"}
    assert one.params["continue_final_message"] is True
    assert one.params["seed"] == 2


def test_a_rater_is_its_prompt_and_settings_without_the_seed() -> None:
    found = spec(RolloutHow(n=16, seed=7), "m")
    assert (found["method"], found["prompt"], found["n"]) == ("rollout", "rollout-1", 16)
    assert "seed" not in found
    assert len(found["prompt_digest"]) == 64


@given(st.integers(1, 70))
def test_waves_hold_every_draw_once_and_never_more_than_all_before_them(n: int) -> None:
    for early_stop in (False, True):
        found = waves(n, early_stop)
        assert [draw for wave in found for draw in wave] == list(range(n))
    assert all(len(wave) <= max(1, wave.start) for wave in waves(n, True))


TABLES = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.text("RWUCN", min_size=n, max_size=n), min_size=1, max_size=4)
)


@given(TABLES)
def test_labels_are_those_of_the_naive_version_with_and_without_early_stop(table: list[str]) -> None:
    steps = tuple(f"Step {letter}" for letter in "abcd"[: len(table)])
    full = World(table, RolloutHow(n=len(table[0])), steps)
    early = World(table, RolloutHow(n=len(table[0]), early_stop=True), steps)
    found, stopped = full.run(), early.run()
    assert labels(found) == labels(stopped) == naive(table)
    assert hard(found) == hard(stopped)
    assert len(early.asked) <= len(full.asked)
    assert first_error(found) == (UNKNOWN if "?" in naive(table) else table_error(naive(table)))
    for estimate in (found, stopped):
        assert load(json.loads(json.dumps(dump(estimate)))) == estimate


def table_error(found: str) -> int:
    return found.index("-") if "-" in found else NO_ERROR


@given(TABLES, st.floats(0.05, 1))
def test_a_threshold_is_a_view_of_the_counts(table: list[str], threshold: float) -> None:
    found = World(table, RolloutHow(n=len(table[0])), tuple(f"Step {c}" for c in "abcd"[: len(table)])).run()
    expected = ""
    for row in naive_rows(table):
        decided = [outcome for outcome in row if outcome in "RW"]
        if "R" not in row and len(decided) < len(row):
            expected += "?"
        else:
            expected += "+" if decided.count("R") / len(decided) >= threshold else "-"
        if expected[-1] != "+":
            break
    assert labels(found, threshold) == expected.ljust(len(table), ".")


def naive_rows(table: list[str]) -> list[str]:
    """The rows that are drawn: up to the first without a success."""
    for at, row in enumerate(table):
        if "R" not in row:
            return table[: at + 1]
    return table


DRAWS = st.lists(st.sampled_from(list(SAID.values())), max_size=4)


@given(
    st.lists(DRAWS, min_size=1, max_size=3), st.integers(0, 1), st.sampled_from([0.25, 1 / 3, 0.5, 0.7, 1.0])
)
def test_the_quick_reading_of_what_is_stored_says_the_same(
    rows: list[list[Verdict]], more: int, threshold: float
) -> None:
    prefixes = (
        Prefix(at, 4, tuple(Draw(None, one, "stop") for one in verdicts)) for at, verdicts in enumerate(rows)
    )
    estimate = Estimate(len(rows) + more, 4, False, tuple(prefixes))
    stored = json.loads(json.dumps(dump(estimate)))
    assert first_error_stored(stored, threshold) == first_error(load(stored), threshold)


def test_the_quick_reading_refuses_what_the_other_does() -> None:
    stored = dump(Estimate(1, 4, True, (Prefix(0, 4, (Draw("5", "right", "stop"),)),)))
    with pytest.raises(ValueError, match="first success"):
        first_error_stored(stored, 0.5)
    with pytest.raises(ValueError, match="above 0"):
        first_error_stored({**stored, "early_stop": False}, 1.5)
