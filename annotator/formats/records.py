"""What every foreign format is read into and written from; inside, positions are 0-based.

A format's file turns foreign spellings, 1-based numbers and sentinels into these and back. The one
place where foreign numbers live on is `ClaimRecord`, which keeps a claim verbatim.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from annotator.core import labels as core


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: `line` is 1-based (of a JSON list: the line on which the record starts; 0: the file
    as a whole), `field` a path such as `steps[2]` with 0-based indexes, or "" for the whole record."""

    file: str
    line: int
    field: str = ""

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        return f"{self.file}{line}, {self.field}" if self.field else f"{self.file}{line}"


class FormatError(ValueError):
    """A record that cannot be used, and why: `data.jsonl, line 7, steps[2]: must be text, not 5`."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(place, message)
        self.place = place
        self.message = message

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class UnreadableFile(FormatError):
    """A file that cannot be read on: what follows the place is unknown, so nothing of it may be used."""


class CannotWrite(ValueError):
    """A row that a format has no way to say; `foreign_id` is its solution's."""

    def __init__(self, foreign_id: str, message: str) -> None:
        super().__init__(foreign_id, message)
        self.foreign_id = foreign_id
        self.message = message

    def __str__(self) -> str:
        return f"{self.foreign_id or 'a solution without an id'}: {self.message}"


class UnknownLabels(CannotWrite):
    """The format needs labels that the annotation does not have: some step is unsure or not judged."""


@dataclass(frozen=True, slots=True)
class ProblemRecord:
    """A question. `group` ties all versions of one problem; meta: `source`, where known."""

    text: str
    answer: str | None
    foreign_id: str
    group: str
    meta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SolutionRecord:
    """A solution of at least one step. meta, where known: `generator`, `length` (in steps),
    `final_answer_correct`."""

    steps: tuple[str, ...]
    foreign_id: str
    meta: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """What an injection says of itself. `error_type` is our code (core.labels).

    `claimed_changed` and `claimed_wrong` are VERBATIM: 1-based, unsorted, repeated or out of range as
    the file has them. Its usable part is the injector's `LabelRecord`.
    """

    error_type: str
    claimed_changed: tuple[int, ...]
    claimed_wrong: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class LabelRecord:
    """The labels that came with a solution: one character a step (core.labels), and whose they are.

    scores: a number a step, where the file has soft values (`labels` are then these at a threshold).
    finish_reason: why the labels end where they do, "" if not told.  duration_ms: the time they took.
    """

    kind: Literal["source", "injector"]
    name: str
    labels: str
    scores: tuple[float, ...] | None = None
    finish_reason: str = ""
    duration_ms: int | None = None

    @property
    def first_error(self) -> int:
        """0-based position of the first error, or core.labels' NO_ERROR."""
        return core.first_error(self.labels)


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One good record of a foreign file.

    problem: the original one.  changed_problem: the question that `solution` answers, if it was changed.
    solution: the one to review.  original: what it was made from, if the record has it.
    foreign_id: unique for a record if the file is sound; duplicates are not dropped here.
    extra: JSON text of what the rest cannot rebuild (annotator.formats.verbatim), "" for nothing.
    sibling_of: where a foreign record holds a main solution and others, they come one after the other, the
    main one first; the others name its foreign_id here. An importer stores them all, in this order, since an
    export puts neighbours together again; whether it queues siblings for review is its own choice.
    """

    place: Place
    foreign_id: str
    problem: ProblemRecord
    original: SolutionRecord | None
    changed_problem: ProblemRecord | None
    solution: SolutionRecord
    claim: ClaimRecord | None
    labels: tuple[LabelRecord, ...]
    extra: str
    sibling_of: str = ""


@dataclass(frozen=True, slots=True)
class LoneProblem:
    """A good record that has a problem and no solution of it yet."""

    place: Place
    problem: ProblemRecord
    extra: str = ""


@dataclass(frozen=True, slots=True)
class AnnotationRecord:
    """Someone's judgement of a solution that is here already: labels or scores, of a person or a machine.

    foreign_id, digest: which solution; one of them may be "", not both.  annotator: who, "" if not told.
    labels, redundancy_labels: one character a step; in the latter '-' is redundant and '+' is not.
    scores, redundancy_scores: a number a step.  All are None where the file has none, and as long as it
    has them: a result may be cut short, and only the reader knows how many steps the solution has.
    first_error: for files that tell no more: a 0-based position, or core.labels' NO_ERROR.
    is_parsed: False for a machine's reply that could not be read, which has none of these.
    extra: JSON text of the other members.
    """

    place: Place
    foreign_id: str
    digest: str = ""
    annotator: str = ""
    labels: str | None = None
    scores: tuple[float, ...] | None = None
    redundancy_labels: str | None = None
    redundancy_scores: tuple[float, ...] | None = None
    first_error: int | None = None
    is_parsed: bool = True
    extra: str = ""


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """One solution with the annotation chosen for it, to be written in a foreign format.

    labels: one character a step.  error_types: our codes, a tuple a step.  extra: as it was imported.
    is_source: the labels are the very annotation that came with the record, so it goes out as it came.
    rater: who made them, as KIND:NAME.  made_at: when, as ISO 8601.  "" or None where not known.
    scores, redundancy_labels, redundancy_scores, is_parsed: as in AnnotationRecord.
    said: JSON text of what a foreign file said beside the labels (AnnotationRecord.extra).
    truth: the labels that these are compared with, one character a step; "" where not known or not asked for.
    """

    problem: ProblemRecord
    changed_problem: ProblemRecord | None
    original: SolutionRecord | None
    solution: SolutionRecord
    claim: ClaimRecord | None
    labels: str
    error_types: tuple[tuple[str, ...], ...] | None = None
    reason: str = ""
    note: str = ""
    extra: str = ""
    is_source: bool = False
    rater: str = ""
    made_at: str = ""
    duration_ms: int | None = None
    finish_reason: str = ""
    scores: tuple[float, ...] | None = None
    redundancy_labels: str | None = None
    redundancy_scores: tuple[float, ...] | None = None
    is_parsed: bool = True
    said: str = ""
    truth: str = ""


def as_export(record: ImportRecord) -> ExportRecord:
    """Return the row that writes an imported record back, with the labels that came with it, if any."""
    return ExportRecord(
        problem=record.problem,
        changed_problem=record.changed_problem,
        original=record.original,
        solution=record.solution,
        claim=record.claim,
        labels=record.labels[0].labels if record.labels else core.UNJUDGED * len(record.solution.steps),
        extra=record.extra,
        is_source=True,
    )
