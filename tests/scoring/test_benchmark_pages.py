"""The pages of a project's benchmarks: the numbers of scoring.evaluations, links, forms, files, and what is refused."""

import csv
import io
import re
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotator.models import Decision, Event, Item, Rater
from scoring import evaluations
from tests import factories
from tests.annotator.reviewed import submitted
from tests.scoring.benched import Bench, bench

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(client: Client) -> Bench:
    made = bench()
    client.force_login(made.lead.user)
    return made


def text(client: Client, url: str, **query: object) -> str:
    answer = client.get(url, query, follow=True)
    assert answer.status_code == 200, answer.content.decode()
    return re.sub(r"\s+", " ", answer.content.decode())


def report_url(world: Bench, rater: Rater | None = None) -> str:
    return f"{world.url}prmbench/raters/{(rater or world.model).pk}/"


def test_the_leaderboard_names_everybody_on_both_sides(client: Client, world: Bench) -> None:
    page = text(client, world.url)
    assert "8 items, 4 of them with gold" in page
    for name in (
        "prm:half",
        "prm:half-blind",
        "all valid",
        "fair coin",
        "base rate",
        "People, published",
        "83.8",
    ):
        assert name in page
    assert report_url(world) in page
    assert "57.7 on average of 14 process reward models, later table" in page
    rows = client.get(f"{world.url}prmbench/", {"format": "json"}).json()["rows"]
    half = next(row for row in rows if row["rater"]["name"] == "prm:half")
    assert half["gold"]["score"] != half["released"]["score"]
    shown = f"{half['gold']['score']:.1f}"
    assert shown in page


def test_the_leaderboard_as_a_table(client: Client, world: Bench) -> None:
    answer = client.get(f"{world.url}prmbench/", {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    sides = {row["labels"] for row in rows if row["rater"] == "prm:half"}
    assert sides == {"all", "released", "gold"}


def test_a_report_has_its_charts_with_tables(
    client: Client, world: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    half: dict[str, bool] = {}  # of four problems a hash may put all in one
    monkeypatch.setattr(
        "scoring.metrics.sweeps.is_chosen_on", lambda group: half.setdefault(group, len(half) % 2 == 0)
    )
    page = text(client, report_url(world))
    for heading in (
        "Bias",
        "Where in the solution",
        "Scores of right and wrong steps",
        "Calibration",
        "Threshold",
    ):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<summary>As a table</summary>") >= 3
    assert "released and gold" in page.lower()
    found = client.get(report_url(world), {"format": "json", "against": "gold"}).json()
    assert found["n_unparsed"] == 0
    assert found["labels"] == "gold"
    assert found["sweep"]["curve"]


def test_a_threshold_cuts_the_scores_anew_and_stays_in_the_form(client: Client, world: Bench) -> None:
    url = report_url(world)
    stored, cut = (
        client.get(url, {"format": "json", "against": "released", **query}).json()["score"]
        for query in ({}, {"threshold": "0"})
    )
    assert cut != stored  # above 0 is everything: nothing is called wrong
    page = text(client, url, threshold="0,5")
    assert 'value="0.5"' in page
    assert client.get(url, {"threshold": "much"}).status_code == 400
    assert client.get(url, {"threshold": "nan"}).status_code == 400


def test_a_kinds_misses_are_listed_and_sent_in_one_click(client: Client, world: Bench) -> None:
    url = f"{report_url(world)}misses/"
    page = text(client, url, kind="circular")
    missed = world.items[0::4]  # circular ones stand at even places, where the model says that all is right
    assert all(f"/items/{item.pk}/" in page for item in missed)
    assert "Send all 2 to review" in page
    data = {
        "all": "1",
        "kind": "circular",
        "against": "released",
        "do": "send",
        "next": f"{url}?kind=circular",
    }
    answer = client.post(url, data, follow=True)
    assert "2 items changed" in answer.content.decode()
    for item in missed:
        item.refresh_from_db()
        assert item.decision == Decision.INCOMPLETE
        assert item.priority == 1
    assert Event.objects.filter(verb="send_to_review").count() == 2
    said = Event.objects.filter(verb="send_to_review").values_list("data__because", flat=True)[0]
    assert "prm:half" in said
    back = client.post(url, data | {"do": "back"}, follow=True)
    assert "2 items changed" in back.content.decode()
    missed[0].refresh_from_db()
    assert missed[0].decision == Decision.AGREED


def test_one_item_is_sent_and_says_so_in_its_row(client: Client, world: Bench) -> None:
    url, item = f"{report_url(world)}misses/", world.items[0]
    client.post(url, {"item": item.pk, "do": "send"})
    item.refresh_from_db()
    assert (item.wanted, item.open_slots) == (2, 1)
    assert f'aria-label="Undo: item {item.pk}"' in text(client, url)
    client.post(url, {"item": item.pk, "do": "back"})
    item.refresh_from_db()
    assert (item.wanted, item.open_slots) == (1, 0)


def test_labels_of_undecided_items_are_not_told(client: Client, world: Bench) -> None:
    """Whoever reads others' labels gets no slot: that happens on the item's page, not here."""
    decided, undecided = world.items[0], world.items[4]
    rows = client.get(f"{report_url(world)}misses/", {"format": "json"}).json()["rows"]
    by_item = {row["item"]: row for row in rows}
    assert by_item[decided.pk]["steps"]
    assert by_item[undecided.pk]["steps"] is None
    page = text(client, f"{world.url}prmbench/compare/", a=world.model.pk, b=world.other.pk)
    assert "not decided: its labels are on its page" in page


def test_of_what_waits_neither_kind_nor_steps_nor_their_number_are_told(client: Client, world: Bench) -> None:
    waiting = world.items[4]
    for after in (None, f"{waiting.solution_id}-0", f"{waiting.solution_id}-1"):  # no cursor says it either
        rows = client.get(
            f"{report_url(world)}misses/", {"format": "json"} | ({"after": after} if after else {})
        ).json()
        (row,) = [row for row in rows["rows"] if row["item"] == waiting.pk]
        assert (row["kind"], row["steps"], row["n_steps"]) == (None, None, None)


def test_a_solution_in_a_second_item_that_waits_shows_nothing(client: Client, world: Bench) -> None:
    """Whoever may still get the second item must not read here what the first one came to."""
    first = world.items[0]
    second = factories.queued(world.project, first.solution, protocol="label_steps")

    def steps() -> list[Any]:
        rows = client.get(f"{report_url(world)}misses/", {"format": "json"}).json()["rows"]
        return [row["steps"] for row in rows if row["item"] in (first.pk, second.pk)]

    assert steps() == [None]
    assert "not decided" in text(client, f"{world.url}prmbench/compare/", a=world.model.pk, b=world.other.pk)
    Item.objects.filter(pk=second.pk).update(retired=True, held=True)
    assert steps()[0]


def test_two_raters_beside_each_other_name_the_labels_they_are_held_against(
    client: Client, world: Bench
) -> None:
    for side, other in (("released", "gold"), ("gold", "released")):
        page = client.get(
            f"{world.url}prmbench/compare/", {"a": world.model.pk, "b": world.other.pk, "against": side}
        )
        cells = re.findall(r'<td class="steps">(.*?)</td>', page.content.decode(), re.DOTALL)
        assert any(f", {side} <b>" in cell for cell in cells)
        assert not any(f"{other} <b>" in cell for cell in cells)


def test_people_stand_by_themselves_and_without_a_rank(client: Client, world: Bench) -> None:
    page = client.get(f"{world.url}prmbench/").content.decode()
    _, people = page.split('<th scope="rowgroup"', 2)[:2]
    assert "People" in people
    assert "of their own left out" in people
    assert not re.search(r'<td class="num">\d+</td><th scope="row">', people)


@pytest.mark.parametrize("benchmark", ["prmbench", "processbench"])
def test_a_report_of_whoever_made_all_the_gold_they_could_be_held_against(
    client: Client, benchmark: str
) -> None:
    world = bench(n=2, verified=2)
    client.force_login(world.lead.user)
    if benchmark == "processbench":
        item = factories.plain_item(world.project, 0)
        submitted(factories.member(world.project), item, "-" * item.solution.n_steps)
    people = [one for one in evaluations.raters(world.project, benchmark) if one.kind == "reviewer"]
    assert people
    for one in people:
        for against in ("both", "gold", "released"):
            page = text(client, f"{world.url}{benchmark}/raters/{one.id}/", against=against)
            assert ("left out against gold" in page) == (against != "released")


def test_what_waits_for_a_second_look_is_told(client: Client, world: Bench) -> None:
    client.post(f"{report_url(world)}misses/", {"do": "send", "item": [world.items[0].pk], "against": "gold"})
    assert "(1 under review" in text(client, f"{world.url}prmbench/")
    page = text(client, f"{world.url}prmbench/moved/")
    assert "<b>1</b> under review" in page
    assert "its labels are on its page" in page
    answer = client.get(f"{world.url}prmbench/moved/", {"format": "csv", "of": "steps"})
    assert len(b"".join(answer.streaming_content).splitlines()) == 1  # of what waits no label


def test_no_threshold_is_offered_where_none_can_be_set(client: Client, world: Bench) -> None:
    assert 'name="threshold"' in client.get(report_url(world)).content.decode()
    spec = {"model": "skywork-7b", "variant": "prmbench"}
    Rater.objects.filter(pk=world.model.pk).update(spec=spec)
    page = client.get(report_url(world)).content.decode()
    assert 'name="threshold"' not in page
    assert "drops from the step before" in page


def test_the_link_to_a_threshold_is_exact() -> None:
    threshold = (
        0.1 + 0.2
    )  # 0.30000000000000004: a step scores exactly that, and a rounded one cuts it elsewhere
    page = render_to_string(
        "scoring/_sweep.html", {"sweep": {"threshold": threshold}, "asked": {"labels": "gold"}}
    )
    assert f"threshold={threshold!r}" in page


def test_misses_as_a_table(client: Client, world: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.views.misses.AT_ONCE", 2)  # several pages
    answer = client.get(f"{report_url(world)}misses/", {"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    decided = [row for row in rows if row["item"] == str(world.items[0].pk)]
    assert [(row["position"], row["said"], row["released"]) for row in decided] == [
        ("2", "correct", "wrong"), ("3", "correct", "wrong"),
    ]  # fmt: skip
    undecided = [row for row in rows if row["item"] == str(world.items[4].pk)]
    assert [(row["position"], row["said"], row["kind"]) for row in undecided] == [
        ("", "", "")
    ]  # not how many, either
    assert {row["item"] for row in rows} == {str(item.pk) for item in world.items[::2]}


@pytest.mark.parametrize(
    "data",
    [
        {"do": "send"}, {"do": "send", "item": "x"}, {"do": "shout", "item": "1"},
        {"do": "send", "item": ["1", "-2"]}, {"do": "send", "item": "1", "against": "mine"},
    ],
)  # fmt: skip
def test_what_is_not_understood_changes_nothing(
    client: Client, world: Bench, data: dict[str, object]
) -> None:
    assert client.post(f"{report_url(world)}misses/", data).status_code == 400
    assert not Event.objects.filter(verb="send_to_review").exists()


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"]
)
def test_one_is_never_sent_elsewhere(client: Client, world: Bench, address: str) -> None:
    url = f"{report_url(world)}misses/"
    answer = client.post(url, {"item": world.items[0].pk, "do": "send", "next": address})
    assert answer["Location"] == url


def test_items_of_another_project_are_not_sent(client: Client, world: Bench) -> None:
    foreign = factories.injected_item(factories.project())
    answer = client.post(f"{report_url(world)}misses/", {"item": foreign.pk, "do": "send"}, follow=True)
    assert "1 are not there" in answer.content.decode()
    foreign.refresh_from_db()
    assert foreign.priority == 0


def test_two_raters_beside_each_other(client: Client, world: Bench) -> None:
    url = f"{world.url}prmbench/compare/"
    assert "Compare</button>" in text(client, url)
    query = {"a": world.model.pk, "b": world.other.pk}
    page = text(client, url, **query)
    assert "prm:half is ahead of prm:half-blind" in page or "points ahead of" in page
    assert "Where they disagree" in page
    assert f"/items/{world.items[1].pk}/" in page
    found = client.get(url, query | {"format": "json"}).json()
    assert found["overall"]["difference"] == pytest.approx(found["overall"]["a"] - found["overall"]["b"])
    assert client.get(url, query | {"b": world.model.pk}).status_code == 400
    assert client.get(url, query | {"b": "prm:nobody"}).status_code == 400


def test_what_verification_moved(client: Client, world: Bench) -> None:
    page = text(client, f"{world.url}prmbench/moved/")
    assert "<b>1</b> of 4 verified items" in page
    assert f"/items/{world.items[0].pk}/" in page
    assert "wrong → <b>correct</b>" in page
    found = client.get(f"{world.url}prmbench/moved/", {"format": "json"}).json()
    assert found["n_items_moved"] == 1
    rows = b"".join(client.get(f"{world.url}prmbench/moved/", {"format": "csv"}).streaming_content).decode()
    assert rows.startswith("rater,released,gold,difference")
    query = {"format": "csv", "of": "steps"}
    steps = b"".join(client.get(f"{world.url}prmbench/moved/", query).streaming_content).decode().splitlines()
    assert len(steps) == 1 + 2  # the two wrong steps of the circular one
    assert steps[1].endswith(",circular,2,wrong,correct")


def test_a_project_without_anything_to_measure_says_what_to_do(client: Client) -> None:
    lead = factories.member(factories.project(), role="lead")
    client.force_login(lead.user)
    page = text(client, f"/p/{lead.project.slug}/benchmarks/")
    assert 'class="empty"' in page
    assert "import some" in page
    assert client.get(f"/p/{lead.project.slug}/benchmarks/gsm8k/").status_code == 404


def test_items_without_a_rater_say_how_to_bring_one(client: Client) -> None:
    project = factories.project()
    factories.injected_item(project)
    client.force_login(factories.member(project, role="lead").user)
    assert "import_annotations" in text(client, f"/p/{project.slug}/benchmarks/")


def test_names_from_outside_are_text(client: Client) -> None:
    made = bench(4, 2, model="<b>bold</b>")
    client.force_login(made.lead.user)
    for path in ("prmbench/", f"prmbench/raters/{made.model.pk}/", "prmbench/moved/"):
        assert "<b>bold" not in text(client, made.url + path)


def test_the_second_look_at_a_page_costs_the_same_at_any_size(client: Client) -> None:
    counts = []
    for n in (4, 16):
        made = bench(n, 4, model=f"model{n}")
        client.force_login(made.lead.user)
        counts.append([])
        for path in (
            "prmbench/",
            f"prmbench/raters/{made.model.pk}/",
            f"prmbench/raters/{made.model.pk}/misses/",
        ):
            client.get(made.url + path)
            with CaptureQueriesContext(
                connection,
            ) as asked:
                client.get(made.url + path)
            counts[-1].append(len(asked))
    assert counts[0] == counts[1]
