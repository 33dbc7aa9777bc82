r"""Equalities with letters that hold whatever the letters are: 3(x - 2) = 3x - 6.

Each is found by putting numbers in the place of the letters. One that holds at every point is taken for an identity,
so a slip in it is one wherever the solution goes; an equation that is to be solved never holds at all of them, and
what cannot be worked out exactly (functions, indices, units) is left alone.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

from annotator.core import expression, tex
from annotator.core.expression import Unsure
from annotator.core.tex import Kind

_POINTS: Final = ((7, 11, 13, 17, 19, 23), (5, 3, 2, 29, 31, 37), (-3, 8, -5, 4, 9, -7))
_LONGEST: Final = 120  # characters of a side
_ENDS: Final = re.compile(
    r"=|[<>;:\n≈≡≠≤≥⇒→]|\\(?:leq?|geq?|neq?|lt|gt|approx|equiv|sim|implies|iff|to|quad|qquad|text|mbox|pm|mp|in|cup"
    r"|Rightarrow|Longrightarrow|rightarrow|begin|end|therefore|boxed)(?![A-Za-z])|\\\\|&|,(?!\d{3})"
)
_LETTER: Final = re.compile(r"\\[A-Za-z]+|[A-Za-z]")
_SIGN: Final = re.compile(r"(?<=[\w)}\s])\s*([-+−])(?=\s*[\w(\\])|^\s*(-)(?=\s*[\w(\\])")


class Side(NamedTuple):
    """The right side of an identity: step[start:end]; left: the other side, as written."""

    start: int
    end: int
    left: str
    text: str


def identities(step: str) -> Iterator[Side]:
    """Yield the right sides of the identities with letters in a step's mathematics, in order."""
    at = 0
    for span in tex.split(step):
        if span.kind is not Kind.TEXT:
            yield from _in_maths(span.tex, at + max(0, span.text.find(span.tex)))
        at += len(span.text)


def holds(left: str, right: str) -> bool:
    """Whether two sides are equal at every point, in some usual reading."""
    return all(_agreement(left, right))


def fails(left: str, right: str) -> bool:
    """Whether both sides can be worked out at every point, and at some are equal in no usual reading."""
    found = _agreement(left, right)
    return None not in found and not all(found)


def turned(side: Side) -> Iterator[str]:
    """Yield the side with one of its signs turned, for each plus or minus between terms or before the first."""
    for found in _SIGN.finditer(side.text):
        group = 1 if found[1] else 2
        sign = "" if group == 2 else "-" if found[1] == "+" else "+"
        yield side.text[: found.start(group)] + sign + side.text[found.end(group) :]


def _in_maths(text: str, offset: int) -> Iterator[Side]:
    marks = list(_ENDS.finditer(text))
    for at, mark in enumerate(marks):
        if mark[0] != "=":
            continue
        begin = marks[at - 1].end() if at else 0
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text)
        left, right = text[begin : mark.start()], text[mark.end() : end]
        if not right.strip() or max(len(left), len(right)) > _LONGEST or not _letters(left + right):
            continue
        if left.strip() != right.strip() and holds(left, right):
            yield Side(offset + mark.end(), offset + end, left.strip(), right)


def _letters(text: str) -> list[str]:
    return sorted({found[0] for found in _LETTER.finditer(text) if len(found[0]) == 1})


def _agreement(left: str, right: str) -> list[bool | None]:
    """Say of each point whether the sides are equal there; None if one cannot be worked out."""
    letters = _letters(left + right)
    if len(letters) > len(_POINTS[0]):
        return [None]
    return [_equal(left, right, dict(zip(letters, point, strict=False))) for point in _POINTS]


def _equal(left: str, right: str, point: Mapping[str, int]) -> bool | None:
    ours, theirs = _values(left, point), _values(right, point)
    return bool(ours & theirs) if ours and theirs else None


def _values(side: str, point: Mapping[str, int]) -> set[Fraction]:
    """What a side is worth at a point, in each reading; commands of TeX stay as they are."""
    bare = side.strip().removesuffix(".")
    text = _LETTER.sub(lambda found: f"({point[found[0]]})" if found[0] in point else found[0], bare)
    try:
        return {value.number for value in expression.evaluate(text)}
    except Unsure:
        return set()
