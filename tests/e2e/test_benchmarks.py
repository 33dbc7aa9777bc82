"""A lead reads the leaderboard, opens a model's report, sends what it missed to review, takes that back, and sets two
models beside each other: with and without JavaScript it is the same pages."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import DESKTOP, PHONE, shoot
from tests.e2e.test_every_page import check
from tests.scoring.benched import Bench, bench


@pytest.fixture
def world(transactional_db: None) -> Bench:
    return bench(12, 6)


def test_from_the_leaderboard_to_review(sit: Callable[..., Any], world: Bench) -> None:
    page = sit(world.lead).open(f"/p/{world.project.slug}/")
    page.get_by_role("link", name="Benchmarks").click()
    expect(page.get_by_role("table", name="Leaderboard")).to_contain_text("prm:half-blind")
    page.get_by_role("link", name="prm:half", exact=True).click()
    expect(page.get_by_role("heading", name="By kind of error")).to_be_visible()
    item = world.items[0]
    page.get_by_role("button", name=f"Send item {item.pk} to review").click()
    expect(page.get_by_text("1 item changed.")).to_be_visible()
    item.refresh_from_db()
    assert (item.wanted, item.open_slots, item.priority) == (2, 1, 1)
    page.get_by_role("button", name=f"Undo: item {item.pk}").click()
    expect(page.get_by_role("button", name=f"Send item {item.pk} to review")).to_be_visible()
    kinds = page.get_by_role("table", name="PRMScore by kind")
    kinds.get_by_role("row", name="circular").get_by_role("link").click()
    page.get_by_role("button", name="Send all 3 to review").click()
    expect(page.get_by_text("3 items changed.")).to_be_visible()
    page.get_by_role("link", name="Its report").click()
    page.get_by_role("link", name="Compare with…").click()
    page.get_by_label("beside").select_option(label="prm:half-blind")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="prm:half and prm:half-blind")).to_be_visible()
    expect(page.get_by_role("heading", name="Where they disagree")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["1280", "390"])
def test_the_pages_without_javascript(
    sit: Callable[..., Any], world: Bench, size: dict[str, int], scheme: str
) -> None:
    seat = sit(world.lead, viewport=size, color_scheme=scheme)
    report = f"prmbench/raters/{world.model.pk}/"
    for name, path in (
        ("leaderboard", "prmbench/"), ("report", report), ("misses", f"{report}misses/"), ("moved", "prmbench/moved/"),
        ("compare", f"prmbench/compare/?a={world.model.pk}&b={world.other.pk}"),
    ):  # fmt: skip
        page = seat.open(world.url + path)
        check(page, name)
        shoot(page, f"benchmark-{name}-{size['width']}-{scheme}")
