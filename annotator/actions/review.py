"""A reviewer's writes: draft, blind commit, submit, skip, reopen, ask. Page and API call these alike."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from annotator import blinding, errors, policies, queue
from annotator.actions import alternatives
from annotator.actions.annotating import annotate, duration, proposed_steps
from annotator.actions.decide import decide_item
from annotator.actions.record import record
from annotator.actions.texts import worded
from annotator.core import judgement as judging
from annotator.core import kinds
from annotator.core.judgement import Judgement
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Item,
    Membership,
    Phase,
    Protocol,
    Question,
    Use,
)  # fmt: skip

KEPT = ("state", "committed_at", "draft", "draft_version", "surplus")
UNREAD = ("extra", "meta", "key", "created_at")  # long, or telling: not for a page
NAMES = ("foreign_id", "foreign_format")  # telling too; of the solution shown they find its alternatives


def read_judgement(
    data: Mapping[str, Any],
    assignment: Assignment,
    shown: Iterable[alternatives.Alternative] | None = None,
) -> Judgement:
    """The judgement in `data`; raises Invalid naming the field. `shown`: its alternatives, if they are known."""
    solution = assignment.item.solution
    if shown is None:
        shown = alternatives.alternatives_of(assignment) if data.get("alternatives") else ()
    try:
        judgement = judging.parse(data, solution.n_steps, kinds_of(assignment), {one.id for one in shown})
    except judging.BadJudgement as error:
        raise errors.Invalid(str(error), field=error.field) from None
    return replace(judgement, edit=judging.real_edits(judgement.edit, solution.steps))


def read_draft(assignment: Assignment, shown: Iterable[alternatives.Alternative]) -> Judgement:
    """What is stored, without error types that the project no longer has."""
    return read_judgement(judging.with_known(assignment.draft, kinds_of(assignment)), assignment, shown)


def kinds_of(assignment: Assignment) -> list[str]:
    """The codes of the error types that may be named."""
    return [kind.code for kind in kinds.error_types(assignment.project.error_types)]


def stops_at_first_error(assignment: Assignment) -> bool:
    return assignment.item.protocol == Protocol.LABEL_STEPS and not assignment.project.label_after_error


def save_draft(*, by: Membership, assignment_id: int, data: Mapping[str, Any], version: int) -> Assignment:
    """Keep an unfinished judgement; `version` is the one it was made from.

    Raises Conflict when another tab or device has saved since, with nothing changed: the caller shows theirs.
    """
    assignment = load(by, assignment_id)
    policies.check_may_draft(assignment)
    draft = read_judgement(data, assignment).to_json()
    changes = {"draft": draft, "draft_version": version + 1, **queue.renewed(assignment, timezone.now())}
    same = Assignment.objects.filter(pk=assignment.pk, draft_version=version, state__in=policies.DRAFTABLE)
    if not same.update(**changes):
        raise errors.Conflict("This item was changed in another tab or on another device.", field="version")
    assignment.draft, assignment.draft_version = draft, version + 1
    return assignment


@transaction.atomic
def commit(*, by: Membership, assignment_id: int, data: Mapping[str, Any]) -> Assignment:
    """The blind judgement. It uses the slot; where the protocol reveals, the reveal follows, else it is final.

    Sent twice, it is stored once: the second call returns what the first made.
    """
    assignment = _lock(by, assignment_id)
    if blinding.is_shown_early(assignment):
        raise errors.Conflict(
            "What machines said is shown from the beginning here: there is one judgement. Submit it."
        )
    if assignment.state not in (AssignmentState.COMMITTED, AssignmentState.SUBMITTED):
        _commit(by, assignment, data)
    return assignment


@transaction.atomic
def submit(*, by: Membership, assignment_id: int, data: Mapping[str, Any]) -> Assignment:
    """The last word: after a reveal the revealed judgement and its verdict, else the same as `commit`."""
    assignment = _lock(by, assignment_id)
    if blinding.is_shown_early(assignment):
        _submit_early(by, assignment, data)
    elif assignment.state == AssignmentState.COMMITTED:
        _submit_revealed(by, assignment, data)
    elif assignment.state != AssignmentState.SUBMITTED:
        ends_early = data.get("finish_reason") in judging.ENDS_EARLY
        if Protocol(assignment.item.protocol).reveals and not ends_early:
            raise errors.Conflict("Commit your own judgement first: what the machine said is shown then.")
        _commit(by, assignment, data)
    return assignment


def check(*, assignment: Assignment, data: Mapping[str, Any]) -> None:
    """Refuse what a commit or submit of `data` would refuse, and write nothing: for practice."""
    judgement = read_judgement(data, assignment)
    _check_complete(judgement, assignment)
    if assignment.state == AssignmentState.COMMITTED or not _reveals(assignment, judgement):
        _check_verdict(judgement, assignment)


def _commit(by: Membership, assignment: Assignment, data: Mapping[str, Any]) -> None:
    _check_open(assignment)
    judgement = read_judgement(data, assignment)
    _check_complete(judgement, assignment)
    if stops_at_first_error(assignment):
        judgement = judging.stopped(judgement)
    final = not _reveals(assignment, judgement)
    if final:
        _check_verdict(judgement, assignment)
    _retake(by, assignment)
    annotation = annotate(assignment, by, judgement, Phase.BLIND)
    _keep(assignment, judgement)
    if final:
        _finish(assignment, by, judgement, annotation)
    else:
        assignment.save(update_fields=KEPT)


def _submit_revealed(by: Membership, assignment: Assignment, data: Mapping[str, Any]) -> None:
    """Of a judgement taken back that never had a blind one, `committed_at` tells so."""
    judgement, was_blind = read_judgement(data, assignment), assignment.committed_at is not None
    _check_complete(judgement, assignment)
    _check_verdict(judgement, assignment)
    annotation = annotate(assignment, by, judgement, Phase.REVEALED, labels_first=was_blind)
    _keep(assignment, judgement)
    if not was_blind:
        assignment.committed_at = None
    _finish(assignment, by, judgement, annotation)


def _submit_early(by: Membership, assignment: Assignment, data: Mapping[str, Any]) -> None:
    """The one judgement where machines were shown from the beginning. It uses the slot, and none of it is blind."""
    assignment.committed_at = None
    _retake(by, assignment)
    _submit_revealed(by, assignment, data)


def _retake(by: Membership, assignment: Assignment) -> None:
    """Late work takes its slot again, or is surplus."""
    if assignment.state == AssignmentState.EXPIRED:
        policies.check_may_work(by)
        assignment.surplus = not queue.retake(assignment)


@transaction.atomic
def skip(*, by: Membership, assignment_id: int, reason: str) -> Assignment:
    """Give the item back with a reason; it is not offered to this reviewer again."""
    assignment = _lock(by, assignment_id)
    if assignment.state == AssignmentState.SKIPPED:
        return assignment
    if assignment.state not in (AssignmentState.CLAIMED, AssignmentState.EXPIRED) or assignment.reopened:
        raise errors.Conflict("What you have committed cannot be skipped.")
    if not reason.strip():
        raise errors.Incomplete("Say why you skip: one word helps the lead.", field="skip_reason")
    if assignment.purpose == Use.EXAM:
        raise errors.Conflict("An exam has no skipping: judge it as well as you can.")
    had_slot = assignment.state == AssignmentState.CLAIMED and assignment.purpose == Use.WORK
    assignment.state, assignment.skip_reason = AssignmentState.SKIPPED, worded(reason, "skip_reason", 2000)
    assignment.save(update_fields=["state", "skip_reason"])
    if had_slot:
        queue.give_back([assignment.item_id], timezone.now())
    reason = assignment.skip_reason
    record(by, "skip", assignment.project, item=assignment.item, reason=reason, **_measured(assignment))
    return assignment


@transaction.atomic
def reopen(*, by: Membership, assignment_id: int) -> Assignment:
    """Take one's own submission back while nothing is decided; until sent again it does not count."""
    assignment = _lock(by, assignment_id)
    item = queue.lock_items([assignment.item_id]).get()
    policies.check_may_reopen(assignment, item)
    revealed = Annotation.objects.filter(
        assignment=assignment, solution=item.solution_id, phase=Phase.REVEALED, superseded_at__isnull=True
    ).exists()
    assignment.state = AssignmentState.COMMITTED if revealed else AssignmentState.CLAIMED
    assignment.reopened, assignment.lease_until = True, None
    assignment.save(update_fields=["state", "reopened", "lease_until"])
    if assignment.purpose == Use.WORK:
        decide_item(item)
    record(by, "reopen", assignment.project, item=item, **_measured(assignment))
    return assignment


@transaction.atomic
def ask(*, by: Membership, assignment_id: int, text: str) -> Question:
    """A question to the leads about the item at hand."""
    assignment = load(by, assignment_id)
    if not text.strip():
        raise errors.Incomplete("Write your question first.", field="question")
    question = Question.objects.create(
        project=assignment.project,
        item=assignment.item,
        asked_by=by.user,
        text=worded(text, "question", 4000),
    )
    record(by, "ask", assignment.project, item=assignment.item)
    return question


def load(by: Membership, assignment_id: int) -> Assignment:
    """One's own assignment, with what every page and action needs of it in one query."""
    with_original = "item__solution__parent__problem"
    rows = Assignment.objects.select_related("item__solution__problem", with_original)
    unread = [f"item__solution__{name}" for name in UNREAD]
    of_original = [f"item__solution__parent__{name}" for name in (*UNREAD, *NAMES)]
    return _own(by, assignment_id, rows.defer(*unread, *of_original))


def _lock(by: Membership, assignment_id: int) -> Assignment:
    """Membership, then assignment: the order of queue.py. Both stay locked to the end of the transaction."""
    queue.lock_membership(by)
    rows = Assignment.objects.select_for_update(no_key=True, of=("self",))
    unread = [f"item__solution__{name}" for name in UNREAD]
    return _own(by, assignment_id, rows.select_related("item__solution").defer(*unread))


def _own(by: Membership, assignment_id: int, rows: QuerySet[Assignment]) -> Assignment:
    found = rows.filter(pk=assignment_id, project_id=by.project_id).order_by().first()
    if found is None:
        raise errors.Missing("There is no such assignment, or it is not yours.")
    policies.check_holds(by, found)
    found.project = by.project
    return found


def _reveals(assignment: Assignment, judgement: Judgement) -> bool:
    return Protocol(assignment.item.protocol).reveals and judgement.finish_reason not in judging.ENDS_EARLY


def _check_open(assignment: Assignment) -> None:
    # Sent twice, the last answer of a marked attempt would become the first of the next.
    if assignment.purpose == Use.EXAM and assignment.state == AssignmentState.EXPIRED:
        raise errors.Conflict("This question is not open any more: go on from the exam's page.")
    if assignment.state not in (AssignmentState.CLAIMED, AssignmentState.EXPIRED):
        raise errors.Conflict(f"This item is {assignment.state}: it takes no judgement.")


def _check_complete(judgement: Judgement, assignment: Assignment) -> None:
    if judgement.finish_reason in judging.ENDS_EARLY and not judgement.note.strip():
        raise errors.Incomplete("Say in a few words what is wrong: a lead reads it.", field="note")
    proposed_steps(assignment, judgement)
    positions = judging.missing(judgement, stops_at_first_error(assignment))
    if positions:
        named = ", ".join(str(p + 1) for p in positions[:8]) + (" …" if len(positions) > 8 else "")
        raise errors.Incomplete(f"Not judged yet: step {named}.", positions=positions, field="labels")


def _check_verdict(judgement: Judgement, assignment: Assignment) -> None:
    questions = judging.missing_verdict(judgement, assignment.item.protocol)
    if questions:
        raise errors.Incomplete(f"Not answered yet: {', '.join(questions)}.", field=f"verdict.{questions[0]}")


def _keep(assignment: Assignment, judgement: Judgement) -> None:
    """Set, not yet saved, what a commit leaves on the assignment."""
    assignment.state = AssignmentState.COMMITTED
    assignment.committed_at = assignment.committed_at or timezone.now()
    assignment.draft, assignment.draft_version = judgement.to_json(), assignment.draft_version + 1


def _finish(assignment: Assignment, by: Membership, judgement: Judgement, annotation: Annotation) -> None:
    """The submission counts: the item's decision, the reviewer's counters, the event. One that measures changes
    nothing of its item."""
    now, is_work = timezone.now(), assignment.purpose == Use.WORK
    holds = is_work and judgement.verdict.get("original") == "wrong"
    siblings = _siblings(assignment.item) if holds else []
    items = {item.pk: item for item in queue.lock_items([assignment.item_id, *siblings])}
    if not assignment.reopened:
        Membership.objects.filter(pk=by.pk).update(
            n_submitted=F("n_submitted") + 1, last_active_at=now,
            active_ms=F("active_ms") + duration(assignment, judgement, now),
        )  # fmt: skip
    assignment.state, assignment.submitted_at = AssignmentState.SUBMITTED, now
    assignment.reopened = False
    assignment.save(update_fields=[*KEPT, "submitted_at", "reopened"])
    item = items[assignment.item_id]
    is_first = item.n_submitted == 0 and not assignment.surplus
    if is_work:
        decide_item(item, [annotation] if is_first else None)
    said = {"labels": judgement.labels, "surplus": assignment.surplus, **_measured(assignment)}
    record(by, "submit", assignment.project, item=item, **said)
    if holds:
        _hold(by, assignment, siblings)


def _measured(assignment: Assignment) -> dict[str, str]:
    """For the history, which leads alone read: that this was not work."""
    return {} if assignment.purpose == Use.WORK else {"purpose": assignment.purpose}


def _siblings(item: Item) -> list[int]:
    """Undecided items made from the same original, this one included."""
    parent_id = item.solution.parent_id
    if parent_id is None:
        return []
    same = Item.objects.filter(solution__parent_id=parent_id, decision="incomplete", held=False)
    return list(same.values_list("pk", flat=True))


def _hold(by: Membership, assignment: Assignment, item_ids: list[int]) -> None:
    """What was made from a wrong original waits for a lead."""
    because = f"The original was called wrong in item {assignment.item_id}."
    Item.objects.filter(pk__in=item_ids).update(held=True, held_because=because)
    record(by, "hold", assignment.project, item=assignment.item, items=item_ids, because=because)
