"""Run the background worker: imports, exports and, later, machine runs."""

import os
from typing import Any

from celery import current_app
from celery.signals import worker_process_init
from django.core.management.base import BaseCommand, CommandParser

from annotator.management.processes import die_with_parent


class Command(BaseCommand):
    help = "Run the background worker (Celery) in the foreground."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=1, help="tasks at once (default: 1)")

    def handle(self, *args: Any, concurrency: int, **options: Any) -> None:
        """Prefork even for one task at a time: a task that runs out of memory or crashes takes its child
        along, not the worker, and so not the whole of `manage.py up`."""
        worker_process_init.connect(_tie_child)
        current_app.worker_main([
            "--quiet", "worker", "--pool=prefork", f"--concurrency={concurrency}", "--loglevel=INFO",
            "--without-gossip", "--without-mingle", "--without-heartbeat",
        ])  # fmt: skip


def _tie_child(**_: Any) -> None:
    die_with_parent(os.getppid())
