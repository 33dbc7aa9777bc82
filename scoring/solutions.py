"""Which solutions a reward model scores in a project, and what it is told of each."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet

from annotator.actions.export_rows import finished_solutions
from annotator.actions.import_rows import SIBLING_OF
from annotator.models import Annotation, Item, Phase, Project, Rater, Solution

Text = tuple[str, str, list[str]]  # id, problem, steps
CHUNK = 1_000


def to_score(project: Project, rater: Rater | None = None) -> QuerySet[Solution]:
    """All that are judged anywhere here: what came in or was made, and the originals that errors were put into; but
    not what was taken down or retired, and not what this very model has scored."""
    items = Item.objects.filter(solution=OuterRef("pk"))
    retired = Exists(items.filter(retired=True)) & ~Exists(items.filter(retired=False))
    children = Solution.objects.filter(parent=OuterRef("pk"))
    rows = finished_solutions(project).filter(
        ~retired, ~Q(meta__has_key=SIBLING_OF), ~Q(foreign_format="") | Q(Exists(children)) | Q(Exists(items)),
        problem__taken_down_at=None, problem__parent__taken_down_at=None,
    )  # fmt: skip
    if rater:
        said = Annotation.objects.filter(
            solution=OuterRef("pk"), rater=rater, phase=Phase.MACHINE, superseded_at__isnull=True
        )
        rows = rows.filter(~Exists(said))
    return rows


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
