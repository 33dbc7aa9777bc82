"""Start everything on one machine: the web and the workers, until Ctrl-C."""

import json
import shlex
import socket
import sys
from argparse import ArgumentDefaultsHelpFormatter
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotator.management.processes import TiedManager


class Command(BaseCommand):
    help = "Start the web server and the background workers; Ctrl-C stops all."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=ArgumentDefaultsHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on")
        parser.add_argument("--workers", type=int, default=2, help="web processes")
        parser.add_argument("--threads", type=int, default=4, help="threads of each web process")
        parser.add_argument("--no-gpu", action="store_true", help="without the worker that scores by models")

    def handle(
        self, *args: Any, host: str, port: int, workers: int, threads: int, no_gpu: bool, **options: Any
    ) -> None:
        refuse_unmigrated()
        refuse_taken(host, port)
        collect_if_never_collected()
        manager = TiedManager()
        for name, command in commands(host, port, workers, threads, gpu=not no_gpu).items():
            manager.add_process(name, f"exec {shlex.join(command)}", cwd=str(settings.BASE_DIR))
        self.stdout.write(f"\nPlumbline: http://{host}:{port}/ (Ctrl-C stops it)\n{sign_ins()}")
        self.stdout.flush()
        manager.loop()
        sys.exit(manager.returncode)


def commands(host: str, port: int, workers: int, threads: int, gpu: bool) -> dict[str, list[str]]:
    gunicorn = ["gunicorn", "-c", "python:annotator.management.web", "--bind", f"{host}:{port}"]
    size = ["--workers", str(workers), "--threads", str(threads)]
    worker = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker"]
    found = {"web": [sys.executable, "-m", *gunicorn, *size, "config.wsgi"], "worker": worker}
    if gpu and find_spec("torch"):  # what is installed for the web alone has none
        found["gpu"] = [*worker, "--gpu", "--keep"]  # a model too large for the memory does not end the web
    return found


def refuse_unmigrated() -> None:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    connection.close()  # the processes started below must not inherit it
    if missing:
        raise CommandError(
            f"The database lacks {len(missing)} migration(s). Run `manage.py migrate` first, then `up` again."
        )


def refuse_taken(host: str, port: int) -> None:
    """Say it here in one sentence: gunicorn would try five times and then say it in a traceback."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}. Try --port.") from error


def collect_if_never_collected() -> None:
    """Without the list of hashed names every page would answer 500. After an update it is the operator's to renew."""
    if not (settings.STATIC_ROOT / "staticfiles.json").is_file():
        call_command("collectstatic", interactive=False, verbosity=0)


def sign_ins() -> str:
    """The accounts of the demo project, which `manage.py demo` writes down; nothing where there is none."""
    path = settings.DATA_DIR / "demo.json"
    if not path.is_file():
        return ""
    accounts = json.loads(path.read_text())
    lines = [f"  {one['role']:<10} {one['username']:<12} password {one['password']}" for one in accounts]
    return "Demo accounts:\n" + "\n".join(lines) + "\n"
