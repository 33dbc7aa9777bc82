"""ProcessBench (arXiv 2412.06559): one JSON list with indent 2, a solution and its first error a record.

    id                    text            problem  text
    generator             text, or null   steps    list of texts
    final_answer_correct  bool, or null   label    0-based first wrong step, -1 for none

The labels are a *source* rater's: steps before the first error are right, those after it not judged.
Records name their solution only, while several have the same problem; so a problem's group is a digest of
its text with blanks evened out: `problem-` and 16 hexadecimal digits.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from annotator.core import labels as core
from annotator.formats import choices, fields, options, verbatim
from annotator.formats.decoding import RawRecord, fault
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

NAME: Final = "processbench"
SUFFIX: Final = ".json"
DEFAULTS: Final = options.FIRST_ERROR
SAYS: Final = choices.Says(gaps=True)

_FORM: Final = verbatim.Form(NAME, verbatim.ELEMENTS)
FIELDS: Final = ("id", "generator", "problem", "steps", "final_answer_correct", "label")


def read(source: Source, name: str) -> Iterator[ImportRecord | FormatError]:
    """Yield a file's records, and a FormatError for each that cannot be used. Raises UnreadableFile.

    source: a path or a binary file.  name: what places call it; a name ending in .gz means gzip.
    """
    return convert(read_records(source, name), _import)


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the pieces of the file: one JSON list, laid out as the released ones. Raises CannotWrite."""
    before = "[\n  "
    for row in rows:
        yield before + write_record(row)
        before = ",\n  "
    yield "[]" if before.startswith("[") else "\n]"


def write_record(row: ExportRecord) -> str:
    """Return the record's JSON text, indented as an element of the list. Raises CannotWrite.

    The source's own annotation goes out as it came in; of others only the first error can be said.
    """
    refused = refusal(row)
    if refused:
        raise refused
    label = core.first_error(row.labels)
    members = _members(row.changed_problem or row.problem, row.solution, label)
    changed = frozenset[str]() if row.is_source else frozenset({"label"})
    return verbatim.restore(_FORM, row.extra, members, FIELDS, changed)


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return why the row cannot be written in this format, or None."""
    if core.first_error(row.labels) == core.UNKNOWN:
        message = "ProcessBench needs the first error, but a step before it is unsure or not judged"
        return UnknownLabels(row.solution.foreign_id, message)
    return None


def _import(raw: RawRecord) -> ImportRecord:
    foreign_id, text = fields.identifier(raw, "id"), fields.filled(raw, "problem")
    solution = _solution(raw, foreign_id)
    label = _label(raw, len(solution.steps))
    meta = {"source": fields.source_of(foreign_id, NAME)}
    problem = ProblemRecord(text, None, "", fields.group_of(text), meta)
    extra = verbatim.keep(_FORM, raw, _members(problem, solution, label), FIELDS)
    labels = LabelRecord("source", NAME, core.labels_from_first_error(label, len(solution.steps)))
    return ImportRecord(raw.place, foreign_id, problem, None, None, solution, None, (labels,), extra)


def _solution(raw: RawRecord, foreign_id: str) -> SolutionRecord:
    steps = fields.steps(raw, "steps")
    meta: dict[str, Any] = {"length": len(steps)}
    generator = fields.optional(raw, "generator", str, "text")
    if generator is not None:
        meta["generator"] = generator
    is_right = fields.optional(raw, "final_answer_correct", bool, "true, false")
    if is_right is not None:
        meta["final_answer_correct"] = is_right
    return SolutionRecord(steps, foreign_id, meta)


def _label(raw: RawRecord, n_steps: int) -> int:
    label = fields.whole_number(raw, "label")
    if not -1 <= label < n_steps:
        raise fault(raw.place, "label", f"must be -1 or a step from 0 to {n_steps - 1}, not {label}")
    return label


def _members(problem: ProblemRecord, solution: SolutionRecord, label: int) -> dict[str, Any]:
    """Return the record's fields as far as our own data gives them. core.NO_ERROR is -1, as here."""
    return {
        "id": solution.foreign_id,
        "generator": solution.meta.get("generator"),
        "problem": problem.text,
        "steps": list(solution.steps),
        "final_answer_correct": solution.meta.get("final_answer_correct"),
        "label": label,
    }
