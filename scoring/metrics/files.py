"""Benchmarks and results from files, as what the metrics take. Streams; nothing is stored.

Items whose id came before are dropped, as PRMBench's evaluator drops them; so are results. Records that cannot
be used are returned with their places, never skipped in silence.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from annotator.core.answers import final_answer
from annotator.core.labels import RIGHT, UNJUDGED, WRONG, first_error
from annotator.formats import best_of_n as sets_format
from annotator.formats import item_ids, options, prmbench, processbench, results
from annotator.formats.reading import Source
from annotator.formats.records import AnnotationRecord, FormatError, ImportRecord
from scoring.metrics.best_of_n import Question, Response
from scoring.metrics.prmbench import CORRECT, Item, Prediction
from scoring.metrics.processbench import Case

T = TypeVar("T")
ENDINGS: Final = (".jsonl", ".json", ".jsonl.gz", ".json.gz")


@dataclass
class Data(Generic[T]):
    """What was read. n_repeated: ids met before, dropped. bad: what cannot be used, with its place."""

    found: list[T] = field(default_factory=list)
    n_repeated: int = 0
    bad: list[FormatError] = field(default_factory=list)


def files_in(paths: Iterable[str]) -> list[Path]:
    """The files named, and those with a known ending in the folders named, in order. Raises FileNotFoundError."""
    found = []
    for path in map(Path, paths):
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.name.lower().endswith(ENDINGS))
        elif path.is_file():
            found.append(path)
        else:
            raise FileNotFoundError(path)
    return found


def prmbench_items(paths: Iterable[Path]) -> Data[Item]:
    """All items of PRMBench's files: the modified solutions, and of redundancy's records the originals too."""
    data: Data[Item] = Data()
    seen: set[str] = set()
    for record in _read(prmbench.read_asked, paths, data.bad):
        if isinstance(record, prmbench.Asked):
            for item in _items(record):
                _add(data, seen, item.id, item)
    return data


def _items(record: prmbench.Asked) -> Iterator[Item]:
    wrong, base = tuple(step - 1 for step in record.wrong), record.base
    yield Item(record.foreign_id, record.kind, record.n_steps, wrong, base, base)
    if record.kind == "redundancy":
        yield Item(f"{CORRECT}_{base}", CORRECT, record.n_original, (), base, base)


def prmbench_predictions(
    paths: Iterable[Path], known: Iterable[str], threshold: float = 0.5, redundant_above: float = 0.5
) -> Data[tuple[str, Prediction]]:
    """Result rows by item id, the toolkit's wrapping taken off. known: ids of the items, so that those of the
    copy on Hugging Face are known again. threshold, redundant_above: for rows that have scores and no labels."""
    data: Data[tuple[str, Prediction]] = Data()
    names, seen = set(known), set()  # type: tuple[set[str], set[str]]
    for row in _read(results.read_prmbench, paths, data.bad):
        if isinstance(row, AnnotationRecord):
            spelled = (row.foreign_id, *item_ids.other_names(row.foreign_id))
            name = next((other for other in spelled if other in names), row.foreign_id)
            _add(data, seen, name, (name, _prediction(row, threshold, redundant_above)))
    return data


def _prediction(row: AnnotationRecord, threshold: float, redundant_above: float) -> Prediction:
    validity, redundancy = row.labels, row.redundancy_labels
    if validity is None and row.scores is not None:
        validity = options.harden(row.scores, threshold)
    if redundancy is None and row.redundancy_scores is not None:
        redundancy = "".join(WRONG if score > redundant_above else RIGHT for score in row.redundancy_scores)
    return Prediction(validity or "", redundancy, row.is_parsed and validity is not None)


def processbench_cases(
    data_paths: Iterable[Path], result_paths: Iterable[Path]
) -> tuple[Data[Case], Data[AnnotationRecord]]:
    """Labelled solutions with the predictions of a result file (None where it has none), and its rows."""
    rows: Data[AnnotationRecord] = Data()
    seen: set[str] = set()
    for row in _read(results.read_processbench, result_paths, rows.bad):
        if isinstance(row, AnnotationRecord):
            _add(rows, seen, row.foreign_id, row)
    said = {row.foreign_id: results.first_error(row) if row.is_parsed else None for row in rows.found}
    cases: Data[Case] = Data()
    met: set[str] = set()
    for record in _read(processbench.read, data_paths, cases.bad):
        if isinstance(record, ImportRecord):
            _add(cases, met, record.foreign_id, _case(record, said.get(record.foreign_id)))
    return cases, rows


def _case(record: ImportRecord, prediction: int | None) -> Case:
    labels = record.labels[0].labels if record.labels else UNJUDGED * len(record.solution.steps)
    subset = record.foreign_id.rpartition("-")[0] or "all"
    is_right = record.solution.meta.get("final_answer_correct")
    return Case(
        record.foreign_id,
        subset,
        first_error(labels),
        prediction,
        record.problem.group,
        is_right,
        len(labels),
    )


def questions(
    data_paths: Iterable[Path], result_paths: Iterable[Path]
) -> tuple[Data[Question], Data[AnnotationRecord]]:
    """Best-of-N sets with the step scores of a result file (its rows' idx is a response's id), and its rows. A
    set without labels says nothing about what is right, and is bad."""
    rows: Data[AnnotationRecord] = Data()
    met: set[str] = set()
    for row in _read(results.read_prmbench, result_paths, rows.bad):
        if isinstance(row, AnnotationRecord):
            _add(rows, met, row.foreign_id, row)
    scores = {row.foreign_id: row.scores for row in rows.found if row.scores}
    data: Data[Question] = Data()
    seen: set[str] = set()
    for one in _read(sets_format.read_sets, data_paths, data.bad):
        if None in one.is_right:
            data.bad.append(FormatError(one.place, "does not say which responses are right (labels)"))
            continue
        _add(data, seen, one.foreign_id, _question(one, scores))
    return data, rows


def _question(one: sets_format.BestOfN, scores: dict[str, tuple[float, ...]]) -> Question:
    responses = [
        Response(_final(response), bool(is_right), scores.get(one.response_id(at)))
        for at, (response, is_right) in enumerate(zip(one.responses, one.is_right, strict=True))
    ]
    return Question(one.foreign_id, one.foreign_id.rpartition("-")[0] or "all", responses)


def _final(response: str) -> str:
    return (final_answer(sets_format.steps_of(response)) or "").strip()


def _read(
    read: Callable[[Source, str], Iterator[T | FormatError]], paths: Iterable[Path], bad: list[FormatError]
) -> Iterator[T]:
    for path in paths:
        with path.open("rb") as source:
            for one in read(source, path.name):
                if isinstance(one, FormatError):
                    bad.append(one)
                else:
                    yield one


def _add(data: Data[Any], seen: set[str], name: str, value: Any) -> None:
    if name in seen:
        data.n_repeated += 1
        return
    seen.add(name)
    data.found.append(value)
