"""Annotations as result rows of PRMBench's toolkit (annotator.formats.results): write only.

Anybody's labels of an item are a result for it: `idx` is the solution's id, "correct_" and the base id for an
original. Lists end before the first step without a label, since the toolkit goes by their length and reads
whatever is not 1 as invalid. What came in the toolkit's wrapping goes out in it.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Final

from annotator.core import labels as core
from annotator.formats import choices, options, results
from annotator.formats.records import AnnotationRecord, CannotWrite, ExportRecord, Place, UnknownLabels

NAME: Final = results.PRMBENCH
SUFFIX: Final = ".jsonl"
DEFAULTS: Final = options.Options("right", "keep", "keep")
SAYS: Final = choices.Says(gaps=True, no_reply=True)

Scores = tuple[float, ...] | None

_NOWHERE: Final = Place("", 0)
_ORIGINAL: Final = "original_"
_encode = json.JSONEncoder(ensure_ascii=False).encode


def write(rows: Iterable[ExportRecord]) -> Iterator[str]:
    """Yield the file's lines, ends included. Raises CannotWrite: see `refusal`."""
    for row in rows:
        refused = refusal(row)
        if refused:
            raise refused
        (line,) = results.write_prmbench([judgement(row)])
        wrapping = results.wrapping(row.said)
        yield _encode(wrapping | {"results": json.loads(line)}) + "\n" if wrapping else line


def refusal(row: ExportRecord) -> CannotWrite | None:
    """Return why the row cannot be written in this format, or None."""
    if not idx(row):
        return CannotWrite("", "a result row names its solution, and this one has no id")
    if not row.is_parsed or row.scores or options.judged(row.labels):
        return None
    message = "a PRMBench result knows only valid and invalid, and the first step is unsure or not judged"
    return UnknownLabels(row.solution.foreign_id, message)


def idx(row: ExportRecord) -> str:
    """Return the item's id as the toolkit has it."""
    name = row.solution.foreign_id
    is_original = row.claim is None and name.startswith(_ORIGINAL)
    return f"{results.CORRECT}_{row.problem.group}" if is_original else name


def judgement(row: ExportRecord) -> AnnotationRecord:
    """Return the row as the result that it is; the two lists of an axis are equally long."""
    if not row.is_parsed:
        return AnnotationRecord(_NOWHERE, idx(row), is_parsed=False, extra=row.said)
    kept = json.loads(row.said) if row.said else {}
    labels = _own(row.labels, kept.get("labels"))
    if kept.get("threshold") is not None:  # the file had scores alone
        labels = None
    redundant = _own(row.redundancy_labels or "", kept.get("redundancy_labels"))
    labels, scores = _even(labels, row.scores)
    redundant, redundancy_scores = _even(redundant, row.redundancy_scores)
    return AnnotationRecord(
        _NOWHERE, idx(row), labels=labels, scores=scores, redundancy_labels=redundant,
        redundancy_scores=redundancy_scores, extra=row.said,
    )  # fmt: skip


def _even(labels: str | None, scores: Scores) -> tuple[str | None, Scores]:
    """Return both up to the end of the shorter, where there are both."""
    if labels is None or scores is None:
        return labels, scores
    least = min(len(labels), len(scores))
    return labels[:least], scores[:least]


def _own(labels: str, own: str | None) -> str | None:
    """Return the labels up to the first step without one, or the file's own list if that is what they are:
    it may have more labels than the solution has steps."""
    if own and own[: len(labels)].ljust(len(labels), core.UNJUDGED) == labels:
        return own
    return labels[: options.judged(labels)] or None
