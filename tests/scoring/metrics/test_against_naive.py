"""PRMBench's numbers against the plain evaluator, on whatever result files may hold."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.metrics.prmbench import KINDS, Item, Prediction
from scoring.metrics.prmbench_report import evaluate
from tests.scoring.metrics import naive

LABELS = st.text("+-", max_size=7)  # of one to five steps: missing, short, exact, too long


@st.composite
def benchmarks(draw: st.DrawFn) -> tuple[list[Item], dict[str, Prediction]]:
    items, said = [], {}
    for n in range(draw(st.integers(1, 6))):
        wrong = draw(st.lists(st.integers(0, 8), max_size=3))  # out of range, repeated, unsorted
        kind = draw(st.sampled_from(KINDS))
        items.append(Item(str(n), kind, draw(st.integers(1, 5)), tuple(wrong), str(n), str(n % 3)))
        if draw(st.booleans()) or not said:
            axis = draw(st.none() | LABELS)
            said[str(n)] = Prediction(draw(LABELS), axis, draw(st.booleans()))
    return items, said


@given(benchmarks())
def test_the_reference_reading_is_the_evaluator_s(case: tuple[list[Item], dict[str, Prediction]]) -> None:
    items, said = case
    found, pools = evaluate(items, said), naive.pooled(items, said)
    parts = {"overall": found["overall"], **found["kinds"]}
    for name, pool in pools.items():
        expected = naive.positive(pool) if name == "multi_solutions" else naive.score(pool)
        # No part of a score is the evaluator's -1, nor of steps that are not there.
        parts_of_it = [pool] if name == "multi_solutions" else [pool, naive.turned(pool)]
        is_defined = all(part["tp"] + part["fn"] and naive.positive(part) >= 0 for part in parts_of_it)
        shown = 100 * expected if is_defined else None
        assert parts[name]["prm_score"] == pytest.approx(shown), name
        first = 100 * pool["first"] / pool["asked"] if pool["asked"] else None
        assert parts[name]["first_error_accuracy"] == pytest.approx(first)
        assert parts[name]["n_steps"] == pool["tp"] + pool["fp"] + pool["tn"] + pool["fn"]


@given(benchmarks())
def test_read_strictly_no_rater_gains_by_saying_less(case: tuple[list[Item], dict[str, Prediction]]) -> None:
    items, said = case
    full = {item.id: Prediction("+" * item.n_steps) for item in items}
    less = {
        name: full[name] if name in said and said[name].is_parsed else Prediction("", None, False)
        for name in full
    }
    whole, part = (evaluate(items, one, "strict")["overall"] for one in (full, less))
    assert part["accuracy"] <= whole["accuracy"] + 1e-9
    assert part["n_steps"] == whole["n_steps"]  # nothing is left out of the count
