"""How two texts differ, line by line, and inside the lines that were changed."""

import difflib
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from annotator.core import align

CONTEXT = 2
KINDS = {" ": "same", "+": "new", "-": "gone", "@": "gap"}
ALIKE = 0.4  # of two lines: below this one reads better that one went and another came


class Line(NamedTuple):
    """`kind`: same, new, gone, changed or gap (lines left out). `pieces` joined are the text."""

    kind: str
    pieces: list[tuple[str, str]]  # "equal", "insert" or "delete", and the text

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.pieces)


def line_diff(before: str, after: str) -> list[Line]:
    """The changed lines with a little around them; empty when only line ends differ."""
    old, new = before.splitlines(), after.strip().splitlines()
    rows = list(difflib.unified_diff(old, new, lineterm="", n=CONTEXT))[2:]
    lines: list[Line] = []
    for is_change, found in groupby(rows, key=lambda row: row[0] in "+-"):
        run = list(found)
        lines += _changes(run) if is_change else [_line(row) for row in run]
    return lines[1:] if lines and lines[0].kind == "gap" else lines


def _changes(rows: Sequence[str]) -> list[Line]:
    """A run of lines that went and came: each is a rewording of the one in its place, or none is."""
    gone = [row[1:] for row in rows if row[0] == "-"]
    new = [row[1:] for row in rows if row[0] == "+"]
    pairs = [_reworded(*pair) for pair in zip(gone, new, strict=False)]
    if None in pairs:
        return [_line(row) for row in rows]
    rest = [f"-{text}" for text in gone[len(pairs) :]] + [f"+{text}" for text in new[len(pairs) :]]
    return [*(pair for pair in pairs if pair), *(_line(row) for row in rest)]


def _reworded(before: str, after: str) -> Line | None:
    pieces = align.word_diff(before, after)
    kept = sum(len(text) for mark, text in pieces if mark == "equal")
    number = before.removesuffix(align.strip_number(before))
    if number != after.removesuffix(align.strip_number(after)) or 2 * kept < ALIKE * (
        len(before) + len(after)
    ):
        return None
    return Line("changed", pieces)


def _line(row: str) -> Line:
    marks = {"+": "insert", "-": "delete"}
    return Line(KINDS[row[0]], [] if row[0] == "@" else [(marks.get(row[0], "equal"), row[1:])])
