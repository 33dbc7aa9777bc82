"""What people have acted on: steps, each by an act of its own, and solutions as a whole.

No export calls a step verified without a human act on that very step.
"""

from collections.abc import Collection, Iterable, Mapping

from annotator.core import labels as lab


def acts(labels: str, bulk: Collection[int] | None) -> list[bool]:
    """Return for each step whether a person gave it its label by an act of its own.

    labels: one person's, one character a step.  bulk: 0-based positions that one act labelled with others.
    """
    together = frozenset(bulk or ())
    return [label != lab.UNJUDGED and at not in together for at, label in enumerate(labels)]


def verified(released: str, words: Iterable[tuple[str, Collection[int] | None]]) -> list[bool]:
    """Return for each step whether some person gave it the released label by an act of its own.

    Unsure is an act, but it verifies nothing.

    words: (labels, bulk) of each person who judged these very steps.
    """
    found = [False] * len(released)
    for labels, bulk in words:
        for at, acted in enumerate(acts(labels, bulk)):
            found[at] |= acted and labels[at] == released[at] != lab.UNSURE
    return found


def is_whole(released: str, found: Collection[bool]) -> bool:
    """Return whether every step up to the last judged one is verified, and there is one."""
    stop = len(released.rstrip(lab.UNJUDGED))
    return stop > 0 and all(list(found)[:stop])


def of_solution(verdict: Mapping[str, str] | None) -> bool:
    """Return whether a person has said of the solution as a whole that it is right or wrong: a verdict of
    check_solution. That verifies the solution and none of its steps."""
    return (verdict or {}).get("right") in ("yes", "no")
