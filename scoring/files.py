"""A benchmark's file in, result rows out, as the benchmarks' own tools write and read them; no database.

PRMBench: every modified solution, and of redundancy's records the originals as `correct_…`; an id met before is
dropped, as its evaluator drops it. ProcessBench: every record, with the first step that is not right as prediction;
null where the model did not read as far as one. Rows come out in the order in which they are
computed, the longest first.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from annotator.actions.machine_rows import Judged
from annotator.core import labels as core
from annotator.formats import prmbench, processbench, results
from annotator.formats.records import AnnotationRecord, ExportRecord, FormatError, ImportRecord, Place
from scoring.prm.engine import Scored
from scoring.scorers import Scorer

PRMBENCH, PROCESSBENCH = "prmbench", "processbench"
READERS = {PRMBENCH: prmbench.read, PROCESSBENCH: processbench.read}
JUDGE = Callable[[Scored, int], Judged]
_NOWHERE = Place("", 0)


class Item(NamedTuple):
    """What is scored. truth: ProcessBench's record, to be written again with the prediction; None elsewhere."""

    id: str
    problem: str
    steps: tuple[str, ...]
    truth: ExportRecord | None = None


def guess(path: Path) -> str:
    """ProcessBench's files are one JSON list, PRMBench's a record a line."""
    with path.open("rb") as file:
        return PROCESSBENCH if file.read(200).lstrip().startswith(b"[") else PRMBENCH


def items(paths: Iterable[Path], kind: str) -> Iterator[Item]:
    """Raises FormatError at the first record that cannot be used: numbers over the rest would mislead."""
    seen: set[str] = set()
    for path in paths:
        for record in READERS[kind](path, path.name):
            if isinstance(record, FormatError):
                raise record
            if isinstance(record, ImportRecord):
                for item in _of_prmbench(record) if kind == PRMBENCH else [_of_processbench(record)]:
                    if item.id not in seen:
                        seen.add(item.id)
                        yield item


def _of_prmbench(record: ImportRecord) -> Iterator[Item]:
    shown = record.changed_problem or record.problem
    yield Item(record.foreign_id, shown.text, record.solution.steps)
    if record.original and record.original.foreign_id.startswith("correct_"):
        yield Item(record.original.foreign_id, record.problem.text, record.original.steps)


def _of_processbench(record: ImportRecord) -> Item:
    truth = ExportRecord(
        record.problem,
        None,
        None,
        record.solution,
        None,
        record.labels[0].labels,
        extra=record.extra,
        is_source=True,
    )
    return Item(record.foreign_id, record.problem.text, record.solution.steps, truth)


def score(scorer: Scorer, found: Iterable[Item], kind: str, judge: JUDGE) -> Iterator[list[str]]:
    """The lines of each batch. judge: a Scored and the number of steps -> labels and scores."""
    waiting: dict[str, Item] = {}

    def texts() -> Iterator[tuple[str, str, tuple[str, ...]]]:
        for item in found:
            waiting[item.id] = item
            yield item.id, item.problem, item.steps

    for batch in scorer.score(texts()):
        done = [(waiting.pop(one.key), one) for one in batch]
        yield [line for item, one in done for line in _lines(item, judge(one, len(item.steps)), kind)]


def _lines(item: Item, said: Judged, kind: str) -> Iterator[str]:
    if kind == PROCESSBENCH and item.truth:
        return results.write_processbench(
            [(item.truth, AnnotationRecord(_NOWHERE, item.id, labels=said.labels))]
        )
    return results.write_prmbench([_row(item, said)])


def _row(item: Item, said: Judged) -> AnnotationRecord:
    """PRMBench's lists end with the scores: its tools go by their length."""
    if not said.is_parsed:
        return AnnotationRecord(_NOWHERE, item.id, is_parsed=False)
    n = len(said.scores or ())
    redundant = said.redundancy_scores
    return AnnotationRecord(
        _NOWHERE, item.id, labels=said.labels[:n], scores=tuple(said.scores or ()),
        redundancy_labels=said.redundancy_labels[:n] or None,
        redundancy_scores=tuple(redundant) if redundant is not None else None,
        first_error=core.first_error(said.labels),
    )  # fmt: skip
