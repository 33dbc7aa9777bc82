"""Run our programs as a user would, each in a session of its own, and end them whatever happens."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(ROOT / "manage.py")]
SQLITE = "sqlite:///"
DATABASE = "plumbline.sqlite3"
TEST_KEY = "only-for-tests-0123456789-0123456789-0123456789"


@dataclass(frozen=True)
class LiveProcess:
    """A program that runs; `output()` is what it has printed so far."""

    popen: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.popen.pid

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def family(self) -> list[psutil.Process]:
        """The process and all its descendants."""
        me = psutil.Process(self.pid)
        return [me, *me.children(recursive=True)]

    def wait_for(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until `ready()`; fails with the output when the program ends or time runs out before that."""
        wait_until(lambda: ready() or self.popen.poll() is not None, seconds, self.output)
        assert self.popen.poll() is None or ready(), f"It ended early:\n{self.output()}"


def environment(data_dir: Path, **extra: str) -> dict[str, str]:
    """The project's own settings on data of this test alone; nothing of the tests' own settings leaks in."""
    data_dir.mkdir(parents=True, exist_ok=True)
    ours = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": TEST_KEY,
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": f"{SQLITE}{data_dir / DATABASE}",
        "CELERY_BROKER_URL": "filesystem://",
        "LOG_FORMAT": "plain",
        "LOG_LEVEL": "INFO",
        "PYTHONUNBUFFERED": "1",
    }
    return os.environ | ours | extra


def manage(*args: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `manage.py ARGS` to its end; the caller looks at the return code."""
    return subprocess.run([*MANAGE, *args], env=env, cwd=ROOT, capture_output=True, text=True, timeout=120)


@contextmanager
def live_process(command: list[str], *, env: dict[str, str], log: Path) -> Iterator[LiveProcess]:
    with log.open("wb") as out:
        popen = subprocess.Popen(
            command, env=env, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    process = LiveProcess(popen, log)
    try:
        yield process
    finally:
        stop(process)


def stop(process: LiveProcess) -> None:
    """Kill it and whatever it started: a gentle end takes seconds and has tests of its own."""
    if process.popen.poll() is not None:
        return
    for one in process.family():
        with suppress(psutil.NoSuchProcess):  # its parent's end may have ended it
            one.kill()
    process.popen.wait(timeout=5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether something at this address speaks HTTP, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except (OSError, urllib.error.URLError):
        return False


def wait_until(done: Callable[[], bool], seconds: float, say: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s. {say()}")
        time.sleep(0.05)
