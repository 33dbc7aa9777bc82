"""`manage.py up`: one command starts everything, says where, and leaves nothing behind however it ends."""

import json
import signal
import socket
from pathlib import Path

import psutil
import pytest

from tests.services.conftest import Migrated, Start
from tests.services.processes import MANAGE, LiveProcess, answers, environment, free_port, manage

# The manager, two runners of honcho, gunicorn with two workers, Celery with two children.
WHOLE_FAMILY = 1 + 2 + 3 + 3
WITH_GPU = WHOLE_FAMILY + 3  # a runner, the worker that scores, and its keeper


@pytest.fixture
def env(tmp_path: Path, migrated: Migrated) -> dict[str, str]:
    return migrated(environment(tmp_path / "data"))


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def up(env: dict[str, str], port: int, start: Start) -> LiveProcess:
    process = start([*MANAGE, "up", "--no-gpu", "--port", str(port)], env=env)
    process.wait_for(lambda: answers(f"http://127.0.0.1:{port}/"))
    process.wait_for(lambda: "ready." in process.output() and len(process.family()) == WHOLE_FAMILY)
    return process


def exit_code_once_gone(family: list[psutil.Process], port: int) -> int:
    """The manager's exit code (minus the signal that killed it), once nothing of the family is left."""
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert not answers(f"http://127.0.0.1:{port}/")
    return int(family[0].wait())


def test_prints_the_address(up: LiveProcess, port: int) -> None:
    assert f"http://127.0.0.1:{port}/" in up.output()
    assert "Demo accounts" not in up.output()


@pytest.mark.parametrize(
    ("ending", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_nothing_is_left_running(up: LiveProcess, port: int, ending: signal.Signals, code: int) -> None:
    family = up.family()
    up.popen.send_signal(ending)
    assert exit_code_once_gone(family, port) == code


def test_a_scoring_worker_that_is_killed_starts_again_and_ends_with_the_others(
    env: dict[str, str], port: int, start: Start
) -> None:
    up = start([*MANAGE, "up", "--port", str(port)], env=env)
    up.wait_for(lambda: len(up.family()) == WITH_GPU and up.output().count("ready.") == 2)
    gpu = next(one for one in up.family() if "--gpu" in one.cmdline() and "--keep" not in one.cmdline())
    gpu.kill()
    up.wait_for(lambda: "it starts again" in up.output() and len(up.family()) == WITH_GPU)
    assert answers(f"http://127.0.0.1:{port}/")
    family = up.family()
    up.popen.kill()
    assert exit_code_once_gone(family, port) == -signal.SIGKILL


def test_stops_at_once_while_still_starting(env: dict[str, str], port: int, start: Start) -> None:
    process = start([*MANAGE, "up", "--port", str(port)], env=env)
    process.wait_for(lambda: "Plumbline:" in process.output())
    family = process.family()
    process.popen.send_signal(signal.SIGINT)
    assert exit_code_once_gone(family, port) == 130


@pytest.mark.parametrize("victim", ["gunicorn", "worker"])
def test_the_end_of_one_is_the_end_of_all(up: LiveProcess, port: int, victim: str) -> None:
    family = up.family()
    next(one for one in family if victim in one.cmdline()).kill()
    assert exit_code_once_gone(family, port) != 0


def test_prints_the_demo_sign_ins(env: dict[str, str], port: int, start: Start) -> None:
    accounts = [{"username": "ada", "password": "a sentence", "role": "lead"}]
    (Path(env["DATA_DIR"]) / "demo.json").write_text(json.dumps(accounts))
    process = start([*MANAGE, "up", "--port", str(port)], env=env)
    process.wait_for(lambda: "Demo accounts" in process.output())
    assert "ada" in process.output()
    assert "a sentence" in process.output()


def test_refuses_a_database_that_is_not_migrated(tmp_path: Path) -> None:
    done = manage("up", env=environment(tmp_path / "empty"))
    assert done.returncode == 1
    assert "Run `manage.py migrate` first" in done.stderr


def test_refuses_a_port_that_is_taken(env: dict[str, str], port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        done = manage("up", "--port", str(port), env=env)
    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in done.stderr
