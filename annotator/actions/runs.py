"""What people do to runs: start, pause, go on, cancel, try again, raise the budget; and the worker's last word."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from annotator import errors, policies, runs
from annotator.actions.record import record
from annotator.models import OPEN_RUNS, Project, Rater, Role, Run, RunState, Unit, UnitState
from annotator.policies import Actor

CHUNK = 1_000


class Keep(Enum):
    """Leave a budget as it is, which is not the same as having none."""

    KEEP = "keep"


KEEP = Keep.KEEP


@transaction.atomic
def start(
    *, by: Actor, project: Project, method: str, params: Mapping[str, Any], task: str, drives: str = "",
    rater: Rater | None = None, budget: float | None = None, inline: bool = False,
) -> Run:  # fmt: skip
    """Ask for a run. drives: what one worker at a time may hold; "": the run alone.

    inline: whoever asks will work on it, and no worker is called; if they die the reaper calls one.
    """
    policies.check_at_least(by, Role.LEAD, project)
    _check_budget(budget)
    run = Run.objects.create(
        project=project, created_by=by.user, method=method, params=dict(params), task=task, drives=drives,
        rater=rater, budget=budget,
    )  # fmt: skip
    if not drives:
        run.drives = f"run:{run.pk}"
        run.save(update_fields=["drives"])
    record(by, "start_run", project, run=run.pk, method=method, rater=str(rater) if rater else "")
    if not inline:
        runs.ring(run)
    return run


@transaction.atomic
def pause(*, by: Actor, run: Run, because: str = "") -> Run:
    """Let no more units begin; what is in flight is stored."""
    policies.check_at_least(by, Role.LEAD, run.project)
    why = because or f"Paused by {by.user or 'a command'}."
    _move(run, [*OPEN_RUNS], "pause", state=RunState.PAUSED, because=why)
    record(by, "pause_run", run.project, run=run.pk, because=because)
    return run


@transaction.atomic
def resume(*, by: Actor, run: Run, budget: float | Keep | None = KEEP) -> Run:
    """Go on with a paused run. budget: another one, None for no limit.

    Raises Invalid where the budget is used up and there is something left to pay for.
    """
    policies.check_at_least(by, Role.LEAD, run.project)
    most = run.budget if isinstance(budget, Keep) else budget
    _check_budget(most)
    if most is not None and run.cost >= most and run.n_left:
        message = f"It has cost {run.cost:.2f} already: name a budget above that."
        raise errors.Invalid(message, field="budget")
    state = RunState.RUNNING if run.planned_to is None else RunState.PLANNING
    _move(run, [RunState.PAUSED], "resume", state=state, because="", budget=most)
    record(by, "resume_run", run.project, run=run.pk, budget=most)
    runs.ring(run)
    return run


@transaction.atomic
def cancel(*, by: Actor, run: Run) -> Run:
    """End a run for good; what it stored stays, what is in flight is not stored any more."""
    policies.check_at_least(by, Role.LEAD, run.project)
    open_states = [*OPEN_RUNS, RunState.PAUSED]
    _move(run, open_states, "cancel", state=RunState.CANCELLED, because="", finished_at=timezone.now())
    record(by, "cancel_run", run.project, run=run.pk)
    return run


@transaction.atomic
def retry_failed(*, by: Actor, run: Run) -> int:
    """Try every failed unit again, its stored calls kept but the failed ones; how many."""
    policies.check_at_least(by, Role.LEAD, run.project)
    if runs.lock(run).state == RunState.CANCELLED:
        raise errors.Conflict("This run was cancelled: start another instead.")
    n = _wait_again(run)
    if not n:
        raise errors.Conflict("No unit of this run has failed.")
    rows = Run.objects.filter(pk=run.pk)
    rows.update(n_failed=F("n_failed") - n)
    rows.filter(state=RunState.COMPLETE).update(state=RunState.RUNNING, finished_at=None)
    record(by, "retry_run", run.project, run=run.pk, units=n)
    run.refresh_from_db()
    runs.ring(run)
    return n


def _wait_again(run: Run) -> int:
    """Failed units wait again, as if they had never been tried; how many that are."""
    failed = Unit.objects.filter(run=run, state=UnitState.FAILED)
    ids = list(failed.order_by("pk").values_list("pk", flat=True))
    again = {"state": UnitState.WAITING, "attempts": 0, "due_at": None, "error": "", "finished_at": None}
    parts = (ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK))
    return sum(failed.filter(pk__in=part).update(**again) for part in parts)


@transaction.atomic
def pause_for(run: Run, because: str) -> None:
    """The worker's own pause: nothing can go on until a person has done something about it."""
    rows = Run.objects.filter(pk=run.pk, state__in=OPEN_RUNS)
    if rows.update(state=RunState.PAUSED, because=because):
        record(policies.Operator(), "pause_run", run.project, run=run.pk, because=because)


@transaction.atomic
def complete(run: Run) -> bool:
    """The worker's last word; an event says what came of it, once."""
    if not runs.complete_if_done(run):
        return False
    run.refresh_from_db()
    record(
        policies.Operator(), "complete_run", run.project,
        run=run.pk, done=run.n_done, failed=run.n_failed, calls=run.n_calls, cost=round(run.cost, 6),
    )  # fmt: skip
    return True


def _move(run: Run, states: list[RunState], what: str, **changes: Any) -> None:
    if not Run.objects.filter(pk=run.pk, state__in=states).update(**changes):
        run.refresh_from_db()
        raise errors.Conflict(f"This run is {run.state}: there is nothing to {what}.")
    run.refresh_from_db()


def _check_budget(budget: float | None) -> None:
    if budget is not None and not 0 < budget < 1e9:
        raise errors.Invalid("Name an amount above 0.", field="budget")
