"""What a check of foreign files found: counts, errors with their places, and sums for each kind of error."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from annotator.core import labels as lab
from annotator.formats.records import FormatError, ImportRecord, LoneProblem

MAX_ERRORS = 200


@dataclass
class Tally:
    """Sums over the records of one kind, so that imports add up; means are for whoever shows them.

    wrong_steps: steps labelled '-'.  with_error: records with a first error.  first_errors: sum of their
    1-based places.  question_chars: of the question that the solution answers.
    """

    items: int = 0
    steps: int = 0
    wrong_steps: int = 0
    with_error: int = 0
    first_errors: int = 0
    question_chars: int = 0

    def add(self, labels: str, question: int) -> None:
        first = lab.first_error(labels)
        self.items += 1
        self.steps += len(labels)
        self.wrong_steps += labels.count(lab.WRONG)
        self.question_chars += question
        if first >= 0:
            self.with_error += 1
            self.first_errors += first + 1

    @property
    def means(self) -> dict[str, float | None]:
        """For one record: steps, wrong steps, place of the first error, characters of the question."""
        return {
            "steps": _mean(self.steps, self.items),
            "wrong": _mean(self.wrong_steps, self.items),
            "first_error": _mean(self.first_errors, self.with_error),
            "question": _mean(self.question_chars, self.items),
        }


def _mean(total: int, n: int) -> float | None:
    return total / n if n else None


@dataclass
class Report:
    """`n_known`: good records that are there already; `n_differ`: of these, those with labels that are not:
    such labels are not written. `n_repeated`: those that repeat another of the same import; they are kept.
    `n_problems`: good records that are problems alone. `kinds`: our code of the injected error ("" where the
    format has none) -> sums over good records that are to be reviewed (no siblings); once complete, over the
    items made. `findings`: code -> {"findings", "records"}, of what was written; None before that, and of an
    import that is older than the storing of findings."""

    n_records: int = 0
    n_good: int = 0
    n_bad: int = 0
    n_known: int = 0
    n_repeated: int = 0
    n_problems: int = 0
    n_differ: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    kinds: dict[str, Tally] = field(default_factory=dict)
    findings: dict[str, dict[str, int]] | None = None
    unreadable: str = ""

    def add_good(self, record: ImportRecord | LoneProblem) -> None:
        self.n_records += 1
        self.n_good += 1
        if isinstance(record, LoneProblem):
            self.n_problems += 1
            return
        question = record.changed_problem or record.problem
        kind = record.claim.error_type if record.claim else ""
        if record.sibling_of:
            return  # it will have no item
        labels = record.labels[0].labels if record.labels else lab.UNJUDGED * len(record.solution.steps)
        self.tally(kind).add(labels, len(question.text))

    def add_bad(self, error: FormatError) -> None:
        self.n_records += 1
        self.n_bad += 1
        self._note(error)

    def stop(self, error: FormatError) -> None:
        """The file cannot be read on."""
        self.unreadable = str(error)
        self._note(error)

    def tally(self, kind: str) -> Tally:
        return self.kinds.setdefault(kind, Tally())

    def refusal(self, strict: bool) -> str:
        """Why nothing of it may be written, or ""."""
        if self.unreadable:
            return f"Nothing is written: {self.unreadable}."
        if not self.n_records:
            return "There is no record in these files."
        if not self.n_good:
            return "None of the records can be used."
        if strict and self.n_bad:
            return f"Nothing is written: {self.n_bad} of {self.n_records} records cannot be used (strict)."
        return ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        known["kinds"] = {kind: Tally(**sums) for kind, sums in data.get("kinds", {}).items()}
        return cls(**known)

    def _note(self, error: FormatError) -> None:
        if len(self.errors) < MAX_ERRORS:
            place = {"file": error.place.file, "line": error.place.line, "field": error.place.field}
            self.errors.append(place | {"message": error.message})
