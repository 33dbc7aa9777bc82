"""`manage.py score`: a project gets a rater, a benchmark's file gets result rows; refusals say what to do."""

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_httpserver import HTTPServer

from annotator.formats import prmbench, processbench
from annotator.models import Annotation, Project, Rater, Run, RunState
from annotator.policies import Operator
from scoring import actions, files, scorers, work
from scoring.prm import catalogue, engine
from tests import factories as make
from tests.scoring.installing import QWEN, REASON
from tests.scoring.prm import naive, pooling, tiny

pytestmark = pytest.mark.django_db
STEPS = ["We add 1 and 1.", "That is 3.", "So it is 3."]


def score(*args: str, **options: Any) -> str:
    out = StringIO()
    call_command("score", *args, stdout=out, verbosity=0, **options)
    return out.getvalue()


@pytest.fixture
def project(models_dir: Path) -> Project:
    made: Project = make.project()
    for n in range(3):
        make.solution(made, f"What is {n} + 1?", STEPS)
    return made


@pytest.fixture
def prm_file(models_dir: Path, tmp_path: Path) -> Path:
    """Three records of PRMBench, one of them of redundancy, whose original is scored too; and one met twice."""
    lines = [
        {
            "original_question": "1 + 1?", "modified_question": f"{n}: 1 + 1?", "original_process": STEPS[:2],
            "modified_process": STEPS, "modified_steps": [2], "error_steps": [2, 3], "reason": "",
            "idx": f"{kind}_{n}", "question": "1 + 1?", "classification": kind,
        }
        for n, kind in enumerate(["circular", "deception", "redundency"])
    ]  # fmt: skip
    path = tmp_path / "prm.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, lines[0]]))
    return path


@pytest.fixture
def process_file(models_dir: Path, tmp_path: Path) -> Path:
    rows = [
        {
            "id": f"gsm8k-{n}", "generator": "g", "problem": "1 + 1?", "steps": STEPS[: n + 1],
            "final_answer_correct": n == 0, "label": label,
        }
        for n, label in enumerate([-1, 1, 1])
    ]  # fmt: skip
    path = tmp_path / "gsm8k.json"
    path.write_text(json.dumps(rows))
    return path


def rows_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_project_gets_scores_as_one_solution_at_a_time_would(project: Project, models_dir: Path) -> None:
    said = score(project.slug, model=QWEN)
    assert "3 solutions scored" in said
    assert "Labels of validity are at 0.5" in said
    for row in Annotation.objects.select_related("solution__problem"):
        alone = naive.scores(QWEN, "", models_dir / QWEN, row.solution.problem.text, row.solution.steps)
        assert row.scores == pytest.approx(alone["validity"], abs=1e-5)


def test_reason_eval_has_a_second_axis(project: Project) -> None:
    said = score(project.slug, model=REASON)
    assert "Labels of redundancy are at" in said
    for row in Annotation.objects.all():
        assert row.redundancy_scores is not None
        assert len(row.redundancy_scores) == len(row.redundancy_labels) == row.n_steps


def test_given_again_it_goes_on_and_computes_nothing_twice(project: Project) -> None:
    run = actions.start_or_go_on(
        by=Operator(),
        project=project,
        model=QWEN,
        variant="",
        like="",
        how=actions.USUAL,
        name="",
        limit=None,
    )
    work._plan(run, "dead", float("inf"))
    work.runs.let_go(run.drives, "dead")
    assert f"Run {run.pk}: 3 solutions scored" in score(project.slug, model=QWEN)
    assert "0 solutions scored" in score(project.slug, model=QWEN)
    assert Annotation.objects.count() == 3
    assert Rater.objects.filter(kind="prm").count() == 1


def test_limit_variant_and_name(project: Project) -> None:
    score(project.slug, model=QWEN, variant="prmbench", limit=2, name="mine")
    rater = Rater.objects.get(kind="prm")
    assert (rater.name, rater.spec["variant"], Annotation.objects.count()) == ("mine", "prmbench", 2)


def test_a_failed_batch_is_a_failure_of_the_command(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = scorers.scorer_of

    def refusing(params: dict[str, Any]) -> scorers.Scorer:
        def refuse(texts: Any) -> Any:
            raise work.errors.Invalid("no room for it")

        return real(params)._replace(score=refuse)

    monkeypatch.setattr(scorers, "scorer_of", refusing)
    with pytest.raises(CommandError, match=r"1 of 1 batches failed. The first: no room for it"):
        score(project.slug, model=QWEN)
    assert Run.objects.get().state == RunState.COMPLETE


@pytest.mark.parametrize("what", ["project", "file"])
def test_no_memory_for_the_model_is_one_sentence(
    project: Project, process_file: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def no_memory(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(engine, "load", no_memory)
    with pytest.raises(CommandError, match=f"{QWEN} cannot be loaded: MemoryError: no more is known"):
        score(project.slug if what == "project" else str(process_file), model=QWEN)


def test_prmbench_rows_that_the_benchmark_reads(prm_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    assert score(str(prm_file), model=REASON, output=str(out)) == ""
    rows = {row["idx"]: row for row in rows_of(out.read_text())}
    assert set(rows) == {"circular_0", "deception_1", "redundency_2", "correct_2"}
    assert all(len(row["scores"]["step_level_validity_scores"]) >= 2 for row in rows.values())
    assert rows["circular_0"]["scores"]["step_level_redundancy_labels"]
    found = benchmark("prmbench", prm_file, out)
    assert found["overall"]["prm_score"] is not None
    assert {"circular", "deception", "redundancy"} <= set(found["kinds"])


def benchmark(name: str, data: Path, rows: Path) -> Any:
    told = StringIO()
    call_command(
        "benchmark", name, data=[str(data)], predictions=[str(rows)], draws=0, json=True, stdout=told
    )
    return json.loads(told.getvalue())


def test_processbench_rows_with_the_first_step_that_is_not_right(process_file: Path) -> None:
    rows = rows_of(score(str(process_file), model=QWEN, threshold=0.999999))
    assert {row["id"]: row["prediction"] for row in rows} == {"gsm8k-0": 0, "gsm8k-1": 0, "gsm8k-2": 0}
    assert {row["label"] for row in rows} == {-1, 1}
    out = process_file.with_name("rows.jsonl")
    out.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert benchmark("processbench", process_file, out)["subsets"]["gsm8k"]["error_accuracy"] == 0
    low = rows_of(score(str(process_file), model=QWEN, threshold=0.0, limit=1))
    assert [(row["id"], row["prediction"], row["match"]) for row in low] == [("gsm8k-0", -1, True)]


def test_a_cut_tail_is_not_called_right(process_file: Path) -> None:
    """Nothing is known of what the model never read: the first error may lie there."""
    rows = json.loads(process_file.read_text())[:2]
    rows[1]["steps"] = [STEPS[0], "1 + 1 = 2, " * 400]
    process_file.write_text(json.dumps(rows))
    found = rows_of(score(str(process_file), model=QWEN, variant="prmbench", threshold=0.0))
    assert {row["id"]: (row["prediction"], row["match"]) for row in found} == {
        "gsm8k-0": (-1, True), "gsm8k-1": (None, False),
    }  # fmt: skip
    wrong = rows_of(score(str(process_file), model=QWEN, variant="prmbench", threshold=1.0))
    assert {row["prediction"] for row in wrong} == {0}


def test_a_server_scores_projects_and_files_without_weights_here(
    project: Project,
    process_file: Path,
    models_dir: Path,
    tmp_path: Path,
    settings: Any,
    httpserver: HTTPServer,
) -> None:
    """Only the tokenizer and config.json lie here; scores are those of the weights, which the server has."""
    model = engine.load(catalogue.entry(QWEN).variant(), models_dir / QWEN, "cpu")
    pooling.serve(httpserver, model, named="Qwen/Qwen2.5-Math-PRM-7B")
    settings.MODELS_DIR = tmp_path / "models"
    folder = shutil.copytree(models_dir / QWEN, settings.MODELS_DIR / QWEN)
    (folder / "model.safetensors").unlink()
    url = httpserver.url_for("/v1")
    assert "3 solutions scored" in score(project.slug, model=QWEN, server=url)
    for row in Annotation.objects.select_related("solution__problem"):
        alone = naive.scores(QWEN, "", models_dir / QWEN, row.solution.problem.text, row.solution.steps)
        assert row.scores == pytest.approx(alone["validity"], abs=1e-5)
    assert len(rows_of(score(str(process_file), model=QWEN, server=url))) == 3
    with pytest.raises(CommandError, match=r"The run is paused\. .*says no such model.*then go on"):
        score(project.slug, model=QWEN, server=url, served_as="other", name="again")


def test_a_folder_by_its_path_and_what_it_is_like(process_file: Path, tmp_path: Path) -> None:
    folder = tiny.make("pure-prm-7b", tmp_path / "my own")
    with pytest.raises(CommandError, match="say which model it is like"):
        score(str(process_file), model=str(folder))
    assert len(rows_of(score(str(process_file), model=str(folder), like="pure-prm-7b"))) == 3


def test_a_file_that_cannot_be_used_leaves_nothing_behind(process_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    out.write_text("before")
    data = json.loads(process_file.read_text())
    process_file.write_text(json.dumps([*data, {"id": 5}]))
    with pytest.raises(CommandError, match=r"gsm8k\.json"):
        score(str(process_file), model=QWEN, output=str(out))
    assert out.read_text() == "before"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("what", "options", "said"),
    [
        ("nowhere", {"model": QWEN}, "There is no project nowhere"),
        ("nowhere.jsonl", {"model": QWEN}, "there is no such file"),
        ("PROJECT", {}, "manage.py catalogue"),
        ("PROJECT", {"model": "gpt"}, "No model gpt in the catalogue"),
        ("PROJECT", {"model": "skywork-1.5b"}, "Put Skywork/.* into .*skywork-1.5b of MODELS_DIR"),
        ("PROJECT", {"model": QWEN, "variant": "best"}, "variant"),
        ("PROJECT", {"model": QWEN, "device": "tpu"}, "device: Choose auto, cpu, cuda"),
        ("PROJECT", {"model": QWEN, "threshold": 0.3}, "--threshold: for files only"),
        ("PROJECT", {"model": QWEN, "server": "localhost"}, "server: .*http://"),
        ("FILE", {"model": QWEN, "name": "x"}, "--name: for projects only"),
        ("FILE", {"model": QWEN, "output": "/nowhere/x"}, "No such file or directory"),
    ],
)
def test_refusals_say_what_to_do(
    project: Project, process_file: Path, what: str, options: dict[str, Any], said: str
) -> None:
    name = {"PROJECT": project.slug, "FILE": str(process_file)}.get(what, what)
    with pytest.raises(CommandError, match=said):
        score(name, **options)
    assert not Run.objects.exists()


def test_readers_of_files_are_those_of_imports() -> None:
    assert {"prmbench": prmbench.read, "processbench": processbench.read} == files.READERS
