"""`manage.py benchmark` on files: what it prints, and what it refuses."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.annotator.foreign import jsonl, record


def _run(*args: str) -> dict[str, Any]:
    out = StringIO()
    call_command("benchmark", *args, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def _row(idx: str, labels: list[bool], **more: Any) -> dict[str, Any]:
    return {"idx": idx, "scores": {"step_level_validity_labels": labels}, **more}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two records of one problem, of three steps each."""
    steps = ["One.", "So two.", "Three."]
    made = {"original_process": steps, "modified_process": ["One.", "So 3.", "Three."], "idx": "p_1"}
    first = record(**made, modified_steps=[2], error_steps=[2], classification="redundency")
    second = record(**made, modified_steps=[3], error_steps=[3], classification="confidence")
    return jsonl(tmp_path / "data.jsonl", first, second)


def _perfect() -> list[dict[str, Any]]:
    return [
        _row("redundency_p_1", [True, False, True]), _row("confidence_p_1", [True, True, False]),
        _row("correct_p_1", [True, True, True]),
    ]  # fmt: skip


@pytest.mark.parametrize("wrap", [False, True])
@pytest.mark.parametrize("shuffled", [False, True])
def test_perfect_rows_score_100_bare_and_wrapped_in_any_order(
    data: Path, tmp_path: Path, wrap: bool, shuffled: bool
) -> None:
    rows = _perfect()[:: -1 if shuffled else 1]
    if wrap:
        rows = [{"task_name": "t", "model_name": "m", "results": row} for row in rows]
    found = _run("prmbench", "--data", str(data), "--predictions", str(jsonl(tmp_path / "r.jsonl", *rows)))
    assert found["overall"]["prm_score"] == 100
    assert found["kinds"]["redundancy"]["prm_score"] == 100
    assert found["correct"]["n_items"] == 1
    assert found["n_absent"] == 0
    assert found["baselines"]["base rate"]["overall"] == pytest.approx(50)


def test_repeated_unknown_short_and_long_rows_are_counted(data: Path, tmp_path: Path) -> None:
    rows = [
        _row("redundency_p_1", [True]), _row("redundency_p_1", [False] * 3), _row("confidence_p_1", [True] * 9),
        _row("nobody", [True]),
    ]  # fmt: skip
    path = jsonl(tmp_path / "r.jsonl", *rows)
    found = _run("prmbench", "--data", str(data), "--predictions", str(path), "--reading", "strict")
    assert (found["n_repeated_results"], found["n_unknown"], found["n_absent"]) == (1, 1, 1)
    assert (found["n_short"], found["n_long"]) == (1, 1)
    # The first row counts: one step right, two missing. The long one: two right, one missed, six surplus.
    assert found["overall"]["accuracy"] == pytest.approx(100 * 3 / 12)


def test_ids_of_the_copy_on_hugging_face_are_known_again(data: Path, tmp_path: Path) -> None:
    rows = [
        _row("confidence_confidence_p_1", [True, True, False]),
        _row("correct_redundency_p_1", [True] * 3),
    ]
    found = _run("prmbench", "--data", str(data), "--predictions", str(jsonl(tmp_path / "r.jsonl", *rows)))
    assert found["n_unknown"] == 0
    assert found["kinds"]["confidence"]["prm_score"] == 100


def test_scores_alone_are_cut_at_the_stated_threshold(data: Path, tmp_path: Path) -> None:
    row = {"idx": "confidence_p_1", "scores": {"step_level_validity_scores": [0.4, 0.4, 0.1]}}
    path = jsonl(tmp_path / "r.jsonl", row)
    args = ("prmbench", "--data", str(data), "--predictions", str(path), "--threshold")
    assert _run(*args, "0.3")["kinds"]["confidence"]["prm_score"] == 100
    assert _run(*args, "0.5")["kinds"]["confidence"]["f1"] == 0


def test_a_record_that_cannot_be_used_is_named(data: Path, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "r.jsonl", _perfect()[0], {"idx": 5})
    with pytest.raises(CommandError, match=r"r\.jsonl, line 2"):
        _run("prmbench", "--data", str(data), "--predictions", str(path))
    with pytest.raises(CommandError, match="no such file"):
        _run("prmbench", "--data", str(tmp_path / "none"), "--predictions", str(path))


def test_processbench(tmp_path: Path) -> None:
    cases = [
        {"id": f"gsm8k-{n}", "generator": "g", "problem": f"P{n}", "steps": ["a", "b"],
         "final_answer_correct": True, "label": label}
        for n, label in enumerate([1, -1, 0])
    ]  # fmt: skip
    data = tmp_path / "gsm8k.json"
    data.write_text(json.dumps(cases))
    said = [1, -1, None]
    rows = [
        case | {"generated_critique": "", "prediction": p, "match": False}
        for case, p in zip(cases, said, strict=True)
    ]
    found = _run(
        "processbench", "--data", str(data), "--predictions", str(jsonl(tmp_path / "r.jsonl", *rows))
    )
    assert (found["error_accuracy"], found["correct_accuracy"]) == (50, 100)
    assert found["subsets"]["gsm8k"]["f1"] == pytest.approx(200 / 3)
    assert found["wrong_process"]["accuracy"] == 50


def test_best_of_n(tmp_path: Path) -> None:
    responses = ["a\n\n\\boxed{1}", "b\n\n\\boxed{2}"]
    sets = {
        "id": "math-1",
        "question": "Q",
        "responses": responses,
        "answer": "2",
        "labels": ["incorrect", "correct"],
    }
    rows = [
        {"idx": f"math-1/{n}", "scores": {"step_level_validity_scores": scores}}
        for n, scores in enumerate([[0.5, 0.5], [0.9, 0.6]])
    ]
    found = _run(
        "best_of_n", "--data", str(jsonl(tmp_path / "d.jsonl", sets)),
        "--predictions", str(jsonl(tmp_path / "r.jsonl", *rows)),
    )  # fmt: skip
    assert found["prm@n"]["product"] == 100
    assert found["maj@n"] == 0
    assert found["pass@n"] == 100


def test_best_of_n_takes_the_first_of_repeated_rows_and_refuses_bad_ones(tmp_path: Path) -> None:
    sets = {
        "id": "m-1",
        "question": "Q",
        "responses": ["a", "b"],
        "answer": "2",
        "labels": ["incorrect", "correct"],
    }
    data = jsonl(tmp_path / "d.jsonl", sets)
    rows = [
        {"idx": f"m-1/{n}", "scores": {"step_level_validity_scores": [score]}}
        for n, score in ((0, 0.2), (1, 0.7), (0, 0.95))
    ]
    found = _run("best_of_n", "--data", str(data), "--predictions", str(jsonl(tmp_path / "r.jsonl", *rows)))
    assert found["prm@n"]["min"] == 100
    assert found["n_repeated_results"] == 1
    bad = jsonl(tmp_path / "bad.jsonl", rows[0], {"idx": 5})
    with pytest.raises(CommandError, match=r"bad\.jsonl, line 2"):
        _run("best_of_n", "--data", str(data), "--predictions", str(bad))


def test_redundancy_has_a_threshold_of_its_own(data: Path, tmp_path: Path) -> None:
    scores = {"step_level_validity_scores": [0.9] * 3, "step_level_redundancy_scores": [0.1, 0.2, 0.1]}
    path = jsonl(tmp_path / "r.jsonl", {"idx": "redundency_p_1", "scores": scores})
    args = ("prmbench", "--data", str(data), "--predictions", str(path), "--redundancy-threshold")
    assert _run(*args, "0.15")["kinds"]["redundancy"]["prm_score"] == 100
    assert _run(*args, "0.5")["kinds"]["redundancy"]["negative_f1"] == 0
