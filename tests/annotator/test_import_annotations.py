"""Labels made elsewhere: into the database, and from there to agreement, item, reveal and export."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from annotator import blinding, errors, reports, tasks
from annotator.actions import annotation_import as acts
from annotator.actions import annotation_import_rows, exports, import_write, imports, transfers
from annotator.actions.import_files import find_files
from annotator.models import Annotation, Event, Import, Item, Project, Rater, Role, Solution, TransferState
from annotator.policies import Operator
from annotator.views import item_reading, words
from tests import factories
from tests.annotator.foreign import PRMBENCH, imported, jsonl, many, record
from tests.annotator.reviewed import submitted

pytestmark = pytest.mark.django_db

ID = "counterfactual_own_{}".format
RATER = "prm:mine"
ORIGINAL = "original_counterfactual_own_one_1"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Six solutions of two steps, counterfactual_own_0 to 5."""
    project = factories.project(overlap=1)
    imported(project, jsonl(tmp_path / "solutions.jsonl", *many(6)))
    return project


def opened(project: Project, path: Path, **options: Any) -> Import:
    asked = {"format": "jsonl", "rater": RATER, **options}
    return acts.open_import(by=Operator(), project=project, files=find_files([str(path)]), **asked)


def brought(project: Project, path: Path, **options: Any) -> Import:
    """Check and write, whatever the check says of single records."""
    row = acts.check(row=opened(project, path, **options))
    assert row.state == TransferState.CHECKED, row.error
    import_write.begin(row)
    return acts.write(row=row)


def taken(project: Project, path: Path, *records: dict[str, Any] | str, **options: Any) -> dict[str, Any]:
    """The report of an import of these records."""
    report: dict[str, Any] = brought(project, jsonl(path, *records), **options).report
    return report


def said(project: Project, **chosen: Any) -> list[tuple[str, str]]:
    rows = Annotation.objects.filter(
        solution__project=project, source_import__kind="annotations", superseded_at=None, **chosen
    )
    return list(rows.order_by("solution", "rater").values_list("solution__foreign_id", "labels"))


def one(project: Project) -> Annotation:
    return Annotation.objects.select_related("rater").get(
        solution__project=project, source_import__kind="annotations", superseded_at=None
    )


def solution(project: Project, foreign_id: str) -> Solution:
    return Solution.objects.get(project=project, foreign_id=foreign_id)


# ---- what is stored


def test_scores_become_a_rater_with_labels_at_a_threshold(project: Project, tmp_path: Path) -> None:
    row = brought(project, jsonl(tmp_path / "a.jsonl", {"id": ID(0), "scores": [0.9, 0.3]}), threshold=0.2)
    found = one(project)
    assert (str(found.rater), found.rater.digest, found.phase) == (RATER, "", "machine")
    assert (found.labels, found.scores, found.first_error) == ("++", [0.9, 0.3], -1)
    assert json.loads(found.extra) == {"threshold": 0.2}
    assert (found.source_import, row.options["threshold"]) == (row, 0.2)
    assert Event.objects.get(project=project, verb="import_annotations").data["new"] == 1


@pytest.mark.parametrize(
    ("says", "labels", "first"),
    [
        ({"labels": "+-"}, "+-", 1),
        ({"labels": [True, None]}, "+.", -2),
        ({"labels": [1, -1], "scores": [0.1, 0.2]}, "+-", 1),
        ({"scores": [0.5, 0.51]}, "-+", 0),
        ({"first_error": 0}, "-.", 0),
        ({"first_error": -1}, "++", -1),
    ],
)
def test_whatever_a_line_says(
    says: dict[str, Any], labels: str, first: int, project: Project, tmp_path: Path
) -> None:
    taken(project, tmp_path / "a.jsonl", {"id": ID(3)} | says)
    assert (one(project).labels, one(project).first_error) == (labels, first)


def test_a_digest_finds_a_solution_as_an_id_does(project: Project, tmp_path: Path) -> None:
    there = solution(project, ID(4))
    taken(project, tmp_path / "a.jsonl", {"digest": there.digest, "labels": "--"})
    assert said(project) == [(ID(4), "--")]


def test_a_map_says_where_things_are_and_the_rest_is_kept(project: Project, tmp_path: Path) -> None:
    row = {"meta": {"uid": ID(1)}, "out": [{"p": [0.1, 0.9]}], "labels": "this is gold, not theirs"}
    taken(project, tmp_path / "a.jsonl", row, map="id=meta.uid,scores=out.0.p")
    found = one(project)
    assert (found.labels, found.solution.foreign_id) == ("-+", ID(1))
    assert json.loads(found.extra)["values"] == {"labels": row["labels"]}


def test_shorter_and_longer_lists_lose_nothing(project: Project, tmp_path: Path) -> None:
    report = taken(
        project, tmp_path / "a.jsonl", {"id": ID(0), "labels": "-"}, {"id": ID(1), "scores": [0.9, 0.8, 0.1]},
        {"id": ID(2), "labels": "++-+"},
    )  # fmt: skip
    assert (report["n_short"], report["n_long"]) == (1, 2)
    assert said(project) == [(ID(0), "-."), (ID(1), "++"), (ID(2), "++")]
    short, scored, long = Annotation.objects.filter(source_import__kind="annotations").order_by("solution")
    assert (json.loads(short.extra)["labels"], json.loads(long.extra)["labels"]) == ("-", "++-+")
    assert scored.scores == [0.9, 0.8, 0.1]


def test_a_record_names_its_rater_where_it_is_asked_to(project: Project, tmp_path: Path) -> None:
    both = [
        {"id": ID(0), "labels": "++", "rater": "ann"},
        {"id": ID(0), "labels": "--", "rater": "source:bo"},
    ]
    report = taken(project, tmp_path / "a.jsonl", *both, rater="source")
    assert report["raters"] == {"source:ann": 1, "source:bo": 1}
    (nobody,) = acts.check(
        row=opened(project, jsonl(tmp_path / "b.jsonl", {"id": ID(0), "labels": "++"}), rater="source")
    ).report["errors"]
    assert nobody["message"] == "is missing: give --rater a name, as KIND:NAME"


def test_a_name_given_holds_for_all_but_where_the_map_says_otherwise(
    project: Project, tmp_path: Path
) -> None:
    row = {"id": ID(0), "labels": "++", "rater": "ann"}
    assert taken(project, tmp_path / "a.jsonl", row)["raters"] == {RATER: 1}
    assert json.loads(one(project).extra)["rater"] == "ann"
    report = taken(project, tmp_path / "b.jsonl", row, map="id=id,labels=labels,rater=rater")
    assert report["raters"] == {"prm:ann": 1}


# ---- PRMBench's and ProcessBench's results, Potato


def result(idx: str, **scores: Any) -> dict[str, Any]:
    return {"idx": idx, "scores": {f"step_level_{key}": value for key, value in scores.items()}}


@pytest.fixture
def bench() -> Project:
    """The redundancy's original goes by another kind's name, as where that kind came in first."""
    project = factories.project()
    imported(project, PRMBENCH)
    Solution.objects.filter(children__foreign_id="redundency_own_one_1").update(foreign_id=ORIGINAL)
    return project


def test_prmbench_results_by_every_name_of_an_item(bench: Project, tmp_path: Path) -> None:
    wrapped = {
        "task_name": "t",
        "model_name": "M",
        "results": result("circular_own_one_1", validity_labels=[True]),
    }
    report = taken(
        bench, tmp_path / "a.jsonl", result("correct_own_one_1", validity_scores=[0.1]), wrapped,
        result("redundency_redundency_own_one_1", validity_labels=[1, 0.7], redundancy_labels=[False, True]),
        {"idx": "deception_own_two_4", "scores": {}, "validity": False}, format="prmbench_results",
    )  # fmt: skip
    assert (report["n_good"], report["n_bad"], report["n_unparsed"]) == (4, 0, 1)
    assert said(bench) == [
        (ORIGINAL, "-..."), ("redundency_own_one_1", "+-..."), ("circular_own_one_1", "+..."),
        ("deception_own_two_4", "..."),
    ]  # fmt: skip
    redundant = Annotation.objects.get(solution__foreign_id="redundency_own_one_1", rater__kind="prm")
    assert redundant.redundancy_labels == "+-..."
    assert not Annotation.objects.get(solution__foreign_id="deception_own_two_4", rater__kind="prm").is_parsed


def test_the_correct_item_of_the_copy_on_hugging_face(bench: Project, tmp_path: Path) -> None:
    row = result("correct_redundency_own_one_1", validity_labels=[True] * 4)
    taken(bench, tmp_path / "a.jsonl", row, format="prmbench_results")
    assert said(bench) == [(ORIGINAL, "++++")]


def test_an_id_of_two_texts_is_refused_and_one_of_a_text_twice_is_of_both(
    bench: Project, tmp_path: Path
) -> None:
    """Problem 4 of the sample has two originals; its other right solution is there twice."""
    row = acts.check(
        row=opened(
            bench,
            jsonl(
                tmp_path / "a.jsonl",
                result("correct_own_two_4", validity_labels=[True]),
                result("multi_solutions_own_two_4", validity_labels=[True, False]),
            ),
            format="prmbench_results",
        )
    )
    (error,) = row.report["errors"]
    assert (error["line"], error["field"]) == (1, "idx")
    assert "names 2 solutions with different texts" in error["message"]
    import_write.begin(row)
    assert acts.write(row=row).report["n_new"] == 2
    assert said(bench) == [("multi_solutions_own_two_4", "+-")] * 2


def test_a_digest_decides_between_two_texts(project: Project, tmp_path: Path) -> None:
    imported(
        project, jsonl(tmp_path / "more.jsonl", record(idx="own_0", modified_process=["Other.", "Steps."]))
    )
    there = Solution.objects.filter(project=project, foreign_id=ID(0)).order_by("pk")
    report = taken(
        project, tmp_path / "a.jsonl", {"id": ID(0), "labels": "++"},
        {"id": ID(0), "digest": there[1].digest, "labels": "--"},
    )  # fmt: skip
    assert (report["n_bad"], report["n_new"]) == (1, 1)
    assert one(project).solution == there[1]


def test_a_digest_of_another_text_than_the_id_is_refused(project: Project, tmp_path: Path) -> None:
    row = {"id": ID(0), "digest": solution(project, ID(1)).digest, "labels": "++"}
    (error,) = acts.check(row=opened(project, jsonl(tmp_path / "a.jsonl", row))).report["errors"]
    assert (error["field"], error["message"][:15]) == ("digest", "is not that of ")


def test_processbench_results(tmp_path: Path) -> None:
    project = factories.project()
    base = {
        "generator": "m",
        "problem": "1 + 1?",
        "steps": ["It is 2.", "So 3."],
        "final_answer_correct": False,
    }
    rows = [{"id": f"own-{n}", **base, "problem": f"{n}?", "label": 1} for n in range(3)]
    path = tmp_path / "s.json"
    path.write_text(json.dumps(rows))
    imported(project, path, format="processbench")
    predictions = [
        {**row, "prediction": p, "generated_critique": "…", "match": False}
        for row, p in zip(rows, (0, -1, None), strict=True)
    ]
    report = taken(
        project, tmp_path / "a.jsonl", *predictions, format="processbench_results", rater="critic:c"
    )
    assert said(project) == [("own-0", "-."), ("own-1", "++"), ("own-2", "..")]
    assert report["n_unparsed"] == 1


@pytest.mark.parametrize(("trusted", "labels"), [(False, ".-"), (True, "+-")])
def test_potato_labels_of_the_llm_count_only_if_trusted(
    trusted: bool, labels: str, project: Project, tmp_path: Path
) -> None:
    steps = [
        {"index": 0, "reward": 1, "source": "ai", "verified": True},
        {"index": 1, "reward": -1, "source": "human", "verified": True},
    ]
    row = {"instance_id": ID(0), "annotator": "ann", "mode": "per_step", "steps": steps}
    taken(project, tmp_path / "a.jsonl", row, format="potato", rater="source", trust_verified=trusted)
    assert (one(project).labels, str(one(project).rater)) == (labels, "source:ann")


# ---- again, and what cannot be used


def test_the_same_again_writes_nothing_and_another_takes_its_place(project: Project, tmp_path: Path) -> None:
    rows = [{"id": ID(n), "scores": [0.9, 0.1 * n]} for n in range(3)]

    def counts() -> list[int]:
        report = taken(project, tmp_path / "a.jsonl", *rows)
        return [report[name] for name in ("n_new", "n_same", "n_replaced")]

    assert counts() == [3, 0, 0]
    assert counts() == [0, 3, 0]
    rows[1]["scores"] = [0.2, 0.1]
    assert counts() == [0, 2, 1]
    before, after = Annotation.objects.filter(solution__foreign_id=ID(1), rater__kind="prm").order_by("pk")
    assert (before.labels, after.labels) == ("+-", "--")
    assert before.superseded_at is not None
    assert after.superseded_at is None


def test_another_threshold_is_another_view_of_the_same_rater(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"id": ID(0), "scores": [0.9, 0.6]})
    brought(project, path)
    assert brought(project, path, threshold=0.7).report["n_replaced"] == 1
    assert (said(project), Rater.objects.filter(kind="prm").count()) == ([(ID(0), "+-")], 1)


BAD = (
    "nonsense", {"id": ID(0)}, {"labels": "++"}, {"id": ID(0), "labels": "+x"}, {"id": ID(0), "labels": [0, 1]},
    {"id": ID(0), "first_error": 2}, {"id": ID(1), "labels": "++"},
)  # fmt: skip


def test_bad_records_are_listed_with_their_places(project: Project, tmp_path: Path) -> None:
    good, unknown = {"id": ID(1), "labels": "--"}, {"id": "nobody", "labels": "++"}
    path = jsonl(tmp_path / "a.jsonl", good, *BAD, unknown)
    report = acts.check(row=opened(project, path)).report
    places = [(error["line"], error["field"]) for error in report["errors"]]
    assert places == [
        (2, ""),
        (3, ""),
        (4, "id"),
        (5, "labels[1]"),
        (6, "labels[0]"),
        (7, "first_error"),
        (8, "id"),
    ]
    assert (
        report["errors"][-1]["message"]
        == f"is judged by prm:mine at {path}, line 1 already: the first one counts"
    )
    assert (report["n_good"], report["n_bad"], report["n_unknown"]) == (1, 7, 1)
    assert report["unknown"] == [
        {"file": str(path), "line": 9, "field": "id", "message": "'nobody' is not in this project"}
    ]
    assert not said(project)
    assert not Rater.objects.filter(kind="prm").exists()


def test_unknown_solutions_are_no_failure_but_where_it_is_strict(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"id": "nobody", "labels": "++"}, {"id": ID(1), "labels": "--"})
    row = acts.check(row=opened(project, path, strict=True))
    assert (row.state, row.error[:40]) == (TransferState.FAILED, "Nothing is written: 1 of 2 records canno")
    assert brought(project, path).report["n_new"] == 1


def test_nothing_of_a_file_that_breaks_off_is_written(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps({"id": ID(0), "labels": "++"}).encode() + b"\n\xff\n")
    row = acts.check(row=opened(project, path))
    assert (row.state, row.report["unreadable"]) == (
        TransferState.FAILED, f"{path}, line 2: is not UTF-8 (byte 1 of the line)",
    )  # fmt: skip


def test_two_records_on_one_line_are_two(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"id": ID(0), "labels": "++"}, {"id": ID(0), "labels": "--"}]))
    assert (brought(project, path).report["n_bad"], said(project)) == (1, [(ID(0), "++")])


def test_other_projects_and_unfinished_imports_are_not_here(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"id": ID(0), "labels": "++"})
    other = factories.project()
    assert acts.check(row=opened(other, path)).report["n_unknown"] == 1
    Import.objects.filter(project=project).update(state=TransferState.WRITING)
    assert acts.check(row=opened(project, path)).report["n_unknown"] == 1


@pytest.mark.parametrize(
    ("options", "field", "says"),
    [
        ({"rater": "reviewer:ann"}, "rater", "as kind source: source:ann"),
        ({"rater": "robot:x"}, "rater", "prm:my-model"),
        ({"rater": "source:prmbench"}, "rater", "whoever labelled the prmbench files"),
        ({"rater": "prm:" + "x" * 151}, "rater", "150"),
        ({"map": "steps=a,id=b"}, "map", "steps is not read here"),
        ({"map": "id=a"}, "map", "labels, scores or first error"),
        ({"zero": "right"}, "zero", "neutral or wrong"),
        ({"threshold": float("nan")}, "threshold", "number"),
        ({"format": "trl"}, "format", "jsonl, prmbench_results"),
    ],
)
def test_what_cannot_be_asked_for(
    options: dict[str, Any], field: str, says: str, project: Project, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"id": ID(0), "labels": "++"})
    with pytest.raises(errors.Invalid, match=says) as refused:
        opened(project, path, **options)
    assert refused.value.field == field


def test_only_leads_bring_labels_in(project: Project, tmp_path: Path) -> None:
    with pytest.raises(errors.Forbidden):
        acts.open_import(
            by=factories.member(project), project=project, format="jsonl", rater=RATER,
            files=find_files([str(jsonl(tmp_path / "a.jsonl", {"id": ID(0), "labels": "++"}))]),
        )  # fmt: skip


# ---- interrupted, resumed, removed


class Killed(BaseException):
    """As kill -9 is to a process: nothing catches it, and nothing after it runs but the rollback."""


@pytest.fixture
def halfway(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """An import of six judgements in batches of two, killed in the midst of the second batch; the first
    replaces an earlier judgement."""
    monkeypatch.setattr(transfers.batched, "__defaults__", (2,))
    taken(project, tmp_path / "before.jsonl", {"id": ID(0), "labels": "--"})
    row = acts.check(
        row=opened(project, jsonl(tmp_path / "a.jsonl", *({"id": ID(n), "labels": "++"} for n in range(6))))
    )
    import_write.begin(row)
    store, calls = annotation_import_rows.store, iter(range(9))

    def dying(*args: Any) -> Any:
        counts = store(*args)
        if next(calls):
            raise Killed
        return counts

    monkeypatch.setattr(acts, "store", dying)
    with pytest.raises(Killed):
        acts.write(row=row)
    monkeypatch.setattr(acts, "store", store)
    row.refresh_from_db()
    return row


def test_a_killed_import_goes_on_where_it_was(halfway: Import, project: Project) -> None:
    assert (halfway.n_done, halfway.report["n_new"], halfway.report["n_replaced"]) == (2, 1, 1)
    assert said(project, source_import=halfway) == [(ID(0), "++"), (ID(1), "++")]
    again = opened(project, Path(halfway.paths[0]))
    assert again == halfway
    report = acts.write(row=again).report
    assert (report["n_new"], report["n_replaced"], report["n_same"], report["n_gone"]) == (5, 1, 0, 0)
    assert said(project) == [(ID(n), "++") for n in range(6)]


def test_files_must_not_change_midway(halfway: Import) -> None:
    Path(halfway.paths[0]).write_text("{}\n")
    with pytest.raises(errors.Conflict, match="files have changed"):
        acts.write(row=halfway)


def test_a_removed_import_leaves_what_was_there_before_it(halfway: Import, project: Project) -> None:
    Import.objects.filter(pk=halfway.pk).update(created_at=timezone.now() - 2 * transfers.STALE)
    imports.remove_import(by=Operator(), row=halfway)
    assert said(project) == [(ID(0), "--")]
    assert Annotation.objects.filter(rater__kind="prm").count() == 1


def test_a_complete_import_stays(project: Project, tmp_path: Path) -> None:
    row = brought(project, jsonl(tmp_path / "a.jsonl", {"id": ID(0), "labels": "++"}))
    with pytest.raises(errors.Conflict):
        imports.remove_import(by=Operator(), row=row)


def test_queries_do_not_grow_with_the_records_of_a_batch(project: Project, tmp_path: Path) -> None:
    imported(project, jsonl(tmp_path / "more.jsonl", *many(200)))

    def cost(n: int) -> int:
        """Counted by hand, since long work forgets its queries as it goes; and without the rows' own INSERTs,
        which SQLite takes a few dozen rows at a time."""
        path = jsonl(tmp_path / f"{n}.jsonl", *({"id": ID(i), "labels": "++"} for i in range(n)))
        made: list[str] = []

        def note(execute: Any, sql: str, *rest: Any) -> Any:
            made.extend([sql] * ('INSERT INTO "annotator_annotation"' not in sql))
            return execute(sql, *rest)

        with connection.execute_wrapper(note):
            brought(project, path, rater=f"prm:{n}")
        return len(made)

    assert cost(2) == cost(200)


# ---- where they show


@pytest.fixture
def reviewed(project: Project, tmp_path: Path) -> Item:
    """An item that ann has called right, and an imported model wrong at step 2."""
    taken(project, tmp_path / "a.jsonl", {"id": ID(0), "scores": [0.9, 0.2]})
    item = Item.objects.get(solution__foreign_id=ID(0))
    submitted(factories.member(project, "ann"), item, "++")
    return item


def test_in_agreement(reviewed: Item) -> None:
    found = reports.agreement(reviewed.project)
    beside = {row["rater"]: row for row in found["raters"]}
    assert set(beside) == {"injector:prmbench", RATER}
    percent = beside[RATER]["percent"]
    assert (percent["value"], percent["n"], percent["why"]) == (0.5, 2, "")
    assert beside[RATER]["first_error"]["value"] == 0
    assert found["machines"] == ["prmbench"]


def test_a_person_from_elsewhere_is_not_taken_for_the_source_of_the_data(
    project: Project, reviewed: Item, tmp_path: Path
) -> None:
    before = reports.agreement(project)
    taken(project, tmp_path / "b.jsonl", {"id": ID(0), "labels": "++"}, rater="source:bo")
    after = reports.agreement(project)
    assert after["injector"] == before["injector"]
    assert after["machines"] == ["prmbench"]
    assert {row["rater"]: row["percent"]["value"] for row in after["raters"]}["source:bo"] == 1


def test_on_the_pages_of_agreement_and_item(reviewed: Item) -> None:
    client = signed_in(reviewed.project)
    assert RATER in client.get(f"/p/{reviewed.project.slug}/agreement/").content.decode()
    assert "mine" in client.get(f"/p/{reviewed.project.slug}/items/{reviewed.pk}/").content.decode()


def test_in_the_item_matrix(reviewed: Item) -> None:
    item = item_reading.load(reviewed.project_id, reviewed.pk)
    assert item
    rows = item_reading.context(item)["rows"]
    marks = [[cell.mark for cell in row.cells if "mine" in cell.rater] for row in rows]
    assert marks == [[words.MARKS["+"]], [words.MARKS["-"]]]


def test_in_exports(reviewed: Item) -> None:
    out = io.BytesIO()
    exports.export_to(
        by=Operator(), project=reviewed.project, format="prmbench", which=RATER, min_raters=1, out=out
    )
    (line,) = out.getvalue().splitlines()
    assert (json.loads(line)["idx"], json.loads(line)["error_steps"]) == ("own_0", [2])


def test_as_a_reveal_in_verify_labels(project: Project, tmp_path: Path) -> None:
    taken(project, tmp_path / "a.jsonl", {"id": ID(0), "scores": [0.9, 0.2]})
    item = Item.objects.get(solution__foreign_id=ID(0))
    shown = [(str(row.rater), row.labels) for row in blinding.machine_annotations(item.solution)]
    assert (RATER, "+-") in shown


# ---- command, worker, page


def command(project: Project, path: Path, *more: str) -> str:
    out = io.StringIO()
    call_command(
        "import_annotations", project.slug, str(path), "--rater", RATER, *more, stdout=out, stderr=out
    )
    return out.getvalue()


def test_the_command_says_what_it_did(project: Project, tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "a.jsonl", {"id": ID(0), "labels": "+"}, {"id": "nobody", "labels": "+"}, "nonsense"
    )
    would = command(project, path, "--dry-run")
    assert "Would write: 1 new" in would
    assert not Import.objects.filter(kind="annotations").exists()
    told = command(project, path)
    for part in (
        f"{path}, line 3: is not JSON", f"{path}, line 2, id: 'nobody' is not in this project",
        "3 records: 1 good, 1 bad, 1 of solutions that are not in this project.", "Written: 1 new",
        "1 shorter than the solution", "prm:mine: 1",
    ):  # fmt: skip
        assert part in told
    with pytest.raises(CommandError, match="2 of 3 records"):
        command(project, path, "--strict")


def test_the_command_as_json(project: Project, tmp_path: Path) -> None:
    told = json.loads(command(project, jsonl(tmp_path / "a.jsonl", {"id": ID(0), "labels": "++"}), "--json"))
    assert (told["new"], told["raters"], told["errors"], told["refusal"]) == (1, {RATER: 1}, [], "")
    assert told["import"] == Import.objects.get(kind="annotations").pk


def test_the_command_names_what_is_wrong(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", {"id": ID(0), "labels": "++"})
    with pytest.raises(CommandError, match="--map: The map cannot be used"):
        command(project, path, "--map", "id=a")
    with pytest.raises(CommandError, match="no project nowhere"):
        call_command("import_annotations", "nowhere", str(path), rater=RATER)


def signed_in(project: Project) -> Client:
    lead = factories.member(project, "lead", Role.LEAD)
    client = Client()
    client.force_login(lead.user)
    return client


def uploaded(*records: dict[str, Any], **fields: Any) -> dict[str, Any]:
    text = "".join(json.dumps(one) + "\n" for one in records)
    chosen = {"format": "jsonl", "kind": "prm", "rater": "mine", "threshold": "0.5", **fields}
    return {"uploads": SimpleUploadedFile("scores.jsonl", text.encode()), **chosen}


def test_a_lead_uploads_labels_and_a_worker_writes_them(
    project: Project, settings: Any, tmp_path: Path, django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    settings.DATA_DIR = tmp_path
    rung: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args: rung.append((name, args)))
    client = signed_in(project)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(
            f"/p/{project.slug}/imports/labels/", uploaded({"id": ID(0), "scores": [0.9, 0.2]})
        )
    row = Import.objects.get(kind="annotations")
    assert answer["Location"] == f"/p/{project.slug}/imports/{row.pk}/"
    with django_capture_on_commit_callbacks(execute=True):
        tasks.check_annotations(row.pk)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.write_annotations(row.pk)
    assert rung == [("annotator.check_annotations", [row.pk]), ("annotator.write_annotations", [row.pk])]
    assert said(project) == [(ID(0), "+-")]
    page = client.get(answer["Location"]).content.decode()
    assert "prm:mine" in page
    assert "scores.jsonl" in page
    assert not any((tmp_path / "imports").iterdir())


def test_the_page_of_a_check_with_errors(project: Project, tmp_path: Path) -> None:
    path = jsonl(
        tmp_path / "a.jsonl", "nonsense", {"id": ID(0), "labels": "++"}, {"id": "nobody", "labels": "+"}
    )
    row = acts.check(row=opened(project, path))
    client = signed_in(project)
    address = f"/p/{project.slug}/imports/{row.pk}/"
    page = client.get(address).content.decode()
    for part in ("is not JSON", "is not in this project", "Write the 1 good record", "Remove this import"):
        assert part in page
    client.post(address, {"do": "write"})
    row.refresh_from_db()
    assert row.state == TransferState.WRITING


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rater": "x" * 151}, "at most 150 characters"),
        ({"map": "id=a"}, "labels, scores or first error"),
        ({"kind": "source", "rater": "prmbench"}, "whoever labelled the prmbench files"),
    ],
)
def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(
    fields: dict[str, str], says: str, project: Project
) -> None:
    answer = signed_in(project).post(f"/p/{project.slug}/imports/labels/", uploaded({}, **fields))
    page = answer.content.decode()
    assert answer.status_code == 400
    assert says in page
    assert fields.get("map", fields.get("rater", "")) in page
    assert not Import.objects.filter(kind="annotations").exists()


def test_reviewers_may_not_upload(project: Project) -> None:
    client = Client()
    client.force_login(factories.member(project).user)
    assert client.get(f"/p/{project.slug}/imports/labels/").status_code == 403
