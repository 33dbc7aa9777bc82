"""A lead draws a sample, sets a bar and reads what reviewers found; then what the reveal did to their labels."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from annotator.models import Membership, Project, Role, Sample
from tests import factories
from tests.annotator.reviewed import submitted
from tests.e2e.conftest import DESKTOP, PHONE, look
from tests.made import MADE

N = 16


@pytest.fixture
def world(transactional_db: None) -> tuple[Project, Membership]:
    """Four kinds, four items each, wanted by two."""
    project = factories.project(overlap=2)
    for number in range(N):
        factories.injected_item(project, number % len(MADE))
    return project, factories.member(project, "lead", Role.LEAD)


def review_all(project: Project, sample: Sample) -> None:
    """Two reviewers. The first circular item is right: one of them said that it is wrong before the reveal. Of
    every third item the second saw nothing wrong before it."""
    ada, bo = factories.member(project, "ada"), factories.member(project, "bo")
    first = sample.items.filter(error_type="circular").order_by("pk")[0]
    for n, item in enumerate(sample.items.order_by("pk")):
        right = "+" * item.solution.n_steps
        wrong = right[:1] + "-" + right[2:]
        truth = right if item == first else wrong
        submitted(ada, item, truth)
        submitted(bo, item, right if n % 3 else wrong, truth)


def test_draw_bar_and_what_came_of_it(sit: Callable[..., Any], world: tuple[Project, Membership]) -> None:
    project, lead = world
    seat = sit(lead)
    page = seat.open(f"/p/{project.slug}/acceptance/")
    page.get_by_label("Share to draw (%)").fill("70")
    page.get_by_label("Hold all others").check()
    page.get_by_role("button", name="Draw and put first").click()
    expect(page.get_by_text("12 items, first in the queue")).to_be_visible()
    page.get_by_label("Bar (%)").fill("80")
    page.get_by_role("button", name="Set the bar").click()
    expect(page.get_by_text("The bar is set.")).to_be_visible()
    review_all(project, Sample.objects.get())
    page.reload()
    expect(page.get_by_text("under the bar: not released")).to_have_count(1)
    page.get_by_role("button", name="Release them").click()
    expect(page.get_by_text("4 items changed.")).to_be_visible()
    page.get_by_role("link", name="circular", exact=True).click()
    expect(page.locator(".items [name=tick]")).to_have_count(3)
    for name in ("acceptance", "pull"):
        page = seat.open(f"/p/{project.slug}/{name}/")
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            look(page, f"{name}-full-{size['width']}")
    expect(page.get_by_text("Right turned wrong").first).to_be_visible()
