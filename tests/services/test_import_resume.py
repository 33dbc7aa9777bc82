"""Imports that are killed: nothing shows of them, and what goes on ends as if nothing had happened."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from tests.annotator.foreign import jsonl, many
from tests.services.conftest import Migrated, Start
from tests.services.processes import MANAGE, ROOT, SQLITE, LiveProcess, environment, manage, wait_until

N = 4_000
STATE = """
import json, django
django.setup()
from annotator.models import Import, Item
row = Import.objects.order_by("id").values("state", "n_done").first() or {"state": "", "n_done": 0}
print(json.dumps(row | {"items": Item.objects.count()}))
"""
SAME = """
import json, django
django.setup()
from annotator.models import Project
from tests.annotator.foreign import rows_of
a, b = (rows_of(project) for project in Project.objects.order_by("slug"))
print(json.dumps(a == b and len(a[-1])))
"""
UPLOAD = """
import django, sys
django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from annotator.actions import imports, projects
from annotator.policies import Operator
project = projects.create_project(by=Operator(), slug="a", name="a", protocol="verify_injection", overlap=2)
data = SimpleUploadedFile("records.jsonl", open(sys.argv[1], "rb").read())
imports.start_upload(by=Operator(), project=project, format="prmbench", uploads=[data])
print(0)
"""
# A dead worker's beat is made old here, so that the test need not wait until it is.
RESUME = """
import django
django.setup()
from annotator.actions import imports
from annotator.models import Import
from annotator.policies import Operator
Import.objects.update(beat_at=None, created_at="2020-01-01T00:00Z")
imports.resume_import(by=Operator(), row=Import.objects.get())
print(0)
"""


@pytest.fixture(params=["sqlite", "postgres"])
def env(request: pytest.FixtureRequest, tmp_path: Path, migrated: Migrated) -> dict[str, str]:
    env = environment(tmp_path / "data")
    if request.param == "postgres":
        env["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    return migrated(env)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Every record twice: how often one has come before must survive the break."""
    records = many(N // 2)
    return jsonl(tmp_path / "records.jsonl", *records, *records)


def run(env: dict[str, str], code: str, *args: str) -> Any:
    """What a script of ours prints, as JSON."""
    command = [sys.executable, "-c", code, *args]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def n_done(env: dict[str, str]) -> int:
    """How far the import is, asked of the database itself: a script of ours would start too slowly to catch it."""
    url = env["DATABASE_URL"]
    is_file = url.startswith(SQLITE)
    database: Any = sqlite3.connect(url.removeprefix(SQLITE)) if is_file else psycopg.connect(url)
    with closing(database):
        row = database.execute("SELECT n_done FROM annotator_import ORDER BY id LIMIT 1").fetchone()
    return int(row[0]) if row else 0


def bring(env: dict[str, str], slug: str, source: Path) -> str:
    done = manage("import_solutions", slug, str(source), "--format", "prmbench", "--create", env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def check_ends_like_an_unbroken_one(env: dict[str, str], source: Path) -> None:
    assert run(env, STATE) == {"state": "complete", "n_done": N, "items": N}
    bring(env, "b", source)
    assert run(env, SAME) == N


def test_kill_9_in_the_second_pass_then_the_same_command(
    env: dict[str, str], start: Start, source: Path
) -> None:
    command = [*MANAGE, "import_solutions", "a", str(source), "--format", "prmbench", "--create"]
    process = start(command, env=env)
    process.wait_for(lambda: n_done(env) > 0)
    process.popen.kill()
    process.popen.wait()
    found = run(env, STATE)
    assert (found["state"], found["items"]) == ("writing", 0)
    assert 0 < found["n_done"] < N
    assert f"Going on after {found['n_done']} of {N} records." in bring(env, "a", source)
    check_ends_like_an_unbroken_one(env, source)


@pytest.mark.parametrize("env", ["sqlite"], indirect=True)
def test_a_killed_workers_import_is_finished_by_the_next(
    env: dict[str, str], start: Start, source: Path
) -> None:
    # One child, which is the one that works: another would wait and hold the pool's lock, which dies with it.
    alone = [sys.executable, "-m", "tests.services.bell", "--concurrency", "1"]
    worker: LiveProcess = start(alone, env=env | {"TESTS_STORE_S": "0.4"})
    worker.wait_for(lambda: "ready." in worker.output())
    run(env, UPLOAD, str(source))
    wait_until(lambda: n_done(env) > 0, 60, worker.output)
    for child in psutil.Process(worker.pid).children(recursive=True):
        child.kill()
    found = run(env, STATE)
    assert (found["state"], found["items"]) == ("writing", 0)
    run(env, RESUME)
    wait_until(lambda: run(env, STATE)["state"] == "complete", 150, worker.output)
    check_ends_like_an_unbroken_one(env, source)
