"""kill -9 of the worker in the middle of a run: it ends complete, and what was stored is never sent again."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.fakes.llm import FakeLLM
from tests.services.conftest import Migrated, Start
from tests.services.processes import LiveProcess, environment, manage, wait_until

PROBLEMS, CONCURRENCY, KILLS = 80, 8, 2
SETUP = f"""
from annotator.models import Problem
from annotator.policies import Operator
from tests import factories as make
project = make.project()
for n in map(str, range({PROBLEMS})):
    Problem.objects.create(project=project, group=n, foreign_id=n, text=f"Problem {{n}}?", answer="5", key=n)
from synth import actions
run = actions.start(by=Operator(), project=project, method="sample", given={{"endpoint": "fake", "n": 3}})
print(run.pk)
"""
LOOK = """
import json
from annotator.models import Call, Run, Solution, Unit
run = Run.objects.get()
stored = list(Call.objects.filter(error="").values_list("digest", flat=True))
print(json.dumps([run.state, run.n_done, run.n_failed, run.n_calls, Solution.objects.count(), stored]))
"""


def shell(code: str, env: dict[str, str]) -> Any:
    done = manage("shell", "-v", "0", "-c", code, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(params=["filesystem, SQLite", "redis, PostgreSQL"])
def env(request: pytest.FixtureRequest, tmp_path: Path, migrated: Migrated) -> dict[str, str]:
    env = environment(tmp_path / "data", TESTS_LEASE_S="4")
    if request.param.startswith("redis"):
        env["CELERY_BROKER_URL"] = request.getfixturevalue("redis_url")
        env["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    return migrated(env)


def kill(worker: LiveProcess) -> None:
    for one in worker.family():
        one.kill()
    psutil.wait_procs([psutil.Process(worker.pid)] if psutil.pid_exists(worker.pid) else [], timeout=5)


def test_a_killed_worker_loses_nothing_and_pays_nothing_twice(env: dict[str, str], start: Start) -> None:
    with FakeLLM(latency=0.15, default="We add.\n\n\\boxed{5}") as fake:
        endpoints = Path(env["DATA_DIR"]) / "endpoints.toml"
        endpoints.write_text(
            f'[endpoints.fake]\nbase_url = "{fake.base_url}"\nmodel = "m"\nconcurrency = {CONCURRENCY}\n'
        )
        shell(SETUP, env)
        known: set[str] = set()
        for n in range(KILLS):
            worker = start([sys.executable, "-m", "tests.services.bell"], env=env)
            before = fake.n_requests
            wait_until(lambda: fake.n_requests > before + 50, 40, worker.output)  # noqa: B023
            kill(worker)
            _, _, _, _, _, stored = shell(LOOK, env)
            assert fake.n_requests - (n + 1) * CONCURRENCY <= len(stored)
            known |= set(stored)
            sent_before = fake.counts.copy()
        worker = start([sys.executable, "-m", "tests.services.bell"], env=env)
        wait_until(lambda: fake.counts.total() >= 3 * PROBLEMS, 60, worker.output)
        deadline = time.monotonic() + 30
        while (found := shell(LOOK, env))[0] != "complete" and time.monotonic() < deadline:
            time.sleep(0.5)
        state, n_done, n_failed, n_calls, n_solutions, stored = found
        assert (state, n_done, n_failed, n_solutions) == ("complete", PROBLEMS, 0, 3 * PROBLEMS), (
            worker.output()
        )
        assert n_calls == len(stored) == 3 * PROBLEMS
        again = {digest for digest, times in fake.counts.items() if times > sent_before[digest]}
        assert not again & known  # what was stored was not asked for again
        assert fake.n_requests - 3 * PROBLEMS <= KILLS * CONCURRENCY
