"""The papers' rows on a page without a project: what they are, what they average to, and as files."""

import csv
import io

import pytest
from django.test import Client

from annotator.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(User.objects.create_user("ada"))
    return client


@pytest.mark.parametrize(("table", "mean", "n"), [("first", "50.1", 11), ("later", "57.7", 14)])
def test_both_tables_with_their_averages(reader: Client, table: str, mean: str, n: int) -> None:
    page = reader.get("/benchmarks/prmbench/", {"table": table}).content.decode()
    row = page[page.index(f"Mean of {n} process reward models") :][:200]
    assert mean in row
    assert "83.8" in page  # people
    assert "arXiv 2501.03124" in page
    assert ("threshold 0.5" in page) == (table == "first")


def test_processbench_and_its_protocols(reader: Client) -> None:
    page = reader.get("/benchmarks/processbench/").content.decode()
    assert "Qwen2.5-Math-PRM-72B" in page
    assert "78.3" in page
    assert "majority of 8" in page


def test_best_of_n(reader: Client) -> None:
    page = reader.get("/benchmarks/best_of_n/").content.decode()
    assert "69.3" in page
    assert "majority of 8" in page
    assert "Mean of 11 process reward models" in page
    assert "items" not in page[page.index("<cite>") :][:300]  # how many there are the paper does not say


def test_as_json_and_as_a_table(reader: Client) -> None:
    found = reader.get("/benchmarks/prmbench/", {"format": "json", "table": "first"}).json()
    assert found["averages"]["prm"]["overall"] == pytest.approx(50.1, abs=0.05)
    scores = [row["overall"] for row in found["rows"]]
    assert scores == sorted(scores, reverse=True)
    text = reader.get("/benchmarks/processbench/", {"format": "csv"}).content.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert next(row for row in rows if row["model"] == "GPT-4o-0806")["gsm8k"] == "79.2"


def test_what_is_refused(client: Client, reader: Client) -> None:
    assert reader.get("/benchmarks/gsm8k/").status_code == 404
    assert reader.get("/benchmarks/prmbench/", {"table": "third"}).status_code == 400
    assert reader.get("/benchmarks/prmbench/", {"format": "xml"}).status_code == 400
    client.logout()
    assert client.get("/benchmarks/prmbench/").status_code == 302
