"""The pages of methods: choose, set, see what it would cost, start; and what stands behind a machine's word."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotator import queue
from annotator.core import methods
from annotator.models import (
    Assignment,
    AssignmentState,
    Event,
    Membership,
    Rater,
    RaterKind,
    Role,
    Run,
    Solution,
)
from annotator.policies import Operator
from synth import actions, work
from synth.machines import MACHINES
from synth.methods import prompts
from synth.methods.judge import JudgeHow
from tests import factories as make

pytestmark = pytest.mark.django_db
ONE = """[endpoints.fake]
base_url = "http://127.0.0.1:9/v1"
model = "m"
prompt_price = 2.0
completion_price = 4.0
currency = "EUR"
"""


@pytest.fixture
def lead() -> Membership:
    return make.member(make.project(), "lead", Role.LEAD)


@pytest.fixture
def client(lead: Membership) -> Client:
    client = Client()
    client.force_login(lead.user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def endpoint(tmp_path: Path, settings: Any) -> None:
    settings.ENDPOINTS_FILE = str(tmp_path / "endpoints.toml")
    Path(settings.ENDPOINTS_FILE).write_text(ONE)


@pytest.fixture
def no_endpoint(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path
    settings.ENDPOINTS_FILE = tmp_path / "endpoints.toml"


def get(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return response.content.decode()


def page_of(lead: Membership, method: str = "") -> str:
    return f"/p/{lead.project.slug}/machines/{method}{'/' * bool(method)}"


def filled(client: Client, path: str, **changed: Any) -> dict[str, Any]:
    """The form of a page as it stands there, as a browser would send it."""
    form = client.get(path).context["form"]
    found = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    first = {
        name: field.choices[0][0] for name, field in form.fields.items() if getattr(field, "choices", None)
    }
    data = {name: value if value is not None else first.get(name) for name, value in found.items()}
    return {
        name: value for name, value in (data | changed).items() if value is not None and value is not False
    }


def test_every_method_has_a_title_and_a_page(lead: Membership, client: Client, endpoint: None) -> None:
    assert set(MACHINES) == set(methods.TITLES) - {"score", "try"}
    page = get(client, page_of(lead))
    for method, machine in MACHINES.items():
        assert machine.title in page
        shown = get(client, page_of(lead, method))
        assert machine.title in shown
        for name in machine.how.model_fields if machine.how else ():
            assert f'name="{name}"' in shown
    assert "2, 4 EUR" in page
    assert client.get(page_of(lead, "nonsense")).status_code == 404


def test_without_an_endpoint_pages_say_what_to_do(
    lead: Membership, client: Client, no_endpoint: None
) -> None:
    assert "No endpoint is declared" in get(client, page_of(lead))
    page = get(client, page_of(lead, "judge"))
    assert "no endpoint is declared" in page
    assert "Say what it would cost" not in page
    assert "Say what it would cost" in get(client, page_of(lead, "rules"))
    assert client.post(page_of(lead, "judge"), {"do": "start"}).status_code == 400
    assert not Run.objects.exists()


def test_a_broken_endpoints_file_is_told_with_its_place(
    lead: Membership, client: Client, endpoint: None, settings: Any
) -> None:
    Path(settings.ENDPOINTS_FILE).write_text("[endpoints.fake]\nbase_url = 5\n")
    assert "endpoints.fake.base_url" in get(client, page_of(lead))


def test_an_estimate_is_shown_and_what_was_set_stays(
    lead: Membership, client: Client, endpoint: None
) -> None:
    make.injected_item(lead.project)
    path = page_of(lead, "judge")
    response = client.post(path, filled(client, path, temperature="0.25", budget="3", do="estimate"))
    assert response.status_code == 200
    page = response.content.decode()
    assert "What it would be" in page
    assert "calls at most" in page
    assert "EUR, about" in page
    assert 'value="0.25"' in page
    assert not Run.objects.exists()


def test_a_start_makes_the_run_and_leads_to_it(lead: Membership, client: Client, endpoint: None) -> None:
    make.injected_item(lead.project)
    path = page_of(lead, "judge")
    response = client.post(path, filled(client, path, temperature="", budget="3", name="strict", do="start"))
    run = Run.objects.get()
    assert response["Location"] == f"/p/{lead.project.slug}/runs/{run.pk}/"
    assert run.created_by == lead.user
    assert (run.params["endpoint"], run.params["model"], run.params["currency"]) == ("fake", "m", "EUR")
    assert (run.budget, str(run.rater), run.drives) == (3.0, "judge:strict", "endpoint:fake")
    assert run.params["how"]["temperature"] is None  # empty: not sent
    assert run.rater
    assert run.rater.spec["prompt_digest"] == prompts.digest(*JudgeHow.PROMPTS)
    assert Event.objects.filter(verb="start_run", actor=lead.user).count() == 1
    assert "judge:strict" in get(client, path)  # among the runs of it


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("temperature", "3", "less than or equal to 2"),
        ("temperature", "warm", "Enter a number"),
        ("max_tokens", "0", "greater than or equal to 1"),
        ("max_tokens", "", "valid integer"),
        ("limit", "0", "greater than or equal to 1"),
        ("budget", "-1", "greater than or equal to"),
        ("endpoint", "other", "not one of the available choices"),
        ("which", "nothing", "not one of the available choices"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_kept(
    lead: Membership, client: Client, endpoint: None, field: str, value: str, said: str
) -> None:
    path = page_of(lead, "judge")
    response = client.post(path, filled(client, path, name="kept as typed", do="start") | {field: value})
    assert response.status_code == 400
    page = response.content.decode()
    assert said in str(response.context["form"].errors[field])
    assert "kept as typed" in page
    folded = "<details open>" in page
    assert folded == (field in ("temperature", "max_tokens"))  # nobody looks for an error in what is folded
    assert not Run.objects.exists()


def test_consensus_without_raters_says_to_run_them_first(lead: Membership, client: Client) -> None:
    page = get(client, page_of(lead, "consensus"))
    assert "No judge has judged anything here yet" in page
    assert (
        client.post(page_of(lead, "consensus"), {"which": "all", "queue": "all", "do": "start"}).status_code
        == 400
    )


# --- Evidence ------------------------------------------------------------------------------------------


def rated(lead: Membership, method: str, rater_kind: str, result: dict[str, Any], **values: Any) -> None:
    """A unit of a run on the only item's solution, as a worker would have stored it."""
    solution = Solution.objects.get(items__project=lead.project)
    spec = {"model": "m", "prompt": f"{method}-1", "prompt_digest": "0123456789abcdef", "n": 4}
    rater = Rater.objects.create(kind=rater_kind, name="m", digest=method, spec=spec)
    run = make.run(lead.project, method, rater=rater)
    make.unit(run, solution=solution, result=json.dumps(result), **values)


def draw(verdict: str, answer: str | None) -> dict[str, Any]:
    return {"verdict": verdict, "answer": answer}


def test_evidence_shows_rollouts_analyses_votes_and_what_was_not_read(
    lead: Membership, client: Client
) -> None:
    item = make.plain_item(lead.project)
    draws = [draw("right", "29"), draw("wrong", "<i>30</i>"), draw("undecided", None)]
    first = {
        "position": 0,
        "k": 1,
        "drawn": 2,
        "planned": 4,
        "stopped": True,
        "holds_answer": False,
        "draws": draws,
    }
    rated(lead, "rollout", RaterKind.ROLLOUTS, {"first_error": 1, "prefixes": [first]}, outcome="error found")
    rated(
        lead,
        "judge",
        RaterKind.JUDGE,
        {"first_error": -1, "analyses": ["It <b>holds</b>."], "repaired": True},
    )
    rated(lead, "critic", RaterKind.CRITIC, {"first_error": 0, "votes": [[0, 2], [-1, 1]]})
    rated(lead, "consensus", RaterKind.CONSENSUS, {"judge": -1, "rollouts": 1}, outcome="apart")
    reason = {"code": "empty_step", "position": 1, "detail": "it has no text"}
    rated(
        lead,
        "inject",
        RaterKind.INJECTOR,
        {"reasons": [reason], "raw": "{<u>}"},
        kind="circular",
        outcome="rejected: x",
    )
    page = get(client, f"/p/{lead.project.slug}/items/{item.pk}/evidence/")
    for said in (
        "First error: step 2.", "1 of 2", "stopped, of 4", "&lt;i&gt;30&lt;/i&gt;", "no answer",
        "First error: none. It was asked once more to mend its reply.", "It &lt;b&gt;holds&lt;/b&gt;.",
        "First error: step 1. Votes: step 1 (2), none (1).", "The judge says: none. Rollouts say: step 2. Apart.",
        "Rejected: x (circular).", "(step 2): it has no text", "{&lt;u&gt;}", "prompt digest 0123456789ab",
    ):  # fmt: skip
        assert said in page, said


def test_reading_evidence_costs_the_slot(lead: Membership, client: Client) -> None:
    item = make.plain_item(lead.project)
    assert "No run has judged or made" in get(client, f"/p/{lead.project.slug}/items/{item.pk}/evidence/")
    assert Assignment.objects.get().state == AssignmentState.BARRED
    assert queue.claim(by=lead) is None


def test_what_rules_made_says_so(lead: Membership, client: Client) -> None:
    make.injected_item(lead.project)  # its original is right: something to put errors into
    run = actions.start(by=Operator(), project=lead.project, method="rules", given={}, inline=True)
    while work.work(run.drives):
        pass
    made = Solution.objects.filter(unit__run=run).first()
    assert made
    page = get(client, f"/p/{lead.project.slug}/items/{made.items.get().pk}/evidence/")
    assert "It made this solution from another one." in page
    assert "injector:rules" in page
