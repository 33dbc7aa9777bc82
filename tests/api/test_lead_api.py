"""What a lead does through the API: items, exports, agreement."""

from pathlib import Path

import pytest

from annotator.actions import exports, review
from annotator.models import Assignment, Export, Finding, Item, Membership, Role
from annotator.queue import claim
from tests.api.conftest import Call
from tests.crowd import crowd, join, plain_items

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Membership:
    """A lead of a project where two reviewers have judged the first of three items."""
    project, (alice, bob) = crowd(2, overlap=2)
    plain_items(project, 3)
    for me, labels in ((alice, "+-."), (bob, "++-")):
        review.submit(by=me, assignment_id=claim(by=me).pk, data={"labels": labels})
    me = join(project, f"lead{project.pk}")
    me.role = Role.LEAD
    me.save()
    return me


def test_items_by_page_and_filter(lead: Membership, call: Call) -> None:
    shown = call(lead, "GET", "items").json()
    assert ([item["decision"] for item in shown["items"]], shown["next_after"]) == (
        ["conflicted", "incomplete", "incomplete"],
        None,
    )
    assert (
        len(call(lead, "GET", f"items?after={shown['items'][0]['id']}&decision=incomplete").json()["items"])
        == 2
    )


FOREIGN = ["project__slug=x", "decision=bogus", "after=-1", "held=1", "order_by=id", "error_type=%00"]


@pytest.mark.parametrize("query", [*FOREIGN, "after=" + "9" * 5000, "after=" + "9" * 30])
def test_a_foreign_filter_is_refused(lead: Membership, call: Call, query: str) -> None:
    assert call(lead, "GET", f"items?{query}").status_code == 400


def test_who_looks_gets_no_slot(lead: Membership, call: Call) -> None:
    first = call(lead, "GET", "items").json()["items"][1]
    seen = call(lead, "GET", f"items/{first['id']}").json()
    assert seen["annotations"] == []
    assert Assignment.objects.get(rater=lead.rater).state == "barred"
    assert call(lead, "POST", "claim").json()["item"] != first["id"]


def test_an_item_shows_everybodys_labels(lead: Membership, call: Call) -> None:
    first = call(lead, "GET", "items").json()["items"][0]
    solution = Item.objects.get(pk=first["id"]).solution
    Finding.objects.create(project=lead.project, solution=solution, code="no_op", detail="")
    seen = call(lead, "GET", f"items/{first['id']}").json()
    assert [(f["code"], f["position"], f["title"]) for f in seen["findings"]] == [
        ("no_op", None, "Nothing changed")
    ]
    shown = seen["annotations"]
    assert [row["labels"] for row in shown] == [["+", "-", "."], ["+", "+", "-"]]


def test_agreement_is_the_reports(lead: Membership, call: Call) -> None:
    shown = call(lead, "GET", "agreement").json()
    assert shown["people"]["n_raters"] == 2


def test_an_export_is_asked_for_watched_and_fetched(
    lead: Membership, call: Call, settings: pytest.FixtureRequest, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    asked = call(lead, "POST", "exports", {"format": "processbench", "which": "all"})
    assert asked.status_code == 202
    path = f"exports/{asked.json()['id']}"
    assert call(lead, "GET", f"{path}/file").status_code == 409
    exports.write(row=Export.objects.get())
    assert call(lead, "GET", path).json()["state"] == "complete"
    fetched = call(lead, "GET", f"{path}/file")
    assert b'"label": 1' in b"".join(fetched.streaming_content)
    assert [row["id"] for row in call(lead, "GET", "exports").json()] == [asked.json()["id"]]
