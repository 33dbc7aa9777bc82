"""Formulas by hand, and labels by each rule."""

from math import exp, log

import numpy as np
import pytest

from annotator.errors import Invalid
from scoring.prm import catalogue
from scoring.prm.readout import ReadoutError, labels, values
from scoring.prm.spec import Spec


def spec_of(name: str, variant: str = "") -> Spec:
    return catalogue.entry(name).variant(variant)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


# log 3 and log 1: shares 3/4 and 1/4.
FORMULAS = {
    "pair of tokens": ("math-shepherd-mistral-7b", "card", [log(3), 0.0], {"validity": 0.75}),
    "pair of classes": ("qwen2.5-math-prm-7b", "card", [log(3), 0.0], {"validity": 0.25}),
    "difference": ("pure-prm-7b", "card", [log(3), 0.0], {"validity": -0.5}),
    # + has logit log 2, the whole vocabulary sums to 8, the best other has log 6.
    "full softmax": ("rlhflow-mistral-8b", "prmbench", [log(2), log(8), log(6)], {"validity": 0.25}),
    "against the largest": (
        "rlhflow-mistral-8b",
        "processbench",
        [log(2), log(8), log(6)],
        {"validity": 0.25},
    ),
    "sigmoid": ("skywork-7b", "card", [log(3)], {"validity": 0.75}),
    "mean row": ("llemma-oprm-7b", "whole", [-log(3)], {"validity": 0.25}),
    "classes": ("reasoneval-7b", "card", [log(5), log(2), log(3)], {"validity": 0.5, "redundancy": 0.2}),
    "raw": ("mathminos-mistral-7b", "whole", [-1.5], {"validity": -1.5}),
    "raw times a coefficient": ("eurus-stage1", "card", [-20.0], {"validity": -0.02}),
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas(formula: str) -> None:
    name, variant, row, expected = FORMULAS[formula]
    found = values(spec_of(name, variant), [row, row])
    assert found == {channel: pytest.approx([value, value]) for channel, value in expected.items()}


def test_large_numbers_do_not_overflow() -> None:
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert values(spec_of("skywork-7b"), [[-5000.0], [5000.0]])["validity"] == pytest.approx([0, 1])
        assert values(spec_of("qwen2.5-math-prm-7b"), [[9000.0, 0.0]])["validity"] == pytest.approx([0])


def test_no_steps_no_scores() -> None:
    assert values(spec_of("reasoneval-7b"), np.empty((0, 3))) == {"validity": [], "redundancy": []}


@pytest.mark.parametrize("rows", [[[1.0]], [[1.0, 2.0, 3.0]], [1.0, 2.0], [[[1.0, 2.0]]]])
def test_another_shape_is_another_model(rows: list[object]) -> None:
    with pytest.raises(ReadoutError, match=r"its head gave \(.*\), not \(steps, 2\)"):
        values(spec_of("qwen2.5-math-prm-7b"), rows)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused_with_its_row(number: float) -> None:
    with pytest.raises(ReadoutError, match="for row 2 is not finite"):
        values(spec_of("qwen2.5-math-prm-7b"), [[1.0, 2.0], [0.0, number]])


class TestLabels:
    def test_above_is_strictly_above(self) -> None:
        spec = spec_of("qwen2.5-math-prm-7b")
        assert labels(spec, {"validity": [0.5, 0.51, 0.49]}) == "-+-"
        assert labels(spec, {"validity": [0.5, 0.51, 0.49]}, threshold=0.4) == "+++"

    def test_a_drop_is_from_the_step_before_and_the_first_is_right(self) -> None:
        spec = spec_of("skywork-1.5b", "prmbench")
        assert labels(spec, {"validity": [0.01, 0.9, 0.86, 0.5, 0.5]}) == "+++-+"
        assert labels(spec, {"validity": [0.01, 0.9, 0.86, 0.5, 0.5]}, threshold=0.01) == "++--+"

    def test_argmax_has_no_other_threshold(self) -> None:
        spec = spec_of("rlhflow-mistral-8b", "processbench")
        assert labels(spec, {"validity": [0.6, 0.5]}) == "+-"
        assert labels(spec, {"validity": [0.6, 0.5]}, threshold=0.5) == "+-"
        with pytest.raises(Invalid, match="argmax has no threshold"):
            labels(spec, {"validity": [0.6]}, threshold=0.3)

    def test_argmax_is_the_first_choice_of_the_whole_vocabulary(self) -> None:
        spec = spec_of("rlhflow-mistral-8b", "processbench")
        logits = np.array([[2.0, 1.9, 0.0], [2.0, 2.1, -9.0]])  # of +, and of two others
        columns = np.c_[logits[:, 0], np.log(np.exp(logits).sum(1)), logits[:, 1:].max(1)]
        assert labels(spec, values(spec, columns)) == "+-"

    def test_redundant_above_its_own_threshold(self) -> None:
        scores = {"validity": [0.9, 0.9], "redundancy": [0.2, 0.1]}
        assert labels(spec_of("reasoneval-7b"), scores, channel="redundancy") == "-+"

    def test_a_tail_that_was_cut_is_not_judged(self) -> None:
        assert labels(spec_of("pure-prm-7b", "prmbench"), {"validity": [0.3, -0.3]}, n_steps=4) == "+-.."
