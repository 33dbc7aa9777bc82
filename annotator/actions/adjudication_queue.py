"""Which disputed item a lead is given next, and that two leads are not given the same one.

A lead who opens an item has it for a while: it stands on their own (barred) assignment of it, which looking made.
That keeps it out of other leads' queue, and nothing more: they may open it all the same, and the first to settle it
does so.
"""

from datetime import timedelta
from typing import Final

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from annotator import policies
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Decision,
    Item,
    Membership,
    Phase,
    Project,
    Use,
)  # fmt: skip
from annotator.models.review import OPEN_STATES

HELD_FOR: Final = timedelta(minutes=15)
LOOKED_AT: Final = 200  # first of those that wait; few are not for this lead


def disputed(project: Project, kind: str | None = None) -> QuerySet[Item]:
    """Conflicted items that wait for a lead. `kind`: of this error type alone; "" is none."""
    rows = Item.objects.filter(project=project, decision=Decision.CONFLICTED, held=False, use=Use.WORK)
    return rows if kind is None else rows.filter(error_type=kind)


def next_item(by: Membership, kind: str | None = None, after: Item | None = None) -> Item | None:
    """By priority, then age: the first that this lead may settle and no other lead is at. `after`: one that is
    passed over, with those before it."""
    rows = disputed(by.project, kind).order_by("-priority", "id")
    if after:
        lower = rows.filter(priority__lt=after.priority)
        rows = rows.filter(priority=after.priority, pk__gt=after.pk) | lower
    start, n = 0, LOOKED_AT
    while ids := list(rows.values_list("pk", flat=True)[start : start + n]):
        found = _free(by).filter(pk__in=ids).order_by("-priority", "id").first()
        if found:
            return found
        start, n = start + n, min(n * 10, 10_000)
    return None


def _free(by: Membership) -> QuerySet[Item]:
    """Items that this lead may settle, does not review and no other lead is at."""
    here = Assignment.objects.filter(item=OuterRef("pk"))
    others = here.filter(state=AssignmentState.BARRED, lease_until__gt=timezone.now())
    mine = here.filter(rater=by.rater_id, state__in=OPEN_STATES)
    return Item.objects.filter(
        ~Exists(others.exclude(rater=by.rater_id)), ~Exists(mine), ~Exists(_barred(by))
    )


def _barred(by: Membership) -> QuerySet[Annotation]:
    """One's own judgement of the item, where there is another lead who has none: then that one settles it."""
    own = Annotation.objects.filter(
        solution=OuterRef("solution"), phase__in=[Phase.BLIND, Phase.REVEALED], rater=by.rater_id
    )
    theirs = Annotation.objects.filter(
        solution=OuterRef(OuterRef("solution")),
        phase__in=[Phase.BLIND, Phase.REVEALED],
        rater=OuterRef("rater"),
    )
    free = Membership.objects.filter(
        ~Exists(theirs), project=by.project_id, role__in=policies.LEADING, user__is_active=True
    )
    return own.filter(Exists(free.exclude(pk=by.pk)))


def take(by: Membership, item: Item) -> None:
    """Say that this lead is at the item. They have looked at it before."""
    rows = Assignment.objects.filter(item=item, rater=by.rater_id, state=AssignmentState.BARRED)
    rows.update(lease_until=timezone.now() + HELD_FOR)


def let_go(by: Membership, item: Item) -> None:
    Assignment.objects.filter(item=item, rater=by.rater_id, state=AssignmentState.BARRED).update(
        lease_until=None
    )


def others_at(by: Membership, item: Item) -> list[str]:
    """Names of the other leads who have it open."""
    rows = Assignment.objects.filter(item=item, state=AssignmentState.BARRED, lease_until__gt=timezone.now())
    return list(rows.exclude(rater=by.rater_id).order_by("rater__name").values_list("rater__name", flat=True))
