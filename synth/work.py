"""What a worker, or a command, does for the runs that share what is driven: plan, drive, complete.

One at a time works on an endpoint: a lease in the database (runs.hold). Everything else is in rows, so this may be
killed anywhere and begun again.
"""

import asyncio
import datetime as dt
import logging
from importlib.util import find_spec
from time import monotonic
from typing import Any
from uuid import uuid4

from django.db import DatabaseError
from django.utils import timezone

from annotator import errors, runs
from annotator.actions import runs as acts
from annotator.models import OPEN_RUNS, Run, RunState
from annotator.runs import NewUnit
from synth import driving, endpoints, ends
from synth.calls import Ended, Failure, Summary
from synth.checking import Checker
from synth.client import Client
from synth.endpoints import Endpoint
from synth.machines import MACHINES
from synth.methods.asks import Steps
from synth.storage import RunStorage
from synth.unchanged import why_not

log = logging.getLogger(__name__)
SECONDS = 50  # of one task: then it rings for itself, and others get their turn
PLANNED_AT_ONCE = 500
LOOKED_AT_ONCE = 2_000  # solutions, whether there is anything new to do with them or not
ALONE_AT_ONCE = 50
ENDPOINT = "endpoint:"
NEEDED = ("openai", "aiolimiter", "jinja2", "math_verify")
LONGEST_REST = 3600.0  # seconds; a mistaken Retry-After must not stop an endpoint for a year


def work(drives: str, *, seconds: float = SECONDS, signals: bool = False) -> bool:
    """Work on what is due; whether there is more to do now. False too where another worker is at it."""
    owner = uuid4().hex
    if not runs.hold(drives, owner):
        return False
    until, rest = monotonic() + seconds, 0.0
    try:
        runs.take_back_of(drives)
        _tell(drives, "")  # whatever it rested for is over
        for run in runs.to_drive(drives):
            _plan(run, owner, until)
        left = until - monotonic()
        if left > 0:
            rest = _drive(drives, owner, left, signals)
        for run in runs.to_drive(drives):
            acts.complete(run)
        return not rest and runs.has_due(drives)
    finally:
        runs.let_go(drives, owner, rest=rest)


def _plan(run: Run, owner: str, until: float) -> None:
    """Make units, a batch at a time, until all are there or the time is up."""
    while run.state == RunState.PLANNING and monotonic() < until and runs.hold(run.drives, owner):
        before = run.planned_to or 0
        try:
            units, reached = _batch(run, before)
            runs.plan(run, units, before=before, reached=reached)
        except errors.Conflict:
            return  # it was paused, or cancelled
        except DatabaseError:
            raise
        except Exception as error:  # it must not stop the other runs, now and whenever it is tried again
            log.exception("Run %s cannot be planned", run.pk)
            acts.pause_for(run, f"It cannot be planned: {type(error).__name__}: {error}"[:1000])
            return
        run.refresh_from_db()


def _batch(run: Run, before: int) -> tuple[list[NewUnit], int | None]:
    """The next units, and up to which id they are; None: these are the last."""
    limit, made = run.params.get("limit"), list[NewUnit]()
    for looked, (pk, units) in enumerate(MACHINES[run.method].plan(run, before), 1):
        made += units
        if limit is not None and run.n_units + len(made) >= limit:
            return made[: max(0, limit - run.n_units)], None
        if len(made) >= PLANNED_AT_ONCE or looked >= LOOKED_AT_ONCE:
            return made, pk
    return made, None


def _drive(drives: str, owner: str, seconds: float, signals: bool) -> float:
    """Drive what is due; the seconds for which the endpoint is to be left alone, 0 for none."""
    if not drives.startswith(ENDPOINT):
        _alone(RunStorage(drives, owner, lambda run: why_not(run, None)), monotonic() + seconds)
        return 0
    try:
        summary = _on_endpoint(drives, owner, seconds, signals)
    except errors.Invalid as refusal:  # no such endpoint any more, or its key is not set
        summary = Summary(because=refusal.message)
    if summary.because and summary.wait is None:
        for run in runs.to_drive(drives):
            acts.pause_for(run, f"{summary.because} Mend that, then go on.")
    rest = min(summary.wait or 0, LONGEST_REST)
    if summary.because and rest:
        log.warning("%s is left alone for %.0f s: %s", drives, rest, summary.because)
        until = timezone.localtime(timezone.now() + dt.timedelta(seconds=rest))
        _tell(drives, f"Resting until {until:%H:%M:%S %Z}: {summary.because}")
    return rest


def _tell(drives: str, because: str) -> None:
    """Let the open runs say what keeps them from going on though nobody paused them."""
    rows = Run.objects.filter(drives=drives, state__in=OPEN_RUNS)
    rows.exclude(because=because).update(because=because)


def _on_endpoint(drives: str, owner: str, seconds: float, signals: bool) -> Summary:
    endpoint = endpoints.find(drives.removeprefix(ENDPOINT))
    endpoint.key()  # before anything is leased
    _check_libraries()
    storage = RunStorage(drives, owner, lambda run: why_not(run, endpoint))
    with Checker() as checker:
        return asyncio.run(_driven(endpoint, storage, checker, seconds, signals))


def _check_libraries() -> None:
    """Raise Invalid where only what serves pages is installed: no unit is at fault for that."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        message = (
            f"Asking a language model needs {', '.join(missing)}, which what serves pages goes without: install "
            "requirements.txt where the worker or the command runs."
        )
        raise errors.Invalid(message, field="endpoint")


async def _driven(
    endpoint: Endpoint, storage: RunStorage, checker: Checker, seconds: float, signals: bool
) -> Summary:
    async with Client(endpoint) as client:
        return await driving.drive(client, storage, checker.check, seconds=seconds, signals=signals)


def _alone(storage: RunStorage, until: float) -> None:
    """Methods that ask nobody: one after another. What is not stored at the end is given back, whatever happened."""
    while monotonic() < until and (jobs := storage.take(ALONE_AT_ONCE)):
        units = [job.unit for job in jobs]
        try:
            ended = [Ended(job.unit, _outcome(job.steps)) for job in jobs]
            go_on = storage.beat(units)
            ends.finish(storage, ended)
        finally:
            storage.give_back(units)
        if not go_on:
            return


def _outcome(steps: Steps[Any]) -> Any:
    try:
        next(steps)
    except StopIteration as end:
        return end.value
    except Exception as error:
        log.exception("A method failed")
        return Failure(f"The method failed: {type(error).__name__}: {error}"[:1000])
    return Failure("The method asked for something that this run has no endpoint for.")
