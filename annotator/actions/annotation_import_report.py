"""What a check of foreign judgements found, and what came of writing them."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from annotator.actions.annotation_import_rows import Counts, Judged
from annotator.formats.records import FormatError

MAX_LISTED = 200


@dataclass
class JudgementReport:
    """Records read: good, bad, or of a solution that is not in this project ("unknown").

    n_judgements: of the good records; one of a text that is here several times judges each of them.
    n_short, n_long: judgements with fewer or more labels than steps.  n_unparsed: the machine's reply could
    not be read.  n_new, n_same, n_replaced: after the check what writing would do, then what it has done.
    n_gone: good records that no longer fitted when they were to be written.  raters: KIND:NAME -> judgements.
    """

    n_records: int = 0
    n_good: int = 0
    n_bad: int = 0
    n_unknown: int = 0
    n_judgements: int = 0
    n_short: int = 0
    n_long: int = 0
    n_unparsed: int = 0
    n_new: int = 0
    n_same: int = 0
    n_replaced: int = 0
    n_gone: int = 0
    raters: dict[str, int] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[dict[str, Any]] = field(default_factory=list)
    unreadable: str = ""

    def add_good(self, judgements: list[Judged]) -> None:
        self.n_good += 1
        self.n_judgements += len(judgements)
        for one in judgements:
            self.n_short += one.surplus < 0
            self.n_long += one.surplus > 0
            self.n_unparsed += not one.columns["is_parsed"]
            self.raters[one.rater] = self.raters.get(one.rater, 0) + 1

    def add_bad(self, error: FormatError) -> None:
        self.n_bad += 1
        _note(self.errors, error)

    def add_unknown(self, error: FormatError) -> None:
        self.n_unknown += 1
        _note(self.unknown, error)

    def add_counts(self, counts: Counts) -> None:
        self.n_new += counts.new
        self.n_same += counts.same
        self.n_replaced += counts.replaced

    def forget_counts(self) -> None:
        self.n_new = self.n_same = self.n_replaced = self.n_gone = 0

    def stop(self, error: FormatError) -> None:
        """The file cannot be read on."""
        self.unreadable = str(error)
        _note(self.errors, error)

    def refusal(self, strict: bool) -> str:
        """Why nothing of it may be written, or ""."""
        if self.unreadable:
            return f"Nothing is written: {self.unreadable}."
        if not self.n_records:
            return "There is no record in these files."
        if self.n_bad == self.n_records:
            return "None of the records can be used."
        unfit = self.n_bad + self.n_unknown
        if strict and unfit:
            return (
                f"Nothing is written: {unfit} of {self.n_records} records cannot be used or are of solutions "
                "that are not in this project (strict)."
            )
        return ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{key: value for key, value in data.items() if key in cls.__dataclass_fields__})


def _note(noted: list[dict[str, Any]], error: FormatError) -> None:
    if len(noted) < MAX_LISTED:
        place = {"file": error.place.file, "line": error.place.line, "field": error.place.field}
        noted.append(place | {"message": error.message})
