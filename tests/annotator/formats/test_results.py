"""Result rows of PRMBench's toolkit and of ProcessBench's script: read, written, and their traps."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core import labels as core
from annotator.formats import processbench, results
from annotator.formats.records import (
    AnnotationRecord,
    ExportRecord,
    FormatError,
    ImportRecord,
    Place,
    as_export,
)

VALID, SCORES = "step_level_validity_labels", "step_level_validity_scores"
REDUNDANT, REDUNDANT_SCORES = "step_level_redundancy_labels", "step_level_redundancy_scores"


def read_text(text: str) -> list[AnnotationRecord | FormatError]:
    return list(results.read_prmbench(io.BytesIO(text.encode()), "f.jsonl"))


def read_one(**row: Any) -> AnnotationRecord:
    (found,) = read_text(json.dumps(row))
    assert isinstance(found, AnnotationRecord), found
    return found


def rewritten(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    (line,) = results.write_prmbench([read_one(**row)], **more)
    assert line.endswith("}\n")
    found: dict[str, Any] = json.loads(line)
    return found


# ---- PRMBench


def test_a_row() -> None:
    found = read_one(idx="circular_own_1", scores={VALID: [True, False], SCORES: [0.75, 0.125]})
    assert found == AnnotationRecord(Place("f.jsonl", 1), "circular_own_1", labels="+-", scores=(0.75, 0.125))
    assert found.redundancy_labels is None


def test_redundancy_is_a_second_axis() -> None:
    found = read_one(
        idx="redundency_own_1",
        scores={VALID: [True, True], REDUNDANT: [False, True], REDUNDANT_SCORES: [0, 0.5], SCORES: [1, 1]},
    )
    assert (found.labels, found.redundancy_labels) == ("++", "+-")
    assert found.redundancy_scores == (0.0, 0.5)


def test_the_wrapping_names_the_model() -> None:
    row = {"idx": "correct_own_1", "scores": {VALID: [True]}}
    found = read_one(task_name="prmtest_classified", model_name="some-prm", results=row)
    assert (found.foreign_id, found.annotator, found.labels) == ("correct_own_1", "some-prm", "+")
    (line,) = results.write_prmbench([found], "some-prm")
    assert json.loads(line) == {"task_name": "prmtest_classified", "model_name": "some-prm", "results": row}
    (line,) = results.write_prmbench([found])
    assert json.loads(line) == row


def test_an_unread_reply_has_no_labels() -> None:
    found = read_one(idx="circular_own_1", validity=False, original_response="I cannot.")
    assert (found.is_parsed, found.labels, found.scores) == (False, None, None)
    assert rewritten({"idx": "a", "validity": False, "original_response": "No."}) == {
        "idx": "a", "scores": {}, "validity": False, "original_response": "No."
    }  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "read"), [([True, False], "+-"), ([1, 0], "+-"), ([1.0, 0.7, 2], "+--"), ([], "")]
)
def test_only_one_is_valid(labels: list[Any], read: str) -> None:
    assert read_one(idx="a", scores={VALID: labels}).labels == read


def test_scores_alone() -> None:
    found = read_one(idx="a", scores={SCORES: [-3, 0.5]})
    assert (found.labels, found.scores) == (None, (-3.0, 0.5))


@pytest.mark.parametrize(
    "row",
    [
        {"idx": "a", "scores": {VALID: [True, False], SCORES: [0.75, 0.25]}},
        {"idx": "a", "scores": {VALID: [True], "solution_level_validity_labels": True}, "validity": True},
        {
            "idx": "a",
            "scores": {VALID: [True], REDUNDANT: [True], REDUNDANT_SCORES: [0.5]},
            "more": {"a": [1]},
        },
        {"idx": "a", "scores": {VALID: [True, False], REDUNDANT: [True], REDUNDANT_SCORES: [0.5]}},
    ],
)
def test_rows_come_back(row: dict[str, Any]) -> None:
    assert rewritten(row) == row


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"scores": {VALID: [True]}}, "idx: is missing"),
        ({"idx": "a"}, "scores: is missing"),
        ({"idx": "a", "scores": []}, "scores: must be an object, not a list"),
        ({"idx": "a", "scores": {}}, f"scores.{VALID}: is missing, and so are its scores"),
        ({"idx": "a", "scores": {REDUNDANT: [True]}}, f"scores.{VALID}: is missing, and so are its scores"),
        ({"idx": "a", "scores": {VALID: "+"}}, f"scores.{VALID}: must be a list of labels, not '+'"),
        ({"idx": "a", "scores": {VALID: [None]}},
         f"scores.{VALID}[0]: must be true, false or a number, not null"),
        ({"idx": "a", "scores": {SCORES: [True]}}, f"scores.{SCORES}[0]: must be a number, not true"),
        ({"idx": "a", "scores": {VALID: [True], SCORES: [1, 2]}},
         f"scores.{SCORES}: must be as many as {VALID}, 1, not 2"),
        ({"idx": "a", "scores": {VALID: [True], REDUNDANT: [True], REDUNDANT_SCORES: [1, 2]}},
         f"scores.{REDUNDANT_SCORES}: must be as many as {REDUNDANT}, 1, not 2"),
        ({"idx": "a", "validity": 0}, "validity: must be true, false or null, not 0"),
        ({"model_name": "m", "results": {"idx": 5}}, "results.idx: must be text, not 5"),
        ({"model_name": "m", "results": None}, "results: must be an object, not null"),
    ],
)  # fmt: skip
def test_bad_row(row: dict[str, Any], message: str) -> None:
    sound = json.dumps({"idx": "a", "scores": {VALID: [True]}})
    found = read_text(f"{sound}\n{json.dumps(row)}\n{sound}")
    assert str(found[1]) == f"f.jsonl, line 2, {message}"
    assert isinstance(found[2], AnnotationRecord)


def test_not_a_number_is_no_score() -> None:
    (found,) = read_text('{"idx": "a", "scores": {"step_level_validity_scores": [NaN]}}')
    assert str(found) == f"f.jsonl, line 1, scores.{SCORES}[0]: must be a number, not NaN"


floats = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.tuples(st.booleans(), floats, st.booleans(), floats), max_size=5), st.sets(st.integers(0, 3))
)
def test_any_row_comes_back(steps: list[tuple[bool, float, bool, float]], kept: set[int]) -> None:
    keys = (VALID, SCORES, REDUNDANT, REDUNDANT_SCORES)
    scores = {key: [step[at] for step in steps] for at, key in enumerate(keys) if at in kept | {0}}
    assert rewritten({"idx": "a", "scores": scores}) == {"idx": "a", "scores": scores}


FOREIGN = json.dumps(
    {
        "of": "jsonl",
        "values": {
            "label": 0,
            "problem": "Theirs?",
            "steps": ["X"],
            "idx": "theirs",
            "scores": {},
            SCORES: [9],
        },
    }
)


def test_members_of_another_format_are_no_result_of_prmbench() -> None:
    said = AnnotationRecord(Place("", 0), "a", labels="+", scores=(0.5,), extra=FOREIGN)
    unread = AnnotationRecord(Place("", 0), "a", is_parsed=False, extra=FOREIGN)
    first, second = (json.loads(line) for line in results.write_prmbench([said, unread]))
    assert first == {"idx": "a", "scores": {VALID: [True], SCORES: [0.5]}}
    assert second == {"idx": "a", "scores": {}, "validity": False}


# ---- ProcessBench


def truth(label: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": "own-1", "generator": "G", "problem": "P?", "steps": ["A", "B", "C"],
        "final_answer_correct": False, "label": label,
    } | more  # fmt: skip


def read_result(**more: Any) -> AnnotationRecord | FormatError:
    (found,) = results.read_processbench(io.BytesIO(json.dumps(truth(**more)).encode()), "f.jsonl")
    return found


def truth_row(**more: Any) -> ExportRecord:
    (found,) = processbench.read(io.BytesIO(json.dumps([truth(**more)]).encode()), "f.json")
    assert isinstance(found, ImportRecord)
    return as_export(found)


@pytest.mark.parametrize(
    ("prediction", "labels", "first"), [(1, "+-.", 1), (-1, "+++", core.NO_ERROR), (0, "-..", 0)]
)
def test_a_prediction(prediction: int, labels: str, first: int) -> None:
    found = read_result(prediction=prediction, generated_critique="…", match=False)
    assert isinstance(found, AnnotationRecord)
    assert (found.foreign_id, found.labels, found.is_parsed) == ("own-1", labels, True)
    assert results.first_error(found) == found.first_error == first
    assert json.loads(found.extra)["values"] == {"generated_critique": "…"}


@pytest.mark.parametrize("prediction", [None, 3, -2])
def test_no_prediction(prediction: int | None) -> None:
    found = read_result(prediction=prediction, generated_critique=["a", "b"])
    assert isinstance(found, AnnotationRecord)
    assert (found.labels, found.is_parsed, results.first_error(found)) == (None, False, None)


@pytest.mark.parametrize(
    ("prediction", "critique", "match"),
    [(1, "text", True), (2, ["a", "b"], False), (-1, "", False), (None, None, False), (7, "far", False)],
)
def test_results_come_back(prediction: int | None, critique: Any, match: bool) -> None:
    row = truth(generated_critique=critique, prediction=prediction, match=match)
    found = read_result(**row)
    assert isinstance(found, AnnotationRecord)
    for known in (truth(), row):  # a result file also tells the truth, and then brings results of its own
        (line,) = results.write_processbench([(truth_row(**known), found)])
        assert json.loads(line) == row


def test_a_rater_of_ours_has_results() -> None:
    ours = AnnotationRecord(Place("", 0), "own-1", labels="++-")
    unsure = AnnotationRecord(Place("", 0), "own-1", labels="+?-")
    lines = [
        json.loads(line) for line in results.write_processbench([(truth_row(), ours), (truth_row(), unsure)])
    ]
    assert [(line["prediction"], line["match"]) for line in lines] == [(2, False), (None, False)]
    assert lines[0]["generated_critique"] is None


@pytest.mark.parametrize("of", ["jsonl", "processbench_results"])
def test_what_a_rater_s_file_said_is_never_the_truth(of: str) -> None:
    said = json.dumps({**json.loads(FOREIGN), "of": of})
    theirs = AnnotationRecord(Place("", 0), "own-1", labels="++-", extra=said)
    (line,) = results.write_processbench([(truth_row(), theirs)])
    assert truth().items() <= json.loads(line).items()
    assert (json.loads(line)["prediction"], json.loads(line)["match"]) == (2, False)
    assert ("idx" in json.loads(line)) == (of == "processbench_results")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({}, "prediction: is missing"),
        ({"prediction": "1"}, "prediction: must be a whole number or null, not '1'"),
        ({"prediction": 1, "steps": []}, "steps: must have at least one step"),
        ({"prediction": 1, "id": None}, "id: must be text, not null"),
    ],
)
def test_bad_result(more: dict[str, Any], message: str) -> None:
    assert str(read_result(**more)) == f"f.jsonl, line 1, {message}"
