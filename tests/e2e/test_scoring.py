"""A project scored in the browser by a real worker: the model stands in the item matrix, in agreement and in the
leaderboard; and models tried side by side on a pasted solution."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import expect

from annotator.models import Annotation, Project, Role
from tests import factories as make
from tests.annotator.reviewed import submitted
from tests.e2e.conftest import check_both, look
from tests.scoring.installing import QWEN, REASON, install
from tests.services.conftest import Start, start  # noqa: F401  (a fixture)
from tests.services.processes import environment

A_WHILE = 60_000  # ms: until a worker of one busy machine has imported torch and scored


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("models"), QWEN, REASON)


@pytest.fixture
def worker(start: Start, settings: Any, transactional_db: None, models: Path) -> None:  # noqa: F811
    """The GPU's worker on the test's own database."""
    settings.DATA_DIR, settings.MODELS_DIR = settings.BROKER_DIR.parent, models
    url = f"sqlite:///{connection.settings_dict['NAME']}"
    here = environment(settings.DATA_DIR, DATABASE_URL=url, MODELS_DIR=str(models))
    one = start([sys.executable, "-m", "tests.services.bell", "--gpu"], env=here)
    one.wait_for(lambda: "ready." in one.output())


def test_a_project_is_scored_and_models_are_tried(
    sit: Callable[..., Any], worker: None, transactional_db: None
) -> None:
    project: Project = make.project()
    items = [make.injected_item(project, number) for number in range(4)]
    lead = make.member(project, "lead", Role.LEAD)
    submitted(make.member(project), items[0], "+" * items[0].solution.n_steps)
    seat = sit(lead)

    page = seat.open(f"/p/{project.slug}/runs/")
    page.get_by_role("link", name="Score by a PRM").click()
    page.get_by_label("Model and variant").select_option(f"{QWEN}:card")
    page.get_by_role("button", name="Say how many it would be").click()
    expect(page.locator("#estimate")).to_contain_text("8 solutions to score")
    look(page, "score-1280")
    page.get_by_role("button", name="Start it").click()
    expect(page.locator("h1 .tag")).to_have_text("Complete", timeout=A_WHILE)
    assert Annotation.objects.filter(rater__name=QWEN, is_parsed=True).count() == 8

    page = seat.open(f"/p/{project.slug}/items/{items[0].pk}/")
    expect(page.get_by_role("columnheader", name=QWEN)).to_be_visible()
    expect(page.locator(".matrix .score")).to_have_count(items[0].solution.n_steps)
    look(page, "score-item-1280")
    seat.open(f"/p/{project.slug}/agreement/")
    expect(page.locator("main")).to_contain_text(QWEN)
    seat.open(f"/p/{project.slug}/benchmarks/prmbench/")
    expect(page.get_by_role("link", name=QWEN).first).to_be_visible()
    check_both(page, "leaderboard")

    page = seat.open(f"/p/{project.slug}/score/try/")
    page.get_by_label("Problem").fill("What is $2 + 3$?")
    page.get_by_label("Solution").fill(
        "We have $2 + 3 = 5$.\n\nThat is $6$.\n\nSo the answer is $\\boxed{6}$."
    )
    for name in (QWEN, REASON):
        page.get_by_label(f"{name}, card").check()
    page.get_by_role("button", name="Score it").click()
    expect(page.locator("h1")).to_have_text("Tried models", timeout=A_WHILE)
    expect(page.locator(".tried td.said b")).to_have_count(9)
    expect(page.locator(".tried .katex").first).to_be_visible()
    look(page, "tried-1280")
    page.set_viewport_size({"width": 390, "height": 844})
    look(page, "tried-390")
