"""Which run a command goes on with, what a rater is made of, and what an estimate leaves out."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotator.actions import machine_rows
from annotator.models import Injection, Project, Rater, Run, RunState, Solution
from annotator.policies import Operator
from synth import actions, work
from synth.endpoints import Endpoint
from synth.machines import MACHINES
from synth.machines.machine import expected, spec_of
from synth.methods import prompts
from tests import factories as make

pytestmark = pytest.mark.django_db
BY = Operator()
NOWHERE = '[endpoints.fake]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'


@pytest.fixture(autouse=True)
def declared(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "endpoints.toml"
    path.write_text(NOWHERE)
    settings.ENDPOINTS_FILE = path
    return path


@pytest.fixture
def project() -> Project:
    """Four solutions of known answers; the labels that they came with say that they are right."""
    project = make.project()
    source = machine_rows.rater_of("source", "s", {})
    for n in range(4):
        solution = make.solution(project, f"{n}?", ["We add.", "It is 5."], answer="5")
        make.machine_labels(solution, source, "++")
    return project


def begun(project: Project, method: str = "judge", **given: Any) -> Run:
    return actions.start_or_go_on(by=BY, project=project, method=method, given={"endpoint": "fake", **given})


@pytest.mark.parametrize("method", ["judge", "sample"])
def test_a_command_goes_on_with_the_same_and_with_nothing_else(
    project: Project, declared: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    first = begun(project, method)
    assert begun(project, method) == first
    declared.write_text(NOWHERE.replace(":9/", ":10/"))
    elsewhere = begun(project, method)
    assert elsewhere != first
    declared.write_text(NOWHERE)
    monkeypatch.setattr(prompts, "digest", lambda *names: "another")
    assert begun(project, method) not in (first, elsewhere)
    assert Run.objects.count() == 3


def test_another_name_of_the_rater_is_another_run(project: Project) -> None:
    first, named = begun(project), begun(project, name="strict")
    assert first != named
    assert (begun(project), begun(project, name="strict")) == (first, named)
    assert [str(run.rater) for run in (first, named)] == ["judge:m", "judge:strict"]


def test_a_rater_is_of_its_endpoint_and_does_not_tell_where_that_is(project: Project, declared: Path) -> None:
    rater = begun(project).rater
    assert rater
    identity = Endpoint(name="fake", base_url="http://127.0.0.1:9/v1", model="m").identity_digest()
    assert rater.spec["endpoint"] == identity
    assert "127.0.0.1" not in str(rater.spec)
    declared.write_text(
        f"{NOWHERE}timeout = 7.0\nconcurrency = 3\n"
    )  # how fast it is asked changes no word of it
    assert begun(project).rater == rater
    declared.write_text(f'{NOWHERE}extra = {{reasoning_effort = "high"}}\n')
    assert begun(project).rater != rater


@pytest.mark.parametrize(("method", "left_out"), [("judge", 0), ("rollout", 1)])
def test_an_estimate_leaves_out_what_this_rater_has_judged(
    project: Project, method: str, left_out: int
) -> None:
    make.solution(project, "nobody knows", ["We add."])
    every = Solution.objects.count()
    run = begun(project, method)
    assert run.rater
    for solution in Solution.objects.order_by("pk")[:3]:
        make.machine_labels(solution, run.rater, "++")
    found = actions.estimate(by=BY, project=project, method=method, given={"endpoint": "fake"})
    assert (found.n_units, found.expected.n_left_out) == (every - 3 - left_out, 3 + left_out)
    assert found.expected.why_left_out.endswith("that it has judged before")
    other = actions.estimate(
        by=BY, project=project, method=method, given={"endpoint": "fake", "name": "other"}
    )
    assert other.n_units == every - left_out
    assert not Rater.objects.filter(name="other").exists()


def injections(rater: Rater, kind: str, n: int) -> None:
    for parent in Solution.objects.filter(parent=None).order_by("pk")[:n]:
        child = make.solution(parent.project, f"{parent.pk} {kind}", ["We add.", "It is 6."], parent)
        Injection.objects.create(child=child, parent=parent, rater=rater, error_type=kind, alignment=[])


@pytest.mark.parametrize(("method", "kind"), [("inject", "circular"), ("alternatives", "multi_solutions")])
def test_an_estimate_leaves_out_what_this_rater_has_made(project: Project, method: str, kind: str) -> None:
    run = begun(project, method)
    assert run.rater
    n_kinds = len(run.params.get("kinds", [kind]))
    injections(run.rater, kind, 3)
    found = actions.estimate(by=BY, project=project, method=method, given={"endpoint": "fake"})
    assert found.n_units == 4 * n_kinds - 3
    assert found.expected.why_left_out.endswith("that it has made before")
    work._plan(run, "me", float("inf"))
    run.refresh_from_db()
    assert (run.state, run.n_units) == (RunState.RUNNING, found.n_units)


def test_where_what_is_new_lies_far_back_the_first_say_how_long_requests_are(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(project, "alternatives")
    assert run.rater
    injections(run.rater, "multi_solutions", 3)
    monkeypatch.setattr(actions, "LOOKED_THROUGH", 2)
    found = actions.estimate(by=BY, project=project, method="alternatives", given={"endpoint": "fake"})
    assert found.n_units == 1
    assert found.calls
    assert found.prompt_tokens


@pytest.mark.parametrize("method", ["rules", "alternatives"])
def test_planning_asks_once_what_was_made_of_many_solutions(project: Project, method: str) -> None:
    run = begun(project, method)
    with CaptureQueriesContext(connection) as few:
        units = [unit for _, units in MACHINES[method].plan(run, 0) for unit in units]
    assert units
    source = Rater.objects.get(kind="source")
    for n in range(20):
        make.machine_labels(make.solution(project, f"more {n}", ["We add.", "It is 5."]), source, "++")
    with CaptureQueriesContext(connection) as many:
        more = [unit for _, units in MACHINES[method].plan(run, 0) for unit in units]
    assert len(more) == 6 * len(units)
    assert len(many) == len(few)


def test_reasons_for_leaving_out_tell_their_numbers_where_there_are_several() -> None:
    assert expected(3, (0, "old"), (2, "without an answer")) == (3, 2, "without an answer")
    assert expected(3, (4, "old"), (2, "without an answer")) == (3, 6, "4 old, 2 without an answer")
    assert expected(3, (0, "old")) == (3, 0, "")


def test_the_spec_of_a_method_that_asks_nobody_names_no_endpoint() -> None:
    assert "endpoint" not in spec_of(MACHINES["rules"], {"which": "labelled", "limit": None})
