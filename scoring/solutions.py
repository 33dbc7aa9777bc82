"""Which solutions a reward model scores in a project, and what it is told of each."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotator.actions.export_rows import present
from annotator.actions.import_rows import SIBLING_OF
from annotator.actions.machine_rows import unjudged
from annotator.models import Item, Project, Rater, Solution

Text = tuple[str, str, list[str]]  # id, problem, steps
CHUNK = 1_000


def to_score(project: Project, rater: Rater | None = None) -> QuerySet[Solution]:
    """All that are judged anywhere here: what came in or was made, and the originals that errors were put into; but
    not what this very model has scored."""
    items = Item.objects.filter(solution=OuterRef("pk"))
    children = Solution.objects.filter(parent=OuterRef("pk"))
    judged = ~Q(foreign_format="") | Q(Exists(children)) | Q(Exists(items))
    rows = present(project).filter(judged, ~Q(meta__has_key=SIBLING_OF))
    return unjudged(rows, rater) if rater else rows


def texts(rows: QuerySet[Solution], after: int, most: int) -> Iterator[Text]:
    """At most so many solutions after an id, in the order of ids."""
    found = rows.filter(pk__gt=after).order_by("pk").values_list("pk", "problem__text", "steps")[:most]
    for pk, problem, steps in found.iterator(chunk_size=CHUNK):
        yield str(pk), problem, steps


def texts_of(ids: list[int]) -> list[Text]:
    """These solutions, in the order asked for."""
    rows = Solution.objects.filter(pk__in=ids).values_list("pk", "problem__text", "steps")
    found = {pk: (str(pk), problem, steps) for pk, problem, steps in rows}
    return [found[pk] for pk in ids if pk in found]
