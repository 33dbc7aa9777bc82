"""Baselines against their published figures and by hand."""

import pytest

from annotator.core.labels import NO_ERROR
from scoring.metrics import baselines
from scoring.metrics.prmbench import Item
from scoring.metrics.processbench import Case
from tests.scoring.metrics.test_prmbench import pooled


def test_published_expectations() -> None:
    found = baselines.prmbench(pooled())
    # Precision .842, recall .5: F1 .6275; of the wrong steps .158 and .5: .2398.
    assert found["fair coin"]["overall"] == pytest.approx(43.4, abs=0.05)
    assert found["base rate"]["overall"] == pytest.approx(50.0, abs=1e-9)
    for code, score in found["base rate"]["kinds"].items():
        assert code == "multi_solutions" or score == pytest.approx(50.0, abs=1e-9)
    assert found["all valid"]["overall"] == pytest.approx(45.7195, abs=5e-5)


@pytest.mark.parametrize(("n", "wrong"), [(2, (1,)), (4, (2, 3)), (10, (7, 8, 9)), (11, (7, 8, 9, 10))])
def test_the_last_part_is_three_tenths_and_at_least_one(n: int, wrong: tuple[int, ...]) -> None:
    items = [Item("a", "deception", n, wrong, "a", "a")]
    assert baselines.prmbench(items)["last 30 %"]["overall"] == 100


def test_last_step_by_hand() -> None:
    # Two items of four steps, wrong at the end and at the start: tp 5, fp 1, tn 1, fn 1.
    items = [Item("a", "deception", 4, (3,), "a", "a"), Item("b", "deception", 4, (0,), "b", "b")]
    assert baselines.prmbench(items)["last step"]["overall"] == pytest.approx(100 * (5 / 6 + 1 / 2) / 2)


def test_the_step_index_on_first_errors() -> None:
    """Errors at half of each solution, and one solution too short to have that."""
    cases = [Case(str(n), "math", n, None, str(n), n_steps=2 * n) for n in range(1, 5)]
    cases.append(Case("x", "math", NO_ERROR, None, "x", n_steps=0))
    found = baselines.processbench(cases)["step index"]
    assert (found["overall"], found["threshold"]) == (100, pytest.approx(0.5))
    assert baselines.processbench([])["step index"]["overall"] is None


def test_the_step_index_is_as_good_as_any_cut() -> None:
    items = [Item(str(n), "circular", 10, (8, 9), str(n), str(n)) for n in range(3)]
    found = baselines.prmbench(items)["step index"]
    assert found["overall"] == 100
    assert 0.2 <= found["threshold"] < 0.3
