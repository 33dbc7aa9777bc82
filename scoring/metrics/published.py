"""Reference rows from the papers' tables (scoring/published/*.toml), to stand beside what is measured here."""

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

FOLDER: Final = Path(__file__).resolve().parent.parent / "published"
BENCHMARKS: Final = ("prmbench", "processbench", "best_of_n")
DATASETS: Final = ("gsm8k", "math", "minerva", "gaokao", "olympiadbench", "college_math", "mmlu_stem")
FIRST, LATER = "first", "later"  # PRMBench's table was published twice


class Published(NamedTuple):
    """source: title, paper, items.  rows: model, kind (prm, orm, critic, people, bound) and percentages by name.
    shots: model and its overall score with 0, 1, 2 examples in the prompt; of PRMBench only."""

    source: dict[str, Any]
    rows: tuple[dict[str, Any], ...]
    shots: tuple[dict[str, Any], ...] = ()


@cache
def published(benchmark: str) -> Published:
    """The rows of a benchmark of BENCHMARKS, in the order of their table."""
    data = tomllib.loads((FOLDER / f"{benchmark}.toml").read_text("utf-8"))
    return Published(data["source"], tuple(data["rows"]), tuple(data.get("shots", ())))


def of_table(rows: Sequence[dict[str, Any]], table: str) -> list[dict[str, Any]]:
    """PRMBench's rows as one of its two tables has them."""
    return [row for row in rows if table in row["tables"]]


def average(rows: Sequence[dict[str, Any]], kind: str, column: str) -> float | None:
    """The unweighted mean of a column over the models of a kind, as the papers' group averages are; None where
    none of them has it."""
    values = [row[column] for row in rows if row["kind"] == kind and column in row]
    return sum(values) / len(values) if values else None
