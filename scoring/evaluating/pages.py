"""Pages of places: listed by solution and position, each page reading only as many solutions as it needs."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from annotator.models import Item as QueueItem
from annotator.models import Project, Solution
from scoring.evaluating.asked import Asked
from scoring.evaluating.measure import asked_of
from scoring.metrics.prmbench import Item
from scoring.metrics.processbench import Case

AT_ONCE: Final = 500  # solutions

T = TypeVar("T")
X = TypeVar("X")


class Listed(NamedTuple, Generic[T]):
    """after: what asks for the rows that follow, None on the last page."""

    rows: list[T]
    after: str | None


class Place(NamedTuple):
    """Where something is before its item and name are known; what: what stands in the row after `position`."""

    solution: int
    kind: str
    position: int
    what: tuple[Any, ...]


def kind_of(entry: Any) -> str:
    return entry.kind if isinstance(entry, Item) else entry.subset if isinstance(entry, Case) else ""


class Walk:
    """Pages of places. entries: what is asked, in any order; kind: only of this one."""

    def __init__(self, entries: Iterable[Any], kind: str | None, after: str | None, limit: int) -> None:
        self._since = _cursor(after)
        asked = (one for one in asked_of(list(entries)) if not isinstance(one, Asked))
        wanted = [one for one in asked if kind is None or kind_of(one) == kind]
        self._entries = sorted(wanted, key=lambda one: int(one.id))
        self._limit = limit

    def page(
        self, project: Project, found: Callable[[Sequence[Any]], Iterable[Place]], made: Callable[..., T]
    ) -> Listed[T]:
        """found: the places among some entries."""
        kept: list[Place] = []
        left = [one for one in self._entries if int(one.id) >= self._since[0]]
        for some in batched(left):
            kept += [place for place in found(some) if (place.solution, place.position) > self._since]
            if len(kept) > self._limit:
                break
        rows = kept[: self._limit]
        last = f"{rows[-1].solution}-{rows[-1].position}" if len(kept) > self._limit else None
        return Listed(_told(rows, made), last)


def batched(some: Sequence[X]) -> Iterator[Sequence[X]]:
    for start in range(0, len(some), AT_ONCE):
        yield some[start : start + AT_ONCE]


def _cursor(after: str | None) -> tuple[int, int]:
    """What is no cursor asks for the first page."""
    solution, _, position = (after or "").partition("-")
    if not all(part.isascii() and part.isdecimal() for part in (solution, position)):
        return (0, -1)
    return int(solution), int(position)


def _told(places: Sequence[Place], made: Callable[..., T]) -> list[T]:
    pks = {place.solution for place in places}
    names = dict(Solution.objects.filter(pk__in=pks).values_list("pk", "foreign_id"))
    items = items_of(pks)
    return [
        made(
            items.get(one.solution),
            one.solution,
            names.get(one.solution, ""),
            one.kind,
            one.position,
            *one.what,
        )
        for one in places
    ]


def items_of(solutions: Iterable[int]) -> dict[int, int]:
    """Solution id -> its item in the queue, the first that is not retired."""
    rows = QueueItem.objects.filter(solution__in=list(solutions)).order_by("-retired", "-pk")
    return dict(rows.values_list("solution_id", "pk"))
