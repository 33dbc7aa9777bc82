"""How two texts differ, line by line."""

import difflib
from typing import NamedTuple

CONTEXT = 2


class Line(NamedTuple):
    """`kind`: same, new, gone or gap (lines left out)."""

    kind: str
    text: str


KINDS = {" ": "same", "+": "new", "-": "gone", "@": "gap"}


def line_diff(before: str, after: str) -> list[Line]:
    """The changed lines with a little around them; empty when only line ends differ."""
    old, new = before.splitlines(), after.strip().splitlines()
    rows = list(difflib.unified_diff(old, new, lineterm="", n=CONTEXT))[2:]
    lines = [Line(KINDS[row[0]], "" if row[0] == "@" else row[1:]) for row in rows]
    return lines[1:] if lines and lines[0].kind == "gap" else lines
