"""Benchmarks and results from files, as what the metrics take. Streams; nothing is stored.

Items whose id came before are dropped, as PRMBench's evaluator drops them; so are results. Records that cannot
be used are returned with their places, never skipped in silence.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

from annotator.core.answers import final_answer
from annotator.core.labels import RIGHT, UNJUDGED, WRONG, first_error
from annotator.formats import best_of_n as sets_format
from annotator.formats import item_ids, options, prmbench, processbench, results
from annotator.formats.best_of_n import BestOfN
from annotator.formats.decoding import RawRecord
from annotator.formats.reading import Source, read_records
from annotator.formats.records import AnnotationRecord, FormatError, ImportRecord
from scoring.metrics.best_of_n import Question, Response
from scoring.metrics.prmbench import CORRECT, Item, Prediction
from scoring.metrics.processbench import Case, first_below

T = TypeVar("T")
USUAL: Final = 0.5  # the threshold of most models
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


class Row(NamedTuple):
    """A result row: the id of what it is about, what it says of the steps, and its scores, None without."""

    id: str
    prediction: Prediction
    scores: tuple[float, ...] | None


@dataclass(frozen=True)
class Cut:
    """Where scores are cut into labels: above is valid (or redundant). None: at USUAL, and rows that have labels
    keep these."""

    threshold: float | None = None
    redundant_above: float | None = None


def prmbench_rows(paths: Iterable[Path], known: Iterable[str], cut: Cut) -> Data[Row]:
    """Result rows, the toolkit's wrapping taken off. known: ids of the items, so that those of the copy on Hugging
    Face are known again."""
    data: Data[Row] = Data()
    names, seen = set(known), set()  # type: tuple[set[str], set[str]]
    for row in _read(results.read_prmbench, paths, data.bad):
        if isinstance(row, AnnotationRecord):
            name = row.foreign_id
            if name not in names:
                name = next((other for other in item_ids.other_names(name) if other in names), name)
            _add(data, seen, name, Row(name, _prediction(row, cut), row.scores))
    return data


def _prediction(row: AnnotationRecord, cut: Cut) -> Prediction:
    validity, redundancy = row.labels, row.redundancy_labels
    if row.scores is not None and (validity is None or cut.threshold is not None):
        validity = options.harden(row.scores, _at(cut.threshold))
    if row.redundancy_scores is not None and (redundancy is None or cut.redundant_above is not None):
        least = _at(cut.redundant_above)
        redundancy = "".join(WRONG if score > least else RIGHT for score in row.redundancy_scores)
    return Prediction(validity or "", redundancy, row.is_parsed and validity is not None)


def _at(threshold: float | None) -> float:
    return USUAL if threshold is None else threshold


class First(NamedTuple):
    """A result row about a solution of ProcessBench: the first wrong step it names (NO_ERROR, or None where it says
    none for sure), its step scores, None without, and of how many steps it says something."""

    id: str
    first: int | None
    scores: tuple[float, ...] | None
    n_said: int


def first_errors(paths: Iterable[Path], cut: Cut) -> Data[First]:
    """Result files of ProcessBench's script, or of PRMBench's toolkit run on its solutions; each by its look."""
    data: Data[First] = Data()
    seen: set[str] = set()
    for path in paths:
        read = results.read_prmbench if is_of_toolkit(path) else results.read_processbench
        for row in _read(read, [path], data.bad):
            if isinstance(row, AnnotationRecord):
                n_said = len(row.scores if row.scores is not None else row.labels or "")
                _add(data, seen, row.foreign_id, First(row.foreign_id, _first(row, cut), row.scores, n_said))
    return data


def is_of_toolkit(path: Path) -> bool:
    """Whether a result file is PRMBench's toolkit's and not ProcessBench's, by its first record: that one's has an
    `id`, the toolkit's an `idx`, or `results` around it."""
    with path.open("rb") as source:
        first = next(iter(read_records(source, path.name)), None)
    return isinstance(first, RawRecord) and bool({"idx", "results"} & first.fields.keys())


def _first(row: AnnotationRecord, cut: Cut) -> int | None:
    if not row.is_parsed:
        return None
    if row.scores is not None and (row.labels is None or cut.threshold is not None):
        return first_below(row.scores, _at(cut.threshold))
    return results.first_error(row)


def processbench_cases(paths: Iterable[Path]) -> Data[Case]:
    """Labelled solutions, without predictions."""
    cases: Data[Case] = Data()
    met: set[str] = set()
    for record in _read(processbench.read, paths, cases.bad):
        if isinstance(record, ImportRecord):
            _add(cases, met, record.foreign_id, _case(record))
    return cases


def _case(record: ImportRecord) -> Case:
    labels = record.labels[0].labels if record.labels else UNJUDGED * len(record.solution.steps)
    subset = record.foreign_id.rpartition("-")[0] or "all"
    is_right = record.solution.meta.get("final_answer_correct")
    return Case(
        record.foreign_id, subset, first_error(labels), None, record.problem.group, is_right, len(labels)
    )


def questions(paths: Iterable[Path]) -> Data[BestOfN]:
    """Best-of-N sets. One without labels says nothing about what is right, and is bad."""
    data: Data[BestOfN] = Data()
    seen: set[str] = set()
    for one in _read(sets_format.read_sets, paths, data.bad):
        if isinstance(one, BestOfN) and None in one.is_right:
            data.bad.append(FormatError(one.place, "does not say which responses are right (labels)"))
        elif isinstance(one, BestOfN):
            _add(data, seen, one.foreign_id, one)
    return data


def question(one: BestOfN, scores: Mapping[str, Sequence[float] | None]) -> Question:
    """A set with step scores by response id."""
    responses = [
        Response(_final(response), bool(is_right), scores.get(one.response_id(at)))
        for at, (response, is_right) in enumerate(zip(one.responses, one.is_right, strict=True))
    ]
    dataset = one.foreign_id.rpartition("-")[0] or "all"
    return Question(one.foreign_id, dataset, responses, _greedy_is_right(one))


def _greedy_is_right(one: BestOfN) -> bool | None:
    """Whether the response is that the set's own `greedy`, a place from 0, names as decoded greedily; None where it
    names none."""
    place = (json.loads(one.extra).get("values", {}) if one.extra else {}).get("greedy")
    places = [one.place_of(at) for at in range(len(one.responses))]
    return one.is_right[places.index(place)] if type(place) is int and place in places else None


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
