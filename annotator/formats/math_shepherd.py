"""Math-Shepherd (arXiv 2312.08935): JSON lines, one solution a record, its labels between the lines.

    input  text: "QUESTION Step 1: TEXT ки\\nStep 2: TEXT ки"
    label  the same text, with + or - in place of each ки
    task   "GSM8K" or "MATH": our problem's source

The labels are where rollouts reached the answer (hard), so they go on after a first error. "Step 1:" and ки
are the format's, no part of a step; a step numbered otherwise keeps its number. Released data has a mark
inside some questions: what stands before "Step 1:" is the question, whatever its marks say. There is no
"not judged", so a solution is cut before its first step without a label. Records have no id, so theirs is a
digest of problem and steps.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

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

NAME: Final = "math_shepherd"
SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.BINARY
SAYS: Final = choices.Says(gaps=True)
MARK: Final = "ки"

_FORM: Final = verbatim.Form(NAME, verbatim.LINES)
_USUAL: Final = ("input", "label", "task")
_JUDGED: Final = frozenset({"input", "label"})
_FIRST: Final = re.compile(r"(?<!\w)[Ss]tep 1:")


class Parts(NamedTuple):
    """What an `input` text holds. n_before: how many marks stand in the question."""

    question: str
    steps: tuple[str, ...]
    n_before: int


def read(source: Source, name: str) -> Iterator[ImportRecord | FormatError]:
    """Yield a file's records, and a FormatError for each that cannot be used. Raises UnreadableFile.

    source: a path or a binary file.  name: what places call it; a name ending in .gz means gzip.
    """
    return convert(read_records(source, name), _import)


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the file's lines, ends included. Raises CannotWrite: see `refusal`."""
    for row in rows:
        yield write_record(row) + "\n"


def write_record(row: ExportRecord) -> str:
    """Return the record as one line of JSON without its end. Raises CannotWrite.

    The source's own annotation goes out as it came in; all else through its last step before one without a
    label.
    """
    refused = refusal(row)
    if refused:
        raise refused
    members = _members(row.changed_problem or row.problem, row.solution, options.binary(row.labels))
    return verbatim.restore(_FORM, row.extra, members, _USUAL, frozenset() if row.is_source else _JUDGED)


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return why the row cannot be written in this format, or None."""
    if row.is_source and verbatim.is_of(_FORM, row.extra):
        return None
    name, labels = row.solution.foreign_id, options.binary(row.labels)
    if not labels:
        message = "Math-Shepherd knows only right and wrong, and the first step is unsure or not judged"
        return UnknownLabels(name, message)
    question, steps = (row.changed_problem or row.problem).text, row.solution.steps[: len(labels)]
    if any(MARK in text for text in (question, *steps)):
        return CannotWrite(name, f"Math-Shepherd ends a step with {MARK}, which stands in the text itself")
    if split(_joined(question, steps, [MARK] * len(steps))) != _evened(question, steps):
        return CannotWrite(
            name, 'Math-Shepherd begins a step with "Step 1:", which stands in the text itself'
        )
    return None


def split(text: str) -> Parts | None:
    """Return the question and the steps of an `input` text, or None if no first step can be found.

    A text after the last mark is a step too, one without a label.
    """
    *parts, tail = text.split(MARK)
    ends = [tail] if tail.strip() else []
    for n_before, part in enumerate(parts):
        # The question may quote a "Step 1:" of its own; the solution's is the last before its mark.
        *_, first = [None, *_FIRST.finditer(part)]
        if first:
            return _parts([*parts, *ends], n_before, first.start())
    end = parts[0].find("?") + 1 if parts else 0
    return _parts([*parts, *ends], 0, end) if end and parts[0].count("?") == 1 else None


def _parts(parts: Sequence[str], n_before: int, start: int) -> Parts:
    question = "".join(parts[:n_before]) + parts[n_before][:start]
    steps = (parts[n_before][start:], *parts[n_before + 1 :])
    return _evened(question, steps)._replace(n_before=n_before)


def _evened(question: str, steps: Sequence[str]) -> Parts:
    """Return the parts as they are when read back: without blanks around them and numbers before them."""
    bare = (_without_number(step, number) for number, step in enumerate(steps, start=1))
    return Parts(question.strip(), tuple(bare), 0)


def _without_number(step: str, number: int) -> str:
    return step.strip().removeprefix(f"Step {number}:").strip()


def _signs(raw: RawRecord, text: str, label: str) -> str:
    """Return the sign that stands in `label` for each mark of `text`."""
    signs, at = "", 0
    first, *parts = text.split(MARK)
    for part in (first, *parts):
        if not label.startswith(part, at):
            raise fault(
                raw.place, "label", f"differs from input other than at the marks, after mark {len(signs)}"
            )
        at += len(part)
        if len(signs) == len(parts):
            break
        sign = label[at : at + 1]
        if sign not in (core.RIGHT, core.WRONG):
            raise fault(raw.place, "label", f"must have + or - in place of mark {len(signs) + 1}")
        signs, at = signs + sign, at + 1
    if at != len(label):
        raise fault(raw.place, "label", "goes on after input has ended")
    return signs


def _split(raw: RawRecord, text: str) -> Parts:
    parts = split(text)
    if parts is None:
        raise fault(raw.place, "input", f'must have a "Step 1:" and a step that ends with {MARK}')
    if not parts.question:
        raise fault(raw.place, "input", "must have a question before its first step")
    return parts


def _import(raw: RawRecord) -> ImportRecord:
    text = fields.filled(raw, "input")
    signs, parts = _signs(raw, text, fields.text(raw, "label")), _split(raw, text)
    task = fields.optional(raw, "task", str, "text")
    meta = {"source": task or NAME}
    problem = ProblemRecord(parts.question, None, "", fields.group_of(parts.question), meta)
    name = fields.id_of(NAME, parts.question, parts.steps)
    solution = SolutionRecord(parts.steps, name, {"length": len(parts.steps)})
    labels = signs[parts.n_before :].ljust(len(parts.steps), core.UNJUDGED)
    rebuilt = verbatim.exact(raw, _members(problem, solution, options.binary(labels)))
    extra = verbatim.keep(_FORM, raw, rebuilt, _USUAL)
    label_record = LabelRecord("source", NAME, labels)
    return ImportRecord(raw.place, name, problem, None, None, solution, None, (label_record,), extra)


def _members(problem: ProblemRecord, solution: SolutionRecord, labels: Sequence[bool]) -> dict[str, Any]:
    """Return the record's fields: the steps that have a label, and these."""
    steps = solution.steps[: len(labels)]
    return {
        "input": _joined(problem.text, steps, [MARK] * len(steps)),
        "label": _joined(problem.text, steps, [core.RIGHT if right else core.WRONG for right in labels]),
        "task": problem.meta.get("source"),
    }


def _joined(question: str, steps: Sequence[str], marks: Sequence[str]) -> str:
    lines = [
        f"Step {number}: {_without_number(step, number)} {mark}"
        for number, (step, mark) in enumerate(zip(steps, marks, strict=True), start=1)
    ]
    return f"{question.strip()} " + "\n".join(lines)
