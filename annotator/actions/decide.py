"""The decision on an item, recomputed from its submitted annotations in the transaction that changes them."""

from annotator.core.decision import Final, decide
from annotator.models import Annotation, AssignmentState, Decision, FinishReason, Item, Phase


def final_annotations(item: Item) -> list[Annotation]:
    """The last word of each reviewer whose submission counts, oldest first: revealed where there is one."""
    rows = Annotation.objects.filter(
        assignment__item=item, assignment__state=AssignmentState.SUBMITTED, assignment__surplus=False,
        superseded_at__isnull=True, phase__in=[Phase.BLIND, Phase.REVEALED],
    ).order_by("id")  # fmt: skip
    last: dict[int, Annotation] = {}
    for row in rows:
        if row.phase == Phase.REVEALED or row.rater_id not in last:
            last[row.rater_id] = row
    return list(last.values())


def decide_item(item: Item) -> Item:
    """Store what the submitted annotations amount to. The caller holds the item's lock."""
    finals = final_annotations(item)
    outcome = Decision(decide([Final(row.labels, row.finish_reason) for row in finals], item.wanted))
    agreed = outcome == Decision.AGREED and FinishReason(finals[0].finish_reason).judges
    item.decision, item.n_submitted = outcome, len(finals)
    item.gold = finals[0] if agreed else None
    item.save(update_fields=["decision", "n_submitted", "gold"])
    return item
