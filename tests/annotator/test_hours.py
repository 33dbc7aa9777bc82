"""Hours per reviewer and day, as a file and as a command."""

import csv
import io
from datetime import UTC, date, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from annotator import hours
from annotator.models import Annotation, Assignment, Membership, Role
from tests import factories
from tests.annotator.reviewed import submitted
from tests.crowd import crowd, join, plain_items

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Membership:
    """Three items on the 1st of March (20, 40 and 90 seconds; a step unjudged) and one on the 3rd."""
    project, (me,) = crowd(1, overlap=2)
    work = ((1, 20, "+++"), (1, 40, "+-."), (1, 90, "+++"), (3, 7, "+++"))
    for item, (day, seconds, labels) in zip(plain_items(project, 4), work, strict=True):
        send(me, item, datetime(2026, 3, day, 10, tzinfo=UTC), seconds, labels)
    return me


def send(me: Membership, item: Any, at: datetime, seconds: int | None, labels: str = "+++") -> None:
    mine = submitted(me, item, labels)
    Assignment.objects.filter(pk=mine.pk).update(submitted_at=at)
    ms = None if seconds is None else 1000 * seconds
    Annotation.objects.filter(assignment=mine).update(duration_ms=ms)


def table(of: Membership, query: str = "") -> list[list[str]]:
    client = Client()
    client.force_login(factories.member(of.project, role=Role.LEAD).user)
    response = client.get(f"/p/{of.project.slug}/hours.csv{query}")
    assert response.status_code == 200, response.content
    assert response.streaming
    return list(csv.reader(io.StringIO(response.getvalue().decode())))


def test_a_row_for_each_reviewer_and_day(anna: Membership) -> None:
    name = anna.rater.name
    assert table(anna) == [
        ["reviewer", "day", "submitted", "steps", "hours", "median_s"],
        [name, "2026-03-01", "3", "8", "0.042", "40.0"],
        [name, "2026-03-03", "1", "3", "0.002", "7.0"],
    ]


def test_from_and_to_are_included(anna: Membership) -> None:
    assert [row[1] for row in table(anna, "?from=2026-03-01&to=2026-03-01")[1:]] == ["2026-03-01"]
    assert [row[1] for row in table(anna, "?from=2026-03-02")[1:]] == ["2026-03-03"]
    assert table(anna, "?from=2026-03-04&to=")[1:] == []


def test_a_bad_day_is_refused(anna: Membership) -> None:
    client = Client()
    client.force_login(factories.member(anna.project, role=Role.LEAD).user)
    refused = client.get(f"/p/{anna.project.slug}/hours.csv?from=x")
    assert refused.status_code == 400
    assert "write a day as" in refused.content.decode()


def test_after_a_reveal_the_whole_time_counts_once() -> None:
    item = factories.injected_item(factories.project())
    me = factories.member(item.project)
    mine = submitted(me, item, "+" * item.solution.n_steps)
    for phase, ms in (("blind", 4_000), ("revealed", 9_000)):
        Annotation.objects.filter(assignment=mine, phase=phase).update(duration_ms=ms)
    (row,) = hours.days(item.project)
    assert (row.submitted, row.steps, row.ms, row.median_s) == (1, item.solution.n_steps, 9_000, 9.0)


def test_time_that_was_not_recorded_is_undefined_not_zero(anna: Membership) -> None:
    Annotation.objects.update(duration_ms=None)
    assert {row[5] for row in table(anna)[1:]} == {""}


def test_who_has_left_is_paid_too(anna: Membership) -> None:
    anna.delete()
    assert len(list(hours.days(anna.project))) == 2


@pytest.mark.parametrize("name", ["=1+1", "+a", "-a", "@a"])
def test_no_name_is_a_formula(anna: Membership, name: str) -> None:
    other = join(anna.project, name)
    send(other, anna.project.items.first(), datetime(2026, 3, 2, 10, tzinfo=UTC), 5)
    assert f"'{name}" in [row[0] for row in table(anna)]
    assert name not in [row[0] for row in table(anna)]


def test_the_command_writes_the_same(anna: Membership) -> None:
    out = StringIO()
    call_command("hours", anna.project.slug, since=date(2026, 3, 3), stdout=out)
    assert list(csv.reader(StringIO(out.getvalue())))[1][1:3] == ["2026-03-03", "1"]
    with pytest.raises(CommandError, match="no day"):
        call_command("hours", anna.project.slug, "--from", "x")


def test_the_people_page_offers_it(anna: Membership) -> None:
    client = Client()
    client.force_login(factories.member(anna.project, role=Role.LEAD).user)
    assert (
        f'action="/p/{anna.project.slug}/hours.csv"'
        in client.get(f"/p/{anna.project.slug}/people/").content.decode()
    )
