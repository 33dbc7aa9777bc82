"""What a worker does between the rows and an endpoint: rest when asked to, store together, leave what is another's."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotator import runs
from annotator.actions import machine_rows
from annotator.models import Annotation, Call, Lease, Problem, Project, Run, RunState, Solution, Unit
from annotator.policies import Operator
from synth import actions, work
from synth.calls import Ended, Failure
from synth.machines import MACHINES
from synth.methods import prompts
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
    runs.let_go(started.drives, "planner")
    return started


def test_an_endpoint_that_asks_for_an_hour_gets_it(run: Run, fake: FakeLLM) -> None:
    fake.default = llm.too_many(3600)
    assert not work.work(run.drives)
    assert set(Unit.objects.values_list("state", "attempts")) == {("waiting", 0)}
    run.refresh_from_db()
    assert run.state == RunState.RUNNING
    assert run.because.startswith("Resting until ")
    assert "429" in run.because
    sent = fake.n_requests
    assert sent
    assert not work.work(run.drives)
    assert runs.reap() == []
    assert fake.n_requests == sent
    Lease.objects.update(until="2020-01-01T00:00Z")  # the hour is over
    fake.default = FOUND
    work.work(run.drives)
    run.refresh_from_db()
    assert (run.state, run.n_done, run.n_failed, run.because) == (RunState.COMPLETE, 4, 0, "")
    assert run.n_calls == 4 + Call.objects.exclude(error="").count()


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


def test_an_answer_serves_only_the_project_that_paid_for_it(run: Run, fake: FakeLLM) -> None:
    work.work(run.drives)
    call = Call.objects.earliest("pk")
    mine, other = (run.project_id, call.digest), (make.project().pk, call.digest)
    found = RunStorage(run.drives, "me").recall([mine, other])
    assert {one: stored.text for one, stored in found.items()} == {mine: FOUND}
    Call.objects.update(reply="")  # its problem was taken down
    assert not RunStorage(run.drives, "me").recall([mine])


@pytest.mark.parametrize("is_parent", [False, True])
def test_nothing_is_asked_about_a_text_that_was_taken_down(run: Run, fake: FakeLLM, is_parent: bool) -> None:
    unit = Unit.objects.earliest("pk")
    emptied = unit.problem
    assert emptied
    if is_parent:
        above = Problem.objects.create(project=run.project, group="g", text="", key="above")
        Problem.objects.filter(key=emptied.key).update(parent=above)
        emptied = above
    Problem.objects.filter(key=emptied.key).update(taken_down_at="2026-01-01T00:00Z")
    while work.work(run.drives):
        pass
    run.refresh_from_db()
    assert (run.state, run.n_done, run.n_failed) == (RunState.COMPLETE, 3, 1)
    unit.refresh_from_db()
    assert (unit.state, unit.error, unit.calls.count()) == ("failed", "Its problem was taken down.", 0)


def test_nothing_is_kept_of_a_text_that_was_taken_down_while_it_was_asked_about(run: Run) -> None:
    storage = RunStorage(run.drives, "me")
    unit = storage.take(1)[0].unit
    Call.objects.create(unit=unit, n=0, digest="d", reply="It says: We add.")
    Problem.objects.filter(pk=unit.problem_id).update(taken_down_at="2026-01-01T00:00Z")
    storage.finish([Ended(unit, Judged("-.", 0, ("We add.",), "raw"))])
    unit.refresh_from_db()
    assert (unit.state, unit.result) == ("failed", "")
    assert not Annotation.objects.exists()
    assert Call.objects.get(unit=unit).reply == ""


@pytest.mark.parametrize("change", ['model = "another"', 'extra = {reasoning_effort = "high"}'])
def test_a_run_does_not_go_on_with_another_endpoint_of_the_same_name(
    run: Run, fake: FakeLLM, settings: Any, change: str
) -> None:
    declared = settings.ENDPOINTS_FILE.read_text()
    settings.ENDPOINTS_FILE.write_text(
        declared.replace('model = "m"', change if "model" in change else f'model = "m"\n{change}')
    )
    assert not work.work(run.drives)
    run.refresh_from_db()
    assert (run.state, fake.n_requests) == (RunState.PAUSED, 0)
    assert "The endpoint fake is not as it was when this run began" in run.because
    settings.ENDPOINTS_FILE.write_text(declared)
    Run.objects.update(state=RunState.RUNNING)
    work.work(run.drives)
    run.refresh_from_db()
    assert (run.state, run.n_done) == (RunState.COMPLETE, 4)


def test_a_run_does_not_go_on_with_another_prompt(
    run: Run, fake: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "digest", lambda *names: "another")
    assert not work.work(run.drives)
    run.refresh_from_db()
    assert (run.state, fake.n_requests) == (RunState.PAUSED, 0)
    assert run.because == "The prompt has changed since this run began: start another."


def test_what_cannot_be_planned_pauses_and_lets_the_others_go_on(run: Run) -> None:
    bad = actions.start(
        by=Operator(), project=run.project, method="judge", given={"endpoint": "fake"}, inline=True
    )
    Run.objects.filter(pk=bad.pk).update(params={})
    while work.work(run.drives):
        pass
    run.refresh_from_db()
    bad.refresh_from_db()
    assert (run.state, bad.state) == (RunState.COMPLETE, RunState.PAUSED)
    assert bad.because == "It cannot be planned: KeyError: 'which'"


# --- Methods that ask nobody ------------------------------------------------------------------------------


@pytest.fixture
def alone() -> Run:
    """A consensus run over six solutions that two raters have judged, planned."""
    project = make.project()
    raters = [machine_rows.rater_of(kind, "r", {}) for kind in ("judge", "rollouts")]
    for n in range(6):
        solution = make.solution(project, f"{n}?", ["We add.", "It is 5."])
        for rater in raters:
            make.machine_labels(solution, rater, "++")
    given = {"judge": raters[0].pk, "rollouts": raters[1].pk}
    return actions.start(by=Operator(), project=project, method="consensus", given=given, inline=True)


def test_one_end_that_cannot_be_stored_fails_alone(alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    third = Solution.objects.order_by("pk")[2]
    queue_up = machine_rows.queue_up

    def fails(solution: Solution, *args: Any, **kwargs: Any) -> Any:
        return 1 / 0 if solution == third else queue_up(solution, *args, **kwargs)

    monkeypatch.setattr(machine_rows, "queue_up", fails)
    while work.work(alone.drives):
        pass
    alone.refresh_from_db()
    assert (alone.state, alone.n_done, alone.n_failed) == (RunState.COMPLETE, 5, 1)
    error = Unit.objects.get(solution=third).error
    assert error == "Its result could not be stored: ZeroDivisionError: division by zero"


def test_what_is_not_stored_is_given_back(alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(RunStorage, "finish", broken)
    with pytest.raises(RuntimeError, match="disk is full"):
        work.work(alone.drives)
    assert set(Unit.objects.values_list("state", "attempts", "lease_owner")) == {("waiting", 0, "")}
    assert Lease.objects.get(name=alone.drives).owner == ""


def test_who_works_alone_holds_on_to_what_it_drives(alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """And stops where another has taken over."""
    monkeypatch.setattr(work, "ALONE_AT_ONCE", 2)
    beat = RunStorage.beat

    def taken_over(storage: RunStorage, units: Any) -> bool:
        Lease.objects.update(owner="another", until="2100-01-01T00:00Z")
        return beat(storage, units)

    monkeypatch.setattr(RunStorage, "beat", taken_over)
    work.work(alone.drives)
    assert Unit.objects.filter(state="done").count() == 2


# --- Planning ---------------------------------------------------------------------------------------------


def test_planning_comes_up_for_air_where_nothing_is_new(alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that how far it looked is stored, and the lease held."""
    monkeypatch.setattr(work, "LOOKED_AT_ONCE", 4)
    monkeypatch.setattr(work, "PLANNED_AT_ONCE", 100)
    monkeypatch.setitem(MACHINES, "consensus", MACHINES["consensus"]._replace(plan=nothing_new))
    fourth = Solution.objects.order_by("pk")[3]
    assert work._batch(alone, 0) == ([], fourth.pk)
    assert work._batch(alone, fourth.pk) == ([], None)


def nothing_new(run: Run, after: int) -> Iterator[Any]:
    for pk in Solution.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True):
        yield pk, []


def test_a_worker_without_the_libraries_pauses_and_says_what_to_install(
    run: Run, fake: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aiolimiter", None)
    assert not work.work(run.drives)
    run.refresh_from_db()
    assert run.state == RunState.PAUSED
    assert "aiolimiter" in run.because
    assert "requirements.txt" in run.because
    assert fake.n_requests == 0
