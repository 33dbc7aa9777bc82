"""A project goes back to labels before the reveal: whoever has an item open has seen what machines say of it."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotator import queue
from annotator.actions.record import record
from annotator.models import Assignment, AssignmentState, Event, Project, Protocol, Use
from annotator.policies import Actor

BATCH = 500
REVEALING = [protocol for protocol in Protocol if protocol.reveals]
OPEN = (AssignmentState.CLAIMED, AssignmentState.EXPIRED)


def bar_who_saw(by: Actor, project: Project) -> int:
    """Bar reviewers from the items that they hold or held, and return these to the queue; returns how many.

    In batches. Exams were never shown, and what was submitted stays as it is, marked as not blind.
    """
    return _bar(by, project, _open_claims(project, timezone.now()))


def finish_barring(by: Actor, project: Project) -> int:
    """Go on where bar_who_saw broke off. What was claimed since was not shown, and what was taken back since had
    been submitted: both stay."""
    events = Event.objects.filter(project=project, verb="change_settings", data__changed__labels_first=True)
    back = events.order_by("-id").values_list("at", flat=True).first()
    return _bar(by, project, _open_claims(project, back).filter(reopened=False)) if back else 0


def _open_claims(project: Project, before: datetime) -> QuerySet[Assignment]:
    rows = Assignment.objects.filter(
        project=project, state__in=OPEN, item__protocol__in=REVEALING, claimed_at__lte=before
    )
    return rows.exclude(purpose=Use.EXAM)


def _bar(by: Actor, project: Project, rows: QuerySet[Assignment]) -> int:
    n = 0
    while found := list(rows.order_by("id").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            held = _locked(found)
            Assignment.objects.filter(pk__in=[one.pk for one in held]).update(
                state=AssignmentState.BARRED, lease_until=None, assigned=False
            )
            queue.give_back([one.item_id for one in held], timezone.now())
        n += len(held)
    if n:
        because = "What machines said had been shown."
        record(by, "take_back_claims", project, because=because, n=n)
    return n


def _locked(found: list[int]) -> list[Assignment]:
    """Those of the rows that nobody works with just now; where somebody does with all, the first, waited for: who
    waits for one row and holds none cannot be waited for in turn."""
    open_ = Assignment.objects.filter(state__in=OPEN).order_by("id")
    free = open_.filter(pk__in=found).select_for_update(no_key=True, skip_locked=True, of=("self",))
    first = open_.filter(pk=found[0]).select_for_update(no_key=True, of=("self",))
    return list(free) or list(first)
