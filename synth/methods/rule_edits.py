"""How rules change a solution: steps replaced and put in, words before a step, and steps numbered as before."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from annotator.core import tex
from annotator.core.align import strip_number
from annotator.core.tex import Kind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that may begin a sentence and lose their capital in the middle of one: none is a name.
_PLAIN: Final = _words(
    "a adding after all an and as at because by combining dividing each every expanding factoring finally first for"
    " from hence here if in it its multiplying next no now of on one our she he since so solving"
    " squaring subtracting that the their then there therefore these they this thus to together using we when"
    " with you"
)
_FIRST_WORD: Final = re.compile(r"([A-Z])([a-z]*)(?=[\s,])")
_SO: Final = re.compile(
    r"(?:therefore|thus|hence|so|then|and|also|finally|next|now|first|second|third|fourth|fifth|lastly)\b,?\s+(?=\S)",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(r"\d+")
# A step that says so only for some case, or only supposes it.
SUPPOSES: Final = re.compile(
    r"\b(?:if|or|either|case|cases|suppose|assum\w+|when|try|trying|guess|test|let|unless|otherwise|whenever|substitut\w*|plug\w*|evaluat\w*|set|setting|choose|pick|take|maybe|perhaps|would|could)\b"
    r"|\\(?:text|mbox)\s*\{[^{}]*\b(?:or|if)\b|\\(?:lor|vee|pm|mp|cases)\b|±",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Edit:
    """A changed solution. changed, wrong: 0-based positions in `steps`, ascending.  reason: why they are wrong."""

    steps: tuple[str, ...]
    changed: tuple[int, ...]
    wrong: tuple[int, ...]
    reason: str


def replaced(steps: Sequence[str], new: Mapping[int, str]) -> tuple[str, ...]:
    """Return the steps with those at some positions replaced."""
    return tuple(new.get(at, step) for at, step in enumerate(steps))


def inserted(steps: Sequence[str], at: int, new: str) -> tuple[str, ...]:
    """Return the steps with a new one at position `at`; if all were numbered 1, 2, 3, … they are so again."""
    prefixes = [step[: len(step) - len(strip_number(step))] for step in steps]
    numbers = [_DIGITS.search(prefix) for prefix in prefixes]
    result = [*steps[:at], new, *steps[at:]]
    if [found and int(found[0]) for found in numbers] != list(range(1, len(steps) + 1)):
        return tuple(result)
    form = prefixes[min(at, len(steps) - 1)]
    bare = [new if place == at else strip_number(step) for place, step in enumerate(result)]
    return tuple(_DIGITS.sub(str(number), form, count=1) + step for number, step in enumerate(bare, 1))


def led_in(step: str, words: str) -> str:
    """Return a step with words before it that end with " ", such as "Obviously, ", after its number if it has one.

    "Therefore," and the like go. Where its first word may be a name or a formula, a colon takes the place of the last
    comma or "that".
    """
    bare = strip_number(step)
    prefix = step[: len(step) - len(bare)]
    if so := _SO.match(bare):
        bare = bare[so.end()].upper() + bare[so.end() + 1 :]
    first = _FIRST_WORD.match(bare)
    if first and first[0].lower() in _PLAIN:
        return f"{prefix}{words}{bare[0].lower()}{bare[1:]}"
    return f"{prefix}{words.rstrip(', ').removesuffix(' that')}: {bare}"


def maths(text: str) -> list[tuple[int, int]]:
    """Return where mathematics stands in a text: the first index and the one after the last, each."""
    found, at = [], 0
    for span in tex.split(text):
        if span.kind is not Kind.TEXT:
            found.append((at, at + len(span.text)))
        at += len(span.text)
    return found


def outside_maths(
    step: str, spans: Sequence[tuple[int, int]], pattern: re.Pattern[str]
) -> Iterator[re.Match[str]]:
    """Yield the matches that begin in none of the given spans of mathematics."""
    for found in pattern.finditer(step):
        if not any(start <= found.start() < end for start, end in spans):
            yield found
