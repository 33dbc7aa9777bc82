"""Decide a project's items anew, after its rule changed: in batches, so that reviewers wait for one at most.

Every batch reads the rule as it is, and deciding twice changes nothing: a pass that was cut off is made again, by
the next change of the rule, or for the whole project by `manage.py check_integrity --fix`.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotator import queue
from annotator.actions.decide import decide_items
from annotator.actions.transfers import ring
from annotator.models import Decision, Item, Project

BATCH = 500
AT_ONCE = 2_000  # up to this many are decided before the settings page answers
WORKS_FOR = timedelta(minutes=1)


def redecide(project: Project) -> None:
    """Decide anew what the rule may change: here if that is quick, else by a worker. Not in a transaction."""
    if len(affected(project, 0)[: AT_ONCE + 1]) > AT_ONCE:
        ring("redecide", project.pk)
    else:
        work(project)


def work(project: Project, after: int = 0, until: timedelta | None = None) -> int | None:
    """Decide the items with larger ids than `after`; the id to go on after where `until` was over first."""
    end = timezone.now() + until if until else None
    while ids := list(affected(project, after)[:BATCH]):
        if end and timezone.now() > end:
            return after
        with transaction.atomic():
            decide_items(list(queue.lock_items(ids)))
        after = ids[-1]
    return None


def affected(project: Project, after: int) -> QuerySet[Item, int]:
    """Ids of items that are agreed or conflicted. Without enough submissions no rule decides, and what a lead
    settled stays."""
    rows = Item.objects.filter(project=project, decision__in=[Decision.AGREED, Decision.CONFLICTED])
    return rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)
