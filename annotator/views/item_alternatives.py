"""The other ways to go on from a step, and what raters said of each, as a lead reads them."""

from typing import NamedTuple

from annotator.actions.alternatives import of_item
from annotator.models import Annotation, Item
from annotator.views import words


class Rated(NamedTuple):
    """Another way to go on instead of step `number` (from 1), and (rater, mark) of whoever judged it."""

    number: int
    text: str
    said: list[tuple[str, words.Mark]]


def rated(item: Item) -> list[Rated]:
    """In the order of the steps; two queries, and none for an item that has no such."""
    found = of_item(item)
    if not found:
        return []
    rows = Annotation.objects.filter(solution__in=[one.id for one in found], superseded_at__isnull=True)
    said: dict[int, list[tuple[str, words.Mark]]] = {}
    for row in rows.select_related("rater").order_by("id"):
        said.setdefault(row.solution_id, []).append((row.rater.name, words.MARKS[row.labels[-1]]))
    return [Rated(one.position + 1, one.text, said.get(one.id, [])) for one in found]
