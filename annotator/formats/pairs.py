"""Pairs for step-level preference training (step-DPO), write only: the original step against the injected one.

    prompt     the question
    prefix     list of the right steps before, the same in both
    chosen     the original's step
    rejected   the step that is wrong
    id, error_types

One pair a solution: its first wrong step. What stands before it must be the original's, word for word, since
else the two steps do not continue the same text.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from annotator.core import labels as core
from annotator.formats import options
from annotator.formats.records import CannotWrite, ExportRecord, UnknownLabels

NAME: Final = "pairs"
SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.BINARY

_encode = json.JSONEncoder(ensure_ascii=False).encode


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the file's lines, ends included. Raises CannotWrite: see `refusal`."""
    for row in rows:
        refused = refusal(row)
        if refused:
            raise refused
        yield _encode(_members(row)) + "\n"


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return why a row makes no pair, or None."""
    first = core.first_error(row.labels)
    if first == core.UNKNOWN:
        return UnknownLabels(row.solution.foreign_id, "the first wrong step is not known")
    why = _why_not(row, first)
    return CannotWrite(row.solution.foreign_id, why) if why else None


def _why_not(row: ExportRecord, first: int) -> str:
    if row.original is None:
        return "there is no original to take the right step from"
    if first == core.NO_ERROR:
        return "no step is wrong"
    if row.changed_problem is not None:
        return "the question was changed, so the original answers another one"
    steps, original = row.solution.steps, row.original.steps
    if first >= len(original) or steps[:first] != original[:first]:
        return "the steps before the first wrong one are not the original's"
    return "" if steps[first] != original[first] else "the first wrong step is the original's, word for word"


def _members(row: ExportRecord) -> dict[str, Any]:
    first = core.first_error(row.labels)
    original = row.original.steps if row.original else ()
    types = row.error_types[first] if row.error_types else (row.claim.error_type,) if row.claim else ()
    return {
        "prompt": row.problem.text,
        "prefix": list(row.solution.steps[:first]),
        "chosen": original[first],
        "rejected": row.solution.steps[first],
        "id": row.solution.foreign_id,
        "error_types": list(types),
    }
