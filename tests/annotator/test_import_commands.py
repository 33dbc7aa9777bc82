"""The commands: import_solutions, export_annotations and check_integrity, as called from a shell."""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotator import errors
from annotator.actions import import_rows, review, transfers
from annotator.actions.integrity import check_items
from annotator.models import (
    Assignment,
    AssignmentState,
    Event,
    Import,
    Item,
    Membership,
    Project,
    Solution,
)
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import PRMBENCH, PROCESSBENCH, jsonl, many, record, rows_of
from tests.annotator.reviewed import claimed, submitted

pytestmark = pytest.mark.django_db


def run(command: str, *args: object, **options: Any) -> str:
    out = io.StringIO()
    call_command(command, *map(str, args), stdout=out, stderr=out, no_color=True, **options)
    return out.getvalue()


def bring(*args: object, format: str = "prmbench", **options: Any) -> str:
    return run("import_solutions", *args, format=format, **options)


def test_import_makes_the_project_and_reports(tmp_path: Path) -> None:
    said = bring("bench", PRMBENCH, create=True)
    project = Project.objects.get(slug="bench")
    n = Item.objects.filter(project=project).count()
    assert (project.protocol, project.overlap) == ("verify_injection", 2)
    assert f"{n} good, 0 bad, 0 already there" in said
    assert f"Written: {n} new, 0 already there." in said
    assert "redundancy" in said
    assert f"Written: 0 new, {n} already there." in bring("bench", PRMBENCH)


@pytest.mark.parametrize(
    ("options", "protocol", "overlap"),
    [({}, "label_steps", 2), ({"protocol": "verify_labels", "overlap": 3}, "verify_labels", 3)],
)
def test_what_is_asked_for_makes_the_project(options: dict[str, Any], protocol: str, overlap: int) -> None:
    bring("bench", PROCESSBENCH, format="processbench", create=True, **options)
    project = Project.objects.get(slug="bench")
    assert (project.protocol, project.overlap) == (protocol, overlap)
    assert set(project.items.values_list("protocol", "wanted")) == {(protocol, overlap)}


def test_without_create_a_missing_project_is_said() -> None:
    with pytest.raises(CommandError, match="--create"):
        bring("bench", PRMBENCH)


def test_a_slug_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(CommandError):
        bring("not a slug", PRMBENCH, create=True)
    assert not Project.objects.exists()


def test_a_dry_run_writes_nothing_at_all(tmp_path: Path) -> None:
    said = bring("bench", jsonl(tmp_path / "f.jsonl", record(), "{"), create=True, dry_run=True)
    assert f"{tmp_path}/f.jsonl, line 2: is not JSON" in said
    assert "1 good, 1 bad" in said
    assert not Project.objects.exists()
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    "options", [{}, {"strict": True}, {"dry_run": True}, {"dry_run": True, "strict": True}]
)
@pytest.mark.parametrize("content", ["", "{\n", '{"idx": "\xff"}\n'])
def test_exit_code_1_where_nothing_can_be_written(
    content: str, options: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(CommandError):
        bring("bench", path, create=True, **options)
    assert not Solution.objects.exists()


def test_strict_names_the_bad_and_writes_nothing(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", record(), record(idx=5))
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of 2"):
        call_command(
            "import_solutions", "bench", str(path), format="prmbench", create=True, strict=True, stderr=out
        )
    assert f"{path}, line 2, idx: must be text, not 5" in out.getvalue()
    assert not Solution.objects.exists()


def test_files_folders_patterns_and_gzip(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for n in range(3):
        jsonl(folder / f"{n}.jsonl", record(idx=f"in_folder_{n}"))
    (folder / "README.md").write_text("not data")
    (tmp_path / "one.jsonl.gz").write_bytes(
        gzip.compress(jsonl(tmp_path / "x", record(idx="packed")).read_bytes())
    )
    jsonl(tmp_path / "by_pattern_1.jsonl", record(idx="by_pattern"))
    said = bring("bench", folder, tmp_path / "one.jsonl.gz", tmp_path / "by_*.jsonl", create=True)
    assert "5 files, 5 records: 5 good" in said


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.jsonl: cannot be read"):
        bring("bench", tmp_path / "gone.jsonl", create=True)
    with pytest.raises(CommandError, match="no file"):
        bring("bench", tmp_path / "*.none", create=True)


def test_the_same_command_goes_on_where_it_was_killed(tmp_path: Path, monkeypatch: Any) -> None:
    path = jsonl(tmp_path / "f.jsonl", *many(1_100))
    store, calls = import_rows.Writer.store, []

    def dying(self: Any, batch: Any) -> int:
        if len(calls) == 1:
            raise KeyboardInterrupt
        calls.append(batch)
        return store(self, batch)

    with monkeypatch.context() as patched:
        patched.setattr(import_rows.Writer, "store", dying)
        with pytest.raises(KeyboardInterrupt):
            bring("bench", path, create=True)
    assert not Item.objects.exists()
    with pytest.raises(CommandError, match="unfinished"):
        bring("bench", path, overlap=3)
    assert "Going on after 500 of 1100 records." in bring("bench", path)
    assert Item.objects.count() == 1_100


def test_a_worker_that_lives_is_not_disturbed_and_a_dead_one_replaced(
    tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(transfers, "QUIET_S", 0.01)
    project = factories.project()
    path = jsonl(tmp_path / "f.jsonl", record())
    with pytest.raises(CommandError):
        bring(project.slug, path, strict=True, overlap=0)
    row = Import.objects.create(
        project=project, format="prmbench", paths=[str(path)], names=[str(path)], beat_at=timezone.now(),
        options={"protocol": "", "overlap": None, "strict": False, "dry_run": False},
    )  # fmt: skip

    def heard(seconds: float) -> None:
        Import.objects.filter(pk=row.pk).update(beat_at=timezone.now())

    with monkeypatch.context() as patched:
        patched.setattr(transfers.time, "sleep", heard)
        with pytest.raises(CommandError, match="right now"):
            bring(project.slug, path)
    assert "1 new" in bring(project.slug, path)


# ---- exporting


def test_export_writes_the_file_in_one_step(tmp_path: Path) -> None:
    bring("bench", PRMBENCH, create=True)
    path = tmp_path / "out.jsonl"
    path.write_text("what was there before")
    said = run("export_annotations", "bench", format="prmbench", which="injector:prmbench", output=str(path))
    assert path.read_bytes() == PRMBENCH.read_bytes()
    assert "sha256" in said
    assert list(tmp_path.iterdir()) == [path]
    assert Event.objects.filter(verb="export", actor=None).exists()


def test_export_to_standard_output(capfdbinary: Any) -> None:
    bring("bench", PROCESSBENCH, format="processbench", create=True)
    run("export_annotations", "bench", format="processbench", which="all", output="-")
    assert capfdbinary.readouterr().out == PROCESSBENCH.read_bytes()


def test_a_refused_export_leaves_the_old_file(tmp_path: Path) -> None:
    bring("bench", PRMBENCH, create=True)
    path = tmp_path / "out.jsonl"
    path.write_text("old")
    with pytest.raises(CommandError, match="reviewer:nobody"):
        run("export_annotations", "bench", format="prmbench", which="reviewer:nobody", output=str(path))
    with pytest.raises(CommandError, match="no project"):
        run("export_annotations", "other", format="prmbench", which="all", output=str(path))
    with pytest.raises(CommandError, match="Cannot write"):
        run(
            "export_annotations", "bench", format="prmbench", which="all", output=str(tmp_path / "no" / "dir")
        )
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    bring("bench", PROCESSBENCH, format="processbench", create=True)
    said = run("export_annotations", "bench", format="prmbench", which="all", output=str(tmp_path / "f"))
    n = Item.objects.count()
    assert f"Left out {n}: PRMBench holds only injections" in said


# ---- integrity


@pytest.fixture
def world() -> Project:
    """Items claimed, submitted once and twice, agreed and not, reopened and sent again, skipped."""
    project = factories.project(overlap=2)
    items = [factories.injected_item(project, n, wanted=2, open_slots=2) for n in range(5)]
    alice, bob = factories.member(project), factories.member(project)
    n_steps = [item.solution.n_steps for item in items]
    submitted(alice, items[0], "+" * n_steps[0])
    submitted(bob, items[0], "+" * n_steps[0])
    submitted(alice, items[1], "+" * n_steps[1])
    submitted(bob, items[1], "-" * n_steps[1])
    reopened = submitted(alice, items[2], "+" * n_steps[2])
    review.reopen(by=alice, assignment_id=reopened.pk)
    review.submit(
        by=alice, assignment_id=reopened.pk,
        data={"labels": "+" * n_steps[2], "verdict": {"claim": "accept", "original": "right"}},
    )  # fmt: skip
    review.skip(by=bob, assignment_id=claimed(bob, items[2]).pk, reason="tired")
    claimed(bob, items[3])
    return project


def differences(project: Project, fix: bool = False) -> list[tuple[int, str]]:
    return [(d.item_id, d.field) for d in check_items(by=Operator(), project=project, fix=fix)]


def test_what_the_actions_store_is_what_follows_from_the_rows(world: Project) -> None:
    assert differences(world) == []
    assert run("check_integrity") == "0 differences.\n"


def test_a_reopened_or_surplus_claim_is_counted_right(world: Project) -> None:
    item = world.items.order_by("pk")[4]
    carol = factories.member(world)
    made = Assignment.objects.create(
        project=world, item=item, rater=carol.rater, state=AssignmentState.CLAIMED, reopened=True
    )
    assert differences(world) == [(item.pk, "open_slots")]
    Assignment.objects.filter(pk=made.pk).update(surplus=True)
    assert differences(world) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("open_slots", 1),
        ("decision", "incomplete"),
        ("decision", "conflicted"),
        ("gold", None),
        ("n_submitted", 7),
    ],
)
def test_a_wrong_value_is_reported_and_put_right(field: str, value: Any, world: Project) -> None:
    item = world.items.order_by("pk")[0]
    before = Item.objects.filter(pk=item.pk).values().get()
    Item.objects.filter(pk=item.pk).update(**{field: value})
    with pytest.raises(CommandError, match="1 difference\\."):
        run("check_integrity", world.slug)
    assert "put right" in run("check_integrity", world.slug, fix=True)
    assert Item.objects.filter(pk=item.pk).values().get() == before
    assert Event.objects.filter(verb="check_integrity", item=item).exists()
    assert differences(world) == []


def test_what_a_lead_settled_stays(world: Project) -> None:
    item = world.items.order_by("pk")[1]
    Item.objects.filter(pk=item.pk).update(decision="settled")
    assert differences(world) == []


def test_integrity_of_an_unknown_project_and_for_a_reviewer(world: Project) -> None:
    with pytest.raises(CommandError):
        run("check_integrity", "other")
    with pytest.raises(errors.Forbidden):
        list(check_items(by=Membership.objects.filter(project=world)[0], project=world))


def test_rows_of_two_imports_compare_equal(tmp_path: Path) -> None:
    """The helper that other tests rely on sees a difference."""
    bring("a", PRMBENCH, create=True)
    bring("b", PRMBENCH, create=True)
    a, b = Project.objects.get(slug="a"), Project.objects.get(slug="b")
    assert rows_of(a) == rows_of(b)
    Item.objects.filter(project=b).update(priority=1)
    assert rows_of(a) != rows_of(b)


def test_the_licence_of_the_data_is_kept_for_releases(tmp_path: Path) -> None:
    bring("bench", PRMBENCH, create=True, licence="apache-2.0")
    assert Import.objects.get().options["licence"] == "apache-2.0"
    with pytest.raises(CommandError, match="Write a licence's short name"):
        bring("bench", jsonl(tmp_path / "more.jsonl", record(idx="other")), licence="ask Bob!")
    assert Import.objects.count() == 1
