"""Annotations as result rows of ProcessBench's script (annotator.formats.results): write only.

A row is ProcessBench's record, whose `label` is the truth, with the rater's first error as `prediction`. The
truth is what came with the solution or, where nothing did, what people settled on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from annotator.core import labels as core
from annotator.formats import choices, options, results
from annotator.formats.records import AnnotationRecord, CannotWrite, ExportRecord, Place, UnknownLabels

NAME: Final = results.PROCESSBENCH
SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.Options("right", "keep", "keep")  # redundancy is no error there
SAYS: Final = choices.Says(gaps=True, no_reply=True, truth=True)

_NOWHERE: Final = Place("", 0)


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the file's lines, ends included. Raises CannotWrite: see `refusal`."""
    for row in rows:
        refused = refusal(row)
        if refused:
            raise refused
        yield from results.write_processbench([(_truth(row), _predicted(row))])


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return why the row cannot be written in this format, or None."""
    name = row.solution.foreign_id
    if not row.truth or core.first_error(row.truth) == core.UNKNOWN:
        return UnknownLabels(name, "a ProcessBench result needs the true first error, which is not known")
    if row.is_parsed and core.first_error(row.labels) == core.UNKNOWN:
        message = "a ProcessBench result needs the first error, but a step before it is unsure or not judged"
        return UnknownLabels(name, message)
    return None


def _truth(row: ExportRecord) -> ExportRecord:
    """The row that says the truth. `extra` is kept where it is ProcessBench's, but for the label."""
    return replace(row, labels=row.truth, is_source=False)


def _predicted(row: ExportRecord) -> AnnotationRecord:
    labels = row.labels if row.is_parsed else None
    name = row.solution.foreign_id
    return AnnotationRecord(_NOWHERE, name, labels=labels, is_parsed=row.is_parsed, extra=row.said)
