"""The pull of the machine: report, page, command."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from annotator.models import Annotation, Assignment, Item, Membership, Project, Rater, Role
from annotator.reports import pull
from tests import factories
from tests.annotator.reviewed import submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> tuple[Project, Item, list[Membership]]:
    """One item of seven steps, wanted by three; the injector says that 3 and 4 are wrong, as decided by two:

    injector  ++--+++
    first     ++++++- then ++-+++-    moved to the machine once
    second    ++--+++ then ++--+++    decides with the third
    third     +++-+++ then ++--+++
    """
    project = factories.project(overlap=2)
    item = factories.injected_item(project, 0, wanted=3, open_slots=3)
    people = [factories.member(project, name) for name in ("first", "second", "third")]
    for me, before, after in zip(
        people, ("++++++-", "++--+++", "+++-+++"), ("++-+++-", "++--+++", "++--+++"), strict=True
    ):
        submitted(me, item, before, after)
    return project, item, people


def settle(item: Item, by: Membership, labels: str) -> None:
    gold = Annotation.objects.create(
        solution=item.solution, rater=by.rater, phase="adjudication", labels=labels, n_steps=len(labels),
        first_error=labels.find("-"), verdict={"cause": "reviewer_error"},
    )  # fmt: skip
    Item.objects.filter(pk=item.pk).update(decision="settled", gold=gold)


def values(rates: dict[str, Any]) -> dict[str, tuple[float | None, int]]:
    return {name: (rate["value"], rate["n"]) for name, rate in rates.items()}


def test_what_a_reveal_changed_by_reviewer_kind_and_machine(world: Any) -> None:
    project, item, _ = world
    found = pull.read(project)
    (setting,) = found["settings"]
    assert (found["n_reviews"], setting["blind_shows"], setting["labels_first"]) == (3, "diff", True)
    assert values(setting["rates"]) | {"mended": 0, "spoiled": 0} == {
        "items": (pytest.approx(2 / 3), 3), "steps": (pytest.approx(2 / 21), 21),
        "towards": (pytest.approx(2 / 4), 4), "away": (0, 17), "mended": 0, "spoiled": 0,
    }  # fmt: skip
    assert setting["rates"]["spoiled"]["why"] == "no step that was right is decided by others"
    assert set(setting["by"]["rater"]) == {"first", "second", "third"}
    assert values(setting["by"]["rater"]["first"])["towards"] == (pytest.approx(1 / 3), 3)
    assert values(setting["by"]["kind"]["circular"]) == values(setting["rates"])
    assert values(setting["by"]["source"]["injector:prmbench"]) == values(setting["rates"])
    assert setting["n_conflicted"] == 3
    settle(item, factories.member(project, "lead", Role.LEAD), "+++-+++")
    (setting,) = pull.read(project)["settings"]
    # right before: 5 + 6 + 7; step 3 was spoiled by the first and the third, who had it right
    assert values(setting["rates"])["spoiled"] == (pytest.approx(2 / 18), 18)
    assert values(setting["rates"])["mended"] == (0, 3)
    assert (setting["spoiled_items"], setting["mended_items"]) == ([item.pk], [])
    assert values(setting["before"]) == {"as_machine": (17 / 21, 21), "as_decided": (18 / 21, 21)}
    assert values(setting["after"]) == {"as_machine": (19 / 21, 21), "as_decided": (16 / 21, 21)}


def test_what_a_reviewer_settled_is_no_decision_by_others(world: Any) -> None:
    project, item, (first, *_) = world
    settle(item, first, "+++++++")
    (setting,) = pull.read(project)["settings"]
    assert setting["n_decided"] == 2
    assert values(setting["by"]["rater"]["first"])["spoiled"] == (None, 0)


def test_agreement_counts_where_somebody_else_agreed() -> None:
    project = factories.project(overlap=1)
    submitted(factories.member(project), factories.injected_item(project, 0), "++--+++")
    assert pull.read(project)["settings"][0]["n_decided"] == 0
    Item.objects.filter(project=project).update(n_submitted=2)
    assert pull.read(project)["settings"][0]["n_decided"] == 1


def test_settings_stand_apart_and_without_labels_first_there_is_no_before(world: Any) -> None:
    project, _, (first, second, _) = world
    Annotation.objects.filter(rater=first.rater).update(blind_shows="solution")
    Annotation.objects.filter(rater=second.rater, phase="blind").delete()
    Annotation.objects.filter(rater=second.rater).update(labels_first=False)
    found = pull.read(project)["settings"]
    seen = [(one["blind_shows"], one["labels_first"], one["n_reviews"]) for one in found]
    assert seen == [("diff", True, 1), ("solution", True, 1), ("diff", False, 1)]
    assert (found[2]["rates"], found[2]["before"], found[2]["by"]) == (None, None, {})
    assert values(found[2]["after"])["as_machine"] == (1, 7)
    assert len(list(pull.table(pull.read(project)))) > 1


def test_only_work_that_is_submitted_counts_and_machines_that_were_shown(world: Any) -> None:
    project, item, (first, second, third) = world
    Assignment.objects.filter(rater=first.rater).update(purpose="probe")
    Assignment.objects.filter(rater=second.rater).update(state="committed")
    (setting,) = pull.read(project)["settings"]
    assert list(setting["by"]["rater"]) == ["third"]
    judge = Rater.objects.create(kind="judge", name="late")
    late = factories.machine_labels(item.solution, judge, "+++++++")
    assert late.created_at > Annotation.objects.get(rater=third.rater, phase="revealed").created_at
    assert list(pull.read(project)["settings"][0]["by"]["source"]) == ["injector:prmbench"]


def test_queries_do_not_follow_the_reviews(world: Any, django_assert_num_queries: Any) -> None:
    project, *_ = world
    with django_assert_num_queries(3):
        pull.read(project)
    submitted(factories.member(project), factories.injected_item(project, 1), "++++")
    with django_assert_num_queries(3):
        pull.read(project)


def test_page_files_and_command_say_the_same(client: Client, world: Any) -> None:
    project, *_ = world
    lead = factories.member(project, role=Role.LEAD)
    client.force_login(lead.user)
    url = f"/p/{project.slug}/pull/"
    page = client.get(url).content.decode()
    assert "the solution with what changed, labels first" in page
    assert "9.5 %" in page
    found = client.get(url, {"format": "json"}).json()
    assert found == json.loads(out("pull", project.slug, "--json"))
    rows = b"".join(client.get(url, {"format": "csv"}).streaming_content).decode().splitlines()
    assert "diff,True,rater,first,towards,0.33" in "\n".join(rows)
    assert out("pull", project.slug, "--csv").splitlines() == rows
    assert "towards" in out("pull", project.slug)
    assert client.get(url, {"format": "xml"}).status_code == 400


def test_nothing_yet(client: Client) -> None:
    lead = factories.member(factories.project(), role=Role.LEAD)
    client.force_login(lead.user)
    assert b"Nothing to compare yet" in client.get(f"/p/{lead.project.slug}/pull/").content
    assert "0 reviews" in out("pull", lead.project.slug)


def out(*arguments: str) -> str:
    stream = io.StringIO()
    call_command(*arguments, stdout=stream)
    return stream.getvalue()
