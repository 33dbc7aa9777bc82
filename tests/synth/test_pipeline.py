"""From problems to consensus: sampled, rolled out, judged, compared, queued; against a real HTTP server."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotator.models import Annotation, Call, Finding, Item, Problem, Project, Run, RunState, Solution, Unit
from annotator.policies import Operator
from synth import actions, work
from tests import factories as make
from tests.fakes.llm import FakeLLM, Request

pytestmark = pytest.mark.django_db(transaction=True)
BY = Operator()
RIGHT = "We add 2 and 3.\n\nThat is 5.\n\n\\boxed{5}"
WRONG = "We add 2 and 3.\n\nThat is 6.\n\n\\boxed{6}"


@pytest.fixture
def fake(tmp_path: Path, settings: Any) -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        settings.ENDPOINTS_FILE = str(tmp_path / "endpoints.toml")
        Path(settings.ENDPOINTS_FILE).write_text(
            f'[endpoints.fake]\nbase_url = "{server.base_url}"\nmodel = "m"\nprompt_price = 1000.0\n'
        )
        server.says(
            "You solve mathematical problems and show your work",
            lambda r: WRONG if r.body["seed"] % 2 else RIGHT,
        )
        server.says("You solve mathematical problems step by step", rolled)
        server.says("You check solutions", judged)
        yield server


def rolled(request: Request) -> str:
    return "so \\boxed{6}" if "is 6" in request.prompt else "so \\boxed{5}"


def judged(request: Request) -> str:
    """Finds the error; but where there is none says so only of the second problem."""
    n = len(re.findall(r"<paragraph_\d+>", request.prompt.split("<solution>")[1]))
    wrong = "That is 6" in request.prompt
    blocks = range(1, 3 if wrong else n + 1)
    if "second" in request.prompt and wrong:
        blocks = range(1, 2)
    said = "".join(f"<analysis_{at}>looked</analysis_{at}>" for at in blocks)
    return f"{said}<conclusion>{'Incorrect' if wrong else 'Correct'}</conclusion>"


@pytest.fixture
def project() -> Project:
    project = make.project()
    for name in ("first", "second"):
        Problem.objects.create(
            project=project,
            group=name,
            foreign_id=name,
            text=f"The {name}: what is 2 + 3?",
            answer="5",
            key=name,
        )
    return project


def run(project: Project, method: str, **given: Any) -> Run:
    started = actions.start(
        by=BY, project=project, method=method, given={"endpoint": "fake", **given}, inline=True
    )
    while work.work(started.drives):
        pass
    started.refresh_from_db()
    assert started.state == RunState.COMPLETE, started.because
    return started


def test_from_problems_to_consensus(project: Project, fake: FakeLLM) -> None:
    sampled = run(project, "sample", n=2)
    assert (sampled.n_units, sampled.n_done, sampled.n_calls) == (2, 2, 4)
    assert sampled.cost == pytest.approx(40 * 1000 / 1e6)
    answers = Solution.objects.order_by("foreign_id").values_list("foreign_id", "meta__final_answer_correct")
    assert list(answers) == [
        (f"{name}.{sampled.pk}/{place}", place == 0) for name in ("first", "second") for place in (0, 1)
    ]

    rolled_out = run(project, "rollout", n=2, which="samples")
    labels = Annotation.objects.order_by("solution__foreign_id").values_list("labels", flat=True)
    assert list(labels) == ["+++", "+-.", "+++", "+-."]

    by_judge = run(project, "judge")
    assert (by_judge.n_done, by_judge.n_calls) == (4, 4)

    agreed = run(project, "consensus", judge=str(by_judge.rater), rollouts=str(rolled_out.rater))
    outcomes = (
        Unit.objects.filter(run=agreed).order_by("solution__foreign_id").values_list("outcome", flat=True)
    )
    assert list(outcomes) == ["kept", "kept", "kept", "apart"]
    kept = Annotation.objects.filter(rater=agreed.rater).order_by("solution__foreign_id")
    assert list(kept.values_list("labels", flat=True)) == ["+++", "+-.", "+++"]
    assert list(Item.objects.order_by("-priority", "pk").values_list("priority", flat=True)) == [10, 0, 0, 0]
    assert not Finding.objects.filter(code="none_but_wrong").exists()


def test_nothing_is_paid_for_twice(project: Project, fake: FakeLLM) -> None:
    run(project, "sample", n=2)
    run(project, "judge")
    before = fake.n_requests
    again = run(project, "judge")
    assert again.n_units == 0
    Annotation.objects.all().delete()  # even where nothing is left of what was said, its calls are known
    third = run(project, "judge")
    assert (third.n_done, third.n_calls, third.cost) == (4, 0, 0.0)
    assert Call.objects.filter(unit__run=third, reused=True).count() == 4
    assert fake.n_requests == before


def test_an_estimate_stores_and_sends_nothing(project: Project, fake: FakeLLM) -> None:
    found = actions.estimate(by=BY, project=project, method="sample", given={"endpoint": "fake", "n": 3})
    assert (found.n_units, found.calls, found.is_measured) == (2, 6, False)
    assert found.cost
    assert found.prompt_tokens
    assert (fake.n_requests, Run.objects.count(), Unit.objects.count()) == (0, 0, 0)


def test_an_endpoint_that_is_gone_pauses_the_run_and_says_why(
    project: Project, fake: FakeLLM, settings: Any
) -> None:
    started = actions.start(by=BY, project=project, method="sample", given={"endpoint": "fake"}, inline=True)
    Path(settings.ENDPOINTS_FILE).write_text("")
    assert not work.work(started.drives)
    started.refresh_from_db()
    assert started.state == RunState.PAUSED
    assert "fake" in started.because


def test_a_poison_unit_fails_alone(project: Project, fake: FakeLLM) -> None:
    run(project, "sample", n=1)
    Solution.objects.filter(problem__group="first").update(steps=[])  # what no method can work on
    done = run(project, "rollout", n=1)
    assert (done.n_done, done.n_failed) == (1, 1)
    assert "steps" in Unit.objects.get(run=done, state="failed").error
