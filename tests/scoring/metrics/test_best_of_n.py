"""Best-of-N by hand; the published averages are means of their columns."""

import pytest

from scoring.metrics.best_of_n import Question, Response, evaluate, majority, pick, product, weighted_majority
from scoring.metrics.comparison import of_best_of_n

# arXiv 2501.07301, table 6: GSM8K, MATH, Minerva, GaoKao, OlympiadBench, College Math, MMLU STEM; the average.
PUBLISHED = {
    "pass@8": ((98.1, 92.0, 49.3, 80.5, 59.6, 52.6, 90.5), 74.7),
    "maj@8": ((96.7, 87.1, 41.2, 72.5, 44.4, 47.8, 73.8), 66.2),
    "Skywork-PRM-1.5B": ((96.9, 86.7, 37.9, 70.1, 42.1, 47.9, 67.9), 64.2),
    "Math-Shepherd-PRM-7B": ((97.3, 85.4, 37.9, 70.6, 40.4, 47.2, 70.5), 64.2),
    "RLHFlow-PRM-Mistral-8B": ((97.0, 86.1, 37.1, 70.6, 41.2, 47.6, 69.5), 64.2),
    "RLHFlow-PRM-Deepseek-8B": ((97.3, 86.3, 40.8, 70.9, 42.2, 47.2, 69.3), 64.9),
    "Skywork-PRM-7B": ((97.3, 87.3, 38.2, 71.9, 43.7, 47.8, 67.7), 64.8),
    "EurusPRM-Stage1": ((95.6, 83.0, 35.7, 66.2, 38.2, 46.2, 66.6), 61.6),
    "EurusPRM-Stage2": ((95.4, 83.4, 34.9, 67.3, 39.1, 46.3, 67.3), 62.0),
    "Qwen2.5-Math-7B-Math-Shepherd": ((96.9, 86.5, 36.8, 71.4, 41.6, 47.7, 69.3), 64.3),
    "Qwen2.5-Math-7B-PRM800K": ((96.9, 86.9, 37.1, 71.2, 44.0, 47.6, 70.9), 64.9),
    "Qwen2.5-Math-PRM-7B": ((97.1, 88.0, 42.6, 74.5, 47.6, 48.7, 74.5), 67.6),
    "Qwen2.5-Math-RM-72B": ((97.9, 88.5, 42.6, 75.1, 49.9, 49.6, 78.7), 68.9),
    "Qwen2.5-Math-PRM-72B": ((97.6, 88.7, 46.0, 74.3, 48.1, 49.3, 81.1), 69.3),
}


@pytest.mark.parametrize("row", PUBLISHED)
def test_published_averages_are_means_of_their_columns(row: str) -> None:
    columns, average = PUBLISHED[row]
    assert sum(columns) / 7 == pytest.approx(average, abs=0.06)


A = Response("1", False, [0.9, 0.2])  # product .18, min .2, mean .55, last .2
B = Response("2", True, [0.5, 0.5])  # product .25, min .5, mean .5, last .5
C = Response("1", False, [0.1, 0.6])  # product .06, min .1, mean .35, last .6


@pytest.mark.parametrize(("aggregate", "best"), [("product", 1), ("min", 1), ("mean", 0), ("last", 2)])
def test_each_aggregate_picks_its_own(aggregate: str, best: int) -> None:
    assert pick([A, B, C], aggregate) == best


def test_the_first_of_equal_scores_wins() -> None:
    assert pick([C, B, B._replace(is_right=False)], "min") == 1


def test_a_product_of_many_steps_does_not_round_to_nothing() -> None:
    low, high = Response("", False, [0.001] * 200), Response("", True, [0.002] * 200)
    assert 0.001**200 == 0.002**200 == 0  # what the plain product would compare
    assert pick([low, high], "product") == 1
    assert product([0.5, 0.0]) == float("-inf")


def test_the_shifted_product_by_hand() -> None:
    # The minimum is .1, so .09 is taken off: .81*.11 = .0891, .41*.41 = .1681, .01*.51 = .0051.
    assert pick([A, B, C], "shifted") == 1
    # With raw scores below zero, as some models give, the plain product would be undefined.
    assert pick([Response("", False, [-1.0, 2.0]), Response("", True, [1.0, 1.0])], "shifted") == 1


def test_majorities() -> None:
    assert majority([A, B, C]) == 0
    assert majority([B, A]) == 0  # of equally many answers the one met first
    assert weighted_majority([A, B, C], "last") == 0  # .2 + .6 against .5
    assert weighted_majority([A, B, C], "min") == 1  # .2 + .1 against .5
    assert majority([Response("", False, None)]) is None


def test_evaluate_by_hand() -> None:
    asked = [
        Question("q1", "math", [A, B, C]),
        Question(
            "q2",
            "math",
            [Response("5", True, [0.9]), Response("6", False, [0.8]), Response("5", True, [0.1])],
        ),
        Question(
            "q3", "gsm8k", [Response("7", False, None), Response("8", True, None), Response("7", False, None)]
        ),
    ]
    found = evaluate(asked)
    assert found["n"] == 3
    assert found["datasets"]["math"]["prm@n"] == {
        "product": 100,
        "min": 100,
        "mean": 50,
        "last": 50,
        "shifted": 100,
    }
    assert found["datasets"]["math"]["maj@n"] == 50
    assert found["datasets"]["math"]["gain"]["min"] == 50
    assert found["datasets"]["math"]["pass@n"] == 100
    assert found["pass@n"] == 100
    assert found["maj@n"] == 25  # the mean of 50 and 0
    assert found["datasets"]["gsm8k"]["prm@n"]["min"] is None
    assert found["prm@n"]["min"] is None  # a mean with an undefined part is undefined
    assert found["n_unscored"] == 1
    assert found["greedy"] is None


def test_questions_of_several_sizes_have_no_n() -> None:
    assert evaluate([Question("a", "d", [A]), Question("b", "d", [A, B])])["n"] is None
    assert evaluate([])["pass@n"] is None


def test_a_question_without_any_answer_is_one_that_no_majority_gets_right() -> None:
    silent = Question("b", "math", [Response("", True, [0.9]), Response("", False, [0.1])])
    found = evaluate([Question("a", "math", [B, A]), silent])["datasets"]["math"]
    assert (found["maj@n"], found["pass@n"]) == (50, 100)
    assert found["weighted_maj@n"]["min"] == 50
    assert found["prm@n"]["min"] == 100
    assert found["gain"]["min"] == 50


def test_a_gain_compares_the_same_questions() -> None:
    unscored = Question("b", "math", [Response("1", True, None)] * 2)
    found = evaluate([Question("a", "math", [A, B, C]), unscored])["datasets"]["math"]
    assert found["maj@n"] == 50  # of all questions
    assert found["gain"]["min"] == 100  # of the one with scores: right against wrong
    assert (found["n_unscored"], found["n_unscored_responses"]) == (1, 2)


def test_scores_that_are_no_shares_have_no_product() -> None:
    """Rewards of one sign and the other: two of -0.9 would multiply to 0.81."""
    low, high = Response("1", False, (-0.9, -0.9)), Response("2", True, (-0.1, 0.9))
    found = evaluate([Question("q", "d", [low, high])], draws=9)
    assert (found["headline"], found["prm@n"]["min"]) == ("min", 100)
    for name in ("prm@n", "weighted_maj@n", "gain"):
        assert found[name]["product"] is found["datasets"]["d"][name]["product"] is None
    assert evaluate([Question("q", "d", [A, B])])["headline"] == "product"
    assert evaluate([Question("q", "d", [A, B])], by="last")["headline"] == "last"
    over = [Question("q", "d", [low, high._replace(scores=(1.5, 1.0))])]
    assert evaluate(over)["prm@n"]["product"] is None


def test_a_weighted_majority_of_long_solutions() -> None:
    """0.1 to the 400th and 0.2 to the 400th are both 0 as plain numbers."""
    few, many = Response("1", False, [0.1] * 400), Response("2", True, [0.2] * 400)
    assert weighted_majority([few, few, many], "product") == 2
    assert weighted_majority([few._replace(scores=[0.0]), many._replace(scores=None)], "product") == 0


def test_a_comparison_says_by_what() -> None:
    wild = [Question("q", "d", [A._replace(scores=[-1.0]), B._replace(scores=[0.5])])]
    found = of_best_of_n(wild, [Question("q", "d", [A, B])], draws=0)
    assert found["headlines"] == ["min", "product"]
