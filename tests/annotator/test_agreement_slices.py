"""Slices of the agreement report, machines beside machines, and the report as files."""

import csv
import json
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotator import reports
from annotator.models import Annotation, Assignment, Item, Membership, Project, Rater, Role
from annotator.reports import diagnosis, flat
from tests import factories
from tests.annotator.reviewed import submitted

pytestmark = pytest.mark.django_db

STEPS = ["One.", "Two.", "=Three.", "Four."]


@pytest.fixture
def project() -> Project:
    return factories.project(protocol="label_steps", overlap=3, label_after_error=True)


@pytest.fixture
def anna(project: Project) -> Membership:
    return factories.member(project, "anna")


@pytest.fixture
def ben(project: Project) -> Membership:
    return factories.member(project, "ben")


def queued(project: Project, number: int, meta: dict[str, Any] | None = None, **values: Any) -> Item:
    made = factories.solution(project, f"What is {number}?", STEPS)
    made.meta = meta or {}
    made.save(update_fields=["meta"])
    return factories.queued(project, made, **values)


def machine(item: Item, kind: str, name: str, labels: str, **spec: Any) -> Annotation:
    rater, _ = Rater.objects.get_or_create(kind=kind, name=name, digest=spec.pop("digest", ""))
    return factories.machine_labels(item.solution, rater, labels)


def both(item: Item, anna: Membership, first: str, ben: Membership, other: str) -> None:
    submitted(anna, item, first)
    submitted(ben, item, other)


def percent(of: dict[str, Any]) -> tuple[float | None, int]:
    return of["people"]["percent"]["value"], of["people"]["percent"]["n"]


def test_an_interval_holds_its_value_and_is_the_same_again(
    project: Project, anna: Membership, ben: Membership
) -> None:
    for number in range(8):
        both(queued(project, number), anna, "++-+", ben, "+--+" if number % 2 else "++-+")
    alpha = reports.agreement(project)["people"]["alpha"]
    assert alpha["interval"]["low"] < alpha["value"] < alpha["interval"]["high"] <= 1
    assert reports.agreement(project)["people"]["alpha"] == alpha


def test_versions_of_one_problem_are_one_cluster(project: Project, anna: Membership, ben: Membership) -> None:
    for number in range(3):
        item = queued(project, number)
        item.solution.problem.group = "same"
        item.solution.problem.save(update_fields=["group"])
        both(item, anna, "++-+", ben, "+--+")
    alpha = reports.agreement(project)["people"]["alpha"]
    assert alpha["value"] is not None
    assert alpha["interval"] == {"low": None, "high": None, "why": "fewer than two problem groups"}


def test_by_meta_of_the_solution_or_else_its_problem(
    project: Project, anna: Membership, ben: Membership
) -> None:
    easy, hard, odd = (
        queued(project, 1, {"level": "easy"}),
        queued(project, 2),
        queued(project, 3, {"level": []}),
    )
    hard.solution.problem.meta = {"level": "hard", "year": 1990}
    hard.solution.problem.save(update_fields=["meta"])
    both(easy, anna, "++++", ben, "++++")
    both(hard, anna, "++++", ben, "++--")
    both(odd, anna, "++++", ben, "----")
    assert reports.agreement(project)["meta_keys"] == ["level", "year"]
    parts = reports.by_meta(project, "level")
    assert {value: percent(sides) for value, sides in parts.items()} == {
        "easy": (1, 4), "hard": (0.5, 4), "": (0, 4),
    }  # fmt: skip


def test_many_different_numbers_are_put_into_bins(
    project: Project, anna: Membership, ben: Membership
) -> None:
    for number in range(15):
        both(queued(project, number, {"length": number}), anna, "++++", ben, "++++")
    parts = reports.by_meta(project, "length")
    assert list(parts) == ["0 to 2", "3 to 5", "6 to 8", "9 to 11", "12 to 14"]
    assert {percent(sides) for sides in parts.values()} == {(1, 12)}


def test_two_are_compared_where_both_had_the_same_guidelines(
    project: Project, anna: Membership, ben: Membership
) -> None:
    alike, apart = queued(project, 1), queued(project, 2)
    both(alike, anna, "++++", ben, "+++-")
    both(apart, anna, "++++", ben, "----")
    Annotation.objects.filter(rater=ben.rater, solution=apart.solution).update(guideline=None)
    versions = reports.agreement(project)["guidelines"]
    assert percent(versions["0001"]) == (0.75, 4)
    assert percent(versions[""]) == (None, 0)


def test_a_week_is_that_of_the_last_review(project: Project, anna: Membership, ben: Membership) -> None:
    item = queued(project, 1)
    both(item, anna, "++++", ben, "+++-")
    sunday, monday = (datetime(2026, 11, day, 12, tzinfo=ZoneInfo("UTC")) for day in (15, 16))
    Annotation.objects.filter(rater=anna.rater).update(created_at=sunday)
    Annotation.objects.filter(rater=ben.rater).update(created_at=monday)
    weeks = reports.agreement(project)["weeks"]
    assert {week: percent(sides) for week, sides in weeks.items()} == {"2026-11-16": (0.75, 4)}


def test_by_position(project: Project, anna: Membership, ben: Membership) -> None:
    item = queued(project, 1)
    machine(item, "source", "bench", "+++-")
    both(item, anna, "++-+", ben, "+--+")
    places = reports.agreement(project)["positions"]
    assert [(place["from"], place["to"], *percent(place)) for place in places] == [
        (1, 1, 1, 1), (2, 2, 0, 1), (3, 3, 1, 1), (4, 4, 1, 1),
    ]  # fmt: skip
    assert [place["injector"]["percent"]["value"] for place in places] == [1, 0.5, 0, 0]


def test_what_was_said_of_a_probe_or_after_labels_were_shown_is_no_agreement(
    project: Project, anna: Membership, ben: Membership
) -> None:
    probe, shown, work = queued(project, 1), queued(project, 2), queued(project, 3)
    for item in (probe, shown, work):
        both(item, anna, "++++", ben, "++++")
    Assignment.objects.filter(item=probe, rater=ben.rater).update(purpose="probe")
    Annotation.objects.filter(rater=ben.rater, solution=shown.solution).update(labels_first=False)
    assert percent(reports.agreement(project)) == (1, 4)


def test_machines_beside_machines_and_people(project: Project, anna: Membership, ben: Membership) -> None:
    item, unseen = queued(project, 1), queued(project, 2)
    for one in (item, unseen):
        machine(one, "source", "bench", "++-+")
        machine(one, "prm", "model", "+--+", digest="one")
        machine(one, "prm", "model", "---+", digest="two")
    submitted(anna, item, "++-+")
    found = reports.agreement(project)
    said = {tuple(pair["raters"]): pair["percent"] for pair in found["machine_pairs"]}
    assert said["anna", "source:bench"]["value"] == 1
    assert said["anna", "prm:model one"]["n"] == 4
    assert {pair: (one["value"], one["n"]) for pair, one in said.items() if "anna" not in pair} == {
        ("source:bench", "prm:model one"): (0.75, 8),
        ("source:bench", "prm:model two"): (0.5, 8),
        ("prm:model one", "prm:model two"): (0.75, 8),
    }
    assert found["n_machines"] == 3


def test_what_could_not_be_read_is_no_rating(project: Project, anna: Membership) -> None:
    item = queued(project, 1)
    made = machine(item, "judge", "model", "++-+")
    Annotation.objects.filter(pk=made.pk).update(is_parsed=False)
    submitted(anna, item, "++-+")
    assert reports.agreement(project)["machine_pairs"] == []


def test_confusion_counts_from_both_sides(project: Project, anna: Membership, ben: Membership) -> None:
    both(queued(project, 1), anna, "+0-+", ben, "+---")
    assert reports.agreement(project)["people"]["confusion"] == [[2, 1, 1], [1, 0, 0], [1, 0, 2]]


def test_the_table_has_a_row_a_statistic_and_no_formula(
    project: Project, anna: Membership, ben: Membership
) -> None:
    both(queued(project, 1, {"source": "=1+1"}), anna, "++-+", ben, "+--+")
    data = reports.agreement(project) | {"meta": reports.by_meta(project, "source")}
    head, *rows = flat.table(data)
    said = {tuple(row[:5]): dict(zip(head, row, strict=True)) for row in rows}
    one = said["all", "", "people", "step", "percent"]
    assert (one["estimate"], one["n"], one["why"]) == ("0.75", "4", "fewer than two problem groups")
    assert said["all", "", "people", "solution", "first_error"]["estimate"] == "0.0"
    assert said["position", "2 to 2", "people", "step", "percent"]["estimate"] == "0.0"
    assert said["all", "", "injector", "step", "kappa"]["estimate"] == ""
    assert ("meta", "'=1+1", "people", "step", "alpha") in said
    assert {row[0] for row in flat.table(data, "week")} == {"slice", "week"}


def test_the_diagnosis_has_a_row_a_step_and_a_column_a_rater(
    project: Project, anna: Membership, ben: Membership
) -> None:
    item, unseen = queued(project, 1, error_type="circular"), queued(project, 2)
    machine(item, "source", "bench", "++-.")
    both(item, anna, "++-+", ben, "+?-+")
    head, *rows = diagnosis.table(project, text=True)
    assert head[-4:] == ["text", "anna", "ben", "source:bench"]
    first, second, third, *rest = (dict(zip(head, row, strict=True)) for row in rows)
    assert (first["item"], first["step"], first["kind"]) == (str(item.pk), "1", "circular")
    assert (second["ben"], second["complete"], second["used"]) == ("?", "no", "no")
    assert (third["anna"], third["complete"], third["used"], third["text"]) == ("-", "yes", "yes", "'=Three.")
    assert {row["item"] for row in rest[1:]} == {str(unseen.pk)}
    assert {(row["anna"], row["complete"], row["used"]) for row in rest[1:]} == {("", "no", "no")}


def test_the_diagnosis_names_what_was_decided(project: Project, anna: Membership, ben: Membership) -> None:
    item = queued(project, 1, wanted=2)
    both(item, anna, "++-+", ben, "++-+")
    rows = list(diagnosis.table(project))
    assert [dict(zip(rows[0], row, strict=True))["decided"] for row in rows[1:]] == [*"++-+"]


def _client(project: Project, role: Role = Role.LEAD) -> Client:
    client = Client()
    client.force_login(factories.member(project, role=role).user)
    return client


@pytest.mark.parametrize("by", ["kind", "guideline", "week", "shows", "meta:level"])
def test_the_page_is_sliced_by(project: Project, anna: Membership, ben: Membership, by: str) -> None:
    both(queued(project, 1, {"level": "<b>hard"}), anna, "++-+", ben, "+--+")
    page = _client(project).get(f"/p/{project.slug}/agreement/", {"by": by})
    assert page.status_code == 200
    assert f'<option value="{by}" selected>' in page.content.decode()
    assert "<b>hard" not in page.content.decode()
    if by == "meta:level":
        assert "&lt;b&gt;hard" in page.content.decode()


def test_the_same_numbers_come_as_json_and_csv(project: Project, anna: Membership, ben: Membership) -> None:
    both(queued(project, 1, {"level": "hard"}), anna, "++-+", ben, "+--+")
    client, path = _client(project), f"/p/{project.slug}/agreement/"
    found = client.get(path, {"format": "json", "by": "meta:level"}).json()
    assert found == json.loads(
        json.dumps(reports.agreement(project) | {"meta": reports.by_meta(project, "level")})
    )
    rows = list(csv.reader(StringIO(client.get(path, {"format": "csv"}).getvalue().decode())))
    assert rows == list(flat.table(reports.agreement(project)))
    steps = list(csv.reader(StringIO(client.get(f"{path}steps.csv").getvalue().decode())))
    assert steps == list(diagnosis.table(project))


@pytest.mark.parametrize(
    "asked", ["by=nothing", "by=meta:nothing", "format=xlsx", "format=csv&by=meta:nothing"]
)
def test_what_there_is_not_is_refused(project: Project, asked: str) -> None:
    assert _client(project).get(f"/p/{project.slug}/agreement/?{asked}").status_code == 400


def test_reviewers_do_not_get_the_diagnosis(project: Project) -> None:
    assert _client(project, Role.REVIEWER).get(f"/p/{project.slug}/agreement/steps.csv").status_code == 403


def test_the_command_writes_every_form(
    project: Project, anna: Membership, ben: Membership, tmp_path: Path
) -> None:
    both(queued(project, 1, {"level": "hard"}), anna, "++-+", ben, "+--+")
    out = StringIO()
    call_command("agreement", project.slug, "--csv", "--by", "meta:level", stdout=out)
    assert {row[1] for row in csv.reader(StringIO(out.getvalue()))} == {"value", "hard"}
    call_command("agreement", project.slug, "--steps", "-o", str(tmp_path / "steps.csv"))
    assert list(csv.reader((tmp_path / "steps.csv").open())) == list(diagnosis.table(project))
    call_command(
        "agreement", project.slug, "--html", str(tmp_path / "report.html"), "--address", "http://a.b"
    )
    page = (tmp_path / "report.html").read_text()
    assert '<base href="http://a.b">' in page
    assert "--paper:" in page
    assert "{{" not in page
    for by, title in (
        ("position", "step 2, people"),
        ("meta:level", "hard, people"),
        ("shows", "diff, people"),
    ):
        out = StringIO()
        call_command("agreement", project.slug, "--by", by, stdout=out)
        assert title in out.getvalue()


def test_the_command_names_the_slices_there_are(project: Project) -> None:
    with pytest.raises(CommandError, match="There are kind, position"):
        call_command("agreement", project.slug, "--by", "colour")
