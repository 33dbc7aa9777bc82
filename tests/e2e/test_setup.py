"""Settings, guidelines, people and practice in a real browser, by leads."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator import queue
from annotator.actions import guidelines
from annotator.core import kinds
from annotator.models import Annotation, Assignment, Guideline, Membership, Role
from tests import factories as make
from tests.e2e.conftest import DESKTOP, PHONE, look

TEXT = """# How to judge

A step is **right** if it follows from what stands before it: from $a_1 = b$ and $b = c_1$ follows $a_1 = c_1$.

1. Read the problem. Tea costs $4 a box and $3 from ten boxes on.
2. Judge each step by itself.

\\[
\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}
\\]

| label | when |
|-------|------|
| right | it follows, as $x^2 \\ge 0$ does |
| wrong | it does not |
"""


@pytest.fixture
def lead(transactional_db: None) -> Membership:
    project = make.project()
    for number in range(3):
        make.injected_item(project, number)
    lead = make.member(project, "lead", Role.OWNER)
    guidelines.write_guideline(by=lead, project=project, text=TEXT)
    return lead


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "390"])
def test_how_the_pages_look(sit: Callable[..., Any], lead: Membership, size: dict[str, int]) -> None:
    seat = sit(lead, viewport=size)
    tail, base = size["width"], f"/p/{lead.project.slug}"
    page = seat.open(f"{base}/settings/")
    look(page, f"settings-eight-{tail}")
    page.get_by_role("button", name="Use a list of your own").click()
    page.locator("[name=kind-key]").nth(1).fill("j")
    page.get_by_role("button", name="Save the settings").last.click()
    look(page, f"settings-own-refused-{tail}")
    page = seat.open(f"{base}/guidelines/?edit=1")
    page.locator("#preview .katex").first.wait_for()
    look(page, f"guidelines-write-{tail}")
    page.get_by_label("Guidelines", exact=True).fill(
        TEXT.replace("Judge each", "Then judge every").replace("c_1", "d_1")
    )
    page.get_by_role("button", name="Preview").click()
    look(page, f"guidelines-preview-{tail}")
    Membership.objects.update(guideline_read=1)
    page = seat.open(f"{base}/guidelines/")
    look(page, f"guidelines-news-{tail}")
    page = seat.open(f"{base}/guidelines/?version=1")
    look(page, f"guidelines-old-{tail}")
    queue.claim(by=make.member(lead.project, "ada"))
    page = seat.open(f"{base}/people/")
    look(page, f"people-{tail}")
    page.get_by_role("link", name="ada").click()
    look(page, f"people-chosen-{tail}")
    page = seat.open(f"{base}/practice/")
    look(page, f"practice-{tail}")
    label_all(page)
    page.locator("#main-action").click()
    page.locator(".claim").wait_for()
    look(page, f"practice-revealed-{tail}")
    for name in ("claim", "original"):
        page.locator(f"[data-question={name}] label").first.click()
    page.locator("#main-action").click()
    page.get_by_role("link", name="Another one").wait_for()
    look(page, f"practice-done-{tail}")


def label_all(page: Page) -> None:
    for step in page.locator(".step").all():
        step.locator(".pick label").first.click()


def test_practice_by_keys_keeps_nothing(sit: Callable[..., Any], lead: Membership) -> None:
    page = sit(lead).open(f"/p/{lead.project.slug}/practice/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    n = page.locator(".step").count()
    for _ in range(n):
        page.keyboard.press("1")
    page.wait_for_timeout(900)
    assert not [one for one in sent if "draft" in one]
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.includes('draft')).length") == 0
    page.keyboard.press("Escape")
    page.locator("#main-action").click()
    page.locator(".claim").wait_for()
    page.keyboard.press("a")
    page.keyboard.press("1")
    page.locator("#main-action").click()
    page.get_by_role("link", name="Another one").wait_for()
    assert not Annotation.objects.exclude(phase="machine").exists()
    assert {a.state for a in Assignment.objects.all()} == {"barred"}
    page.keyboard.press("Enter")
    page.wait_for_url("**/practice/?item=*")
    expect(page.locator("#main-action")).to_contain_text("Commit")


def test_rows_are_added_in_place_and_saved(sit: Callable[..., Any], lead: Membership) -> None:
    page = sit(lead).open(f"/p/{lead.project.slug}/settings/")
    page.get_by_text("Paste a list").click()
    eight = [dict(kind) for kind in kinds.PRMBENCH]
    page.locator("#paste").fill(json.dumps(eight))
    page.get_by_role("button", name="Fill the rows").click()
    page.get_by_role("button", name="One more row").click()
    rows = page.locator(".kinds li")
    expect(rows).to_have_count(9)
    for name, value in (("code", "units"), ("title", "units"), ("key", "5")):
        rows.last.locator(f"[name=kind-{name}]").fill(value)
    rows.last.locator("[name=kind-key]").press("Enter")
    expect(page.locator(".notice.ok")).to_contain_text("saved")
    lead.project.refresh_from_db()
    assert [kind["code"] for kind in lead.project.error_types][-1] == "units"


def test_the_preview_follows_what_is_typed(sit: Callable[..., Any], lead: Membership) -> None:
    page = sit(lead).open(f"/p/{lead.project.slug}/guidelines/?edit=1")
    field = page.get_by_label("Guidelines", exact=True)
    field.fill("Quite **new** with $x^2_1$")
    expect(page.locator("#preview strong")).to_have_text("new")
    page.locator("#preview .katex").wait_for()
    assert Guideline.objects.count() == 2
    field.fill("<script>alert(1)</script> <img src=x onerror=alert(2)> [a](javascript:alert(3))")
    expect(page.locator("#preview")).to_contain_text("<script>")
    assert page.locator("#preview script, #preview img").count() == 0
