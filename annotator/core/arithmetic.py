r"""Numeric equalities in a text that do not hold, such as 3 \times 4 = 13.

Only what is surely meant as arithmetic is judged: a false alarm costs a reviewer's trust, a miss costs less.
Both sides must be numeric as a whole (core.sides, core.expression) and differ in every usual reading; what
rounding, a change of units (1 hour, 60 minutes) or a running total (3 + 4 = 7 + 5 = 12) explains is let pass.
Work is bounded, by MAX_RELATIONS for a text and by _WINDOW for each: see docs/adr/0012.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from annotator.core import expression, sides
from annotator.core.expression import Unsure, Value
from annotator.core.numerals import tokens
from annotator.core.sides import Side

MAX_RELATIONS: Final = 100  # of a text
ABOUT: Final = Fraction(1, 10)  # the gap that ≈ may leave, as a share of the greater side
MAX_SLACK: Final = 0.02  # the greatest gap that rounded factors explain, as a share of the greater side
_WINDOW: Final = 90  # characters of a side; what is longer is not sure

_RELATION: Final = re.compile(r"=|≈|\\approx(?![A-Za-z])")
_LAST_WORD: Final = re.compile(r".*(?<![\w\\{'’-])([A-Za-z]{2,})", re.DOTALL)
_SPACE: Final = " \t\n&$*\\"

# What stands in such a text may be arithmetic of another kind, or be said not to hold.
_DOUBT: Final = re.compile(
    r"\b(?:mod|modulo|remainder|base|binary|octal|hexadecimal|clock|round(?:s|ed|ing)?|nearest|floor|ceiling"
    r"|no|not|cannot|false|wrong|incorrect|fails?|contradict\w*|impossible|whether|suppose|assum\w+|would"
    r"|instead of|if)\b|n['’]t\b|\\p?mod|\\neq?\b|[≡≠?]",
    re.IGNORECASE,
)
# A problem in which + or 12 may mean something else.
_OTHER_RULES: Final = re.compile(
    r"\bbase[- ]?(?:\$|\\|\d|b\b|two|three|four|five|six|seven|eight|nine|ten|twelve|sixteen)|\\p?mod|\\equiv"
    r"|≡|\b(?:mod(?:ulo|ular)?|binary|octal|hexadecimal|clock|operat(?:ion|or)s?)\b|\d_\{?\d+\}? ?[-+]",
    re.IGNORECASE,
)
_CONVERTED: Final = re.compile(
    r"(?:cent|dollar|penny|pennies|dime|nickel|quarter|second|minute|hour|day|week|month|year|inch|inches|foot|feet"
    r"|yard|mile|meter|metre|centimeter|kilometer|gram|kilogram|ounce|pound|liter|litre|gallon|quart|pint|cup)s?"
)
FACTORS: Final = frozenset(
    {2, 3, 4, 5, 7, 8, 10, 12, 16, 20, 24, 25, 30, 36, 50, 52, 60, 100, 144, 365, 1000, 3600, 5280}
)


class Equality(NamedTuple):
    """Two sides of an `=` or `≈` that could be worked out. text: as written, blanks evened out."""

    text: str
    left: Fraction
    right: Fraction
    holds: bool


def is_ordinary(problem: str) -> bool:
    """Whether a problem keeps to everyday arithmetic: no other base, modulus or operation of its own."""
    return not _OTHER_RULES.search(problem)


def false_equalities(text: str) -> list[Equality]:
    """Return the equalities of a text that surely do not hold, in order."""
    found = [equality for equality in equalities(text) if not equality.holds]
    return [] if found and _DOUBT.search(text) else found


def equalities(text: str) -> Iterator[Equality]:
    """Yield the equalities of a text that can be worked out, in order; a chain a = b = c is two."""
    if "=" not in text and "≈" not in text and "\\approx" not in text:
        return
    start = 0
    relations = list(_RELATION.finditer(text))[:MAX_RELATIONS]
    for k, relation in enumerate(relations):
        end = relations[k + 1].start() if k + 1 < len(relations) else len(text)
        found = _equality(text[start : relation.start()], text[relation.end() : end], relation[0])
        if found:
            yield found
        start = relation.end()


def _equality(before: str, after: str, relation: str) -> Equality | None:
    """Work out an equality, given what stands before and after its sign up to the next one."""
    if not _may_be_numeric(before, after):
        return None
    right = sides.right(tokens(after[:_WINDOW]), len(after) > _WINDOW)
    before = before.rstrip(" \t\n&")
    before = before[before.rfind("\n") + 1 :]
    left = sides.left(list(tokens(_end_of(before[-_WINDOW:]))), len(before) > _WINDOW) if right else None
    if not left or not right:
        return None
    try:
        lefts, rights = expression.readings(left.numeric), expression.readings(right.numeric)
    except Unsure:
        return None
    if not _is_meant(left, lefts[0], rights[0]):
        return None
    holds = any(_holds(a, b, relation != "=") for a in lefts for b in rights)
    holds = holds or _is_explained(left, lefts[0], right, rights[0])
    return Equality(f"{left.shown} {relation} {right.shown}", lefts[0].number, rights[0].number, holds)


def _may_be_numeric(before: str, after: str) -> bool:
    """Sort out at once what has a letter beside the sign, as most equalities have."""
    tail, first = before[-12:].rstrip(_SPACE), after[:12].lstrip(" \n&$")[:1]
    is_number = tail[-1:].isdigit() or tail.endswith((")", "]", "}", "%", "°", "circ"))
    return is_number and (first.isdigit() or first in "([{-−\\.*")


def _end_of(before: str) -> str:
    """What of a text a left side can reach: back to the last word, unless that may stand inside a command's braces.
    Most of a step is words, and cutting it into tokens is dear."""
    word = _LAST_WORD.match(before)
    if not word:
        return before
    end = before[word.start(1) :]
    opens, closes = end.find("{"), end.find("}")
    is_inside = closes >= 0 and (not 0 <= opens < closes or end.count("{") != end.count("}"))
    return before if is_inside else end


def _is_meant(left: Side, left_value: Value, right_value: Value) -> bool:
    """Whether two numeric sides are surely meant to be equal as they stand: there is something to work out,
    and neither a minus nor a lone number on the left belongs to what stands before it."""
    minus = left.tokens[0].kind == "minus"
    if minus and (left.word or not left.tokens[1].is_glued):
        return False
    if left.word and not left_value.operations:
        return False
    return bool(left_value.operations or right_value.operations)


def _holds(left: Value, right: Value, is_about: bool) -> bool:
    """Whether two values are equal as far as they are shown."""
    gap, size = abs(left.number - right.number), max(abs(left.number), abs(right.number))
    if not gap or (is_about and gap <= size * ABOUT):
        return True
    for value in (left, right):
        if value.places is not None and (value.places or is_about) and gap < Fraction(1, 10**value.places):
            return True
    return gap <= size * Fraction(min(left.slack + right.slack, MAX_SLACK))


def _is_explained(left: Side, left_value: Value, right: Side, right_value: Value) -> bool:
    """Whether the gap is no slip: a sum of percents or of different units, a running total, a quotient
    rounded to a whole number, other units."""
    if left_value.adds_percents or right_value.adds_percents or _adds_units(left, right):
        return True
    if _divides(left) and right_value.places == 0 and abs(left_value.number - right_value.number) < 1:
        return left_value.number.denominator != 1  # 17 / 3 = 6 buses
    if right.tokens[0].kind == "number" and right_value.operations:
        return expression.readings(right.tokens[:1])[0].number == left_value.number
    if not any(_CONVERTED.fullmatch(unit) for unit in left.units | right.units):
        return False
    a, b = left_value.number, right_value.number
    return bool(a and b) and (a / b in FACTORS or b / a in FACTORS)


def _adds_units(left: Side, right: Side) -> bool:
    is_sum = any(token.kind in ("plus", "minus") for token in (*left.tokens, *right.tokens))
    return is_sum and len({unit.removesuffix("s") for unit in left.units | right.units}) > 1


def _divides(side: Side) -> bool:
    return any(token.kind in ("over", "frac") for token in side.tokens)
