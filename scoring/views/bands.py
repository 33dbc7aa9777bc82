"""Values on a line as geometry for inline SVG: marks with intervals, in percent of the width.

Everything is placed by percentages, so that a chart fits a phone without its letters shrinking.
"""

from collections.abc import Iterable, Sequence
from math import ceil, floor
from typing import NamedTuple

SHAPES = ("disc", "box", "wedge", "line")  # told apart without colour
EDGE = 4.0  # percent left free on both sides
LANE = 7  # pixels between the values of one line, so that equal ones are all seen
TICKS = 6  # at most


class Tick(NamedTuple):
    """at: percent of the width."""

    at: float
    text: str


class Scale(NamedTuple):
    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value stands, in percent of the width; what is beyond the ends stands at them."""
        inside = min(max(value, self.low), self.high)
        return EDGE + (100 - 2 * EDGE) * (inside - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[Tick]:
        step = next(s for s in (1, 2, 5, 10, 20, 50) if (self.high - self.low) / s <= TICKS - 1 or s == 50)
        first = ceil(self.low / step - 1e-9)
        return [
            Tick(self.at(n * step), f"{n * step:g}".replace("-", "−"))
            for n in range(first, floor(self.high / step + 1e-9) + 1)
        ]


class Mark(NamedTuple):
    """One value. low, high: of its interval, None without one; all in percent of the width."""

    look: str
    at: float
    low: float | None
    high: float | None
    title: str


class Band(NamedTuple):
    marks: list[Mark]
    ticks: list[Tick]
    words: str

    @property
    def lanes(self) -> list[tuple[int, Mark]]:
        """Every mark with its y in pixels, one below the other."""
        return [(9 + LANE * n, mark) for n, mark in enumerate(self.marks)]

    @property
    def height(self) -> int:
        return 18 + LANE * max(len(self.marks) - 1, 0)


class Value(NamedTuple):
    """A number with its name; `between`: the ends of its interval, or None."""

    name: str
    value: float | None
    between: Sequence[float | None] | None = None


def scale_of(values: Iterable[float | None], least: float = 0, most: float = 100, step: int = 10) -> Scale:
    """From the lowest to the highest value, in whole steps and inside least..most."""
    known = [value for value in values if value is not None]
    low = max(least, step * floor(min(known, default=least) / step))
    high = min(most, step * ceil(max(known, default=most) / step))
    return Scale(low, high) if high > low else Scale(max(least, high - step), max(least, high - step) + step)


def band(values: Sequence[Value], scale: Scale) -> Band:
    """Up to four values on one line, each with a shape of its own; what is undefined has none."""
    marks = [
        mark(one, look, scale) for one, look in zip(values, SHAPES, strict=False) if one.value is not None
    ]
    return Band(marks, scale.ticks, "; ".join(in_words(one) for one in values))


def mark(one: Value, look: str, scale: Scale) -> Mark:
    low, high = one.between or (None, None)
    ends = [None if end is None else scale.at(end) for end in (low, high)]
    return Mark(look, scale.at(one.value or 0), ends[0], ends[1], in_words(one))


def in_words(one: Value) -> str:
    """ "o1-mini: 68.8, 95 % interval 61.0–70.2"."""
    return f"{one.name}: {number(one.value)}{between_words(one.between)}".removeprefix(": ")


def between_words(between: Sequence[float | None] | None) -> str:
    low, high = between or (None, None)
    return "" if low is None or high is None else f", 95 % interval {low:.1f}–{high:.1f}"


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
