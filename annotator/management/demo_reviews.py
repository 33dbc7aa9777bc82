"""Some reviews of the demo project, through the real actions, so that a first look finds figures."""

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any, Final

from django.utils import timezone

from annotator import queue
from annotator.actions import review
from annotator.core import labels as lab
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Item,
    Membership,
    Phase,
    Project,
    Protocol,
    RaterKind,
)

FIRST: Final = {"alice": 20, "bob": 16}
LATER: Final = {"alice": 54, "bob": 50}  # the first of them of what rules made
SECONDS = (45, 240)
DIFFERS_EVERY = 3  # bob sees every third item in another way
PERSUADED_EVERY = 5  # alice overlooks the error of every fifth until she is shown the claim
MISLED_AT = (3, 17, 31)  # of alice's items: the claim talks her out of what she had found


def review_some(project: Project, shares: Mapping[str, int]) -> None:
    """Each reviewer's share, less what they have submitted already."""
    for username, wanted in shares.items():
        by = member(project, username)
        for number in range(by.n_submitted + 1, wanted + 1):
            claimed = queue.claim(by=by)
            if claimed is None:
                return
            review_one(by, claimed.pk, number)


def member(project: Project, username: str) -> Membership:
    rows = Membership.objects.select_related("project__guideline", "user")
    return rows.get(project=project, user__username=username)


def claimed_labels(item: Item) -> str:
    """The labels that came with the data; what they leave open counts as right."""
    rows = Annotation.objects.filter(solution=item.solution, phase=Phase.MACHINE).exclude(
        rater__kind=RaterKind.PRM
    )
    claimed = rows.order_by("id").first()
    text: str = claimed.labels if claimed else lab.RIGHT * item.solution.n_steps
    return text.replace(lab.UNJUDGED, lab.RIGHT)


def review_one(by: Membership, assignment_id: int, number: int) -> None:
    """`number`: which one of this reviewer's it is, and so in what way it is seen."""
    assignment = review.load(by, assignment_id)
    name, truth = by.user.username, claimed_labels(assignment.item)
    duration = _spend_time(assignment, number)
    final = _another_view(truth) if name != "alice" and number % DIFFERS_EVERY == 0 else truth
    blind = final
    if name == "alice" and number % PERSUADED_EVERY == 0:
        blind = lab.RIGHT * len(truth)
    elif name == "alice" and number in MISLED_AT:
        final = lab.RIGHT * len(truth)
    kind = kind_of(assignment.item)
    done = review.commit(by=by, assignment_id=assignment.pk, data=_judgement(blind, kind, duration) | ANSWERS)
    if done.state != AssignmentState.SUBMITTED:
        verdict = {"claim": "accept" if final == truth else "fix", "original": "right"}
        verdict |= {"kind": kind} if kind else {}
        data = _judgement(final, kind, duration) | {"verdict": verdict}
        review.submit(by=by, assignment_id=assignment.pk, data=data)


def kind_of(item: Item) -> str:
    """The claimed error type; another way to solve a problem has none."""
    return item.error_type if item.protocol == Protocol.VERIFY_INJECTION else ""


ANSWERS: Final = {"verdict": {"right": "yes", "different": "yes", "answer": "right"}}


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
