"""Settling what reviewers differ on, by keys and without scripts, and reading where one differs, in a browser."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotator.actions import adjudicate as acts
from annotator.models import Annotation, Item, Membership, Phase, Rater, Role
from tests import factories as make
from tests.annotator.reviewed import submitted
from tests.e2e.conftest import DESKTOP, PHONE, look


class World:
    """Three items of injected errors on which Alice, Bob and Carol differ; machines said something too."""

    def __init__(self) -> None:
        self.project = make.project(overlap=3)
        self.lead = make.member(self.project, "lead", Role.OWNER)
        self.people = [make.member(self.project, name) for name in ("alice", "bob", "carol")]
        self.items = [make.injected_item(self.project, number) for number in (0, 1, 3)]
        judge, _ = Rater.objects.get_or_create(kind="judge", name="some-model")
        for item in self.items:
            n = item.solution.n_steps
            make.machine_labels(item.solution, judge, "+" * n)
            said = ["+-" + "+" * (n - 2), "+" * n, "++" + "-" + "?" * (n - 3)]
            for me, labels in zip(self.people, said, strict=True):
                types = {"1": ["counterfactual"]} if labels[1] == "-" else {}
                submitted(me, item, labels, error_types=types, note="See step 2: is $x^2-9$ a square?")


@pytest.fixture
def world(transactional_db: None) -> World:
    return World()


def path(world: World, item: Item) -> str:
    return f"/p/{world.project.slug}/items/{item.pk}/adjudicate/"


def labels(page: Page) -> str:
    """What the form would send."""
    chosen = "(row) => row.querySelector('.pick :checked')?.value ?? '.'"
    found = page.evaluate(f"[...document.querySelectorAll('tr[data-step]')].map({chosen})")
    return "".join(found)


def settled(world: World, item: Item, labels: str) -> None:
    item.refresh_from_db()
    acts.settle(
        by=world.lead, item_id=item.pk, labels=labels, error_types={"1": ["counterfactual"]}, cause="guideline_gap",
        reason="Step 2 factors a difference of squares as a square, so $x-3$ is wrong.",
        seen=acts.seen_version(item),
    )  # fmt: skip


def test_an_item_is_settled_by_keys_alone(sit: Callable[..., Any], world: World) -> None:
    seat = sit(world.lead)
    page = seat.open(f"/p/{world.project.slug}/adjudicate/?next=1")
    expect(page.locator("h1")).to_have_text(f"Settle item {world.items[0].pk}")
    begun = labels(page)
    expect(page.locator("tr.here .number")).to_contain_text("2")  # the first difference
    columns = page.evaluate(
        "[...document.querySelectorAll('tr[data-step=\"1\"] .cell')].map((cell) => cell.dataset.label)"
    )
    wrong = columns.index("-")
    page.keyboard.press("abc"[wrong])
    assert labels(page)[1] == "-"
    expect(page.locator("[name=type-1]:checked")).to_have_value("counterfactual")
    page.keyboard.press("j")
    page.keyboard.press("0")
    assert labels(page)[1:3] == "-0"
    page.keyboard.press("k")
    page.keyboard.press("?")
    assert labels(page)[1:3] == "?0"
    for _ in range(3):
        page.keyboard.press("u")
    assert labels(page) == begun
    page.keyboard.press(str(columns.index("+") + 1))
    whole = labels(page)
    page.keyboard.press("u")
    assert labels(page) == begun
    page.keyboard.press(str(wrong + 1))
    assert labels(page) == "+-+++++"
    assert whole != labels(page)
    page.keyboard.press("Enter")
    expect(page.locator("#refusal")).to_contain_text("Say why the reviewers differ.")
    assert labels(page) == "+-+++++"
    page.keyboard.press("r")
    page.keyboard.type("j, k and 1 are letters here")
    page.keyboard.press("Escape")
    page.get_by_label("The guidelines do not say").check()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(f"Settle item {world.items[1].pk}")
    made = Annotation.objects.get(phase=Phase.ADJUDICATION)
    assert (made.labels, made.note) == ("+-+++++", "j, k and 1 are letters here")
    assert made.error_types == {"1": ["counterfactual"]}
    assert made.bulk == [0, 1, 2, 3, 4, 5, 6]  # a column taken over at one press


def test_the_mouse_takes_over_cells_and_columns(sit: Callable[..., Any], world: World) -> None:
    page = sit(world.lead).open(path(world, world.items[1]))
    page.locator("tr[data-step='1'] .cell[data-label='-']").click()
    assert labels(page)[1] == "-"
    assert page.locator("[name=bulk]").input_value() == "0+"
    page.keyboard.press("k")
    page.keyboard.press("+")  # the same label, but now looked at
    assert page.locator("[name=bulk]").input_value() == ""
    page.keyboard.press("u")
    assert page.locator("[name=bulk]").input_value() == "0+"
    page.locator("tr[data-step='3'] .pick input[value='0']").check()
    page.keyboard.press("u")
    assert labels(page)[3] == "."
    page.get_by_role("button", name="Take all").nth(0).click()
    assert "." not in labels(page)
    page.get_by_role("link", name="Show names").click()
    expect(page.locator("thead")).to_contain_text("alice")


def test_without_javascript(sit: Callable[..., Any], world: World) -> None:
    page = sit(world.lead, java_script_enabled=False).open(path(world, world.items[1]))
    page.locator("tr[data-step='1'] .cell[data-label='-']").click()
    expect(page.locator("tr[data-step='1'] .pick input[value='-']")).to_be_checked()
    page.get_by_role("button", name="Take all").nth(0).click()
    page.get_by_label("A reviewer was mistaken").check()
    page.get_by_label("Reason", exact=True).fill("Mistaken.")
    page.get_by_role("button", name="Settle and open the next").click()
    expect(page.locator("h1")).to_have_text(f"Settle item {world.items[0].pk}")
    assert Item.objects.get(pk=world.items[1].pk).decision == "settled"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "390"])
def test_how_the_pages_look(sit: Callable[..., Any], world: World, size: dict[str, int]) -> None:
    lead, carol = (sit(who, viewport=size) for who in (world.lead, world.people[2]))
    settled(world, world.items[1], "+-++")
    settled(world, world.items[2], "++0++")
    pages: list[tuple[str, Any, str]] = [
        ("adjudicate-full", lead, f"/p/{world.project.slug}/adjudicate/"),
        ("adjudicate-item-full", lead, path(world, world.items[0])),
        ("item-settled", lead, f"/p/{world.project.slug}/items/{world.items[1].pk}/"),
        ("differences-full", carol, f"/p/{world.project.slug}/mine/differences/"),
        ("review-decided", carol, f"/p/{world.project.slug}/review/{mine(carol_of(world), world.items[1])}/"),
    ]
    for name, seat, address in pages:
        page = seat.open(address)
        page.wait_for_load_state("load")
        look(page, f"{name}-{size['width']}")


def carol_of(world: World) -> Membership:
    return world.people[2]


def mine(me: Membership, item: Item) -> int:
    return item.assignments.get(rater=me.rater).pk
