"""Machine runs through the API: the same acts as the pages', the same refusals."""

from typing import Any

import pytest

from annotator.models import Event, Membership, Rater, Role, Run, RunState, UnitState
from synth import work
from tests import factories as make
from tests.api.conftest import Call

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Membership:
    me = make.member(make.project(), "lead", Role.LEAD)
    make.injected_item(me.project)
    return me


@pytest.fixture
def run(lead: Membership) -> Run:
    return make.run(lead.project, "judge", params={"model": "m"}, budget=2.0)


def test_a_method_is_started_watched_and_done(lead: Membership, call: Call) -> None:
    started = call(lead, "POST", "runs", {"method": "rules", "settings": {"kinds": ["deception"], "seed": 3}})
    assert started.status_code == 202, started.content
    assert (started.json()["state"], started.json()["params"]["seed"]) == ("planning", 3)
    row = Run.objects.get(pk=started.json()["id"])
    assert Event.objects.get(project=lead.project, verb="start_run").actor == lead.user
    while work.work(row.drives):
        pass
    seen = call(lead, "GET", f"runs/{row.pk}").json()
    assert (seen["state"], seen["n_units"], seen["n_done"]) == ("complete", 1, 1)
    assert [(one["kind"], one["n"]) for one in seen["outcomes"]] == [("deception", 1)]
    assert seen["rater"].startswith("injector:")


def test_runs_come_newest_first_by_page(
    lead: Membership, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.views.runs.PAGE", 2)
    ids = [make.run(lead.project, rater=Rater.objects.create(kind="judge", name=str(n))).pk for n in range(3)]
    make.run(make.project())
    first = call(lead, "GET", "runs").json()
    assert ([one["id"] for one in first["runs"]], first["next_before"]) == ([ids[2], ids[1]], ids[1])
    last = call(lead, "GET", f"runs?before={ids[1]}").json()
    assert ([one["id"] for one in last["runs"]], last["next_before"]) == ([ids[0]], None)


def test_a_run_is_paused_goes_on_and_is_cancelled(lead: Membership, call: Call, run: Run) -> None:
    assert call(lead, "POST", f"runs/{run.pk}/pause").json()["state"] == "paused"
    assert call(lead, "POST", f"runs/{run.pk}/pause").status_code == 409
    Run.objects.filter(pk=run.pk).update(cost=2.5, n_units=1)
    refused = call(lead, "POST", f"runs/{run.pk}/resume", {})
    assert (refused.status_code, refused.json()["field"]) == (400, "budget")
    resumed = call(lead, "POST", f"runs/{run.pk}/resume", {"budget": 5}).json()
    assert (resumed["state"], resumed["budget"]) == ("running", 5.0)
    call(lead, "POST", f"runs/{run.pk}/pause")
    assert call(lead, "POST", f"runs/{run.pk}/resume", {"budget": None}).json()["budget"] is None
    assert call(lead, "POST", f"runs/{run.pk}/cancel").json()["state"] == "cancelled"
    assert call(lead, "POST", f"runs/{run.pk}/cancel").status_code == 409


def test_failed_units_are_tried_again(lead: Membership, call: Call, run: Run) -> None:
    assert call(lead, "POST", f"runs/{run.pk}/retry").status_code == 409
    make.unit(run, state=UnitState.FAILED, error="no")
    Run.objects.filter(pk=run.pk).update(state=RunState.COMPLETE)
    again = call(lead, "POST", f"runs/{run.pk}/retry").json()
    assert (again["state"], again["n_failed"]) == ("running", 0)


BAD = [
    ({"method": "rules", "settings": {"kinds": ["nonsense"]}}, "kinds"),
    ({"method": "rules", "settings": {"kinds": 5}}, "kinds"),
    ({"method": "rules", "settings": {"kinds": [5]}}, "kinds"),
    ({"method": "rules", "settings": {"seed": "9" * 5000}}, "seed"),
    ({"method": "rules", "settings": {"which": ["all"]}}, "which"),
    ({"method": "rules", "settings": {"limit": "3"}}, "limit"),
    ({"method": "rules", "settings": {"colour": "red"}}, "colour"),
    ({"method": "rules", "settings": {"kinds": [{"a": 1}]}}, "kinds"),
    ({"method": "rules", "settings": []}, "settings"),
    ({"method": "rules", "params": {}}, "params"),
    ({"method": "rules", "budget": "much"}, "budget"),
    ({"method": "rules", "budget": -1}, "budget"),
    ({"method": 5}, "method"),
    ({"method": "judge", "settings": {"endpoint": "nowhere"}}, "endpoint"),
    ({"method": "judge", "settings": {"temperature": "hot"}}, "temperature"),
    ({"method": "consensus", "settings": {"judge": "9" * 30}}, "judge"),
    ({"method": "consensus", "settings": {"judge": ["x"]}}, "judge"),
    ({"method": "consensus", "settings": {"judge": "judge:\0"}}, "judge"),
    ({"method": "rules", "settings": {"name": "\ud800"}}, "name"),
    ({"method": "rules", "settings": {"limit": True}}, "limit"),
    ({"method": "score", "settings": {}}, "model"),
    ({"method": "score", "settings": {"model": 5}}, "model"),
    ({"method": "score", "settings": {"model": "m", "server": "http://127.0.0.1"}}, "server"),
    ({"method": "score", "settings": {"model": "/etc"}}, "model"),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_a_bad_start_names_its_field_and_changes_nothing(
    lead: Membership, call: Call, body: dict[str, Any], field: str
) -> None:
    refused = call(lead, "POST", "runs", body)
    assert refused.status_code == 400, refused.content
    assert refused.json()["field"] == field
    assert not Run.objects.exists()


def test_a_method_that_is_not_there(lead: Membership, call: Call) -> None:
    assert call(lead, "POST", "runs", {"method": "magic"}).status_code == 404


@pytest.mark.parametrize("path", ["runs?before=x", "runs?before=" + "9" * 30, "runs?state=done"])
def test_a_foreign_parameter_is_refused(lead: Membership, call: Call, path: str) -> None:
    assert call(lead, "GET", path).status_code == 400


def test_other_projects_and_reviewers_see_none(lead: Membership, call: Call, run: Run) -> None:
    other = make.member(make.project(), "other", Role.LEAD)
    reviewer = make.member(lead.project, "reviewer")
    for path, method in ((f"runs/{run.pk}", "GET"), (f"runs/{run.pk}/pause", "POST")):
        assert call(other, method, path).status_code == 404
        assert call(reviewer, method, path).status_code == 403
    assert call(reviewer, "GET", "runs").status_code == 403
