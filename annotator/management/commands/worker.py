"""Run a background worker: imports, exports, releases and machine runs; with --gpu, reward models."""

import os
import signal
import subprocess
import sys
import threading
from functools import partial
from typing import Any

from celery import current_app
from celery.signals import worker_process_init, worker_ready
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from annotator.management.processes import die_with_parent

REAP_EVERY_S = 5
AGAIN_AFTER_S = 5
QUIET = ["--loglevel=INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]


class Command(BaseCommand):
    help = (
        "Run the background worker (Celery) in the foreground; with --gpu, the one that scores by reward models: "
        "one a GPU."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="tasks at once (default: 2)")
        parser.add_argument(
            "--gpu", action="store_true", help="score by reward models instead, one batch after another"
        )
        parser.add_argument(
            "--keep", action="store_true", help="start it again where it is killed, for want of memory, say"
        )

    def handle(self, *args: Any, concurrency: int, gpu: bool, keep: bool, **options: Any) -> None:
        if keep:
            sys.exit(_keep(["--gpu"] if gpu else [f"--concurrency={concurrency}"]))
        if gpu:
            _gpu()
        else:
            _prefork(concurrency)


def _prefork(concurrency: int) -> None:
    """Prefork even for one task at a time: a task that runs out of memory or crashes takes its child along, not the
    worker, and so not the whole of `manage.py up`."""
    worker_process_init.connect(_tie_child)
    worker_ready.connect(_ask_for_reaping)
    size = [f"--concurrency={concurrency}", f"--queues={current_app.conf.task_default_queue}"]
    current_app.worker_main(["--quiet", "worker", "--pool=prefork", *size, *QUIET])


def _gpu() -> None:
    """In the process itself: CUDA does not survive a fork, and a model is loaded once."""
    current_app.worker_main(["--quiet", "worker", "--pool=solo", "--queues=gpu", *QUIET])


def _keep(options: list[str]) -> int:
    """Run the worker in a process of its own until it ends by itself or is asked to; its exit status."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", *options]
    asked = threading.Event()
    while True:
        process = subprocess.Popen(command, preexec_fn=partial(die_with_parent, os.getpid()))
        _hand_on(process, asked)
        status = process.wait()
        if status >= 0 or asked.is_set():
            return max(status, 0)
        sys.stderr.write(f"The worker was ended by signal {-status}; it starts again.\n")
        if asked.wait(AGAIN_AFTER_S):
            return 0


def _hand_on(process: "subprocess.Popen[bytes]", asked: threading.Event) -> None:
    def hand_on(number: int, _: Any) -> None:
        asked.set()
        process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hand_on)


def _tie_child(**_: Any) -> None:
    die_with_parent(os.getppid())


def _ask_for_reaping(sender: Any, **_: Any) -> None:
    """The parent only rings: a child does the work. A bell that nobody had time for is out of date by the next."""
    sender.timer.call_repeatedly(
        REAP_EVERY_S, lambda: current_app.send_task("annotator.reap", expires=REAP_EVERY_S)
    )
