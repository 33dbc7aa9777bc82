"""Imports through their actions: what rows a file becomes, what is refused, resumed and removed."""

import gzip
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator import errors, queue, tasks
from annotator.actions import import_check, import_rows, import_write, imports
from annotator.actions.transfers import Busy, batched
from annotator.core import align
from annotator.formats import prmbench
from annotator.models import (
    Annotation,
    Event,
    Import,
    Injection,
    Item,
    Membership,
    Problem,
    Project,
    Protocol,
    Rater,
    Role,
    Solution,
    TransferState,
)
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import (
    PRMBENCH,
    PROCESSBENCH,
    checked,
    imported,
    jsonl,
    many,
    opened,
    record,
    rows_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return factories.project(overlap=2)


@pytest.fixture
def lead(project: Project) -> Membership:
    return factories.member(project, role=Role.LEAD)


# ---- what a record becomes


def test_a_record_becomes_problem_original_child_injection_and_annotation(
    project: Project, tmp_path: Path
) -> None:
    row = imported(project, jsonl(tmp_path / "f.jsonl", record()))
    item = Item.objects.get(project=project)
    solution, injection = item.solution, item.solution.injection
    assert (solution.problem.text, solution.problem.group) == ("What is 1 + 2?", "own_1")
    assert solution.parent
    assert solution.parent.steps == ["Add the two numbers.", "It is 3."]
    assert solution.steps == ["Add the two numbers.", "It is 4."]
    assert (injection.error_type, injection.claimed_changed, injection.claimed_wrong) == (
        "counterfactual",
        [2],
        [2],
    )
    assert injection.alignment == align.dump(align.align(solution.parent.steps, solution.steps))
    annotation = solution.annotations.get()
    assert (annotation.labels, annotation.first_error, annotation.phase) == ("+-", 1, "machine")
    assert str(annotation.rater) == "injector:prmbench"
    assert (item.protocol, item.error_type) == ("verify_injection", "counterfactual")
    assert (item.wanted, item.open_slots) == (2, 2)
    assert {solution.source_import_id, solution.parent.source_import_id} == {row.pk}


def test_a_processbench_label_is_a_source_raters(project: Project) -> None:
    imported(project, PROCESSBENCH, format="processbench")
    assert {str(row.rater) for row in Annotation.objects.all()} == {"source:processbench"}
    assert not Injection.objects.exists()
    assert not Solution.objects.exclude(parent=None).exists()


def test_a_claim_out_of_range_is_kept_verbatim_and_inert(project: Project, tmp_path: Path) -> None:
    claim = record(error_steps=[9, 2, -1, 0], modified_steps=[2, 2])
    imported(project, jsonl(tmp_path / "f.jsonl", claim))
    assert Injection.objects.get().claimed_wrong == [9, 2, -1, 0]
    assert Annotation.objects.get().labels == "+-"


def test_a_changed_question_becomes_a_child_of_the_same_group(project: Project, tmp_path: Path) -> None:
    imported(project, jsonl(tmp_path / "f.jsonl", record(modified_question="What is some sum?")))
    child = Problem.objects.get(text="What is some sum?")
    assert child.parent
    assert (child.parent.text, child.group) == ("What is 1 + 2?", child.parent.group)
    reviewed = Item.objects.get().solution
    assert (reviewed.problem_id, reviewed.parent and reviewed.parent.problem_id) == (
        child.pk,
        child.parent_id,
    )


def test_kinds_of_one_base_share_group_question_and_original(project: Project, tmp_path: Path) -> None:
    kinds = [record(classification=kind) for kind in ("circular", "deception", "redundency")]
    imported(project, jsonl(tmp_path / "f.jsonl", *kinds))
    assert (Item.objects.count(), Problem.objects.count()) == (3, 1)
    assert Solution.objects.filter(parent=None).count() == 1
    assert set(Item.objects.values_list("error_type", flat=True)) == {"circular", "deception", "redundancy"}


def test_a_question_worded_differently_is_another_problem_of_the_group(
    project: Project, tmp_path: Path
) -> None:
    other = record(classification="circular", original_question="1 + 2 = ?", modified_question="1 + 2 = ?")
    imported(project, jsonl(tmp_path / "f.jsonl", record(), other))
    assert list(Problem.objects.values_list("group", flat=True)) == ["own_1", "own_1"]


def test_equal_records_and_equal_ids_stay_apart(project: Project, tmp_path: Path) -> None:
    """A line twice, and another solution under the same id: three items, since three came in."""
    same_id = record(modified_process=["Add the two numbers.", "It is 5."])
    row = imported(project, jsonl(tmp_path / "f.jsonl", record(), record(), same_id))
    assert Item.objects.count() == 3
    assert row.report["n_repeated"] == 1
    assert set(Item.objects.values_list("solution__foreign_id", flat=True)) == {"counterfactual_own_1"}


# ---- protocol and overlap


@pytest.mark.parametrize(
    ("of_project", "asked", "kind", "given"),
    [
        ("verify_injection", "", "circular", "verify_injection"),
        ("verify_injection", "", "multi_solutions", "check_solution"),
        ("label_steps", "", "circular", "label_steps"),
        ("label_steps", "", "multi_solutions", "check_solution"),
        ("verify_injection", "label_steps", "circular", "label_steps"),
        ("verify_injection", "label_steps", "multi_solutions", "label_steps"),
    ],
)
def test_the_protocol_of_an_item(of_project: str, asked: str, kind: str, given: str, tmp_path: Path) -> None:
    project = factories.project(protocol=of_project)
    wrong = {"error_steps": [], "modified_steps": []} if kind == "multi_solutions" else {}
    imported(project, jsonl(tmp_path / "f.jsonl", record(classification=kind, **wrong)), protocol=asked)
    assert Item.objects.get().protocol == given


@pytest.mark.parametrize(
    ("of_project", "given"), [("verify_injection", "label_steps"), ("verify_labels", "verify_labels")]
)
def test_without_an_original_nothing_is_compared_with_it(of_project: str, given: str) -> None:
    imported(factories.project(protocol=of_project), PROCESSBENCH, format="processbench")
    assert set(Item.objects.values_list("protocol", flat=True)) == {given}


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("protocol", {"format": "processbench", "protocol": "verify_injection"}),
        ("protocol", {"format": "processbench", "protocol": "check_solution"}),
        ("protocol", {"format": "prmbench", "protocol": "guess"}),
        ("overlap", {"format": "prmbench", "overlap": 0}),
        ("overlap", {"format": "prmbench", "overlap": 10_000}),
        ("format", {"format": "csv"}),
    ],
)
def test_options_that_cannot_be_are_refused_by_name(field: str, options: dict[str, Any]) -> None:
    with pytest.raises(errors.Invalid) as refused:
        imports.read_options(**options)
    assert refused.value.field == field


def test_an_overlap_of_its_own(project: Project, tmp_path: Path) -> None:
    imported(project, jsonl(tmp_path / "f.jsonl", record()), overlap=5)
    assert Item.objects.values_list("wanted", "open_slots").get() == (5, 5)


# ---- the check


BAD = {
    "not JSON": ('{"idx": "x",', "", "is not JSON"),
    "a field missing": (record(error_steps=...), "error_steps", "is missing"),
    "a wrong type": (record(modified_process=["a", 5]), "modified_process[1]", "must be text"),
    "no steps": (record(modified_process=[]), "modified_process", "at least one step"),
    "NUL": (json.dumps(record(reason="a\0b")), "reason", "NUL"),
    "half a character": (json.dumps(record(reason="\ud83d")), "reason", "surrogate"),
    "a field twice": ('{"idx": "a", "idx": "b"}', "idx", "twice"),
    "an unknown kind": (record(classification="rude"), "classification", "must be one of"),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_record_is_named_with_its_place_and_the_good_ones_are_written(
    bad: str, project: Project, tmp_path: Path
) -> None:
    line, field, message = BAD[bad]
    row = imported(project, jsonl(tmp_path / "f.jsonl", record(), "", line, record(idx="own_2")))
    (error,) = row.report["errors"]
    assert (Path(error["file"]).name, error["line"], error["field"]) == ("f.jsonl", 3, field)
    assert message in error["message"]
    assert (row.report["n_records"], row.report["n_good"], row.report["n_bad"]) == (3, 2, 1)
    assert Item.objects.count() == 2


def test_strict_writes_nothing_if_one_is_bad(project: Project, tmp_path: Path) -> None:
    row = checked(project, jsonl(tmp_path / "f.jsonl", record(), "{"), strict=True)
    assert row.state == TransferState.FAILED
    assert "1 of 2" in row.error
    with pytest.raises(errors.Conflict):
        import_write.begin(row)
    assert not Solution.objects.exists()


@pytest.mark.parametrize(
    "how", ["truncated list", "truncated gzip", "not UTF-8", "missing", "a folder inside"]
)
def test_of_an_unreadable_file_nothing_is_used_even_if_others_are_sound(
    how: str, project: Project, tmp_path: Path
) -> None:
    sound, broken = jsonl(tmp_path / "a.jsonl", record()), tmp_path / "b.jsonl.gz"
    files = {
        "truncated list": PROCESSBENCH.read_bytes()[:-20],
        "truncated gzip": gzip.compress(sound.read_bytes())[:-12],
        "not UTF-8": sound.read_bytes() + b'{"idx": "\xff"}\n',
    }
    broken = tmp_path / ("b.jsonl.gz" if how == "truncated gzip" else "b.jsonl")
    if how in files:
        broken.write_bytes(files[how])
    elif how == "a folder inside":
        broken.mkdir()
    row = opened(project, sound, sound)
    Import.objects.filter(pk=row.pk).update(paths=[str(sound), str(broken)], names=["a.jsonl", broken.name])
    import_check.check(row=row)
    assert row.state == TransferState.FAILED
    assert broken.name in row.report["unreadable"]
    assert not Solution.objects.exists()


def test_a_file_without_a_record_fails(project: Project, tmp_path: Path) -> None:
    assert checked(project, jsonl(tmp_path / "f.jsonl")).state == TransferState.FAILED


def test_the_first_errors_are_kept_and_the_rest_counted(project: Project, tmp_path: Path) -> None:
    row = checked(project, jsonl(tmp_path / "f.jsonl", record(), *["{"] * 250))
    assert (len(row.report["errors"]), row.report["n_bad"]) == (200, 250)


def test_the_check_writes_nothing_but_its_report(project: Project) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        row = checked(project, PRMBENCH)
    written = {
        q["sql"].split()[1 if q["sql"].startswith("UPDATE") else 2]
        for q in queries
        if q["sql"][:6] in ("UPDATE", "INSERT")
    }
    assert written == {'"annotator_import"'}
    assert row.n_total == row.report["n_good"]


def test_sums_by_kind(project: Project, tmp_path: Path) -> None:
    """Two records of one kind: steps 2 + 4; wrong 1 + 2 (of 9 and 3, 4); first errors at 2 and 3."""
    four = record(modified_process=["a", "b", "c", "d"], error_steps=[9, 4, 3], modified_question="12345")
    other = record(classification="multi_solutions", error_steps=[], modified_steps=[])
    row = imported(project, jsonl(tmp_path / "f.jsonl", record(), four, other))
    sums = {
        "items": 2,
        "steps": 6,
        "wrong_steps": 3,
        "with_error": 2,
        "first_errors": 5,
        "question_chars": 14 + 5,
    }
    assert row.report["kinds"]["counterfactual"] == sums
    assert row.report["kinds"]["multi_solutions"]["with_error"] == 0


# ---- again, and more


def test_the_same_file_again_brings_nothing_new(project: Project) -> None:
    imported(project, PRMBENCH)
    before = rows_of(project)
    row = imported(project, PRMBENCH)
    assert (row.report["n_known"], row.report["kinds"]) == (row.report["n_good"], {})
    assert rows_of(project) == before


def test_the_check_says_what_is_there_already(project: Project, tmp_path: Path) -> None:
    imported(project, jsonl(tmp_path / "a.jsonl", record()))
    row = checked(project, jsonl(tmp_path / "b.jsonl", record(), record(idx="own_2")))
    assert row.report["n_known"] == 1


def test_another_project_knows_nothing_of_it(project: Project) -> None:
    imported(project, PRMBENCH)
    other = factories.project(overlap=2)
    assert imported(other, PRMBENCH).report["n_known"] == 0
    assert rows_of(other) == rows_of(project)


def test_a_later_import_shares_problems_and_originals(project: Project, tmp_path: Path) -> None:
    imported(project, jsonl(tmp_path / "a.jsonl", record()))
    imported(project, jsonl(tmp_path / "b.jsonl", record(classification="circular")))
    assert (Problem.objects.count(), Solution.objects.count(), Item.objects.count()) == (1, 3, 2)


# ---- batches


def test_the_queries_of_a_batch_do_not_grow_with_it(project: Project, tmp_path: Path) -> None:
    def queries(n: int, first: int) -> int:
        path = jsonl(tmp_path / f"{n}.jsonl", *many(first + n)[first:])
        batch = [
            import_rows.Keyed(one, f"{first}-{i}", "c")
            for i, one in enumerate(prmbench.read(path, path.name))
        ]
        with CaptureQueriesContext(connection) as captured:
            import_rows.Writer(opened(project, path)).store(batch)  # type: ignore[arg-type]
        return len([q for q in captured if not q["sql"].startswith("INSERT")])

    Rater.objects.create(kind="injector", name="prmbench")
    assert queries(40, 10) == queries(4, 100)


def test_items_appear_only_when_all_is_written(project: Project, tmp_path: Path, monkeypatch: Any) -> None:
    row = checked(project, jsonl(tmp_path / "f.jsonl", *many(12)))
    import_write.begin(row)
    _stop_after(monkeypatch, 2)
    with pytest.raises(Killed):
        import_write.write(row=row)
    row.refresh_from_db()
    assert (row.n_done, row.state) == (10, TransferState.WRITING)
    assert Solution.objects.exclude(foreign_format="").count() == 10
    assert not Item.objects.exists()
    assert queue.claim(by=factories.member(project)) is None


def test_a_stopped_import_goes_on_and_ends_like_an_unbroken_one(
    project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    """Equal records on both sides of the break keep their numbers."""
    path = jsonl(tmp_path / "f.jsonl", *many(7), *many(7))
    row = checked(project, path)
    import_write.begin(row)
    with monkeypatch.context() as patched:
        _stop_after(patched, 1)
        with pytest.raises(Killed):
            import_write.write(row=row)
    import_write.write(row=row)
    unbroken = factories.project(overlap=2)
    imported(unbroken, path)
    assert row.state == TransferState.COMPLETE
    assert rows_of(project) == rows_of(unbroken)


class Killed(Exception):
    pass


def _stop_after(monkeypatch: Any, batches: int) -> None:
    """Die with the batch after so many; a batch is five records."""
    monkeypatch.setattr(import_write, "batched", lambda items: batched(items, 5))
    store, calls = import_rows.Writer.store, []

    def dying(self: Any, batch: Any) -> int:
        if len(calls) == batches:
            raise Killed
        calls.append(batch)
        return store(self, batch)

    monkeypatch.setattr(import_rows.Writer, "store", dying)


def test_completion_lets_everybody_look_from_the_start(project: Project, tmp_path: Path) -> None:
    reviewer = factories.member(project)
    Membership.objects.filter(pk=reviewer.pk).update(frontier=[0, 10**6], mark=[0, 10**6])
    imported(project, jsonl(tmp_path / "f.jsonl", record()))
    assert queue.claim(by=reviewer)
    assert Event.objects.get(verb="import").data["items"] == 1


def test_files_changed_since_the_check_are_not_written(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", record())
    row = checked(project, path)
    jsonl(path, record(), record(idx="own_2"))
    import_write.begin(row)
    with pytest.raises(errors.Conflict, match="changed"):
        import_write.write(row=row)
    assert not Solution.objects.exists()
    row.refresh_from_db()
    assert "changed" in row.error
    assert imports.can_remove(row)


# ---- one worker at a time


def test_a_row_at_which_another_worker_is_is_left_alone(project: Project) -> None:
    row = opened(project, PRMBENCH)
    Import.objects.filter(pk=row.pk).update(beat_at=timezone.now() - timedelta(seconds=20))
    with pytest.raises(Busy):
        import_check.check(row=row)
    Import.objects.filter(pk=row.pk).update(beat_at=timezone.now() - timedelta(seconds=70))
    assert import_check.check(row=row).state == TransferState.CHECKED


def test_of_two_workers_the_slower_one_stops(project: Project, monkeypatch: Any) -> None:
    row = checked(project, PRMBENCH)
    import_write.begin(row)
    store = import_rows.Writer.store

    def overtaken(self: Any, batch: Any) -> int:
        n = store(self, batch)
        Import.objects.filter(pk=row.pk).update(n_done=7)
        return n

    monkeypatch.setattr(import_rows.Writer, "store", overtaken)
    monkeypatch.setattr(import_write, "batched", lambda items: batched(items, 1))
    with pytest.raises(errors.Conflict, match="Another worker"):
        import_write.write(row=row)


def test_two_imports_of_a_project_are_not_written_at_once(project: Project, tmp_path: Path) -> None:
    first = checked(project, jsonl(tmp_path / "a.jsonl", record()))
    import_write.begin(first)
    second = checked(project, jsonl(tmp_path / "b.jsonl", record()))
    with pytest.raises(errors.Conflict, match=f"Import {first.pk} is unfinished"):
        import_write.begin(second)


# ---- remove


def test_removing_leaves_no_row_of_it(
    project: Project, lead: Membership, tmp_path: Path, monkeypatch: Any
) -> None:
    row = checked(project, jsonl(tmp_path / "f.jsonl", *many(7), record(modified_question="changed")))
    import_write.begin(row)
    with monkeypatch.context() as patched:
        _stop_after(patched, 1)
        with pytest.raises(Killed):
            import_write.write(row=row)
    _forget_for(row, seconds=70)
    imports.remove_import(by=lead, row=row)
    assert not any(any(rows) for rows in rows_of(project))
    row.refresh_from_db()
    assert row.state == TransferState.REMOVED
    assert imported(project, Path(row.paths[0])).report["n_known"] == 0


def test_removing_leaves_what_others_use(
    project: Project, lead: Membership, tmp_path: Path, monkeypatch: Any
) -> None:
    imported(project, jsonl(tmp_path / "a.jsonl", record()))
    before = rows_of(project)
    row = checked(project, jsonl(tmp_path / "b.jsonl", record(classification="circular"), *many(7)))
    import_write.begin(row)
    with monkeypatch.context() as patched:
        _stop_after(patched, 1)
        with pytest.raises(Killed):
            import_write.write(row=row)
    _forget_for(row, seconds=70)
    imports.remove_import(by=lead, row=row)
    assert rows_of(project) == before


def test_what_is_complete_or_worked_on_is_not_removed(project: Project, lead: Membership) -> None:
    row = imported(project, PRMBENCH)
    with pytest.raises(errors.Conflict):
        imports.remove_import(by=lead, row=row)
    row = checked(project, PRMBENCH)
    Import.objects.filter(pk=row.pk).update(beat_at=timezone.now())
    with pytest.raises(errors.Conflict):
        imports.remove_import(by=lead, row=row)


def _forget_for(row: Import, seconds: int) -> None:
    then = timezone.now() - timedelta(seconds=seconds)
    Import.objects.filter(pk=row.pk).update(created_at=then, beat_at=None)
    row.refresh_from_db()


# ---- pages


@pytest.fixture
def bell(monkeypatch: Any) -> list[tuple[str, list[int]]]:
    """What workers are called for; `run` does it."""
    rung: list[tuple[str, list[int]]] = []
    monkeypatch.setattr("celery.Celery.send_task", lambda self, name, args: rung.append((name, args)))
    return rung


def run(bell: list[tuple[str, list[int]]], capture: Any) -> None:
    while bell:
        name, args = bell.pop(0)
        with capture(execute=True):
            getattr(tasks, name.removeprefix("annotator."))(*args)


def upload(lead: Membership, *contents: bytes, **fields: Any) -> Any:
    client = Client()
    client.force_login(lead.user)
    files = [SimpleUploadedFile(f"../up{n}.jsonl", data) for n, data in enumerate(contents)]
    data = {"format": "prmbench", "uploads": files, "protocol": "", "overlap": "", **fields}
    return client.post(f"/p/{lead.project.slug}/imports/", data)


def visit(who: Membership, path: str, **data: Any) -> Any:
    client = Client()
    client.force_login(who.user)
    return client.post(path, data) if data else client.get(path)


def test_an_upload_is_checked_and_written(
    lead: Membership, bell: Any, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        response = upload(lead, PRMBENCH.read_bytes(), json.dumps(record(idx="other")).encode())
    row = Import.objects.get()
    assert response.url == f"/p/{lead.project.slug}/imports/{row.pk}/"
    assert bell == [("annotator.check_import", [row.pk])]
    assert row.names == ["up0.jsonl", "up1.jsonl"]
    assert [Path(path).name for path in row.paths] == ["0", "1"]
    assert all(Path(path).is_relative_to(settings.DATA_DIR) for path in row.paths)
    assert 'hx-trigger="every 1s"' in visit(lead, response.url).content.decode()
    run(bell, django_capture_on_commit_callbacks)
    row.refresh_from_db()
    assert row.state == TransferState.COMPLETE
    assert row.created_by == lead.user
    page = visit(lead, response.url).content.decode()
    assert "hx-trigger" not in page
    assert "New items" in page
    assert not Path(row.paths[0]).exists()


def test_errors_wait_for_a_person_who_writes_the_good_ones(
    lead: Membership, bell: Any, django_capture_on_commit_callbacks: Any
) -> None:
    hostile = json.dumps(record(classification="<script>alert(1)</script>"))
    with django_capture_on_commit_callbacks(execute=True):
        url = upload(lead, f"{json.dumps(record())}\n{hostile}\n".encode()).url
    run(bell, django_capture_on_commit_callbacks)
    page = visit(lead, url).content.decode()
    assert "<code>classification</code>" in page
    assert "<script>alert" not in page
    assert "Write the 1 good record<" in page
    assert not Item.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        visit(lead, url, do="write")
    run(bell, django_capture_on_commit_callbacks)
    assert Item.objects.count() == 1


def test_check_only_and_remove(lead: Membership, bell: Any, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        url = upload(lead, json.dumps(record()).encode(), dry_run="on").url
    run(bell, django_capture_on_commit_callbacks)
    row = Import.objects.get()
    assert row.state == TransferState.CHECKED
    with django_capture_on_commit_callbacks(execute=True):
        visit(lead, url, do="remove")
    row.refresh_from_db()
    assert row.state == TransferState.REMOVED
    assert not Path(row.paths[0]).exists()


def test_a_page_offers_to_resume_what_lost_its_worker(
    lead: Membership, bell: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        url = upload(lead, json.dumps(record()).encode()).url
    bell.clear()
    assert "Resume" not in visit(lead, url).content.decode()
    _forget_for(Import.objects.get(), seconds=70)
    page = visit(lead, url).content.decode()
    assert "Resume" in page
    assert "Remove" in page
    with django_capture_on_commit_callbacks(execute=True):
        visit(lead, url, do="resume")
    run(bell, django_capture_on_commit_callbacks)
    assert Item.objects.count() == 1
    assert (
        "nothing to resume"
        in visit(lead, url, do="resume").wsgi_request._messages._queued_messages[0].message
    )


def test_an_upload_without_a_file_or_with_nonsense_says_so_at_the_field(lead: Membership) -> None:
    response = upload(lead, overlap="900", protocol="guess")
    assert response.status_code == 400
    assert set(response.context["form"].errors) == {"uploads", "overlap", "protocol"}
    response = upload(lead, b"[]", format="processbench", protocol="verify_injection")
    assert set(response.context["form"].errors) == {"protocol"}
    assert not Import.objects.exists()


def test_a_failed_upload_leaves_no_file(lead: Membership, settings: Any, monkeypatch: Any) -> None:
    def broken(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(imports, "_keep", broken)
    with pytest.raises(OSError, match="disk full"):
        upload(lead, b"{}")
    assert not Import.objects.exists()


def test_imports_of_another_project_are_not_there(lead: Membership) -> None:
    other = opened(factories.project(), PRMBENCH)
    assert visit(lead, f"/p/{lead.project.slug}/imports/{other.pk}/").status_code == 404


def test_a_reviewer_may_not(project: Project) -> None:
    reviewer = factories.member(project)
    row = opened(project, PRMBENCH)
    with pytest.raises(errors.Forbidden):
        imports.open_import(by=reviewer, project=project, format="prmbench", files=[("a", "a")])  # type: ignore[list-item]
    for action in (imports.write_good, imports.resume_import, imports.remove_import):
        with pytest.raises(errors.Forbidden):
            action(by=reviewer, row=row)
    assert upload(reviewer, b"{}").status_code == 403


def test_a_lead_elsewhere_may_not(project: Project) -> None:
    stranger = factories.member(factories.project(), role=Role.OWNER)
    with pytest.raises(errors.Missing):
        imports.remove_import(by=stranger, row=opened(project, PRMBENCH))


def test_an_unknown_step_is_refused(lead: Membership) -> None:
    row = opened(lead.project, PRMBENCH)
    assert visit(lead, f"/p/{lead.project.slug}/imports/{row.pk}/", do="explode").status_code == 400


def test_default_protocols_are_protocols() -> None:
    assert set(imports.DEFAULT_PROTOCOL.values()) <= set(Protocol)
    assert Operator().is_at_least(Role.LEAD)
