"""What PRMs and critics answered, in the shape of PRMBench's toolkit and of ProcessBench's script.

PRMBench, JSON lines, a solution a row; its toolkit keeps each row inside {task_name, model_name, results}:

    idx       the item's id: kind and base id, or "correct_" and base id
    scores    step_level_validity_labels      list of bool; anything but 1 counts as invalid, as there
              step_level_validity_scores      list of numbers
              step_level_redundancy_labels    list of bool: true is redundant, which we write '-'
              step_level_redundancy_scores    list of numbers
    validity  false where the reply could not be read; then there are no scores

ProcessBench: its record (annotator.formats.processbench) and

    generated_critique   text, or a list of texts where replies voted
    prediction           0-based first wrong step, -1 for none, null where no reply could be read
    match                whether it is the record's label

Lists may be shorter than the solution (its text was cut) or longer: only the reader of these records knows.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from annotator.core import labels as core
from annotator.formats import fields, processbench, verbatim
from annotator.formats.decoding import RawRecord, fault, shown
from annotator.formats.reading import Source, convert, read_records
from annotator.formats.records import AnnotationRecord, ExportRecord, FormatError

PRMBENCH: Final = "prmbench_results"
PROCESSBENCH: Final = "processbench_results"
TASK: Final = "prmtest_classified"
CORRECT: Final = "correct"  # what stands for the kind in the id of an item that is the original solution

_PRMBENCH: Final = verbatim.Form(PRMBENCH, verbatim.LINES)
_PROCESSBENCH: Final = verbatim.Form(PROCESSBENCH, verbatim.LINES)
_LISTS: Final = (
    "step_level_validity_labels", "step_level_validity_scores", "step_level_redundancy_labels",
    "step_level_redundancy_scores",
)  # fmt: skip
_encode = json.JSONEncoder(ensure_ascii=False).encode


def read_prmbench(source: Source, name: str) -> Iterator[AnnotationRecord | FormatError]:
    """Yield a file's rows, bare or in the toolkit's wrapping, whose model becomes the annotator.

    Ids are as in the file, repeated ones included (the toolkit takes the first). Raises UnreadableFile.
    """
    return convert(read_records(source, name), _prmbench)


def write_prmbench(
    rows: Iterable[AnnotationRecord], model_name: str | None = None, task_name: str = TASK
) -> Iterator[str]:
    """Yield the file's lines, ends included: bare, or with a model's name in the toolkit's wrapping.

    The toolkit can then resume from the file, if it is started with the same model name.
    """
    for row in rows:
        line = _prmbench_row(row)
        if model_name is not None:
            line = {"task_name": task_name, "model_name": model_name, "results": line}
        yield _encode(line) + "\n"


def read_processbench(source: Source, name: str) -> Iterator[AnnotationRecord | FormatError]:
    """Yield a file's rows: labels up to the predicted first error. Raises UnreadableFile.

    A prediction that is no step of the solution counts as not parsed, and stays in `extra`.
    """
    return convert(read_records(source, name), _processbench)


def write_processbench(rows: Iterable[tuple[ExportRecord, AnnotationRecord]]) -> Iterator[str]:
    """Yield the file's lines, ends included, from pairs of the truth and what was predicted for it.

    Raises UnknownLabels where the truth has no known first error. The script keeps rows with and without an
    error in two files; which is which the truth's labels say.
    """
    for truth, predicted in rows:
        record = json.loads(processbench.write_record(truth))
        kept = _own_values(_PROCESSBENCH, predicted.extra)
        prediction = first_error(predicted)
        if prediction is None:
            prediction = kept.pop("prediction", None)
        critique = {"generated_critique": None} | kept
        truly = {key: record[key] for key in processbench.FIELDS}
        line = record | critique | truly | {"prediction": prediction, "match": prediction == record["label"]}
        yield _encode(line) + "\n"


def first_error(row: AnnotationRecord) -> int | None:
    """Return the first error that a row says, NO_ERROR, or None where it says none for sure."""
    found = core.first_error(row.labels) if row.labels is not None else row.first_error
    return None if found == core.UNKNOWN else found


def _prmbench(raw: RawRecord) -> AnnotationRecord:
    is_wrapped = "results" in raw.fields
    row = fields.inner(raw, "results") if is_wrapped else raw
    model = (fields.optional(raw, "model_name", str, "text") or "") if is_wrapped else ""
    foreign_id = fields.identifier(row, "idx")
    extra = _with_wrapping(raw, verbatim.others(_PRMBENCH, row, ("idx", "scores")))
    if fields.optional(row, "validity", bool, "true, false") is False:
        return AnnotationRecord(raw.place, foreign_id, annotator=model, is_parsed=False, extra=extra)
    scores = fields.inner(row, "scores")
    extra = _with_wrapping(raw, verbatim.others(_PRMBENCH, _merged(row, scores), ("idx", "scores", *_LISTS)))
    found = AnnotationRecord(
        raw.place, foreign_id, annotator=model, extra=extra,
        labels=_labels(scores, _LISTS[0], lambda value: value == 1),
        scores=_numbers(scores, _LISTS[1]),
        redundancy_labels=_labels(scores, _LISTS[2], lambda value: not value),
        redundancy_scores=_numbers(scores, _LISTS[3]),
    )  # fmt: skip
    _check_lengths(scores, found)
    return found


def wrapping(extra: str) -> dict[str, Any]:
    """Return what stood around a row whose `extra` this is: task_name, model_name; {} for nothing."""
    found: dict[str, Any] = json.loads(extra).get("wrapping", {}) if extra else {}
    return found


def _own_values(form: verbatim.Form, extra: str) -> dict[str, Any]:
    """Return the other members of a row that came in this very format. Those of another format mean other
    things by the same names: a `label` or a `steps` of its own is not the truth's."""
    kept = json.loads(extra) if extra else {}
    found: dict[str, Any] = kept.get("values", {}) if kept.get("of") == form.name else {}
    return found


def _with_wrapping(raw: RawRecord, extra: str) -> str:
    """Return `extra` with what stands around the row, if the toolkit has wrapped it."""
    if "results" not in raw.fields:
        return extra
    around = {key: value for key, value in raw.fields.items() if key != "results"}
    for key, value in around.items():
        verbatim.check_depth(raw, key, value)
    kept = json.loads(extra) if extra else {"of": PRMBENCH}
    return _encode({**kept, "wrapping": around})


def _merged(row: RawRecord, scores: RawRecord) -> RawRecord:
    """Return the row with the other members of its scores, such as `solution_level_validity_scores`."""
    return RawRecord(row.place, {**scores.fields, **row.fields}, "")


def _labels(scores: RawRecord, key: str, is_good: Callable[[Any], bool]) -> str | None:
    value = scores.fields.get(key)
    if value is None:
        return None
    if type(value) is not list:
        raise fault(scores.place, key, f"must be a list of labels, not {shown(value)}")
    if set(map(type, value)) == {bool}:  # the usual case; no look at each
        mark = {one: core.RIGHT if is_good(one) else core.WRONG for one in (True, False)}
        return "".join(map(mark.__getitem__, value))
    for position, one in enumerate(value):
        if type(one) not in (bool, int, float):
            message = f"must be true, false or a number, not {shown(one)}"
            raise fault(scores.place, f"{key}[{position}]", message)
    return "".join(core.RIGHT if is_good(one) else core.WRONG for one in value)


def _numbers(scores: RawRecord, key: str) -> tuple[float, ...] | None:
    return None if scores.fields.get(key) is None else fields.numbers(scores, key)


def _check_lengths(scores: RawRecord, row: AnnotationRecord) -> None:
    """Each axis by itself: the toolkit reads one of the two, and a critic may stop earlier in the other."""
    lists = (row.labels, row.scores, row.redundancy_labels, row.redundancy_scores)
    lengths = {key: len(one) for key, one in zip(_LISTS, lists, strict=True) if one is not None}
    if not any(key in lengths for key in _LISTS[:2]):
        raise fault(scores.place, _LISTS[0], "is missing, and so are its scores")
    for labels, numbers in (_LISTS[:2], _LISTS[2:]):
        if labels in lengths and lengths.get(numbers, lengths[labels]) != lengths[labels]:
            message = f"must be as many as {labels}, {lengths[labels]}, not {lengths[numbers]}"
            raise fault(scores.place, numbers, message)


def _prmbench_row(row: AnnotationRecord) -> dict[str, Any]:
    kept = _own_values(_PRMBENCH, row.extra)
    if not row.is_parsed:
        none = {"idx": row.foreign_id, "scores": {}}
        return none | kept | none | {"validity": False}
    lists = {
        _LISTS[0]: _bools(row.labels, core.RIGHT),
        _LISTS[1]: row.scores,
        _LISTS[2]: _bools(row.redundancy_labels, core.WRONG),
        _LISTS[3]: row.redundancy_scores,
    }
    of_scores = {key: kept.pop(key) for key in list(kept) if key.startswith(("step_level", "solution_level"))}
    ours = {key: value for key, value in lists.items() if value is not None}
    line = {"idx": row.foreign_id, "scores": ours | of_scores | ours}
    return line | kept | line  # kept members stand after ours and never in their place


def _bools(labels: str | None, true: str) -> list[bool] | None:
    return None if labels is None else [label == true for label in labels]


def _processbench(raw: RawRecord) -> AnnotationRecord:
    foreign_id, n_steps = fields.identifier(raw, "id"), len(fields.steps(raw, "steps"))
    if "prediction" not in raw.fields:
        raise fault(raw.place, "prediction", "is missing")
    prediction = fields.optional(raw, "prediction", int, "a whole number")
    is_step = prediction is not None and -1 <= prediction < n_steps
    known = (*processbench.FIELDS, "match", *(["prediction"] if is_step or prediction is None else []))
    extra = verbatim.others(_PROCESSBENCH, raw, known)
    if prediction is None or not is_step:
        return AnnotationRecord(raw.place, foreign_id, is_parsed=False, extra=extra)
    labels = core.labels_from_first_error(prediction, n_steps)
    return AnnotationRecord(raw.place, foreign_id, labels=labels, first_error=prediction, extra=extra)
