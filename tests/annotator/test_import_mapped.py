"""A group's own records, best-of-N sets and Label Studio projects through the commands and actions."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotator import errors
from annotator.actions import import_check, import_rows, import_write, imports
from annotator.actions.transfers import batched
from annotator.models import Annotation, Event, Import, Item, Problem, Project, Solution, TransferState
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import DATA, PRMBENCH, checked, imported, jsonl, record, rows_of

pytestmark = pytest.mark.django_db

MAP = "problem=q.text,answer=gold,response=a,id=uid,meta=level,meta=info,labels=marks"


@pytest.fixture
def project() -> Project:
    return factories.project(overlap=2, protocol="label_steps")


def own(n: int = 1, **changes: Any) -> dict[str, Any]:
    """A record as no format has it; a change to ... leaves the field out."""
    fields = {
        "uid": f"g-{n}", "q": {"text": f"What is {n} + {n}?"}, "gold": 2 * n, "a": f"Add.\n\nIt is {2 * n}.",
        "level": 3, "info": {"model": "own-7b"}, "marks": [True, False], "more": "kept",
    } | changes  # fmt: skip
    return {key: value for key, value in fields.items() if value is not ...}


def reading(**changes: Any) -> dict[str, Any]:
    return {"map": MAP, "split": "blank-line"} | changes


def bring(*args: object, format: str = "jsonl", **options: Any) -> str:
    out = io.StringIO()
    call_command(
        "import_solutions", *map(str, args), format=format, stdout=out, stderr=out, no_color=True, **options
    )
    return out.getvalue()


# ---- own records


def test_the_command_brings_records_in_by_a_map(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "own.jsonl", own(1), own(2, marks=...), own(3, q={"text": ""}))
    said = bring("new", path, create=True, map=MAP, split="blank-line")
    assert f"{path}, line 3, q.text: must not be empty" in said
    assert "3 records: 2 good, 1 bad" in said
    assert "Written: 2 new, 0 already there." in said
    project = Project.objects.get(slug="new")
    assert project.protocol == "label_steps"
    first, second = Solution.objects.order_by("pk")
    assert (first.problem.text, first.problem.answer, first.foreign_id) == ("What is 1 + 1?", "2", "g-1")
    assert (first.steps, first.foreign_format) == (["Add.", "It is 2."], "jsonl")
    assert first.meta == {"level": 3, "model": "own-7b", "length": 2}
    assert json.loads(first.extra)["values"] == {"more": "kept"}
    assert [(str(one.rater), one.labels) for one in first.annotations.all()] == [("source:jsonl", "+-")]
    assert not second.annotations.exists()
    assert set(Item.objects.values_list("protocol", "wanted")) == {("label_steps", 2)}


def test_records_without_labels_are_counted_with_no_step_judged(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", own(1), own(2, marks=...))
    row = checked(project, path, format="jsonl", reading=reading())
    sums = {
        "items": 2,
        "steps": 4,
        "wrong_steps": 1,
        "with_error": 1,
        "first_errors": 2,
        "question_chars": 28,
    }
    assert row.report["kinds"] == {"": sums}
    import_write.begin(row)
    assert import_write.write(row=row).report["kinds"] == {"": sums}


def test_a_list_of_one_array_and_gzip_come_in_too(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text(json.dumps([own(1), own(2)], indent=1))
    assert imported(project, path, format="jsonl", reading=reading()).report["n_good"] == 2


@pytest.mark.parametrize(("zero", "labels"), [("neutral", "+0"), ("wrong", "+-")])
def test_what_0_means_must_be_said(zero: str, labels: str, project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", own(marks=[1, 0]))
    row = checked(project, path, format="jsonl", reading=reading())
    assert row.state == TransferState.FAILED
    (error,) = row.report["errors"]
    assert (error["line"], error["field"]) == (1, "marks[1]")
    assert "neutral or wrong" in error["message"]
    imported(project, path, format="jsonl", reading=reading(zero=zero))
    assert Annotation.objects.get().labels == labels


def test_scores_are_kept_and_cut_where_asked(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", own(marks=..., p=[0.7, 0.6]))
    told = {"map": "problem=q.text,response=a,scores=p", "split": "blank-line", "threshold": 0.65}
    imported(project, path, format="jsonl", reading=told)
    found = Annotation.objects.get()
    assert (found.labels, found.scores) == ("+-", [0.7, 0.6])


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("map", {"format": "jsonl"}),
        ("map", {"format": "jsonl", "reading": {"map": "answer=a"}}),
        ("map", {"format": "prmbench", "reading": {"map": "problem=a"}}),
        ("split", {"format": "jsonl", "reading": {"map": "problem=a", "split": "words"}}),
        ("zero", {"format": "jsonl", "reading": {"map": "problem=a", "zero": "right"}}),
        ("threshold", {"format": "jsonl", "reading": {"map": "problem=a", "threshold": 2}}),
        ("control", {"format": "jsonl", "reading": {"map": "problem=a", "control": "c"}}),
        ("protocol", {"format": "jsonl", "reading": {"map": "problem=a"}, "protocol": "verify_injection"}),
        ("format", {"format": "prmbench_results"}),
    ],
)
def test_what_cannot_be_is_refused_by_name(field: str, options: dict[str, Any]) -> None:
    with pytest.raises(errors.Invalid) as refused:
        imports.read_options(**options)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Say where things are"),
        ({"map": "problem=q,soup=s"}, "'soup' is none of"),
        ({"map": "response=a"}, "where the problem is"),
        ({"map": "problem=q", "threshold": 1.2}, "from 0 to 1"),
    ],
)
def test_the_command_refuses_before_anything_is_made(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=message):
        bring("new", jsonl(tmp_path / "f.jsonl", own()), create=True, **options)
    assert not Project.objects.exists()
    assert not Import.objects.exists()


def test_a_dry_run_tells_what_a_map_finds_and_writes_nothing(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", own(1), own(2))
    assert "2 good, 0 bad" in bring("new", path, create=True, dry_run=True, map=MAP, split="blank-line")
    assert not Project.objects.exists()


def test_the_same_command_finds_its_import_again_and_another_map_is_another(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", own(1))
    bring("new", path, create=True, map=MAP, split="blank-line")
    assert "Written: 0 new, 1 already there." in bring("new", path, map=MAP, split="blank-line")
    assert "Written: 1 new, 0 already there." in bring("new", path, map=MAP.replace(",labels=marks", ""))
    assert list(Solution.objects.order_by("pk").values_list("n_steps", flat=True)) == [2, 1]


# ---- problems alone


def test_problems_alone_are_stored_once_and_make_no_items(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", own(1), own(2), own(2), own(3, q=None))
    told = {"map": "problem=q.text,answer=gold,id=uid,meta=level"}
    row = imported(project, path, format="jsonl", reading=told)
    assert (row.state, row.report["n_problems"], row.report["n_good"]) == (TransferState.COMPLETE, 3, 3)
    assert row.report["n_bad"] == 1
    found = Problem.objects.order_by("pk")
    assert [(one.text, one.answer, one.foreign_id, one.meta["level"]) for one in found] == [
        ("What is 1 + 1?", "2", "g-1", 3),
        ("What is 2 + 2?", "4", "g-2", 3),
    ]
    assert not Solution.objects.exists()
    assert not Item.objects.exists()
    before = rows_of(project)
    assert checked(project, path, format="jsonl", reading=told).report["n_known"] == 3
    assert imported(project, path, format="jsonl", reading=told).report["n_known"] == 3
    assert rows_of(project) == before


def test_the_command_counts_problems(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", own(1), own(2))
    said = bring("new", path, create=True, map="problem=q.text,id=uid")
    assert "2 problems" in said
    assert "Written: 2 new, 0 already there." in said
    assert "Written: 0 new, 2 already there." in bring("new", path, map="problem=q.text,id=uid")


def test_an_import_of_problems_can_be_removed(project: Project, tmp_path: Path) -> None:
    row = checked(
        project, jsonl(tmp_path / "f.jsonl", own(1)), format="jsonl", reading={"map": "problem=q.text"}
    )
    import_write.begin(row)
    import_rows.Writer(row).store_alone(
        [one for one in import_write._good(row) if isinstance(one, import_rows.Alone)]
    )
    assert Problem.objects.count() == 1
    Import.objects.filter(pk=row.pk).update(error="stopped")
    row.refresh_from_db()
    imports.remove_import(by=Operator(), row=row)
    assert not Problem.objects.exists()


# ---- kill and go on


class Killed(Exception):
    pass


@pytest.mark.parametrize("alone", [False, True])
def test_a_killed_import_goes_on_and_ends_like_an_unbroken_one(
    alone: bool, project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    path = jsonl(tmp_path / "f.jsonl", *[own(n) for n in range(13)], *[own(n) for n in range(13)])
    told = {"map": "problem=q.text,id=uid"} if alone else reading()
    row = checked(project, path, format="jsonl", reading=told)
    import_write.begin(row)
    with monkeypatch.context() as patched:
        patched.setattr(import_write, "batched", lambda items: batched(items, 5))
        patched.setattr(import_write, "reset_queries", _dying_after(2))
        with pytest.raises(Killed):
            import_write.write(row=row)
    row.refresh_from_db()
    assert (row.n_done, row.state) == (10, TransferState.WRITING)
    import_write.write(row=row)
    unbroken = factories.project(overlap=2, protocol="label_steps")
    assert imported(unbroken, path, format="jsonl", reading=told).report == row.report
    assert rows_of(project) == rows_of(unbroken)
    assert Event.objects.filter(verb="import").count() == 2


def _dying_after(n: int) -> Any:
    calls = iter(range(n - 1))

    def die() -> None:
        if next(calls, None) is None:
            raise Killed

    return die


# ---- best of N, Label Studio


def test_every_response_of_a_set_is_an_item_without_labels(project: Project) -> None:
    row = imported(project, DATA / "best_of_n.jsonl", format="best_of_n")
    assert (Item.objects.count(), row.report["n_bad"]) == (9, 0)
    assert not Annotation.objects.exists()
    first = Solution.objects.order_by("pk")[0]
    assert (first.steps, first.foreign_id) == (["Add.", "It is \\boxed{7}."], "own_1/0")
    assert first.meta["final_answer_correct"] is True
    assert Problem.objects.count() == 4


def test_people_and_models_of_label_studio_are_raters(project: Project) -> None:
    row = imported(project, DATA / "label_studio.json", format="label_studio")
    assert Item.objects.count() == 3
    assert row.report["kinds"][""]["items"] == 3
    first = Solution.objects.order_by("pk")[0]
    assert sorted((str(one.rater), one.labels) for one in first.annotations.all()) == [
        ("source:label_studio 2", "++-"),
        ("source:label_studio ann@example.org", "+-."),
        ("source:label_studio judge-1", "-.."),
    ]


def test_label_studio_by_a_layout_of_its_own(tmp_path: Path) -> None:
    choice = {"from_name": "v_1", "type": "choices", "value": {"choices": ["Bad"]}}
    task = {
        "id": 5,
        "data": {"q": "1?", "text": "a\n\nb"},
        "annotations": [{"completed_by": 3, "result": [choice]}],
    }
    path = tmp_path / "f.json"
    path.write_text(json.dumps([task]))
    bring(
        "new", path, format="label_studio", create=True, map="problem=q,response=text", split="blank-line",
        control="v_", first=1,
    )  # fmt: skip
    assert Annotation.objects.get().labels == "-."


# ---- labels that are not there


def test_known_records_with_other_labels_are_counted(project: Project, tmp_path: Path) -> None:
    same, other, unlabelled, gone = own(1), own(2), own(3, marks=...), own(4)
    imported(
        project, jsonl(tmp_path / "a.jsonl", same, other, unlabelled, gone), format="jsonl", reading=reading()
    )
    again = [same, own(2, marks=[False, False]), own(3), own(4, marks=...), own(5)]
    row = checked(project, jsonl(tmp_path / "b.jsonl", *again), format="jsonl", reading=reading())
    assert (row.report["n_known"], row.report["n_differ"]) == (4, 2)
    import_write.begin(row)
    report = import_write.write(row=row).report
    assert (report["n_known"], report["n_differ"]) == (4, 2)
    assert list(Annotation.objects.order_by("pk").values_list("labels", flat=True)) == ["+-"] * 4


def test_another_rater_and_other_scores_are_other_labels(project: Project, tmp_path: Path) -> None:
    told = {"map": "problem=q.text,response=a,scores=p,rater=who"}
    one = own(marks=..., p=[0.9], who="ann")
    imported(project, jsonl(tmp_path / "a.jsonl", one), format="jsonl", reading=told)
    for changes, n in (({}, 0), ({"p": [0.8]}, 1), ({"who": "bob"}, 1)):
        path = jsonl(tmp_path / "b.jsonl", one | changes)
        assert checked(project, path, format="jsonl", reading=told).report["n_differ"] == n


def test_the_command_says_what_to_do_about_other_labels(tmp_path: Path) -> None:
    bring("new", jsonl(tmp_path / "a.jsonl", record()), format="prmbench", create=True)
    assert "import_annotations" not in bring("new", jsonl(tmp_path / "a.jsonl", record()), format="prmbench")
    said = bring("new", jsonl(tmp_path / "b.jsonl", record(error_steps=[1])), format="prmbench")
    assert "1 of those already there bring labels that are not there" in said
    assert "import_annotations" in said


def test_asking_what_is_there_takes_as_many_queries_for_many(project: Project, monkeypatch: Any) -> None:
    imported(project, PRMBENCH)
    monkeypatch.setattr(import_check, "BATCH", 10**6)
    with CaptureQueriesContext(connection) as captured:
        row = checked(project, PRMBENCH)
    assert row.report["n_known"] == row.report["n_good"] > 10
    asked = [
        q["sql"] for q in captured if '"annotator_solution"' in q["sql"] or "annotator_annotation" in q["sql"]
    ]
    assert len(asked) == 2
