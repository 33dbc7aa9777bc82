"""The review screen in a real browser: by keys, offline, in two tabs, without JavaScript, hostile text."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator.models import Annotation, Assignment, Project, Protocol
from tests import factories as make
from tests.e2e.conftest import DESKTOP, PHONE, check, check_both, look
from tests.made import Made

Sit = Callable[..., Any]


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def claimed(seat: Any, project: Project) -> Page:
    """Claim the way a reviewer does."""
    page: Page = seat.open(f"/p/{project.slug}/mine/")
    page.get_by_role("button", name="Start the next item").click()
    expect(page.locator("form#review")).to_be_visible()
    return ready(page)


def ready(page: Page) -> Page:
    """Until the scripts have run; then the current step has the focus or the claim does."""
    expect(page.locator("#keys dd").first).to_be_attached()
    return page


def saved(page: Page) -> None:
    expect(page.locator("#saved[data-waiting='0']")).to_have_text("Saved")


def chosen(page: Page) -> str:
    return "".join(
        page.evaluate(
            "[...document.querySelectorAll('.step')].map("
            "(s) => s.querySelector('[name^=label]:checked')?.value ?? '.')"
        )
    )


def test_an_item_is_reviewed_by_keys_alone(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1), make.injected_item(project, 3)
    page = claimed(sit(make.member(project)), project)
    press(page, "1 3 f j 1 4 Enter")
    expect(page.get_by_role("heading", name="The injector’s claim")).to_be_visible()
    ready(page)
    press(page, "a 1 Enter")
    expect(page.locator(".step")).to_have_count(5)
    blind, revealed = Annotation.objects.filter(phase__in=["blind", "revealed"]).order_by("id")
    assert blind.labels == revealed.labels == "+-+?"
    assert blind.error_types == {"1": ["counterfactual"]}
    assert revealed.verdict == {"claim": "accept", "kind": "counterfactual", "original": "right"}
    assert Assignment.objects.filter(state="claimed").count() == 1


def test_an_unfinished_commit_goes_to_what_is_missing(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    page = claimed(sit(make.member(project)), project)
    press(page, "1 j 1 Enter")
    expect(page.locator("#refusal")).to_contain_text("Not judged yet: step 2, 4.")
    expect(page.locator(".step.missing")).to_have_count(2)
    expect(page.locator("#s1")).to_be_focused()
    press(page, "1 l 1 Enter")
    expect(page.locator(".claim")).to_be_visible()
    ready(page)
    press(page, "Enter")
    expect(page.locator("#refusal")).to_contain_text("Not answered yet: claim, original.")


def test_undo_takes_back_labels_types_and_edits(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    page = claimed(sit(make.member(project)), project)
    press(page, "3 f x e")
    page.keyboard.type("Changed. ")
    press(page, "Escape")
    expect(page.locator("#s0")).to_have_class("step deleted edited here")
    press(page, "u")
    expect(page.locator("#s0")).not_to_have_class("step deleted edited here")
    press(page, "u")
    expect(page.locator("#s0")).to_have_class("step here")
    assert page.locator("#s0 .chip :checked").count() == 1
    press(page, "u u")
    assert chosen(page) == "...."
    saved(page)
    assert Assignment.objects.get().draft["labels"] == "...."


def test_a_step_is_edited_in_place(sit: Sit) -> None:
    project = make.project(protocol=Protocol.LABEL_STEPS)
    make.plain_item(project, 1)
    page = claimed(sit(make.member(project)), project)
    press(page, "j 3 f e ControlOrMeta+a")
    page.keyboard.type("There the left side is $x + 3$.")
    press(page, "Escape i")
    page.keyboard.type("So it is.")
    press(page, "Escape")
    expect(page.locator("#s1 .yours")).to_have_count(2)
    saved(page)
    page.reload()
    expect(page.locator("#s1 .yours ins").first).to_be_visible()
    press(ready(page), "k 1 Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    edited = Annotation.objects.get().edited_solution
    assert edited is not None
    assert edited.steps[1:3] == ["There the left side is $x + 3$.", "So it is."]


def test_a_lost_network_and_a_closed_tab_lose_nothing(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    seat = sit(make.member(project))
    page = claimed(seat, project)
    press(page, "1")
    saved(page)
    seat.context.set_offline(True)
    press(page, "3 f j 1")
    expect(page.locator("#saved")).to_have_text("Offline, 3 waiting")
    address = page.url
    page.close()
    seat.context.set_offline(False)
    page = seat.watch(seat.context.new_page())
    page.goto(address)
    saved(page)
    assert chosen(page) == "+-+."
    assert Assignment.objects.get().draft["labels"] == "+-+."


def test_a_commit_without_network_waits_and_is_sent(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    seat = sit(make.member(project))
    page = claimed(seat, project)
    seat.context.set_offline(True)
    press(page, "1 1 1 1 Enter")
    expect(page.locator("#refusal")).to_contain_text("No connection")
    assert chosen(page) == "++++"
    seat.context.set_offline(False)
    expect(page.locator(".claim")).to_be_visible()
    assert Annotation.objects.filter(phase="blind").get().labels == "++++"


def test_a_double_click_submits_once(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    page = claimed(sit(make.member(project)), project)
    press(page, "1 1 1 1")
    page.locator("#main-action").dblclick()
    expect(page.locator(".claim")).to_be_visible()
    assert Annotation.objects.filter(phase="blind").count() == 1


@pytest.mark.parametrize(("choice", "labels"), [("Keep mine", "+-.."), ("Take theirs", "0...")])
def test_two_tabs_keep_both_until_one_is_chosen(sit: Sit, choice: str, labels: str) -> None:
    project = make.project()
    make.injected_item(project, 1)
    seat = sit(make.member(project))
    mine = claimed(seat, project)
    theirs = seat.watch(seat.context.new_page())
    theirs.goto(mine.url)
    press(ready(theirs), "2")
    saved(theirs)
    mine.bring_to_front()
    press(mine, "1 3")
    expect(mine.locator("#saved")).to_contain_text("Changed in another tab")
    mine.get_by_role("button", name=choice).click()
    saved(mine)
    assert chosen(mine) == labels == Assignment.objects.get().draft["labels"]


def test_keys_are_off_while_typing_and_follow_the_account(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    member = make.member(project)
    member.user.keys = {"right": "9"}
    member.user.save()
    page = claimed(sit(member), project)
    press(page, "n")
    page.keyboard.type("1329 is odd")
    press(page, "Escape 1 9")
    assert chosen(page) == "+..."
    saved(page)
    assert Assignment.objects.get().draft["note"] == "1329 is odd"
    press(page, "?")
    expect(page.locator("dialog#keys")).to_be_visible()
    press(page, "9 Escape g")
    expect(page.locator("dialog#guidelines")).to_contain_text("A step is right")
    assert chosen(page) == "+..."


def test_raw_tex_is_one_key_away_and_a_broken_formula_shows(sit: Sit) -> None:
    made = Made(
        "What is $1+1$?", "2", ["It is $2$."], "circular", ["It is $\\frac{1}$ or \\(2^2\\)."], [1], ""
    )
    project = make.project()
    make.injected_item(project, made=made)
    page = claimed(sit(make.member(project)), project)
    expect(page.locator(".step .tex.failed")).to_have_text("$\\frac{1}$")
    expect(page.locator("#s0 .text .tex.set")).to_have_count(1)
    press(page, "t")
    expect(page.locator("#s0 .text")).to_have_text("It is $\\frac{1}$ or \\(2^2\\).")
    press(page, "t")
    expect(page.locator("#s0 .text .tex.set")).to_have_count(1)


def test_the_plain_form_is_complete_without_javascript(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    page = sit(make.member(project), java_script_enabled=False).open(f"/p/{project.slug}/mine/")
    page.get_by_role("button", name="Start the next item").click()
    for i, word in enumerate(["right", "wrong", "right"]):
        page.get_by_role("radiogroup", name=f"Step {i + 1}").get_by_role("radio", name=word).check()
    page.locator("#s1").get_by_text("false fact").click()
    page.get_by_role("button", name="Commit and reveal").click()
    expect(page.locator("#refusal")).to_contain_text("Not judged yet: step 4.")
    page.get_by_role("radiogroup", name="Step 4").get_by_role("radio", name="unsure").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Commit and reveal").click()
    page.get_by_label("reject").check()
    page.get_by_role("group", name="Is the original solution right?").get_by_label("unsure").check()
    page.get_by_role("button", name="Submit and open the next").click()
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    assert Annotation.objects.get(phase="revealed").labels == "+-+?"


EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> **bold** [x](javascript:alert(3)) "
    "$\\href{javascript:alert(4)}{x}$ $\\htmlData{a=b}{x}$ $\\includegraphics{//evil/x.png}$ \" ' </textarea>"
)


def test_hostile_text_stays_text(sit: Sit) -> None:
    project = make.project(name=f"P {EVIL[:100]}")
    project.guideline.text = EVIL
    project.guideline.save()
    made = Made(EVIL, EVIL, [EVIL, "b"], "circular", [EVIL + " c", "b " + EVIL], [1], EVIL, f"{EVIL} changed")
    make.injected_item(project, made=made)
    page = claimed(sit(make.member(project, "<b>eve</b>")), project)
    press(page, "n")
    page.keyboard.type(EVIL)
    press(page, "Escape e End")
    page.keyboard.type(EVIL)
    press(page, "Escape g")
    expect(page.locator("dialog#guidelines")).to_contain_text("bold")
    press(page, "Escape 1 1 Enter")
    expect(page.locator(".claim")).to_contain_text("<script>alert(1)</script>")
    page.reload()
    press(ready(page), "a 1 v t t Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    page.locator("table a").click()
    expect(page.locator("#s0")).to_contain_text("onerror=alert(2)")
    inside = "main script:not([type]), main img, main a[href^=javascript], main [data-a], main b"
    assert page.locator(inside).count() == 0


def test_everyone_can_use_it(sit: Sit) -> None:
    project = make.project()
    for number in (0, 2):
        make.injected_item(project, number)
    page = claimed(sit(make.member(project)), project)
    press(page, "1 1 3 c 1 2 4")
    check_both(page)
    press(page, "l 1 1 e")
    check_both(page)
    press(page, "Escape Enter")
    expect(page.locator(".claim")).to_be_visible()
    check_both(ready(page))
    press(page, "a 1 Enter")
    expect(page.locator(".step")).to_have_count(3)
    check_both(ready(page))
    press(page, "?")
    check_both(page)
    press(page, "Escape g")
    expect(page.locator("dialog#guidelines")).to_contain_text("right")
    check_both(page)
    page.goto(page.url.split("/review/")[0] + "/mine/")
    check_both(page)
    page.locator("table a").click()
    check_both(ready(page))


def test_everyone_can_use_what_stops_at_the_first_error(sit: Sit) -> None:
    project = make.project(protocol=Protocol.LABEL_STEPS)
    make.plain_item(project, 1)
    page = claimed(sit(make.member(project)), project)
    press(page, "3")
    check(page)


@pytest.mark.parametrize(("width", "size"), [("wide", DESKTOP), ("phone", PHONE)])
def test_it_looks_as_it_should(sit: Sit, width: str, size: dict[str, int]) -> None:
    """For the eye: the screenshots are looked at, not compared."""
    project = make.project()
    for number in range(3):
        make.injected_item(project, number)
    page = claimed(sit(make.member(project), viewport=size), project)
    press(page, "1 1 3 c")
    saved(page)
    look(page, f"review-blind-{width}")
    press(page, "j 1 1 1 1 Enter")
    expect(page.locator(".claim")).to_be_visible()
    look(ready(page), f"review-revealed-{width}")
    press(page, "a 1 Enter")
    expect(page.locator(".step")).to_have_count(4)
    press(ready(page), "1 e")
    look(page, f"review-edit-{width}")
    press(page, "Escape ?")
    look(page, f"review-keys-{width}")
    page.goto(page.url.split("/review/")[0] + "/mine/")
    look(page, f"mine-{width}")
