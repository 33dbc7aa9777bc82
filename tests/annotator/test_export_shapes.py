"""Result rows, best-of-N sets and rated alternatives: what comes in as such goes out as such."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from annotator.actions import annotation_import, exports
from annotator.actions.import_files import find_files
from annotator.models import (
    Annotation,
    Assignment,
    Import,
    Item,
    Membership,
    Phase,
    Project,
    Rater,
    Solution,
    TransferState,
)
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import DATA, PRMBENCH, PROCESSBENCH, imported, jsonl, many, record
from tests.annotator.reviewed import submitted
from tests.annotator.test_more_formats import tried, walk
from tests.crowd import crowd

pytestmark = pytest.mark.django_db

VALID, SCORES = "step_level_validity_labels", "step_level_validity_scores"
REDUNDANT = "step_level_redundancy_labels"


def out(project: Project, which: str, format: str, **options: Any) -> tuple[bytes, exports.Outcome]:
    file = io.BytesIO()
    outcome = exports.export_to(
        by=Operator(), project=project, format=format, which=which, min_raters=1, out=file, options=options
    )
    return file.getvalue(), outcome


def lines(project: Project, which: str, format: str, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out(project, which, format, **options)[0].splitlines()]


def judged(project: Project, path: Path, format: str, rater: str = "prm:one") -> Import:
    """An import of annotations, run to its end."""
    files = find_files([str(path)])
    row = annotation_import.open_import(
        by=Operator(), project=project, format=format, files=files, rater=rater
    )
    row = annotation_import.check_then_write(row=row)
    row = annotation_import.write(row=row)
    assert row.state == TransferState.COMPLETE, (row.state, row.error, row.report)
    return row


# ---- PRMBench's result rows


RESULTS: list[dict[str, Any]] = [
    {"idx": "counterfactual_own_1", "scores": {VALID: [True, False], SCORES: [0.75, 0.125]}},
    {"idx": "correct_own_2", "scores": {VALID: [True, True]}},
    {"idx": "redundency_own_2", "scores": {VALID: [True, True], REDUNDANT: [False, True]}, "cost": 1.5},
    {"idx": "circular_own_3", "scores": {SCORES: [0.5, 0.25]}},
    {"idx": "circular_own_4", "scores": {VALID: [True], REDUNDANT: [False, True]}},
    {"idx": "circular_own_5", "scores": {VALID: [True, False, True]}},
    {"idx": "circular_own_6", "scores": {}, "validity": False, "original_response": "No."},
]


@pytest.fixture
def prmbench(tmp_path: Path) -> Project:
    project = factories.project()
    rows = [("own_1", "counterfactual"), ("own_2", "redundency")]
    rows += [(f"own_{n}", "circular") for n in (3, 4, 5, 6)]
    asked = "What is {} + 2?"
    imported(
        project,
        jsonl(
            tmp_path / "prmbench.jsonl",
            *(
                record(
                    idx=idx, classification=kind, original_question=asked.format(idx),
                    modified_question=asked.format(idx),
                )
                for idx, kind in rows
            ),
        ),
    )  # fmt: skip
    return project


def test_prmbench_results_come_back(prmbench: Project, tmp_path: Path) -> None:
    judged(prmbench, jsonl(tmp_path / "results.jsonl", *RESULTS), "prmbench_results")
    found = {row["idx"]: row for row in lines(prmbench, "prm:one", "prmbench_results")}
    assert found == {row["idx"]: row for row in RESULTS}


def test_wrapped_results_come_back_wrapped(prmbench: Project, tmp_path: Path) -> None:
    wrapped = [
        {"task_name": "prmtest_classified", "model_name": "some-prm", "results": row} for row in RESULTS[:2]
    ]
    judged(prmbench, jsonl(tmp_path / "results.jsonl", *wrapped), "prmbench_results", "prm:some-prm")
    found = lines(prmbench, "prm:some-prm", "prmbench_results")
    assert sorted(found, key=str) == sorted(wrapped, key=str)


def test_a_threshold_gives_scores_labels(prmbench: Project, tmp_path: Path) -> None:
    judged(prmbench, jsonl(tmp_path / "results.jsonl", RESULTS[3]), "prmbench_results")
    (found,) = lines(prmbench, "prm:one", "prmbench_results", threshold=0.3)
    assert found["scores"] == {VALID: [True, False], SCORES: [0.5, 0.25]}
    (found,) = lines(prmbench, "prm:one", "prmbench_results", threshold=0.5)
    assert found["scores"][VALID] == [False, False]


def test_a_reviewer_is_a_result_too(tmp_path: Path) -> None:
    project = factories.project(overlap=1)
    me = factories.member(project)
    imported(project, jsonl(tmp_path / "f.jsonl", *many(2)))
    first, second = Item.objects.filter(project=project).order_by("pk")
    submitted(me, first, "0-")
    submitted(me, second, "?+")
    written, outcome = out(project, f"reviewer:{me.user}", "prmbench_results")
    assert json.loads(written) == {"idx": "counterfactual_own_0", "scores": {VALID: [True, False]}}
    assert outcome.n_left_out == 1


def test_an_original_is_the_correct_item_of_its_base(tmp_path: Path) -> None:
    project = factories.project()
    imported(project, jsonl(tmp_path / "f.jsonl", record()))
    original = Solution.objects.get(project=project, foreign_format="")
    assert original.foreign_id == "original_counterfactual_own_1"
    factories.machine_labels(original, Rater.objects.create(kind="prm", name="one"), "+-")
    (found,) = lines(project, "prm:one", "prmbench_results")
    assert found == {"idx": "correct_own_1", "scores": {VALID: [True, False]}}


def test_the_released_labels_are_results_like_others() -> None:
    project = factories.project()
    imported(project, PRMBENCH)
    found = lines(project, "injector:prmbench", "prmbench_results")
    assert len(found) == Item.objects.filter(project=project).count()
    assert all(set(row) == {"idx", "scores"} for row in found)


def test_what_could_not_be_read_is_a_result_and_nothing_else(prmbench: Project, tmp_path: Path) -> None:
    judged(prmbench, jsonl(tmp_path / "results.jsonl", RESULTS[-1]), "prmbench_results")
    for format in ("trl", "prm800k", "prmbench", "processbench"):
        outcome = out(prmbench, "prm:one", format)[1]
        assert list(outcome.left_out) == ["the reply could not be read"]


# ---- ProcessBench's result rows


def predicted(number: int, prediction: int | None, **more: Any) -> dict[str, Any]:
    row = json.loads(PROCESSBENCH.read_text())[number]
    critique = {"generated_critique": more.pop("critique", None)}
    return {**row, **critique, "prediction": prediction, "match": prediction == row["label"], **more}


def test_processbench_results_come_back(tmp_path: Path) -> None:
    project = factories.project()
    imported(project, PROCESSBENCH, format="processbench")
    ids = [row["id"] for row in json.loads(PROCESSBENCH.read_text())]
    rows = [predicted(at, -1, critique="All right.") for at, name in enumerate(ids) if ids.count(name) == 1]
    rows[0] = predicted(0, 0, critique=["a", "b"])
    rows[1] = predicted(1, None, critique="I cannot.")
    judged(project, jsonl(tmp_path / "results.jsonl", *rows), "processbench_results", "judge:one")
    assert lines(project, "judge:one", "processbench_results") == rows


def test_the_truth_is_what_came_or_what_people_settled_on(tmp_path: Path) -> None:
    project = factories.project(overlap=1)
    me = factories.member(project)
    imported(project, PROCESSBENCH, format="processbench")
    item = factories.plain_item(project, protocol="label_steps")
    rater = Rater.objects.create(kind="prm", name="one")
    factories.machine_labels(item.solution, rater, "+" * item.solution.n_steps)
    assert out(project, "prm:one", "processbench_results")[1].n_left_out == 1
    n = item.solution.n_steps
    submitted(me, item, "-" + "." * (n - 1), finish_reason="found_error", error_types={"0": ["circular"]})
    (found,) = lines(project, "prm:one", "processbench_results")
    assert (found["label"], found["prediction"], found["match"]) == (0, -1, False)
    released = lines(project, "source:processbench", "processbench_results")
    assert released
    assert all(row["match"] for row in released)


def test_an_unknown_first_error_is_no_prediction() -> None:
    project = factories.project()
    imported(project, PROCESSBENCH, format="processbench")
    first = Item.objects.filter(project=project).earliest("pk").solution
    rater = Rater.objects.create(kind="critic", name="one")
    factories.machine_labels(first, rater, "?" + "-" * (first.n_steps - 1))
    outcome = out(project, "critic:one", "processbench_results")[1]
    (why,) = outcome.left_out
    assert "unsure or not judged" in why


# ---- best of N


def test_best_of_n_sets_come_back() -> None:
    project, _ = crowd(0)
    path = DATA / "best_of_n.jsonl"
    imported(project, path, format="best_of_n")
    written, outcome = out(project, "solutions", "best_of_n")
    assert written == path.read_bytes()
    assert outcome.n == project.solutions.count()


def test_sets_stay_apart_and_in_order_over_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = crowd(0)
    sets = [
        {"id": f"s{n}", "question": "Same?", "responses": ["a\n\nb", "c\n\n\nd", ""], "answer": "a",
         "labels": ["correct", "incorrect", None]}
        for n in range(4)
    ]  # fmt: skip
    path = jsonl(tmp_path / "sets.jsonl", *sets)
    imported(project, path, format="best_of_n")
    monkeypatch.setattr("annotator.actions.export_rows.CHUNK", 2)
    assert out(project, "solutions", "best_of_n")[0] == path.read_bytes()


def test_part_of_a_set_goes_out_as_a_smaller_one() -> None:
    project, _ = crowd(0)
    imported(project, DATA / "best_of_n.jsonl", format="best_of_n")
    rater = Rater.objects.create(kind="prm", name="one")
    other = Rater.objects.create(kind="prm", name="two")
    for solution in Solution.objects.filter(foreign_id__in=["own_2/1", "own_2/0", "own_1/2"]):
        for one in (rater, other):
            factories.machine_labels(solution, one, "+" * solution.n_steps)
    Annotation.objects.filter(solution__foreign_id="own_2/0").delete()
    first, second = lines(project, "all", "best_of_n")
    assert (first["id"], first["responses"], first["labels"]) == ("own_1", ["It is \\boxed{7}."], ["correct"])
    assert (second["id"], second["responses"], second["answer"]) == ("own_2", ["\\boxed{12}"], "12")


def test_solutions_of_one_problem_are_a_set() -> None:
    project, _ = crowd(0)
    imported(project, PROCESSBENCH, format="processbench")
    found = lines(project, "solutions", "best_of_n")
    assert sum(len(one["responses"]) for one in found) == project.solutions.count()
    assert len(found) < project.solutions.count() or len(found) == project.problems.count()


# ---- PRM800K's alternatives, as a reviewer has rated them


def rate(me: Membership, main: Item, name: str, label: str) -> None:
    """What the review of the main solution leaves on a sibling."""
    sibling = Solution.objects.get(foreign_id=f"{main.solution.foreign_id}.{name}")
    labels = "." * (sibling.n_steps - 1) + label
    made = factories.machine_labels(sibling, me.rater, labels)
    assignment = Assignment.objects.get(item=main, rater=me.rater)
    Annotation.objects.filter(pk=made.pk).update(phase=Phase.BLIND, assignment=assignment)


def test_rated_alternatives_go_back_into_the_record(tmp_path: Path) -> None:
    project, (me, other) = crowd(2, overlap=2)
    steps = [tried(1, "One.", "Other."), tried(-1, "Two.", "Three.", "Four.")]
    imported(project, jsonl(tmp_path / "f.jsonl", walk(*steps), walk(tried(1, "X."))), format="prm800k")
    item = Item.objects.filter(project=project).earliest("pk")
    submitted(me, item, "0-", error_types={"1": ["circular"]})
    submitted(other, item, "++")
    rate(me, item, "0.1", "-")
    rate(me, item, "1.1", "+")
    rate(other, item, "1.2", "?")
    found = lines(project, f"reviewer:{me.user}", "prm800k")
    assert [ratings(one) for one in found] == [[[0, -1], [-1, 1, None]]]
    everybody = lines(project, "all", "prm800k")
    assert len(everybody) == 4
    by_labeler = {one["labeler"]: one for one in everybody[:3]}
    assert {name: ratings(one) for name, one in by_labeler.items()} == {
        "lab": [[1, 1], [-1, -1, -1]],
        f"reviewer:{me.user}": [[0, -1], [-1, 1, None]],
        f"reviewer:{other.user}": [[1, None], [1, None, None]],
    }
    last_step = by_labeler[f"reviewer:{other.user}"]["label"]["steps"][1]
    assert last_step["completions"][2]["flagged"] is True


def ratings(one: dict[str, Any]) -> list[list[int | None]]:
    return [[each["rating"] for each in step["completions"]] for step in one["label"]["steps"]]
