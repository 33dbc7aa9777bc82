"""TRL's stepwise supervision (trl-lib/math_shepherd, trl-lib/prm800k): JSON lines, a solution a record.

    prompt       text (no chat form)
    completions  list of texts
    labels       list as long: bool, or a number from 0 to 1 (soft)

Soft labels are kept as scores and are right above 0.5. What we write is always bool: the trainer casts, and
int(0.9) is 0. The format has no "not judged", so a solution is cut before its first step without a label.
Records have no id, so theirs is a digest of problem and steps.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from annotator.formats import choices, fields, options, verbatim
from annotator.formats.decoding import RawRecord, fault, shown
from annotator.formats.reading import Source, convert, read_records
from annotator.formats.records import (
    CannotWrite,
    ExportRecord,
    FormatError,
    ImportRecord,
    LabelRecord,
    ProblemRecord,
    SolutionRecord,
    UnknownLabels,
)

NAME: Final = "trl"
SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.BINARY
SAYS: Final = choices.Says(gaps=True)

_FORM: Final = verbatim.Form(NAME, verbatim.LINES)
_USUAL: Final = ("prompt", "completions", "labels")
_JUDGED: Final = frozenset({"completions", "labels"})


def read(source: Source, name: str) -> Iterator[ImportRecord | FormatError]:
    """Yield a file's records, and a FormatError for each that cannot be used. Raises UnreadableFile.

    source: a path or a binary file.  name: what places call it; a name ending in .gz means gzip.
    """
    return convert(read_records(source, name), _import)


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the file's lines, ends included. Raises UnknownLabels: see `refusal`."""
    for row in rows:
        yield write_record(row) + "\n"


def write_record(row: ExportRecord) -> str:
    """Return the record as one line of JSON without its end. Raises UnknownLabels.

    The source's own annotation goes out as it came in, soft values included; all else through its last
    step before one without a label.
    """
    refused = refusal(row)
    if refused:
        raise refused
    problem = row.changed_problem or row.problem
    members = _members(problem, row.solution, list(options.binary(row.labels)))
    return verbatim.restore(_FORM, row.extra, members, _USUAL, frozenset() if row.is_source else _JUDGED)


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return why the row cannot be written in this format, or None."""
    if options.binary(row.labels):
        return None
    message = "TRL knows only right and wrong, and the first step is unsure or not judged"
    return UnknownLabels(row.solution.foreign_id, message)


def _import(raw: RawRecord) -> ImportRecord:
    text, steps = fields.filled(raw, "prompt"), fields.steps(raw, "completions")
    label = _label(raw, len(steps))
    problem = ProblemRecord(text, None, "", fields.group_of(text), {"source": NAME})
    solution = SolutionRecord(steps, fields.id_of(NAME, text, steps), {"length": len(steps)})
    rebuilt = verbatim.exact(raw, _members(problem, solution, list(options.binary(label.labels))))
    extra = verbatim.keep(_FORM, raw, rebuilt, _USUAL)
    return ImportRecord(
        raw.place, solution.foreign_id, problem, None, None, solution, None, (label,), extra
    )  # fmt: skip


def _label(raw: RawRecord, n_steps: int) -> LabelRecord:
    value = raw.fields.get("labels")
    if type(value) is not list:
        raise fault(raw.place, "labels", f"must be a list of labels, not {shown(value)}")
    if len(value) != n_steps:
        raise fault(raw.place, "labels", f"must be as many as the {n_steps} completions, not {len(value)}")
    scores = tuple(_value(raw, position, one) for position, one in enumerate(value))
    is_soft = any(type(one) is float for one in value)
    return LabelRecord("source", NAME, options.harden(scores), scores if is_soft else None)


def _value(raw: RawRecord, position: int, value: Any) -> float:
    if type(value) not in (bool, int, float) or not 0 <= value <= 1:
        raise fault(
            raw.place,
            f"labels[{position}]",
            f"must be true, false or a number from 0 to 1, not {shown(value)}",
        )
    return float(value)


def _members(problem: ProblemRecord, solution: SolutionRecord, labels: list[bool]) -> dict[str, Any]:
    """Return the record's fields: the steps that have a label, and these."""
    return {"prompt": problem.text, "completions": list(solution.steps[: len(labels)]), "labels": labels}
