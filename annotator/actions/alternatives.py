"""Other ways to go on from a step (PRM800K's completions): found for the page, and kept where they were rated.

An import keeps each as a sibling solution, the steps before it and itself as the last; siblings have no item. A
rating is the reviewer's annotation of the sibling, under the assignment of the item that showed it.
"""

from typing import NamedTuple

from django.db.models import Q
from django.utils import timezone

from annotator.actions.import_rows import SIBLING_OF
from annotator.core import labels as lab
from annotator.core.judgement import ENDS_EARLY, Judgement
from annotator.formats import prm800k
from annotator.models import Annotation, Assignment, Item, Membership, Phase, Protocol, Solution


class Alternative(NamedTuple):
    """Another wording of the step at `position` (0-based); `id` is that of the solution that ends with it."""

    id: int
    position: int
    text: str


def alternatives_of(assignment: Assignment) -> list[Alternative]:
    """What is shown to a reviewer; [] where the protocol does not ask for it."""
    return of_item(assignment.item)


def of_item(item: Item) -> list[Alternative]:
    """The other ways to go on, step by step, as they came.

    One query, and only for a solution of the format that has such. Siblings share the problem, so that the
    database reads a handful of rows however large the project is.
    """
    shown = item.solution
    if item.protocol != Protocol.LABEL_STEPS or shown.foreign_format != prm800k.NAME:
        return []
    rows = Solution.objects.filter(
        problem_id=shown.problem_id, n_steps__lte=shown.n_steps, **{f"meta__{SIBLING_OF}": shown.foreign_id}
    ).order_by("n_steps", "id")  # fmt: skip
    found: dict[tuple[int, str], Alternative] = {}
    for pk, steps in rows.values_list("pk", "steps"):
        before, text = steps[:-1], steps[-1]
        at = len(before)
        if before == shown.steps[:at] and text != shown.steps[at]:
            found.setdefault((at, text), Alternative(pk, at, text))
    return list(found.values())


def rate(
    *, assignment: Assignment, by: Membership, judgement: Judgement, phase: Phase, labels_first: bool = True
) -> None:
    """Store the rated alternatives of judged steps. The caller is in the transaction of a commit, and has
    superseded what this assignment said before. What another item shows too has one last word."""
    if not judgement.alternatives or judgement.finish_reason in ENDS_EARLY:
        return
    of: dict[str, object] = {"rater_id": by.rater_id, "phase": phase}
    lengths = dict(Solution.objects.filter(pk__in=judgement.alternatives).values_list("pk", "n_steps"))
    Annotation.objects.filter(Q(solution__in=lengths, **of), superseded_at__isnull=True).update(
        superseded_at=timezone.now()
    )
    said = of | {"labels_first": labels_first}
    Annotation.objects.bulk_create(
        _annotation(assignment, pk, lab.UNJUDGED * (n_steps - 1) + judgement.alternatives[pk], said)
        for pk, n_steps in sorted(lengths.items())
        if judgement.labels[n_steps - 1] != lab.UNJUDGED
    )


def _annotation(assignment: Assignment, solution_id: int, labels: str, of: dict[str, object]) -> Annotation:
    """Without a time or a reason to end: those are of the whole review, on the item's own annotation."""
    return Annotation(
        solution_id=solution_id, assignment=assignment, labels=labels, n_steps=len(labels),
        first_error=lab.first_error(labels), guideline_id=assignment.project.guideline_id, **of,
    )  # fmt: skip
