"""What a worker does between the rows and an endpoint: rest when asked to, store together, leave what is another's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotator import runs
from annotator.models import Annotation, Call, Lease, Project, Run, RunState, Solution, Unit
from annotator.policies import Operator
from synth import actions, work
from synth.calls import Ended, Failure
from synth.methods.judge import Judged
from synth.storage import RunStorage
from tests import factories as make
from tests.fakes import llm
from tests.fakes.llm import FakeLLM

pytestmark = pytest.mark.django_db(transaction=True)
FOUND = "<analysis_1>No.</analysis_1><conclusion>Incorrect</conclusion>"


@pytest.fixture
def fake(tmp_path: Path, settings: Any) -> Iterator[FakeLLM]:
    with FakeLLM(default=FOUND) as server:
        settings.ENDPOINTS_FILE = tmp_path / "endpoints.toml"
        text = f'[endpoints.fake]\nbase_url = "{server.base_url}"\nmodel = "m"\nconcurrency = 2\n'
        settings.ENDPOINTS_FILE.write_text(text)
        yield server


@pytest.fixture
def run(fake: FakeLLM) -> Run:
    """A judge's run over four solutions, planned."""
    project: Project = make.project()
    for n in range(4):
        make.solution(project, f"{n}?", ["We add.", "It is 5."])
    started = actions.start(
        by=Operator(), project=project, method="judge", given={"endpoint": "fake"}, inline=True
    )
    work._plan(started, "planner", float("inf"))
    return started


def test_an_endpoint_that_asks_for_an_hour_gets_it(run: Run, fake: FakeLLM) -> None:
    fake.default = llm.too_many(3600)
    assert not work.work(run.drives)
    assert set(Unit.objects.values_list("state", "attempts")) == {("waiting", 0)}
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    sent = fake.n_requests
    assert not work.work(run.drives)
    assert runs.reap() == []
    assert fake.n_requests == sent
    Lease.objects.update(until="2020-01-01T00:00Z")  # the hour is over
    fake.default = FOUND
    work.work(run.drives)
    run.refresh_from_db()
    assert (run.state, run.n_done, run.n_failed) == (RunState.COMPLETE, 4, 0)
    assert Call.objects.exclude(error="").count() == sent


def test_ends_are_stored_together_and_what_is_another_s_is_left(run: Run) -> None:
    storage = RunStorage(run.drives, "me")
    units = [job.unit for job in storage.take(4)]
    Unit.objects.filter(pk=units[1].pk).update(lease_owner="another")
    result = Judged("-.", 0, ("No.",), "raw")
    ends: list[Any] = [result, result, result, Failure("HTTP 400", raw="no")]
    storage.finish([Ended(unit, end) for unit, end in zip(units, ends, strict=True)])
    states = Unit.objects.order_by("pk").values_list("state", "outcome", "lease_owner")
    assert list(states) == [
        ("done", "error found", ""),
        ("leased", "", "another"),
        ("done", "error found", ""),
        ("failed", "", ""),
    ]
    run.refresh_from_db()
    assert (run.n_done, run.n_failed) == (2, 1)
    assert sorted(Annotation.objects.values_list("solution", flat=True)) == [
        units[0].solution_id,
        units[2].solution_id,
    ]


def test_where_one_end_cannot_be_stored_none_is_half_stored(run: Run) -> None:
    storage = RunStorage(run.drives, "me")
    units = [job.unit for job in storage.take(4)]
    good, bad = Judged("-.", 0, ("No.",), "raw"), Judged("-" * 7, 0, (), "raw")
    with pytest.raises(Exception, match=r"labels|length|CHECK|check"):
        storage.finish([Ended(units[0], good), Ended(units[1], bad)])
    assert not Annotation.objects.exists()
    assert set(Unit.objects.values_list("state", flat=True)) == {"leased"}
    assert Solution.objects.count() == 4
