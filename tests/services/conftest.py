"""Fixtures with real servers and processes. Each starts what it needs once a session and ends it after."""

import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.services.processes import DATABASE, SQLITE, LiveProcess, environment, live_process, manage
from tests.services.servers import Postgres, postgres_server, redis_server

Start = Callable[..., LiveProcess]
Migrated = Callable[[dict[str, str]], dict[str, str]]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """In a folder of its own: under root the server is another user, and each start of pytest, by anybody,
    closes pytest's temporary folders to others."""
    with TemporaryDirectory(prefix="plumbline-postgres-") as folder, postgres_server(Path(folder)) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """DATABASE_URL of an empty database on a real PostgreSQL; migrate it with `migrated`."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """CELERY_BROKER_URL of a real Redis."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """`start(command, env=...)` runs a program until the test ends; what it prints is in `.output()`."""
    with ExitStack() as stack:

        def start_one(command: list[str], *, env: dict[str, str]) -> LiveProcess:
            log = tmp_path / f"process-{uuid.uuid4().hex[:8]}.log"
            return stack.enter_context(live_process(command, env=env, log=log))

        yield start_one


@pytest.fixture
def start_worker(start: Start) -> Callable[[dict[str, str]], LiveProcess]:
    """`start_worker(env)` runs `manage.py worker` and waits until it takes tasks. It knows one task more than
    in production: tests/services/bell.py."""

    def start_one(env: dict[str, str]) -> LiveProcess:
        worker = start([sys.executable, "-m", "tests.services.bell"], env=env)
        worker.wait_for(lambda: "ready." in worker.output())
        return worker

    return start_one


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database that nobody opens: each test has a copy."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(environment(folder))
    return folder / DATABASE


@pytest.fixture
def migrated(migrated_file: Path) -> Migrated:
    """`migrated(env)` is the same environment, its database migrated."""

    def migrated_one(env: dict[str, str]) -> dict[str, str]:
        if env["DATABASE_URL"].startswith(SQLITE):
            shutil.copyfile(migrated_file, env["DATABASE_URL"].removeprefix(SQLITE))
        else:
            migrate(env)
        return env

    return migrated_one


def migrate(env: dict[str, str]) -> None:
    done = manage("migrate", "--no-input", "--verbosity", "0", env=env)
    assert done.returncode == 0, done.stderr
