"""The pages of runs: the list, a run with what came of it and why, its units, its rater beside people."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from annotator import queue
from annotator.actions import review
from annotator.models import (
    Assignment,
    AssignmentState,
    Call,
    Decision,
    Item,
    Membership,
    Project,
    Rater,
    RaterKind,
    Role,
    Run,
    RunState,
    Solution,
    Unit,
    UnitState,
)
from annotator.views import run_figures
from annotator.views.run_units import listed
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


@pytest.fixture
def lead() -> Membership:
    return make.member(make.project(), "lead", Role.LEAD)


@pytest.fixture
def client(lead: Membership) -> Client:
    client = Client()
    client.force_login(lead.user, "django.contrib.auth.backends.ModelBackend")
    return client


def address(run: Run, rest: str = "") -> str:
    return f"/p/{run.project.slug}/runs/{run.pk}/{rest}"


def get(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.content.decode()


# --- The list ------------------------------------------------------------------------------------------


def test_an_empty_list_says_what_a_run_is(lead: Membership, client: Client) -> None:
    page = get(client, f"/p/{lead.project.slug}/runs/")
    assert "No runs yet" in page
    assert "hx-trigger" not in page


def test_the_list_follows_what_is_running_and_stops_when_nothing_is(lead: Membership, client: Client) -> None:
    run = make.run(lead.project, cost=1.5, params={"currency": "EUR"})
    make.unit(run)
    path = f"/p/{lead.project.slug}/runs/"
    page = get(client, path)
    assert 'hx-trigger="every 2s"' in page
    assert "htmx-2.min.js" in page  # without it nothing is followed
    assert "1.50 EUR" in page
    Run.objects.update(state=RunState.COMPLETE)
    page = get(client, path)
    assert "hx-trigger" not in page
    assert f"Judge {run.pk}</a>" in page


# --- One run -------------------------------------------------------------------------------------------


def injections(project: Project, **values: Any) -> Run:
    """Seven units: four stored, two rejected, one failed."""
    run = make.run(project, "inject", **values)
    solution = make.injected_item(project).solution
    for kind, outcome in (
        ("circular", "stored"), ("circular", "stored"), ("circular", "rejected: no_op"),
        ("deception", "stored"), ("deception", "rejected: empty_step"),
        ("deception", "stored"),
    ):  # fmt: skip
        make.unit(run, solution=solution, kind=kind, outcome=outcome)
    make.unit(
        run,
        solution=solution,
        kind="circular",
        state=UnitState.FAILED,
        error="the endpoint said 400",
        attempts=4,
    )
    return run


def test_yields_are_counted_by_kind_and_reasons_by_number(lead: Membership) -> None:
    found = run_figures.yields(run_figures.counts(injections(lead.project)), ())
    assert found.heads == [("stored", "ok", 4), ("rejected", "no", 2), ("failed", "no", 1)]
    said = {row.title: ({part.outcome: part.n for part in row.parts}, row.total) for row in found.rows}
    assert said == {
        "circular": ({"stored": 2, "rejected": 1, "failed": 1}, 4),
        "deceptive": ({"stored": 2, "rejected": 1, "failed": 0}, 3),
    }
    for row in found.rows:  # the parts of a bar fill it, and none lies over another
        assert sum(part.width for part in row.parts) == pytest.approx(100)
        assert [part.x for part in row.parts[1:]] == pytest.approx(
            [part.x + part.width for part in row.parts[:-1]]
        )
    assert {(one.title, one.outcome, one.n) for one in found.reasons} == {
        ("Nothing changed", "rejected", 1), ("Empty step", "rejected", 1),
    }  # fmt: skip


def test_a_run_shows_what_failed_first_and_any_outcome_when_asked(lead: Membership, client: Client) -> None:
    run = injections(lead.project)
    page = get(client, address(run))
    assert "the endpoint said 400" in page
    assert "Try the 1 failed again" in page
    assert page.count('class="scroll" tabindex="0" role="region" aria-label="Units"') == 1
    listed = get(client, address(run, "?outcome=rejected&kind=circular"))
    assert listed.count("rejected: Nothing changed</td>") == 1
    assert "rejected: Empty step</td>" not in listed
    assert get(client, address(run, "?outcome=stored")).count("<td>stored</td>") == 4
    assert get(client, address(run, "?outcome=all")).count("/units/") == 6
    assert "No unit ended so" in get(client, address(run, "?outcome=nonsense'&kind=%3Cb%3E"))


def test_a_unit_goes_by_what_it_is_about(lead: Membership, client: Client) -> None:
    run = injections(lead.project)
    assert str(Solution.objects.get(units__kind="deception", units__outcome="rejected: empty_step")) in get(
        client, address(run)
    )
    assert "over-confident" not in get(client, address(run))
    assert "deceptive" in get(client, address(run, "?outcome=all"))


def test_a_run_as_json(lead: Membership, client: Client) -> None:
    run = injections(lead.project, cost=0.25)
    found = json.loads(get(client, address(run, "?format=json")))
    assert (found["units"], found["done"], found["failed"], found["cost"]) == (7, 6, 1, 0.25)
    assert {"kind": "circular", "outcome": "failed", "n": 1} in found["outcomes"]


def test_polling_ends_with_the_run_and_then_shows_all_of_it(lead: Membership, client: Client) -> None:
    run = make.run(lead.project)
    make.unit(run)
    assert 'hx-trigger="every 2s"' in get(client, address(run))
    polled = client.get(address(run), headers={"HX-Request": "true"})
    assert "HX-Refresh" not in polled
    Run.objects.update(state=RunState.COMPLETE, finished_at=timezone.now())
    polled = client.get(address(run), headers={"HX-Request": "true"})
    assert polled["HX-Refresh"] == "true"
    assert 'hx-trigger="every 2s"' not in polled.content.decode()


def test_the_pace_is_that_of_late(lead: Membership) -> None:
    now = timezone.now()
    run = make.run(lead.project)
    for seconds in (0, 10, 20, 30):
        make.unit(run, finished_at=now - timedelta(seconds=seconds))
    make.unit(run, finished_at=now - timedelta(hours=3))  # before a pause
    make.unit(run, state=UnitState.WAITING, finished_at=None)
    found = run_figures.pace(run)
    assert found.per_minute == pytest.approx(6, abs=0.5)
    assert found.left == "10 s"
    run.state = RunState.PAUSED
    assert run_figures.pace(run) == (None, "–")


def post(client: Client, run: Run, **data: str) -> tuple[int, str]:
    response = client.post(address(run), data)
    return response.status_code, response.content.decode()


def test_a_run_is_paused_goes_on_with_another_budget_and_is_cancelled(
    lead: Membership, client: Client
) -> None:
    run = make.run(lead.project, budget=1.0, cost=1.0, n_units=1, params={"endpoint": "x"})
    assert post(client, run, do="pause")[0] == 302
    run.refresh_from_db()
    assert (run.state, run.because) == (RunState.PAUSED, "Paused by lead.")
    status, page = post(client, run, do="resume", budget="0.5")
    assert status == 400
    assert "It has cost 1.00 already" in page
    assert 'value="0.5"' in page  # what was typed
    assert post(client, run, do="resume", budget="a lot")[0] == 400
    assert post(client, run, do="resume", budget="2.5")[0] == 302
    run.refresh_from_db()
    assert (run.state, run.budget) == (RunState.RUNNING, 2.5)
    assert post(client, run, do="cancel")[0] == 302
    assert post(client, run, do="resume")[0] == 409
    assert post(client, run, do="retry")[0] == 409
    assert post(client, run, do="nothing")[0] == 400


def test_failed_units_are_tried_again(lead: Membership, client: Client) -> None:
    run = injections(lead.project, state=RunState.COMPLETE)
    assert post(client, run, do="retry")[0] == 302
    run.refresh_from_db()
    assert (run.state, run.n_failed, run.n_left) == (RunState.RUNNING, 0, 1)


# --- One unit ------------------------------------------------------------------------------------------


def test_a_unit_shows_its_calls_and_folds_what_is_long(lead: Membership, client: Client) -> None:
    run = make.run(lead.project)
    unit = make.unit(run, result=json.dumps({"reasons": ["no"], "raw": "as <b>it</b> came"}))
    Call.objects.create(unit=unit, n=0, digest="d", reply="y" * 50_000)
    Call.objects.create(unit=unit, n=1, digest="e", error="429 <script>", latency_ms=1234)
    page = get(client, address(run, f"units/{unit.pk}/"))
    assert "<summary>Its reply, 50,000 letters</summary>" in page
    assert page.count("y" * 20_000) == 1
    assert "y" * 20_001 not in page
    assert "429 &lt;script&gt;" in page
    assert "as &lt;b&gt;it&lt;/b&gt; came" in page


def test_looking_at_a_unit_costs_the_slot_on_its_items(lead: Membership, client: Client) -> None:
    item = make.injected_item(lead.project)
    run = make.run(lead.project)
    unit = make.unit(run, solution=item.solution)
    get(client, address(run))  # the run's page shows nobody's labels
    assert not Assignment.objects.exists()
    get(client, address(run, f"units/{unit.pk}/"))
    assert Assignment.objects.get().state == AssignmentState.BARRED
    assert queue.claim(by=lead) is None


def test_a_unit_of_another_run_is_not_there(lead: Membership, client: Client) -> None:
    run, other = make.run(lead.project), make.run(lead.project)
    assert client.get(address(run, f"units/{make.unit(other).pk}/")).status_code == 404


# --- Its rater beside people ---------------------------------------------------------------------------


def test_the_rater_beside_people_once_they_have_reviewed(lead: Membership, client: Client) -> None:
    project = lead.project
    item = make.injected_item(project)
    rater, older = (
        Rater.objects.create(kind=RaterKind.JUDGE, name="m", digest=digest, spec={})
        for digest in ("new", "old")
    )
    for who in (rater, older):  # of one name: another prompt
        make.machine_labels(item.solution, who, "+" * item.solution.n_steps)
    run = make.run(project, rater=rater)
    make.unit(run, solution=item.solution)
    path = address(run, "agreement/")
    assert "Nobody has reviewed yet" in get(client, path)
    reviewed(make.member(project, "alice"), "-" + "+" * (item.solution.n_steps - 1))
    page = get(client, path)
    assert "κ, step by step" in page
    found = json.loads(get(client, path + "?format=json"))["people"]
    n = item.solution.n_steps
    assert found["rater_id"] == rater.pk
    assert found["percent"]["value"] == pytest.approx((n - 1) / n)
    assert found["first_error"]["value"] == 0


def reviewed(me: Membership, labels: str) -> None:
    held = queue.claim(by=me)
    assert held
    data = {"labels": labels, "error_types": {"0": ["circular"]}}
    review.commit(by=me, assignment_id=held.pk, data=data)
    review.submit(
        by=me, assignment_id=held.pk,
        data={**data, "verdict": {"claim": "reject", "original": "right", "kind": "circular"}},
    )  # fmt: skip


def test_a_run_that_labelled_nothing_has_nothing_to_compare(lead: Membership, client: Client) -> None:
    assert "labelled nothing" in get(client, address(make.run(lead.project, "sample"), "agreement/"))


# --- Its items -----------------------------------------------------------------------------------------


def test_the_items_of_a_run_are_those_it_made_and_those_it_judged(lead: Membership, client: Client) -> None:
    made, judged, neither = (make.injected_item(lead.project, n) for n in range(3))
    run = make.run(lead.project)
    unit = make.unit(run, solution=judged.solution)
    type(made.solution).objects.filter(pk=made.solution_id).update(unit=unit)
    page = get(client, f"/p/{lead.project.slug}/items/?run={run.pk}")
    assert [f'value="{item.pk}" aria-label="Item' in page for item in (made, judged, neither)] == [
        True,
        True,
        False,
    ]
    elsewhere = make.run(make.project())
    assert "No item passes" in get(client, f"/p/{lead.project.slug}/items/?run={elsewhere.pk}")
    assert client.get(f"/p/{lead.project.slug}/items/?run=x").status_code == 400


def test_a_verdict_on_what_is_under_review_is_not_listed() -> None:
    """It would tell whoever is still to review it; the item's page tells it, and costs the slot."""
    project = make.project()
    item = make.plain_item(project)
    run = Run.objects.create(
        project=project, method="judge", task="synth.drive", drives="endpoint:x", state="running"
    )
    unit = Unit.objects.create(
        run=run, key="a", solution=item.solution, state=UnitState.DONE, outcome="error found"
    )
    assert [one.outcome for one in listed([unit], project)] == ["under review"]
    Item.objects.filter(pk=item.pk).update(decision=Decision.AGREED)
    assert [one.outcome for one in listed([unit], project)] == ["error found"]
