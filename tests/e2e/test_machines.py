"""Machine raters as a lead uses them, in a browser, written by a real worker: errors by rules that a person reviews,
and with a language model from problems to consensus and back into the queue."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from annotator.core import labels as lab
from annotator.models import Annotation, Injection, Item, Problem, Project, RaterKind, Role, Run
from annotator.models import Rater as RaterRow
from tests import factories as make
from tests.e2e.conftest import check_both
from tests.e2e.test_review import press, ready
from tests.fakes.llm import FakeLLM
from tests.fakes.raters import play, truth
from tests.services.conftest import start, start_worker  # noqa: F401  (fixtures)
from tests.services.processes import environment

Sit = Callable[..., Any]
A_WHILE = 20_000  # ms: until a worker of one busy machine has done a run
RIGHT = ["We have 2 + 3 = 5 pears.", "That is $5$.", "So the answer is $\\boxed{5}$."]


@pytest.fixture
def fake() -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        play(server, misses=lambda text: truth(text) == 9)
        yield server


@pytest.fixture
def worker(start_worker: Any, settings: Any, transactional_db: None, fake: FakeLLM) -> None:  # noqa: F811
    """A worker on the test's own database, with one endpoint to ask."""
    settings.DATA_DIR = settings.BROKER_DIR.parent
    settings.ENDPOINTS_FILE = settings.DATA_DIR / "endpoints.toml"
    settings.ENDPOINTS_FILE.write_text(
        f'[endpoints.sums]\nbase_url = "{fake.base_url}"\nmodel = "sums-7b"\nprompt_price = 100.0\n'
    )
    name = connection.settings_dict["NAME"]
    here = environment(
        settings.DATA_DIR, DATABASE_URL=f"sqlite:///{name}", ENDPOINTS_FILE=str(settings.ENDPOINTS_FILE)
    )
    start_worker(here)


@pytest.fixture
def project(transactional_db: None) -> Project:
    """Two sums, and a solution of the first that came labelled right."""
    project = make.project(overlap=1)
    first = make.solution(project, "What is $2 + 3$?", RIGHT, answer="5")
    source = RaterRow.objects.create(kind=RaterKind.SOURCE, name="made", digest="made", spec={})
    make.machine_labels(first, source, "+++")
    Problem.objects.create(project=project, group="b", text="What is $4 + 5$?", answer="9", key="b")
    return project


def started(
    seat: Any, project: Project, method: str, fill: Callable[[Page], None] = lambda page: None
) -> Page:
    """Choose a method, set it, read what it would cost, start it, and wait for the page to follow it to its end."""
    page: Page = seat.open(f"/p/{project.slug}/machines/")
    page.locator(f"a[href$='/machines/{method}/']").click()
    fill(page)
    page.get_by_role("button", name="Say what it would cost").click()
    expect(page.get_by_role("heading", name="What it would be")).to_be_visible()
    page.get_by_role("button", name="Start it").click()
    expect(page.locator("h1 .tag")).to_have_text("Complete", timeout=A_WHILE)
    expect(page.locator("#units")).to_be_visible()
    return page


def only(kind: str) -> Callable[[Page], None]:
    def fill(page: Page) -> None:
        for box in page.locator("input[name=kinds]").all():
            box.set_checked(box.get_attribute("value") == kind)

    return fill


def as_claimed(item: Item) -> str:
    """The keys that label an injection as its claim does."""
    types = {kind.code: kind.key for kind in lab.ERROR_TYPES}
    said = Annotation.objects.get(solution=item.solution).labels
    keys = [f"3 {types[item.error_type]}" if one == lab.WRONG else "1" for one in said]
    return " ".join(
        f"{key} j" if key[0] == "3" and at < len(keys) - 1 else key for at, key in enumerate(keys)
    )


def test_rules_review_and_agreement(sit: Sit, worker: None, project: Project) -> None:
    lead, alice = sit(make.member(project, "lead", Role.LEAD)), sit(make.member(project, "alice"))
    page = started(lead, project, "rules", only("redundancy"))
    check_both(page, "run")
    run = page.url
    expect(page.locator("#agreement")).to_contain_text("Nobody has reviewed yet")

    work = alice.open(f"/p/{project.slug}/")
    work.get_by_role("button", name="Next").first.press("Enter")
    press(ready(work), f"{as_claimed(Item.objects.get())} Enter")
    expect(work.get_by_role("heading", name="The injector’s claim")).to_be_visible()
    here = work.url
    press(ready(work), "a 1 Enter")
    work.wait_for_url(lambda url: url != here)

    page.goto(run)
    expect(page.locator("#agreement")).to_contain_text("Same first error")
    expect(page.locator("#agreement")).to_contain_text("100.0 %")
    page.get_by_role("link", name="Items it made or judged").click()
    expect(page.locator("table.items tbody tr")).to_have_count(1)


def test_from_problems_to_consensus_and_the_queue(sit: Sit, worker: None, project: Project) -> None:
    lead = sit(make.member(project, "lead", Role.LEAD))
    page = started(lead, project, "sample", lambda page: page.locator("[name=n]").fill("2"))
    expect(page.locator(".cards")).to_contain_text("4 calls")
    started(lead, project, "rollout", lambda page: page.get_by_label("sampled solutions").check())
    started(lead, project, "judge", lambda page: page.get_by_label("sampled solutions").check())
    page = started(lead, project, "consensus")
    table = page.locator("table.came").first
    expect(table).to_contain_text("kept")
    expect(table).to_contain_text("apart")
    page = started(lead, project, "inject", only("deception"))
    assert Injection.objects.get().rater.name == "sums-7b"

    first = Item.objects.order_by("-priority").first()
    assert first
    page = lead.open(f"/p/{project.slug}/items/{first.pk}/")
    page.get_by_role("link", name="What machines did").click()
    expect(page.locator("main")).to_contain_text("The judge says: none. Rollouts say: step 2. Apart.")
    expect(page.locator("main")).to_contain_text("0 of 8")
    check_both(page, "evidence")

    alice = sit(make.member(project, "alice"))
    work = alice.open(f"/p/{project.slug}/")
    work.get_by_role("button", name="Next").first.press("Enter")
    expect(work.locator("main")).to_contain_text("That is")  # what they say apart comes first
    assert Item.objects.get(assignments__rater__user__username="alice") == first
    assert Run.objects.filter(state="complete").count() == 5
