"""What a datasheet is made of: sections of text and tables, and numbers in words. Pure.

What was not measured is said so, never guessed: a number that is None is shown as "–" or "not measured".
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from annotator.core.datasheet_facts import Measure

NOT_MEASURED: Final = "not measured"


class Bar(NamedTuple):
    """What a chart shows of a row: a point between two ends, or a bar from 0 (low == 0, at == high). 0..100."""

    low: float
    at: float
    high: float


class Table(NamedTuple):
    """Rows of text under `head`; `bars`, if any, has one for each row, None where there is nothing to draw."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    bars: Sequence[Bar | None] = ()


class Section(NamedTuple):
    title: str
    text: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    tables: Sequence[Table] = ()


def or_nothing(title: str, tables: Sequence[Table], text: Sequence[str]) -> Section:
    """The tables in a section, or where there are none, one that says so."""
    return Section(title, text, (), tables) if tables else Section(title, [f"{NOT_MEASURED.capitalize()}."])


def counted(caption: str, name: str, counts: Mapping[str, int]) -> Table:
    """A row for each name: its number, its share of them all, and a bar."""
    whole = sum(counts.values())
    rows = [(str(one), f"{n:,}", _share(n, whole)) for one, n in counts.items()]
    bars = [Bar(0, 100 * n / whole, 100 * n / whole) if whole else None for n in counts.values()]
    return Table(caption, (name, "Number", "Share"), rows, bars)


def measured(caption: str, measures: Sequence[Measure]) -> list[Table]:
    """A row for each measure with its interval drawn; [] for none."""
    if not measures:
        return []
    rows = [(one.name, shown(one), "–" if one.n is None else f"{one.n:,}") for one in measures]
    return [Table(caption, ("What", "Value and interval", "n"), rows, [_bar(one) for one in measures])]


def shown(one: Measure) -> str:
    """ "0.61 (0.55 to 0.66)", "61.0 % (55.0 to 66.0)", or "–" with the reason."""
    if one.value is None:
        return f"– ({one.why})" if one.why else "–"
    scale, digits, unit = (100, 1, "\N{NO-BREAK SPACE}%") if one.is_share else (1, 2, "")
    ends = ""
    if one.low is not None and one.high is not None:
        ends = f" ({scale * one.low:.{digits}f} to {scale * one.high:.{digits}f})"
    return f"{scale * one.value:.{digits}f}{unit}{ends}"


def _bar(one: Measure) -> Bar | None:
    if one.value is None:
        return None
    low, high = (one.value if end is None else end for end in (one.low, one.high))
    return Bar(*(100 * min(1.0, max(0.0, end)) for end in (low, one.value, high)))


def in_words(value: Any) -> str:
    """A JSON value in words."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {in_words(one)}" for name, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(in_words(one) for one in value) or "–"
    if value is None or value == "":
        return "–"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def part_of(part: int, whole: int) -> str:
    """Two numbers and what share the first is of the second."""
    return f"{part:,} of {whole:,} ({_share(part, whole)})"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}\N{NO-BREAK SPACE}%" if whole else "–"


def many(n: int, word: str) -> str:
    """A number and what it counts: the word with an s, unless it is one."""
    return f"{n:,} {word}{'s' * (n != 1)}"
