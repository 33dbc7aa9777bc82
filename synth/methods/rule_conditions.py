"""Conditions that a step needs and no longer states."""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from annotator.core import tex
from annotator.core.align import strip_number
from synth.methods.rule_edits import Edit, maths, outside_maths, replaced

_LONGEST: Final = 160  # characters of a condition
_LEAST: Final = 20  # characters of what is left of a step
_WORD: Final = re.compile(
    r"\b(?:positive|negative|non-?zero|non-?negative|integers?|whole|odd|primes?|distinct|different|divisible|coprime"
    r"|at least|at most|greater|less|more than|fewer|between|must|cannot|never|real|right angles?|parallel"
    r"|perpendicular|equal|congruent|similar|independent|isosceles|increasing|decreasing|symmetric|convex|even)\b",
    re.IGNORECASE,
)
_SYMBOL: Final = re.compile(r"[<>≤≥≠]|\\(?:leq?|geq?|neq?|lt|gt|in|mid|perp|parallel|cong|sim)(?![A-Za-z])")
_OPENS: Final = re.compile(r"(?:^|(?<=[.;:] ))(?:Since|Because|As) ")
_CLOSES: Final = re.compile(r",? (?:since|because|provided that|as long as) (?=[^.]*\.?\s*\Z)")
_FOR: Final = re.compile(
    r",? (?:for|where) (?=(?:(?:some|all|every|any|each|positive|real|integers?) )*[$\\])"
)
_SO: Final = re.compile(r", (?=(?:so|hence|thus|and so|therefore)\b)")
_COMMA: Final = re.compile(r", ")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_CHAR: Final = re.compile(r"\w+|[<>≤≥≠=]")


def dropped(problem: str, steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """Yield solutions in which one step draws its conclusion without the condition that it stated."""
    for at in chance.sample(range(len(steps)), len(steps)):
        others = [problem, *steps[:at], *steps[at + 1 :]]
        found = [(c, rest) for c, rest in _parted(steps[at]) if _is_needed(c, others)]
        for condition, rest in chance.sample(found, len(found)):
            told = f"Step {at + 1} needs a condition that is stated nowhere now: {condition}."
            yield Edit(replaced(steps, {at: rest}), (at,), (at,), told)


def _parted(step: str) -> Iterator[tuple[str, str]]:
    """Yield each condition of a step with what remains without it."""
    bare = strip_number(step)
    prefix, spans = step[: len(step) - len(bare)], maths(bare)
    starts = [(found.end(), _COMMA, found.start()) for found in outside_maths(bare, spans, _OPENS)]
    for begin, until, kept in [*starts, (0, _SO, 0)]:
        stop = next((c for c in outside_maths(bare, spans, until) if c.start() > begin), None)
        if until is _SO and stop and not _WORD.search(bare[: stop.start()]):
            continue  # only a formula: the step before, carried on
        if stop and (rest := bare[stop.end() :].strip()):
            yield bare[begin : stop.start()], prefix + bare[:kept] + rest[0].upper() + rest[1:]
    for closing in [found for words in (_CLOSES, _FOR) for found in outside_maths(bare, spans, words)]:
        condition, left = (
            bare[closing.end() :].strip().removesuffix("."),
            bare[: closing.start()].rstrip(" ,"),
        )
        is_all = ", " not in condition and (closing.re is not _FOR or _SYMBOL.search(condition))
        if is_all and len(left) >= _LEAST:
            yield condition, f"{prefix}{left}{'.' if bare.rstrip().endswith('.') else ''}"


def _is_needed(condition: str, others: Sequence[str]) -> bool:
    """Whether a clause restricts something, and what it says stands nowhere else: neither its restricting words, nor
    its formulas, nor all of its numbers."""
    if not condition or len(condition) > _LONGEST or ". " in condition:
        return False
    words = _WORD.findall(condition)
    formulas = [span.tex for span in tex.split(condition) if _SYMBOL.search(span.tex)]
    elsewhere = " ".join(_plain(text) for text in others)
    numbers = set(_NUMBER.findall(condition))
    known = numbers and numbers <= set(_NUMBER.findall(" ".join(others)))
    said = any(_plain(one) in elsewhere for one in (condition, *words, *formulas))
    return bool(words or formulas) and not known and not said


def _plain(text: str) -> str:
    return " ".join(_CHAR.findall(text.lower()))
