"""Which solutions are computed together, and what of them is computed only once. Pure: token ids in, indexes out.

A causal model gives a token the same hidden state whatever comes after it, so a prefix that two texts have in common,
token id for token id, need be computed once. `forest` lays the texts of a batch into one row without padding: the
first whole, each next one only from where it leaves those before it. Counts are of tokens, indexes are 0-based.
"""

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ids = Sequence[int]
Ints = NDArray[np.int64]

# Under this many tokens in common, computing them again costs less than looking them up.
LEAST_SHARED = 16
# The part of a row that may be padding; a batch that is closed early is still far above what a device needs at once.
MOST_FILLED = 0.04


class Segment(NamedTuple):
    """New tokens of one text, `start` to `end` of the row, and the parts of the row that stand before them in it."""

    start: int
    end: int
    before: tuple[tuple[int, int], ...]  # (start, end) of the row, in the order of the text

    @property
    def n_before(self) -> int:
        return sum(end - start for start, end in self.before)


@dataclass(frozen=True)
class Forest:
    """Texts in one row. `ids` and `places` (position in its own text) are of shape (computed tokens,); `rows[k]`, of
    the length of text k, says where in the row each of its tokens is."""

    ids: Ints
    places: Ints
    segments: tuple[Segment, ...]
    rows: tuple[Ints, ...]

    @property
    def n_useful(self) -> int:
        return sum(map(len, self.rows))

    @property
    def n_computed(self) -> int:
        return len(self.ids)


class Batch(NamedTuple):
    """Indexes of the texts that go together, the longest first; tokens they have, and tokens that are computed."""

    members: tuple[int, ...]
    n_useful: int
    n_computed: int


def common(one: Ids, other: Ids) -> int:
    """How many ids two texts begin with alike."""
    n = min(len(one), len(other))
    differ = np.flatnonzero(np.asarray(one[:n]) != np.asarray(other[:n]))
    return int(differ[0]) if len(differ) else n


def forest(texts: Sequence[Ids], share: bool = True, least: int = LEAST_SHARED) -> Forest:
    """Lay texts into one row; with `share`, prefixes of `least` tokens or more that are equal stand there once."""
    ids: list[int] = []
    places: list[int] = []
    segments: list[Segment] = []
    rows: list[Ints] = [np.empty(0, np.int64)] * len(texts)
    order = sorted(range(len(texts)), key=lambda k: list(texts[k])) if share else range(len(texts))
    before: Ids = ()
    path: tuple[tuple[int, int], ...] = ()  # where the text before stands
    for k in order:
        text = texts[k]
        shared = common(before, text) if share else 0
        path = cut(path, shared if shared >= least else 0)
        shared = sum(end - start for start, end in path)
        start = len(ids)
        ids.extend(text[shared:])
        places.extend(range(shared, len(text)))
        if len(ids) > start:
            segments.append(Segment(start, len(ids), path))
            path = (*path, (start, len(ids)))
        rows[k] = spans(path)
        before = text
    return Forest(np.array(ids, np.int64), np.array(places, np.int64), tuple(segments), tuple(rows))


def cut(path: Iterable[tuple[int, int]], n: int) -> tuple[tuple[int, int], ...]:
    """The first n tokens of a path."""
    kept = []
    for start, end in path:
        if n <= 0:
            break
        kept.append((start, min(end, start + n)))
        n -= end - start
    return tuple(kept)


def spans(path: Iterable[tuple[int, int]]) -> Ints:
    """The indexes that a path goes through."""
    parts = [np.arange(start, end, dtype=np.int64) for start, end in path]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def packed(texts: Sequence[Ids], groups: Sequence[Hashable], budget: int, share: bool = True) -> list[Batch]:
    """Batches of at most `budget` computed tokens, no padding; texts of one group (a problem) stay together, so
    that what they have in common is computed once, unless they are too long for one batch. The group with the
    longest text first: what does not fit into memory shows at once. A text longer than the budget is alone."""
    batches: list[Batch] = []
    now = _Filling(texts, share)
    for group in _by_length(texts, groups):
        if now.members and now.n_computed + _computed(texts, group, share) > budget:
            batches.append(now.batch())
            now = _Filling(texts, share)
        now.start_group()
        for k in group:
            if now.members and now.n_computed + now.cost(k) > budget:
                batches.append(now.batch())
                now = _Filling(texts, share)
            now.add(k)
    return [*batches, now.batch()] if now.members else batches


class _Filling:
    """A batch while it is being filled."""

    def __init__(self, texts: Sequence[Ids], share: bool) -> None:
        self.texts, self.share = texts, share
        self.members: list[int] = []
        self.before: Ids = ()
        self.n_useful = self.n_computed = 0

    def start_group(self) -> None:
        self.before = ()

    def cost(self, k: int) -> int:
        text = self.texts[k]
        return len(text) - (_shared(self.before, text) if self.share else 0)

    def add(self, k: int) -> None:
        self.n_computed += self.cost(k)
        self.n_useful += len(self.texts[k])
        self.members.append(k)
        self.before = self.texts[k]

    def batch(self) -> Batch:
        longest_first = sorted(self.members, key=lambda k: -len(self.texts[k]))
        return Batch(tuple(longest_first), self.n_useful, self.n_computed)


def _shared(before: Ids, text: Ids) -> int:
    n = common(before, text)
    return n if n >= LEAST_SHARED else 0


def _computed(texts: Sequence[Ids], group: Sequence[int], share: bool) -> int:
    total = sum(len(texts[k]) for k in group)
    return total - sum(_shared(texts[a], texts[b]) for a, b in pairwise(group)) if share else total


def _by_length(texts: Sequence[Ids], groups: Sequence[Hashable]) -> list[list[int]]:
    """Groups of indexes, that with the longest text first; within a group in the order of ids, so that neighbours
    have most in common."""
    members: dict[Hashable, list[int]] = {}
    for k, group in enumerate(groups):
        members.setdefault(group, []).append(k)
    ordered = sorted(members.values(), key=lambda group: -max(len(texts[k]) for k in group))
    return [sorted(group, key=lambda k: list(texts[k])) for group in ordered]


def padded(texts: Sequence[Ids], budget: int) -> list[Batch]:
    """Batches for rows padded to the longest: longest first, rows times longest at most `budget`, and no row more
    than MOST_FILLED of the longest."""
    order = sorted(range(len(texts)), key=lambda k: -len(texts[k]))
    batches: list[list[int]] = []
    for k in order:
        longest = len(texts[batches[-1][0]]) if batches else 0
        fits = (len(batches[-1]) + 1) * longest <= budget if batches else False
        if fits and longest - len(texts[k]) <= MOST_FILLED * longest:
            batches[-1].append(k)
        else:
            batches.append([k])
    return [_rows(texts, group) for group in batches]


def in_file_order(texts: Sequence[Ids], size: int) -> list[Batch]:
    """Batches as most published code makes them, to be compared with: `size` texts as they come, padded."""
    return [_rows(texts, range(start, min(start + size, len(texts)))) for start in range(0, len(texts), size)]


def _rows(texts: Sequence[Ids], group: Sequence[int]) -> Batch:
    lengths = [len(texts[k]) for k in group]
    return Batch(tuple(group), sum(lengths), len(lengths) * max(lengths))


def padding(batches: Iterable[Batch]) -> float | None:
    """What padding adds to the tokens of the texts: 0.02 is two percent more. None where there are no tokens."""
    pairs = [(batch.n_computed, batch.n_useful) for batch in batches]
    useful = sum(n for _, n in pairs)
    return sum(n for n, _ in pairs) / useful - 1 if useful else None


def key_of(members: Iterable[str]) -> str:
    """A batch's name, from its members' names alone: planning once more gives the same."""
    told = "\n".join(f"{len(name)}:{name}" for name in members)
    return hashlib.sha256(told.encode()).hexdigest()[:24]
