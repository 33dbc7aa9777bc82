"""PRMBench's metrics against the published oracles of trivial predictors, and its traps by hand."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from scoring.metrics.confusion import Reading
from scoring.metrics.prmbench import Item, Prediction
from scoring.metrics.prmbench_report import evaluate

# arXiv 2501.03124's released data: kind -> steps and wrong steps, pooled over its items.
POOLS = {
    "redundancy": (11_613, 1_537), "circular": (7_813, 2_135), "counterfactual": (10_477, 2_074),
    "step_contradiction": (10_765, 1_192), "domain_inconsistency": (10_031, 1_338), "confidence": (10_748, 1_304),
    "missing_condition": (9_613, 1_869), "deception": (10_070, 1_700), "multi_solutions": (2_241, 0),
}  # fmt: skip
# Run through the reference's own evaluator on that data.
ALL_VALID = (46.457, 42.087, 44.507, 47.07, 46.427, 46.771, 44.616, 45.39, 100.0)
ALL_INVALID = (11.688, 21.462, 16.525, 9.969, 11.769, 10.82, 16.278, 14.444, 0.0)


def pooled() -> list[Item]:
    """One long item a kind: what is pooled does not know where items end."""
    return [Item(kind, kind, n, tuple(range(wrong)), kind, kind) for kind, (n, wrong) in POOLS.items()]


def answers(items: list[Item], label: Callable[[Item], str]) -> dict[str, Prediction]:
    return {item.id: Prediction(label(item)) for item in items}


@pytest.mark.parametrize(
    ("label", "overall", "f1", "negative", "kinds"),
    [
        (lambda item: "+" * item.n_steps, 45.7195, 91.4391, 0.0, ALL_VALID),
        (lambda item: "-" * item.n_steps, 13.6231, 0.0, 27.2462, ALL_INVALID),
        (lambda item: ("-" * len(item.wrong)).ljust(item.n_steps, "+"), 100.0, 100.0, 100.0, (100.0,) * 9),
    ],
    ids=["all valid", "all invalid", "perfect"],
)  # fmt: skip
def test_trivial_predictors(
    label: Callable[[Item], str], overall: float, f1: float, negative: float, kinds: tuple[float, ...]
) -> None:
    items = pooled()
    found = evaluate(items, answers(items, label))
    assert found["overall"]["prm_score"] == pytest.approx(overall, abs=5e-5)
    assert found["overall"]["f1"] == pytest.approx(f1, abs=5e-5)
    assert found["overall"]["negative_f1"] == pytest.approx(negative, abs=5e-5)
    scores = [found["kinds"][kind]["prm_score"] for kind in POOLS]
    assert scores == pytest.approx(kinds, abs=5e-4)
    assert found["overall"]["n_steps"] == 83_371
    assert found["overall"]["n_wrong"] == 13_149


def test_groups_are_means_of_their_kinds() -> None:
    items = pooled()
    found = evaluate(items, answers(items, lambda item: "+" * item.n_steps))
    assert found["groups"]["S1"] == pytest.approx((46.457 + 42.087) / 2, abs=5e-4)
    assert found["groups"]["S3"] == pytest.approx((44.616 + 45.39 + 100) / 3, abs=5e-4)


ITEM = Item("confidence_a", "confidence", 4, (2,), "a", "a")


def _one(prediction: Prediction | None, reading: Any = "reference", item: Item = ITEM) -> dict[str, Any]:
    values: dict[str, Any] = evaluate([item], {item.id: prediction} if prediction else {}, reading)["overall"]
    return values


def test_by_hand() -> None:
    # + + - - against a wrong third step: tp 2, tn 1, fn 1, fp 0.
    found = _one(Prediction("++--"))
    assert found["precision"] == 100
    assert found["recall"] == pytest.approx(200 / 3)
    assert found["f1"] == pytest.approx(80)
    assert found["negative_f1"] == pytest.approx(200 / 3)  # precision 1/2, recall 1
    assert found["accuracy"] == 75
    assert found["first_error_accuracy"] == 100


def test_a_short_prediction_is_dropped_by_the_reference_and_wrong_read_strictly() -> None:
    assert _one(Prediction("++"))["accuracy"] == 100
    assert _one(Prediction("++"))["first_error_accuracy"] is None
    assert _one(Prediction("++"), "strict")["accuracy"] == 50


def test_a_surplus_label_is_a_right_step_to_the_reference_and_wrong_read_strictly() -> None:
    perfect = Prediction("++-++")
    assert (_one(perfect)["n_steps"], _one(perfect)["accuracy"]) == (5, 100)
    assert _one(perfect, "strict")["accuracy"] == 80


def test_a_wrong_step_out_of_range_is_inert() -> None:
    assert _one(Prediction("++++"), item=replace(ITEM, wrong=(9,)))["n_wrong"] == 0


def test_unparsed_and_absent_are_skipped_by_the_reference_and_wrong_read_strictly() -> None:
    for nothing in (Prediction("", is_parsed=False), None):
        assert _one(nothing)["n_items"] == 0
        assert _one(nothing)["accuracy"] is None
        assert _one(nothing, "strict")["accuracy"] == 0


def test_redundancy_labels_count_for_their_two_kinds_only() -> None:
    predicted = Prediction("++++", redundancy="++-+")
    for kind, accuracy in (("redundancy", 100), ("circular", 100), ("confidence", 75)):
        assert _one(predicted, item=replace(ITEM, kind=kind))["accuracy"] == accuracy


@pytest.mark.parametrize("reading", ["reference", "strict"])
def test_where_nothing_is_wrong_there_is_no_score(reading: Reading) -> None:
    """The evaluator has 0 there, or worse by a mistake: 0.5 * 1 + 0.5 * -1. That is no number of the rater's."""
    for right, said in ((replace(ITEM, wrong=()), "++++"), (replace(ITEM, wrong=()), "+++-")):
        found = _one(Prediction(said), reading, right)
        assert (found["prm_score"], found["negative_f1"], found["negative_recall"]) == (None, None, None)
    wrong = _one(Prediction("----"), reading, replace(ITEM, wrong=(0, 1, 2, 3)))
    assert (wrong["prm_score"], wrong["f1"], wrong["negative_f1"]) == (None, None, 100)


def test_the_sentinel_enters_f1_as_in_the_reference() -> None:
    """All valid: negative precision is 0/0 = -1, recall 0, and their F1 0: half of F1 is the published number."""
    found = _one(Prediction("++++"))
    assert (found["negative_precision"], found["negative_f1"]) == (None, 0)
    assert found["prm_score"] == pytest.approx(found["f1"] / 2)


def test_a_step_without_a_label_is_neither_found_nor_missed() -> None:
    items = [ITEM, replace(ITEM, id="b")]
    said = {ITEM.id: Prediction("++.+"), "b": Prediction("++-+")}
    found = evaluate(items, said)
    assert found["overall"]["wrong_step_accuracy"] == found["overall"]["first_error_accuracy"] == 100
    assert found["positions"] == [{"step": 3, "n": 1, "accuracy": 100.0}]
    assert evaluate(items, said, "strict")["overall"]["first_error_accuracy"] == 50


def test_what_could_not_be_read_is_not_short() -> None:
    found = evaluate([ITEM], {ITEM.id: Prediction("", is_parsed=False)})
    assert (found["n_short"], found["n_unparsed"]) == (0, 1)


def test_similarity_pairs_an_item_with_its_original() -> None:
    items = [
        ITEM, Item("correct_a", "correct", 4, (), "a", "a"),
        replace(ITEM, id="deception_b", kind="deception", base="b"), Item("correct_b", "correct", 4, (), "b", "b"),
    ]  # fmt: skip
    said = {"confidence_a": "++--", "correct_a": "+++-", "deception_b": "++--", "correct_b": "----"}
    found = evaluate(items, {key: Prediction(labels) for key, labels in said.items()})
    # |2/4 - 3/4|; an original of which nothing is valid pairs with nobody.
    assert found["overall"]["similarity"] == pytest.approx(25)
    assert found["overall"]["n_items"] == 2
    assert found["correct"]["n_items"] == 2


def test_bias_and_positions() -> None:
    items = [ITEM, replace(ITEM, id="b", wrong=(0, 2)), replace(ITEM, id="c", wrong=(1,) * 5)]
    found = evaluate(items, {"confidence_a": Prediction("++-+"), "b": Prediction("+-++")})
    assert found["bias"] == pytest.approx(100 * (1 / 4 + 2 / 4) / 2)  # the third claims more than it has
    assert found["positions"] == [
        {"step": 1, "n": 1, "accuracy": 0.0},
        {"step": 3, "n": 2, "accuracy": 50.0},
    ]
    assert (found["n_absent"], found["n_unknown"]) == (1, 0)


def test_intervals_hold_the_score_and_need_two_groups() -> None:
    items = [replace(ITEM, id=str(n), group=str(n % 7)) for n in range(28)]
    said = {str(n): Prediction("++-+" if n % 3 else "++++") for n in range(28)}
    found = evaluate(items, said, "strict", draws=200)
    low, high = found["intervals"]["overall"]
    assert low < found["overall"]["prm_score"] < high
    alone = evaluate([ITEM], {ITEM.id: Prediction("++-+")}, "strict", draws=200)
    assert alone["intervals"]["overall"] == [None, None]
