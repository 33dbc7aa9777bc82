"""How far a project is: counters that stay cheap at any size (caching.py)."""

from collections.abc import Iterable
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import BooleanField, Count, Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL

from annotator.caching import self_tuned
from annotator.models import Assignment, AssignmentState, Decision, Item, Membership, Project, Role

SHOWN_S = 3600


class Counts(NamedTuple):
    """Items of a project. `open`: those that still want a reviewer. `held`: those that wait for a lead."""

    by_decision: dict[Decision, int]
    open: int
    held: int

    @property
    def total(self) -> int:
        return sum(self.by_decision.values())

    @property
    def decided(self) -> int:
        return self.total - self.by_decision[Decision.INCOMPLETE]


def counts(project: Project) -> Counts:
    return Counts(
        by_decision=self_tuned(f"decisions:{project.pk}", lambda: _by_decision(project)),
        open=open_items(project),
        held=self_tuned(f"held:{project.pk}", lambda: project.items.filter(held=True).count()),
    )


def shown_to(me: Membership) -> Counts:
    """What a page tells this member. To reviewers who are given probes it is an hour old: a count that did not
    move would tell a probe from work."""
    if me.project.probe_rate == 0 or me.is_at_least(Role.LEAD):
        return counts(me.project)
    key = f"shown:{me.project_id}"
    kept: Counts | None = cache.get(key)
    if kept is None:
        kept = counts(me.project)
        cache.set(key, kept, timeout=SHOWN_S)
    return kept


def open_items(project: Project) -> int:
    """How many items of the project a reviewer could still be given."""
    return self_tuned(f"open:{project.pk}", lambda: open_now(Item.objects.filter(project=project)).count())


def open_for(memberships: Iterable[Membership]) -> dict[int, int]:
    """Project id -> how many open items this person has not had; one query for all their projects."""
    mine = list(memberships)
    if not mine:
        return {}
    return self_tuned(f"open-for:{mine[0].user_id}", lambda: _open_for(mine))


def open_now(items: QuerySet[Item]) -> QuerySet[Item]:
    """Items with a free slot. Written out: SQLite uses a partial index only for a literal condition."""
    condition = "annotator_item.open_slots > 0 AND NOT annotator_item.held"
    return items.filter(RawSQL(condition, [], output_field=BooleanField()))  # noqa: S611


def _by_decision(project: Project) -> dict[Decision, int]:
    found = dict(project.items.order_by().values_list("decision").annotate(n=Count("id")))
    return {decision: found.get(decision, 0) for decision in Decision}


def _open_for(mine: list[Membership]) -> dict[int, int]:
    had = Assignment.objects.filter(item=OuterRef("pk"), rater=mine[0].rater_id).exclude(
        state=AssignmentState.EXPIRED
    )
    items = open_now(Item.objects.filter(~Exists(had), project__in=[m.project_id for m in mine]))
    return dict(items.order_by().values_list("project").annotate(n=Count("id")))
