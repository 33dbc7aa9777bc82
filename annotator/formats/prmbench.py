"""PRMBench (arXiv 2501.03124): JSON lines, a solution and the error injected into it a record.

    original_question, modified_question   text
    original_process, modified_process     list of texts (no error: "multi_solutions", another solution)
    modified_steps, error_steps            1-based; released data has them unsorted and out of range
    reason, idx, question, classification  text; `question` is a third wording of the problem
    ground_truth, original_response        text, of "multi_solutions" only

`idx` is of the base problem, shared by its versions of all kinds, so it is the problem's group; the copy
on Hugging Face prefixes it with the kind. An item's id is kind and idx, as PRMBench's own results name it.
`error_steps` means: these are wrong and all others right, so an unjudged step cannot be said.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from annotator.core import labels as core
from annotator.formats import choices, fields, options, verbatim
from annotator.formats.decoding import RawRecord, fault, shown
from annotator.formats.reading import Source, convert, read_records
from annotator.formats.records import (
    CannotWrite,
    ClaimRecord,
    ExportRecord,
    FormatError,
    ImportRecord,
    LabelRecord,
    Place,
    ProblemRecord,
    SolutionRecord,
    UnknownLabels,
)

NAME: Final = "prmbench"
SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.FIRST_ERROR
SAYS: Final = choices.NOTHING
CODES: Final = {t.foreign: t.code for t in core.ERROR_TYPES} | {core.MULTI_SOLUTIONS: core.MULTI_SOLUTIONS}
SPELLINGS: Final = {code: foreign for foreign, code in CODES.items()}

_FORM: Final = verbatim.Form(NAME, verbatim.LINES)
_START: Final = (
    "original_question", "modified_question", "original_process", "modified_process",
    "modified_steps", "error_steps", "reason",
)  # fmt: skip
_END: Final = ("idx", "question", "classification")
# The released files' orders. "multi_solutions" records end with an `original_response`, which is kept.
_USUAL: Final = (*_START, *_END)
_USUAL_MULTI: Final = (*_START, "ground_truth", *_END)
_ANSWER: Final = re.compile(r"# Answer\s*\n\s*(\S[^\n]*?)\s*\Z")


def read(source: Source, name: str) -> Iterator[ImportRecord | FormatError]:
    """Yield a file's records, and a FormatError for each that cannot be used. Raises UnreadableFile.

    source: a path or a binary file.  name: what places call it; a name ending in .gz means gzip.
    """
    return convert(read_records(source, name), _import)


class Asked(NamedTuple):
    """What a record asks of a rater, without its texts. foreign_id: of the item.  base: the problem's id.  kind:
    our code.  wrong: as claimed, 1-based."""

    place: Place
    foreign_id: str
    base: str
    kind: str
    n_steps: int
    n_original: int
    wrong: tuple[int, ...]


def read_asked(source: Source, name: str) -> Iterator[Asked | FormatError]:
    """`read` for measuring: the same fields are checked, and nothing is kept that is not counted."""
    return convert(read_records(source, name), _asked)


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the file's lines, ends included. Raises CannotWrite: see `refusal`."""
    for row in rows:
        yield write_record(row) + "\n"


def write_record(row: ExportRecord) -> str:
    """Return the record as one line of JSON without its end. Raises CannotWrite.

    The source's own annotation goes out as it came in. Other labels become `error_steps`, and their
    reason, if there is one, `reason`; there is no place for their error types and note.
    """
    claim, original = _injected(row)
    members = _members(row.problem, row.changed_problem, original, row.solution, claim)
    if row.is_source:
        return verbatim.restore(_FORM, row.extra, members, _usual(claim))
    changes: dict[str, Any] = {"error_steps": [position + 1 for position in core.wrong_steps(row.labels)]}
    if row.reason:
        changes["reason"] = row.reason
    members |= changes
    return verbatim.restore(_FORM, row.extra, members, _usual(claim), frozenset(changes))


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return why the row cannot be written in this format, or None."""
    try:
        _injected(row)
    except CannotWrite as error:
        return error
    return None


def _injected(row: ExportRecord) -> tuple[ClaimRecord, SolutionRecord]:
    """Return the claim and the original solution that the format cannot do without."""
    name = row.solution.foreign_id
    if row.claim is None or row.claim.error_type not in SPELLINGS:
        raise CannotWrite(name, "PRMBench holds only injections of its own kinds")
    if row.original is None:
        raise CannotWrite(name, "PRMBench needs the solution before the injection")
    if not row.is_source and (core.UNSURE in row.labels or core.UNJUDGED in row.labels):
        message = "PRMBench takes every step it does not name for right, but some are unsure or not judged"
        raise UnknownLabels(name, message)
    return row.claim, row.original


def _import(raw: RawRecord) -> ImportRecord:
    kind, base = _kind(raw), _base(raw)
    claim = ClaimRecord(
        CODES[kind],
        fields.whole_numbers(raw, "modified_steps"),
        fields.whole_numbers(raw, "error_steps"),
        fields.text(raw, "reason"),
    )
    foreign_id = f"{kind}_{base}"
    original = _original(raw, foreign_id, base)
    solution = _solution(fields.steps(raw, "modified_process"), foreign_id)
    problem, changed = _problems(raw, foreign_id, base, original)
    members = _members(problem, changed, original, solution, claim)
    extra = verbatim.keep(_FORM, raw, members, _usual(claim))
    labels = (LabelRecord("injector", NAME, _labels(claim, len(solution.steps))),)
    return ImportRecord(raw.place, foreign_id, problem, original, changed, solution, claim, labels, extra)


def _asked(raw: RawRecord) -> Asked:
    kind, base = _kind(raw), _base(raw)
    fields.whole_numbers(raw, "modified_steps")
    wrong = fields.whole_numbers(raw, "error_steps")
    fields.text(raw, "reason")
    steps, original = fields.steps(raw, "modified_process"), fields.steps(raw, "original_process")
    fields.filled(raw, "original_question"), fields.filled(raw, "modified_question")
    fields.optional(raw, "ground_truth", str, "text")
    return Asked(raw.place, f"{kind}_{base}", base, CODES[kind], len(steps), len(original), wrong)


def _kind(raw: RawRecord) -> str:
    kind = fields.text(raw, "classification")
    if kind not in CODES:
        raise fault(raw.place, "classification", f"must be one of {', '.join(CODES)}, not {shown(kind)}")
    return kind


def _base(raw: RawRecord) -> str:
    """Return the base problem's id: `idx` without the prefix that the copy on Hugging Face gives it."""
    idx = fields.identifier(raw, "idx")
    return idx.removeprefix(f"{raw.fields['classification']}_") or idx


def _original(raw: RawRecord, foreign_id: str, base: str) -> SolutionRecord:
    # PRMBench takes its correct items from the redundancy records, under this name.
    is_correct_item = CODES[raw.fields["classification"]] == "redundancy"
    name = f"correct_{base}" if is_correct_item else f"original_{foreign_id}"
    return _solution(fields.steps(raw, "original_process"), name)


def _solution(steps: tuple[str, ...], foreign_id: str) -> SolutionRecord:
    return SolutionRecord(steps, foreign_id, {"length": len(steps)})


def _problems(
    raw: RawRecord, foreign_id: str, base: str, original: SolutionRecord
) -> tuple[ProblemRecord, ProblemRecord | None]:
    """Return the original problem and, if the record changes the question, the changed one."""
    text, changed_text = fields.filled(raw, "original_question"), fields.filled(raw, "modified_question")
    meta = {"source": fields.source_of(base, NAME)}
    problem = ProblemRecord(text, _answer(raw, original.steps), base, base, meta)
    if changed_text == text:
        return problem, None
    # The answer to a changed question is not known.
    return problem, ProblemRecord(changed_text, None, foreign_id, base, meta)


def _answer(raw: RawRecord, steps: tuple[str, ...]) -> str | None:
    """Return the reference answer: given, or the one line under the only "# Answer", in the last step."""
    given = fields.optional(raw, "ground_truth", str, "text")
    if given is not None or "# Answer" not in steps[-1]:
        return given
    found = _ANSWER.search(steps[-1])
    is_only = sum(step.count("# Answer") for step in steps) == 1
    return found[1] if found and is_only else None


def _labels(claim: ClaimRecord, n_steps: int) -> str:
    """Return the usable part of the claim: '-' at each claimed step that exists, '+' elsewhere."""
    wrong = [number - 1 for number in claim.claimed_wrong if 1 <= number <= n_steps]
    return core.labels_from_wrong_steps(wrong, n_steps)


def _usual(claim: ClaimRecord) -> tuple[str, ...]:
    return _USUAL_MULTI if claim.error_type == core.MULTI_SOLUTIONS else _USUAL


def _members(
    problem: ProblemRecord,
    changed: ProblemRecord | None,
    original: SolutionRecord,
    solution: SolutionRecord,
    claim: ClaimRecord,
) -> dict[str, Any]:
    """Return the record's fields as far as our own data gives them."""
    return {
        "original_question": problem.text,
        "modified_question": changed.text if changed else problem.text,
        "original_process": list(original.steps),
        "modified_process": list(solution.steps),
        "modified_steps": list(claim.claimed_changed),
        "error_steps": list(claim.claimed_wrong),
        "reason": claim.reason,
        "ground_truth": problem.answer,
        "idx": problem.group,
        "question": problem.text,
        "classification": SPELLINGS[claim.error_type],
    }
