"""Which step of one solution became which step of another, and which words changed.

A step's number ("3. ", "Step 3. ", "Step 3: ") and space around a step are never a difference: inserting one
step renumbers all that follow. Positions are 0-based; `describe` alone counts from 1, for people.
"""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, cast

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Indel, LCSseq

from annotator.core import tex


class Op(StrEnum):
    """What became of a step. First letters differ: they are what is stored."""

    EQUAL = "equal"
    CHANGED = "changed"
    INSERTED = "inserted"
    DELETED = "deleted"
    MOVED = "moved"  # equal, but out of order
    REPLACED = "replaced"  # `beside` alone says so: an unlike step stands in its place


class Pair(NamedTuple):
    """One step of the old solution beside one of the new; None where a step has no counterpart."""

    op: Op
    old: int | None
    new: int | None


class _Anchor(NamedTuple):
    """Two steps paired in order; sorts by place."""

    new: int
    old: int
    op: Op


# How many steps are remembered with what was found out about each. The injections of a benchmark share the steps
# of their originals, but come file by file, so this is to hold those of a whole benchmark; it takes a few MiB.
MEMORY = 32_768
SIMILAR = 0.5  # the least similarity (0 to 1) at which a step counts as another's new wording
_COMPARED = 2_000  # similarity looks at this many characters of a step: it costs their square
_CELLS = 10_000  # a gap with more pairs of steps than this is compared place by place
_MANY = 6  # from so many pairs of steps on, one call for all is cheaper
_DIFFED = 1_000  # a change of more tokens than this, old and new together, is shown whole

_NUMBER = re.compile(r"\s*+(?:[Ss]tep\s++\d++[.:]|\d++\.)\s++")
_OPS = {op[0]: op for op in Op}


def align(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """Align the steps of two solutions; every old and every new position stands in exactly one pair.

    First come equal steps in order (a longest common subsequence); then, in the gaps between them, similar
    steps in order (the greatest total similarity); then equal steps left over, as moved. Pairs are in the
    order of the new steps; a deleted step is where it was, before what was inserted in its place.
    """
    olds, news = [bare(step) for step in old], [bare(step) for step in new]
    anchors = list(_equal(olds, news))
    for rows, columns in list(_gaps(anchors, len(olds), len(news))):
        if rows and columns:
            anchors += _similar(olds, news, rows, columns)
    anchors.sort()
    return list(_in_order(anchors, _moved(olds, news, anchors), len(olds), len(news)))


def strip_number(step: str) -> str:
    """Return a step without its number, if it begins with "3. ", "Step 3. " or "Step 3: "."""
    match = _NUMBER.match(step)
    return step[match.end() :] if match else step


@lru_cache(MEMORY)
def bare(step: str) -> str:
    """Return a step as it is compared: without its number and the space around it."""
    return strip_number(step).strip()


def changed(pairs: Iterable[Pair]) -> list[int]:
    """Return the new positions, 0-based and ascending, of the steps that are not EQUAL."""
    return sorted(pair.new for pair in pairs if pair.new is not None and pair.op is not Op.EQUAL)


def dump(pairs: Iterable[Pair]) -> list[list[str | int | None]]:
    """Return pairs as they are stored in JSON: [first letter of the op, old position, new position]."""
    return [[pair.op[0], pair.old, pair.new] for pair in pairs]


def load(rows: Iterable[Sequence[str | int | None]]) -> list[Pair]:
    """Return the pairs that `dump` wrote. Raises ValueError for rows it cannot have written."""
    return [_pair(*row) for row in rows]


def _pair(letter: str | int | None, old: str | int | None, new: str | int | None) -> Pair:
    op = _OPS.get(str(letter))
    if op is None or isinstance(old, str) or isinstance(new, str):
        raise ValueError(f"not a stored pair of steps: {[letter, old, new]}")
    return Pair(op, old, new)


def _equal(olds: list[str], news: list[str]) -> Iterator[_Anchor]:
    for block in LCSseq.opcodes(olds, news).as_matching_blocks():
        for k in range(block.size):
            yield _Anchor(block.b + k, block.a + k, Op.EQUAL)


def _gaps(anchors: list[_Anchor], n_olds: int, n_news: int) -> Iterator[tuple[range, range]]:
    """Yield the old and the new positions before each anchor, and at last those after all of them."""
    i = j = 0
    for anchor in anchors:
        yield range(i, anchor.old), range(j, anchor.new)
        i, j = anchor.old + 1, anchor.new + 1
    yield range(i, n_olds), range(j, n_news)


def _similar(olds: list[str], news: list[str], rows: range, columns: range) -> Iterator[_Anchor]:
    """Yield the pairs of a gap, in order, whose similarities have the greatest sum."""
    if len(rows) * len(columns) > _CELLS:
        pairs = [(i, j) for i, j in zip(rows, columns, strict=False) if _similarity(olds[i], news[j])]
    else:
        weights = _similarities([olds[i] for i in rows], [news[j] for j in columns])
        pairs = [(rows[i], columns[j]) for i, j in _heaviest(weights)]
    return (_Anchor(j, i, Op.CHANGED) for i, j in pairs)


def _similarities(olds: list[str], news: list[str]) -> list[list[float]]:
    """Return `_similarity` of each with each; many of them in one call, which takes a third of the time."""
    if len(olds) * len(news) < _MANY:
        return [[_similarity(old, new) for new in news] for old in olds]
    found = process.cdist(
        [old[:_COMPARED] for old in olds], [new[:_COMPARED] for new in news],
        scorer=Indel.normalized_similarity, score_cutoff=SIMILAR, dtype=np.float64,
    )  # fmt: skip
    return cast(list[list[float]], found.tolist())


def _similarity(old: str, new: str) -> float:
    """Return 0 where it is less than SIMILAR."""
    return Indel.normalized_similarity(old[:_COMPARED], new[:_COMPARED], score_cutoff=SIMILAR)


def _heaviest(weights: list[list[float]]) -> list[tuple[int, int]]:
    """Return the (row, column) pairs, ascending in both, of positive weight and greatest sum."""
    best = _sums(weights)
    pairs, i, j = [], 0, 0
    while i < len(weights) and j < len(weights[0]):
        if weights[i][j] and best[i][j] == weights[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _sums(weights: list[list[float]]) -> list[list[float]]:
    """Return [i][j] → the greatest sum of weights from row i and column j on, one row and column more."""
    width = len(weights[0])
    best = [[0.0] * (width + 1) for _ in range(len(weights) + 1)]
    for i in range(len(weights) - 1, -1, -1):
        row, here, below = weights[i], best[i], best[i + 1]
        for j in range(width - 1, -1, -1):
            here[j] = max(here[j + 1], below[j], row[j] + below[j + 1])
    return best


def _moved(olds: list[str], news: list[str], anchors: list[_Anchor]) -> dict[int, int]:
    """Return new → old position for equal steps that no anchor holds, the first with the first."""
    held_old, held_new = {a.old for a in anchors}, {a.new for a in anchors}
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for i, step in enumerate(olds):
        if i not in held_old:
            places[step].append(i)
    free = ((j, step) for j, step in enumerate(news) if j not in held_new)
    return {j: places[step].popleft() for j, step in free if places.get(step)}


def _in_order(anchors: list[_Anchor], moved: dict[int, int], n_olds: int, n_news: int) -> Iterator[Pair]:
    gone = set(moved.values())
    for (rows, columns), anchor in zip(_gaps(anchors, n_olds, n_news), [*anchors, None], strict=True):
        for i in rows:
            if i not in gone:
                yield Pair(Op.DELETED, i, None)
        for j in columns:
            yield Pair(Op.MOVED, moved[j], j) if j in moved else Pair(Op.INSERTED, None, j)
        if anchor:
            yield Pair(anchor.op, anchor.old, anchor.new)


def beside(pairs: Iterable[Pair]) -> list[Pair]:
    """The alignment as people read it: in one gap the k-th step that is gone stands beside the k-th that is new,
    unlike as they are. Never stored."""
    result: list[Pair] = []
    for in_gap, run in groupby(pairs, key=lambda pair: pair.op in (Op.INSERTED, Op.DELETED)):
        steps = list(run)
        result.extend(_side_by_side(steps) if in_gap else steps)
    return result


def _side_by_side(run: list[Pair]) -> list[Pair]:
    gone = [pair for pair in run if pair.new is None]
    new = [pair for pair in run if pair.old is None]
    both = [Pair(Op.REPLACED, was.old, now.new) for was, now in zip(gone, new, strict=False)]
    return [*both, *gone[len(both) :], *new[len(both) :]]


def pieces(op: Op, old: str, new: str) -> list[tuple[str, str]]:
    """The two wordings of a step as `word_diff` has them; unlike ones are not picked apart."""
    if op is Op.CHANGED:
        return word_diff(old, new)
    if op in (Op.EQUAL, Op.MOVED):
        return [("equal", new)]
    return [piece for piece in (("delete", old), ("insert", new)) if piece[1]]


def describe(pairs: Sequence[Pair]) -> str:
    """Say in a sentence what changed, counting steps from 1: "Steps 3–7 differ …; step 6 is new."."""
    at = {op: [p.old if p.new is None else p.new for p in pairs if p.op is op] for op in Op}
    new, gone, moved = _steps(at[Op.INSERTED]), _steps(at[Op.DELETED]), _steps(at[Op.MOVED])
    other = [*at[Op.CHANGED], *at[Op.REPLACED]]
    differ = _steps([*other, *at[Op.INSERTED]] if other else [])
    clauses = [
        f"{differ} {'differ' if _many(differ) else 'differs'} from the original" if differ else "",
        f"{new} {'are' if _many(new) else 'is'} new" if new else "",
        f"{moved} moved" if moved else "",
        f"{gone} of the original {'were' if _many(gone) else 'was'} removed" if gone else "",
    ]
    sentence = "; ".join(filter(None, clauses)) or "no step differs from the original"
    return sentence[0].upper() + sentence[1:] + "."


def _many(steps: str) -> bool:
    return steps.startswith("steps")


def _steps(positions: Iterable[int | None]) -> str:
    """Name 0-based positions for people: "step 4", "steps 1, 3–5 and 9"; "" if there are none."""
    numbers = sorted(position + 1 for position in positions if position is not None)
    runs = []
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        first, *rest = [number for _, number in run]
        runs.append(f"{first}–{rest[-1]}" if rest else str(first))
    named = " and ".join(filter(None, [", ".join(runs[:-1]), *runs[-1:]]))
    return f"{'steps' if len(numbers) > 1 else 'step'} {named}" if numbers else ""


def word_diff(old: str, new: str) -> list[tuple[str, str]]:
    """Return ("equal" | "delete" | "insert", text) pieces of two wordings of a step; none is empty.

    Equal and inserted text joins to `new`. Equal and deleted text joins to `old` under the number of `new`,
    so that another number is no change. A span of mathematics is one word.
    """
    body = strip_number(new)
    a, b = tex.tokens(strip_number(old)), tex.tokens(body)
    head = _common(a, b)
    tail = _common(a[head:][::-1], b[head:][::-1])
    middle = _changes(a[head : len(a) - tail], b[head : len(b) - tail])
    start = new[: len(new) - len(body)] + "".join(b[:head])
    pieces = [("equal", start), *middle, ("equal", "".join(b[len(b) - tail :]))]
    return [piece for piece in pieces if piece[1]]


def _common(a: list[str], b: list[str]) -> int:
    """Return how many tokens two lists begin with alike."""
    unlike = (k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    return next(unlike, min(len(a), len(b)))


def _changes(a: list[str], b: list[str]) -> Iterator[tuple[str, str]]:
    if len(a) + len(b) > _DIFFED:
        codes = [("replace", 0, len(a), 0, len(b))]
    else:
        codes = list(SequenceMatcher(None, a, b, autojunk=False).get_opcodes())
    texts = [(tag, "".join(a[i:k]), "".join(b[j:m])) for tag, i, k, j, m in codes]
    same = [tag == "equal" and not _island(texts, n) for n, (tag, _, _) in enumerate(texts)]
    for is_same, group in groupby(zip(same, texts, strict=True), key=lambda pair: pair[0]):
        run = [text for _, text in group]
        old, new = "".join(text[1] for text in run), "".join(text[2] for text in run)
        yield from [("equal", new)] if is_same else [("delete", old), ("insert", new)]


def _island(texts: list[tuple[str, str, str]], n: int) -> bool:
    """Say whether equal text is a mere space beside a replaced word: "a b" → "c d" reads best whole."""
    beside = [tag for tag, _, _ in (*texts[n - 1 : n], *texts[n + 1 : n + 2])]
    return len(beside) == 2 and "replace" in beside and texts[n][1].isspace()
