"""Reviews as people make them, through the actions, for the tests of reports and pages."""

from annotator import queue
from annotator.actions import review
from annotator.models import Assignment, Item, Membership, Protocol


def submitted(me: Membership, item: Item, labels: str, then: str = "", **said: object) -> Assignment:
    """A whole review: blind `labels`, and `then` after the reveal (the same where not given)."""
    assignment = claimed(me, item)
    types = said.pop("error_types", {})
    of = {"by": me, "assignment_id": assignment.pk}
    blind = {"labels": labels, "error_types": types, "duration_ms": 0, **said}
    if not Protocol(item.protocol).reveals or said.get("finish_reason"):
        return review.submit(**of, data=blind)
    review.commit(**of, data=blind)
    verdict = {"claim": "accept", "original": "right"}
    return review.submit(**of, data={**blind, "labels": then or labels, "verdict": verdict})


def claimed(me: Membership, item: Item) -> Assignment:
    """This very item, whatever stands before it in the queue."""
    before = list(Item.objects.filter(project=item.project, held=False).exclude(pk=item.pk))
    Item.objects.filter(pk__in=[other.pk for other in before]).update(held=True)
    queue.forget_frontiers(item.project)
    assignment = queue.claim(by=me)
    Item.objects.filter(pk__in=[other.pk for other in before]).update(held=False)
    assert assignment
    assert assignment.item_id == item.pk
    return assignment
