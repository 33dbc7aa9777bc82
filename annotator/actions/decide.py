"""The decision on an item, recomputed from its submitted annotations in the transaction that changes them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import F, QuerySet

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
    """What submissions that count say of their items' own solutions, oldest first. (Of a sibling, another way to
    go on from a step, the same assignment may say something too.)"""
    return Annotation.objects.filter(
        solution=F("assignment__item__solution"), assignment__surplus=False,
        assignment__state=AssignmentState.SUBMITTED,
        superseded_at__isnull=True, phase__in=[Phase.BLIND, Phase.REVEALED],
    ).order_by("id")  # fmt: skip


def counting_of(item_ids: Sequence[int]) -> defaultdict[int, list[Annotation]]:
    """Item -> its counting annotations, oldest first."""
    found: defaultdict[int, list[Annotation]] = defaultdict(list)
    for row in counting().filter(assignment__item__in=item_ids).select_related("assignment"):
        if row.assignment:
            found[row.assignment.item_id].append(row)
    return found


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


def decide_items(items: Sequence[Item]) -> int:
    """`decide_item` for many locked items at once; what a lead has settled stays. Returns how many changed."""
    words = counting_of([item.pk for item in items])
    changed = []
    for item in items:
        outcome = outcome_of(item, last_words(words[item.pk]))
        if item.decision == Decision.SETTLED:
            outcome = outcome._replace(decision=Decision.SETTLED, gold=item.gold)
        gold_id = outcome.gold.pk if outcome.gold else None
        if (item.decision, item.gold_id, item.n_submitted) != (
            outcome.decision,
            gold_id,
            outcome.n_submitted,
        ):
            item.decision, item.gold, item.n_submitted = outcome
            changed.append(item)
    Item.objects.bulk_update(changed, ["decision", "gold", "n_submitted"])
    return len(changed)
