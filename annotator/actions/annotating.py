"""The rows that a reviewer's judgement becomes: the annotation, the proposal, the ratings of alternatives."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from annotator import errors
from annotator.actions import alternatives
from annotator.core import judgement as judging
from annotator.core import labels as lab
from annotator.core.digest import solution_digest
from annotator.core.judgement import Judgement
from annotator.models import Annotation, Assignment, FinishReason, Membership, Phase, Solution


def annotate(
    assignment: Assignment, by: Membership, judgement: Judgement, phase: Phase, *, labels_first: bool = True
) -> Annotation:
    """Append the annotation of the item's solution; one that it replaces (reopened work) is kept, superseded.

    labels_first: false where the reviewer had seen what machines say before labelling anything.

    The caller holds the assignment's lock. Rated alternatives become annotations of their own.
    """
    now = timezone.now()
    solution = assignment.item.solution
    if assignment.reopened:
        Annotation.objects.filter(
            Q(solution=solution) | Q(assignment=assignment),
            rater_id=by.rater_id, phase=phase, superseded_at__isnull=True,
        ).update(superseded_at=now)  # fmt: skip
    stopped = lab.WRONG in judgement.labels and lab.UNJUDGED in judgement.labels
    reason = judgement.finish_reason or (FinishReason.FOUND_ERROR if stopped else FinishReason.SOLUTION)
    made = Annotation.objects.create(
        solution=solution, rater_id=by.rater_id, phase=phase, assignment=assignment,
        labels=judgement.labels, n_steps=solution.n_steps, first_error=lab.first_error(judgement.labels),
        error_types={str(k): v for k, v in judgement.error_types.items()} or None,
        verdict=judgement.verdict or None, finish_reason=reason, note=judgement.note,
        bulk=judgement.bulk or None,
        edited_solution=_edited(assignment, judgement), guideline_id=assignment.project.guideline_id,
        blind_shows=assignment.project.blind_shows, labels_first=labels_first,
        duration_ms=duration(assignment, judgement, now),
    )  # fmt: skip
    alternatives.rate(
        assignment=assignment, by=by, judgement=judgement, phase=phase, labels_first=labels_first
    )
    return made


def duration(assignment: Assignment, judgement: Judgement, now: datetime) -> int:
    """The browser counts the time the page was in view; it cannot be more than has passed."""
    if assignment.claimed_at is None:
        return judgement.duration_ms
    return min(judgement.duration_ms, int((now - assignment.claimed_at).total_seconds() * 1000))


def proposed_steps(assignment: Assignment, judgement: Judgement) -> list[str] | None:
    """The edited steps, if any were edited. Raises Invalid where none would be left, which no draft is asked."""
    try:
        return judging.edited_steps(assignment.item.solution.steps, judgement)
    except judging.BadJudgement as error:
        raise errors.Invalid(str(error), field=error.field) from None


def _edited(assignment: Assignment, judgement: Judgement) -> Solution | None:
    """The proposal as a child solution, at most one for each digest."""
    parent = assignment.item.solution
    steps = proposed_steps(assignment, judgement)
    if steps is None:
        return None
    digest = solution_digest(parent.problem.text, steps)
    child, _ = Solution.objects.get_or_create(
        project_id=parent.project_id, key=f"edit:{digest[:56]}", digest=digest,
        defaults={"problem": parent.problem, "parent": parent, "steps": steps, "n_steps": len(steps)},
    )  # fmt: skip
    return child
