r"""What a numeric expression is worth, exactly; of a text that is not surely one, nothing.

Read are numbers (1,000 and 1{,}000 too), + - * / ^, their TeX and Unicode spellings, \frac, \sqrt of perfect
squares, \boxed, brackets and %. A letter or any other command makes it `Unsure`. Everything is bounded before
it is computed (tokens, digits, depth, exponents), so no text takes long and nothing has to be killed: sums of
`Fraction`s are exact, and what would need a computer algebra system (letters, roots) is what we leave alone.

Some spellings have two readings that people use: `readings` returns both values, and who compares two
expressions should believe either. They are

    percent  20% is 0.2, or 20 of a unit          slash  1/2 * 3 is 1.5, or 1 over 2 * 3
    mixed    2\frac12 is two and a half, or 1     minus  -3^2 is -9, or 9
"""

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain, combinations
from math import isqrt
from typing import Final, NamedTuple

from annotator.core.numerals import Token, tokens

MAX_TOKENS: Final = 100
MAX_DEPTH: Final = 12
MAX_BITS: Final = 400  # of a numerator and a denominator together

_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_GROUPING: Final = re.compile(r"[,{}\\!]")


Number = int | Fraction


class Unsure(ValueError):
    """Not surely a numeric expression, or one beyond our bounds."""


class Value(NamedTuple):
    """What an expression is worth in one reading.

    places: decimals shown, if it is one number.  operations: how many it takes to work it out.
    slack: how far rounding of the decimals in products may carry, as a share of the whole.
    """

    number: Fraction
    places: int | None
    operations: int
    slack: float
    adds_percents: bool


def readings(expression: Sequence[Token]) -> list[Value]:
    """Return the expression's value in each of its readings, the usual first. Raises Unsure."""
    if not 0 < len(expression) <= MAX_TOKENS:
        raise Unsure("too long, or nothing")
    usual = _Parser(expression, frozenset())
    value = usual.value()
    doubts = sorted(usual.doubts)
    others = chain.from_iterable(combinations(doubts, size) for size in range(1, len(doubts) + 1))
    return [value, *(_Parser(expression, frozenset(reading)).value() for reading in others)]


def evaluate(text: str) -> list[Value]:
    """Return `readings` of a text that is nothing but an expression. Raises Unsure."""
    return readings([token for token in tokens(text.strip()) if token.kind not in ("enter", "leave")])


def _bounded(number: Number) -> Number:
    if number.numerator.bit_length() + number.denominator.bit_length() > MAX_BITS:
        raise Unsure("too many digits")
    return number


class _Parser:
    """Reads one expression in one reading: the names of `doubts` it decides the unusual way."""

    def __init__(self, expression: Sequence[Token], reading: frozenset[str]) -> None:
        self.rest = list(reversed(expression))
        self.reading = reading
        self.doubts: set[str] = set()
        self.depth = self.operations = self.sums = self.products = 0
        self.places: list[int] = []
        self.slack = 0.0

    def value(self) -> Value:
        """Read all of it."""
        number = self._sum()
        if self.rest:
            raise Unsure(f"{self.rest[-1].text} is left over")
        is_one = not self.operations and len(self.places) == 1
        return Value(
            Fraction(number),
            self.places[0] if is_one else None,
            self.operations,
            self.slack if self.products else 0.0,
            "percent" in self.doubts and self.sums > 0,
        )

    def _kind(self) -> str:
        return self.rest[-1].kind if self.rest else ""

    def _take(self, kind: str) -> Token | None:
        return self.rest.pop() if self._kind() == kind else None

    def _sum(self) -> Number:
        number = self._product()
        while self._kind() in ("plus", "minus"):
            sign = 1 if self.rest.pop().kind == "plus" else -1
            self.sums += 1
            self.operations += 1
            number = _bounded(number + sign * self._product())
        return number

    def _product(self) -> Number:
        number = self._factor()
        while self._kind() not in ("", "plus", "minus", "close"):
            kind = self._operator()
            self.operations += 1
            self.products += 1
            number = self._divide(number) if kind == "over" else _bounded(number * self._factor())
        return number

    def _operator(self) -> str:
        """Take "times" or "over"; two factors side by side multiply if nobody can read them otherwise."""
        if self._kind() in ("times", "over"):
            return self.rest.pop().kind
        bracket = self._kind() == "open" and self.rest[-1].is_glued and self.rest[-1].text != "{"
        if not bracket and self._kind() not in ("frac", "sqrt"):
            raise Unsure("two numbers side by side")
        return "times"

    def _divide(self, number: Number) -> Number:
        divisor = self._factor()
        if self._kind() not in ("", "plus", "minus", "close", "over"):
            self.doubts.add("slash")
            if "slash" in self.reading:
                divisor = _bounded(divisor * self._product_after())
        if not divisor:
            raise Unsure("divided by 0")
        return _bounded(Fraction(number) / divisor)

    def _product_after(self) -> Number:
        """The factors that follow a divisor, up to the next division."""
        number: Number = 1
        while self._kind() not in ("", "plus", "minus", "close", "over"):
            self._operator()
            number = _bounded(number * self._factor())
        return number

    def _factor(self) -> Number:
        """A number or what stands for one, with its sign, power and %."""
        is_negated = self._take("minus") is not None
        number = self._mixed(self._atom())
        sign = -1 if is_negated else 1
        if self._take("power"):
            if is_negated:
                self.doubts.add("minus")
                if "minus" in self.reading:
                    number, sign = -number, 1
            number = self._power(number)
        if self._take("percent"):
            self.doubts.add("percent")
            number = number if "percent" in self.reading else Fraction(number) / 100
        return sign * number

    def _mixed(self, number: Number) -> Number:
        """Two and a half, where a whole number stands at a fraction."""
        if self._kind() != "frac" or number.denominator != 1:
            return number
        self.doubts.add("mixed")
        self.operations += 1
        fraction = self._atom()
        return _bounded(number * fraction if "mixed" in self.reading else number + fraction)

    def _power(self, base: Number) -> Number:
        is_inverse = self._take("minus") is not None
        exponent = self._atom()
        if exponent < 0:
            is_inverse, exponent = not is_inverse, -exponent
        if self._kind() == "power" or exponent.denominator != 1:
            raise Unsure("not a whole power")
        if not base and (is_inverse or not exponent):
            raise Unsure("a power of 0")
        bits = base.numerator.bit_length() + base.denominator.bit_length()
        if exponent * bits > MAX_BITS:
            raise Unsure("too many digits")
        self.operations += 1
        self.products += 1
        power = Fraction(base) ** int(exponent)
        return 1 / power if is_inverse else power

    def _atom(self) -> Number:
        token = self.rest.pop() if self.rest else Token("", "", False)
        if token.kind == "number":
            return self._number(token.text)
        if token.kind == "open":
            return self._group(token.text)
        if token.kind == "frac":
            return self._fraction()
        if token.kind == "sqrt":
            return self._root(self._argument())
        if token.kind == "boxed":
            return self._argument()
        raise Unsure(f"a number is missing before {token.text or 'the end'}")

    def _number(self, text: str) -> Number:
        if len(text) > MAX_BITS // 8:
            raise Unsure("too many digits")
        whole, _, decimals = (text if text.isdigit() else _GROUPING.sub("", text)).partition(".")
        places, digits = len(decimals), int(whole + decimals)
        self.places.append(places)
        if places and digits:
            self.slack += 0.5 / digits
        return Fraction(digits, 10**places) if places else digits

    def _group(self, opening: str) -> Number:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unsure("too deep")
        number = self._sum()
        closing = self._take("close")
        if not closing or closing.text != _PAIRS[opening]:
            raise Unsure(f"{opening} is not closed")
        self.depth -= 1
        return number

    def _fraction(self) -> Number:
        above, below = self._argument(), self._argument()
        if not below:
            raise Unsure("divided by 0")
        self.operations += 1
        self.products += 1
        return _bounded(Fraction(above) / below)

    def _argument(self) -> Number:
        r"""What a command is given: a group in braces, or the one digit that follows (\frac12)."""
        opening = self._take("open")
        if opening and opening.text == "{":
            return self._group("{")
        digits = None if opening else self._take("number")
        if digits is None or not digits.text.isdigit():
            raise Unsure("a command without its argument")
        if len(digits.text) > 1:
            self.rest.append(Token("number", digits.text[1:], True))
        return self._number(digits.text[0])

    def _root(self, square: Number) -> Number:
        if square < 0:
            raise Unsure("the root of a negative number")
        above, below = isqrt(square.numerator), isqrt(square.denominator)
        if Fraction(above * above, below * below) != square:
            raise Unsure("an irrational root")
        self.operations += 1
        return Fraction(above, below)
