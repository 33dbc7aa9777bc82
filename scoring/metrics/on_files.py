"""The benchmarks on files alone: benchmark and result files in, a report out. Neither project nor database.

Positions are 0-based, numbers in percent, undefined is None. A file with a record that cannot be used is refused
whole, since a number over the rest would mislead.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar

from annotator.core.labels import NO_ERROR, labels_from_first_error
from annotator.formats.records import FormatError
from scoring.metrics import (
    baselines,
    best_of_n,
    comparison,
    files,
    prmbench_report,
    processbench,
    profile,
    readings,
    sweeps,
)
from scoring.metrics.confusion import Reading
from scoring.metrics.files import Cut, Data, First, Row, files_in
from scoring.metrics.prmbench import CORRECT, Item, labels_of
from scoring.metrics.processbench import Case
from scoring.metrics.profile import Process, Scored

SHOWN: Final = 10
Report = dict[str, Any]
T = TypeVar("T")


class Unusable(ValueError):
    """Files that no number can be made from; says which records and why."""


@dataclass(frozen=True)
class Wanted:
    """data, predictions, against: files or folders.  shots: name -> result file, of one model with more and more
    examples in its prompt; instead of predictions.  against: another rater's results, to compare.  sweep: choose a
    threshold too."""

    data: Sequence[str]
    predictions: Sequence[str] = ()
    against: Sequence[str] = ()
    shots: Mapping[str, str] = field(default_factory=dict)
    reading: Reading = "reference"
    cut: Cut = field(default_factory=Cut)
    draws: int = 0
    sweep: bool = False


def report(benchmark: str, wanted: Wanted) -> Report:
    """The report of one benchmark. Raises Unusable, FileNotFoundError and UnreadableFile."""
    return _REPORTS[benchmark](wanted)


def usable(data: Data[T]) -> list[T]:
    """What was read. Raises Unusable where some record is bad, or none is there."""
    if data.bad:
        raise Unusable(listed(data.bad))
    if not data.found:
        raise Unusable("There is no record in these files.")
    return data.found


def listed(bad: Sequence[FormatError]) -> str:
    """The first few errors, one a line, and how many there are more."""
    more = f"\n… and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    return "\n".join(str(error) for error in bad[:SHOWN]) + more


def _prmbench(wanted: Wanted) -> Report:
    read = files.prmbench_items(files_in(wanted.data))
    items = usable(read)
    told = partial(_rows, items, wanted.cut)
    if wanted.shots:
        return _shots(items, {name: told([path])[0] for name, path in wanted.shots.items()}, wanted)
    rows, n_repeated = told(wanted.predictions)
    said = {row.id: row.prediction for row in rows}
    found = prmbench_report.evaluate(items, said, wanted.reading, wanted.draws)
    found |= {"n_repeated_items": read.n_repeated, "n_repeated_results": n_repeated}
    found |= {"readings": readings.prmbench(items, said, found)}
    found |= {"baselines": baselines.prmbench(items, wanted.reading), "profile": _profile(items, rows)}
    if wanted.against:
        other = {row.id: row.prediction for row in told(wanted.against)[0]}
        both = [item for item in items if item.id in said and item.id in other]
        found["against"] = {"n_items": len(both)} | (
            comparison.prmbench(both, said, other, wanted.reading, wanted.draws)
            if both
            else {comparison.OVERALL: comparison.NOTHING, "parts": {}}
        )
    if wanted.sweep:
        scores = {row.id: row.scores for row in rows if row.scores and row.prediction.is_parsed}
        found["sweep"] = _swept(sweeps.prmbench, items, scores, said, wanted.reading, wanted.draws)
    return found


def _rows(items: Sequence[Item], cut: Cut, paths: Iterable[str]) -> tuple[list[Row], int]:
    data = files.prmbench_rows(files_in(paths), (item.id for item in items), cut)
    return usable(data), data.n_repeated


def _swept(choose: Callable[..., Report], *args: Any) -> Report:
    try:
        return choose(*args)
    except ValueError as error:
        raise Unusable(f"No threshold can be chosen: {error}.") from error


def _profile(items: Iterable[Item], rows: Iterable[Row]) -> Report | None:
    truth = {item.id: item for item in items if item.kind != CORRECT}
    return profile.profile(
        Scored(row.scores, labels_of(truth[row.id])) for row in rows if row.scores and row.id in truth
    )


def _shots(items: Sequence[Item], rows: Mapping[str, Sequence[Row]], wanted: Wanted) -> Report:
    """Each file's PRMScores, and how far each is from the first one's on what both say."""
    said = {name: {row.id: row.prediction for row in some} for name, some in rows.items()}
    shots, apart = {}, {}
    first = next(iter(said))
    for name, told in said.items():
        found = prmbench_report.evaluate(items, told, wanted.reading, wanted.draws)
        kinds = {code: values["prm_score"] for code, values in found["kinds"].items()}
        counted = ("n_absent", "n_unparsed", "validity_rate", "intervals")
        shots[name] = (
            found["overall"] | {"kinds": kinds} | {key: found[key] for key in counted if key in found}
        )
        both = [item for item in items if item.id in told and item.id in said[first]]
        if name != first and both:
            apart[name] = comparison.prmbench(both, told, said[first], wanted.reading, wanted.draws)
    return {"reading": wanted.reading, "shots": shots, "differences": apart, "first": first}


def _processbench(wanted: Wanted) -> Report:
    read = files.processbench_cases(files_in(wanted.data))
    cases, data = usable(read), files.first_errors(files_in(wanted.predictions), wanted.cut)
    rows = usable(data)
    predicted = _predicted(cases, rows)
    known, said = {case.id for case in cases}, {row.id for row in rows}
    found = processbench.evaluate(predicted, wanted.draws) | {
        "n_absent": len(known - said),
        "n_unknown": len(said - known),
        "n_repeated_results": data.n_repeated,
        "wrong_process": processbench.wrong_process(predicted),
        "baselines": baselines.processbench(cases),
        "profile": _processbench_profile(predicted, rows),
    }
    if wanted.against:
        other = usable(files.first_errors(files_in(wanted.against), wanted.cut))
        shared = said & {row.id for row in other}
        sides = [[case for case in _predicted(cases, some) if case.id in shared] for some in (rows, other)]
        found["against"] = {"n_items": len(sides[0])} | (
            comparison.of_processbench(sides[0], sides[1], wanted.draws)
            if sides[0]
            else {comparison.OVERALL: comparison.NOTHING, "parts": {}}
        )
    if wanted.sweep:
        found["sweep"] = _processbench_sweep(cases, rows)
    return found


def _processbench_sweep(cases: Sequence[Case], rows: Iterable[First]) -> Report:
    scores = {row.id: row.scores for row in rows if row.scores}
    return _swept(processbench.sweep, cases, scores, processbench.tuned_on(cases))


def _predicted(cases: Iterable[Case], rows: Iterable[First]) -> list[Case]:
    """A list that ends before its solution does, without an error, says nothing for sure."""
    said = {row.id: (row.first, row.n_said) for row in rows}
    return [
        case._replace(prediction=processbench.first_of(*said.get(case.id, (None, 0)), case.n_steps))
        for case in cases
    ]


def _processbench_profile(cases: Sequence[Case], rows: Iterable[First]) -> Report | None:
    scores = {row.id: row.scores for row in rows if row.scores}
    found = profile.profile(
        Scored(scores[case.id], labels_from_first_error(case.label, case.n_steps))
        for case in cases
        if case.id in scores
    )
    called = (
        Process(
            case.is_answer_right, case.label != NO_ERROR,
            is_called_wrong=None if case.prediction is None else case.prediction != NO_ERROR,
        )
        for case in cases
        if case.is_answer_right is not None
    )  # fmt: skip
    return found and found | {"inflation": profile.inflation(called)}


def _best_of_n(wanted: Wanted) -> Report:
    data = files.questions(files_in(wanted.data))
    sets = usable(data)
    rows = files.prmbench_rows(files_in(wanted.predictions), (), wanted.cut)
    scores = {row.id: row.scores for row in usable(rows)}
    asked = [files.question(one, scores) for one in sets]
    found = best_of_n.evaluate(asked, wanted.draws) | {
        "n_repeated_sets": data.n_repeated,
        "n_repeated_results": rows.n_repeated,
        "baselines": baselines.best_of_n(asked),
        "profile": profile.profile(Scored(one) for one in scores.values() if one),
    }
    if wanted.against:
        told = usable(files.prmbench_rows(files_in(wanted.against), (), wanted.cut))
        other = {row.id: row.scores for row in told}
        questions = [files.question(one, other) for one in sets]
        found["against"] = comparison.of_best_of_n(asked, questions, wanted.draws)
    return found


_REPORTS: Final[Mapping[str, Callable[[Wanted], Report]]] = {
    "prmbench": _prmbench, "processbench": _processbench, "best_of_n": _best_of_n,
}  # fmt: skip
BENCHMARKS: Final = tuple(_REPORTS)
