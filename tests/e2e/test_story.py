"""The whole of it, as people do it: an owner invites, two reviewers verify by keys alone while the network comes and
goes, the lead reads how far they agree and takes the labels away, written by a real worker."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from annotator.models import Annotation, Role
from tests import factories as make
from tests.e2e.test_review import press, ready, saved
from tests.services.conftest import start, start_worker  # noqa: F401  (fixtures)
from tests.services.processes import environment

Sit = Callable[..., Any]


@pytest.fixture
def worker(start_worker: Any, tmp_path: Path, settings: Any, transactional_db: None) -> None:  # noqa: F811
    """A worker on the test's own database, called by the test's own broker folder."""
    settings.DATA_DIR = settings.BROKER_DIR.parent
    name = connection.settings_dict["NAME"]
    start_worker(environment(settings.DATA_DIR, DATABASE_URL=f"sqlite:///{name}"))


def join(seat: Any, link: str, name: str) -> Page:
    page: Page = seat.page
    page.goto(link)
    page.get_by_label("Username").fill(name)
    for field in page.locator("input[type=password]").all():
        field.fill("a quiet plumb line")
    page.locator("form button.main").click()
    return page


def begin(page: Page, slug: str, base: str) -> Page:
    page.goto(f"{base}/p/{slug}/")
    page.get_by_role("button", name="Next").first.press("Enter")
    expect(page.locator("form#review")).to_be_visible()
    return ready(page)


def reveal_and_submit(page: Page, keys: str) -> None:
    """Answer the claim; what comes next is at another address."""
    expect(page.get_by_role("heading", name="The injector’s claim")).to_be_visible()
    here = page.url
    press(ready(page), keys)
    page.wait_for_url(lambda url: url != here)


def invitation(page: Page, base: str, slug: str) -> str:
    """The owner copies a link; no e-mail is sent."""
    page.goto(f"{base}/p/{slug}/people/")
    page.get_by_role("button", name="Make a link").click()
    return str(page.locator("input[readonly]").input_value())


def test_from_invitation_to_export(sit: Sit, worker: None) -> None:
    project = make.project(overlap=2)
    make.injected_item(project, 1)
    make.injected_item(project, 1)
    lead = sit(make.member(project, "lead", Role.OWNER))
    alice, bob = sit(None), sit(None)
    for seat, name in ((alice, "alice"), (bob, "bob")):
        join(seat, invitation(lead.page, lead.base, project.slug), name)

    page = begin(alice.page, project.slug, alice.base)
    press(page, "1 3 f")
    saved(page)
    alice.context.set_offline(True)
    press(page, "j 1 1 Enter")
    expect(page.locator("#refusal")).to_contain_text("No connection")
    alice.context.set_offline(False)
    reveal_and_submit(page, "a 1 Enter")
    press(ready(page), "1 3 f j 1 1 Enter")
    reveal_and_submit(page, "a 1 Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()

    page = begin(bob.page, project.slug, bob.base)
    press(page, "1 3 f j 1 1")
    page.locator("#main-action").dblclick()
    reveal_and_submit(page, "a 1 Enter")
    press(ready(page), "1 1 3 f e ControlOrMeta+a")
    page.keyboard.type("So $x$ is something else.")
    press(page, "Escape j 1 Enter")
    reveal_and_submit(page, "z 1 Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()

    blind = Annotation.objects.filter(phase="blind").order_by("id").values_list("rater__name", "labels")
    assert list(blind) == [("alice", "+-++"), ("alice", "+-++"), ("bob", "+-++"), ("bob", "++-+")]
    assert (
        Annotation.objects.exclude(edited_solution=None)
        .latest("id")
        .edited_solution.steps[2]
        .startswith("So $x$")
    )

    page = lead.open(f"/p/{project.slug}/agreement/")
    # 8 steps judged by both: 6 alike. By hand: 4 "-" and 12 "+" labels, observed disagreement 4/16,
    # expected 2·12·4/(16·15) = 0.4, so alpha = 1 − 0.25/0.4 = 0.375.
    expect(page.locator("main")).to_contain_text("0.38")
    expect(page.locator("main")).to_contain_text("75.0 %")
    assert export(page, project.slug, lead.base, "gold") == [[2]]
    assert sorted(export(page, project.slug, lead.base, "all")) == [[2], [2], [2], [2], [2], [3]]


def export(page: Page, slug: str, base: str, which: str) -> list[list[int]]:
    """Export as PRMBench and read the wrong steps of each record (1-based) from the file that was downloaded."""
    page.goto(f"{base}/p/{slug}/exports/")
    page.locator(f"input[name=which][value={which}]").check()
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click(timeout=20_000)
    lines = download.value.path().read_text().splitlines()
    return [json.loads(line)["error_steps"] for line in lines]
