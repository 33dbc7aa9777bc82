"""The page on which a lead says what is where in uploaded files."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from annotator import errors, tasks
from annotator.actions import import_check, import_map, imports
from annotator.actions.transfers import is_stalled
from annotator.models import Annotation, Import, Item, Membership, Problem, Role, TransferState
from tests import factories
from tests.annotator.foreign import DATA, PRMBENCH, checked, opened

pytestmark = pytest.mark.django_db

RECORD = {
    "uid": "g-1", "question": {"text": "What is $1+1$?"}, "gold": "2", "response": "Add.\n\nIt is <b>3</b>.",
    "labels": [1, 0], "annotator": "ann", "odd,name": {"deep": "here"}, "samples": ["First of two.", "Second."],
}  # fmt: skip
SAID = {
    "problem": "question.text", "answer": "gold", "response": "response", "id": "uid", "labels": "labels",
    "zero": "wrong", "rater": "annotator", "split": "blank-line", "threshold": "0.5", "meta": ["odd\\,name.deep"],
}  # fmt: skip


@pytest.fixture
def lead() -> Membership:
    return factories.member(factories.project(overlap=2, protocol="label_steps"), role=Role.LEAD)


@pytest.fixture
def bell(monkeypatch: Any) -> list[tuple[str, list[int]]]:
    """What workers are called for."""
    rung: list[tuple[str, list[int]]] = []
    monkeypatch.setattr("celery.Celery.send_task", lambda self, name, args: rung.append((name, args)))
    return rung


@pytest.fixture
def done(bell: list[tuple[str, list[int]]], django_capture_on_commit_callbacks: Any) -> Any:
    """done(act, …): do it, then all the work that it called for; return what it returned."""

    def do(act: Any, *args: Any, **kwargs: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            result = act(*args, **kwargs)
        while bell:
            name, ids = bell.pop(0)
            with django_capture_on_commit_callbacks(execute=True):
                getattr(tasks, name.removeprefix("annotator."))(*ids)
        return result

    return do


def visit(who: Membership, path: str, data: dict[str, Any] | None = None) -> Any:
    client = Client()
    client.force_login(who.user)
    return client.get(path) if data is None else client.post(path, data)


def upload(lead: Membership, *records: Any, format: str = "jsonl", **fields: Any) -> Any:
    content = "".join(json.dumps(one) + "\n" for one in records).encode()
    files = [SimpleUploadedFile("own.jsonl", content)]
    data = {"format": format, "uploads": files, "protocol": "", "overlap": "", **fields}
    return visit(lead, f"/p/{lead.project.slug}/imports/", data)


def address(row: Import) -> str:
    return f"/p/{row.project.slug}/imports/{row.pk}/"


def test_an_upload_waits_until_a_person_has_said_what_is_where(
    lead: Membership, bell: Any, done: Any
) -> None:
    response = done(upload, lead, RECORD, strict="on")
    row = Import.objects.get()
    assert response.url == f"{address(row)}map/"
    assert (row.state, row.options["reading"], row.options["strict"]) == (TransferState.WAITING, {}, True)
    Import.objects.update(created_at=timezone.now() - timedelta(days=1))
    row.refresh_from_db()
    assert not is_stalled(row)
    page = visit(lead, address(row)).content.decode()
    assert "Say what is where" in page
    assert "hx-trigger" not in page
    assert "Resume" not in page
    with pytest.raises(errors.Conflict, match="Nobody has said"):
        import_check.check(row=row)
    with pytest.raises(errors.Conflict):
        imports.resume_import(by=lead, row=row)


def test_the_page_guesses_and_shows_what_the_guess_would_bring(lead: Membership, done: Any) -> None:
    url = done(upload, lead, RECORD | {"labels": [1, -1]}, {"uid": "g-2"}).url
    page = visit(lead, url).content.decode()
    for place in ("question.text", "gold", "response", "uid", "labels", "annotator"):
        assert f'<option value="{place}" selected>' in page
    assert "It is &lt;b&gt;3&lt;/b&gt;." in page
    assert "<b>3</b>" not in page
    assert "✓ correct" in page
    assert "✗ wrong" in page
    assert "own.jsonl, line 2" in page
    assert "<code>question.text</code> is missing" in page
    assert not Problem.objects.exists()


def test_preview_shows_and_check_brings_in(lead: Membership, done: Any) -> None:
    url = done(upload, lead, RECORD).url
    page = done(visit, lead, url, SAID | {"do": "preview"}).content.decode()
    assert "✗ wrong" in page
    assert "deep: here" in page
    assert "--zero wrong" in page
    assert Import.objects.get().state == TransferState.WAITING
    response = done(visit, lead, url, SAID | {"do": "check"})
    row = Import.objects.get()
    assert response.url == address(row)
    assert (row.state, row.created_by) == (TransferState.COMPLETE, lead.user)
    item = Item.objects.select_related("solution__problem").get()
    assert (item.solution.steps, item.solution.foreign_id) == (["Add.", "It is <b>3</b>."], "g-1")
    assert item.solution.meta == {"deep": "here", "length": 2}
    assert [(str(one.rater), one.labels) for one in Annotation.objects.all()] == [("source:ann", "+-")]
    assert visit(lead, url).url == address(row)


def test_an_error_of_a_record_is_shown_with_its_place(lead: Membership, done: Any) -> None:
    url = done(upload, lead, RECORD).url
    page = visit(lead, url, SAID | {"zero": "", "do": "preview"}).content.decode()
    assert "<code>labels[1]</code> is 0: say whether that means neutral or wrong" in page


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": "samples"}, "not both"),
        ({"problem": ""}, "where the problem is"),
        ({"response": ""}, "nothing that labels could be of"),
        ({"more": "soup=x"}, "is none of"),
        ({"answer": "elsewhere"}, "elsewhere is not one of the available choices"),
        ({"threshold": "7"}, "less than or equal to 1"),
        ({"split": "words"}, "words is not one of"),
    ],
)
@pytest.mark.parametrize("do", ["preview", "check"])
def test_what_cannot_be_is_said_and_nothing_is_lost(
    do: str, changes: dict[str, Any], message: str, lead: Membership, done: Any
) -> None:
    url = done(upload, lead, RECORD).url
    response = done(visit, lead, url, {**SAID, **changes, "do": do})
    page = response.content.decode()
    assert response.status_code == 400
    assert message in page
    assert '<option value="uid" selected>' in page
    assert Import.objects.get().options["reading"] == {}


def test_a_place_that_is_not_listed_can_be_written(lead: Membership, done: Any) -> None:
    url = done(upload, lead, RECORD).url
    said = SAID | {"response": "", "labels": "", "rater": "", "more": "response=samples.1", "do": "check"}
    done(visit, lead, url, said)
    assert Item.objects.get().solution.steps == ["Second."]


def test_problems_alone_come_in_from_the_page(lead: Membership, done: Any) -> None:
    url = done(upload, lead, RECORD).url
    done(visit, lead, url, {"problem": "question.text", "split": "none", "threshold": "0.5", "do": "check"})
    row = Import.objects.get()
    assert row.state == TransferState.COMPLETE
    assert Problem.objects.get().text == "What is $1+1$?"
    page = visit(lead, address(row)).content.decode()
    assert "problem without a solution" in page
    assert "To the items" not in page


def test_after_a_check_that_found_too_little_one_says_it_anew(lead: Membership, done: Any) -> None:
    url = done(upload, lead, RECORD).url
    done(visit, lead, url, SAID | {"zero": "", "more": "meta=nowhere.at.all", "do": "check"})
    row = Import.objects.get()
    assert row.state == TransferState.FAILED
    assert "Say anew what is where" in visit(lead, address(row)).content.decode()
    page = visit(lead, url).content.decode()
    assert '<option value="question.text" selected>' in page
    assert 'value="meta=nowhere.at.all"' in page
    assert "guessed" not in page
    done(visit, lead, url, SAID | {"do": "check"})
    row.refresh_from_db()
    assert (row.state, row.error) == (TransferState.COMPLETE, "")
    assert Item.objects.count() == 1


def test_label_studio_asks_for_its_layout(lead: Membership, done: Any) -> None:
    data = (DATA / "label_studio.json").read_bytes()
    files = [SimpleUploadedFile("export.json", data)]
    fields = {"format": "label_studio", "uploads": files, "protocol": "", "overlap": ""}
    url = done(visit, lead, f"/p/{lead.project.slug}/imports/", fields).url
    page = visit(lead, url).content.decode()
    assert "verdict_0" in page
    assert "label_studio ann@example.org" in page
    assert 'name="labels"' not in page
    said = {"problem": "problem", "steps": "steps", "split": "none", "control": "verdict", "first": "0"}
    done(visit, lead, url, said | {"do": "check"})
    assert Item.objects.count() == 3


@pytest.mark.parametrize("content", [b"", b"[5]", b"{\n", b'{"a": 1}\n{"b": "\xff"}'])
def test_files_without_a_usable_record_are_said_to_be_so(content: bytes, lead: Membership, done: Any) -> None:
    files = [SimpleUploadedFile("own.jsonl", content or b"\n")]
    fields = {"format": "jsonl", "uploads": files, "protocol": "", "overlap": ""}
    url = done(visit, lead, f"/p/{lead.project.slug}/imports/", fields).url
    response = visit(lead, url)
    assert response.status_code == 200
    assert "Remove this import" in response.content.decode()
    assert ("no record with fields" in response.content.decode()) == (b"\xff" not in content)


def test_what_waits_for_its_map_can_be_removed(lead: Membership, done: Any) -> None:
    done(upload, lead, RECORD)
    row = Import.objects.get()
    done(visit, lead, address(row), {"do": "remove"})
    row.refresh_from_db()
    assert row.state == TransferState.REMOVED
    assert not Path(row.paths[0]).exists()


def test_only_uploads_that_are_not_yet_written_can_be_told(
    lead: Membership, done: Any, tmp_path: Path
) -> None:
    told = {"map": "problem=question.text"}
    path = tmp_path / "f.jsonl"
    path.write_text(json.dumps(RECORD))
    of_command = checked(lead.project, path, format="jsonl", reading=told)
    for row in (of_command, opened(lead.project, PRMBENCH)):
        assert visit(lead, f"{address(row)}map/").url == address(row)
        with pytest.raises(errors.Conflict):
            import_map.give_map(by=lead, row=row, reading=told)


def test_only_a_lead_of_the_project_says_it(lead: Membership, done: Any) -> None:
    done(upload, lead, RECORD)
    row = Import.objects.get()
    reviewer = factories.member(lead.project)
    assert visit(reviewer, f"{address(row)}map/").status_code == 403
    with pytest.raises(errors.Forbidden):
        import_map.give_map(by=reviewer, row=row, reading={"map": "problem=q"})
    stranger = factories.member(factories.project(), role=Role.OWNER)
    foreign = f"/p/{stranger.project.slug}/imports/{row.pk}/map/"
    assert visit(stranger, foreign).status_code == 404


def test_the_preview_reads_only_the_beginning(lead: Membership, done: Any) -> None:
    url = done(upload, lead, *[RECORD | {"uid": f"g-{n}"} for n in range(50)]).url
    response = visit(lead, url)
    assert len(response.context["shown"]) == len(response.context["raw"]) == 5
