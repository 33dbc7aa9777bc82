"""The worker of reward models, with each broker; kill -9 in the middle: the run ends, nothing is scored twice."""

import json
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.scoring.installing import QWEN, install
from tests.services.conftest import Migrated, Start
from tests.services.processes import SQLITE, LiveProcess, environment, manage, wait_until

SOLUTIONS = 24
SETUP = f"""
from annotator.policies import Operator
from scoring import actions
from tests import factories as make
project = make.project()
for n in range({SOLUTIONS}):
    make.solution(project, f"What is 1 + {{n}}?", ["We add.", f"It is {{n + 1}}."])
run = actions.start(by=Operator(), project=project, model="{QWEN}", how=actions.How(token_budget=1))
print(run.pk)
"""
LOOK = """
import json
from annotator.models import Annotation, Run
run = Run.objects.get()
print(json.dumps([run.state, run.n_units, run.n_failed, list(Annotation.objects.order_by("pk").values_list("solution", flat=True))]))
"""  # noqa: E501


def shell(code: str, env: dict[str, str]) -> Any:
    done = manage("shell", "-v", "0", "-c", code, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("models"), QWEN)


def worker(start: Start, env: dict[str, str], *options: str) -> LiveProcess:
    return start([sys.executable, "-m", "tests.services.bell", *options], env=env)


def scored(env: dict[str, str]) -> list[int]:
    """Solutions in the order in which their annotations were stored; without Django, which is slow to start."""
    rows = "SELECT solution_id FROM annotator_annotation ORDER BY id"
    with closing(sqlite3.connect(env["DATABASE_URL"].removeprefix(SQLITE))) as database:
        return [pk for (pk,) in database.execute(rows)]


def has_ended(worker: LiveProcess) -> bool:
    return bool(re.search(r"scoring\.drive\S* succeeded", worker.output()))


def assert_whole(env: dict[str, str]) -> None:
    """Every solution has one annotation, and none was replaced by another."""
    wait_until(lambda: shell(LOOK, env)[0] == "complete", 20)
    _, n_units, n_failed, of = shell(LOOK, env)
    assert (n_units, n_failed) == (SOLUTIONS, 0)
    assert len(of) == len(set(of)) == SOLUTIONS


def test_a_killed_worker_scores_nothing_twice(
    tmp_path: Path, migrated: Migrated, start: Start, models: Path
) -> None:
    env = migrated(
        environment(tmp_path / "data", TESTS_LEASE_S="3", TESTS_STORE_S="0.3", MODELS_DIR=str(models))
    )
    worker(start, env, "--concurrency=1")  # it looks for what dead workers held
    shell(SETUP, env)
    first = worker(start, env, "--gpu")
    wait_until(lambda: len(scored(env)) >= 3, 90, first.output)
    family = first.family()
    first.popen.kill()
    psutil.wait_procs(family, timeout=5)
    before = scored(env)
    assert len(before) < SOLUTIONS
    second = worker(start, env | {"TESTS_STORE_S": "0"}, "--gpu")
    wait_until(lambda: len(scored(env)) >= SOLUTIONS, 90, second.output)
    assert_whole(env)
    assert scored(env)[: len(before)] == before


def test_with_redis_and_postgresql(
    tmp_path: Path, migrated: Migrated, start: Start, models: Path, redis_url: str, postgres_url: str
) -> None:
    env = environment(
        tmp_path / "data", MODELS_DIR=str(models), CELERY_BROKER_URL=redis_url, DATABASE_URL=postgres_url
    )
    migrated(env)
    shell(SETUP, env)
    gpu = worker(start, env, "--gpu")
    wait_until(lambda: has_ended(gpu), 90, gpu.output)
    assert_whole(env)
