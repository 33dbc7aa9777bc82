"""A reviewer's own work, as plain values: what is open, what is sent, what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import F, Q, QuerySet
from django.utils.dateparse import parse_datetime

from annotator import policies
from annotator.core import labels as lab
from annotator.models import Annotation, Assignment, AssignmentState, Membership, Phase, Question
from annotator.models.review import OPEN_STATES
from annotator.views.pace import Pace, pace_of

PER_PAGE = 30
RAN_OUT_SHOWN = 10
QUESTIONS_SHOWN = 20


class Line(NamedTuple):
    """One assignment in a list. `n_judged` counts labels in the draft; `outcome` says what was sent."""

    assignment: Assignment
    problem: str
    n_judged: int
    n_steps: int
    outcome: str
    can_reopen: bool


@dataclass(frozen=True)
class Work:
    open: list[Line]
    submitted: list[Line]
    questions: list[Question]
    pace: Pace
    before: str
    first_page: bool


def build(by: Membership, before: str) -> Work:
    """One page of the submitted, newest first; `before` is where the page before it ended."""
    sent = list(
        _before(_of(by).filter(submitted_at__isnull=False, state="submitted"), before)[: PER_PAGE + 1]
    )
    shown, more = sent[:PER_PAGE], len(sent) > PER_PAGE
    in_hand = [] if before else list(_of(by).filter(state__in=OPEN_STATES).order_by("id"))
    ran_out = [] if before else list(_ran_out(by))
    return Work(
        open=lines_of([*in_hand, *ran_out]),
        submitted=lines_of(shown),
        questions=list(_questions(by)),
        pace=pace_of(by, holds_one=bool(in_hand)),
        before=_mark(shown[-1]) if more else "",
        first_page=not before,
    )


def lines_of(assignments: Sequence[Assignment]) -> list[Line]:
    last = _last_words(assignments)
    return [_line(assignment, last.get(assignment.pk)) for assignment in assignments]


def _line(assignment: Assignment, last: Annotation | None) -> Line:
    solution = assignment.item.solution
    drafted = assignment.draft.get("labels") or lab.UNJUDGED * solution.n_steps
    return Line(
        assignment,
        solution.problem.text,
        solution.n_steps - drafted.count(lab.UNJUDGED),
        solution.n_steps,
        outcome_of(last) if last else "",
        policies.can_reopen(assignment, assignment.item),
    )


def outcome_of(annotation: Annotation) -> str:
    """What was sent, in a few words."""
    if annotation.finish_reason in ("bad_problem", "bad_split", "give_up"):
        return annotation.get_finish_reason_display()
    wrong = [str(position + 1) for position in lab.wrong_steps(annotation.labels)]
    if not wrong:
        return "no wrong step"
    return f"wrong: {'steps' if len(wrong) > 1 else 'step'} {', '.join(wrong)}"


def _of(by: Membership) -> QuerySet[Assignment]:
    own = Assignment.objects.filter(project=by.project_id, rater=by.rater_id)
    return own.select_related("item__solution__problem")


def _ran_out(by: Membership) -> QuerySet[Assignment]:
    """Claims that expired with something in the draft: they can still be finished."""
    expired = _of(by).filter(submitted_at__isnull=True, state=AssignmentState.EXPIRED, draft_version__gt=0)
    return expired.order_by("-id")[:RAN_OUT_SHOWN]


def _before(rows: QuerySet[Assignment], before: str) -> QuerySet[Assignment]:
    at, pk = _parse(before)
    if at:
        rows = rows.filter(Q(submitted_at__lt=at) | Q(submitted_at=at, pk__lt=pk), submitted_at__lte=at)
    return rows.order_by("-submitted_at", "-id")


def _mark(assignment: Assignment) -> str:
    return f"{assignment.submitted_at.isoformat() if assignment.submitted_at else ''}_{assignment.pk}"


def _parse(before: str) -> tuple[datetime | None, int]:
    """A mark that nobody gave starts from the beginning."""
    at, _, pk = before.rpartition("_")
    try:
        found = parse_datetime(at)
    except ValueError:
        return None, 0
    return (found, int(pk)) if found and found.tzinfo and pk.isdigit() and len(pk) < 19 else (None, 0)


def _last_words(assignments: Sequence[Assignment]) -> dict[int, Annotation]:
    rows = Annotation.objects.filter(
        assignment__in=[assignment.pk for assignment in assignments], superseded_at__isnull=True,
        phase__in=[Phase.BLIND, Phase.REVEALED], solution=F("assignment__item__solution"),
    ).order_by("id")  # fmt: skip
    return {row.assignment_id: row for row in rows if row.assignment_id}


def _questions(by: Membership) -> QuerySet[Question]:
    own = Question.objects.filter(project=by.project_id, asked_by=by.user_id)
    return own.select_related("answered_by").order_by("-id")[:QUESTIONS_SHOWN]
