"""A project where machines speak first: one page, one judgement, by keys alone."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from annotator.models import Annotation
from tests import factories as make
from tests.e2e.conftest import PHONE, shoot
from tests.e2e.test_every_page import check
from tests.e2e.test_review import claimed, press, ready, saved


def test_what_machines_said_is_shown_and_one_judgement_is_sent(sit: Callable[..., Any]) -> None:
    project = make.project(labels_first=False)
    make.injected_item(project, 1), make.injected_item(project, 3)
    me = make.member(project)
    page = claimed(sit(me), project)
    expect(page.get_by_role("heading", name="The injector’s claim")).to_be_visible()
    check(page, "shown")
    shoot(page, "labels-not-first-1280-light")
    press(page, "1 3")
    saved(page)
    page.reload()
    ready(page)
    press(page, "1 4")
    saved(page)
    page.locator("#main-action").click()  # the questions are open
    expect(page.locator(".error, [role=alert]").first).to_be_visible()
    page.get_by_role("radio", name="accept").check()
    page.locator("[name=verdict-original][value=right]").check()
    page.locator("#main-action").click()
    expect(page.locator(".step")).to_have_count(5)  # the next item
    said = Annotation.objects.get(assignment__isnull=False)
    assert (said.labels, said.phase, said.labels_first) == ("+-+?", "revealed", False)
    phone = sit(me, viewport=PHONE, color_scheme="dark").open("/" + page.url.split("/", 3)[3])
    check(phone, "shown")
    shoot(phone, "labels-not-first-390-dark")
