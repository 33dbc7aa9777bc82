"""What an export is asked to do with labels: checked once, kept as JSON, and done to each row.

neutral, redundant, after_first_error   as annotator.formats.options has them
threshold   a step is right if its score is above it; without it stored labels stand, and what has only
            scores is cut at 0.5
retired     true: solutions whose items are retired go out too
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from annotator import errors
from annotator.core import labels as lab
from annotator.formats import Format, choices, options
from annotator.formats.records import ExportRecord
from annotator.models import FinishReason

THRESHOLD = 0.5
NAMES = (*choices.VALUES, "threshold", "retired")


@dataclass(frozen=True, slots=True)
class Chosen:
    """How rows become what a format writes. `usual`: the format's way with the choices made; `asked`: the
    choices alone, for what returns to the format it came in; `given`: the options as they were asked for."""

    format: Format
    usual: options.Options
    asked: options.Options
    threshold: float | None
    retired: bool
    given: Mapping[str, Any]

    def fitted(self, row: ExportRecord, foreign_format: str) -> ExportRecord:
        """The row as the format means labels. What returns to the format it came in goes out as it came,
        unless a choice that was asked for changes its labels."""
        is_home = row.is_source and foreign_format == self.format.name
        if self.threshold is not None or not is_home:
            row = self._hardened(row)
        if is_home:
            return row if self.asked == options.KEEP else options.apply(row, self.asked)
        return replace(options.apply(row, self.usual), is_source=False)

    def silence(self, row: ExportRecord) -> str:
        """Why the row judges nothing that the format could say, or ""."""
        says, reason = self.format.says, row.finish_reason
        if not says.labels:
            return ""
        if not (row.is_parsed or says.no_reply):
            return "the reply could not be read"
        if not reason or FinishReason(reason).judges or reason in says.stops:
            return ""
        return f"the reviewer gave no judgement: {FinishReason(reason).label}"

    def _hardened(self, row: ExportRecord) -> ExportRecord:
        if row.scores is None or (self.threshold is None and row.labels.strip(lab.UNJUDGED)):
            return row
        cut = THRESHOLD if self.threshold is None else self.threshold
        n = len(row.labels)
        labels = options.harden(row.scores[:n], cut).ljust(n, lab.UNJUDGED)
        return replace(row, labels=labels, is_source=False, said=_without_threshold(row.said))


def _without_threshold(said: str) -> str:
    """What a file said, but for the threshold that its labels were made with: these are made with another."""
    kept = json.loads(said) if said else {}
    return json.dumps({key: kept[key] for key in kept if key != "threshold"}) if kept else ""


def choose(fmt: Format, given: Mapping[str, Any] | None) -> Chosen:
    """Raises Invalid, naming the option, for one that is unknown or that the format has no way to say.

    Options that are None or "" are not given: there the format's own way stands.
    """
    asked = {name: value for name, value in (given or {}).items() if value is not None and value != ""}
    unknown = next((name for name in asked if name not in NAMES), None)
    if unknown:
        raise errors.Invalid(f"There is no option {unknown!r}, only {', '.join(NAMES)}.", field=unknown)
    threshold, retired = _threshold(fmt, asked), _retired(asked)
    try:
        usual, alone = (
            choices.chosen(fmt.name, fmt.says, start, asked) for start in (fmt.defaults, options.KEEP)
        )
    except choices.CannotChoose as error:
        raise errors.Invalid(f"{error.message}.", field=error.field) from error
    kept = {name: value for name, value in asked.items() if value is not False}
    return Chosen(fmt, usual, alone, threshold, retired, kept)


def _threshold(fmt: Format, asked: Mapping[str, Any]) -> float | None:
    value = asked.get("threshold")
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise errors.Invalid(f"Must be a number, not {value!r}.", field="threshold")
    if not fmt.says.labels:
        raise errors.Invalid(f"{fmt.name} has no labels.", field="threshold")
    return float(value)


def _retired(asked: Mapping[str, Any]) -> bool:
    value = asked.get("retired", False)
    if type(value) is not bool:
        raise errors.Invalid(f"Must be true or false, not {value!r}.", field="retired")
    return value
