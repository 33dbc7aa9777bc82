"""What happened, read back: filters, words, files, the command; and that nothing ever changes an event."""

import ast
import csv
import io
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client

from annotator import audit
from annotator.actions.projects import change_settings
from annotator.actions.record import record
from annotator.models import Event, Guideline, Membership, Role
from annotator.policies import Operator
from tests import factories
from tests.annotator.reviewed import submitted
from tests.crowd import crowd, plain_items

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def lead() -> Membership:
    """Anna has submitted an item, the lead held another, the server did something; each on a day of its own."""
    project, (anna,) = crowd(1, overlap=1)
    first, second = plain_items(project, 2)
    lead = factories.member(project, "lead", Role.LEAD)
    Event.objects.all().delete()
    submitted(anna, first, "+-+")
    record(lead, "hold", project, item=second, because="=1+1, odd {labels}")
    record(Operator(), "export", project, format="prmbench", which="gold", options={"neutral": "wrong"})
    for day, pk in enumerate(Event.objects.order_by("pk").values_list("pk", flat=True), 1):
        Event.objects.filter(pk=pk).update(at=datetime(2026, 3, day, 10, tzinfo=UTC))
    return lead


def page(of: Membership, query: str = "", name: str = "audit/") -> Any:
    client = Client()
    client.force_login(of.user)
    return client.get(f"/p/{of.project.slug}/{name}{query}")


def said(response: HttpResponse) -> list[str]:
    return [told.what for told in response.context["events"]]  # type: ignore[attr-defined]


def test_newest_first_in_words(lead: Membership) -> None:
    assert said(page(lead)) == ["exported gold as prmbench", "held it: =1+1, odd {labels}", "submitted"]
    assert page(lead).context["events"][0].more == [("options", "neutral: wrong")]


def test_changed_settings_are_told_with_what_they_were(lead: Membership) -> None:
    change_settings(by=lead, project=lead.project, labels_first=False, probe_rate=0.1)
    (told,) = page(lead, "?verb=change_settings").context["events"]
    assert told.more == [
        ("changed", "labels first: no, probe rate: 0.1"), ("was", "labels first: yes, probe rate: 0.0"),
    ]  # fmt: skip


def test_the_page_does_not_tell_how_anybody_judged_and_the_item_page_does(lead: Membership) -> None:
    event = Event.objects.get(verb="submit")
    assert "+-+" not in page(lead).content.decode()
    assert "submitted +-+" in page(lead, name=f"items/{event.item_id}/").content.decode()


@pytest.mark.parametrize(
    ("query", "verbs"),
    [
        ("?verb=hold", ["hold"]),
        ("?actor=server", ["export"]),
        ("?actor={anna}", ["submit"]),
        ("?item={item}", ["submit"]),
        ("?from=2026-03-02", ["export", "hold"]),
        ("?to=2026-03-02", ["hold", "submit"]),
        ("?from=2026-03-02&to=2026-03-02", ["hold"]),
        ("?from=2026-03-02&verb=submit", []),
    ],
)
def test_filters(lead: Membership, query: str, verbs: list[str]) -> None:
    first = Event.objects.get(verb="submit")
    asked = query.format(anna=first.actor_id, item=first.item_id)
    assert [told.event.verb for told in page(lead, asked).context["events"]] == verbs


@pytest.mark.parametrize(
    "query", ["?verb=nonsense", "?actor=999999", "?item=x", "?from=yesterday", "?item=0"]
)
def test_a_filter_that_cannot_be_is_refused(lead: Membership, query: str) -> None:
    assert page(lead, query).status_code == 400
    assert page(lead, query, "audit/file").status_code == 400


def test_who_has_left_can_be_asked_for(lead: Membership) -> None:
    event = Event.objects.get(verb="submit")
    Membership.objects.get(user=event.actor).delete()
    assert page(lead, f"?actor={event.actor_id}").status_code == 400
    record(lead, "remove_member", lead.project, user=event.actor_id, role="reviewer")
    assert said(page(lead, f"?actor={event.actor_id}")) == ["submitted"]


def test_pages_by_key_cost_the_same(lead: Membership, django_assert_num_queries: Any) -> None:
    Event.objects.bulk_create(
        Event(project=lead.project, actor=lead.user, verb="look", data={"n": n}) for n in range(120)
    )
    first = page(lead)
    assert len(first.context["events"]) == 50
    second = page(lead, f"?{first.context['page'].query}")
    ids = [told.event.pk for shown in (first, second) for told in shown.context["events"]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 100
    client = Client()
    client.force_login(lead.user)
    with django_assert_num_queries(6):  # session, user, membership; who was here (2), the page
        client.get(f"/p/{lead.project.slug}/audit/?{first.context['page'].query}")


def test_other_projects_are_not_told(lead: Membership) -> None:
    other = factories.member(factories.project(), "other", Role.LEAD)
    assert said(page(other)) == []
    assert page(other, name="audit/file").getvalue() == b""
    assert page(other, f"?item={Event.objects.get(verb='hold').item_id}").context["events"] == []


def test_the_file_holds_everything(lead: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "CHUNK", 2)
    response = page(lead, name="audit/file")
    assert response.streaming
    rows = [json.loads(line) for line in response.getvalue().decode().splitlines()]
    assert [row["verb"] for row in rows] == ["submit", "hold", "export"]
    assert rows[0]["data"]["labels"] == "+-+"
    assert rows[1] == {
        "id": rows[1]["id"], "at": "2026-03-02T10:00:00+00:00", "actor": "lead", "verb": "hold",
        "item": Event.objects.get(verb="hold").item_id, "data": {"because": "=1+1, odd {labels}"},
    }  # fmt: skip
    assert rows[2]["actor"] is None


def test_the_table_is_harmless_in_a_spreadsheet(lead: Membership) -> None:
    rename = factories.member(lead.project, "=cmd")
    record(rename, "skip", lead.project, reason="-2+3")
    rows = list(csv.reader(io.StringIO(page(lead, "?as=csv", "audit/file").getvalue().decode())))
    assert rows[0] == list(audit.COLUMNS)
    assert rows[-1][2] == "'=cmd"
    assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert [row[3] for row in rows[1:]] == ["submit", "hold", "export", "skip"]
    assert page(lead, "?as=xls", "audit/file").status_code == 400


def test_the_command_writes_the_same(lead: Membership) -> None:
    out = StringIO()
    call_command("audit", lead.project.slug, json=True, verb="hold", actor="lead", stdout=out)
    assert [json.loads(line)["verb"] for line in out.getvalue().splitlines()] == ["hold"]
    out = StringIO()
    call_command("audit", lead.project.slug, "--since", "2026-03-03", stdout=out)
    assert (
        out.getvalue()
        == "2026-03-03 10:00:00 the server exported gold as prmbench; options: neutral: wrong\n"
    )


def test_a_line_break_in_a_reason_forges_no_line(lead: Membership) -> None:
    record(lead, "hold", lead.project, because="odd\n2026-03-04 10:00:00 the server gave in")
    out = StringIO()
    call_command("audit", lead.project.slug, "--verb", "hold", stdout=out)
    assert len(out.getvalue().splitlines()) == 2


def test_the_command_refuses_what_it_does_not_know(lead: Membership) -> None:
    for refused in (["--verb", "x"], ["--actor", "nobody"], ["--since", "x"]):
        with pytest.raises(CommandError):
            call_command("audit", lead.project.slug, *refused)


def test_a_reviewer_reads_no_events(lead: Membership) -> None:
    anna = Membership.objects.get(user=Event.objects.get(verb="submit").actor)
    assert page(anna).status_code == 403
    assert page(anna, name="audit/file").status_code == 403
    assert "audit/" not in page(anna, name="").content.decode()


def test_an_annotation_says_what_its_rater_had_seen(lead: Membership) -> None:
    item = factories.injected_item(lead.project, protocol="verify_injection", wanted=1)
    anna = Membership.objects.get(user=Event.objects.get(verb="submit").actor)
    lead.project.guideline = Guideline.objects.create(project=lead.project, version=3, text="Judge.")
    lead.project.save()
    submitted(Membership.objects.get(pk=anna.pk), item, "+" * item.solution.n_steps)
    shown = page(lead, name=f"items/{item.pk}/").content.decode()
    assert "version 3" in shown
    assert "the solution with what changed; after labelling, what machines say" in shown
    client = Client()
    client.force_login(lead.user)
    found = client.get(f"/api/v1/projects/{lead.project.slug}/items/{item.pk}").json()["annotations"]
    people = [one for one in found if one["phase"] in ("blind", "revealed")]
    assert [(one["guideline"], one["blind_shows"], one["labels_first"]) for one in people] == [
        (3, "diff", True)
    ] * 2
    assert {one["guideline"] for one in found if one["phase"] == "machine"} == {None}


def sources() -> dict[str, ast.Module]:
    files = [path for app in ("annotator", "api", "synth", "scoring") for path in (ROOT / app).rglob("*.py")]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in files}


CHANGING = {
    "update",
    "delete",
    "bulk_update",
    "update_or_create",
    "raw",
    "_raw_delete",
    "save",
    "clear",
    "set",
}
# The texts of a take-down go for good, and with them what events quote of them; the events stay.
MAY = {("annotator/actions/takedown.py", "_empty_events", "bulk_update")}


def changes_of_events(path: str, tree: ast.Module) -> set[tuple[str, str, str]]:
    """(file, function, method) of every call that may change events: on `Event…` or on `….events…`."""
    found = set()
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in CHANGING
            ):
                names = {one.id for one in ast.walk(node.func) if isinstance(one, ast.Name)}
                parts = {one.attr for one in ast.walk(node.func.value) if isinstance(one, ast.Attribute)}
                if "Event" in names or names & {"event", "events"} or "events" in parts:
                    found.add((path, function.name, node.func.attr))
    return found


def test_no_code_changes_or_deletes_an_event() -> None:
    assert {one for path, tree in sources().items() for one in changes_of_events(path, tree)} == MAY


def test_the_search_would_find_one() -> None:
    for code in (
        "Event.objects.filter(item=1).update(verb='x')",
        "item.events.all().delete()",
        "event.save()",
    ):
        assert changes_of_events("x.py", ast.parse(f"def f():\n    {code}\n"))


def verbs_of(tree: ast.Module) -> set[str]:
    """The verbs that a source records: of record() but for those of accounts, of act() on many items, `verb=`."""
    found: list[ast.expr] = []
    for node in [one for one in ast.walk(tree) if isinstance(one, ast.Call)]:
        name = ast.unparse(node.func).rpartition(".")[2]
        if name == "record" and len(node.args) > 2 and ast.unparse(node.args[2]) != "None":
            found.append(node.args[1])
        elif name == "act" and len(node.args) > 4:
            found.append(node.args[3])
        elif "Event" in ast.unparse(node.func):
            found += [word.value for word in node.keywords if word.arg == "verb"]
    return {str(one.value) for one in found if isinstance(one, ast.Constant)}


def test_every_verb_has_words() -> None:
    """A new act needs a line in audit.SAID, so that the audit page and its filter know it."""
    recorded = {
        verb for path, tree in sources().items() if path != "annotator/audit.py" for verb in verbs_of(tree)
    }
    assert {"submit", "hold", "retire", "import", "export"} <= recorded
    assert recorded - set(audit.SAID) == set()
