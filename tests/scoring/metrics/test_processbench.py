"""ProcessBench's metrics: traps and sweep by hand. The published rows recompute in test_published.py."""

import random

import pytest

from annotator.core.labels import NO_ERROR
from scoring.metrics.processbench import (
    Case,
    at_threshold,
    evaluate,
    first_below,
    first_of,
    sweep,
    vote,
    wrong_process,
)


def _case(label: int, prediction: int | None, subset: str = "gsm8k", **more: object) -> Case:
    return Case(f"{subset}-{label}-{prediction}", subset, label, prediction, more.pop("group", "g"), **more)  # type: ignore[arg-type]


def test_by_hand() -> None:
    found = evaluate([_case(2, 2), _case(1, 0), _case(NO_ERROR, NO_ERROR), _case(NO_ERROR, None)])
    assert (found["error_accuracy"], found["correct_accuracy"], found["f1"]) == (50, 50, 50)
    assert found["n_unparsed"] == 1


def test_the_mean_is_of_subsets_not_of_solutions() -> None:
    cases = [_case(0, 0), _case(NO_ERROR, NO_ERROR)] * 10 + [
        _case(0, 1, "math"),
        _case(NO_ERROR, NO_ERROR, "math"),
    ]
    found = evaluate(cases)
    assert [found["subsets"][name]["f1"] for name in ("gsm8k", "math")] == [100, 0]
    assert found["f1"] == 50


def test_always_the_same_answer_has_no_f1() -> None:
    for constant in (0, NO_ERROR):
        found = evaluate([_case(0, constant), _case(3, constant), _case(NO_ERROR, constant)])
        assert found["f1"] == 0


def test_a_subset_without_errors_is_undefined() -> None:
    found = evaluate([_case(NO_ERROR, NO_ERROR)])
    assert found["f1"] is None
    assert found["subsets"]["gsm8k"]["error_accuracy"] is None


@pytest.mark.parametrize(
    ("replies", "winner"),
    [
        (["1", "1", "2"], 1),
        (["2", "1", "1", "2"], 2),  # of equally many the first met
        (["01", "1", "01"], 1),
        (["1", "01", "3", "3"], 3),  # "1" and "01" are two
        ([None, None, "4"], 4),
        (["four", "four", "1"], None),
        ([None], None),
    ],
)
def test_votes_count_texts(replies: list[str | None], winner: int | None) -> None:
    assert vote(replies) == winner


def test_a_score_at_the_threshold_is_not_above_it() -> None:
    assert first_below([0.9, 0.5, 0.1], 0.5) == 1
    assert first_below([0.9, 0.5], 0.4) == NO_ERROR


def test_the_threshold_is_chosen_on_one_subset_and_applied_to_all() -> None:
    cases = [
        Case("a", "gsm8k", 1, None, "a"), Case("b", "gsm8k", NO_ERROR, None, "b"),
        Case("c", "math", 0, None, "c"), Case("d", "math", NO_ERROR, None, "d"), Case("e", "math", 2, None, "e"),
    ]  # fmt: skip
    scores = {"a": [0.9, 0.3], "b": [0.8, 0.7], "c": [0.2], "d": [0.35, 0.9]}
    found = sweep(cases, scores)
    assert (found["threshold"], found["tuned_on"]) == (0.3, "gsm8k")
    assert found["subsets"]["gsm8k"]["f1"] == 100
    assert found["subsets"]["math"]["error_accuracy"] == 50  # e has no scores, so it is unparsed
    best = max(evaluate(at_threshold(cases[:2], scores, t / 100))["f1"] for t in range(100))
    assert best == 100
    with pytest.raises(ValueError, match="olympiadbench"):
        sweep(cases, scores, tuned_on="olympiadbench")


def test_the_sweep_finds_what_trying_every_score_finds() -> None:
    made = random.Random(3)
    for n in range(1, 40):
        cases = [
            Case(str(k), "all", made.choice([-1, 0, 1, 2, 3]), None, str(k), n_steps=4) for k in range(n)
        ]
        scores = {
            case.id: [made.randrange(6) / 5 for _ in range(made.choice([2, 4]))]
            for case in cases[1:] or cases
        }
        tried = sorted({score for one in scores.values() for score in one})
        f1s = [evaluate(at_threshold(cases, scores, t))["f1"] or 0.0 for t in tried]
        found = sweep(cases, scores, "all")
        assert (found["f1"] or 0.0) == pytest.approx(max(f1s))
        if max(f1s):
            assert found["threshold"] == tried[[round(f1, 9) for f1 in f1s].index(round(max(f1s), 9))]


def test_a_list_that_ends_too_soon_says_nothing_for_sure() -> None:
    """No error among two of five steps: unknown, so wrong, whether the solution has one or not."""
    cases = [
        Case(name, "gsm8k", label, None, name, n_steps=5)
        for name, label in (("a", NO_ERROR), ("b", 1), ("c", 3))
    ]
    cut = at_threshold(cases, {"a": [0.9, 0.9], "b": [0.9, 0.1], "c": [0.9, 0.9]}, 0.5)
    assert [case.prediction for case in cut] == [None, 1, None]
    assert first_of(NO_ERROR, 0, 0) == NO_ERROR  # where nobody knows how long the solution is


def test_right_answers_with_a_wrong_process() -> None:
    cases = [
        _case(1, 1, is_answer_right=True), _case(2, 0, is_answer_right=True), _case(3, 3, is_answer_right=False),
        _case(0, 0, "math", is_answer_right=True),
    ]  # fmt: skip
    found = wrong_process(cases)
    assert found["subsets"] == {"gsm8k": {"n": 2, "accuracy": 50.0}, "math": {"n": 1, "accuracy": 100.0}}
    assert found["accuracy"] == 75


def test_the_interval_holds_the_mean() -> None:
    cases = [_case(n % 3 - 1, n % 3 - 1 if n % 4 else None, group=str(n % 40)) for n in range(240)]
    found = evaluate(cases, draws=300)
    low, high = found["interval"]
    assert low < found["f1"] < high
