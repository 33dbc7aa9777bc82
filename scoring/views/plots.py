"""Curves, histograms and slopes as geometry for inline SVG: x in percent of the width, y in pixels."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isclose
from typing import NamedTuple

from scoring.views import bands
from scoring.views.bands import Scale, Tick

HEIGHT = 200
TOP, BOTTOM = 12, 24  # pixels above the highest and below the lowest value
MOST_DOTS = 16
LOOKS = ("disc", "box", "wedge")
MIDDLE = 90  # of a histogram: right steps stand above it, wrong ones hang below
ROW = 26  # pixels between the places of a slope
SIDES = (40.0, 60.0)  # percent: where a slope's lines begin and end


class Point(NamedTuple):
    """A value at x; `between`: the ends of its interval."""

    x: float
    y: float | None
    title: str
    between: Sequence[float | None] | None = None


class Dot(NamedTuple):
    x: float
    y: float
    low: float | None
    high: float | None
    title: str


class Segment(NamedTuple):
    x1: float
    y1: float
    x2: float
    y2: float


class Line(NamedTuple):
    """look: a shape and a class; the line is broken where a value is undefined. Where dots would touch each other
    only one in a few is `shown`."""

    name: str
    look: str
    dots: list[Dot]
    segments: list[Segment]

    @property
    def shown(self) -> list[Dot]:
        return self.dots[:: max(1, len(self.dots) // MOST_DOTS)]


class Plot(NamedTuple):
    """rows: y in pixels and its text.  guide: the diagonal, or a vertical line, or nothing."""

    title: str
    lines: list[Line]
    rows: list[Tick]
    columns: list[Tick]
    guide: Segment | None
    height: int = HEIGHT
    floor: int = HEIGHT - BOTTOM


def plot(
    title: str,
    series: Sequence[tuple[str, Sequence[Point]]],
    *,
    across: Scale,
    up: Scale,
    ticks: Sequence[tuple[float, str]],
    rows: Sequence[tuple[float, str]] | None = None,
    guide: tuple[float, float, float, float] | None = None,
) -> Plot:
    """Up to three lines. ticks, rows: values with their texts, across and up; guide: x1, y1, x2, y2 of a thin line
    to compare with."""

    def y(value: float) -> float:
        share = (min(max(value, up.low), up.high) - up.low) / (up.high - up.low)
        return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)

    lines = [
        _line(name, look, points, across, y) for look, (name, points) in zip(LOOKS, series, strict=False)
    ]
    said = [(float(tick.text.replace("−", "-")), tick.text) for tick in up.ticks] if rows is None else rows
    columns = [Tick(across.at(x), text) for x, text in ticks]
    drawn = guide and Segment(across.at(guide[0]), y(guide[1]), across.at(guide[2]), y(guide[3]))
    return Plot(title, lines, [Tick(y(value), text) for value, text in said], columns, drawn)


def _line(name: str, look: str, points: Sequence[Point], across: Scale, y: Callable[[float], float]) -> Line:
    dots: list[Dot | None] = []
    for point in points:
        if point.y is None:
            dots.append(None)
            continue
        low, high = point.between or (None, None)
        ends = [None if end is None else y(end) for end in (low, high)]
        dots.append(Dot(across.at(point.x), y(point.y), ends[0], ends[1], point.title))
    pairs = pairwise(dots)
    segments = [Segment(a.x, a.y, b.x, b.y) for a, b in pairs if a is not None and b is not None]
    return Line(name, look, [dot for dot in dots if dot is not None], segments)


def every(ticks: Sequence[tuple[float, str]], most: int = 8) -> list[tuple[float, str]]:
    """At most `most` of the ticks, evenly chosen from the first, so that texts do not meet on a phone."""
    return list(ticks[:: max(1, -(-len(ticks) // most))])


class Bar(NamedTuple):
    """x, width in percent; y, height in pixels."""

    x: float
    width: float
    y: float
    height: float
    title: str


class Histogram(NamedTuple):
    """Shares of right steps above the middle, of wrong ones below it. at: percent of the threshold, if any."""

    title: str
    right: list[Bar]
    wrong: list[Bar]
    columns: list[Tick]
    at: float | None
    middle: int = MIDDLE
    height: int = 2 * MIDDLE + BOTTOM


def histogram(
    title: str, edges: Sequence[float], right: Sequence[int], wrong: Sequence[int], at: float | None
) -> Histogram:
    """Bars as high as a bin's share of its own side: wrong steps are few, and would not be seen beside right ones."""
    scale = Scale(edges[0], edges[-1])
    n_right, n_wrong = sum(right), sum(wrong)
    shares = [
        [n / total if total else 0 for n in counts] for counts, total in ((right, n_right), (wrong, n_wrong))
    ]
    most = max(max(side, default=0) for side in shares) or 1
    bars: list[list[Bar]] = []
    for side, (counts, share) in enumerate(zip((right, wrong), shares, strict=True)):
        name = ("right", "wrong")[side]
        bars.append([])
        for n, (low, high) in enumerate(pairwise(edges)):
            tall = share[n] / most * (MIDDLE - TOP)
            said = f"{low:.2f}–{high:.2f}: {counts[n]:,} {name} steps, {100 * share[n]:.1f} % of the {name}"
            left, width = scale.at(low), scale.at(high) - scale.at(low)
            top = MIDDLE - tall if side == 0 else MIDDLE
            bars[side].append(Bar(left + 0.1 * width, 0.8 * width, top, tall, said))
    ticks = [Tick(scale.at(value), f"{value:g}") for value in _round(edges[0], edges[-1])]
    return Histogram(title, bars[0], bars[1], ticks, None if at is None else scale.at(at))


def _round(low: float, high: float) -> list[float]:
    return [low + (high - low) * n / 4 for n in range(5)] if not isclose(low, high) else [low]


class Slope(NamedTuple):
    """One rater: its place before and after; direction up, down or same."""

    name: str
    left: str
    right: str
    y1: float
    y2: float
    direction: str


class Slopes(NamedTuple):
    title: str
    lines: list[Slope]
    height: int
    x1: float = SIDES[0]
    x2: float = SIDES[1]


def slopes(title: str, rows: Sequence[tuple[str, float | None, float | None]]) -> Slopes:
    """Places of raters by two scores: name, before, after. Raters without both are left out."""
    known = [(name, a, b) for name, a, b in rows if a is not None and b is not None]
    before = {name: n for n, (name, _, _) in enumerate(sorted(known, key=lambda row: (-row[1], row[0])))}
    after = {name: n for n, (name, _, _) in enumerate(sorted(known, key=lambda row: (-row[2], row[0])))}
    lines = [
        Slope(
            name, bands.number(a), bands.number(b), _place(before[name]), _place(after[name]),
            "up" if after[name] < before[name] else "down" if after[name] > before[name] else "same",
        )
        for name, a, b in known
    ]  # fmt: skip
    return Slopes(title, lines, ROW * (len(known) + 1))


def _place(n: int) -> float:
    return ROW * (n + 1)
