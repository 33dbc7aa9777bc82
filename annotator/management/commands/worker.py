"""Run the background worker: imports, exports, releases and machine runs."""

import os
from typing import Any

from celery import current_app
from celery.signals import worker_process_init, worker_ready
from django.core.management.base import BaseCommand, CommandParser

from annotator.management.processes import die_with_parent


REAP_EVERY_S = 5


class Command(BaseCommand):
    help = "Run the background worker (Celery) in the foreground."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=2, help="tasks at once (default: 2)")

    def handle(self, *args: Any, concurrency: int, **options: Any) -> None:
        """Prefork even for one task at a time: a task that runs out of memory or crashes takes its child
        along, not the worker, and so not the whole of `manage.py up`."""
        worker_process_init.connect(_tie_child)
        worker_ready.connect(_ask_for_reaping)
        current_app.worker_main([
            "--quiet", "worker", "--pool=prefork", f"--concurrency={concurrency}", "--loglevel=INFO",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ])  # fmt: skip


def _tie_child(**_: Any) -> None:
    die_with_parent(os.getppid())


def _ask_for_reaping(sender: Any, **_: Any) -> None:
    """The parent only rings: a child does the work. A bell that nobody had time for is out of date by the next."""
    sender.timer.call_repeatedly(
        REAP_EVERY_S, lambda: current_app.send_task("annotator.reap", expires=REAP_EVERY_S)
    )
