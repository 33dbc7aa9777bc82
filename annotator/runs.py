"""Units of machine work: plan, take, store, give back, reap (docs/adr/0006-the-broker-is-a-doorbell.md).

What is due stands in rows. A unit is leased by a conditional update and stored once: a worker whose lease ran out
learns so when it stores, and writes nothing. Whatever is killed, the units that were leased come back when their
lease ends, and their stored calls are not sent again. Tasks are known by name only.

One worker at a time drives what a run `drives` (an endpoint, a GPU): a lease on its name.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from celery import current_app
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from annotator import errors
from annotator.models import OPEN_RUNS, Call, Lease, Run, RunState, Unit, UnitState

HELD_FOR = timedelta(seconds=30)  # a lease; its worker renews it long before
MOST_ATTEMPTS = 4  # a unit that comes to no end this often has failed: it must not stop the others
WAIT_AFTER = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2))
AT_ONCE = 500


class NewUnit(NamedTuple):
    """A unit to be planned; `key` is unique in its run."""

    key: str
    solution_id: int | None = None
    problem_id: int | None = None
    kind: str = ""
    params: dict[str, Any] = {}


class Lost(errors.Conflict):
    """The lease ran out and the unit is another's now, or its run was cancelled: nothing was stored."""


# --- Planning --------------------------------------------------------------------------------------------


@transaction.atomic
def plan(run: Run, units: Iterable[NewUnit], *, before: int, reached: int | None) -> None:
    """Add units and remember up to which id they are made; None: all are, and work begins.

    before: what the planner read `planned_to` as. Raises Conflict where another planner was faster.
    """
    rows = Run.objects.filter(pk=run.pk, planned_to=before, state=RunState.PLANNING)
    if not rows.update(planned_to=reached, beat_at=timezone.now()):
        raise errors.Conflict("Another worker has gone on with this plan.")
    made = [Unit(run=run, **unit._asdict()) for unit in units]
    Unit.objects.bulk_create(made, AT_ONCE, ignore_conflicts=True)
    changes: dict[str, Any] = {"n_units": Unit.objects.filter(run=run).count()} if reached is None else {}
    if reached is None:
        changes["state"] = RunState.RUNNING
    elif made:
        changes["n_units"] = F("n_units") + len(made)
    if changes:
        Run.objects.filter(pk=run.pk).update(**changes)


# --- Taking ----------------------------------------------------------------------------------------------


@transaction.atomic
def take(run: Run, owner: str, n: int) -> list[Unit]:
    """Lease up to `n` due units of a running run, oldest first."""
    if not Run.objects.filter(pk=run.pk, state=RunState.RUNNING).exists():
        return []
    now = timezone.now()
    due = Unit.objects.filter(_is_due(now), run=run, state=UnitState.WAITING).order_by("pk")
    ids = list(_locked(due).values_list("pk", flat=True)[:n])
    mine = Unit.objects.filter(pk__in=ids, state=UnitState.WAITING)
    mine.update(state=UnitState.LEASED, lease_owner=owner, lease_until=now + HELD_FOR)
    found = Unit.objects.filter(pk__in=ids, state=UnitState.LEASED, lease_owner=owner)
    return list(found.select_related("solution__problem", "problem").order_by("pk"))


def _is_due(now: datetime) -> Q:
    return Q(due_at__isnull=True) | Q(due_at__lte=now)


def _locked(units: "QuerySet[Unit]") -> "QuerySet[Unit]":
    """SQLite has one writer at a time anyway."""
    if connection.features.has_select_for_update_skip_locked:
        return units.select_for_update(skip_locked=True, of=("self",))
    return units


def renew(run: Run, owner: str) -> int:
    """Hold this owner's units for another while; how many there are."""
    mine = Unit.objects.filter(run=run, state=UnitState.LEASED, lease_owner=owner)
    return mine.update(lease_until=timezone.now() + HELD_FOR)


def give_back(run: Run, owner: str) -> int:
    """Put what this owner holds and did not finish back, as if it had never been taken."""
    mine = Unit.objects.filter(run=run, state=UnitState.LEASED, lease_owner=owner)
    return mine.update(state=UnitState.WAITING, lease_owner="", lease_until=None)


# --- Storing ---------------------------------------------------------------------------------------------


@transaction.atomic
def keep_calls(run: Run, calls: Sequence[Call]) -> bool:
    """Store calls with what they cost; one stored already counts once. False: its budget is used up, it pauses."""
    stored = Call.objects.filter(unit__in={call.unit_id for call in calls}, error="")
    known = set(stored.values_list("unit", "n"))
    new = [call for call in calls if call.error or (call.unit_id, call.n) not in known]
    # Ignored: what another worker stored a moment ago, whose lease was thought to be over.
    Call.objects.bulk_create(new, AT_ONCE, ignore_conflicts=True)
    paid = [call for call in new if not call.reused]
    Run.objects.filter(pk=run.pk).update(
        n_calls=F("n_calls") + len(paid),
        prompt_tokens=F("prompt_tokens") + sum(call.prompt_tokens for call in paid),
        completion_tokens=F("completion_tokens") + sum(call.completion_tokens for call in paid),
        cost=F("cost") + sum(call.cost for call in paid),
        beat_at=timezone.now(),
    )
    over = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, budget__isnull=False, cost__gte=F("budget"))
    return not over.update(state=RunState.PAUSED, because="Its budget is used up. Raise the budget to go on.")


def done(unit: Unit, owner: str, *, outcome: str, result: str = "") -> None:
    """Store a unit's end, inside the transaction that writes what it made. Raises Lost, so that nothing is."""
    changes = {"outcome": outcome, "result": result, "error": ""}
    _end(unit, owner, UnitState.DONE, **changes)
    Run.objects.filter(pk=unit.run_id).update(n_done=F("n_done") + 1, beat_at=timezone.now())


def mine(units: Sequence[Unit], owner: str) -> set[int]:
    """Which of these are still this worker's, theirs to store until the transaction ends; ids."""
    rows = Unit.objects.filter(pk__in=[unit.pk for unit in units], state=UnitState.LEASED, lease_owner=owner)
    rows = rows.exclude(run__state=RunState.CANCELLED).order_by("pk")
    if connection.features.has_select_for_update_of:
        rows = rows.select_for_update(of=("self",))
    return set(rows.values_list("pk", flat=True))


def done_all(ended: Sequence[tuple[Unit, str, str]]) -> None:
    """As `done`, for units that are `mine` in this transaction: (unit, outcome, result) each.

    One statement a group, past the ORM: a worker that stores 200 units a second has 5 ms for each.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    sql = (
        f"UPDATE {connection.ops.quote_name(Unit._meta.db_table)} SET state = %s, outcome = %s, result = %s, "  # noqa: S608
        "error = '', lease_owner = '', lease_until = NULL, finished_at = %s WHERE id = %s"
    )
    with connection.cursor() as cursor:
        rows = [(UnitState.DONE.value, outcome, result, now, unit.pk) for unit, outcome, result in ended]
        cursor.executemany(sql, rows)
    for run_id, n in Counter(unit.run_id for unit, _, _ in ended).items():
        Run.objects.filter(pk=run_id).update(n_done=F("n_done") + n, beat_at=timezone.now())


@transaction.atomic
def failed(unit: Unit, owner: str, *, error: str, again: bool, result: str = "") -> bool:
    """Say that a unit came to no end: it is tried again later, or has failed for good. Whether it has."""
    attempts = unit.attempts + 1
    if again and attempts < MOST_ATTEMPTS:
        due = timezone.now() + WAIT_AFTER[min(attempts, len(WAIT_AFTER)) - 1]
        _leave(unit, owner, state=UnitState.WAITING, attempts=attempts, error=error, due_at=due)
        return False
    _end(unit, owner, UnitState.FAILED, attempts=attempts, error=error, result=result)
    Run.objects.filter(pk=unit.run_id).update(n_failed=F("n_failed") + 1, beat_at=timezone.now())
    return True


def _end(unit: Unit, owner: str, state: str, **changes: Any) -> None:
    _leave(unit, owner, state=state, finished_at=timezone.now(), **changes)


def _leave(unit: Unit, owner: str, **changes: Any) -> None:
    open_run = Run.objects.filter(pk=OuterRef("run")).exclude(state=RunState.CANCELLED)
    mine = Unit.objects.filter(Exists(open_run), pk=unit.pk, state=UnitState.LEASED, lease_owner=owner)
    if not mine.update(lease_owner="", lease_until=None, **changes):
        raise Lost(f"The unit {unit.key} is not this worker's any more.")


def lock(run: Run) -> Run:
    """The row as it is now, nobody else's to change until the transaction ends. What is asked of its units after that
    is asked of rows that nobody adds to behind our back."""
    return Run.objects.select_for_update(no_key=True).get(pk=run.pk)


@transaction.atomic
def complete_if_done(run: Run) -> bool:
    """A planned run of which nothing waits or is leased is complete; told once."""
    now = lock(run)
    left = Unit.objects.filter(run=run, state__in=[UnitState.WAITING, UnitState.LEASED])
    if now.state != RunState.RUNNING or left.exists():
        return False
    ended = {"state": RunState.COMPLETE, "because": "", "finished_at": timezone.now()}
    return bool(Run.objects.filter(pk=run.pk).update(**ended))


# --- Driving ---------------------------------------------------------------------------------------------


def hold(name: str, owner: str) -> bool:
    """Take or renew the lease on something that one worker at a time may drive; whether it is ours."""
    now = timezone.now()
    Lease.objects.get_or_create(name=name)
    free = Q(owner=owner) | Q(owner="") | Q(until__lt=now)
    return bool(Lease.objects.filter(free, name=name).update(owner=owner, until=now + HELD_FOR))


def let_go(name: str, owner: str, *, rest: float = 0) -> None:
    """Free it. rest: only after so many seconds, since what is driven asked to be left alone."""
    until = timezone.now() + timedelta(seconds=rest) if rest else None
    Lease.objects.filter(name=name, owner=owner).update(owner=owner if rest else "", until=until)


def to_drive(drives: str) -> list[Run]:
    """The open runs that are waiting to be driven by who holds this, oldest first."""
    rows = Run.objects.filter(drives=drives, state__in=OPEN_RUNS).select_related("project", "rater")
    return list(rows.order_by("pk"))


def has_due(drives: str) -> bool:
    """Whether there is anything to do now: a plan to go on with, or a due unit, or a run to complete."""
    waiting = Unit.objects.filter(run=OuterRef("pk"), state__in=[UnitState.WAITING, UnitState.LEASED])
    due = Unit.objects.filter(_is_due(timezone.now()), run=OuterRef("pk"), state=UnitState.WAITING)
    rows = Run.objects.filter(drives=drives, state__in=OPEN_RUNS)
    return rows.filter(Q(state=RunState.PLANNING) | Exists(due) | ~Exists(waiting)).exists()


def ring(run: Run) -> None:
    """Call a worker once the transaction is through."""
    transaction.on_commit(lambda: current_app.send_task(run.task, [run.drives]))


# --- Reaping ---------------------------------------------------------------------------------------------


def reap() -> list[str]:
    """Take back what dead workers held, and ring for what is due and not driven; the names rung for.

    A bell that nobody answers is rung again when it is out of date: where no worker for a task runs, they would pile
    up, and one that does would find the bells of an hour before those of others.
    """
    take_back(Unit.objects.filter(run__state__in=OPEN_RUNS))
    held = Lease.objects.filter(name=OuterRef("drives"), until__gte=timezone.now())  # or rung for
    idle = Run.objects.filter(~Exists(held), state__in=OPEN_RUNS).order_by("pk")
    first: dict[str, Run] = {}
    for run in idle:
        first.setdefault(run.drives, run)
    rung = [run for drives, run in first.items() if has_due(drives)]
    for run in rung:
        _note_bell(run.drives)
        current_app.send_task(run.task, [run.drives], expires=HELD_FOR.total_seconds())
    return [run.drives for run in rung]


def _note_bell(drives: str) -> None:
    """Nobody's lease for a while, which hinders no worker; who lets go of theirs takes it away."""
    now = timezone.now()
    Lease.objects.get_or_create(name=drives)
    free = Lease.objects.filter(Q(owner="") | Q(until__lt=now), name=drives)
    free.update(owner="", until=now + HELD_FOR)


def take_back_of(drives: str) -> None:
    """Who begins to drive takes back what whoever drove before left, and need not wait for a reaper."""
    take_back(Unit.objects.filter(run__drives=drives, run__state__in=OPEN_RUNS))


def take_back(units: "QuerySet[Unit]") -> None:
    """Take back those whose lease ran out."""
    late = units.filter(state=UnitState.LEASED, lease_until__lt=timezone.now())
    for unit in late.order_by("pk")[:AT_ONCE]:
        _take_back(unit)


@transaction.atomic
def _take_back(unit: Unit) -> None:
    """A unit that its workers keep dying of fails, so that it stops no run."""
    now = timezone.now()
    same = Unit.objects.filter(pk=unit.pk, state=UnitState.LEASED, lease_owner=unit.lease_owner)
    if same.filter(lease_until__lt=now).update(lease_until=now):  # else it was renewed since, or ended
        failed(unit, unit.lease_owner, error="Its worker stopped before the end.", again=True)
