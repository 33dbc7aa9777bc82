"""PRM800K, Math-Shepherd and TRL through the commands and actions: in, reviewed, and out again."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from annotator.actions import export_rows, exports
from annotator.models import Annotation, Export, Item, Membership, Project, Solution, TransferState
from annotator.policies import Operator
from tests.annotator.foreign import DATA, PRMBENCH, imported, jsonl, record, rows_of
from tests.annotator.reviewed import submitted
from tests.crowd import crowd

pytestmark = pytest.mark.django_db

FORMATS = ("prm800k", "math_shepherd", "trl")


@pytest.fixture
def project() -> Project:
    return crowd(0)[0]


@pytest.fixture
def reviewed() -> tuple[Project, Membership]:
    project, (me,) = crowd(1)
    return project, me


def data(format: str) -> Path:
    return DATA / f"{format}.jsonl"


def out(project: Project, which: str, format: str) -> tuple[bytes, exports.Outcome]:
    file = io.BytesIO()
    outcome = exports.export_to(
        by=Operator(), project=project, format=format, which=which, min_raters=1, out=file
    )
    return file.getvalue(), outcome


def lines(project: Project, which: str, format: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out(project, which, format)[0].splitlines()]


def items(project: Project) -> list[Item]:
    return list(Item.objects.filter(project=project).order_by("pk"))


def tried(number: int, *texts: str, chosen: int | None = 0) -> dict[str, Any]:
    """A step of a PRM800K label with completions rated alike."""
    completions = [{"text": text, "rating": number, "flagged": None} for text in texts]
    return {"completions": completions, "human_completion": None, "chosen_completion": chosen}


def walk(*steps: dict[str, Any], reason: str = "solution") -> dict[str, Any]:
    """A PRM800K record of phase 1."""
    asked = {"problem": "What is $1+1$?", "ground_truth_solution": None, "ground_truth_answer": "2"}
    return {
        "labeler": "lab", "timestamp": "2023-01-02T03:04:05", "generation": None,
        "is_quality_control_question": False, "is_initial_screening_question": False,
        "question": asked | dict.fromkeys(
            ("pre_generated_steps", "pre_generated_answer", "pre_generated_verifier_score")
        ),
        "label": {"steps": list(steps), "total_time": 1234.6, "finish_reason": reason},
    }  # fmt: skip


# ---- what comes in goes out the same


@pytest.mark.parametrize("format", FORMATS)
def test_commands_bring_a_file_in_and_out_unchanged(format: str, tmp_path: Path) -> None:
    path, said = tmp_path / "out.jsonl", io.StringIO()
    call_command("import_solutions", "new", str(data(format)), format=format, create=True, stdout=said)
    project = Project.objects.get(slug="new")
    assert project.protocol == "label_steps"
    assert set(project.items.values_list("protocol", flat=True)) == {"label_steps"}
    assert f"Written: {project.solutions.count()} new, 0 already there." in said.getvalue()
    call_command(
        "export_annotations", "new", format=format, which=f"source:{format}", output=str(path),
        stderr=io.StringIO(),
    )  # fmt: skip
    assert path.read_bytes() == data(format).read_bytes()


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_file_again_brings_nothing_new(format: str, project: Project) -> None:
    imported(project, data(format), format=format)
    before = rows_of(project)
    report = imported(project, data(format), format=format).report
    assert (report["n_known"], report["kinds"]) == (report["n_good"], {})
    assert rows_of(project) == before


@pytest.mark.parametrize("format", FORMATS)
def test_chunks_and_a_reviewer_beside_it_change_nothing(
    format: str, reviewed: tuple[Project, Membership], monkeypatch: pytest.MonkeyPatch
) -> None:
    project, me = reviewed
    imported(project, data(format), format=format)
    item = items(project)[0]
    submitted(me, item, "+" * item.solution.n_steps)
    monkeypatch.setattr(export_rows, "CHUNK", 2)
    assert out(project, f"source:{format}", format)[0] == data(format).read_bytes()


# ---- what is stored


def test_siblings_are_solutions_without_items(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", walk(tried(1, "One.", "Other."), tried(-1, "Two.", "Three.")))
    report = imported(project, path, format="prm800k").report
    main, *siblings = Solution.objects.filter(project=project).order_by("pk")
    assert [sibling.steps for sibling in siblings] == [["Other."], ["One.", "Three."]]
    assert {sibling.meta["sibling_of"] for sibling in siblings} == {main.foreign_id}
    assert "sibling_of" not in main.meta
    assert [item.solution for item in items(project)] == [main]
    assert (report["n_good"], report["n_known"], report["kinds"][""]["items"]) == (3, 0, 1)


def test_the_check_counts_items_as_the_end_does(project: Project) -> None:
    row = imported(project, data("prm800k"), format="prm800k")
    assert row.report["kinds"][""]["items"] == len(items(project)) < row.report["n_good"]


def test_soft_labels_are_kept_as_scores(project: Project) -> None:
    imported(project, data("trl"), format="trl")
    found = Annotation.objects.order_by("pk").values_list("labels", "scores")
    assert list(found) == [("++", None), ("--", None), ("+-+", [0.9, 0.5, 1.0]), ("+-", None), ("+", None)]


def test_times_are_kept_and_who_gave_up_goes_out(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", walk(tried(1, "One."), reason="give_up"))
    imported(project, path, format="prm800k")
    (found,) = Annotation.objects.all()
    assert (found.duration_ms, found.finish_reason) == (1235, "")
    assert out(project, "source:prm800k", "prm800k")[0] == path.read_bytes()


# ---- a reviewer's labels


def test_a_reviewer_goes_out_as_prm800k(reviewed: tuple[Project, Membership], tmp_path: Path) -> None:
    project, me = reviewed
    path = jsonl(tmp_path / "f.jsonl", walk(tried(1, "One.", "Other."), tried(1, "Two.")))
    imported(project, path, format="prm800k")
    submitted(me, items(project)[0], "0-", error_types={"1": ["circular"]})
    (found,) = lines(project, f"reviewer:{me.user}", "prm800k")
    mine = Annotation.objects.get(rater=me.rater)
    ratings = [[one["rating"] for one in step["completions"]] for step in found["label"]["steps"]]
    assert ratings == [[0, None], [-1]]
    assert (found["labeler"], found["timestamp"]) == (f"reviewer:{me.user}", mine.created_at.isoformat())
    assert found["label"]["total_time"] == mine.duration_ms
    assert len(lines(project, "all", "prm800k")) == 2


def test_why_a_reviewer_finished_goes_out(reviewed: tuple[Project, Membership], tmp_path: Path) -> None:
    project, me = reviewed
    imported(project, jsonl(tmp_path / "f.jsonl", walk(tried(1, "One."), tried(1, "Two."))), format="prm800k")
    submitted(me, items(project)[0], "-.", finish_reason="found_error", error_types={"0": ["circular"]})
    (row,) = export_rows.rows(project, f"reviewer:{me.user}")
    assert (row.record.finish_reason, row.record.rater) == ("found_error", f"reviewer:{me.user}")
    assert lines(project, f"reviewer:{me.user}", "prm800k")[0]["label"]["finish_reason"] == "found_error"


def test_a_reviewer_goes_out_as_trl(reviewed: tuple[Project, Membership]) -> None:
    project, me = reviewed
    imported(project, data("trl"), format="trl")
    soft, flat = items(project)[2], items(project)[0]
    submitted(me, soft, "0-+", error_types={"1": ["circular"]})
    submitted(me, flat, "?+")
    written, outcome = out(project, f"reviewer:{me.user}", "trl")
    (found,) = [json.loads(line) for line in written.splitlines()]
    assert (found["completions"], found["labels"]) == (soft.solution.steps[:2], [True, False])
    (why,) = outcome.left_out
    assert "TRL knows only right and wrong" in why


def test_a_reviewer_goes_out_as_math_shepherd(reviewed: tuple[Project, Membership]) -> None:
    project, me = reviewed
    imported(project, data("math_shepherd"), format="math_shepherd")
    submitted(me, items(project)[1], "0-+", error_types={"1": ["circular"]})
    (found,) = lines(project, f"reviewer:{me.user}", "math_shepherd")
    start = "Find $3 \\cdot 4 + 1$. Step 1: $3 \\cdot 4 = 12$. "
    assert found["label"] == start + "+\nStep 2: $12 + 1 = 14$. -"
    assert found["input"] == start + "ки\nStep 2: $12 + 1 = 14$. ки"


# ---- from one format into another


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_goes_into_every_other(format: str, target: str, project: Project) -> None:
    imported(project, data(format), format=format)
    written, outcome = out(project, f"source:{format}", target)
    assert outcome.n + outcome.n_left_out == project.solutions.count()
    assert len(written.splitlines()) == (9 if format == target == "prm800k" else outcome.n)


def test_what_goes_elsewhere_names_its_rater_and_no_time(project: Project) -> None:
    imported(project, data("trl"), format="trl")
    found = lines(project, "source:trl", "prm800k")
    assert {(one["labeler"], one["timestamp"]) for one in found} == {("source:trl", None)}


def test_labels_after_the_first_error_go_only_home(project: Project, tmp_path: Path) -> None:
    imported(project, jsonl(tmp_path / "f.jsonl", record(error_steps=[1, 2])), format="prmbench")
    assert [one["labels"] for one in lines(project, "injector:prmbench", "trl")] == [[False]]
    assert [one["error_steps"] for one in lines(project, "injector:prmbench", "prmbench")] == [[1, 2]]


def test_redundant_steps_go_out_as_neutral(project: Project, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "f.jsonl", record(classification="redundency", idx="own_1"))
    imported(project, path, format="prmbench")
    (found,) = lines(project, "injector:prmbench", "prm800k")
    assert [step["completions"][0]["rating"] for step in found["label"]["steps"]] == [1, 0]


def test_a_worker_writes_what_the_command_does(project: Project) -> None:
    imported(project, PRMBENCH)
    row = Export.objects.create(project=project, format="trl", which="all")
    assert exports.write(row=row).error == ""
    row.refresh_from_db()
    assert row.state == TransferState.COMPLETE
    assert Path(row.path).read_bytes() == out(project, "all", "trl")[0]
