"""The exam that may stand before a project's work: demonstrations, then items with gold, then a pass mark.

An attempt is every exam item judged once, in the review page like any other. When the last is in, it is marked:
passed, or all items are taken back and may be tried again, up to MAX_ATTEMPTS. What is told afterwards are patterns,
never an item.
"""

from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from annotator import errors, measured, policies, queue
from annotator.actions.record import record
from annotator.actions.texts import worded
from annotator.core import accuracy
from annotator.core.accuracy import Share
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Event,
    Item,
    Membership,
    Project,
    Role,
    Use,
)  # fmt: skip
from annotator.policies import Actor

MAX_ATTEMPTS = 3
NONE_LEFT = f"You have used your {MAX_ATTEMPTS} attempts: ask a lead how to go on."
NO_ITEMS = "You have had every item of the exam before: ask a lead to let you in."


class Result(NamedTuple):
    """A marked attempt, counted from 1. `patterns`: [code, error type] of what went wrong again and again."""

    attempt: int
    right: int
    n: int
    needed: float
    passed: bool
    patterns: list[list[str]]
    at: datetime

    @property
    def share(self) -> Share:
        return Share(self.right, self.n)


def demonstrations(project: Project) -> QuerySet[Item]:
    """In order; with gold, or there is nothing to show."""
    return Item.objects.filter(
        project=project, use=Use.DEMONSTRATION, retired=False, gold__isnull=False
    ).order_by("-priority", "id")


def questions(me: Membership) -> QuerySet[Item]:
    """The items of this member's exam, in order: those with gold that they met nowhere else."""
    had = Assignment.objects.filter(item=OuterRef("pk"), rater_id=me.rater_id).exclude(purpose=Use.EXAM)
    said = Annotation.objects.filter(solution=OuterRef("solution"), rater_id=me.rater_id)
    elsewhere = said.filter(Q(assignment=None) | ~Q(assignment__purpose=Use.EXAM))
    rows = Item.objects.filter(project=me.project_id, use=Use.EXAM, retired=False, gold__isnull=False)
    return rows.filter(~Exists(had), ~Exists(elsewhere)).order_by("-priority", "id")


def answered(me: Membership) -> int:
    """How many questions of the attempt under way are in."""
    return questions(me).filter(assignments__in=_own(me).filter(state=AssignmentState.SUBMITTED)).count()


@transaction.atomic
def go_on(*, by: Membership) -> Assignment | None:
    """The next question of the exam; None when the last is in, and then the attempt is marked.

    Raises Conflict where there is no exam, it is passed already, or no attempt is left.
    """
    me = queue.lock_membership(by)
    _check(me)
    open_ = _own(me).filter(state__in=(AssignmentState.CLAIMED, AssignmentState.COMMITTED)).first()
    if open_:
        return open_
    items = questions(me)
    done = _own(me).exclude(state=AssignmentState.EXPIRED).values("item")
    following = items.exclude(pk__in=done).first()
    if following:
        return _ask(me, following, timezone.now())
    if not items.exists():
        raise errors.Conflict(NO_ITEMS)
    _mark(me)
    return None


def _check(me: Membership) -> None:
    policies.check_may_work(me)
    if me.project.exam_pass is None:
        raise errors.Conflict("This project has no exam.")
    if me.exam_passed_at:
        raise errors.Conflict("You have passed the exam already.")
    if me.exam_attempts >= MAX_ATTEMPTS:
        raise errors.Conflict(NONE_LEFT)


def _own(me: Membership) -> QuerySet[Assignment]:
    return Assignment.objects.filter(project=me.project_id, rater=me.rater_id, purpose=Use.EXAM).order_by(
        "id"
    )


def _ask(me: Membership, item: Item, now: datetime) -> Assignment:
    """The question of another attempt is the assignment of the first, begun anew: what it replaces is kept."""
    again = _own(me).filter(item=item, state=AssignmentState.EXPIRED).first()
    if again is None:
        return queue.give(me, item, now, Use.EXAM)
    again.state, again.claimed_at, again.lease_until = AssignmentState.CLAIMED, now, None
    again.save(update_fields=["state", "claimed_at", "lease_until"])
    return again


def _mark(me: Membership) -> None:
    project, now = me.project, timezone.now()
    asked = set(questions(me).values_list("pk", flat=True))  # some may have left the exam since their answer
    cases = [one for one in measured.cases(project, Use.EXAM, rater_id=me.rater_id) if one.item in asked]
    found = accuracy.items_right(cases, measured.rule_of(project))
    needed = project.exam_pass or 0.0
    passed = found.n > 0 and found.right >= needed * found.n - 1e-9  # or 0.8 of 5 would ask for 5
    often = [[one.code, one.kind] for one in accuracy.patterns(cases) if one.is_often]
    attempt = me.exam_attempts + 1
    Membership.objects.filter(pk=me.pk).update(
        exam_attempts=F("exam_attempts") + 1, exam_passed_at=now if passed else None
    )
    if not passed:
        _own(me).update(
            state=AssignmentState.EXPIRED, reopened=True, draft={}, draft_version=F("draft_version") + 1
        )
    said: dict[str, Any] = {"right": found.right, "n": found.n, "needed": needed, "passed": passed}
    record(me, "exam", project, attempt=attempt, patterns=often, **said)


def last_result(me: Membership) -> Result | None:
    """Of the last marked attempt."""
    event = Event.objects.filter(project=me.project_id, verb="exam", actor=me.user_id).order_by("-id").first()
    return Result(**event.data, at=event.at) if event else None


@transaction.atomic
def set_attempts_back(*, by: Actor, membership: Membership) -> Membership:
    """Give a member all attempts again. Raises Conflict for who has passed."""
    member = _lock(by, membership)
    if member.exam_passed_at:
        raise errors.Conflict(f"{member.user} has passed the exam.")
    member.exam_attempts = 0
    member.save(update_fields=["exam_attempts"])
    record(by, "reset_exam", member.project, user=member.user_id)
    return member


@transaction.atomic
def let_in(*, by: Actor, membership: Membership, because: str) -> Membership:
    """Give a member work without a passed exam."""
    if not because.strip():
        raise errors.Incomplete("Say why they need no exam.", field="because")
    member = _lock(by, membership)
    if member.exam_passed_at is None:
        member.exam_passed_at = timezone.now()
        member.save(update_fields=["exam_passed_at"])
        record(by, "let_in", member.project, user=member.user_id, because=worded(because, "because", 300))
    return member


def _lock(by: Actor, membership: Membership) -> Membership:
    policies.check_at_least(by, Role.LEAD, membership.project)
    rows = Membership.objects.select_for_update(no_key=True, of=("self",)).select_related("project", "user")
    return rows.get(pk=membership.pk)
