"""The pull of the machine: what a reviewer's labels became once they had seen what a machine said.

Each rate counts steps, but for `items`:

items       reviews in which the label of some step was changed
steps       steps whose label was changed, of those judged before and after
towards     of the steps where reviewer and machine differed before: those that then had the machine's word
away        of the steps where they were at one: those that then had not
spoiled     of the steps that were right before, held against the decision: those that then were wrong
mended      of the steps that were wrong before: those that then were right

A step is judged as wrong (-) or not (+, 0) where it is held against a machine or a decision; unsure is neither
word. A change from right to neutral is a change of label, and none of judgement.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from annotator.core import labels as lab
from annotator.core.acceptance import Rate, rate_of

RATES: Final = ("items", "steps", "towards", "away", "spoiled", "mended")
NOTHING: Final = {
    "items": "no review has both",
    "steps": "no step was judged before and after",
    "towards": "no step was judged otherwise than by the machine",
    "away": "no step was judged as by the machine",
    "spoiled": "no step that was right is decided by others",
    "mended": "no step that was wrong is decided by others",
}


class Pair(NamedTuple):
    """One review: labels before and after the reveal; what machines said, and what others decided, each "" where
    that is not known. All have one character a step."""

    before: str
    after: str
    machine: str = ""
    decision: str = ""


Tally = tuple[int, ...]  # of each of RATES its part, then of each its whole


def rates(pairs: Iterable[Pair]) -> dict[str, Rate]:
    """Each of RATES, with Wilson's interval. Raises ValueError where labels have not the same length."""
    return rates_of(tally(pair) for pair in pairs)


def rates_of(tallies: Iterable[Tally]) -> dict[str, Rate]:
    """`rates` of reviews that have been counted: for sums over many parts of the same reviews."""
    total = [sum(column) for column in zip(*tallies, strict=True)] or [0] * 2 * len(RATES)
    parts, wholes = total[: len(RATES)], total[len(RATES) :]
    found = zip(RATES, parts, wholes, strict=True)
    return {name: rate_of(part, whole, NOTHING[name]) for name, part, whole in found}


def tally(pair: Pair) -> Tally:
    """What one review adds to each rate."""
    n = len(pair.before)
    part, whole = Counter[str](), Counter[str](items=1)
    rows = zip(pair.before, pair.after, pair.machine or "." * n, pair.decision or "." * n, strict=True)
    for step, times in Counter(rows).items():
        for name, is_part in _counted(*step):
            whole[name] += times
            part[name] += times * is_part
    part["items"] = int(part["steps"] > 0)
    return (*(part[name] for name in RATES), *(whole[name] for name in RATES))


def standing(said: Iterable[tuple[str, str]]) -> Rate:
    """The share of steps judged as another judges them; said: (labels, the other's, "" where not known)."""
    steps: Counter[tuple[str, str]] = Counter()
    for labels, others in said:
        steps.update(zip(labels, others or "." * len(labels), strict=True))
    known = {both: n for both, n in steps.items() if None not in map(_is_wrong, both)}
    same = sum(n for (one, other), n in known.items() if _is_wrong(one) == _is_wrong(other))
    return rate_of(same, sum(known.values()), "no step was judged by both")


def together(said: Sequence[str]) -> str:
    """What several machines say of each step: '-' or '+' where all that judge it are at one, else '.'."""
    if not said:
        return ""
    words = [{_is_wrong(label) for label in step} - {None} for step in zip(*said, strict=True)]
    return "".join(_sign(found.pop()) if len(found) == 1 else lab.UNJUDGED for found in words)


def _sign(is_wrong: bool | None) -> str:
    return lab.WRONG if is_wrong else lab.RIGHT


@cache  # five labels in four places
def _counted(before: str, after: str, machine: str, decided: str) -> list[tuple[str, bool]]:
    """The rates that a step counts for, and whether it is of their part."""
    if lab.UNJUDGED in (before, after):
        return []
    to_machine = _held(before, after, machine, "away", "towards")
    return [("steps", before != after), *to_machine, *_held(before, after, decided, "spoiled", "mended")]


def _held(before: str, after: str, against: str, at_one: str, differed: str) -> list[tuple[str, bool]]:
    """The rate that a step counts for, by how it stood before, and whether it changed its side."""
    word, was, became = _is_wrong(against), _is_wrong(before), _is_wrong(after)
    if word is None or was is None:
        return []
    return [(at_one, became != word) if was == word else (differed, became == word)]


def _is_wrong(label: str) -> bool | None:
    if label in (lab.UNJUDGED, lab.UNSURE):
        return None
    return label == lab.WRONG
