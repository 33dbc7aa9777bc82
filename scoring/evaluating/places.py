"""Single steps of a project that a report counts: what a rater missed, where two raters or two truths differ."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from annotator.core.labels import NEUTRAL, NO_ERROR, RIGHT, UNKNOWN, WRONG
from annotator.models import Project, Rater
from scoring.evaluating.asked import Asked
from scoring.evaluating.measure import asked_of
from scoring.evaluating.pages import Place, items_of, kind_of
from scoring.evaluating.said import Cut, Said, first_of, is_blind, load, prediction
from scoring.evaluating.truths import Truth, batched
from scoring.metrics.prmbench import BY_REDUNDANCY, Item, known_wrong
from scoring.metrics.processbench import Case

MOST_ITEMS: Final = 5_000
NONE, UNPARSED = "none", "unparsed"


class Miss(NamedTuple):
    """A step on which a rater is wrong; of ProcessBench a solution, and `position` its true first error, or else
    the one said. said, truth: a label, or of ProcessBench a step from 1 on, "none" or "unparsed"."""

    item: int | None
    solution: int
    foreign_id: str
    kind: str
    position: int
    said: str
    truth: str
    score: float | None


class Apart(NamedTuple):
    """A step on which two raters differ, as in Miss. truth: None where nobody knows."""

    item: int | None
    solution: int
    foreign_id: str
    kind: str
    position: int
    a: str
    b: str
    truth: str | None


class Moved(NamedTuple):
    """A step of which the released labels and people's say different things, as in Miss."""

    item: int | None
    solution: int
    foreign_id: str
    kind: str
    position: int
    released: str
    gold: str


def truly(entry: Any, at: int) -> str | None:
    """The label of a step of an item by its truth; None where nobody knows."""
    if at in entry.unknown or not 0 <= at < entry.n_steps:
        return None
    return WRONG if at in entry.wrong else RIGHT


def missed(entry: Any, said: Said, cut: Cut) -> Iterator[Place]:
    """Where a rater is wrong about one solution."""
    if isinstance(entry, Item):
        labels = _labels(entry, said, cut)
        for at, label in enumerate(labels):
            truth = truly(entry, at)
            if truth is not None and label in (RIGHT, WRONG) and label != truth:
                yield Place(int(entry.id), entry.kind, at, (label, truth, _score(entry, said, at)))
    elif isinstance(entry, Case):
        first = first_of(said, cut)
        if first != entry.label:
            at = max(entry.label if entry.label != NO_ERROR else first or 0, 0)
            what = (_step(first), _step(entry.label), _score(entry, said, at))
            yield Place(int(entry.id), entry.subset, at, what)


def _labels(item: Item, said: Said, cut: Cut) -> str:
    """What PRMBench reads of a rater: of two kinds the redundancy axis."""
    found = prediction(said, cut)
    if not found.is_parsed:
        return ""
    by_axis = item.kind in BY_REDUNDANCY and found.redundancy is not None
    return ((found.redundancy or "") if by_axis else found.validity).replace(NEUTRAL, RIGHT)


def _score(entry: Any, said: Said, at: int) -> float | None:
    by_axis = isinstance(entry, Item) and entry.kind in BY_REDUNDANCY and said.redundancy_scores
    scores = (said.redundancy_scores if by_axis else said.scores) or []
    return scores[at] if at < len(scores) else None


def _step(first: int | None) -> str:
    """A first error in words; steps count from 1 on screen."""
    return UNPARSED if first is None else NONE if first == NO_ERROR else str(first + 1)


def differing(entry: Any, one: Said, other: Said, cuts: tuple[Cut, Cut]) -> Iterator[Place]:
    """Where two raters both judge and not alike."""
    if isinstance(entry, Item):
        pair = (_labels(entry, said, cut) for said, cut in zip((one, other), cuts, strict=True))
        for at, (a, b) in enumerate(zip(*pair, strict=False)):
            if a != b and {a, b} == {RIGHT, WRONG}:
                yield Place(int(entry.id), entry.kind, at, (a, b, truly(entry, at)))
    elif isinstance(entry, Case):
        a, b = (first_of(said, cut) for said, cut in zip((one, other), cuts, strict=True))
        if a != b:
            named = [first for first in (a, b) if first is not None and first != NO_ERROR]
            truth = None if entry.label == UNKNOWN else _step(entry.label)
            yield Place(int(entry.id), entry.subset, min(named, default=0), (_step(a), _step(b), truth))


def moved(released: Any, gold: Any) -> Iterator[Place]:
    """Where two truths of one solution differ."""
    if isinstance(released, Item):
        apart = set(known_wrong(released)) ^ set(known_wrong(gold))
        for at in sorted(at for at in apart if 0 <= at < released.n_steps):
            yield Place(int(released.id), released.kind, at, (truly(released, at), truly(gold, at)))
    elif isinstance(released, Case) and released.label != gold.label:
        named = [one.label for one in (released, gold) if one.label != NO_ERROR]
        what = (_step(released.label), _step(gold.label))
        yield Place(int(released.id), released.subset, min(named, default=0), what)


def of_rater(
    project: Project, rater: Rater, cut: Cut, labels: str
) -> Callable[[Sequence[Any]], Iterator[Place]]:
    """What finds a rater's misses among some entries, with one query. labels: those that it is held against."""

    def found(entries: Sequence[Any]) -> Iterator[Place]:
        said = load(project, rater, [int(one.id) for one in entries], blind=is_blind(labels))
        for entry in entries:
            if int(entry.id) in said:
                yield from missed(entry, said[int(entry.id)], cut)

    return found


def of_two(
    project: Project, a: Rater, b: Rater, cuts: tuple[Cut, Cut], labels: str
) -> Callable[[Sequence[Any]], Iterator[Place]]:
    """What finds where two raters differ among some entries, with two queries."""

    def found(entries: Sequence[Any]) -> Iterator[Place]:
        pks = [int(one.id) for one in entries]
        one, other = (load(project, rater, pks, blind=is_blind(labels)) for rater in (a, b))
        for entry, pk in zip(entries, pks, strict=True):
            if pk in one and pk in other:
                yield from differing(entry, one[pk], other[pk], cuts)

    return found


def of_truths(truth: Truth[Any]) -> Callable[[Sequence[Any]], Iterator[Place]]:
    """What finds where gold differs, among some entries of `same`."""
    gold = {one.id: one for one in truth.gold}  # of questions there is none

    def found(entries: Sequence[Any]) -> Iterator[Place]:
        for entry in entries:
            if entry.id in gold:
                yield from moved(entry, gold[entry.id])

    return found


class Held(NamedTuple):
    """The solutions of a kind in which there is something to list, ascending; n_steps: how many places."""

    ids: list[int]
    n_steps: int


def where(entries: Iterable[Any], found: Callable[[Sequence[Any]], Iterable[Place]]) -> dict[str, Held]:
    """Kind -> where something is found; by the order of the entries."""
    asked = [one for one in asked_of(list(entries)) if not isinstance(one, Asked)]
    n_of = Counter(place.solution for place in found(asked))
    kinds: defaultdict[str, list[int]] = defaultdict(list)
    for one in asked:
        if int(one.id) in n_of:
            kinds[kind_of(one)].append(int(one.id))
    return {kind: Held(sorted(ids), sum(n_of[pk] for pk in ids)) for kind, ids in kinds.items()}


def ids_of(held: Mapping[str, Held], kind: str | None) -> list[int]:
    """Of all kinds, or one."""
    return sorted(pk for code, one in held.items() if kind in (None, code) for pk in one.ids)


def n_missed(held: Mapping[str, Held]) -> dict[str, dict[str, Any]]:
    """Kind -> {"n_items", "n_steps", "items"}: how much a rater missed, and the first items in the queue."""
    found = {}
    for kind, one in held.items():
        items: dict[int, int] = {}
        for some in batched(one.ids[:MOST_ITEMS]):
            items |= items_of(some)
        found[kind] = {"n_items": len(one.ids), "n_steps": one.n_steps, "items": sorted(items.values())}
    return found
