"""Claim, renew, expire, return: the one place that locks items (design.md section 5, docs/adr/0004).

A claim never hands out more slots than an item has, never the same item twice to one reviewer, and costs the
same whatever the project's size or the reviewer's past. Order: priority, then age.

Locks are taken in one order everywhere, so nothing deadlocks: own membership, own assignment, items by id.

Some claims, drawn at random, get a probe instead of the next item: an item with gold that this reviewer has never
had, outside its slots. Whether there is work at all is found out first, so that probes stop when work does.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from datetime import datetime, timedelta
from random import SystemRandom
from time import monotonic

from django.db import transaction
from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from annotator import errors, policies
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Decision,
    Item,
    Membership,
    Project,
    Role,
    Use,
)  # fmt: skip

EXPIRE_AT_ONCE = 5
REOPENED_AT_ONCE = 200
# A slot may be given back by a transaction that commits after we looked.
REOPENED_MARGIN = timedelta(seconds=5)
ITEMS_PER_MARK = 200
PROBES_LOOKED_AT = 200
LOOK_EVERY_S = 1.0
# A reopened claim has been committed once: its slot is used for good, like that of the others.
HOLDING = (AssignmentState.CLAIMED, AssignmentState.COMMITTED, AssignmentState.SUBMITTED)
# What others may change of a membership while its user works.
FRESH = ("frontier", "mark", "frontier_at", "exam_passed_at", "exam_attempts", "paused_at", "paused_because")
DECIDED = (Decision.AGREED, Decision.SETTLED)
_chance = SystemRandom()  # nobody can tell from one draw what the next will be
_looked_at: dict[int, float] = {}  # project id -> when this process last looked for expired claims


def claim(*, by: Membership) -> Assignment | None:
    """The reviewer's open assignment if there is one, else the next item's; None when nothing is left.

    Raises Paused for who is paused, ExamNeeded for a reviewer who has not passed the project's exam.
    """
    now = timezone.now()
    if _due_again(by.project_id):
        expire_due(by.project, now)
    claimed = _claim(by, now)
    if (
        claimed is None
    ):  # what others are taking back at this moment is waited for: the last slot is not missed
        expire_due(by.project, now, wait=True)
        claimed = _claim(by, now)
    return claimed


@transaction.atomic
def _claim(by: Membership, now: datetime) -> Assignment | None:
    me = lock_membership(by)
    policies.check_may_work(me)
    assignment = _open_assignment(me)
    if assignment:
        return _go_on(assignment, me.project, now)
    policies.check_may_begin(me)
    item = _take(me)
    if item is None:
        return None
    probe = _probe(me) if _chance.random() < _probe_rate(me) else None
    return give(me, probe, now, Use.PROBE) if probe else _assign(me, item, now)


def _probe_rate(me: Membership) -> float:
    """Leads see which items are probes: they get none."""
    return 0.0 if me.is_at_least(Role.LEAD) else me.project.probe_rate


def _probe(me: Membership) -> Item | None:
    """A probe that this reviewer has never had nor seen labels of. A bounded number is looked at, from a place drawn
    at random on, so that the cost is the same however many there are and however many were had."""
    marked = Item.objects.filter(literally("annotator_item.is_probe"), project_id=me.project_id).order_by(
        "pk"
    )
    ends = marked.aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is None:
        return None
    start = _chance.randint(ends["first"], ends["last"])
    near = list(marked.filter(pk__gte=start).values_list("pk", flat=True)[:PROBES_LOOKED_AT])
    if room := PROBES_LOOKED_AT - len(near):
        near += marked.filter(pk__lt=start).values_list("pk", flat=True)[:room]
    fit = set(_unseen(me, near).values_list("pk", flat=True))
    chosen = next((pk for pk in near if pk in fit), None)
    return Item.objects.get(pk=chosen) if chosen else None


def _unseen(me: Membership, item_ids: Sequence[int]) -> QuerySet[Item]:
    """Of these items the decided ones that the reviewer neither had nor said anything of."""
    had = Assignment.objects.filter(item=OuterRef("pk"), rater_id=me.rater_id)
    said = Annotation.objects.filter(solution=OuterRef("solution"), rater_id=me.rater_id)
    usable = Item.objects.filter(decision__in=DECIDED, gold__isnull=False, held=False, retired=False)
    return usable.filter(~Exists(had), ~Exists(said), pk__in=item_ids)


def give(me: Membership, item: Item, now: datetime, purpose: Use) -> Assignment:
    """A claim that measures the reviewer: it uses no slot, and an exam has no lease. The caller holds the
    membership's lock."""
    lease = now + timedelta(minutes=me.project.lease_minutes) if purpose == Use.PROBE else None
    return Assignment.objects.create(
        item=item, rater_id=me.rater_id, project=me.project, state=AssignmentState.CLAIMED, claimed_at=now,
        lease_until=lease, purpose=purpose,
    )  # fmt: skip


def _due_again(project_id: int) -> bool:
    """Whether this process looks for expired claims now: once a second is enough while there is other work."""
    now = monotonic()
    if now - _looked_at.get(project_id, -LOOK_EVERY_S) < LOOK_EVERY_S:
        return False
    _looked_at[project_id] = now
    return True


def lock_membership(by: Membership) -> Membership:
    """The first lock of every claim and submission: what one reviewer does at once happens one by one.

    Returns the membership as it is now; what a request cannot outdate is taken from `by`.
    """
    rows = Membership.objects.select_for_update(no_key=True, of=("self",)).filter(pk=by.pk).order_by()
    fresh = rows.values(*FRESH, reopened_at=F("project__reopened_at"))[:1]
    if not fresh:  # removed since the request began
        raise errors.Missing("There is no such project, or you are not in it.")
    me, now_is = copy(by), fresh[0]
    for name in FRESH:
        setattr(me, name, now_is[name])
    me.project.reopened_at = now_is["reopened_at"]
    return me


def renewed(assignment: Assignment, now: datetime) -> dict[str, datetime]:
    """What to change so that a claim lives on while its reviewer works on it. After the blind commit the slot is
    used for good, and reopened work has no lease, nor has an exam; nor what a lead assigned, whose time begins here."""
    if assignment.state != AssignmentState.CLAIMED or assignment.reopened or assignment.purpose == Use.EXAM:
        return {}
    if assignment.assigned:
        return {"claimed_at": now} if assignment.claimed_at is None else {}
    return {"lease_until": now + timedelta(minutes=assignment.project.lease_minutes)}


def expire_due(project: Project, now: datetime, limit: int = EXPIRE_AT_ONCE, *, wait: bool = False) -> int:
    """Take back up to `limit` claims whose lease has run out; returns how many. The drafts stay.

    Claims that somebody else is taking back are skipped, or with `wait` waited for.
    """
    due = Assignment.objects.filter(
        literally("annotator_assignment.state = 'claimed'"),
        project=project, lease_until__lt=now,
    ).order_by("lease_until", "id")  # fmt: skip
    if not due[:1].values_list("id", flat=True):
        return 0
    with transaction.atomic():
        gone = list(due.select_for_update(skip_locked=not wait, of=("self",))[:limit])
        Assignment.objects.filter(pk__in=[a.pk for a in gone]).update(state=AssignmentState.EXPIRED)
        give_back([a.item_id for a in gone], now)
    return len(gone)


def give_back(item_ids: Iterable[int], now: datetime) -> None:
    """Count the open slots of these items anew, after assignments of theirs let go. In a transaction."""
    ids = sorted(set(item_ids))
    list(lock_items(ids))
    count_slots(ids)
    reopen(ids, now)


def count_slots(item_ids: Iterable[int], wanted: int | None = None) -> None:
    """Set the open slots of locked items to what they want (`wanted`, from now on) less what is held; where more
    hold an item than it wants by now, to none. Probes and exams use no slot."""
    held = Assignment.objects.filter(
        item=OuterRef("pk"), state__in=HOLDING, surplus=False, purpose=Use.WORK
    ).order_by()
    n_held = Coalesce(Subquery(held.values("item").annotate(n=Count("pk")).values("n")), 0)
    changes: dict[str, int] = {} if wanted is None else {"wanted": wanted}
    wants = F("wanted") if wanted is None else Value(wanted)
    rows = Item.objects.filter(pk__in=list(item_ids))
    rows.update(open_slots=Greatest(wants - n_held, 0), **changes)


def reopen(item_ids: Iterable[int], now: datetime) -> None:
    """Tell every reviewer whose frontier has passed these items to look at them again."""
    rows = Item.objects.filter(pk__in=list(item_ids))
    rows.update(opened_at=now)
    Project.objects.filter(pk__in=rows.values("project")).update(reopened_at=now)


def retake(assignment: Assignment) -> bool:
    """Take a slot again for a claim that had expired; False when others have taken them all. One that measures
    needs none."""
    if assignment.purpose != Use.WORK:
        return True
    taken = Item.objects.filter(pk=assignment.item_id, open_slots__gt=0).update(
        open_slots=F("open_slots") - 1
    )
    return bool(taken)


def lock_items(ids: Iterable[int]) -> QuerySet[Item]:
    """Lock items by id, always in the same order."""
    return Item.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=list(ids)).order_by("id")


def forget_frontiers(project: Project) -> None:
    """After items came in or changed place: everybody looks from the start once."""
    Membership.objects.filter(project=project).update(frontier=None, mark=None)


def _open_assignment(me: Membership) -> Assignment | None:
    """What was begun first, by age; then what a lead assigned, in the order of the queue, unless it is held."""
    is_open = literally("annotator_assignment.state IN ('claimed', 'committed')")
    mine = Assignment.objects.filter(is_open, project_id=me.project_id, rater_id=me.rater_id)
    untouched = Q(assigned=True, claimed_at=None)
    is_later = Case(When(untouched, then=1), default=0)
    place = Case(When(untouched, then=-F("item__priority")), default=0)
    return mine.exclude(untouched, item__held=True).order_by(is_later, place, "id").first()


def _go_on(assignment: Assignment, project: Project, now: datetime) -> Assignment:
    assignment.project = project
    changes = renewed(assignment, now)
    if changes:
        Assignment.objects.filter(pk=assignment.pk).update(**changes)
        for name, value in changes.items():
            setattr(assignment, name, value)
    return assignment


def _assign(me: Membership, item: Item, now: datetime) -> Assignment:
    """Take a slot of the locked item; an expired claim of the same reviewer comes to life again, draft and all."""
    Item.objects.filter(pk=item.pk).update(open_slots=F("open_slots") - 1)
    assignment = Assignment(
        item=item, rater_id=me.rater_id, project=me.project, state=AssignmentState.CLAIMED, claimed_at=now,
        lease_until=now + timedelta(minutes=me.project.lease_minutes),
    )  # fmt: skip
    Assignment.objects.bulk_create(
        [assignment], update_conflicts=True, unique_fields=["item", "rater"],
        update_fields=["state", "claimed_at", "lease_until", "assigned", "purpose"],
    )  # fmt: skip
    return assignment


def _take(me: Membership) -> Item | None:
    """The first item for this reviewer, locked. PostgreSQL skips what others hold, then waits for it once, so
    that the last item is never missed; SQLite has one writer and skips nothing."""
    claimable = _claimable(me)
    skipping = claimable.select_for_update(no_key=True, skip_locked=True, of=("self",))
    item = _take_reopened(me, skipping) or _take_after(me, skipping)
    if item is None:
        item = skipping.first() or claimable.select_for_update(no_key=True, of=("self",)).first()
    if item:
        _move_frontier(me, item)
    return item


def _claimable(me: Membership) -> QuerySet[Item]:
    """Open items this reviewer has not had (an expired claim may be taken again), in order. What they answered
    in an exam they failed is expired too, but `reopened`: it has been judged, and is no work for them."""
    mine = Assignment.objects.filter(item=OuterRef("pk"), rater_id=me.rater_id).exclude(
        state=AssignmentState.EXPIRED, reopened=False
    )
    is_open = literally("annotator_item.open_slots > 0 AND NOT annotator_item.held")
    return Item.objects.filter(is_open, ~Exists(mine), project_id=me.project_id).order_by("-priority", "id")


def _take_after(me: Membership, items: QuerySet[Item]) -> Item | None:
    """The first from the frontier on: the same priority, then a lower one, so that each is one index range."""
    if me.frontier is None:
        return None
    priority, item_id = me.frontier
    level = items.filter(priority=priority, pk__gte=item_id).first()
    return level or items.filter(priority__lt=priority).first()


def _take_reopened(me: Membership, items: QuerySet[Item]) -> Item | None:
    """The first of the items that came open again behind the frontier since it passed them."""
    since, reopened_at = me.frontier_at - REOPENED_MARGIN, me.project.reopened_at
    if me.frontier is None or reopened_at is None or reopened_at <= since:
        return None
    recent = Item.objects.filter(project_id=me.project_id, opened_at__gt=since)
    ids = list(recent.order_by("opened_at").values_list("pk", "opened_at")[:REOPENED_AT_ONCE])
    priority, item_id = me.frontier
    behind = Q(priority__gt=priority) | Q(priority=priority, pk__lt=item_id)
    item = items.filter(behind, pk__in=[pk for pk, _ in ids]).first()
    if item is None:
        _forget_or_note(me, full=len(ids) == REOPENED_AT_ONCE)
    return item


def _forget_or_note(me: Membership, *, full: bool) -> None:
    """Nothing that came open again is for this reviewer. Where more did than were looked at (a lead gave back many
    at one moment, which no mark in time tells apart), they look from the start once."""
    if full:
        me.frontier, me.mark = None, None
        Membership.objects.filter(pk=me.pk).update(frontier=None, mark=None)
        return
    Membership.objects.filter(pk=me.pk).update(frontier_at=timezone.now())


def _move_frontier(me: Membership, item: Item) -> None:
    """Remember how far this reviewer has come. The frontier lags by one or two marks, so that items skipped
    because somebody held them for a moment are met again."""
    here = [item.priority, item.pk]
    if me.mark is None:
        changes = {"frontier": here, "mark": here, "frontier_at": timezone.now()}
    elif item.priority < me.mark[0] or (
        item.pk >= me.mark[1] + ITEMS_PER_MARK and item.priority == me.mark[0]
    ):
        changes = {"frontier": me.mark, "mark": here}
    else:
        return
    Membership.objects.filter(pk=me.pk).update(**changes)


def literally(condition: str) -> RawSQL:
    """A condition spelt out, not bound: SQLite uses a partial index only for what it can read before it runs."""
    return RawSQL(condition, [], output_field=BooleanField())  # noqa: S611  (our own text, no values)
