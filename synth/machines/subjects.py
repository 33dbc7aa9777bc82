"""What methods work on: a project's solutions and problems, found in the order of their ids.

Left out: what was taken down or retired, what an import has not finished writing, what a reviewer only proposed, and
the siblings of a PRM800K record, of which nobody judges more than the last step.
"""

from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from annotator.actions.export_rows import present
from annotator.actions.import_rows import SIBLING_OF
from annotator.models import Annotation, Injection, Item, Problem, Project, Solution

CHUNK = 500
ALL, ITEMS, SAMPLES = "all", "items", "samples"
LABELLED, ANSWERED = "labelled", "answered"
WHICH = {
    LABELLED: "solutions labelled right to the last step",
    ANSWERED: "those, and solutions whose final answer was checked and is right",
    ALL: "every solution",
    ITEMS: "solutions that are queued for review",
    SAMPLES: "sampled solutions",
}
M = TypeVar("M", bound=Model)


def solutions(project: Project, which: str = ALL) -> QuerySet[Solution]:
    """The solutions that a machine may judge, with their problems."""
    rows = whole(project).exclude(foreign_format="")
    if which == ITEMS:
        rows = rows.filter(Exists(Item.objects.filter(solution=OuterRef("pk"))))
    elif which == SAMPLES:
        rows = rows.filter(parent=None, meta__has_key="sample")
    return rows


def whole(project: Project) -> QuerySet[Solution]:
    """What is present and no sibling, with its problem."""
    rows = present(project).filter(~Q(meta__has_key=SIBLING_OF))
    return rows.select_related("problem", "problem__parent")


def problems(project: Project) -> QuerySet[Problem]:
    """The questions as they came: a changed question is no problem to solve anew."""
    return Problem.objects.filter(project=project, parent=None, taken_down_at=None)


def right_ones(project: Project, which: str = LABELLED) -> QuerySet[Solution]:
    """Wholly correct solutions, to put errors into: judged right to the last step by gold here or by the labels they
    came with, or the original that an injection was made from; ANSWERED: or of a right final answer, which says less.
    """
    every = Annotation.objects.filter(solution=OuterRef("pk"), superseded_at__isnull=True, first_error=-1)
    by_gold = Item.objects.filter(solution=OuterRef("pk"), gold__first_error=-1, gold__labels__regex=r"^\++$")
    by_source = every.filter(rater__kind="source", labels__regex=r"^\++$")
    injected = Injection.objects.filter(parent=OuterRef("pk"))
    unhappy = Item.objects.filter(solution=OuterRef("pk"), gold__isnull=False).exclude(gold__first_error=-1)
    rows = whole(project).filter(injection=None)
    right = Q(Exists(by_gold)) | Q(Exists(by_source)) | Q(Exists(injected))
    if which == ANSWERED:
        right |= Q(meta__final_answer_correct=True)
    return rows.filter(right, ~Exists(unhappy))


def in_order(rows: QuerySet[M], after: int) -> Iterator[M]:
    """Rows after an id, read in chunks, so that memory stays flat however many there are."""
    for chunk in in_chunks(rows, after):
        yield from chunk


def in_chunks(rows: QuerySet[M], after: int) -> Iterator[list[M]]:
    """The same a chunk at a time, for who asks something else of each."""
    while chunk := list(rows.filter(pk__gt=after).order_by("pk")[:CHUNK]):
        yield chunk
        after = chunk[-1].pk
