"""Drawing at random, so that it can be drawn again: a share of each stratum, and a shuffle by name.

Places come from a hash of seed and name, not from a generator's stream: what is drawn does not depend on the
order in which things are met, nor on what else there is.
"""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from fractions import Fraction
from math import ceil
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def place(seed: int, name: object) -> int:
    """Where something stands in the order that a seed gives, as a number of 128 bits."""
    text = f"{seed}\0{name}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=16).digest(), "big")


def shuffled(things: Iterable[T], seed: int) -> list[T]:
    """The things in the order that a seed gives; the same for the same things however they come."""
    return sorted(things, key=lambda thing: place(seed, thing))


def stratified(things: Sequence[tuple[T, str]], share: str | float, seed: int) -> dict[str, list[T]]:
    """Draw a share of each stratum, at least one of each that has any: stratum -> things drawn.

    things: (thing, stratum).  share: above 0, at most 1; of 30 things, .10 draws 3, and of 31, 4.
    Raises ValueError for another share.
    """
    part = Fraction(str(share))
    if not 0 < part <= 1:
        raise ValueError(f"the share must be above 0 and at most 1, not {share}")
    strata: defaultdict[str, list[T]] = defaultdict(list)
    for thing, stratum in things:
        strata[stratum].append(thing)
    return {
        stratum: shuffled(members, seed)[: ceil(part * len(members))]
        for stratum, members in sorted(strata.items())
    }
