"""Some reviews of the demo project, through the real actions, so that a first look finds figures."""

from datetime import timedelta
from random import Random
from typing import Any

from django.utils import timezone

from annotator import queue
from annotator.actions import review
from annotator.core import labels as lab
from annotator.models import Annotation, Assignment, Membership, Phase, Project

REVIEWS = {"alice": 16, "bob": 12}
SECONDS = (45, 240)
DIFFERS_EVERY = 3  # bob sees every third item in another way
PERSUADED_EVERY = 5  # alice overlooks the error of every fifth until she is shown the claim


def review_some(project: Project) -> None:
    """Each reviewer's share, less what they have submitted already."""
    for username, wanted in REVIEWS.items():
        by = Membership.objects.select_related("project__guideline", "user").get(
            project=project, user__username=username
        )
        for number in range(by.n_submitted + 1, wanted + 1):
            claimed = queue.claim(by=by)
            if claimed is None:
                return
            _review(by, review.load(by, claimed.pk), number)


def _review(by: Membership, assignment: Assignment, number: int) -> None:
    duration = _spend_time(assignment, number)
    claimed = Annotation.objects.filter(solution=assignment.item.solution, phase=Phase.MACHINE).first()
    n_steps = assignment.item.solution.n_steps
    truth = claimed.labels if claimed else lab.RIGHT * n_steps
    differs = by.user.username == "bob" and number % DIFFERS_EVERY == 0
    persuaded = by.user.username == "alice" and number % PERSUADED_EVERY == 0
    final = _another_view(truth) if differs else truth
    blind = lab.RIGHT * n_steps if persuaded else final
    kind = assignment.item.error_type
    review.commit(by=by, assignment_id=assignment.pk, data=_judgement(blind, kind, duration))
    verdict = {"claim": "accept" if final == truth else "fix", "original": "right"}
    data = _judgement(final, kind, duration) | {"verdict": verdict}
    review.submit(by=by, assignment_id=assignment.pk, data=data)


def _judgement(labels: str, kind: str, duration_ms: int) -> dict[str, Any]:
    types = {str(position): [kind] for position in lab.wrong_steps(labels) if kind}
    return {"labels": labels, "error_types": types, "duration_ms": duration_ms}


def _another_view(labels: str) -> str:
    """One wrong step less, or where there is only one the next step wrong too."""
    wrong = lab.wrong_steps(labels)
    if len(wrong) > 1:
        return labels[: wrong[-1]] + lab.RIGHT + labels[wrong[-1] + 1 :]
    after = min(wrong[0] + 1, len(labels) - 1) if wrong else len(labels) - 1
    return labels[:after] + lab.WRONG + labels[after + 1 :]


def _spend_time(assignment: Assignment, number: int) -> int:
    """Move the claim back by what a person would have needed: no review takes longer than its claim."""
    seconds = Random(f"{assignment.rater_id}:{number}").randint(*SECONDS)  # noqa: S311 (a demo's figures)
    since = timezone.now() - timedelta(seconds=seconds)
    Assignment.objects.filter(pk=assignment.pk).update(claimed_at=since)
    return seconds * 1000
