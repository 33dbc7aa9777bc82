"""From the exam to a release, as people do it: two reviewers by keys alone, a lead who settles what they differ on,
reads the report and publishes; and the reviewer who reads where the decision and he differ."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator import tasks
from annotator.actions import probes
from annotator.core import labels as lab
from annotator.models import Annotation, Decision, Item, Membership, Phase, Release, Role, Use
from tests import factories as make
from tests.e2e.conftest import shoot
from tests.e2e.test_every_page import check
from tests.e2e.test_review import press, ready
from tests.e2e.test_story import Sit, reveal_and_submit


@pytest.fixture
def lead(transactional_db: None, tmp_path: Path, settings: Any, monkeypatch: Any) -> Membership:
    """A project with an exam of one question after one demonstration, and two items to review."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("celery.Celery.send_task", lambda *_: None)  # the test is the worker
    lead = make.member(make.project(overlap=2, exam_pass=1.0), "lead", Role.OWNER)
    with_gold(lead, 0, "++--+++", Use.DEMONSTRATION)
    with_gold(lead, 1, "+-++", Use.EXAM)
    for _ in range(2):
        make.injected_item(lead.project, 1)
    return lead


def with_gold(lead: Membership, number: int, labels: str, use: Use) -> None:
    item = make.injected_item(lead.project, number, open_slots=0, decision=Decision.SETTLED)
    item.gold = Annotation.objects.create(
        solution=item.solution, rater=lead.rater, phase=Phase.ADJUDICATION, labels=labels, n_steps=len(labels),
        first_error=lab.first_error(labels), finish_reason="solution", note="It assumes what it should show.",
        error_types={str(at): [item.error_type] for at in lab.wrong_steps(labels)},
    )  # fmt: skip
    item.save()
    probes.set_use(by=lead, project=lead.project, item_ids=[item.pk], use=use)


def button(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.press("Enter")


def pass_exam(page: Page, base: str, slug: str) -> None:
    page.goto(f"{base}/p/{slug}/")
    expect(page.locator("main")).to_contain_text("Take the exam first")
    page.goto(f"{base}/p/{slug}/exam/")
    expect(page.locator("main")).to_contain_text("It assumes what it should show.")
    button(page, "Begin the exam")
    press(ready(page), "1 3 f j 1 1 Enter")
    reveal_and_submit(page, "a 1 Enter")
    expect(page.get_by_role("status").filter(has_text="Passed: 1 of 1 right")).to_be_visible()
    button(page, "Start the next item")


def judge(page: Page, keys: str, verdict: str) -> None:
    press(ready(page), keys)
    reveal_and_submit(page, verdict)


def settle(page: Page, base: str, slug: str) -> None:
    """The column that calls step 2 wrong, taken over by its key."""
    page.goto(f"{base}/p/{slug}/adjudicate/?next=1")
    expect(page.locator("h1")).to_contain_text("Settle item")
    cells = page.locator("tr[data-step='1'] .cell").all()
    wrong = [cell.get_attribute("data-label") for cell in cells].index("-")
    press(page, f"{wrong + 1} r")
    page.keyboard.type("A difference of squares is no square.")
    press(page, "Escape")
    shoot(page, "course-adjudicate")
    page.get_by_label("A reviewer was mistaken").check()
    press(page, "Enter")
    expect(page.locator("h1")).not_to_contain_text("Settle item")


def release(page: Page, base: str, slug: str) -> list[dict[str, Any]]:
    """The records of a release made on its page, from the file that was downloaded."""
    page.goto(f"{base}/p/{slug}/releases/")
    page.get_by_role("button", name="Count", exact=True).click()
    expect(page.locator("#counts")).to_contain_text("2 solutions")
    page.get_by_role("button", name="Make this release").click()
    expect(page.locator("#transfer")).to_contain_text("Waiting for a worker")
    tasks.write_release(Release.objects.get().pk)
    page.reload()
    check(page, "course-release")
    shoot(page, "course-release")
    with page.expect_download() as download:
        page.locator("a[href*='records'][href*='.jsonl']").first.click()
    return [json.loads(line) for line in download.value.path().read_text().splitlines()]


def test_from_the_exam_to_a_release(sit: Sit, lead: Membership) -> None:
    slug, seat = lead.project.slug, sit(lead)
    alice, bob = (sit(make.member(lead.project, name)) for name in ("alice", "bob"))
    pass_exam(alice.page, alice.base, slug)
    for _ in range(2):
        judge(alice.page, "1 3 f j 1 1 Enter", "a 1 Enter")
    pass_exam(bob.page, bob.base, slug)
    judge(bob.page, "1 3 f j 1 1 Enter", "a 1 Enter")
    judge(bob.page, "1 1 3 f j 1 Enter", "z 1 Enter")
    expect(bob.page.get_by_text("Nothing is left for you")).to_be_visible()
    worked = Item.objects.filter(use=Use.WORK).order_by("id").values_list("decision", flat=True)
    assert list(worked) == [Decision.AGREED, Decision.CONFLICTED]

    settle(seat.page, seat.base, slug)
    page = seat.open(f"/p/{slug}/agreement/")
    # By hand: 4 "-" and 12 "+" on 8 steps, 2 apart: alpha = 1 − (4/16) / (2·12·4/(16·15)) = 0.375. No exam in it.
    expect(page.locator("main")).to_contain_text("0.38")
    expect(page.locator("main")).to_contain_text("75.0 %")
    shoot(page, "course-agreement")

    page = bob.open(f"/p/{slug}/mine/differences/")
    expect(page.locator("main")).to_contain_text("A difference of squares is no square.")
    assert page.locator(".differing tbody tr").count() == 2
    assert "lead" not in page.locator("main").inner_text()
    check(page, "course-differences")
    shoot(page, "course-differences")
    expect(alice.open(f"/p/{slug}/mine/differences/").locator(".empty")).to_contain_text("Nothing")

    records = release(seat.page, seat.base, slug)
    assert len(records) == 2
    assert [record["labels"] for record in records] == [records[0]["labels"]] * 2
    assert "".join(records[0]["labels"]) == "+-++"
    assert sorted(record["decision"] for record in records) == ["agreed", "settled"]
