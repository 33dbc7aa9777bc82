"""Releases in a browser: counted, made, looked at, compared; and without a script the same."""

from typing import Any

import pytest
from playwright.sync_api import expect

from annotator import tasks
from annotator.models import Item, Membership, Release, Role
from tests import factories as make
from tests.annotator.reviewed import submitted
from tests.e2e.conftest import DESKTOP, PHONE, shoot
from tests.e2e.test_comfort import Sit
from tests.e2e.test_every_page import check
from tests.made import MADE


@pytest.fixture
def lead(transactional_db: None, tmp_path: Any, settings: Any, monkeypatch: Any) -> Membership:
    """Some work done: of eight items five are decided."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("celery.Celery.send_task", lambda *_: None)
    lead = make.member(make.project(overlap=1, name="PRMBench check"), "lead", Role.LEAD)
    alice = make.member(lead.project, "alice")
    for number in range(8):
        item = make.injected_item(lead.project, number)
        if number < 5:
            submitted(alice, item, "+-" + "+" * (len(MADE[number % len(MADE)].changed_steps) - 2))
    return lead


def written() -> Release:
    row = Release.objects.latest("pk")
    tasks.write_release(row.pk)
    return row


def test_counted_made_and_compared(sit: Sit, lead: Membership) -> None:
    slug = lead.project.slug
    page = sit(lead).open(f"/p/{slug}/releases/")
    expect(page.locator(".empty")).to_contain_text("No releases yet")
    shoot(page, "releases-empty-wide")
    page.get_by_label("all: gold").check()
    page.get_by_label("Splits").fill("train 0.5, test 0.5")
    page.get_by_label("TRL").check()
    page.get_by_role("button", name="Count", exact=True).click()
    counted = page.locator("#counts")
    expect(counted).to_contain_text("8 solutions")
    for name, size in (("wide", DESKTOP), ("narrow", PHONE)):
        page.set_viewport_size(size)
        check(page, "releases-counted")
        shoot(page, f"releases-counted-{name}")
    page.set_viewport_size(DESKTOP)
    page.get_by_label("Note").fill("All that came in.")
    page.get_by_role("button", name="Make this release").click()
    expect(page.locator("#transfer")).to_contain_text("Waiting for a worker")
    written()
    expect(page.locator("#transfer")).to_contain_text("records/train.parquet")
    page.goto(f"{page.url.split('/p/')[0]}/p/{slug}/releases/?which=gold")
    page.get_by_role("button", name="Make this release").click()
    row = written()
    Item.objects.update(held=False)
    page.goto(f"{page.url.split('/p/')[0]}/p/{slug}/releases/{row.pk}/")
    for name, size in (("wide", DESKTOP), ("narrow", PHONE)):
        page.set_viewport_size(size)
        check(page, "release")
        shoot(page, f"release-{name}")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator("main")).to_contain_text("3 removed")
    for name, size in (("wide", DESKTOP), ("narrow", PHONE)):
        page.set_viewport_size(size)
        check(page, "release-diff")
        shoot(page, f"release-diff-{name}")
