"""The form of an export in a browser: what a choice does is shown before anything is written."""

from playwright.sync_api import expect

from annotator.models import Role
from tests import factories as make
from tests.e2e.conftest import DESKTOP, PHONE, shoot
from tests.e2e.test_comfort import Sit


def test_a_choice_is_shown_at_once(sit: Sit) -> None:
    lead = make.member(make.project(), "lead", Role.LEAD)
    make.injected_item(lead.project, 1)
    seat = sit(lead)
    page = seat.open(f"/p/{lead.project.slug}/exports/")
    means = page.locator("#means")
    page.get_by_label("Format").select_option("trl")
    expect(means).to_contain_text("Neutral steps count as right.")
    page.get_by_label("Neutral steps are").select_option("wrong")
    expect(means.locator("strong")).to_have_text("Neutral steps count as wrong.")
    for name, size in (("wide", DESKTOP), ("narrow", PHONE)):
        page.set_viewport_size(size)
        means.scroll_into_view_if_needed()
        shoot(page, f"exports-choices-{name}")
    page.get_by_label("Neutral steps are").select_option("keep")
    expect(means).to_contain_text("has no way to say a neutral step")
    page.get_by_role("button", name="Export", exact=True).click()
    expect(page.locator("form .errorlist").first).to_contain_text("has no way to say a neutral step")
    expect(page.get_by_label("Neutral steps are")).to_have_value("keep")
