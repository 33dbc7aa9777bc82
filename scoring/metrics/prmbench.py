"""PRMBench's metrics (arXiv 2501.03124; its evaluator: mr_eval/tasks/prmtest_classified/task.py).

Steps are pooled over items, per kind and over all kinds; the `correct` items (originals) are counted apart.
For redundancy and circular a step counts as valid where a rater with a redundancy axis calls it not redundant.

    reference   only labels that are there count: missing steps are dropped, surplus ones count as right steps,
                unparsed items are skipped
    strict      a missing label, a surplus one and every step of an unparsed or absent item count as mistakes
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np

from annotator.core.labels import ERROR_TYPES, MULTI_SOLUTIONS, NEUTRAL, RIGHT, UNJUDGED, UNSURE, WRONG
from scoring.metrics.confusion import FN, FP, TN, TP, Floats, Reading

CORRECT: Final = "correct"
KINDS: Final = (*(kind.code for kind in ERROR_TYPES), MULTI_SOLUTIONS)
BY_REDUNDANCY: Final = frozenset({"redundancy", "circular"})
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "S1": ("redundancy", "circular"),
    "S2": ("counterfactual", "step_contradiction", "domain_inconsistency", "confidence"),
    "S3": ("missing_condition", "deception", MULTI_SOLUTIONS),
}


@dataclass(frozen=True, slots=True)
class Item:
    """wrong: 0-based positions, as claimed: maybe unsorted, repeated or out of range. base: what `correct_`
    items are paired by. group: of the problem, the unit that intervals draw. unknown: 0-based positions of which
    nobody knows whether they are wrong; what is said of them counts for nothing."""

    id: str
    kind: str
    n_steps: int
    wrong: tuple[int, ...]
    base: str
    group: str
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """validity: one character a step as in core.labels, maybe fewer or more than the steps. redundancy: the
    same, '-' is redundant; None where the rater has no such axis. is_parsed: whether the reply could be read."""

    validity: str
    redundancy: str | None = None
    is_parsed: bool = True


class Columns(NamedTuple):
    """One row an item that counts, all arrays of that length unless stated.

    index: its place among the items given.  counts: float (items, 4).  valid_share: of its labels, NaN without.
    first_found: 1 where its first wrong step is called invalid, 0 where valid, NaN where it has none in reach, or
    no label there that counts.
    owner, at, hits: of every wrong step in reach with a label that counts: its item's row here, its 0-based position,
    and whether it is called invalid.
    """

    index: Any
    counts: Floats
    valid_share: Floats
    first_found: Floats
    owner: Any
    at: Any
    hits: Any


def columns(items: Sequence[Item], predictions: Mapping[str, Prediction], reading: Reading) -> Columns:
    """Compare every item with its prediction."""
    chosen = [(n, item, _labels(item, predictions.get(item.id), reading)) for n, item in enumerate(items)]
    counted = [(n, item, labels) for n, item, labels in chosen if labels is not None]
    index = np.array([n for n, _, _ in counted], dtype=np.int64)
    lengths = np.array([len(labels) for _, _, labels in counted], dtype=np.int64)
    steps = (
        lengths
        if reading == "reference"
        else np.array([item.n_steps for _, item, _ in counted], dtype=np.int64)
    )
    starts = lengths.cumsum() - lengths
    codes = np.frombuffer("".join(labels for _, _, labels in counted).encode("ascii"), dtype=np.uint8)
    row, at = _in_reach(counted, [known_wrong(item) for _, item, _ in counted])
    is_wrong = np.zeros(len(codes), dtype=bool)
    is_wrong[starts[row] + at] = True
    owner = np.repeat(np.arange(len(counted)), lengths)
    called = _called(codes, is_wrong, _surplus(counted, lengths, starts, reading), reading)
    unknown_row, unknown_at = _in_reach(counted, [item.unknown for _, item, _ in counted])
    for mask in called:
        mask[starts[unknown_row] + unknown_at] = False
    counts = np.stack([np.bincount(owner[part], minlength=len(counted)) for part in called], axis=1)
    is_valid = codes == ord(RIGHT)
    with np.errstate(invalid="ignore"):
        share = np.bincount(owner, weights=is_valid, minlength=len(counted)) / lengths
    # What counts for nothing in the counts is neither found nor missed here: a missing label, a surplus one.
    places = starts[row] + at
    hits, is_counted = called[TN][places], (called[TN] | called[FP])[places] & (at < steps[row])
    first = _first_found(len(counted), row, np.where(is_counted, hits, np.nan))
    return Columns(
        index, counts.astype(np.float64), share, first, row[is_counted], at[is_counted], hits[is_counted]
    )


def _labels(item: Item, found: Prediction | None, reading: Reading) -> str | None:
    """What counts of a prediction: '+', '-', or '.' for a mistake whatever the step is; None: nothing."""
    is_there = found is not None and found.is_parsed
    if not is_there or found is None:
        return UNJUDGED * item.n_steps if reading == "strict" else None
    labels = found.validity
    if item.kind in BY_REDUNDANCY and found.redundancy is not None:
        labels = found.redundancy
    labels = labels.replace(NEUTRAL, RIGHT).replace(UNSURE, UNJUDGED)
    return labels if reading == "reference" else labels.ljust(item.n_steps, UNJUDGED)


def known_wrong(item: Item) -> tuple[int, ...]:
    """The positions that are wrong for sure."""
    return tuple(at for at in item.wrong if at not in item.unknown) if item.unknown else item.wrong


def labels_of(item: Item) -> str:
    """What is true of each step, as one character a step: '-', '.' where nobody knows, else '+'."""
    labels = [RIGHT] * item.n_steps
    for label, positions in ((WRONG, item.wrong), (UNJUDGED, item.unknown)):
        for at in positions:
            if 0 <= at < item.n_steps:
                labels[at] = label
    return "".join(labels)


def ordered(kinds: Iterable[str]) -> list[str]:
    """The kinds that there are, originals left out: PRMBench's in the order of its tables, then others by name."""
    there = set(kinds) - {CORRECT}
    return [*(code for code in KINDS if code in there), *sorted(there.difference(KINDS))]


def by_group(items: Sequence[Item], found: Columns, rows: Any, number: Mapping[str, int]) -> Floats:
    """The counts of some rows added up by problem group: float (groups, 4). rows: bool (rows,). number: group ->
    its row in what is returned."""
    index = np.array([number[items[n].group] for n in found.index[rows]], dtype=np.int64)
    parts = [np.bincount(index, found.counts[rows, n], len(number)) for n in (TP, FP, TN, FN)]
    return np.stack(parts, axis=1).astype(np.float64)


def numbered(items: Iterable[Item]) -> dict[str, int]:
    """Each problem group with a number from 0 on, in the order of their names."""
    return {group: n for n, group in enumerate(sorted({item.group for item in items}))}


def _in_reach(
    counted: Sequence[tuple[int, Item, str]], positions: Sequence[tuple[int, ...]]
) -> tuple[Any, Any]:
    """Row and position of each of an item's positions that has a label, in order of row and position, once."""
    lengths = np.array([len(labels) for _, _, labels in counted], dtype=np.int64)
    row = np.repeat(np.arange(len(counted)), [len(some) for some in positions])
    at = np.fromiter(chain.from_iterable(positions), dtype=np.int64, count=len(row))
    reached = (at >= 0) & (at < lengths[row])
    longest = int(lengths.max(initial=1))
    both = np.unique(row[reached] * longest + at[reached])
    return both // longest, both % longest


def _surplus(counted: Sequence[tuple[int, Item, str]], lengths: Any, starts: Any, reading: Reading) -> Any:
    """Which labels stand after the last step, bool (labels,): mistakes, read strictly."""
    surplus = np.zeros(int(lengths.sum()), dtype=bool)
    if reading == "strict":
        for row, (_, item, labels) in enumerate(counted):
            if len(labels) > item.n_steps:
                surplus[starts[row] + item.n_steps : starts[row] + len(labels)] = True
    return surplus


def _called(codes: Any, is_wrong: Any, surplus: Any, reading: Reading) -> list[Any]:
    """Masks of tp, fp, tn and fn. A label that is missing counts for nothing, or read strictly as a mistake; a
    surplus one is a mistake about a step that is not there: a fp if it says valid, else a fn."""
    valid, missing = codes == ord(RIGHT), codes == ord(UNJUDGED)
    there = ~missing & ~surplus
    mistaken = missing & ~surplus if reading == "strict" else np.zeros_like(missing)
    masks: list[Any] = [None] * 4
    masks[TP], masks[TN] = there & valid & ~is_wrong, there & ~valid & is_wrong
    masks[FP] = (there & valid & is_wrong) | (mistaken & is_wrong) | (surplus & valid)
    masks[FN] = (there & ~valid & ~is_wrong) | (mistaken & ~is_wrong) | (surplus & ~valid)
    return masks


def _first_found(n: int, row: Any, hits: Any) -> Floats:
    first = np.full(n, np.nan)
    first[row[::-1]] = hits[::-1]  # the lowest position is written last
    return first
