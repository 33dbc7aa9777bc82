"""Each protocol by the keyboard alone, in a real browser, from the claim to the last submission."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator.core.labels import MULTI_SOLUTIONS
from annotator.models import Annotation, Assignment, Finding, Item, Project, Protocol, Rater, Role
from tests import factories as make
from tests.annotator.foreign import DATA, imported
from tests.e2e.conftest import DESKTOP, PHONE, SCREENSHOTS, check, look, shoot
from tests.e2e.test_review import chosen, claimed, press, ready, saved
from tests.made import Made

Sit = Callable[..., Any]

OTHER_WAY = Made(
    "For which $x$ is $\\frac{x^2 - 9}{x - 3} = 7$?",
    "4",
    ["There the left side is $x + 3$.", "So $x + 3 = 7$, which gives $x = \\boxed{4}$."],
    MULTI_SOLUTIONS,
    [
        "Multiply by $x - 3$: $x^2 - 9 = 7x - 21$.",
        "So $x^2 - 7x + 12 = 0$, with the roots $3$ and $4$.",
        "The left side is not defined at $3$, so $x = \\boxed{4}$.",
    ],
    [],
    "",
)


def prm800k() -> Project:
    """The first record has another three ways to go on from its third step."""
    project = make.project(protocol=Protocol.LABEL_STEPS, name="Step labels")
    imported(project, DATA / "prm800k.jsonl", format="prm800k")
    first = project.items.order_by("id")[0]
    project.items.exclude(pk=first.pk).update(held=True)
    return project


def verify_labels() -> Item:
    item = make.plain_item(make.project(protocol=Protocol.VERIFY_LABELS, name="Machine labels"), 1)
    for kind, labels, scores in (
        ("judge", "+-..", None),
        ("prm", "+--+", [0.93, 0.21, 0.08, 0.66]),
        ("rollouts", "++-+", [1.0, 0.75, 0.0, 1.0]),
    ):
        rater = Rater.objects.create(kind=kind, name=f"a {kind}", spec={"n": 8})
        row = make.machine_labels(item.solution, rater, labels)
        Annotation.objects.filter(pk=row.pk).update(scores=scores)
    return item


def check_solution() -> Item:
    return make.injected_item(
        make.project(protocol=Protocol.CHECK_SOLUTION, name="Other solutions"), made=OTHER_WAY
    )


def verify_injection() -> Item:
    item = make.injected_item(make.project(), 1)
    for code, position, detail in (
        ("changed_unclaimed", 2, ""),
        ("other_answer", None, "10, not 4"),
    ):
        Finding.objects.create(
            project=item.project, solution=item.solution, code=code, position=position, detail=detail
        )
    return item


def of_last_step() -> dict[str, str]:
    rows = Annotation.objects.filter(rater__kind="reviewer", superseded_at=None).select_related("solution")
    return {row.solution.steps[-1]: row.labels for row in rows}


def test_label_steps(sit: Sit) -> None:
    project = prm800k()
    page = claimed(sit(make.member(project)), project)
    expect(page.locator(".others")).to_be_hidden()
    press(page, "2 1 3")
    expect(page.locator("#s2 .other").first).to_be_visible()
    expect(page.locator("#s2")).to_be_focused()
    press(page, "j 1 2 k 3")
    expect(page.locator("#s2 .other").nth(2)).to_be_focused()
    press(page, "j")
    expect(page.locator("#s3")).to_be_focused()
    press(page, "k j k")
    expect(page.locator("#s2")).to_be_focused()
    saved(page)
    page.reload()
    expect(page.locator("#s2 .other").nth(1).get_by_role("radio", name="wrong")).to_be_checked()
    press(ready(page), "Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    assert of_last_step() == {
        "# Answer\n\n3": "0+-.",
        "So there must be $4$ trips.": "..+",
        "Trips are made by ferry.": "..-",
    }


def test_an_alternative_is_undone_and_cleared(sit: Sit) -> None:
    project = prm800k()
    page = claimed(sit(make.member(project)), project)
    press(page, "1 1 3 j 1 1")
    first, second = (page.locator("#s2 .other").nth(n) for n in (0, 1))
    expect(second.get_by_role("radio", name="right")).to_be_checked()
    press(page, "u")
    expect(second.locator(":checked")).to_have_count(0)
    press(page, "j .")
    expect(first.locator(":checked")).to_have_count(0)
    saved(page)
    assert Assignment.objects.get().draft["alternatives"] == {}


def test_the_rest_is_labelled_in_one_act_and_undone_in_one(sit: Sit) -> None:
    project = make.project(protocol=Protocol.LABEL_STEPS)
    make.plain_item(project, 0)
    page = claimed(sit(make.member(project)), project)
    press(page, "b")
    expect(page.locator("#refusal")).to_contain_text("Label this step first")
    press(page, "1 2 b")  # the label has moved on: the step before is meant
    assert chosen(page) == "+000000"
    expect(page.locator(".step.bulk")).to_have_count(5)
    press(page, "u")
    assert chosen(page) == "+0....."
    expect(page.locator(".step.bulk")).to_have_count(0)
    press(page, "k b j 2 1")  # the same label by hand, then another
    expect(page.locator(".step.bulk")).to_have_count(3)
    saved(page)
    page.reload()
    expect(page.locator(".step.bulk")).to_have_count(3)
    press(ready(page), "Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    stored = Annotation.objects.get()
    assert (stored.labels, stored.bulk) == ("+00+000", [4, 5, 6])


def test_the_rest_is_labelled_without_a_script_too(sit: Sit) -> None:
    project = make.project(protocol=Protocol.LABEL_STEPS)
    make.plain_item(project, 0)
    page = sit(make.member(project), java_script_enabled=False).open(f"/p/{project.slug}/mine/")
    page.get_by_role("button", name="Start the next item").click()
    page.get_by_role("radiogroup", name="Step 2").get_by_role("radio", name="right").check()
    page.locator("#s1 summary").click()
    page.locator("#s1").get_by_role("button", name="Label the rest like it").click()
    expect(page.locator(".step.bulk")).to_have_count(5)
    assert page.url.endswith("#s1")
    assert Assignment.objects.get().draft["labels"] == ".++++++"


def test_verify_labels(sit: Sit) -> None:
    item = verify_labels()
    page = claimed(sit(make.member(item.project)), item.project)
    assert page.locator(".said").count() == 0
    press(page, "1 1 1 1 Enter")
    expect(page.locator(".claim")).to_contain_text("2 of 4 steps differ from yours")
    expect(page.locator(".claim")).to_be_focused()
    press(ready(page), "l")
    expect(page.locator("#s1")).to_be_focused()
    expect(page.locator("#s1 .said.differs")).to_have_count(2)
    press(page, "3")
    expect(page.locator("#s1 .said.differs")).to_have_count(1)
    press(page, "l")
    expect(page.locator("#s2")).to_be_focused()
    press(page, "u l")
    expect(page.locator("#s2")).to_be_focused()
    press(page, "3 Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    rows = Annotation.objects.exclude(phase="machine")
    assert dict(rows.values_list("phase", "labels")) == {"blind": "++++", "revealed": "++-+"}
    page.locator("table a").click()
    expect(page.locator("#s0 .saids")).to_contain_text("rollouts")


def test_check_solution(sit: Sit) -> None:
    item = check_solution()
    page = claimed(sit(make.member(item.project)), item.project)
    press(page, "1 1 1")
    right, different, answer = (
        page.locator(f"[data-question={name}]") for name in ("right", "different", "answer")
    )
    expect(right.locator("input").first).to_be_focused()
    press(page, "1 3")
    expect(answer.locator("input").first).to_be_focused()
    press(page, "k 1 k k k")
    expect(page.locator("#s2")).to_be_focused()
    press(page, "j j j 4")
    expect(page.locator("#main-action")).to_be_focused()
    press(page, "Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    stored = Annotation.objects.get(rater__kind="reviewer")
    assert stored.verdict == {"right": "yes", "different": "yes", "answer": "unsure"}
    assert right.count() == different.count() == 0


def test_verify_injection(sit: Sit) -> None:
    item = verify_injection()
    page = claimed(sit(make.member(item.project)), item.project)
    assert page.locator(".found").count() == 0
    press(page, "1 3 f j 1 1 Enter")
    expect(page.locator(".claim .found")).to_contain_text("Another answer: 10, not 4")
    expect(page.locator("#s2 .found")).to_contain_text("Changed, but not claimed")
    press(ready(page), "l a 1 Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    assert Annotation.objects.get(phase="revealed").labels == "+-++"


def test_a_projects_own_error_types(sit: Sit) -> None:
    own = [
        {"code": "edit", "title": "wrong unit", "key": "p", "definition": "Metres are no seconds."},
        {"code": "typo", "title": "typo", "key": "j", "definition": "Letters out of order."},
    ]
    project = make.project(error_types=own)
    make.injected_item(project, 1)
    page = claimed(sit(make.member(project)), project)
    press(page, "3 p")
    expect(page.locator("#s0 .chip:has(:checked)")).to_contain_text("wrong unit")
    press(page, "j ?")
    expect(page.locator("#s1")).to_have_class("step here")
    expect(page.locator("dialog#keys")).to_contain_text("its key is that of: next step")
    shoot(page, "protocol-own-types-keys")
    press(page, "Escape")
    check(page)


def at_alternatives(page: Page) -> None:
    press(page, "2 1 3 j 1 3")
    saved(page)


def at_bulk(page: Page) -> None:
    press(page, "1 2 b 1")
    saved(page)


def at_reveal(page: Page) -> None:
    press(page, "1 1 1 1 Enter")
    expect(page.locator(".claim")).to_be_visible()
    press(ready(page), "l")


def at_questions(page: Page) -> None:
    press(page, "1 1 1 1")
    saved(page)


SCENES: list[tuple[str, Callable[[], Any], Callable[[Page], None]]] = [
    ("label-steps", lambda: prm800k(), at_alternatives),
    ("bulk", lambda: make.plain_item(make.project(protocol=Protocol.VERIFY_LABELS), 0).project, at_bulk),
    ("verify-labels", lambda: verify_labels().project, at_reveal),
    ("check-solution", lambda: check_solution().project, at_questions),
    ("verify-injection", lambda: verify_injection().project, at_reveal),
]


@pytest.mark.parametrize(("width", "size"), [("wide", DESKTOP), ("phone", PHONE)])
@pytest.mark.parametrize(("name", "made", "act"), SCENES)
def test_every_protocol_looks_as_it_should(
    sit: Sit, width: str, size: dict[str, int], name: str, made: Any, act: Any
) -> None:
    """For the eye; and nobody is kept out."""
    project = made()
    page = claimed(sit(make.member(project), viewport=size), project)
    act(page)
    look(page, f"protocol-{name}-{width}")


def test_a_lead_reads_alternatives_and_bulk(sit: Sit) -> None:
    project = prm800k()
    page = claimed(sit(make.member(project, "alice")), project)
    press(page, "1 b j 3 j 1 2")
    saved(page)
    press(page, "Enter")
    expect(page.get_by_text("Nothing is left for you")).to_be_visible()
    item = project.items.order_by("id")[0]
    page = sit(make.member(project, "lead", Role.LEAD)).open(f"/p/{project.slug}/items/{item.pk}/")
    expect(page.get_by_role("table", name="Other ways to go on")).to_contain_text("alice")
    expect(page.get_by_text("bulk", exact=True)).to_have_count(1)
    check(page)
    page.screenshot(path=SCREENSHOTS / "protocol-item-page.png", full_page=True)
