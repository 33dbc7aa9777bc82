"""Pages of places: whole solutions, listed by their ids, each page reading those it shows and no others."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from annotator.models import Item as QueueItem
from annotator.models import Project, Solution
from scoring.evaluating.asked import Asked
from scoring.evaluating.measure import asked_of
from scoring.metrics.prmbench import Item
from scoring.metrics.processbench import Case

T = TypeVar("T")


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
    """Pages of whole solutions. entries: what is asked.  ids: the solutions, ascending, in which there is something
    to list, so that a page reads no others."""

    def __init__(self, project: Project, entries: Iterable[Any], ids: Sequence[int]) -> None:
        self._project, self._ids = project, ids
        there = set(ids)
        self._entries = {
            int(one.id): one
            for one in asked_of(list(entries))
            if not isinstance(one, Asked) and int(one.id) in there
        }

    def page(
        self,
        found: Callable[[Sequence[Any]], Iterable[Place]],
        made: Callable[..., T],
        after: str | None,
        limit: int,
    ) -> Listed[T]:
        """found: the places among some entries.  after: the id of a solution, None for the first page; so is what is
        none.  limit: solutions."""
        start = bisect_right(self._ids, _cursor(after))
        ids = self._ids[start : start + limit]
        places = list(found([self._entries[pk] for pk in ids if pk in self._entries]))
        is_last = start + limit >= len(self._ids)
        return Listed(_told(places, made), None if is_last else str(ids[-1]))


def _cursor(after: str | None) -> int:
    is_one = after is not None and after.isascii() and after.isdecimal()
    return int(after) if after and is_one else 0


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
