"""The commands of methods: their options, estimates, summaries, refusals, and going on where another run stopped."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.core.management.base import CommandParser

from annotator.models import Call, Injection, Item, Problem, Project, Run, RunState, Solution, Unit
from synth.machines import MACHINES
from tests import factories as make
from tests.fakes.llm import FakeLLM, error
from tests.fakes.raters import play

pytestmark = pytest.mark.django_db(transaction=True)
COMMANDS = {method: "run_rules" if method == "rules" else method for method in MACHINES}


def say(name: str, *args: str, **options: Any) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out, **options)
    return out.getvalue()


def summary(name: str, *args: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(say(name, *args, "--json"))
    return found


@pytest.fixture
def project() -> Project:
    project = make.project()
    for n in range(3):
        Problem.objects.create(
            project=project, group=f"g{n}", text=f"What is ${n} + 3$?", answer=str(n + 3), key=f"k{n}"
        )
    return project


@pytest.fixture
def endpoint(tmp_path: Path, settings: Any, fake: FakeLLM) -> FakeLLM:
    settings.ENDPOINTS_FILE = str(tmp_path / "endpoints.toml")
    Path(settings.ENDPOINTS_FILE).write_text(
        f'[endpoints.sums]\nbase_url = "{fake.base_url}"\nmodel = "m"\nconcurrency = 2\nprompt_price = 1000.0\n'
    )
    return fake


@pytest.fixture
def fake() -> Any:
    with FakeLLM() as server:
        play(server)
        yield server


@pytest.mark.parametrize("method", sorted(MACHINES))
def test_every_setting_is_an_option_with_its_help(method: str) -> None:
    parser = CommandParser()
    load_command_class("synth", COMMANDS[method]).add_arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings}
    machine = MACHINES[method]
    settings = machine.how.model_fields if machine.how else {}
    assert {f"--{name.replace('_', '-')}" for name in (*settings, *machine.more)} <= options
    assert {"--limit", "--budget", "--estimate", "--json"} <= options
    assert ("--endpoint" in options) == machine.needs_endpoint
    assert ("--which" in options) == bool(machine.choices)
    said = parser.format_help()  # a stray % in a text would raise
    for field in settings.values():
        assert field.title
        assert field.description or field.title in said


def test_one_endpoint_need_not_be_named(project: Project, endpoint: FakeLLM) -> None:
    found = summary("sample", project.slug, "--n", "2")
    assert (found["state"], found["units"], found["done"], found["failed"]) == ("complete", 3, 3, 0)
    assert (found["calls"], found["outcomes"]) == (6, {"stored": 3})
    assert found["cost"] == pytest.approx(6 * 10 * 1000 / 1e6)


def test_an_estimate_says_what_it_would_be_and_does_nothing(project: Project, endpoint: FakeLLM) -> None:
    said = say("sample", project.slug, "--n", "4", "--limit", "2", "--estimate")
    assert said.startswith("2 units, at most 8 calls; about ")
    assert "a guess: nothing of it was run yet" in said
    assert "USD" in said
    assert "It asks no model and costs nothing." in say("run_rules", project.slug, "--estimate")
    assert (Run.objects.count(), endpoint.n_requests) == (0, 0)


def test_settings_reach_the_requests_and_none_leaves_one_out(project: Project, endpoint: FakeLLM) -> None:
    say(
        "sample",
        project.slug,
        "--n",
        "1",
        "--temperature",
        "none",
        "--top-p",
        "0.5",
        "--seed",
        "4",
        "--limit",
        "1",
    )
    (request,) = endpoint.requests
    assert "temperature" not in request.body
    assert (request.body["top_p"], request.body["seed"], request.body["model"]) == (0.5, 4, "m")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("sample", "{slug}", "--temperature", "3"), "less than or equal to 2"),
        (("sample", "{slug}", "--limit", "0"), "whole number from 1"),
        (("sample", "{slug}", "--budget", "0"), "amount above 0"),
        (("sample", "{slug}", "--endpoint", "other"), "There is no endpoint “other”; there are: sums."),
        (("sample", "nowhere"), "nowhere"),
        (("inject", "{slug}", "--kinds", "circular,round"), "round"),
        (("consensus", "{slug}", "--judge", "judge:nobody", "--rollouts", "rollouts:m"), "judge:my-model"),
        (("run_rules", "{slug}", "--seed", "-1"), "whole number from 0"),
    ],
)
def test_refusals_name_what_is_wrong_and_change_nothing(
    project: Project, endpoint: FakeLLM, args: tuple[str, ...], said: str
) -> None:
    with pytest.raises(CommandError, match=said):
        say(*(part.format(slug=project.slug) for part in args))
    assert not Run.objects.exists()


def test_without_an_endpoint_it_says_where_to_declare_one(
    project: Project, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR, settings.ENDPOINTS_FILE = tmp_path, tmp_path / "endpoints.toml"
    with pytest.raises(CommandError, match="none is declared"):
        say("judge", project.slug)


def test_the_same_command_goes_on_where_a_run_stopped(project: Project, endpoint: FakeLLM) -> None:
    """A paused run is the likeliest; what is stored is not asked again."""
    with pytest.raises(CommandError, match="budget is used up"):
        say("sample", project.slug, "--n", "2", "--budget", "0.015")
    stopped = Run.objects.get()
    assert stopped.state == RunState.PAUSED
    paid = Call.objects.filter(error="").count()
    with pytest.raises(
        CommandError, match="name a budget above that"
    ):  # the same budget would stop it at once
        say("sample", project.slug, "--n", "2")
    found = summary("sample", project.slug, "--n", "2", "--budget", "9")
    assert (found["run"], found["state"]) == (stopped.pk, "complete")
    assert found["calls"] >= paid
    digests = Call.objects.filter(error="").values_list("digest", flat=True)
    assert len(set(digests)) == len(digests) == 6
    other = summary("sample", project.slug, "--n", "1", "--seed", "50")  # another setting is another run
    assert other["run"] != stopped.pk


def test_failures_are_told_and_do_not_stop_the_others(project: Project, endpoint: FakeLLM) -> None:
    endpoint.says("What is $1 + 3$?", error(400, "too long for me"))
    said = say("sample", project.slug, "--n", "1")
    assert "2 of 3 done, 1 failed" in said
    assert "too long for me" in Unit.objects.get(state="failed").error


def test_a_whole_course_by_commands(project: Project, endpoint: FakeLLM) -> None:
    say("sample", project.slug, "--n", "2")
    assert summary("rollout", project.slug, "--n", "2", "--which", "samples")["outcomes"] == {
        "error found": 3, "no error": 3,
    }  # fmt: skip
    assert summary("judge", project.slug)["outcomes"] == {"error found": 3, "no error": 3}
    assert summary("critic", project.slug)["outcomes"] == {"error found": 3, "no error": 3}
    agreed = summary("consensus", project.slug, "--judge", "judge:m", "--rollouts", "rollouts:m")
    assert agreed["outcomes"] == {"kept": 6}
    injected = summary("inject", project.slug, "--which", "answered", "--kinds", "deception,confidence")
    assert injected["outcomes"] == {"stored": 6}
    assert set(Injection.objects.values_list("error_type", flat=True)) == {"deception", "confidence"}
    assert Item.objects.filter(project=project).count() == 12
    assert Solution.objects.filter(unit__isnull=False).count() == 12
    again = summary("inject", project.slug, "--which", "answered", "--kinds", "deception,confidence")
    assert (again["units"], again["calls"]) == (0, 0)
