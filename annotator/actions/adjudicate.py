"""A lead settles what reviewers could not agree on. Their judgements stay; the lead's stands beside them.

An adjudication is an annotation of the item's solution, of phase *adjudication*. Its verdict says the `cause` of the
dispute, and `own_label` where the lead had judged the item too; its note is the reason.
Reopening supersedes it, and the reviewers' judgements decide again.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone

from annotator import errors, policies, queue
from annotator.actions import items as item_acts
from annotator.actions.bulk_items import reason_for
from annotator.actions.decide import counting, decide_item
from annotator.actions.projects import MAX_OVERLAP
from annotator.actions.record import record
from annotator.actions.texts import worded
from annotator.core import judgement as judging
from annotator.core import kinds
from annotator.core import labels as lab
from annotator.core.judgement import Judgement
from annotator.models import (
    Annotation,
    Decision,
    FinishReason,
    Item,
    Membership,
    Phase,
    Project,
    Protocol,
    Role,
)
from annotator.policies import Actor

BROKEN: Final = "broken_problem"
# Why reviewers came to differ -> as a lead reads it.
CAUSES: Final = {
    "ambiguous": "The step can be read in two ways",
    "guideline_gap": "The guidelines do not say",
    "reviewer_error": "A reviewer was mistaken",
    BROKEN: "The problem is broken",
}
MAX_REASON = 4000
SETTLES = (Decision.CONFLICTED, Decision.AGREED)


def cause_counts(project: Project) -> dict[str, int]:
    """Cause -> settled items. A broken problem leaves no gold, and nothing else does."""
    settled = Item.objects.filter(project=project, decision=Decision.SETTLED).order_by()
    found = dict(settled.values_list("gold__verdict__cause").annotate(n=Count("pk")))
    return {cause: found.get(None if cause == BROKEN else cause, 0) for cause in CAUSES}


def adjudication_of(item: Item) -> Annotation | None:
    """The one in force that settled the item: its gold, or what called the problem broken."""
    if item.decision != Decision.SETTLED:
        return None
    rows = Annotation.objects.filter(solution=item.solution_id, phase=Phase.ADJUDICATION, superseded_at=None)
    found = rows.filter(pk=item.gold_id) if item.gold_id else rows.filter(verdict__cause=BROKEN)
    return found.select_related("rater").order_by("-id").first()


def seen_version(item: Item) -> str:
    """What a page was made from: other submissions, another decision or another number wanted change it."""
    last = counting().filter(assignment__item=item).aggregate(last=Max("pk"))["last"] or 0
    return f"{item.decision}-{last}-{item.n_submitted}-{item.wanted}"


@transaction.atomic
def settle(
    *,
    by: Membership,
    item_id: int,
    labels: Any,
    cause: str,
    reason: str,
    seen: str,
    error_types: Mapping[str, Any] | None = None,
    bulk: Sequence[int] = (),
    shown_names: bool = False,
) -> Item:
    """Decide an item by one's own labels, for a stated cause and reason.

    labels: one a step, as in a judgement; with the cause broken_problem steps may stay unjudged, and the item has
    no gold, since a broken problem has no truth.  bulk: 0-based steps that the lead labelled by no act of its own,
    but took over together with others.  seen: `seen_version` of what the lead looked at: Conflict where
    a submission, or another lead, came since.  Errors name the field.
    """
    item = _locked(by, item_id)
    own_label = policies.check_may_adjudicate(by, item)
    _check_seen(item, seen)
    _check_cause(cause, reason)
    judgement = _judgement(
        by.project, item, {"labels": labels, "error_types": error_types or {}, "bulk": bulk}, cause
    )
    made = _annotate(by, item, judgement, cause, reason, own_label)
    item.decision = Decision.SETTLED
    item.gold = made if FinishReason(made.finish_reason).judges else None
    item.save(update_fields=["decision", "gold"])
    record(
        by, "settle", by.project, item=item, annotation=made.pk, labels=made.labels, cause=cause,
        because=made.note, own_label=own_label, names=shown_names,
    )  # fmt: skip
    return item


@transaction.atomic
def reopen_decision(*, by: Actor, project: Project, item_id: int, because: str) -> Item:
    """Take an adjudication back: it is kept, superseded, and the reviewers' judgements decide again."""
    policies.check_at_least(by, Role.LEAD, project)
    item = _lock(project, item_id)
    why = reason_for(because, "reopen the decision")
    if item.decision != Decision.SETTLED:
        raise errors.Conflict(f"This item is {item.decision}: only what was settled can be reopened.")
    settled = adjudication_of(item)
    if settled:
        Annotation.objects.filter(pk=settled.pk).update(superseded_at=timezone.now())
    item.decision = Decision.INCOMPLETE  # what is settled would stay so
    decide_item(item)
    record(by, "reopen_decision", project, item=item, because=why, annotation=settled.pk if settled else None)
    return item


def one_more(*, by: Membership, item_id: int, because: str, seen: str) -> Item:
    """Ask for one more reviewer than have submitted, where that may settle it."""
    item = find(by, item_id)
    _check_seen(item, seen)
    n = max(item.wanted, item.n_submitted) + 1
    if n > MAX_OVERLAP:
        raise errors.Conflict(f"{MAX_OVERLAP} reviewers are the most that an item can want: settle it.")
    return item_acts.set_wanted(by=by, project=by.project, item_id=item_id, n=n, because=because)


def find(by: Membership, item_id: int) -> Item:
    """An item of the lead's project; raises Missing."""
    found = Item.objects.filter(project=by.project_id, pk=item_id).first()
    if found is None:
        raise errors.Missing("There is no such item in this project.")
    return found


def _locked(by: Membership, item_id: int) -> Item:
    """Membership, then item, as everywhere (queue.py); who settles has looked, and gets no slot."""
    policies.check_at_least(by, Role.LEAD, by.project)
    found = find(by, item_id)
    queue.lock_membership(by)
    item_acts.look(by=by, item=found)
    return _lock(by.project, item_id)


def _lock(project: Project, item_id: int) -> Item:
    item = queue.lock_items([item_id]).filter(project=project).first()
    if item is None:
        raise errors.Missing("There is no such item in this project.")
    return item


def _check_seen(item: Item, seen: str) -> None:
    if item.decision == Decision.SETTLED:
        raise errors.Conflict("Somebody settled this item meanwhile. Reopen the decision to change it.")
    if seen != seen_version(item):
        raise errors.Conflict(
            "A submission came in since you opened this: look again before you settle it.", field="seen"
        )
    if item.decision not in SETTLES:
        raise errors.Conflict("This item still waits for reviewers: there is nothing to settle yet.")


def _check_cause(cause: str, reason: str) -> None:
    if cause not in CAUSES:
        raise errors.Incomplete("Say why the reviewers differ.", field="cause")
    if not reason.strip():
        raise errors.Incomplete("Give the reason: the reviewers read it.", field="reason")
    if len(reason) > MAX_REASON:
        raise errors.Invalid(f"Longer than {MAX_REASON:,} characters.", field="reason")


def _judgement(project: Project, item: Item, data: Mapping[str, Any], cause: str) -> Judgement:
    codes = [kind.code for kind in kinds.error_types(project.error_types)]
    try:
        judgement = judging.parse(data, item.solution.n_steps, codes)
    except judging.BadJudgement as error:
        raise errors.Invalid(str(error), field=error.field) from None
    stops = item.protocol == Protocol.LABEL_STEPS and not project.label_after_error
    missing = judging.missing(judgement, stops)
    if missing and cause != BROKEN:
        named = ", ".join(str(at + 1) for at in missing[:8]) + (" …" if len(missing) > 8 else "")
        raise errors.Incomplete(f"Not judged yet: step {named}.", positions=missing, field="labels")
    return judgement


def _annotate(
    by: Membership, item: Item, judgement: Judgement, cause: str, reason: str, own_label: bool
) -> Annotation:
    mine = {"solution": item.solution, "rater_id": by.rater_id, "phase": Phase.ADJUDICATION}
    before = Annotation.objects.filter(**mine, superseded_at=None)
    settled = Item.objects.filter(solution=item.solution_id, decision=Decision.SETTLED).exclude(pk=item.pk)
    if before.exists() and settled.exists():
        raise errors.Conflict(
            "You settled the same solution under another protocol: let another lead settle this one."
        )
    before.update(superseded_at=timezone.now())
    stopped = lab.WRONG in judgement.labels and lab.UNJUDGED in judgement.labels
    ended = FinishReason.FOUND_ERROR if stopped else FinishReason.SOLUTION
    verdict = {"cause": cause} | ({"own_label": True} if own_label else {})
    types = {
        str(at): codes for at, codes in judgement.error_types.items() if judgement.labels[at] == lab.WRONG
    }
    return Annotation.objects.create(
        **mine, labels=judgement.labels, n_steps=item.solution.n_steps,
        first_error=lab.first_error(judgement.labels), error_types=types or None, verdict=verdict,
        bulk=judgement.bulk or None,
        finish_reason=FinishReason.BAD_PROBLEM if cause == BROKEN else ended,
        note=worded(reason, "reason", MAX_REASON), guideline_id=by.project.guideline_id,
    )  # fmt: skip
