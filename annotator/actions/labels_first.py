"""A project goes back to labels before the reveal: whoever has an item open has seen what machines say of it."""

from django.db import transaction
from django.utils import timezone

from annotator import queue
from annotator.actions.record import record
from annotator.models import Assignment, AssignmentState, Project, Protocol, Use
from annotator.policies import Actor

BATCH = 500
REVEALING = [protocol for protocol in Protocol if protocol.reveals]
OPEN = (AssignmentState.CLAIMED, AssignmentState.EXPIRED)


def bar_who_saw(by: Actor, project: Project) -> int:
    """Bar reviewers from the items that they hold or held, and return these to the queue; returns how many.

    In batches. Exams were never shown, and what was submitted stays as it is, marked as not blind.
    """
    rows = Assignment.objects.filter(
        project=project, state__in=OPEN, item__protocol__in=REVEALING, claimed_at__isnull=False
    ).exclude(purpose=Use.EXAM)
    n = 0
    while found := list(rows.order_by("id").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            mine = Assignment.objects.filter(pk__in=found, state__in=OPEN).order_by("id")
            held = list(mine.select_for_update(no_key=True, of=("self",)))
            Assignment.objects.filter(pk__in=[one.pk for one in held]).update(
                state=AssignmentState.BARRED, lease_until=None, assigned=False
            )
            queue.give_back([one.item_id for one in held], timezone.now())
        n += len(held)
    if n:
        because = "What machines said had been shown."
        record(by, "take_back_claims", project, because=because, n=n)
    return n
