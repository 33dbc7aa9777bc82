"""PRMBench's threshold: chosen on one half, reported on the other; against trying every score."""

from typing import Any

import numpy as np
import pytest

from scoring.metrics import sweeps
from scoring.metrics.prmbench import Item, Prediction
from scoring.metrics.prmbench_report import evaluate

KINDS = ("confidence", "redundancy", "deception")


def made(n: int = 60, seed: int = 0) -> tuple[list[Item], dict[str, list[float]]]:
    """Wrong steps score lower by chance; some lists are short or too long."""
    generator = np.random.default_rng(seed)
    items, scores = [], {}
    for k in range(n):
        n_steps = int(generator.integers(2, 6))
        wrong = (int(generator.integers(0, n_steps)),)
        items.append(Item(str(k), KINDS[k % 3], n_steps, wrong, str(k), f"group {k // 2}"))
        length = n_steps + (0, 0, 0, -1, 1)[k % 5]
        scores[str(k)] = [
            round(float(generator.random() * (0.7 if at in wrong else 1)), 2) for at in range(length)
        ]
    return items, scores


def _halves(items: list[Item]) -> tuple[list[Item], list[Item]]:
    chosen = [item for item in items if sweeps.is_chosen_on(item.group)]
    return chosen, [item for item in items if item not in chosen]


@pytest.mark.parametrize("reading", ["reference", "strict"])
@pytest.mark.parametrize("with_axis", [False, True])
def test_no_threshold_does_better_where_it_is_chosen(reading: Any, with_axis: bool) -> None:
    items, scores = made(150)
    axis = {
        item.id: "+" * item.n_steps if with_axis and item.kind == "redundancy" else None for item in items
    }
    stored = {item.id: Prediction("+" * len(scores[item.id]), axis[item.id]) for item in items}
    found = sweeps.prmbench(items, scores, stored, reading, draws=100)
    chosen, reported = _halves(items)

    def at(half: list[Item], threshold: float) -> float:
        said = sweeps.cut_at(half, scores, stored, threshold)
        return (
            evaluate(half, said, reading)["overall"]["prm_score"] or 0.0
        )  # undefined: no better than nothing

    best = max(at(chosen, cut / 100) for cut in range(-1, 101))
    assert found["chosen"]["score"] == pytest.approx(best)
    assert at(chosen, found["threshold"]) == pytest.approx(best)
    assert found["reported"]["score"] == pytest.approx(at(reported, found["threshold"]))
    assert found["stored"] == pytest.approx(evaluate(reported, stored, reading)["overall"]["prm_score"])
    low, high = found["reported"]["interval"]
    assert low < found["reported"]["score"] < high


def test_halves_part_problems_and_not_items() -> None:
    items, scores = made()
    found = sweeps.prmbench(items, scores, {})
    chosen, reported = _halves(items)
    assert not {item.group for item in chosen} & {item.group for item in reported}
    assert (found["chosen"]["n_items"], found["reported"]["n_items"]) == (len(chosen), len(reported))
    assert found["chosen"]["n_groups"] + found["reported"]["n_groups"] == 30


def test_a_single_problem_has_no_second_half() -> None:
    item = Item("a", "confidence", 2, (1,), "a", "a")
    with pytest.raises(ValueError, match="too few"):
        sweeps.prmbench([item], {"a": [0.9, 0.1]}, {})


def test_an_item_without_scores_is_not_guessed() -> None:
    items, scores = made(10)
    said = sweeps.cut_at(items, {items[0].id: scores[items[0].id]}, {items[1].id: Prediction("++")}, 0.5)
    assert set(said) == {items[0].id, items[1].id}
    assert not said[items[1].id].is_parsed
