"""The consensus page's table by slice and chart of steps apart, and what its list is called."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from synth import comparing
from synth.comparing import FURTHEST, LENGTH, META, SOURCE, Compared
from synth.consensus_asked import Asked


def choices(found: Compared) -> list[tuple[str, str]]:
    keys = [(META + key, f"meta: {key}") for key in found.keys if key != SOURCE]
    return [(SOURCE, "source"), (LENGTH, "number of steps"), *keys]


class Slice(NamedTuple):
    """A row of the table. kept, apart: widths of a bar, in hundredths of what can be compared."""

    title: str
    part: Mapping[str, Any]
    query: str
    kept: float
    apart: float

    @property
    def n_apart(self) -> int:
        return int(self.part["comparable"] - self.part["kept"])


def slices(asked: Asked, report: Mapping[str, Any]) -> list[Slice]:
    rows = []
    for value, part in report["slices"].items():
        whole = max(1, part["comparable"])
        kept, apart = 100 * part["kept"] / whole, 100 * (part["comparable"] - part["kept"]) / whole
        rows.append(Slice(value or "none", part, asked.query(value=value), kept, apart))
    return rows


class Bar(NamedTuple):
    """x and width in hundredths; look: a class; label: "" under most bars."""

    title: str
    n: int
    query: str
    look: str
    x: float
    width: float
    y: float
    height: float
    label: str

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


FLOOR, MOST = 216, 200  # of the chart: where its bars stand, and the height of the highest


def bars(asked: Asked, offsets: list[tuple[int, int]]) -> list[Bar]:
    most, each = max([n for _, n in offsets] + [1]), 100 / len(offsets)
    found = []
    for place, (apart, n) in enumerate(offsets):
        height = MOST * n / most
        found.append(
            Bar(
                _apart_words(asked, apart),
                n,
                asked.query(offset=apart),
                "no" if apart else "ok",
                each * (place + 0.1),
                each * 0.8,
                FLOOR - height,
                height,
                _label(apart) if apart % 4 == 0 else "",
            )
        )
    return found


def _label(apart: int) -> str:
    ends = {-FURTHEST: f"−{FURTHEST} or more", FURTHEST: f"{FURTHEST} or more"}
    return ends.get(apart, f"{apart}".replace("-", "−"))


def _apart_words(asked: Asked, apart: int) -> str:
    """ "3 steps later than the rollouts", of the first rater's first error."""
    if not apart:
        return "the same step"
    n = f"{abs(apart)}{' or more' * (abs(apart) == FURTHEST)}"
    word = "earlier" if apart < 0 else "later"
    return f"{asked.titles[0]} {n} step{'' if n == '1' else 's'} {word}"


def said(asked: Asked) -> str:
    """Which solutions the list shows."""
    a, b = asked.titles
    words = {
        "all": "all that both have judged", "kept": "kept", "apart": "apart", "both_none": "both find no error",
        "only_a": f"only {a}: an error", "only_b": f"only {b}: an error", "same": "both find the same first error",
        "differ": "both find an error, at different steps", "not_comparable": "not comparable",
        comparing.WRONG_ANSWER: "no error found, yet the final answer is wrong",
    }  # fmt: skip
    parts = (
        []
        if asked.cell == "all" and (asked.offset is not None or asked.value is not None)
        else [words[asked.cell]]
    )
    parts += [] if asked.offset is None else [_apart_words(asked, asked.offset)]
    parts += [] if asked.value is None else [f"{asked.by.removeprefix(META)}: {asked.value or 'none'}"]
    return ", ".join(parts)
