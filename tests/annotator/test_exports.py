"""Exports through their actions and pages: which annotations go out, how, and what is left out and said."""

import hashlib
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator import errors, tasks
from annotator.actions import export_rows, exports, review
from annotator.actions.transfers import Busy
from annotator.models import (
    Annotation,
    Event,
    Export,
    Import,
    Item,
    Membership,
    Project,
    Role,
    TransferState,
)
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import PRMBENCH, PROCESSBENCH, added_labels, imported, jsonl, many, record
from tests.annotator.reviewed import claimed, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return factories.project(overlap=1)


@pytest.fixture
def lead(project: Project) -> Membership:
    return factories.member(project, role=Role.LEAD)


@pytest.fixture
def alice(project: Project) -> Membership:
    return factories.member(project, f"alice{project.pk}")


def out(
    project: Project, which: str, format: str = "prmbench", min_raters: int = 1
) -> tuple[bytes, exports.Outcome]:
    file = io.BytesIO()
    outcome = exports.export_to(
        by=Operator(), project=project, format=format, which=which, min_raters=min_raters, out=file
    )
    return file.getvalue(), outcome


def lines(project: Project, which: str, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out(project, which, **options)[0].splitlines()]


def one_item(project: Project, tmp_path: Path, **changes: Any) -> Item:
    imported(project, jsonl(tmp_path / "one.jsonl", record(**changes)))
    return Item.objects.filter(project=project).latest("pk")


# ---- what comes in goes out the same


@pytest.mark.parametrize(
    ("path", "which"),
    [(PRMBENCH, "injector:prmbench"), (PROCESSBENCH, "source:processbench"), (PRMBENCH, "all")],
)
def test_an_import_goes_out_as_it_came_again_and_again(path: Path, which: str, tmp_path: Path) -> None:
    format = path.stem
    for n in range(3):
        project = factories.project()
        imported(project, path if n == 0 else tmp_path / path.name, format=format)
        written, outcome = out(project, which, format)
        assert written == path.read_bytes()
        assert outcome.sha256 == hashlib.sha256(written).hexdigest()
        assert outcome.n_bytes == len(written)
        (tmp_path / path.name).write_bytes(written)


def test_what_an_unfinished_import_wrote_is_not_there(project: Project) -> None:
    row = imported(project, PRMBENCH)
    Import.objects.filter(pk=row.pk).update(state=TransferState.WRITING)
    assert out(project, "all")[1].n == 0
    assert export_rows.count(project, "all") == 0


def test_labels_that_an_unfinished_import_adds_are_not_there(project: Project, tmp_path: Path) -> None:
    row, word = added_labels(one_item(project, tmp_path))
    assert [one.record.rater for one in export_rows.rows(project, "all")] == ["injector:prmbench"]
    assert export_rows.count(project, str(word.rater)) == 0
    assert str(word.rater) not in {one.which for one in export_rows.choices(project)}
    Import.objects.filter(pk=row.pk).update(state=TransferState.COMPLETE)
    assert export_rows.count(project, str(word.rater)) == 1
    assert str(word.rater) in {one.record.rater for one in export_rows.rows(project, "all")}


# ---- which annotations


def test_gold_is_what_the_reviewers_agreed_on(project: Project, alice: Membership, tmp_path: Path) -> None:
    item = one_item(project, tmp_path)
    submitted(alice, item, "--")
    one_item(project, tmp_path, idx="open")
    (found,) = lines(project, "gold")
    assert (found["idx"], found["error_steps"]) == ("own_1", [1, 2])


def test_a_reviewer_goes_out_with_the_revealed_labels(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    submitted(alice, one_item(project, tmp_path), "--", then="++")
    assert [found["error_steps"] for found in lines(project, f"reviewer:{alice.user}")] == [[]]


def test_all_is_one_record_for_each_rater(project: Project, alice: Membership, tmp_path: Path) -> None:
    submitted(alice, one_item(project, tmp_path), "--", then="-+")
    assert sorted(found["error_steps"] for found in lines(project, "all")) == [[1], [2]]


def test_what_is_not_submitted_stays_in(project: Project, alice: Membership, tmp_path: Path) -> None:
    assignment = claimed(alice, one_item(project, tmp_path))
    review.commit(by=alice, assignment_id=assignment.pk, data={"labels": "--"})
    assert Annotation.objects.filter(rater=alice.rater).exists()
    assert lines(project, f"reviewer:{alice.user}") == []
    assert export_rows.count(project, f"reviewer:{alice.user}") == 0


def test_min_raters_wants_so_many_reviewers(project: Project, alice: Membership, tmp_path: Path) -> None:
    item = one_item(project, tmp_path)
    Item.objects.update(wanted=2, open_slots=2)
    submitted(alice, item, "--")
    assert (len(lines(project, "all", min_raters=1)), len(lines(project, "all", min_raters=2))) == (2, 0)
    submitted(factories.member(project), item, "-+")
    assert len(lines(project, "all", min_raters=2)) == 3
    assert export_rows.count(project, "all", 2) == 3


def test_other_projects_do_not_go_out(project: Project, alice: Membership, tmp_path: Path) -> None:
    elsewhere = factories.project(overlap=1)
    one_item(elsewhere, tmp_path)
    assert lines(project, "all") == []
    with pytest.raises(errors.Invalid):
        out(project, "injector:prmbench")


@pytest.mark.parametrize("which", ["", "silver", "reviewer:nobody", "injector", "judge:prmbench", ":"])
def test_a_rater_who_is_not_there_is_refused(which: str, project: Project) -> None:
    imported(project, PRMBENCH)
    with pytest.raises(errors.Invalid) as refused:
        out(project, which)
    assert refused.value.field == "which"


def test_counts_say_what_would_go_out(project: Project, alice: Membership, tmp_path: Path) -> None:
    imported(project, jsonl(tmp_path / "f.jsonl", *many(3)))
    submitted(alice, Item.objects.order_by("pk")[1], "--")
    counted = {choice.which: choice.n for choice in export_rows.choices(project)}
    assert counted.pop("solutions") == 3
    assert counted == {"gold": 1, "all": 4, "injector:prmbench": 3, f"reviewer:{alice.user}": 1}
    assert counted == {which: out(project, which)[1].n for which in counted}


# ---- what a format cannot say


def test_what_cannot_be_said_is_left_out_with_its_reason(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    submitted(alice, one_item(project, tmp_path), "-?")
    submitted(alice, one_item(project, tmp_path, idx="bad"), "..", finish_reason="bad_problem", note="?")
    imported(project, PROCESSBENCH, format="processbench")
    written, outcome = out(project, "all")
    assert outcome.n == len(written.splitlines()) == 2
    found = {why: (seen["n"], seen["first"][0]) for why, seen in outcome.left_out.items()}
    assert found["the reviewer gave no judgement: the problem is bad"] == (1, "counterfactual_bad")
    assert [seen for why, seen in found.items() if "unsure" in why] == [(1, "counterfactual_own_1")]
    assert outcome.n_left_out == 2 + Annotation.objects.filter(rater__kind="source").count()


def test_an_unknown_first_error_is_no_processbench_label(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    submitted(alice, one_item(project, tmp_path), "?-")
    written, outcome = out(project, f"reviewer:{alice.user}", "processbench")
    assert json.loads(written) == []
    assert outcome.n_left_out == 1


def test_only_the_first_ids_are_kept(project: Project) -> None:
    outcome = exports.Outcome()
    for n in range(50):
        outcome.leave_out(f"id{n}", "why")
    assert (outcome.n_left_out, len(outcome.left_out["why"]["first"])) == (50, exports.IDS_SHOWN)


# ---- chunks


def test_chunks_join_without_gap_or_overlap(project: Project, tmp_path: Path, monkeypatch: Any) -> None:
    path = jsonl(tmp_path / "f.jsonl", *many(11))
    imported(project, path)
    monkeypatch.setattr(export_rows, "CHUNK", 5)
    assert out(project, "all")[0] == path.read_bytes()


def test_the_queries_of_a_chunk_do_not_grow_with_it(project: Project, tmp_path: Path) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            list(export_rows.rows(project, "all"))
        return len(captured)

    imported(project, jsonl(tmp_path / "a.jsonl", *many(3)))
    few = queries()
    imported(project, jsonl(tmp_path / "b.jsonl", *many(40)))
    assert queries() == few


# ---- a worker's export, and its pages


@pytest.fixture
def bell(monkeypatch: Any) -> list[tuple[str, list[int]]]:
    rung: list[tuple[str, list[int]]] = []
    monkeypatch.setattr("celery.Celery.send_task", lambda self, name, args: rung.append((name, args)))
    return rung


def visit(who: Membership, path: str, **data: Any) -> Any:
    client = Client()
    client.force_login(who.user)
    url = f"/p/{who.project.slug}/exports/{path}"
    return client.post(url, data) if data else client.get(url)


def test_an_export_is_counted_asked_for_written_and_fetched(
    lead: Membership, bell: Any, django_capture_on_commit_callbacks: Any
) -> None:
    imported(lead.project, PRMBENCH)
    n = Item.objects.count()
    shown = " ".join(visit(lead, "").content.decode().split())
    assert f'injector:prmbench</label></td><td class="num">{n}</td>' in shown
    with django_capture_on_commit_callbacks(execute=True):
        asked = visit(lead, "", format="prmbench", which="injector:prmbench", min_raters="1")
    row = Export.objects.get()
    assert asked.url.endswith(f"/exports/{row.pk}/")
    assert bell == [("annotator.write_export", [row.pk])]
    assert "every 1s" in visit(lead, f"{row.pk}/").content.decode()
    assert visit(lead, f"{row.pk}/file").status_code == 409
    tasks.write_export(row.pk)
    row.refresh_from_db()
    assert (row.state, row.n_done, row.n_total) == (TransferState.COMPLETE, n, n)
    page = visit(lead, f"{row.pk}/").content.decode()
    assert "every 1s" not in page
    assert row.sha256 in page
    fetched = visit(lead, f"{row.pk}/file")
    assert b"".join(fetched.streaming_content) == PRMBENCH.read_bytes()
    assert hashlib.sha256(PRMBENCH.read_bytes()).hexdigest() == row.sha256
    assert fetched["Content-Disposition"].startswith("attachment; filename=")
    assert fetched["X-Content-Type-Options"] == "nosniff"
    assert fetched["Content-Type"] == "application/octet-stream"
    assert Event.objects.filter(verb="export", actor=lead.user).exists()


def test_a_hostile_name_does_not_leave_its_header(lead: Membership) -> None:
    row = Export(project=lead.project, format="prmbench", which='reviewer:a"\r\nX: <b>/../é', pk=7)
    assert exports.download_name(row) == f"{lead.project.slug}-prmbench-reviewer-a---X---b--..-é-7.jsonl"


def test_the_page_says_what_was_left_out(
    lead: Membership, alice: Membership, tmp_path: Path, bell: Any
) -> None:
    submitted(alice, one_item(lead.project, tmp_path), "-?")
    row = exports.start_export(by=lead, project=lead.project, format="prmbench", which="all")
    exports.write(row=row)
    page = visit(lead, f"{row.pk}/").content.decode()
    assert "Left out 1" in page
    assert "counterfactual_own_1" in page


def test_nonsense_is_said_at_the_field(lead: Membership) -> None:
    response = visit(lead, "", format="csv", which="", min_raters="0")
    assert response.status_code == 400
    assert set(response.context["form"].errors) == {"format", "which", "min_raters"}
    response = visit(lead, "", format="prmbench", which="reviewer:nobody", min_raters="1")
    assert set(response.context["form"].errors) == {"which"}
    assert visit(lead, "?min_raters=none").status_code == 400
    assert not Export.objects.exists()


def test_an_export_whose_worker_died_begins_again(lead: Membership, bell: Any) -> None:
    row = exports.start_export(by=lead, project=lead.project, format="prmbench", which="all")
    Export.objects.update(state=TransferState.WRITING, beat_at=timezone.now())
    with pytest.raises(Busy):
        exports.write(row=row)
    row.refresh_from_db()
    with pytest.raises(errors.Conflict):
        exports.resume_export(by=lead, row=row)
    Export.objects.update(beat_at=timezone.now() - timedelta(seconds=70))
    assert "Begin again" in visit(lead, f"{row.pk}/").content.decode()
    assert visit(lead, f"{row.pk}/", do="resume").status_code == 302
    assert exports.write(row=row).state == TransferState.COMPLETE
    assert "Begin again" not in visit(lead, f"{row.pk}/").content.decode()


def test_a_failing_disk_leaves_no_half_file(
    lead: Membership, bell: Any, settings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    settings.DATA_DIR = tmp_path
    imported(lead.project, PRMBENCH)
    row = exports.start_export(by=lead, project=lead.project, format="prmbench", which="all")

    def full(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        exports.write(row=row)
    row.refresh_from_db()
    assert (row.state, row.path, row.beat_at) == (TransferState.WRITING, "", None)
    assert list((tmp_path / "exports").iterdir()) == []
    assert exports.can_resume(row)


def test_a_file_that_is_gone_is_said(lead: Membership, bell: Any) -> None:
    row = exports.start_export(by=lead, project=lead.project, format="prmbench", which="all")
    exports.write(row=row)
    Path(row.path).unlink()
    assert visit(lead, f"{row.pk}/file").status_code == 404


def test_exports_of_another_project_are_not_there(lead: Membership, bell: Any) -> None:
    elsewhere = factories.member(factories.project(), role=Role.LEAD)
    row = exports.start_export(by=elsewhere, project=elsewhere.project, format="prmbench", which="all")
    exports.write(row=row)
    assert visit(lead, f"{row.pk}/").status_code == 404
    assert visit(lead, f"{row.pk}/file").status_code == 404


def test_a_reviewer_may_not(project: Project, alice: Membership, bell: Any) -> None:
    with pytest.raises(errors.Forbidden):
        exports.start_export(by=alice, project=project, format="prmbench", which="all")
    row = exports.start_export(by=Operator(), project=project, format="prmbench", which="all")
    with pytest.raises(errors.Forbidden):
        exports.resume_export(by=alice, row=row)
    assert visit(alice, f"{row.pk}/file").status_code == 403
