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


@pytest.mark.parametrize(
    ("named", "share"), [({"greedy": 1}, 100), ({"greedy": 0}, 0), ({"greedy": 7}, None), ({}, None)]
)
def test_what_was_decoded_greedily_only_the_set_says(
    tmp_path: Path, named: dict[str, int], share: float | None
) -> None:
    sets = {
        "id": "math-1",
        "question": "Q",
        "responses": ["a", "b"],
        "answer": "2",
        "labels": [False, True],
    } | named
    rows = {"idx": "math-1/0", "scores": {"step_level_validity_scores": [0.5]}}
    found = _run(
        "best_of_n", "--data", str(jsonl(tmp_path / "d.jsonl", sets)),
        "--predictions", str(jsonl(tmp_path / "r.jsonl", rows)),
    )  # fmt: skip
    assert found["greedy"] == share


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


def test_a_truncated_file_is_refused_in_the_middle_of_a_row_and_counted_between_rows(
    data: Path, tmp_path: Path
) -> None:
    rows = [json.dumps(row) for row in _perfect()]
    whole = jsonl(tmp_path / "whole.jsonl", *rows[:2])
    found = _run("prmbench", "--data", str(data), "--predictions", str(whole))
    assert (found["n_absent"], found["correct"]["n_items"]) == (1, 0)
    cut = jsonl(tmp_path / "cut.jsonl", *rows[:2], rows[2][:-9])
    with pytest.raises(CommandError, match=r"cut\.jsonl, line 3"):
        _run("prmbench", "--data", str(data), "--predictions", str(cut))


def test_redundancy_has_a_threshold_of_its_own(data: Path, tmp_path: Path) -> None:
    scores = {"step_level_validity_scores": [0.9] * 3, "step_level_redundancy_scores": [0.1, 0.2, 0.1]}
    path = jsonl(tmp_path / "r.jsonl", {"idx": "redundency_p_1", "scores": scores})
    args = ("prmbench", "--data", str(data), "--predictions", str(path), "--redundancy-threshold")
    assert _run(*args, "0.15")["kinds"]["redundancy"]["prm_score"] == 100
    assert _run(*args, "0.5")["kinds"]["redundancy"]["negative_f1"] == 0


def test_another_result_file_is_compared_on_what_both_label(data: Path, tmp_path: Path) -> None:
    one = jsonl(tmp_path / "a.jsonl", *_perfect())
    other = jsonl(tmp_path / "b.jsonl", *[_row(row["idx"], [True] * 3) for row in _perfect()[:2]])
    found = _run("prmbench", "--data", str(data), "--predictions", str(one), "--against", str(other))[
        "against"
    ]
    assert found["n_items"] == 2
    assert found["overall"]["a"] == 100
    assert found["overall"]["difference"] == pytest.approx(100 - 100 * (2 * 4 / 10) / 2)
    assert (found["overall"]["interval"], found["overall"]["n"]) == (None, 1)  # one problem: nothing to draw
    assert set(found["parts"]) == {"redundancy", "confidence"}


def test_shots_stand_beside_the_first(data: Path, tmp_path: Path) -> None:
    bare = jsonl(tmp_path / "0.jsonl", *[_row(row["idx"], [True] * 3) for row in _perfect()])
    found = _run(
        "prmbench", "--data", str(data), "--shots", f"0={bare}", f"2={jsonl(tmp_path / '2', *_perfect())}"
    )
    assert found["first"] == "0"
    assert [found["shots"][name]["prm_score"] for name in ("0", "2")] == [pytest.approx(40), 100]
    assert found["differences"]["2"]["overall"]["difference"] == pytest.approx(60)
    with pytest.raises(CommandError, match="NAME=PATH"):
        _run("prmbench", "--data", str(data), "--shots", "2")


def test_a_threshold_is_chosen_on_one_half(tmp_path: Path) -> None:
    """The wrong step scores 0.3, so that the usual 0.5 calls a right one wrong too."""
    records = [
        record(
            idx=f"p_{n}", original_question=f"{n}?", modified_question=f"{n}?", classification="confidence"
        )
        for n in range(12)
    ]
    scores = {"step_level_validity_scores": [0.4, 0.3]}
    rows = [{"idx": f"confidence_p_{n}", "scores": scores} for n in range(12)]
    args = ("prmbench", "--data", str(jsonl(tmp_path / "d.jsonl", *records)), "--sweep")
    found = _run(*args, "--predictions", str(jsonl(tmp_path / "r.jsonl", *rows)))
    assert found["overall"]["f1"] == 0
    assert found["sweep"]["threshold"] == 0.3
    assert found["sweep"]["reported"]["score"] == 100
    assert found["sweep"]["chosen"]["n_groups"] + found["sweep"]["reported"]["n_groups"] == 12
    assert found["profile"]["auc"] == 1
    labels = jsonl(tmp_path / "l.jsonl", *[_row(row["idx"], [True, True]) for row in rows])
    with pytest.raises(CommandError, match="No threshold can be chosen"):
        _run(*args, "--predictions", str(labels))


def _cases(n: int = 6) -> list[dict[str, Any]]:
    return [
        {"id": f"gsm8k-{k}", "generator": "g", "problem": f"P{k}", "steps": ["a", "b"],
         "final_answer_correct": True, "label": (1, -1, 0)[k % 3]}
        for k in range(n)
    ]  # fmt: skip


def test_a_prm_s_rows_are_read_on_processbench_too(tmp_path: Path) -> None:
    data = tmp_path / "gsm8k.json"
    data.write_text(json.dumps(_cases()))
    scores = {1: [0.9, 0.45], -1: [0.9, 0.6], 0: [0.2, 0.9]}
    rows = [
        {"idx": case["id"], "scores": {"step_level_validity_scores": scores[case["label"]]}}
        for case in _cases()
    ]
    wrapped = [{"task_name": "t", "model_name": "m", "results": row} for row in rows]
    args = ("processbench", "--data", str(data), "--predictions")
    found = _run(*args, str(jsonl(tmp_path / "r.jsonl", *wrapped)), "--sweep")
    assert (found["f1"], found["n_absent"], found["profile"]["auc"]) == (100, 0, 1)
    assert (found["sweep"]["threshold"], found["sweep"]["tuned_on"]) == (0.45, "gsm8k")
    assert found["profile"]["inflation"] == {
        "n_right": 6, "wrong_process": pytest.approx(200 / 3), "n_selected": 0, "selected": None,
        "n_wrong_process": 4, "detected": 100,
    }  # fmt: skip
    assert _run(*args, str(tmp_path / "r.jsonl"), "--threshold", "0.3")["error_accuracy"] == 50
    half = jsonl(tmp_path / "half.jsonl", *rows[:3])
    compared = _run(*args, str(tmp_path / "r.jsonl"), "--against", str(half))["against"]
    assert (compared["n_items"], compared["overall"]["difference"]) == (3, 0)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "--data and --predictions"),
        (("--data", "x"), "--predictions, or --shots"),
        (("--data", "x", "--predictions", "y", "--labels", "gold"), "of a project"),
        (("--project", "p", "--rater", "prm:a", "--data", "x"), "--data is for files"),
        (("--project", "p"), "--rater"),
        (("--project", "p", "--rater", "prm:a", "--labels", "both", "--sweep"), "one side"),
        (("--data", "x", "--predictions", "y", "--draws", "-1"), "--draws"),
    ],
)
def test_what_does_not_go_together_is_refused(args: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        _run("prmbench", *args)


PRMBENCH = Path(__file__).resolve().parent.parent / "data" / "prmbench.jsonl"


def _made_of(kind: str) -> list[dict[str, Any]]:
    """Trivial rows for the small file: every kind once or more, with steps claimed out of range and an id twice."""
    rows: dict[str, dict[str, Any]] = {}
    for line in PRMBENCH.read_text().strip().split("\n"):
        one = json.loads(line)
        base = one["idx"].removeprefix(f"{one['classification']}_")
        names = [(f"{one['classification']}_{base}", one["modified_process"], one["error_steps"])]
        if one["classification"] == "redundency":
            names.append((f"correct_{base}", one["original_process"], []))
        for name, steps, wrong in names:
            n = len(steps)
            labels = {
                "all valid": [True] * n, "all invalid": [False] * n, "last step": [True] * (n - 1) + [False],
                "perfect": [at + 1 not in wrong for at in range(n)],
            }[kind]  # fmt: skip
            rows.setdefault(name, _row(name, labels))
    return list(rows.values())


# By hand: ten items (an id comes twice) of 33 steps, of which 11 are wrong in range; 5 of the ten last steps are. As
# pooled counts (tp, fp, tn, fn), and PRMScore from these.
TRIVIAL = {
    "all valid": ((22, 11, 0, 0), 100 * (44 / 55 + 0) / 2),
    "all invalid": ((0, 0, 11, 22), 100 * (0 + 22 / 44) / 2),
    "last step": ((17, 6, 5, 5), 100 * (34 / 45 + 10 / 21) / 2),
    "perfect": ((22, 0, 11, 0), 100),
}


@pytest.mark.parametrize("kind", TRIVIAL)
def test_trivial_predictors_on_the_small_file(kind: str, tmp_path: Path) -> None:
    (tp, fp, tn, fn), score = TRIVIAL[kind]
    path = jsonl(tmp_path / "r.jsonl", *_made_of(kind))
    found = _run("prmbench", "--data", str(PRMBENCH), "--predictions", str(path), "--draws", "0")
    overall = found["overall"]
    assert (overall["n_items"], overall["n_steps"], overall["n_wrong"]) == (10, tp + fp + tn + fn, fp + tn)
    assert overall["accuracy"] == pytest.approx(100 * (tp + tn) / 33)
    assert overall["prm_score"] == pytest.approx(score)
    assert found["n_repeated_items"] == 1
    if kind in found["baselines"]:
        assert found["baselines"][kind]["overall"] == pytest.approx(score)
