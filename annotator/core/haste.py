"""Signs that somebody does not read what they judge: too fast, or the same answer again and again. Pure.

A sign is a reason to look, with the items to look at, and never a proof.
"""

from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import Final, NamedTuple

FAST: Final = 1 / 3  # of the project's median time a step
FEWEST_TIMED: Final = 10  # items with a time, before a pace says anything
SHORTEST_RUN: Final = 8  # items with the same answer in a row
UNLIKELY: Final = 0.01  # how often chance alone may give such a run


class Sent(NamedTuple):
    """One submission. `ms`: time in view, None where none was kept."""

    item: int
    labels: str
    ms: int | None


class Fast(NamedTuple):
    """Median milliseconds a step: of one reviewer and of the project; the quickest items, quickest first."""

    ms: float
    usual_ms: float
    items: list[int]


class Run(NamedTuple):
    """The longest run of one answer: the 0-based wrong steps it named, how many items, how usual that answer is
    with the others (0..1), and the items."""

    wrong: tuple[int, ...]
    length: int
    usual: float
    items: list[int]


def answer(labels: str) -> tuple[int, ...]:
    """What is the same in a straight line: the wrong steps, wherever the solution ends."""
    return tuple(at for at, label in enumerate(labels) if label == "-")


def ms_a_step(sent: Sequence[Sent]) -> float | None:
    """The median of what an item took, divided by its judged steps; None without any time."""
    paces = [pace for one in sent if (pace := _pace(one)) is not None]
    return median(paces) if paces else None


def too_fast(sent: Sequence[Sent], usual_ms: float | None) -> Fast | None:
    """Whether the median pace is under FAST of the usual one."""
    timed = [(pace, one.item) for one in sent if (pace := _pace(one)) is not None]
    if usual_ms is None or len(timed) < FEWEST_TIMED:
        return None
    own = median(pace for pace, _ in timed)
    return Fast(own, usual_ms, [item for _, item in sorted(timed)[:10]]) if own < FAST * usual_ms else None


def straight_line(sent: Sequence[Sent], others: Counter[tuple[int, ...]]) -> Run | None:
    """The longest run of the same answer, where chance would hardly give it: with an answer that others give in a
    share p of items, n items hold a run of length k by chance about n · p^k times.

    sent: in the order of submission.  others: answer -> how often others gave it.
    """
    longest: list[Sent] = []
    run: list[Sent] = []
    for one in sent:
        run = [*run, one] if run and answer(run[-1].labels) == answer(one.labels) else [one]
        longest = max(longest, run, key=len)
    if len(longest) < SHORTEST_RUN:
        return None
    wrong = answer(longest[0].labels)
    usual = (others[wrong] + 1) / (others.total() + 2)
    if len(sent) * usual ** len(longest) >= UNLIKELY:
        return None
    return Run(wrong, len(longest), usual, [one.item for one in longest])


def _pace(one: Sent) -> float | None:
    judged = len(one.labels) - one.labels.count(".")
    return one.ms / judged if one.ms is not None and judged else None
