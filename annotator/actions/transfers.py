"""What imports and exports share: one worker at a time for a row, and the bell that calls a worker.

The row is the truth, the message only a doorbell. A worker that dies leaves its row with an old `beat_at`,
and who comes next goes on. Two that work at once by mistake are told apart by conditional updates: the slower
one stops with Conflict, and nothing is written twice.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from annotator import errors
from annotator.models import Export, Import, Release, TransferState

Row = TypeVar("Row", Import, Export, Release)
T = TypeVar("T")
Tick = Callable[[int, int], None]  # told how much is done, of how much
Alive = Callable[[], None]  # told often that work goes on where there is nothing to count

STALE = timedelta(seconds=60)
BEAT_S = 1.0
QUIET_S = 5.0  # a live worker reports at least this often, but while it makes all items at once
BATCH = 500


class Busy(errors.Conflict):
    """Another worker was at the row a moment ago. Come again later: it may have died."""


def ring(task: str, row_id: int) -> None:
    """Call a worker once the transaction is through. Actions know tasks by name only."""
    transaction.on_commit(lambda: current_app.send_task(f"annotator.{task}", [row_id]))


def awaits_map(row: Import | Export | Release) -> bool:
    """Whether a person is yet to say where things are in its files: no worker is called before."""
    return row.state == TransferState.WAITING and row.options.get("reading") == {}


def is_stalled(row: Import | Export | Release) -> bool:
    """Whether work on the row was begun, or asked for, and nobody has been at it for a while."""
    return row.is_running and not awaits_map(row) and (row.beat_at or row.created_at) < timezone.now() - STALE


def is_held(row: Import | Export | Release) -> bool:
    """Whether a worker was at the row a moment ago."""
    return row.beat_at is not None and row.beat_at >= timezone.now() - STALE


@contextmanager
def working(row: Row, states: Sequence[TransferState]) -> Iterator[Row]:
    """Hold the row while the block runs. Raises Busy while another worker is at it, else Conflict."""
    now = timezone.now()
    free = Q(beat_at__isnull=True) | Q(beat_at__lt=now - STALE)
    rows = type(row)._default_manager.filter(pk=row.pk)
    taken = rows.filter(free, state__in=states).update(beat_at=now, error="")
    row.refresh_from_db()
    if not taken:
        busy = row.state in states
        raise Busy("Another worker is at it.") if busy else errors.Conflict(f"It is {row.state}.")
    try:
        yield row
    except errors.PlumblineError as error:
        rows.update(error=error.message)
        raise
    except Exception:
        rows.update(error="It stopped by a fault; the log of the worker says which.")
        raise
    finally:
        rows.update(beat_at=None)
        row.refresh_from_db()


def wait_until_quiet(row: Row) -> None:
    """Take a row over from a worker of which nothing is heard any more, without waiting until it is STALE.

    For commands: who starts one again after a kill must not wait. Raises Conflict if the other one is alive.
    """
    row.refresh_from_db()
    if row.beat_at is None:
        return
    heard = row.beat_at
    time.sleep(max(0.0, QUIET_S - (timezone.now() - heard).total_seconds()))
    if not type(row)._default_manager.filter(pk=row.pk, beat_at=heard).update(beat_at=None):
        raise errors.Conflict("Another process is working on it right now.")


class Pulse:
    """Says when it is time to report: at once, then every BEAT_S."""

    def __init__(self) -> None:
        self._next = 0.0

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + BEAT_S
        return True


def beat(row: Import | Export | Release, **changes: object) -> datetime:
    """Report that somebody is at the row, and how far."""
    now = timezone.now()
    type(row)._default_manager.filter(pk=row.pk).update(beat_at=now, **changes)
    return now


def batched(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
