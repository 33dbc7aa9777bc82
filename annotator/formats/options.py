"""What an export does where the field disagrees about labels. Pure: labels in, labels out.

    neutral            '0': right (as Qwen and PURE read PRM800K; the default where only right and wrong
                       exist), wrong (as TRL's script made it), drop (no label), keep
    redundant          a step whose only error is redundancy: wrong (PRMBench's reading), neutral (PRM800K's;
                       the neutral option then says what that is), right, keep
                       A redundancy axis beside the labels counts only in injections of the kinds that
                       PRMBench judges by it, unless the choice was asked for (everywhere)
    after_first_error  what was labelled after the first '-': drop (no label), keep

A step without a label ('.', or '?' where a format has no such thing) is never false: it cuts the sequence.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from annotator.core import labels as core
from annotator.formats.records import ExportRecord

REDUNDANCY: Final = "redundancy"
_BY_AXIS: Final = frozenset({REDUNDANCY, "circular"})  # the kinds that PRMBench judges by redundancy

Neutral = Literal["right", "wrong", "drop", "keep"]
Redundant = Literal["wrong", "neutral", "right", "keep"]
AfterFirstError = Literal["drop", "keep"]

_NEUTRAL: Final = {
    "right": core.RIGHT, "wrong": core.WRONG, "drop": core.UNJUDGED, "keep": core.NEUTRAL
}  # fmt: skip
_REDUNDANT: Final = {"wrong": core.WRONG, "neutral": core.NEUTRAL, "right": core.RIGHT}


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one export; as they stand here they change nothing.

    everywhere: the redundancy axis counts whatever the claim is: somebody asked for `redundant`.
    """

    neutral: Neutral = "keep"
    redundant: Redundant = "keep"
    after_first_error: AfterFirstError = "keep"
    everywhere: bool = False


KEEP: Final = Options()
BINARY: Final = Options("right", "wrong", "drop")  # for formats that know only right and wrong
FIRST_ERROR: Final = Options("right", "wrong", "keep")  # for those that need not be cut at a first error


def resolve(labels: str, options: Options, redundant: Collection[int] = ()) -> str:
    """Return the labels, as many, with the choices made. redundant: 0-based positions that are nothing worse.

    With no "keep" chosen for neutral steps the result has no '0'. A '?' stays.
    """
    marks = list(labels)
    if options.redundant != "keep":
        for position in redundant:
            marks[position] = _REDUNDANT[options.redundant]
    marks = [_NEUTRAL[options.neutral] if mark == core.NEUTRAL else mark for mark in marks]
    resolved = "".join(marks)
    first = resolved.find(core.WRONG)
    if options.after_first_error == "drop" and first >= 0:
        resolved = resolved[: first + 1].ljust(len(labels), core.UNJUDGED)
    return resolved


def apply(row: ExportRecord, options: Options) -> ExportRecord:
    """Return the row with the choices made. If that changes its labels, they are no longer the source's.

    Not for rows on their way back into the very format that they came in: those go out as they came.
    """
    labels = resolve(row.labels, options, redundant_steps(row, options.everywhere))
    return row if labels == row.labels else replace(row, labels=labels, is_source=False)


def redundant_steps(row: ExportRecord, everywhere: bool = True) -> frozenset[int]:
    """Return the 0-based positions of steps that have no fault but redundancy.

    They are wrong for it alone, or valid and redundant where a rater tells the two apart. Labels that came
    with an injection have no error types a step: the injection's own counts for them.
    """
    by_axis = everywhere or (row.claim is not None and row.claim.error_type in _BY_AXIS)
    beside = _redundant_beside(row) if by_axis else frozenset()
    wrong = core.wrong_steps(row.labels)
    if row.error_types is not None:
        return beside | {at for at in wrong if set(row.error_types[at]) == {REDUNDANCY}}
    is_claim = row.is_source and row.claim is not None and row.claim.error_type == REDUNDANCY
    return beside.union(wrong if is_claim else ())


def _redundant_beside(row: ExportRecord) -> frozenset[int]:
    """Return the positions of valid steps that the second axis calls redundant."""
    both = zip(row.labels, row.redundancy_labels or "", strict=False)
    valid = (core.RIGHT, core.NEUTRAL)
    return frozenset(at for at, (label, beside) in enumerate(both) if beside == core.WRONG and label in valid)


def binary(labels: str) -> tuple[bool, ...]:
    """Return whether each step is right, up to the first without a label ('.' or '?'); '0' is right."""
    return tuple(label != core.WRONG for label in labels[: judged(labels)])


def judged(labels: str) -> int:
    """Return how many steps, from the start, have a label other than '.' and '?'."""
    return next((at for at, label in enumerate(labels) if label in (core.UNJUDGED, core.UNSURE)), len(labels))


def harden(values: Sequence[float], threshold: float = 0.5) -> str:
    """Return '+' where a soft value is above the threshold and '-' elsewhere, as PRM papers cut scores.

    Write these and not the values where a reader casts: int(0.9) is 0, so 0.9 would train as wrong.
    """
    return "".join(core.RIGHT if value > threshold else core.WRONG for value in values)
