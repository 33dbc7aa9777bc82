"""The pages of scoring: start it, try models on a pasted solution, see scores where an item is read."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotator.models import Annotation, Membership, Project, Role, Run, RunState
from scoring import actions, work
from scoring.forms import steps_of
from scoring.views.tried import bars_of
from tests import factories as make
from tests.scoring.installing import QWEN, REASON

pytestmark = pytest.mark.django_db
PASTED = {"problem": "What is $1+1$?", "solution": "We add.\r\n\r\nIt is 2.\r\n \r\n\r\nSo <b>2</b>."}
USUAL = {"model": f"{QWEN}:card", "device": "auto", "dtype": "auto", "token_budget": "16384"}


@pytest.fixture
def lead(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Membership:
    from annotator import runs

    monkeypatch.setattr(runs.current_app, "send_task", lambda *args, **_: None)
    project: Project = make.project()
    for n in range(3):
        make.plain_item(project, n)
    return make.member(project, "lead", Role.LEAD)


@pytest.fixture
def page(client: Client, lead: Membership) -> Client:
    client.force_login(lead.user)
    return client


def url(lead: Membership, name: str, *more: Any) -> str:
    return reverse(name, args=[lead.project.slug, *more])


def test_the_form_offers_what_lies_here_and_says_what_labels_mean(page: Client, lead: Membership) -> None:
    text = page.get(url(lead, "score")).content.decode()
    assert f'value="{QWEN}:card"' in text
    assert f'value="{REASON}:' in text
    assert "skywork-1.5b" not in text
    assert "3 solutions here can be scored" in text
    for name in (QWEN, REASON):
        params = {"model": name, "variant": ""}
        for _, tuned_on in actions.thresholds(params).values():
            assert tuned_on.split("'")[0].split('"')[0][:40] in text


def test_it_counts_then_starts_and_the_run_is_the_model_s(page: Client, lead: Membership) -> None:
    counted = page.post(url(lead, "score"), {**USUAL, "limit": "2", "do": "count"})
    assert "<b>2</b> <span>solutions to score" in counted.content.decode()
    assert not Run.objects.exists()
    started = page.post(url(lead, "score"), {**USUAL, "do": "start"})
    run = Run.objects.get()
    assert started["Location"] == url(lead, "run", run.pk)
    assert not work.work(run.drives)
    run.refresh_from_db()
    assert (run.state, run.task, run.params["folder"].endswith(QWEN)) == (
        RunState.COMPLETE, "scoring.drive", True,
    )  # fmt: skip
    shown = page.get(url(lead, "run", run.pk)).content.decode()
    assert "3 solutions" in shown
    assert QWEN in page.get(url(lead, "score")).content.decode()
    again = page.post(url(lead, "score"), {**USUAL, "do": "count"}).content.decode()
    assert "this very model has scored all there are" in again


def test_an_item_shows_a_model_s_labels_with_their_scores(page: Client, lead: Membership) -> None:
    call_command("score", lead.project.slug, model=QWEN, verbosity=0)
    row = Annotation.objects.select_related("solution").first()
    assert row is not None
    item = row.solution.items.get()
    text = page.get(url(lead, "item", item.pk)).content.decode()
    for score in row.scores or []:
        assert f'<small class="score" title="Its score">{score:.2f}</small>' in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"model": "skywork-1.5b:card"}, "not one of the available choices"),
        ({"model": f"{QWEN}:nonsense"}, "not one of the available choices"),
        ({"token_budget": "0"}, "greater than or equal to 1"), ({"limit": "-1"}, "greater than or equal to 1"),
        ({"device": "tpu"}, "not one of the available choices"), ({"name": "x" * 200}, "at most 150"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_at_its_field(
    page: Client, lead: Membership, given: dict[str, str], said: str
) -> None:
    answer = page.post(url(lead, "score"), {**USUAL, "do": "start", **given})
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Run.objects.exists()


def test_without_a_model_both_pages_say_what_to_do(
    page: Client, lead: Membership, settings: Any, tmp_path: Path
) -> None:
    settings.MODELS_DIR = tmp_path / "none"
    for name in ("score", "try-models"):
        assert "MODELS_DIR" in page.get(url(lead, name)).content.decode()
    assert page.post(url(lead, "score"), {**USUAL, "do": "start"}).status_code == 400


def test_a_broken_catalogue_of_the_operator_is_told(
    page: Client, lead: Membership, settings: Any, tmp_path: Path
) -> None:
    settings.MODELS_DIR = tmp_path
    (tmp_path / "catalogue.toml").write_text("[models]\n")
    for name in ("score", "try-models"):
        answer = page.get(url(lead, name))
        assert (answer.status_code, "catalogue.toml" in answer.content.decode()) == (200, True)


def test_models_side_by_side(page: Client, lead: Membership) -> None:
    models = [f"{QWEN}:card", f"{REASON}:card"]
    sent = page.post(url(lead, "try-models"), {**PASTED, "models": models})
    run = Run.objects.get()
    assert sent["Location"] == url(lead, "tried", run.pk)
    waiting = page.get(sent["Location"])
    assert 'hx-trigger="every 1s"' in waiting.content.decode()
    assert not work.work(run.drives)
    found = page.get(f"{sent['Location']}?format=json").json()
    assert (found["state"], found["steps"]) == ("complete", ["We add.", "It is 2.", "So <b>2</b>."])
    qwen, reason = found["models"]
    assert (set(qwen["channels"]), set(reason["channels"])) == ({"validity"}, {"validity", "redundancy"})
    last = page.get(sent["Location"], headers={"HX-Request": "true"})
    assert last["HX-Refresh"] == "true"
    text = last.content.decode()
    assert "every 1s" not in text
    for score in (*qwen["channels"]["validity"]["scores"], *reason["channels"]["redundancy"]["scores"]):
        assert f"<b>{score:.3f}</b>" in text
    assert "So &lt;b&gt;2&lt;/b&gt;." in text
    assert not Annotation.objects.exists()


def test_what_one_model_refuses_says_nothing_of_the_others(page: Client, lead: Membership) -> None:
    models = [f"{QWEN}:card", f"{REASON}:card"]
    page.post(
        url(lead, "try-models"), {"problem": "1?", "solution": "a <extra_0> mark\n\nso", "models": models}
    )
    run = Run.objects.get()
    work.work(run.drives)
    text = page.get(url(lead, "tried", run.pk)).content.decode()
    assert f"<b>{QWEN}, card:</b>" in text
    assert "(step 1)" in text
    assert '<th scope="col" class="rater">reasoneval-7b' in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"problem": " "}, "required"), ({"solution": " \n\n"}, "required"), ({"models": []}, "required"),
        ({"models": ["../../etc:x"]}, "not one of the available choices"),
        ({"solution": "a\n\n" * 300}, "At most 200 steps"),
    ],
)  # fmt: skip
def test_a_solution_that_cannot_be_tried_is_kept_in_the_form(
    page: Client, lead: Membership, given: dict[str, Any], said: str
) -> None:
    sent = {**PASTED, "models": [f"{QWEN}:card"], **given}
    answer = page.post(url(lead, "try-models"), sent)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Run.objects.exists()


def test_what_others_tried_is_of_their_project(client: Client, lead: Membership) -> None:
    run = actions.try_models(
        by=lead, project=lead.project, problem="1?", steps=["1."], models=[f"{QWEN}:card"]
    )
    other = make.member(make.project(), "other", Role.LEAD)
    client.force_login(other.user)
    assert client.get(url(other, "tried", run.pk)).status_code == 404


def test_steps_stand_apart_by_empty_lines() -> None:
    assert steps_of("one\nstill one\n\n\n \n  two\n") == ["one\nstill one", "  two"]
    assert steps_of("\r\none\r\rtwo") == ["one", "two"]
    assert steps_of(" \n") == []


def test_bars_begin_at_zero_wherever_scores_go() -> None:
    assert [tuple(bar) for bar in bars_of([0.25, 1.0], 0.5)] == [(0, 25, 50), (0, 100, 50)]
    below, above = bars_of([-1.0, 1.0], 0.0)
    assert (below, above) == ((0, 50, 50), (50, 50, 50))
