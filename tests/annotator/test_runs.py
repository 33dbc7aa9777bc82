"""Units are planned once, leased to one worker, stored once, and come back when a worker dies."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from annotator import errors, runs
from annotator.actions import runs as acts
from annotator.models import Call, Event, Project, Run, RunState, Unit, UnitState
from annotator.policies import Operator
from annotator.runs import NewUnit
from tests import factories as make

pytestmark = pytest.mark.django_db
BY = Operator()


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(runs.current_app, "send_task", lambda name, args, **_: sent.append((name, args)))
    return sent


@pytest.fixture
def project() -> Project:
    return make.project()


def started(project: Project, n: int = 3, **values: Any) -> Run:
    run = acts.start(
        by=BY, project=project, method="judge", params={}, task="synth.drive", drives="endpoint:x", **values
    )
    runs.plan(run, [NewUnit(f"solution:{i}") for i in range(n)], before=0, reached=None)
    run.refresh_from_db()
    return run


def call(unit: Unit, n: int = 0, **values: Any) -> Call:
    return Call(unit=unit, n=n, digest=f"{unit.pk}-{n}", reply="yes", **values)


def test_a_plan_is_made_once_and_in_parts(project: Project, rung: Any) -> None:
    run = acts.start(by=BY, project=project, method="judge", params={}, task="synth.drive")
    assert (run.drives, run.state) == (f"run:{run.pk}", RunState.PLANNING)
    runs.plan(run, [NewUnit("a"), NewUnit("b")], before=0, reached=7)
    with pytest.raises(errors.Conflict):
        runs.plan(run, [NewUnit("a")], before=0, reached=7)
    runs.plan(run, [NewUnit("c")], before=7, reached=None)
    run.refresh_from_db()
    assert (run.n_units, run.state, run.planned_to) == (3, RunState.RUNNING, None)


def test_two_workers_never_take_the_same_unit(project: Project, rung: Any) -> None:
    run = started(project)
    first, second = runs.take(run, "a", 2), runs.take(run, "b", 2)
    assert [u.key for u in first] == ["solution:0", "solution:1"]
    assert [u.key for u in second] == ["solution:2"]
    assert runs.take(run, "c", 2) == []


def test_a_unit_is_stored_once_and_only_by_who_holds_it(project: Project, rung: Any) -> None:
    run = started(project, 1)
    (unit,) = runs.take(run, "a", 1)
    with pytest.raises(runs.Lost):
        runs.done(unit, "b", outcome="stored")
    runs.done(unit, "a", outcome="stored", result="{}")
    with pytest.raises(runs.Lost):
        runs.done(unit, "a", outcome="stored")
    run.refresh_from_db()
    assert (run.n_done, run.n_left) == (1, 0)
    assert acts.complete(run)
    assert not acts.complete(run)
    run.refresh_from_db()
    assert run.state == RunState.COMPLETE
    assert Event.objects.filter(verb="complete_run").count() == 1


def test_a_failing_unit_waits_and_then_fails_without_stopping_the_run(project: Project, rung: Any) -> None:
    run = started(project, 2)
    now = timezone.now()
    for attempt in range(runs.MOST_ATTEMPTS):
        with time_machine.travel(now + timedelta(hours=attempt), tick=False):
            bad = next(u for u in runs.take(run, "a", 2) if u.key == "solution:0")
            assert runs.failed(bad, "a", error="boom", again=True) == (attempt == runs.MOST_ATTEMPTS - 1)
            assert "solution:0" not in {u.key for u in runs.take(run, "a", 2)}
    run.refresh_from_db()
    assert (run.n_failed, run.n_left) == (1, 1)
    assert not acts.complete(run)


def test_what_a_dead_worker_held_comes_back_and_is_rung_for(project: Project, rung: Any) -> None:
    run = started(project, 1)
    assert runs.hold("endpoint:x", "a")
    assert not runs.hold("endpoint:x", "b")
    (unit,) = runs.take(run, "a", 1)
    assert runs.reap() == []
    with time_machine.travel(timezone.now() + 2 * runs.HELD_FOR):
        assert runs.reap() == []  # the unit is back, but waits a little, as after any failure
        unit.refresh_from_db()
        assert (unit.state, unit.attempts) == (UnitState.WAITING, 1)
    with time_machine.travel(timezone.now() + 3 * runs.HELD_FOR):
        assert runs.reap() == ["endpoint:x"]
        assert rung == [("synth.drive", ["endpoint:x"])]
        assert runs.reap() == []  # a bell that nobody has answered yet is not rung again at once
        assert runs.hold("endpoint:x", "b")
        runs.let_go("endpoint:x", "b")
        assert runs.reap() == ["endpoint:x"]
        assert runs.hold("endpoint:x", "b")
        assert [u.pk for u in runs.take(run, "b", 1)] == [unit.pk]
    with pytest.raises(runs.Lost):
        runs.done(unit, "a", outcome="stored")


def test_a_renewed_lease_is_not_reaped(project: Project, rung: Any) -> None:
    run = started(project, 1)
    runs.take(run, "a", 1)
    later = timezone.now() + runs.HELD_FOR / 2
    with time_machine.travel(later):
        assert runs.renew(run, "a") == 1
    with time_machine.travel(later + runs.HELD_FOR / 2 + timedelta(seconds=1)):
        runs.reap()
    assert Unit.objects.get(run=run).state == UnitState.LEASED
    assert runs.give_back(run, "a") == 1
    assert Unit.objects.get(run=run).attempts == 0


def test_calls_count_once_and_a_spent_budget_pauses(project: Project, rung: Any) -> None:
    run = started(project, 2, budget=0.5)
    (unit,) = runs.take(run, "a", 1)
    runs.keep_calls(run, [call(unit, prompt_tokens=10, cost=0.2), call(unit, error="503")])
    runs.keep_calls(run, [call(unit, prompt_tokens=10, cost=0.2)])
    run.refresh_from_db()
    assert (run.n_calls, run.prompt_tokens, run.cost, run.state) == (2, 10, 0.2, RunState.RUNNING)
    runs.keep_calls(run, [call(unit, 1, cost=0.4, completion_tokens=3)])
    run.refresh_from_db()
    assert run.state == RunState.PAUSED
    assert "budget" in run.because
    assert runs.take(run, "a", 1) == []
    runs.done(unit, "a", outcome="stored")  # what is in flight is stored all the same
    for budget in (acts.KEEP, 0.55):
        with pytest.raises(errors.Invalid, match=r"0\.60"):
            acts.resume(by=BY, run=Run.objects.get(pk=run.pk), budget=budget)
    assert acts.resume(by=BY, run=Run.objects.get(pk=run.pk), budget=2.0).state == RunState.RUNNING


def test_a_cancelled_run_stores_nothing_more(project: Project, rung: Any) -> None:
    run = started(project, 1)
    (unit,) = runs.take(run, "a", 1)
    Run.objects.update(because="Resting until 12:00:00 UTC: HTTP 429")
    run.refresh_from_db()
    acts.cancel(by=BY, run=run)
    assert run.because == ""
    with pytest.raises(runs.Lost):
        runs.done(unit, "a", outcome="stored")
    with pytest.raises(errors.Conflict):
        acts.resume(by=BY, run=run)


def test_failed_units_are_tried_again_and_the_run_is_open_again(project: Project, rung: Any) -> None:
    run = started(project, 1)
    with pytest.raises(errors.Conflict):
        acts.retry_failed(by=BY, run=run)
    (unit,) = runs.take(run, "a", 1)
    assert runs.failed(unit, "a", error="400", again=False)
    assert acts.complete(run)
    assert acts.retry_failed(by=BY, run=run) == 1
    assert (run.state, run.n_failed) == (RunState.RUNNING, 0)
    assert len(runs.take(run, "a", 1)) == 1


def test_pausing_while_it_is_planned_goes_on_planning(project: Project, rung: Any) -> None:
    run = acts.start(by=BY, project=project, method="judge", params={}, task="synth.drive")
    acts.pause(by=BY, run=run)
    assert not runs.has_due(run.drives)
    assert acts.resume(by=BY, run=run).state == RunState.PLANNING
    assert runs.has_due(run.drives)
    assert [r.pk for r in runs.to_drive(run.drives)] == [run.pk]


def test_a_budget_may_be_taken_away_and_a_run_with_nothing_left_needs_none(
    project: Project, rung: Any
) -> None:
    run = started(project, 1, budget=0.5)
    (unit,) = runs.take(run, "a", 1)
    runs.keep_calls(run, [call(unit, cost=0.7)])
    run.refresh_from_db()
    assert acts.resume(by=BY, run=run, budget=None).budget is None
    Run.objects.filter(pk=run.pk).update(budget=0.5, state=RunState.PAUSED)
    runs.done(unit, "a", outcome="stored")
    run.refresh_from_db()
    assert acts.resume(by=BY, run=run).state == RunState.RUNNING
    assert acts.complete(run)


def test_a_reused_call_costs_nothing_and_counts_no_tokens(project: Project, rung: Any) -> None:
    run = started(project, 1)
    (unit,) = runs.take(run, "a", 1)
    runs.keep_calls(run, [call(unit, prompt_tokens=10, reused=True), call(unit, 1, prompt_tokens=7)])
    run.refresh_from_db()
    assert (run.n_calls, run.prompt_tokens) == (1, 7)


def test_a_lease_renewed_in_between_is_not_taken_back(project: Project, rung: Any) -> None:
    run = started(project, 1)
    (unit,) = runs.take(run, "a", 1)  # as it was read before the renewal
    with time_machine.travel(timezone.now() + 2 * runs.HELD_FOR):
        runs.renew(run, "a")
        runs._take_back(unit)
    assert Unit.objects.get(pk=unit.pk).attempts == 0


def test_trying_again_twice_counts_once(project: Project, rung: Any) -> None:
    run = started(project, 2)
    for unit in runs.take(run, "a", 2):
        runs.failed(unit, "a", error="400", again=False)
    assert acts.retry_failed(by=BY, run=Run.objects.get(pk=run.pk)) == 2
    with pytest.raises(errors.Conflict):
        acts.retry_failed(by=BY, run=run)
    run.refresh_from_db()
    assert (run.n_failed, run.n_left) == (0, 2)
