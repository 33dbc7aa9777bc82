"""The exam by keys alone, and what leads read of reviewers, in a browser."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from annotator import queue
from annotator.actions import people, probes, review
from annotator.core import labels as lab
from annotator.models import (
    Annotation,
    Assignment,
    Decision,
    Item,
    Membership,
    Phase,
    Project,
    Protocol,
    Role,
    Use,
)  # fmt: skip
from tests import factories as make
from tests.e2e.conftest import DESKTOP, PHONE, look, shoot
from tests.made import MADE

KINDS = ("circular", "counterfactual", "deception")


class World:
    """A project with an exam of two items that are wrong in step 2, a demonstration, and probes that two took."""

    def __init__(self) -> None:
        self.project: Project = make.project(
            protocol=Protocol.LABEL_STEPS, overlap=1, exam_pass=0.5, probe_rate=0.1
        )
        self.lead = make.member(self.project, "lead", Role.OWNER)
        self.alice, self.bob = make.member(self.project, "alice"), make.member(self.project, "bob")
        for number in range(3):
            make.plain_item(self.project, number)
        asked = [self.gold(number) for number in (0, 1)]
        self.use(asked, "exam")
        self.use(
            [self.gold(2, "Step 2 assumes what it should show, so $p = 29$ is not derived.")], "demonstration"
        )

    def gold(self, number: int, note: str = "", kind: str = "") -> Item:
        """Decided by the lead: step 2 is wrong, and there judging stops."""
        item = make.plain_item(self.project, number, error_type=kind, open_slots=0)
        n = item.solution.n_steps
        labels = "+-" + "." * (n - 2)
        item.gold = Annotation.objects.create(
            solution=item.solution, rater=self.lead.rater, phase=Phase.ADJUDICATION, labels=labels, n_steps=n,
            first_error=lab.first_error(labels), finish_reason="found_error", note=note,
            error_types={"1": [kind or "circular"]},
        )  # fmt: skip
        item.decision = Decision.SETTLED
        item.save()
        return item

    def use(self, items: list[Item], use: str) -> None:
        probes.set_use(by=self.lead, project=self.project, item_ids=[item.pk for item in items], use=use)

    def probed(self, me: Membership, n: int, n_right: int) -> None:
        """`n` probes over the last weeks, of which some are right; in the others step 2 was missed."""
        for number in range(n):
            item = self.gold(number % len(MADE), kind=KINDS[number % len(KINDS)])
            Item.objects.filter(pk=item.pk).update(is_probe=True)
            mine = queue.give(me, item, timezone.now(), Use.PROBE)
            steps = item.solution.n_steps
            labels = item.gold.labels if number < n_right and item.gold else "+" * steps
            review.submit(by=me, assignment_id=mine.pk, data={"labels": labels, "duration_ms": 0})
            at = timezone.now() - timedelta(days=7 * (number % 4) + 1)
            Assignment.objects.filter(pk=mine.pk).update(submitted_at=at)


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def test_an_exam_is_taken_by_keys_alone(sit: Callable[..., Any], world: World) -> None:
    page = sit(world.alice).open(f"/p/{world.project.slug}/exam/")
    look(page, "exam-1280")
    page.get_by_role("button", name="Begin the exam").focus()
    page.keyboard.press("Enter")
    for number in (1, 2):
        expect(page.get_by_role("link", name=f"Exam: {number} of 2")).to_be_visible()
        expect(page.locator("#keys dd").first).to_be_attached()  # the scripts have run
        steps = page.locator(".steps > li").count()
        for key in ("1", "3") if number == 1 else "1" * steps:
            page.keyboard.press(key)
        if number == 1:
            shoot(page, "exam-question-1280-light")
        page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Passed: 1 of 2 right, 50 % needed.")).to_be_visible()
    look(page, "exam-passed-1280")
    page.get_by_role("button", name="Start the next item").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/review/"))


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "390"])
def test_what_leads_read_of_reviewers(sit: Callable[..., Any], world: World, size: dict[str, int]) -> None:
    world.probed(world.alice, 12, 11)
    world.probed(world.bob, 12, 5)
    people.pause(by=world.lead, membership=world.bob, because="Let us look at circular steps together.")
    seat, slug, name = sit(world.lead, viewport=size), world.project.slug, size["width"]
    look(seat.open(f"/p/{slug}/reviewers/"), f"reviewers-{name}")
    look(seat.open(f"/p/{slug}/reviewers/?member={world.bob.pk}"), f"reviewer-{name}")
    look(seat.open(f"/p/{slug}/people/?member={world.bob.pk}"), f"people-paused-{name}")
    bob = sit(world.bob, viewport=size)
    page = bob.open(f"/p/{slug}/mine/")
    expect(page.get_by_text("Let us look at circular steps together.")).to_be_visible()
    expect(page.get_by_text("You often call steps right that are wrong").first).to_be_visible()
    look(page, f"mine-paused-{name}")
