"""The worker with one task more, which shows that a message arrived: `python -m tests.services.bell`."""

import os
import time
from pathlib import Path

from django.core.management import execute_from_command_line

from config.celery import app


@app.task(name="tests.ring")
def ring(path: str, seconds: float = 0) -> None:
    """Write who rang into `path`, then take `seconds` more before the task counts as done."""
    with Path(path).open("a") as out:
        out.write(f"{os.getpid()}\n")
    time.sleep(seconds)


if __name__ == "__main__":
    execute_from_command_line(["manage.py", "worker"])
