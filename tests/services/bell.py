"""The worker with one task more, which shows that a message arrived: `python -m tests.services.bell [--gpu]`."""

import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
from django.core.management import execute_from_command_line

from config.celery import app


@app.task(name="tests.ring")
def ring(path: str, seconds: float = 0) -> None:
    """Write who rang into `path`, then take `seconds` more before the task counts as done."""
    with Path(path).open("a") as out:
        out.write(f"{os.getpid()}\n")
    time.sleep(seconds)


def shorten_leases(seconds: float) -> None:
    """So that a test of killed workers need not wait for half a minute."""
    django.setup()
    from annotator import runs
    from annotator.management.commands import worker
    from synth import driving

    runs.HELD_FOR = timedelta(seconds=seconds)
    runs.WAIT_AFTER = (timedelta(seconds=1),)
    worker.REAP_EVERY_S = 1
    driving.BEAT = seconds / 4


def slow_storing(seconds: float) -> None:
    """So that a worker that scores, or imports, can be met in the middle of its work."""
    django.setup()
    from annotator.actions import import_write
    from scoring import work

    for module in (work, import_write):
        module._store = slowly(module._store, seconds)


def slowly(store: Callable[..., None], seconds: float) -> Callable[..., None]:
    def slow(*args: Any) -> None:
        store(*args)
        time.sleep(seconds)

    return slow


if __name__ == "__main__":
    if "TESTS_LEASE_S" in os.environ:
        shorten_leases(float(os.environ["TESTS_LEASE_S"]))
    if "TESTS_STORE_S" in os.environ:
        slow_storing(float(os.environ["TESTS_STORE_S"]))
    execute_from_command_line(["manage.py", "worker", *sys.argv[1:]])
