"""Errors put into the demo's right solutions by rules, with no model: a run to look at, and items for the reviewers."""

from typing import Final

from django.core.management import call_command
from django.core.management.base import OutputWrapper

from annotator.actions import bulk_items
from annotator.models import Item, Project, Run
from annotator.policies import Operator

UNITS: Final = 42  # six solutions, each with every kind of error that a rule can make
LOOKED_AT_FIRST: Final = 10
PRIORITY: Final = 5


def inject_by_rules(project: Project, out: OutputWrapper) -> None:
    """Start the run, or let one that was cut off go on; some of its items come first, so that they are reviewed."""
    if not Run.objects.filter(project=project, method="rules", finished_at__isnull=False).exists():
        call_command("run_rules", project.slug, limit=UNITS, stdout=out)
    made = Item.objects.filter(project=project, solution__unit__run__method="rules").order_by("pk")
    first = [item.pk for item in made[:LOOKED_AT_FIRST] if item.priority < PRIORITY]
    if first:
        why = "The demo shows injection, review and agreement."
        bulk_items.set_priority(by=Operator(), project=project, item_ids=first, n=PRIORITY, because=why)
