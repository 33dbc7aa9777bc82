"""Releases: what goes in and whose labels, frozen files with one digest, and that nothing names a person."""

import hashlib
import io
import json
import os
import re
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotator import errors, tasks
from annotator.actions import release_fetch, release_parquet, release_select, release_write, releases
from annotator.actions.release_parquet import pyarrow
from annotator.actions.transfers import Busy
from annotator.core.record_columns import COLUMNS, MACHINE, PERSON
from annotator.core.release_rule import Rule
from annotator.formats import FORMATS, WRITABLE
from annotator.models import (
    Annotation,
    Assignment,
    Event,
    Finding,
    Import,
    Item,
    Membership,
    Phase,
    Project,
    Rater,
    Release,
    Role,
    Solution,
    TransferState,
    Use,
)
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import PRMBENCH, added_labels, imported, jsonl, many, record
from tests.annotator.reviewed import submitted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture
def project() -> Project:
    return factories.project(overlap=1)


@pytest.fixture
def lead(project: Project) -> Membership:
    return factories.member(project, role=Role.LEAD)


@pytest.fixture
def alice(project: Project) -> Membership:
    return factories.member(project, f"alice{project.pk}")


def made(project: Project, tmp_path: Path, name: str = "", **rule: Any) -> Release:
    folder = tmp_path / f"out{Release.objects.count()}"
    return releases.release_to(by=Operator(), project=project, rule=rule, folder=folder, name=name)


def records(row: Release, split: str = "train") -> list[dict[str, Any]]:
    text = (Path(row.path) / "records" / f"{split}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.split("\n")[:-1]]  # a text may hold U+2028


def counts(project: Project, **rule: Any) -> dict[str, int]:
    """Why -> how many stay out; "" for those that go out."""
    found = releases.count(by=Operator(), project=project, rule=rule)
    return {why: seen["n"] for why, seen in found.left_out.items()} | {"": found.solutions}


def one_item(project: Project, tmp_path: Path, **changes: Any) -> Item:
    imported(project, jsonl(tmp_path / "one.jsonl", record(**changes)))
    return Item.objects.filter(project=project).latest("pk")


# ---- which solutions, and whose labels


def test_gold_is_released_and_the_rest_says_why(project: Project, alice: Membership, tmp_path: Path) -> None:
    submitted(alice, one_item(project, tmp_path), "-+")
    one_item(project, tmp_path, idx="open")
    Item.objects.filter(solution__foreign_id="counterfactual_open").update(wanted=2, open_slots=1)
    (found,) = records(made(project, tmp_path, which="gold"))
    assert (found["id"], found["labels"], found["labels_from"]) == (
        "counterfactual_own_1",
        ["-", "+"],
        "gold",
    )
    assert (found["has_error"], found["first_error"], found["decision"]) == (True, 0, "agreed")
    assert counts(project, which="gold") == {"": 1, "not decided yet": 1}


def test_all_takes_what_came_with_the_solution_where_nothing_is_decided(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    submitted(alice, one_item(project, tmp_path), "-+")
    one_item(project, tmp_path, idx="open")
    found = {one["id"]: one for one in records(made(project, tmp_path, which="all"))}
    assert found["counterfactual_own_1"]["labels_from"] == "gold"
    assert found["counterfactual_open"]["labels_from"] == "injector:prmbench"
    assert found["counterfactual_open"]["labels"] == ["+", "-"]
    assert found["counterfactual_open"]["verified"] == [False, False]


def test_labels_that_an_unfinished_import_adds_are_not_released(project: Project, tmp_path: Path) -> None:
    row, word = added_labels(one_item(project, tmp_path))
    assert counts(project, which=str(word.rater)) == {"": 0, "not labelled by the rater": 1}
    (found,) = records(made(project, tmp_path, which="all"))
    assert [one["rater"] for one in found["machine_labels"]] == ["injector:prmbench"]
    Import.objects.filter(pk=row.pk).update(state=TransferState.COMPLETE)
    assert counts(project, which=str(word.rater)) == {"": 1}


def test_a_rater_is_released_by_name(project: Project, alice: Membership, tmp_path: Path) -> None:
    item = one_item(project, tmp_path)
    one_item(project, tmp_path, idx="other")
    submitted(alice, item, "--")
    assert counts(project, which=f"reviewer:{alice.user}") == {"": 1, "not labelled by the rater": 1}
    (found,) = records(made(project, tmp_path, which=f"reviewer:{alice.user}"))
    assert (found["labels"], found["labels_from"]) == (["-", "-"], "gold")


def test_verified_wants_a_human_act_on_every_step(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    item = one_item(project, tmp_path)
    submitted(alice, item, "--")
    assert counts(project, which="verified") == {"": 1}
    item.refresh_from_db()
    Annotation.objects.filter(assignment__item=item).update(bulk=[1])
    assert counts(project, which="verified") == {"a step that no person acted on": 1, "": 0}
    (found,) = records(made(project, tmp_path, which="gold"))
    assert (found["verified"], found["steps_verified"]) == ([True, False], False)


def test_a_conflict_and_a_bad_problem_stay_out(project: Project, alice: Membership, tmp_path: Path) -> None:
    item = one_item(project, tmp_path)
    Item.objects.update(wanted=2, open_slots=2)
    submitted(alice, item, "--")
    submitted(factories.member(project), item, "-+")
    bad = one_item(project, tmp_path, idx="bad")
    submitted(alice, bad, "..", finish_reason="bad_problem", note="no question")
    found = counts(project, which="gold")
    assert found["in conflict"] == 1
    assert found[""] == 0
    assert sum(found.values()) == 2


def test_kinds_protocols_findings_and_reviewers_choose(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    first = one_item(project, tmp_path)
    second = one_item(project, tmp_path, idx="2", classification="circular")
    submitted(alice, first, "--")
    submitted(alice, second, "--")
    assert counts(project, kinds=["circular"]) == {"of another error type": 1, "": 1}
    assert counts(project, protocols=["label_steps"]) == {"of another protocol": 2, "": 0}
    assert counts(project, min_raters=2) == {"fewer than 2 reviewers": 2, "": 0}
    Finding.objects.all().delete()
    Finding.objects.create(project=project, solution=first.solution, code="no_op")
    assert counts(project, drop_findings=["no_op"]) == {"has the finding no_op": 1, "": 1}
    assert releases.count(by=Operator(), project=project, rule={}).findings == {"no_op": 1}


def test_retired_taken_down_and_exam_items_stay_out(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    items = [one_item(project, tmp_path, idx=str(n), original_question=f"{n}?") for n in range(3)]
    for item in items:
        submitted(alice, item, "--")
    Item.objects.filter(pk=items[0].pk).update(retired=True, held=True)
    Item.objects.filter(pk=items[1].pk).update(use=Use.EXAM, held=True)
    items[2].solution.problem.__class__.objects.filter(pk=items[2].solution.problem_id).update(
        taken_down_at=items[2].created_at
    )
    assert counts(project) == {"retired": 1, "kept for the exam": 1, "taken down": 1, "": 0}
    assert counts(project, include_retired=True) == {"": 1, "kept for the exam": 1, "taken down": 1}


def test_a_probe_is_no_reviewers_label(project: Project, alice: Membership, tmp_path: Path) -> None:
    item = one_item(project, tmp_path)
    submitted(alice, item, "--")
    item.refresh_from_db()
    bob = factories.member(project, "bob")
    probe = Assignment.objects.create(
        project=project, item=item, rater=bob.rater, state="submitted", purpose=Use.PROBE
    )
    Annotation.objects.create(
        solution=item.solution, rater=bob.rater, phase=Phase.BLIND, labels="++", n_steps=2, first_error=-1,
        assignment=probe, finish_reason="solution",
    )  # fmt: skip
    (found,) = records(made(project, tmp_path))
    assert found["n_raters"] == 1
    assert counts(project, which="reviewer:bob") == {"not labelled by the rater": 1, "": 0}


def test_a_kind_under_the_bar_is_named_and_stays_out(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    from annotator.models import Sample

    item = one_item(project, tmp_path)
    submitted(alice, item, "++")
    sample = Sample.objects.create(project=project, share=1.0, per="error_type")
    Item.objects.update(sample=sample)
    Project.objects.update(acceptance_bar=0.9)
    project.refresh_from_db()
    found = releases.count(by=Operator(), project=project, rule={})
    assert found.under_bar == ["counterfactual"]
    assert counts(project) == {"counterfactual is under the project's bar": 1, "": 0}


def test_a_siblings_fate_is_its_main_ones(project: Project, tmp_path: Path) -> None:
    """Retired, a main solution takes its siblings along, wherever chunks end."""
    item = one_item(project, tmp_path)
    problem = item.solution.problem
    for n in range(3):
        Solution.objects.create(
            project=project, problem=problem, steps=["a"], n_steps=1, digest=f"{n}", key=f"s{n}",
            foreign_id=f"a{n}", foreign_format="prmbench", meta={"sibling_of": item.solution.foreign_id},
        )  # fmt: skip
    Item.objects.update(retired=True, held=True)
    assert counts(project, which="all") == {"retired": 4, "": 0}


# ---- what stands in a record


def test_people_have_other_names_and_the_rule_too(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    item = one_item(project, tmp_path)
    submitted(alice, item, "--")
    rule = {"raters": [f"reviewer:{alice.user}"], "formats": ["prm800k", "prmbench", "processbench_results"]}
    row = made(project, tmp_path, **rule)
    assert [one["rater"] for one in records(row)[0]["raters"]] == ["r1"]
    assert row.report["rule"]["raters"] == ["reviewer:r1"]
    for path in Path(row.path).rglob("*"):
        if path.is_file() and path.name != "manifest.json":
            assert str(alice.user).encode() not in path.read_bytes(), path
    assert str(alice.user) not in (Path(row.path) / "manifest.json").read_text()


def test_people_of_files_that_came_in_have_other_names_too(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    for n in range(2):
        item = one_item(project, tmp_path, idx=str(n), original_question=f"{n}?", modified_question=f"{n}!")
        submitted(alice, item, "--")
        added, word = added_labels(item, "label_studio eve@example.org")
        Import.objects.filter(pk=added.pk).update(state=TransferState.COMPLETE)
        Annotation.objects.filter(pk=word.pk).update(extra='{"rater": "eve@example.org"}')
    who, formats = str(word.rater), ["prm800k", "prmbench_results"]
    row = made(project, tmp_path, which=who, raters=[who], formats=formats)
    found = records(row)
    assert [one["machine_labels"][0]["rater"] for one in found] == ["source:s1"] * 2
    assert row.report["machines"] == {"source:s1": 2}
    assert row.report["rule"]["which"] == "source:s1"
    assert "source:s1" in (Path(row.path) / "README.md").read_text("utf-8")
    for path in Path(row.path).rglob("*"):
        assert not path.is_file() or b"eve@example.org" not in path.read_bytes(), path


def test_a_record_says_who_said_what(project: Project, alice: Membership, tmp_path: Path) -> None:
    item = one_item(project, tmp_path)
    Item.objects.update(wanted=2, open_slots=2)
    submitted(alice, item, "+-", error_types={"1": ["deception"]})
    submitted(factories.member(project), item, "+-", error_types={"1": ["deception"]})
    (found,) = records(made(project, tmp_path))
    assert [one["rater"] for one in found["raters"]] == ["r1", "r2"]
    assert (found["agreement"], found["n_raters"], found["guidelines"]) == (1.0, 2, [1])
    assert found["error_types"] == [[], ["deception"]]
    assert [one["rater"] for one in found["machine_labels"]] == ["injector:prmbench"]
    assert found["original_steps"] == ["Add the two numbers.", "It is 3."]
    assert found["kind"] == "counterfactual"
    assert list(found) == [column.name for column in COLUMNS]
    assert list(found["raters"][0]) == [column.name for column in PERSON]
    assert list(found["machine_labels"][0]) == [column.name for column in MACHINE]
    assert set(found["raters"][0]) & {"duration_ms", "created_at", "user"} == set()


def test_a_solution_judged_as_a_whole_is_not_said_to_be_verified_by_steps(tmp_path: Path) -> None:
    project = factories.project(overlap=1, protocol="check_solution")
    item = factories.plain_item(project)
    ann = factories.member(project)
    labels = "+" * item.solution.n_steps
    verdict = {"right": "yes", "different": "no", "answer": "right"}
    submitted(ann, item, labels, verdict=verdict, bulk=list(range(len(labels))))
    (found,) = records(made(project, tmp_path, which="all"))
    assert (found["solution_verified"], found["steps_verified"]) == (True, False)
    assert json.loads(found["raters"][0]["verdict"])["right"] == "yes"


@pytest.mark.parametrize(
    ("rows", "share"),
    [
        ([], None), (["+-"], None), (["+-", "+-"], 1.0), (["+-", "++"], 0.5), (["+?", ".-"], None),
        (["+-", "+-", "++"], 4 / 6),
    ],
)  # fmt: skip
def test_agreement_is_of_pairs_that_both_judged(rows: list[str], share: float | None) -> None:
    from annotator.actions.release_records import agreement

    assert agreement(rows) == (None if share is None else pytest.approx(share, abs=1e-6))


# ---- frozen, and the same again


def test_the_same_data_and_rule_give_the_same_bytes(tmp_path: Path) -> None:
    """Two projects, the records in another order, other ids of rows: one digest, and files byte for byte."""
    rows = [
        record(idx=f"{n}", original_question=f"{n} + 2?", modified_question=f"{n} + 2?") for n in range(9)
    ]
    rule = {"which": "all", "formats": ["prmbench", "trl"], "splits": {"train": 0.5, "test": 0.5}}
    found = []
    for order in (rows, rows[::-1]):
        project = factories.project(overlap=1, slug=f"own-{len(found)}")
        imported(project, jsonl(tmp_path / "f.jsonl", *order))
        ann, bob = (factories.member(project, f"{name}{project.pk}") for name in ("ann", "bob"))
        for item in Item.objects.filter(project=project, solution__foreign_id__endswith="3"):
            Item.objects.filter(pk=item.pk).update(wanted=2, open_slots=2)
            for who in (ann, bob)[:: 1 if not found else -1]:
                submitted(who, Item.objects.get(pk=item.pk), "+-")
        found.append(made(project, tmp_path, **rule))
    first, second = found
    assert first.digest == second.digest
    sums = [{one["name"]: one["sha256"] for one in row.files if one["format"]} for row in found]
    assert sums[0] == sums[1]
    assert Counter(one["split"] for one in first.files)["test"] == 6


def test_other_data_or_another_rule_give_another_digest(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    item = one_item(project, tmp_path)
    before = made(project, tmp_path, which="all")
    assert made(project, tmp_path, which="all").digest == before.digest
    assert made(project, tmp_path, which="all", seed=1).digest != before.digest
    submitted(alice, item, "+-")
    assert made(project, tmp_path, which="all").digest != before.digest


def test_files_are_read_only_listed_and_as_their_sums_say(project: Project, tmp_path: Path) -> None:
    one_item(project, tmp_path)
    row = made(project, tmp_path, which="all", formats=["trl"])
    paths = {p.relative_to(row.path).as_posix(): p for p in Path(row.path).rglob("*") if p.is_file()}
    assert set(paths) == {one["name"] for one in row.files} | {"manifest.json"}
    assert {"records/train.jsonl", "records/train.parquet", "trl/train.jsonl", "labels.jsonl"} < set(paths)
    for one in row.files:
        data = paths[one["name"]].read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (one["bytes"], one["sha256"])
        assert not paths[one["name"]].stat().st_mode & 0o222
    manifest = json.loads(paths["manifest.json"].read_text())
    assert manifest["digest"] == row.digest
    assert manifest["counts"]["solutions"] == row.n_records == 1


def test_a_set_of_many_responses_stays_one(project: Project, tmp_path: Path) -> None:
    """As texts their ids would stand as 0, 1, 10, 11, 2, and a response that stays out takes no other's id."""
    responses = [f"It is {n}." for n in range(12)]
    one = {"id": "q", "question": "1 + 2?", "responses": responses, "answer": "3"}
    imported(project, jsonl(tmp_path / "sets.jsonl", one), format="best_of_n")
    for solution in Solution.objects.filter(project=project):
        factories.machine_labels(solution, Rater.objects.get_or_create(kind="critic", name="c")[0], "+")

    def released() -> list[dict[str, Any]]:
        row = made(project, tmp_path, which="critic:c", formats=["best_of_n"])
        lines = (Path(row.path) / "best_of_n" / "train.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    (found,) = released()
    assert (found["responses"], "places" in found) == (responses, False)
    Item.objects.filter(solution__foreign_id="q/3").update(retired=True, held=True)
    (found,) = released()
    assert found["responses"] == responses[:3] + responses[4:]
    assert found["places"] == [0, 1, 2, *range(4, 12)]


def test_a_group_is_in_one_part(project: Project, tmp_path: Path) -> None:
    rows = [
        record(idx=f"{n}", original_question=f"{n // 3} + 2?", modified_question=f"{n} + 2?")
        for n in range(60)
    ]
    for one in rows:
        one["idx"] = f"{int(one['idx']) // 3}_{one['idx']}"
    imported(project, jsonl(tmp_path / "f.jsonl", *rows))
    row = made(project, tmp_path, which="all", splits={"a": 0.5, "b": 0.5})
    parts = [{one["group"] for one in records(row, split)} for split in ("a", "b")]
    assert not parts[0] & parts[1]
    assert all(parts)


def test_released_prmbench_records_come_in_again_with_the_same_labels(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    imported(project, PRMBENCH)
    item = Item.objects.order_by("pk")[0]
    submitted(alice, item, "+" * item.solution.n_steps)
    row = made(project, tmp_path, which="all", formats=["prmbench"])
    again = factories.project()
    imported(again, Path(row.path) / "prmbench" / "train.jsonl")
    released = [(one["id"], "".join(one["labels"])) for one in records(row)]
    came = Annotation.objects.filter(solution__project=again, phase=Phase.MACHINE)
    found = list(came.values_list("solution__foreign_id", "labels"))
    assert len(found) == row.n_records
    assert sorted(found) == sorted(released)


def test_parquet_says_what_the_lines_say(project: Project, alice: Membership, tmp_path: Path) -> None:
    imported(project, PRMBENCH)
    item = Item.objects.order_by("pk")[0]
    submitted(alice, item, "+" * item.solution.n_steps)
    row = made(project, tmp_path, which="all")
    table = pyarrow().parquet.read_table(Path(row.path) / "records" / "train.parquet")
    assert table.to_pylist() == records(row)


def test_foreign_formats_go_out_as_parquet_too(project: Project, tmp_path: Path) -> None:
    imported(project, PRMBENCH)
    formats = [name for name in WRITABLE if name not in ("processbench", "best_of_n")]
    row = made(project, tmp_path, which="all", formats=formats)
    assert list(row.report["no_parquet"]) == [
        "prmbench/train.jsonl"
    ]  # our own records have members of all kinds
    for name in formats:
        if FORMATS[name].suffix == ".jsonl" and name != "prmbench":
            file = Path(row.path) / name / "train.parquet"
            lines = (file.with_suffix(".jsonl")).read_text("utf-8").split("\n")[:-1]
            rows = pyarrow().parquet.read_table(file).to_pylist()
            assert [whole(one) for one in rows] == [whole(json.loads(line)) for line in lines], name


def whole(value: Any) -> Any:
    """A value without the members that are null: in Parquet every record has every member."""
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items() if one is not None}
    return [whole(one) for one in value] if isinstance(value, list) else value


def test_lines_become_parquet_in_pieces(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(release_parquet, "LINES", 2)
    rows = [{"a": None, "t": "2024-01-01"}, {"a": 1, "t": "x"}, {"a": 2, "t": "y", "late": ["z"]}]
    source, target = jsonl(tmp_path / "f.jsonl", *rows), tmp_path / "f.parquet"
    assert release_parquet.of_lines(source, target) == ""
    assert [whole(one) for one in pyarrow().parquet.read_table(target).to_pylist()] == [
        whole(one) for one in rows
    ]


def test_lines_of_no_one_kind_say_so(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(release_parquet, "LINES", 1)
    source, target = jsonl(tmp_path / "f.jsonl", {"a": "text"}, {"a": [1]}), tmp_path / "f.parquet"
    assert "do not have the same members" in release_parquet.of_lines(source, target)
    assert not target.exists()


def test_without_pyarrow_it_says_what_to_install(project: Project, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    one_item(project, tmp_path)
    with pytest.raises(errors.Conflict, match=r"requirements\.txt"):
        made(project, tmp_path, which="all")
    row = Release.objects.get()
    assert (row.state, "pyarrow" in row.error) == (TransferState.WRITING, True)
    assert made(project, tmp_path, which="all", parquet=False).n_records == 1


# ---- a worker's release


@pytest.fixture
def bell(monkeypatch: Any) -> list[tuple[str, list[int]]]:
    rung: list[tuple[str, list[int]]] = []
    monkeypatch.setattr("celery.Celery.send_task", lambda self, name, args: rung.append((name, args)))
    return rung


def asked(lead: Membership, name: str = "", **rule: Any) -> Release:
    return releases.start_release(by=lead, project=lead.project, rule={"which": "all", **rule}, name=name)


def test_a_release_is_asked_for_and_written_by_a_worker(
    lead: Membership, bell: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    one_item(lead.project, tmp_path)
    with django_capture_on_commit_callbacks(execute=True):
        row = asked(lead, name="v1")
    assert bell == [("annotator.write_release", [row.pk])]
    tasks.write_release(row.pk)
    row.refresh_from_db()
    assert (row.state, row.n_records, row.beat_at, row.error) == ("complete", 1, None, "")
    events = Event.objects.filter(project=lead.project, verb__endswith="_release").order_by("pk")
    assert list(events.values_list("verb", flat=True)) == ["make_release", "complete_release"]


def test_a_killed_release_leaves_nothing_and_begins_anew(
    lead: Membership, bell: Any, tmp_path: Path, data_dir: Path, monkeypatch: Any
) -> None:
    one_item(lead.project, tmp_path)
    row = asked(lead)
    with monkeypatch.context() as patch:
        patch.setattr(release_write, "write_format", lambda *_: 1 / 0)
        Release.objects.update(rule=row.rule | {"formats": ["trl"]})
        row.refresh_from_db()
        with pytest.raises(ZeroDivisionError):
            releases.write(row=row)
    assert list((data_dir / "releases").iterdir()) == []
    assert (row.state, bool(row.error)) == (TransferState.WRITING, True)
    assert releases.can_resume(row)
    releases.resume_release(by=lead, row=row)
    left = data_dir / "releases" / f".{row.pk}.killed.part"
    (left / "records").mkdir(parents=True)
    os.utime(left, (0, 0))
    tasks.write_release(row.pk)
    assert [path.name for path in (data_dir / "releases").iterdir()] == [
        Path(Release.objects.get().path).name
    ]


def test_of_two_workers_one_writes(lead: Membership, bell: Any, tmp_path: Path) -> None:
    one_item(lead.project, tmp_path)
    row = asked(lead)
    twin = Release.objects.select_related("project").get(pk=row.pk)
    Release.objects.update(beat_at=row.created_at)
    with pytest.raises(Busy):
        releases.write(row=twin)
    Release.objects.update(beat_at=None)
    releases.write(row=row)
    with pytest.raises(errors.Conflict):
        releases.write(row=twin)


def test_a_name_is_used_once_and_what_is_complete_stays(lead: Membership, bell: Any, tmp_path: Path) -> None:
    one_item(lead.project, tmp_path)
    assert releases.next_name(lead.project) == "1.0"
    row = asked(lead)
    with pytest.raises(errors.Conflict) as refused:
        asked(lead, name="1.0")
    assert refused.value.field == "name"
    releases.discard_release(by=lead, row=row)
    row = asked(lead, name="1.0")
    releases.write(row=row)
    assert releases.next_name(lead.project) == "1.1"
    with pytest.raises(errors.Conflict):
        releases.discard_release(by=lead, row=row)
    with pytest.raises(errors.Conflict):
        releases.resume_release(by=lead, row=row)


@pytest.mark.parametrize("name", ["../x", "a b", ".hidden", "x" * 41, "é"])
def test_a_name_is_plain(name: str, lead: Membership) -> None:
    with pytest.raises(errors.Invalid) as refused:
        asked(lead, name=name)
    assert refused.value.field == "name"


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({"which": "judge:nobody"}, "which"), ({"raters": ["reviewer:nobody"]}, "raters"),
        ({"kinds": ["square"]}, "kinds"), ({"formats": ["potato"]}, "formats"),
        ({"formats": ["trl"], "options": {"neutral": "keep"}}, "options"), ({"size": 3}, "size"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused_at_its_member(
    rule: dict[str, Any], field: str, lead: Membership
) -> None:
    with pytest.raises(errors.Invalid) as refused:
        asked(lead, **rule)
    assert refused.value.field == field
    assert not Release.objects.exists()


def test_reviewers_make_no_releases(alice: Membership, lead: Membership, bell: Any) -> None:
    row = asked(lead)
    with pytest.raises(errors.Forbidden):
        asked(alice)
    with pytest.raises(errors.Forbidden):
        releases.count(by=alice, project=alice.project, rule={})
    with pytest.raises(errors.Forbidden):
        releases.discard_release(by=alice, row=row)


def test_only_listed_files_are_served(lead: Membership, tmp_path: Path) -> None:
    one_item(lead.project, tmp_path)
    row = made(lead.project, tmp_path, which="all")
    assert release_fetch.file_of(row, "manifest.json").is_file()
    for name in ("../1/manifest.json", "/etc/passwd", "records", "", ".train.rows"):
        with pytest.raises(errors.Missing):
            release_fetch.file_of(row, name)


# ---- pages


def visit(who: Membership, path: str = "", **data: Any) -> Any:
    client = Client()
    client.force_login(who.user)
    url = f"/p/{who.project.slug}/releases/{path}"
    return client.post(url, data) if data else client.get(url)


def test_a_release_is_counted_made_and_fetched_on_pages(
    lead: Membership, alice: Membership, bell: Any, tmp_path: Path
) -> None:
    submitted(alice, one_item(lead.project, tmp_path), "--")
    one_item(lead.project, tmp_path, idx="open")
    assert "No releases yet" in visit(lead).content.decode()
    counted = visit(lead, "?which=all&splits=train+0.5,+test+50%25&formats=trl&parquet=on").content.decode()
    assert "Make this release" in counted
    assert "<b>2</b> solutions" in counted
    assert not Release.objects.exists()
    made_it = visit(
        lead, which="all", splits="train 0.5, test 0.5", formats=["trl"], name="v1", note="First."
    )
    row = Release.objects.get()
    assert made_it["Location"] == f"/p/{lead.project.slug}/releases/{row.pk}/"
    assert (row.rule["splits"], row.rule["parquet"], row.note) == (
        {"test": 0.5, "train": 0.5},
        False,
        "First.",
    )
    assert "Waiting for a worker" in visit(lead, f"{row.pk}/").content.decode()
    tasks.write_release(row.pk)
    row.refresh_from_db()
    page = visit(lead, f"{row.pk}/").content.decode()
    assert all(one["name"] in page for one in row.files)
    file = visit(lead, f"{row.pk}/files/manifest.json")
    assert json.loads(b"".join(file.streaming_content))["digest"] == row.digest
    assert visit(lead, f"{row.pk}/files/../../1/x").status_code == 404
    again = visit(lead).content.decode()
    assert [tag for tag in re.findall("<input[^>]+>", again) if 'value="all"' in tag and "checked" in tag]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("which=silver", "silver"), ("which=gold&splits=train", "a name and a share"),
        ("which=gold&splits=train+0.5", "add up to 1"), ("which=gold&splits=a+0.5,a+0.5", "two parts named a"),
        ("which=gold&formats=trl&neutral=keep", "choose right or wrong or drop"),
        ("which=gold&min_raters=-1", "greater than or equal to 0"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_be_keeps_what_was_typed(query: str, says: str, lead: Membership) -> None:
    answer = visit(lead, f"?{query}&name=mine")
    assert answer.status_code == 400
    assert says in answer.content.decode()


def test_a_name_that_is_taken_is_said_at_its_field(lead: Membership, bell: Any, tmp_path: Path) -> None:
    asked(lead, name="v1")
    answer = visit(lead, which="gold", name="v1")
    assert answer.status_code == 400
    assert "a name is used once" in answer.content.decode()


def test_an_unfinished_release_is_given_up_or_taken_up(lead: Membership, bell: Any, tmp_path: Path) -> None:
    row = asked(lead)
    Release.objects.update(error="It stopped.")
    assert "Begin again" in visit(lead, f"{row.pk}/").content.decode()
    assert visit(lead, f"{row.pk}/", do="resume").status_code == 302
    assert visit(lead, f"{row.pk}/", do="burn").status_code == 400
    assert visit(lead, f"{row.pk}/", do="discard")["Location"].endswith("/releases/")
    assert not Release.objects.exists()


def test_all_files_are_fetched_as_one(lead: Membership, tmp_path: Path) -> None:
    one_item(lead.project, tmp_path)
    row = made(lead.project, tmp_path, which="all", formats=["trl"])
    data = [b"".join(visit(lead, f"{row.pk}/all.tar").streaming_content) for _ in range(2)]
    assert data[0] == data[1]
    with tarfile.open(fileobj=io.BytesIO(data[0]), mode="r:") as tar:
        found = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    folder = f"{lead.project.slug}-1.0"
    assert set(found) == {f"{folder}/{one['name']}" for one in row.files} | {f"{folder}/manifest.json"}
    for one in row.files:
        assert hashlib.sha256(found[f"{folder}/{one['name']}"]).hexdigest() == one["sha256"]


def test_two_releases_are_compared_on_a_page(lead: Membership, alice: Membership, tmp_path: Path) -> None:
    item = one_item(lead.project, tmp_path)
    assert "no two releases" in visit(lead, "diff/").content.decode()
    made(lead.project, tmp_path, name="a", which="all")
    submitted(alice, item, "--")
    made(lead.project, tmp_path, name="b", which="gold")
    page = visit(lead, "diff/?a=a&b=b").content.decode()
    assert "<code>+-</code>" in page
    assert "<code>--</code>" in page
    assert "The two are the same" in visit(lead, "diff/?a=a&b=a").content.decode()
    assert visit(lead, "diff/?a=a&b=nowhere").status_code == 400


# ---- cost


def test_chunks_join_and_their_queries_do_not_grow(
    project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            list(release_select.walk(project, Rule(which="all"), []))
        return len(captured)

    imported(project, jsonl(tmp_path / "a.jsonl", *many(3)))
    few = queries()
    imported(project, jsonl(tmp_path / "b.jsonl", *many(40)))
    assert queries() == few
    whole = made(project, tmp_path, which="all")
    monkeypatch.setattr(release_select, "CHUNK", 7)
    assert made(project, tmp_path, which="all").digest == whole.digest


def test_counting_reads_no_text_and_no_row_by_itself(
    project: Project, alice: Membership, tmp_path: Path
) -> None:
    """With work done and without, a count is the same few queries, and none of them for a text."""
    for n in range(3):
        item = one_item(project, tmp_path, idx=str(n), original_question=f"{n}?", modified_question=f"{n}!")
        submitted(alice, item, "--")
    asked_for = [{"which": "gold"}, {"which": "verified", "min_raters": 1}, {"which": "all"}]
    for rule in asked_for:
        with CaptureQueriesContext(connection) as captured:
            found = releases.count(by=Operator(), project=project, rule=rule)
        assert found.solutions == 3
        assert len(captured) < 20
        assert not any('"annotator_solution"."steps"' in query["sql"] for query in captured)
        assert (
            found
            == release_write.write(
                project, releases.check_rule(project, rule), [], new(tmp_path), "", lambda done, total: None
            ).counts
        )


def new(tmp_path: Path) -> Path:
    folder = tmp_path / f"new{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    return folder


# ---- the command


def test_the_command_counts_writes_and_compares(
    project: Project, alice: Membership, tmp_path: Path, capsys: Any
) -> None:
    imported(project, jsonl(tmp_path / "f.jsonl", *many(3)))
    rule = tmp_path / "rule.json"
    rule.write_text('{"which": "all"}')
    call_command("release", project.slug, "--rule", str(rule), "--count", "--json")
    assert json.loads(capsys.readouterr().out)["solutions"] == 3
    call_command("release", project.slug, "--rule", str(rule), "-o", str(tmp_path / "a"), "--json")
    manifest = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "a" / "manifest.json").read_text()) == manifest
    item = Item.objects.order_by("pk")[1]
    submitted(alice, item, "--")
    call_command("release", project.slug, "--rule", '{"which": "gold"}', "-o", str(tmp_path / "b"))
    capsys.readouterr()
    call_command("release", project.slug, "--diff", "1.0", "1.1", "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["n_a"], found["n_b"], found["removed"], found["relabelled"]) == (3, 1, 2, 1)
    assert (found["changes"], found["positions"]) == ({"+ -": 1}, {"0": 1})
    assert found["rule"] == {"which": ["all", "gold"]}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--rule", "{", "-o", "x"], "not JSON"), (["--rule", "nowhere.json", "-o", "x"], "Cannot read"),
        (["-o", "x"], "--rule"), (["--rule", "{}"], "-o DIR"), (["--diff", "1.0", "2.0"], "no complete release"),
        (["--rule", '{"kinds": 3}', "-o", "x"], "kinds:"),
    ],
)  # fmt: skip
def test_the_command_refuses_in_a_line(given: list[str], says: str, project: Project) -> None:
    with pytest.raises(CommandError, match=says):
        call_command("release", project.slug, *given)


def test_the_command_writes_to_a_new_folder_only(project: Project, tmp_path: Path) -> None:
    one_item(project, tmp_path)
    with pytest.raises(CommandError, match="choose a new folder"):
        call_command("release", project.slug, "--rule", '{"which": "all"}', "-o", str(tmp_path))
    assert not Release.objects.exists()


def test_a_rule_that_leaves_nothing_makes_no_release(project: Project, tmp_path: Path) -> None:
    one_item(project, tmp_path)
    with pytest.raises(errors.Conflict, match="leaves nothing"):
        made(project, tmp_path, which="gold")
    assert not (tmp_path / "out0").exists()
