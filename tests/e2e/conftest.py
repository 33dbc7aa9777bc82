"""A real browser on a real server. What a page must never do, report or ask is watched on every page."""

import os
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from typing import Any

import pytest
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from annotator.models import Membership

CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser")  # the first one does half the work
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(which, CHROMIUMS)), "chromium")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
SCHEMES = ("light", "dark")
AXE = Axe().axe_script
FOUND = "axe.run({resultTypes: ['violations']}).then(({violations}) => ({violations}))"
# What is scrolled into view is painted within two frames; the time is for a page in the background, which has none.
PAINTED = """new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(done))
  setTimeout(done, 150)
})"""
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", "test-results/screenshots"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


class Seat:
    """Somebody at a browser, signed in. `complaints` gathers dialogs, script errors and blocked content."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.context, self.base = context, base
        self.complaints: list[str] = []
        self.page = self.watch(context.new_page())

    def watch(self, page: Page) -> Page:
        page.on(
            "dialog", lambda dialog: (self.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss())
        )
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("console", self._hear)
        return page

    def _hear(self, message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page


@pytest.fixture
def sit(browser: Browser, live_server: Any, transactional_db: None) -> Iterator[Any]:
    """sit(membership, **context options) -> Seat; every complaint fails the test."""
    seats: list[Seat] = []

    def take(who: Membership | None = None, **options: Any) -> Seat:
        context = browser.new_context(**{"viewport": DESKTOP, **options})
        context.set_default_timeout(10_000)
        if who:
            context.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": session_of(who), "url": live_server.url}]
            )
        seats.append(Seat(context, live_server.url))
        return seats[-1]

    yield take
    for seat in seats:
        seat.context.close()
    assert [complaint for seat in seats for complaint in seat.complaints] == []


def session_of(who: Membership) -> str:
    client = Client()
    client.force_login(who.user, "django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def shoot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.evaluate(PAINTED)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def check(page: Page, name: str = "") -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = AxeResults(page.evaluate(FOUND))
    assert found.violations_count == 0, f"{name}: {found.generate_report()}"
    width, shown = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= shown, f"{name} is {width} px wide on a screen of {shown}"


def check_both(page: Page, name: str = "") -> None:
    """Clean in light and in dark, without loading it twice."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        check(page, name)


def look(page: Page, name: str) -> None:
    """Clean in light and in dark, and a picture of each, for the eye."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        check(page, name)
        shoot(page, f"{name}-{scheme}")
