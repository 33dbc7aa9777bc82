"""The published rows agree with themselves: averages, groups and F1 recompute."""

import pytest

from scoring.metrics.prmbench import GROUPS, KINDS
from scoring.metrics.processbench import SUBSETS, f1_of
from scoring.metrics.published import DATASETS, FIRST, LATER, average, of_table, published

PRMBENCH = published("prmbench").rows
# The later table's row of averages: S1, S2, S3, then the kinds.
AVERAGES = (51.7, 60.0, 69.7, 50.5, 52.9, 61.5, 58.1, 56.3, 64.2, 54.4, 59.5, 95.3)
# The four accuracies that arXiv 2501.07301's table 7 misprints: with them F1 would not come out.
MISPRINTED = {
    ("Llama-3.3-70B-Inst", "math", "correct"): 83.2,
    ("RLHFlow-Deepseek-8B", "omnimath", "error"): 10.9,
    ("Skywork-PRM-7B", "math", "correct"): 62.2,
    ("Qwen2.5-Math-7B-PRM800K", "omnimath", "correct"): 86.1,
}


@pytest.mark.parametrize(("table", "n", "mean"), [(FIRST, 11, 50.1), (LATER, 14, 57.7)])
def test_the_open_models_average_as_printed(table: str, n: int, mean: float) -> None:
    rows = [row for row in of_table(PRMBENCH, table) if row["kind"] == "prm"]
    assert len(rows) == n
    assert average(rows, "prm", "overall") == pytest.approx(mean, abs=0.05)


@pytest.mark.parametrize(
    ("column", "mean"),
    list(zip(("S1", "S2", "S3", *KINDS), AVERAGES, strict=True)),
)
def test_the_later_tables_row_of_averages(column: str, mean: float) -> None:
    assert average(of_table(PRMBENCH, LATER), "prm", column) == pytest.approx(mean, abs=0.051)


@pytest.mark.parametrize("row", [row for row in PRMBENCH if "S1" in row], ids=lambda row: row["model"])
def test_groups_are_means_of_their_kinds(row: dict[str, float]) -> None:
    for group, kinds in GROUPS.items():
        assert sum(row[kind] for kind in kinds) / len(kinds) == pytest.approx(row[group], abs=0.11)


def test_people_stand_there() -> None:
    (people,) = [row for row in PRMBENCH if row["kind"] == "people"]
    assert (people["overall"], people["subset"]) == (83.8, 450)


def test_the_main_table_has_the_few_shot_table_s_last_column() -> None:
    rows = {row["model"]: row["overall"] for row in of_table(PRMBENCH, LATER)}
    shots = published("prmbench").shots
    assert [rows[one["model"]] for one in shots] == [one["overall"][-1] for one in shots]


@pytest.mark.parametrize("row", published("processbench").rows, ids=lambda row: row["model"])
def test_f1_recomputes_from_its_accuracies(row: dict[str, dict[str, float]]) -> None:
    for subset in SUBSETS:
        cell = row[subset]
        # The accuracies are rounded to 0.1, so F1 is known to within a little more.
        assert f1_of(cell["error"], cell["correct"]) == pytest.approx(cell["f1"], abs=0.11)
    mean = sum(row[subset]["f1"] for subset in SUBSETS) / len(SUBSETS)
    assert mean == pytest.approx(row["f1"], abs=0.06)


def test_the_misprints_would_not_recompute() -> None:
    rows = {row["model"]: row for row in published("processbench").rows}
    for (model, subset, which), misprint in MISPRINTED.items():
        cell = rows[model][subset]
        assert cell[which] != misprint
        wrong = f1_of(*(misprint if name == which else cell[name] for name in ("error", "correct")))
        # PRM800K's misprint is too small to show in F1.
        assert (wrong == pytest.approx(cell["f1"], abs=0.11)) == (model == "Qwen2.5-Math-7B-PRM800K")


@pytest.mark.parametrize("row", published("best_of_n").rows, ids=lambda row: row["model"])
def test_best_of_n_averages_are_the_means_of_their_columns(row: dict[str, float]) -> None:
    assert sum(row[name] for name in DATASETS) / len(DATASETS) == pytest.approx(row["overall"], abs=0.051)


def test_no_process_reward_model_is_above_any_of_8_and_few_above_the_majority() -> None:
    rows = {row["model"]: row for row in published("best_of_n").rows}
    models = [row["overall"] for row in rows.values() if row["kind"] == "prm"]
    assert max(models) < rows["any of 8 (pass@8)"]["overall"]
    assert sum(score > rows["majority of 8 (maj@8)"]["overall"] for score in models) == 2
