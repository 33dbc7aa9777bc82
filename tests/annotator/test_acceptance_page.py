"""The page of acceptance sampling: draw, set the bar, read, release what is held."""

from typing import Any

import pytest
from django.test import Client

from annotator.models import Item, Membership, Project, Role, Sample
from tests import factories
from tests.annotator.reviewed import submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(client: Client) -> tuple[Project, Membership, str]:
    project = factories.project(overlap=1, name="<b>Ours</b>")
    for number in range(4):
        factories.injected_item(project, number % 2)
    lead = factories.member(project, role=Role.LEAD)
    client.force_login(lead.user)
    return project, lead, f"/p/{project.slug}/acceptance/"


DRAW = {"do": "draw", "share": "50", "per": "error_type", "seed": "1"}


def test_from_nothing_to_a_kind_that_is_not_released(client: Client, world: Any) -> None:
    project, _, url = world
    assert b"No sample yet" in client.get(url).content
    said = client.post(url, {**DRAW, "only": "on"}, follow=True)
    assert b"2 items, first in the queue" in said.content
    assert b"2 items wait until the sample is done" in said.content
    item = Item.objects.get(sample__isnull=False, error_type="circular")
    submitted(factories.member(project), item, "+++++++")
    client.post(url, {"do": "bar", "acceptance_bar": "90"})
    project.refresh_from_db()
    assert project.acceptance_bar == 0.9
    page = client.get(url).content.decode()
    assert "under the bar: not released" in page
    assert f"/items/{item.pk}/" in page
    assert "<b>Ours" not in page
    client.post(url, {"do": "release"})
    assert not project.items.filter(held=True).exists()


def test_what_is_refused_is_said_at_its_field_and_typing_is_kept(client: Client, world: Any) -> None:
    _, _, url = world
    answer = client.post(url, {**DRAW, "seed": "9" * 30})
    assert answer.status_code == 400
    assert "at most 18 digits" in answer.content.decode()
    assert 'value="50"' in answer.content.decode()
    assert client.post(url, {**DRAW, "share": "0"}).status_code == 400
    assert client.post(url, {"do": "bar", "acceptance_bar": "120"}).status_code == 400
    assert client.post(url, {"do": "shout"}).status_code == 400
    assert not Sample.objects.exists()


def test_numbers_for_scripts_and_one_sample_alone(client: Client, world: Any) -> None:
    _, _, url = world
    client.post(url, DRAW)
    client.post(url, {**DRAW, "seed": "2", "share": "100"})
    first, second = Sample.objects.order_by("pk")
    found = client.get(url, {"format": "json"}).json()
    assert (found["sample"], found["n_drawn"]) == (None, 4)
    assert client.get(url, {"format": "json", "sample": second.pk}).json()["n_drawn"] == 4
    assert client.get(url, {"format": "json", "sample": first.pk}).json()["n_drawn"] == 0
    rows = b"".join(client.get(url, {"format": "csv"}).streaming_content).decode().splitlines()
    assert rows[0].startswith("kind,n_of,n_drawn")
    assert len(rows) == 1 + 9 * 3
    assert client.get(url, {"sample": "999"}).status_code == 404
    assert client.get(url, {"format": "xml"}).status_code == 400


def test_a_sample_of_another_project_is_not_there(client: Client, world: Any) -> None:
    _, _, url = world
    client.post(url, DRAW)
    sample = Sample.objects.get()
    stranger = factories.member(factories.project(), role=Role.LEAD)
    client.force_login(stranger.user)
    other = f"/p/{stranger.project.slug}/acceptance/"
    assert client.get(other, {"sample": sample.pk}).status_code == 404
    assert client.get(url).status_code == 404


def test_items_are_filtered_by_sample(client: Client, world: Any) -> None:
    project, _, url = world
    client.post(url, DRAW)
    sample, items = Sample.objects.get(), f"/p/{project.slug}/items/"
    for asked in ("any", str(sample.pk)):
        page = client.get(items, {"sample": asked}).content.decode()
        shown = [item.pk for item in project.items.all() if f'/items/{item.pk}/"' in page]
        assert shown == list(sample.items.order_by("pk").values_list("pk", flat=True))
    assert client.get(items, {"sample": "x"}).status_code == 400
