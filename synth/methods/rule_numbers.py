r"""Numbers as they are written in a text, and other numbers that could stand there in their stead.

A number in an exponent, in a subscript, in a word or right after a TeX command (\frac12) is not one of them.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from random import Random
from typing import Final, NamedTuple

NUMBER: Final = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_BEFORE: Final = r"(?<![\w.^_\\])(?<![\^_]\{)(?<![\^_]\{-)(?<!\^-)(?<!\d,)(?<!\{,\})(?<!\d\{)(?<!,\\!)"
_AFTER: Final = r"(?![\w^_!]|[.,]\d|\{,\}|,\\!|\s*[!^])"
_ALONE: Final = re.compile(rf"{_BEFORE}{NUMBER}{_AFTER}")
_RESULT: Final = re.compile(
    rf"=(?P<between>[\s&]*\\?\$?\s*(?:\\boxed\{{)?\s*)(?P<number>[-−]?(?:\\?\$)?{NUMBER}){_AFTER}"
)
_MOST_PLACES: Final = 4
_LARGEST: Final = 12  # digits


class Spot(NamedTuple):
    """A number where it stands: text[start:end]. `text` is its digits as written, without a sign."""

    start: int
    end: int
    text: str

    @property
    def value(self) -> Fraction:
        return Fraction(self.text.replace(",", ""))


def numbers(text: str, start: int = 0) -> Iterator[Spot]:
    """Yield the numbers of a text from some index on, in order."""
    for found in _ALONE.finditer(text, start):
        if len(found[0]) <= _LARGEST:
            yield Spot(found.start(), found.end(), found[0])


def values(text: str) -> set[Fraction]:
    """Return what the numbers of a text are worth."""
    return {spot.value for spot in numbers(text)}


def results(text: str) -> Iterator[Spot]:
    """Yield the numbers that stand right after an equals sign, in order; a minus belongs to none."""
    for found in _RESULT.finditer(text):
        digits = re.search(NUMBER, found["number"])
        if digits and len(digits[0]) <= _LARGEST:
            start = found.start("number") + digits.start()
            yield Spot(start, start + len(digits[0]), digits[0])


def put(text: str, spot: Spot, new: str) -> str:
    """Return a text with something else in the place of a number."""
    return text[: spot.start] + new + text[spot.end :]


def substituted(text: str, new: Mapping[Fraction, Fraction], start: int = 0) -> str:
    """Return a text with the numbers of some values, from an index on, written with their new values."""
    for spot in reversed(list(numbers(text, start))):
        if spot.value in new and (written := written_as(new[spot.value], spot.text)):
            text = put(text, spot, written)
    return text


def written_as(value: Fraction, like: str) -> str | None:
    """Write a value that is not negative with the commas and at least the decimals of another number.

    None if it takes too many decimals or digits.
    """
    places = len(like.partition(".")[2])
    while places < _MOST_PLACES and (value * 10**places).denominator != 1:
        places += 1
    digits = value * 10**places
    if value < 0 or digits.denominator != 1 or digits >= 10**_LARGEST:
        return None
    whole, decimals = divmod(int(digits), 10**places)
    shown = f"{whole:,}" if "," in like else str(whole)
    return f"{shown}.{decimals:0{places}d}" if places else shown


def slips_of(text: str, chance: Random) -> list[str]:
    """Return other numbers that a hurried writer might put down for a number, in random order, none equal to it.

    They have as many decimals: one or two off, ten off, or with two digits exchanged.
    """
    places = len(text.partition(".")[2])
    whole = int(text.replace(",", "").replace(".", ""))
    found = [whole + 1, whole - 1, whole + 2, whole - 2]
    if whole >= 20:
        found += [whole + 10, whole - 10]
    found += _exchanged(str(whole))
    most = max(2, whole // 2)  # more than that nobody would believe
    others = sorted({one for one in found if one > 0 and 0 < abs(one - whole) <= most})
    chance.shuffle(others)
    written = (written_as(Fraction(one, 10**places), text) for one in others)
    return [one for one in written if one]


def _exchanged(digits: str) -> list[int]:
    pairs = range(len(digits) - 1)
    swapped = (digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in pairs)
    return [int(one) for one in swapped if one[0] != "0"]
