"""What makes hours of review comfortable, in a real browser: long solutions, the calculator, the clock, large text."""

import re
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

import annotator
from annotator.models import Assignment, Item, Project, Protocol
from tests import factories as make
from tests.e2e.conftest import DESKTOP, PHONE, check, look
from tests.e2e.test_review import chosen, claimed, press, ready, saved
from tests.made import Made

Sit = Callable[..., Any]

N_LONG = 107
STATIC = Path(annotator.__file__).parent / "static" / "annotator"


def long_item(of: Project, n_steps: int = N_LONG) -> Item:
    """Every third step was changed, and claimed to be wrong."""
    steps = [f"{i}. With $x_{{{i}}} = {i}$ the sum is ${i * (i + 1) // 2}$." for i in range(1, n_steps + 1)]
    changed = [f"{step} Clearly." if i % 3 == 2 else step for i, step in enumerate(steps)]
    wrong = list(range(3, n_steps + 1, 3))
    made = Made("What is the sum?", f"{n_steps}", steps, "confidence", changed, wrong, "Made up.")
    return make.injected_item(of, made=made)


# --- Long solutions ---------------------------------------------------------------------------------------------


def test_the_rail_follows_the_labels_and_jumps(sit: Sit) -> None:
    project = make.project()
    long_item(project)
    page = claimed(sit(make.member(project)), project)
    rail = page.get_by_role("navigation", name="Steps")
    expect(rail.get_by_role("link")).to_have_count(N_LONG)
    press(page, "1 3")
    expect(rail.get_by_role("link", name="Step 1: right")).to_be_visible()
    expect(rail.locator("[data-label='-']")).to_have_attribute("aria-label", "Step 2: wrong")
    rail.get_by_role("link", name="Step 2: wrong").focus()
    press(page, "End Enter")
    expect(page.locator("#s106")).to_be_focused()
    expect(page.locator("#s106")).to_be_in_viewport()
    expect(rail.locator("[aria-current]")).to_have_text("107·")
    expect(rail.locator("[aria-current]")).to_be_in_viewport()
    press(page, "4 l")
    expect(page.locator("#s2")).to_be_focused()
    expect(page.locator("#s2")).to_be_in_viewport()
    assert rail.locator("[tabindex='0']").count() == 1
    press(page, "u u")
    expect(rail.get_by_role("link", name="Step 2: not judged")).to_be_visible()


def test_the_rail_says_what_is_missing_and_what_differs(sit: Sit) -> None:
    project = make.project()
    long_item(project, 20)
    page = claimed(sit(make.member(project)), project)
    rail = page.get_by_role("navigation", name="Steps")
    press(page, " ".join(["1"] * 19))
    press(page, "Enter")
    expect(rail.get_by_role("link", name="Step 20: not judged, missing")).to_be_visible()
    press(page, "1 Enter")
    expect(page.locator(".claim")).to_be_visible()
    ready(page)
    expect(rail.locator(".differs")).to_have_count(6)
    page.locator("#s2").focus()
    press(page, "3")
    expect(rail.locator(".differs")).to_have_count(5)
    check(page)


def test_the_rail_is_links_without_scripts_and_not_there_for_short_solutions(sit: Sit) -> None:
    project = make.project()
    long_item(project, 16)
    make.injected_item(project, 0)
    seat = sit(make.member(project), java_script_enabled=False)
    page = seat.open(f"/p/{project.slug}/mine/")
    page.get_by_role("button", name="Start the next item").click()
    page.get_by_role("link", name="Step 16: not judged").click()
    expect(page.locator("#s15")).to_be_in_viewport()
    page.get_by_text("Skip…").click()
    page.get_by_label("Why do you skip it?").fill("Too long.")
    page.get_by_role("button", name="Skip this item").click()
    expect(page.locator(".step")).to_have_count(7)
    assert page.locator(".rail").count() == 0


@pytest.mark.parametrize(("width", "size"), [("wide", DESKTOP), ("phone", PHONE)])
def test_a_long_solution_looks_as_it_should(sit: Sit, width: str, size: dict[str, int]) -> None:
    """For the eye: the screenshots are looked at, not compared."""
    project = make.project()
    long_item(project)
    page = claimed(sit(make.member(project), viewport=size), project)
    press(page, "1 2 3 c j 4 1 1 1 1 1 1 1 1 3")
    saved(page)
    look(page, f"long-{width}")


def test_an_address_with_a_step_opens_there_and_a_key_copies_it(sit: Sit) -> None:
    project = make.project()
    long_item(project, 40)
    seat = sit(make.member(project), permissions=["clipboard-read", "clipboard-write"])
    page = claimed(seat, project)
    address = page.url
    page.goto(f"{address}#s30")
    page.reload()
    ready(page)
    expect(page.locator("#s30")).to_be_focused()
    expect(page.locator("#s30")).to_be_in_viewport()
    press(page, "j #")
    expect(page.locator("#passing")).to_have_text("Link to step 32 copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{address}#s31"
    page.get_by_role("link", name="Link to step 34").click()
    expect(page.locator("#s33")).to_have_class("step here")
    assert page.url == f"{address}#s33"


# --- The calculator ---------------------------------------------------------------------------------------------


def test_the_calculator_computes_beside_the_steps(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    page = claimed(sit(make.member(project)), project)
    press(page, "1 =")
    panel = page.get_by_role("region", name="Calculator")
    expect(panel.get_by_role("textbox")).to_be_focused()
    page.keyboard.type("1/3 + \\frac{1}{6}")
    expect(panel.locator("output")).to_have_text("= 1/2 = 0.5")
    press(page, "Enter")
    page.keyboard.type("ans * 3!")
    press(page, "Enter")
    expect(panel.locator(".lines li")).to_have_text(["1/3 + \\frac{1}{6} = 1/2 = 0.5", "ans * 3! = 3"])
    page.keyboard.type("7 % 3")
    press(page, "Enter")
    expect(panel.locator("output")).to_have_text("% is per cent: for the remainder write mod")
    check(page)
    panel.get_by_role("button", name="Put the last line into the note").click()
    press(page, "Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#s1")).to_be_focused()
    press(page, "3")
    saved(page)
    assert Assignment.objects.get().draft["note"] == "ans * 3! = 3\n"
    assert chosen(page) == "+-.."
    page.reload()
    press(ready(page), "=")
    expect(panel.locator(".lines li")).to_have_count(2)
    press(page, "ArrowUp")
    expect(panel.get_by_role("textbox")).to_have_value("ans * 3!")


# Python says what the calculator has to say. `/` by zero is left out: it is refused, and tested by itself.
leaves = st.integers(0, 999).map(str) | st.decimals(0, 99, places=2).map(str)


def joined(parts: Any) -> Any:
    pair = st.tuples(parts, st.sampled_from(["+", "-", "*", "/"]), parts).map(
        lambda p: f"({p[0]}{p[1]}{p[2]})"
    )
    return (
        pair
        | parts.map(lambda p: f"(-{p})")
        | st.tuples(parts, st.integers(0, 3)).map(lambda p: f"({p[0]})^{p[1]}")
    )


def in_python(text: str) -> str:
    """The same expression on fractions: our own text, made above, so that eval reads nothing foreign."""
    numbers = re.sub(r"\d+(\.\d+)?", lambda found: f"F('{found[0]}')", text)
    try:
        value = eval(numbers.replace("^F", "**F"), {"F": Fraction})
    except ZeroDivisionError:
        return "division by zero"
    return str(value)


@pytest.fixture(scope="module")
def reckoner(browser: Browser) -> Iterator[Page]:
    """A page that has the calculator's modules, served from their files."""
    page = browser.new_page()
    page.route("**/*", lambda route: serve(route))
    page.goto("http://calculator.test/")
    yield page
    page.close()


def serve(route: Any) -> None:
    name = route.request.url.rsplit("/", 1)[-1]
    if not name:
        return route.fulfill(body="<!doctype html><title>x</title>", content_type="text/html")
    return route.fulfill(path=STATIC / name, content_type="text/javascript")


EXACT = """async (lines) => {
  const { evaluate } = await import('/arithmetic.js')
  const { exactText, decimalText } = await import('/rational.js')
  const one = (line) => {
    try {
      const value = evaluate(line)
      if ('equal' in value) return value.equal ? 'equal' : 'not equal'
      return [('n' in value) ? (value.d === 1n ? `${value.n}` : `${value.n}/${value.d}`) : '', decimalText(value).text]
    } catch (error) { return error.message }
  }
  return lines.map(one)
}"""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.recursive(leaves, joined, max_leaves=12), min_size=1, max_size=20))
def test_the_calculator_agrees_with_fractions(reckoner: Page, lines: list[str]) -> None:
    for line, said in zip(lines, reckoner.evaluate(EXACT, lines), strict=True):
        wanted = in_python(line)
        assert (said[0] if isinstance(said, list) else said) == wanted, line
        if isinstance(said, list):
            exact = Fraction(wanted)
            assert abs(Fraction(said[1]) - exact) <= abs(exact) * Fraction(1, 10**11), line


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-2^2", ["-4", "-4"]),
        ("2^3^2", ["512", "512"]),
        ("20!/18!", ["380", "380"]),
        ("binomial(10, 3) + gcd(12, 18) + lcm(4, 6)", ["138", "138"]),
        ("-7 mod 3", ["2", "2"]),
        ("50% * 8", ["4", "4"]),
        ("sqrt(9/4) + 8^(1/3)", ["7/2", "3.5"]),
        ("sqrt(2)", ["", "1.41421356237"]),
        ("pi", ["", "3.14159265359"]),
        ("2/3", ["2/3", "0.666666666667"]),
        ("$\\frac{3}{4} \\cdot 8$", ["6", "6"]),
        ("0.1 + 0.2 = 0.3", "equal"),
        ("sqrt(2)^2 = 2", "equal"),
        ("1/3 = 0.333", "not equal"),
        ("1/0", "division by zero"),
        ("sqrt(-1)", "not a real number"),
        ("9^9^9", "too large for this calculator"),
        ("1001!", "! is of 0 to 1000"),
        ("", "something is missing at the end"),
        ("(1", "“)” is missing at the end"),
        ("2(3)", "write * or another sign before “(”"),
        ("1,000", "write numbers without commas"),
        ("alert(1)", "“alert” is not known here"),
        ("constructor(1)", "“constructor” is not known here"),
        ("(" * 400, "too many brackets or signs inside each other"),
        ("1" * 501, "at most 500 characters"),
    ],
)
def test_what_the_calculator_says(reckoner: Page, line: str, said: Any) -> None:
    assert reckoner.evaluate(EXACT, [line]) == [said]


# --- The clock --------------------------------------------------------------------------------------------------


def spent(page: Page) -> int:
    return int(page.locator("[name=duration_ms]").input_value())


def test_only_time_at_work_counts(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    seat = sit(make.member(project))
    seat.page.clock.install()
    page = claimed(seat, project)
    seat.page.clock.pause_at(time.time() + 60)
    press(page, "j")
    start = spent(page)
    page.clock.run_for(30_000)
    assert 29_000 <= spent(page) - start <= 31_000
    page.clock.run_for(600_000)  # nobody is there: the minute after the last key counts, the rest does not
    assert 59_000 <= spent(page) - start <= 61_000
    press(page, "k")
    page.clock.run_for(10_000)
    assert 69_000 <= spent(page) - start <= 71_000
    hide(page, True)
    page.clock.run_for(20_000)
    hide(page, False)
    assert 69_000 <= spent(page) - start <= 71_000
    page.clock.run_for(5_000)
    assert 74_000 <= spent(page) - start <= 76_000


def hide(page: Page, hidden: bool) -> None:
    """What a browser does with a tab that goes out of view."""
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        hidden,
    )


# --- Large text -------------------------------------------------------------------------------------------------


def test_large_text_is_one_key_away_and_stays(sit: Sit) -> None:
    project = make.project()
    make.injected_item(project, 1)
    member = make.member(project)
    seat = sit(member)
    page = claimed(seat, project)
    with page.expect_response("**/account/"):
        press(page, "+")
    expect(page.locator("body.large")).to_be_visible()
    page.reload()
    expect(page.locator("body.large")).to_be_visible()
    check(ready(page))
    expect(seat.open("/account/").get_by_label("Large text")).to_be_checked()
    seat.page.get_by_label("Large text").uncheck()
    seat.page.get_by_role("button", name="Save").click()
    member.user.refresh_from_db()
    assert not member.user.large_text


@pytest.mark.parametrize(("width", "size"), [("wide", DESKTOP), ("phone", PHONE)])
def test_large_text_and_calculator_look_as_they_should(sit: Sit, width: str, size: dict[str, int]) -> None:
    """For the eye: the screenshots are looked at, not compared."""
    project = make.project()
    make.injected_item(project, 0)
    member = make.member(project)
    page = claimed(sit(member, viewport=size), project)
    press(page, "1 1 3 c")
    saved(page)
    press(page, "=")
    for line in ("(1.82 - 1.24)/2", "100!/98!", "sqrt(2)", "0.1 + 0.2 = 0.3"):
        page.keyboard.type(line)
        press(page, "Enter")
    page.keyboard.type("22/7 - pi")
    look(page, f"calculator-{width}")
    press(page, "Escape +")
    look(page, f"large-{width}")


# --- One's own work ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "size"), [("wide", DESKTOP), ("phone", PHONE)])
def test_own_work_is_found_again(sit: Sit, width: str, size: dict[str, int]) -> None:
    project = make.project(protocol=Protocol.LABEL_STEPS)
    for number in range(3):
        make.plain_item(project, number)
    page = claimed(sit(make.member(project), viewport=size), project)
    press(page, "1 1 3 c Enter")
    expect(page.locator(".step")).to_have_count(4)
    page.goto(page.url.split("/review/")[0] + "/mine/")
    page.get_by_label("Words of the problem").fill("PENCIL eraser")
    page.get_by_label("Wrong at step").fill("3")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(2)
    look(page, f"history-{width}")
    page.get_by_label("Wrong at step").fill("2")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nothing of yours is like that.")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    page.get_by_role("row").get_by_role("link").click()
    expect(page.locator(".step")).to_have_count(7)
