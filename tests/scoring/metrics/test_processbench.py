"""ProcessBench's metrics: every published row recomputes from its accuracies; traps and sweep by hand."""

import pytest

from annotator.core.labels import NO_ERROR
from scoring.metrics.processbench import (
    Case,
    at_threshold,
    evaluate,
    f1_of,
    first_below,
    sweep,
    vote,
    wrong_process,
)

# arXiv 2412.06559, tables 3, 5 and 7: error accuracy, correct accuracy, F1; GSM8K, MATH, OlympiadBench, Omni-MATH;
# then the mean F1. Four accuracies stand misprinted in arXiv 2501.07301's table 7: Llama-3.3 MATH correct 83.2,
# RLHFlow-Deepseek Omni error 10.9, Skywork-7B MATH correct 62.2, PRM800K Omni correct 86.1.
PUBLISHED = {
    "GPT-4o-0806": ("70.0/91.2/79.2 54.4/76.6/63.6 45.8/58.4/51.4 45.2/65.6/53.5", 61.9),
    "o1-mini": ("88.9/97.9/93.2 83.5/95.1/88.9 80.2/95.6/87.2 74.8/91.7/82.4", 87.9),
    "Llama-3.3-70B-Inst": ("72.5/96.9/82.9 43.3/94.6/59.4 31.0/94.1/46.7 28.2/90.5/43.0", 58.0),
    "Qwen2.5-Math-72B-Inst": ("49.8/96.9/65.8 36.0/94.3/52.1 19.5/97.3/32.5 19.0/96.3/31.7", 45.5),
    "Qwen2.5-72B-Inst": ("62.8/96.9/76.2 46.3/93.1/61.8 38.7/92.6/54.6 36.6/90.9/52.2", 61.2),
    "QwQ-32B-Preview": ("81.6/95.3/88.0 78.1/79.3/78.7 61.4/54.6/57.8 55.7/68.0/61.3", 71.5),
    "Math-Shepherd-PRM-7B": ("32.4/91.7/47.9 18.0/82.0/29.5 15.0/71.1/24.8 14.2/73.0/23.8", 31.5),
    "RLHFlow-Mistral-8B": ("33.8/99.0/50.4 21.7/72.2/33.4 8.2/43.1/13.8 9.6/45.2/15.8", 28.4),
    "RLHFlow-Deepseek-8B": ("24.2/98.4/38.8 21.4/80.0/33.8 10.1/51.0/16.9 10.1/51.9/16.9", 26.6),
    "Skywork-PRM-1.5B": ("50.2/71.5/59.0 37.9/65.3/48.0 15.4/26.0/19.3 13.6/32.8/19.2", 36.4),
    "Skywork-PRM-7B": ("61.8/82.9/70.8 43.8/69.2/53.6 17.9/31.9/22.9 14.0/41.9/21.0", 42.1),
    "EurusPRM-Stage1": ("46.9/42.0/44.3 33.3/38.2/35.6 23.9/19.8/21.7 21.9/24.5/23.1", 31.2),
    "EurusPRM-Stage2": ("51.2/44.0/47.3 36.4/35.0/35.7 25.7/18.0/21.2 23.1/19.1/20.9", 31.3),
    "Qwen2.5-Math-7B-Math-Shepherd": ("46.4/95.9/62.5 18.9/96.6/31.6 7.4/93.8/13.7 4.0/95.0/7.7", 28.9),
    "Qwen2.5-Math-7B-PRM800K": ("53.1/95.3/68.2 48.0/90.1/62.6 35.7/87.3/50.7 29.8/86.3/44.3", 56.5),
    "Qwen2.5-Math-PRM-7B": ("72.0/96.4/82.4 68.0/90.4/77.6 55.7/85.5/67.5 55.2/83.0/66.3", 73.5),
    "Qwen2.5-Math-RM-72B": ("41.1/46.1/43.5 39.7/58.1/47.2 28.1/56.6/37.6 18.8/50.2/27.4", 38.9),
    "Qwen2.5-Math-PRM-72B": ("78.7/97.9/87.3 74.2/88.2/80.6 67.9/82.0/74.3 64.8/78.8/71.1", 78.3),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_published_rows_recompute(model: str) -> None:
    rows, mean = PUBLISHED[model]
    triples = [tuple(float(part) for part in row.split("/")) for row in rows.split()]
    for error, correct, published in triples:
        # The accuracies are rounded to 0.1, so F1 is known to within a little more.
        assert f1_of(error, correct) == pytest.approx(published, abs=0.11)
    assert sum(f1 for _, _, f1 in triples) / 4 == pytest.approx(mean, abs=0.06)


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
