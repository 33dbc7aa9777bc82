"""The decision on an item, recomputed from its submitted annotations in the transaction that changes them."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db.models import QuerySet

from annotator.core.decision import Final, decide
from annotator.models import Annotation, AssignmentState, Decision, FinishReason, Item, Phase


class Outcome(NamedTuple):
    """What an item stores of its submitted annotations."""

    decision: Decision
    gold: Annotation | None
    n_submitted: int


def final_annotations(item: Item) -> list[Annotation]:
    """The last word of each reviewer whose submission counts, oldest first: revealed where there is one."""
    rows = counting().filter(assignment__item=item)
    return last_words(rows.only("rater_id", "phase", "labels", "finish_reason"))


def counting() -> QuerySet[Annotation]:
    """What submissions that count say, oldest first."""
    return Annotation.objects.filter(
        assignment__state=AssignmentState.SUBMITTED, assignment__surplus=False,
        superseded_at__isnull=True, phase__in=[Phase.BLIND, Phase.REVEALED],
    ).order_by("id")  # fmt: skip


def last_words(rows: Iterable[Annotation]) -> list[Annotation]:
    """Of the annotations of one item, oldest first, the last word of each reviewer."""
    last: dict[int, Annotation] = {}
    for row in rows:
        if row.phase == Phase.REVEALED or row.rater_id not in last:
            last[row.rater_id] = row
    return list(last.values())


def outcome_of(item: Item, finals: list[Annotation]) -> Outcome:
    outcome = Decision(decide([Final(row.labels, row.finish_reason) for row in finals], item.wanted))
    agreed = outcome == Decision.AGREED and FinishReason(finals[0].finish_reason).judges
    return Outcome(outcome, finals[0] if agreed else None, len(finals))


def decide_item(item: Item, finals: list[Annotation] | None = None) -> Item:
    """Store what the submitted annotations amount to. The caller holds the item's lock, and may know them."""
    finals = final_annotations(item) if finals is None else finals
    item.decision, item.gold, item.n_submitted = outcome_of(item, finals)
    item.save(update_fields=["decision", "n_submitted", "gold"])
    return item
