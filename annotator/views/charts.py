"""Curves with intervals as geometry for inline SVG; the numbers stand in a table beside them."""

from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any, NamedTuple

WIDTH, HEIGHT = 560, 230
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 12, 34  # margins
LETTER = 10  # the width of one, as phones show it
ASIDE = 5  # between the marks of two lines at one place

Statistic = Mapping[str, Any] | None


class Mark(NamedTuple):
    """A value; low and high are of its interval's ends, None without one; all y but x in SVG units."""

    x: float
    y: float
    low: float | None
    high: float | None
    title: str


class Line(NamedTuple):
    """look: a class; path: an SVG path, broken where a value is undefined."""

    name: str
    look: str
    path: str
    marks: list[Mark]


class Tick(NamedTuple):
    at: float
    text: str


class Chart(NamedTuple):
    title: str
    lines: list[Line]
    rows: list[Tick]
    columns: list[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    bottom: int = HEIGHT - BOTTOM


def curves(
    title: str, labels: Sequence[str], said: Mapping[str, Sequence[Statistic]], scale: int = 1
) -> Chart:
    """Lines over the places that `labels` names; said: name -> a statistic (or None) a place.

    scale: 100 shows shares as percentages.
    """
    bottom = _bottom([one for some in said.values() for one in some if one])
    width = (WIDTH - LEFT - RIGHT) / max(len(labels), 1)
    xs = [LEFT + width * (n + 0.5) for n in range(len(labels))]
    lines = [
        _line(name, look, [x + (n - 0.5) * ASIDE * (len(said) > 1) for x in xs], labels, some, bottom, scale)
        for n, (look, (name, some)) in enumerate(zip(("first", "second"), said.items(), strict=False))
    ]
    every = ceil(LETTER * (1 + max(map(len, labels), default=0)) / width)
    columns = [Tick(x, label) for x, label in list(zip(xs, labels, strict=True))[::every]]
    return Chart(title, lines, _rows(bottom, scale), columns)


def _bottom(found: Sequence[Mapping[str, Any]]) -> float:
    values = [v for one in found for v in (one["value"], one["interval"]["low"]) if v is not None]
    return min(floor(10 * min(values, default=0.0)) / 10, 0.8)


def _y(value: float, bottom: float) -> float:
    return TOP + (1 - value) / (1 - bottom) * (HEIGHT - TOP - BOTTOM)


def _rows(bottom: float, scale: int) -> list[Tick]:
    step = 0.1 if bottom >= 0.5 else 0.2 if bottom >= 0 else 0.5
    n = floor((1 - bottom) / step + 1e-9)
    values = [1 - step * k for k in range(n + 1)]
    return [Tick(_y(v, bottom), f"{scale * v:.0f} %" if scale == 100 else f"{v:.1f}") for v in values]


def _line(
    name: str,
    look: str,
    xs: Sequence[float],
    labels: Sequence[str],
    found: Sequence[Statistic],
    bottom: float,
    scale: int,
) -> Line:
    marks, path, pen = [], [], "M"
    for x, label, one in zip(xs, labels, found, strict=True):
        if one is None or one["value"] is None:
            pen = "M"
            continue
        ends = [
            None if end is None else _y(end, bottom)
            for end in (one["interval"]["low"], one["interval"]["high"])
        ]
        mark = Mark(x, _y(one["value"], bottom), ends[0], ends[1], f"{label}, {name}: {in_words(one, scale)}")
        marks.append(mark)
        path.append(f"{pen}{mark.x:.1f} {mark.y:.1f}")
        pen = "L"
    return Line(name, look, " ".join(path), marks)


def in_words(found: Mapping[str, Any], scale: int = 1) -> str:
    """ "0.61, 95 % interval 0.55–0.66, n 312"; scale: 100 for a percentage."""
    n = "" if found["value"] is None else f", n {found['n']:,}"
    return between_words(found, scale) + n


def between_words(found: Mapping[str, Any], scale: int = 1) -> str:
    """ "0.61, 95 % interval 0.55–0.66"."""
    if found["value"] is None:
        return f"– ({found['why']})"
    low, high = found["interval"]["low"], found["interval"]["high"]
    between = "" if low is None else f", 95 % interval {number(low, scale)}–{number(high, scale)}"
    return f"{number(found['value'], scale)}{' %' * (scale == 100)}{between}"


def number(value: float, scale: int = 1) -> str:
    return f"{scale * value:.1f}" if scale == 100 else f"{value:.2f}"
