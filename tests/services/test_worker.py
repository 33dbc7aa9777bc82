"""The background worker, with each broker, as a process."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.services.processes import ROOT, LiveProcess, environment, wait_until

StartWorker = Callable[[dict[str, str]], LiveProcess]


@pytest.fixture(params=["filesystem", "redis"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    env = environment(tmp_path / "data")
    if request.param == "redis":
        env["CELERY_BROKER_URL"] = request.getfixturevalue("redis_url")
    return env


def send(env: dict[str, str], path: Path, seconds: float = 0) -> None:
    """Send the task by name from a process of its own, as the web does."""
    code = (
        "import django; django.setup()\n"
        f"from config.celery import app; app.send_task('tests.ring', ({str(path)!r}, {seconds}))"
    )
    subprocess.run([sys.executable, "-c", code], env=env, cwd=ROOT, check=True, timeout=60)


def rings(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_a_task_sent_by_name_runs_in_a_child(
    env: dict[str, str], start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(env)
    send(env, tmp_path / "bell")
    wait_until(lambda: bool(rings(tmp_path / "bell")), 15, worker.output)
    assert rings(tmp_path / "bell") != [worker.pid]


def test_a_killed_child_loses_no_task(env: dict[str, str], start_worker: StartWorker, tmp_path: Path) -> None:
    worker = start_worker(env)
    send(env, tmp_path / "bell", seconds=3)
    wait_until(lambda: len(rings(tmp_path / "bell")) == 1, 15, worker.output)
    psutil.Process(rings(tmp_path / "bell")[0]).kill()
    wait_until(lambda: len(rings(tmp_path / "bell")) == 2, 30, worker.output)


def test_a_killed_worker_takes_its_busy_child_along(
    env: dict[str, str], start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(env)
    send(env, tmp_path / "bell", seconds=60)
    wait_until(lambda: bool(rings(tmp_path / "bell")), 15, worker.output)
    family = worker.family()
    assert len(family) >= 2
    worker.popen.kill()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_messages_wait_for_a_worker(env: dict[str, str], start_worker: StartWorker, tmp_path: Path) -> None:
    bells = [tmp_path / f"bell-{n}" for n in range(3)]
    for bell in bells:
        send(env, bell)
    time.sleep(0.5)
    assert not any(rings(bell) for bell in bells)
    worker = start_worker(env)
    wait_until(lambda: all(rings(bell) for bell in bells), 15, worker.output)
