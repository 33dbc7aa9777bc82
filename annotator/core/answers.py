r"""The answer that a solution ends with, and whether it is surely another than the reference answer.

Answers are compared as numbers, in every usual reading (core.expression), or as letters of a multiple choice.
What is neither, such as 16\sqrt{3} or (-1, 6), is never surely another: 2x = y may be y = 2x.
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from annotator.core import expression
from annotator.core.arithmetic import FACTORS
from annotator.core.expression import Unsure, Value

_MAX: Final = 200  # characters of an answer
_MAX_BOXES: Final = 20
_HEADING: Final = re.compile(
    r"(?:#+ *|\*\*)(?:final )?answer:?(?:\*\*)?:?\s*\n\s*(\S[^\n]*?)\s*\Z", re.IGNORECASE
)
_SAID: Final = re.compile(
    r"\banswer\s+is\s*:?\s*(?:\*\*)?"
    r"(\$[^$\n]+\$|\\\([^\n]+?\\\)|\\?\$?-?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?)"
    r"(?=[\s.*]*(?:[A-Za-z ]{0,40}\.)?\s*\Z)",
    re.IGNORECASE,
)
_DELIMITED: Final = re.compile(r"\\\[(.*)\\\]|\\\((.*)\\\)|\$\$?(.*?)\$?\$", re.DOTALL)
_BOXED: Final = re.compile(r"\\boxed\s*\{")
_LETTER: Final = re.compile(r"\(?([A-J])\)?")
_DRESS: Final = re.compile(r"\\(?:text|textbf|mathrm|mbox)\s*\{([^{}]*)\}")
_UNIT: Final = re.compile(r"(?<=[\d})%])[\\,\s]*(?:[A-Za-z]{2,}[ .]+)*[A-Za-z]{2,}[ .]*(?:\^\{?[23]\}?)?\Z")
_NAME: Final = re.compile(r"\A[A-Za-z]\s*=\s*")


class _Number(NamedTuple):
    values: list[Value]
    has_unit: bool


def final_answer(steps: Sequence[str]) -> str | None:
    r"""Return the answer in the last step: in its only \boxed{}, under "# Answer", or after "answer is"."""
    last = steps[-1].rstrip() if steps else ""
    boxed = _boxed(last)
    if boxed:
        return boxed[-1] if len({"".join(text.split()) for text in boxed}) == 1 else None
    found = _HEADING.search(last[-_MAX:]) or _SAID.search(last[-_MAX:])
    return found[1] if found else None


def is_other(answer: str, reference: str) -> bool:
    """Whether an answer is surely not the reference answer."""
    letters = _letter(answer), _letter(reference)
    if all(letters):
        return letters[0] != letters[1]
    ours, theirs = _number(answer), _number(reference)
    if ours is None or theirs is None:
        return False
    has_unit = ours.has_unit or theirs.has_unit
    return not any(_is_same(a, b, has_unit) for a in ours.values for b in theirs.values)


def compare(answer: str, reference: str) -> str:
    """Return "same", "another" or "unknown": of two answers that only may be equal nothing is said."""
    if is_other(answer, reference):
        return "another"
    if all(letters := (_letter(answer), _letter(reference))):
        return "same" if letters[0] == letters[1] else "another"
    if "".join(_plain(answer).split()) == "".join(_plain(reference).split()):
        return "same" if _plain(answer) else "unknown"
    ours, theirs = _number(answer), _number(reference)
    if ours is None or theirs is None or ours.has_unit != theirs.has_unit:
        return "unknown"
    return "same" if any(a.number == b.number for a in ours.values for b in theirs.values) else "unknown"


def _boxed(text: str) -> list[str]:
    """Return what stands in each closed box, braces balanced."""
    found: list[str] = []
    for match in list(_BOXED.finditer(text))[-_MAX_BOXES:]:
        depth, start = 1, match.end()
        for at in range(start, min(len(text), start + _MAX)):
            depth += (text[at] == "{") - (text[at] == "}")
            if not depth:
                found.append(text[start:at])
                break
    return found


def _letter(text: str) -> str:
    found = _LETTER.fullmatch(_plain(text))
    return found[1] if found else ""


def _number(text: str) -> _Number | None:
    plain = _NAME.sub("", _plain(text))
    bare = _UNIT.sub("", plain)
    try:
        return _Number(expression.evaluate(bare), bare != plain)
    except Unsure:
        return None


def _plain(text: str) -> str:
    """The text of an answer without delimiters of mathematics, \text and a full stop."""
    text = text[:_MAX].strip().strip("*").rstrip(". ")
    found = _DELIMITED.fullmatch(text)
    if found:
        text = next(part for part in found.groups() if part is not None)
    return _DRESS.sub(r"\1", text).strip().rstrip(". ")


def _is_same(a: Value, b: Value, has_unit: bool) -> bool:
    """Whether two numbers are equal, or may be: rounded, or in other units (29 cents, 0.29 dollars)."""
    gap = abs(a.number - b.number)
    if not gap or any(v.places and gap < Fraction(1, 10**v.places) for v in (a, b)):
        return True
    if not has_unit or not a.number or not b.number:
        return False
    return a.number / b.number in FACTORS or b.number / a.number in FACTORS
