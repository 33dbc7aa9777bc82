"""A reviewer's own work, as plain values: what is open, what is sent, what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import QuerySet

from annotator import policies
from annotator.core import labels as lab
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Decision,
    Event,
    Membership,
    Question,
    Use,
)
from annotator.models.review import OPEN_STATES
from annotator.views import my_history
from annotator.views.feedback import hints_for
from annotator.views.gate import Gate, gate_of
from annotator.views.my_history import HistoryFilter, own
from annotator.views.pace import Pace, pace_of

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
    state: str  # "skipped", "open", "exam" or "decided": what its reviewer is told


@dataclass(frozen=True)
class Work:
    """`submitted`: what the form asks for. The rest is on the first page alone, where nothing is searched for."""

    form: HistoryFilter
    open: list[Line]
    submitted: list[Line]
    questions: list[Question]
    pace: Pace
    before: str
    looked_at: int | None
    gate: Gate | None
    hints: list[str]
    first_page: bool
    is_filtered: bool


def build(by: Membership, form: HistoryFilter, before: str) -> Work:
    """One page of the submitted, newest first; `before` is where the page before it ended."""
    nothing = my_history.Found([], "", None)
    found = my_history.find(by, form.cleaned_data, before) if form.is_valid() else nothing
    overview = not (before or form.is_filtered or form.errors)
    in_hand = list(own(by).filter(state__in=OPEN_STATES).order_by("id")) if overview else []
    ran_out = list(_ran_out(by)) if overview else []
    return Work(
        form=form,
        open=lines_of([*in_hand, *ran_out]),
        submitted=lines_of(found.assignments),
        questions=list(_questions(by)) if overview else [],
        pace=pace_of(by, holds_one=bool(in_hand)),
        before=found.before,
        looked_at=found.looked_at,
        gate=gate_of(by) if overview else None,
        hints=hints_for(by) if overview else [],
        first_page=overview,
        is_filtered=form.is_filtered,
    )


def lines_of(assignments: Sequence[Assignment]) -> list[Line]:
    last = {row.assignment_id: row for row in my_history.last_words([one.pk for one in assignments])}
    seen = _seen_others(assignments)
    probes = policies.beside_probes([one.pk for one in assignments if one.purpose == Use.PROBE])
    return [_line(one, last.get(one.pk), one.item_id in seen, probes.get(one.pk)) for one in assignments]


def _line(assignment: Assignment, last: Annotation | None, seen: bool, is_open: bool | None) -> Line:
    solution = assignment.item.solution
    drafted = assignment.draft.get("labels") or lab.UNJUDGED * solution.n_steps
    submitted = assignment.state == AssignmentState.SUBMITTED
    state = _state(assignment, is_open)
    return Line(
        assignment,
        solution.problem.text,
        solution.n_steps - drafted.count(lab.UNJUDGED),
        solution.n_steps,
        outcome_of(last) if last and submitted else assignment.skip_reason,
        submitted and state == "open" and not seen,
        state,
    )


def _state(assignment: Assignment, is_open: bool | None) -> str:
    """`is_open`: what policies.beside_probes says of a probe; None of other work."""
    if assignment.state == AssignmentState.SKIPPED:
        return "skipped"
    if assignment.purpose == Use.EXAM:
        return "exam"
    undecided = assignment.item.decision == Decision.INCOMPLETE if is_open is None else is_open
    return "open" if undecided else "decided"


def _seen_others(assignments: Sequence[Assignment]) -> set[int]:
    """Items whose other labels the reviewer has seen: policies.check_may_reopen asks the same of one item."""
    items = {one.item_id for one in assignments}
    looks = Event.objects.filter(
        item__in=items, verb="look", actor__rater__in={one.rater_id for one in assignments}
    )
    return {item for item in looks.values_list("item", flat=True) if item}


def outcome_of(annotation: Annotation) -> str:
    """What was sent, in a few words."""
    if annotation.finish_reason in ("bad_problem", "bad_split", "give_up"):
        return annotation.get_finish_reason_display()
    wrong = [str(position + 1) for position in lab.wrong_steps(annotation.labels)]
    if not wrong:
        return "no wrong step"
    return f"wrong: {'steps' if len(wrong) > 1 else 'step'} {', '.join(wrong)}"


def _ran_out(by: Membership) -> QuerySet[Assignment]:
    """Claims that expired with something in the draft: they can still be finished."""
    expired = own(by).filter(submitted_at__isnull=True, state=AssignmentState.EXPIRED, draft_version__gt=0)
    return expired.order_by("-id")[:RAN_OUT_SHOWN]


def _questions(by: Membership) -> QuerySet[Question]:
    own = Question.objects.filter(project=by.project_id, asked_by=by.user_id)
    return own.select_related("answered_by").order_by("-id")[:QUESTIONS_SHOWN]
