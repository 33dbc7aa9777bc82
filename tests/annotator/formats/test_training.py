"""The shapes that training code reads: by hand, and what they refuse."""

import json
from dataclasses import replace
from typing import Any

import pytest

from annotator.formats import pairs, training
from annotator.formats.records import CannotWrite, ClaimRecord, ExportRecord, ProblemRecord, SolutionRecord

RLHFLOW, OPENRLHF, QWEN = training.SHAPES
ROW = ExportRecord(
    problem=ProblemRecord("What is 1+1?", "2", "", "g", {}),
    changed_problem=None,
    original=SolutionRecord(("One.", "So 2."), "o"),
    solution=SolutionRecord(("One.", "So 3.", "Done."), "s"),
    claim=ClaimRecord("counterfactual", (2,), (2,), ""),
    labels="+-.",
)


def _one(lines: Any) -> dict[str, Any]:
    (line,) = lines
    assert line.endswith("\n")
    found: dict[str, Any] = json.loads(line)
    return found


def test_rlhflow_is_a_conversation_of_the_labelled_steps() -> None:
    assert _one(RLHFLOW.write([ROW])) == {
        "conversations": [
            {"role": "user", "content": "What is 1+1? One."},
            {"role": "assistant", "content": "+"},
            {"role": "user", "content": "So 3."},
            {"role": "assistant", "content": "-"},
        ]
    }


def test_openrlhf_marks_each_step() -> None:
    assert _one(OPENRLHF.write([ROW])) == {
        "input": "What is 1+1? One. ки\nSo 3. ки",
        "label": ["+", "-"],
    }


def test_qwen_is_a_chat_with_one_mark_for_each_label() -> None:
    found = _one(QWEN.write([ROW]))
    assert found["messages"][1] == {"role": "user", "content": "What is 1+1?"}
    assert found["messages"][2]["content"] == "One.<extra_0>So 3.<extra_0>"
    assert found["labels"] == [1, 0]


@pytest.mark.parametrize("shape", training.SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize("labels", ["...", "?++"])
def test_no_first_label_is_refused(shape: training.Training, labels: str) -> None:
    with pytest.raises(CannotWrite, match="not judged"):
        list(shape.write([replace(ROW, labels=labels)]))


@pytest.mark.parametrize("shape", [OPENRLHF, QWEN], ids=lambda shape: shape.name)
def test_a_mark_in_the_text_is_refused(shape: training.Training) -> None:
    hostile = replace(ROW, problem=replace(ROW.problem, text=f"Say {shape.mark}"))
    assert shape.refusal(hostile) is not None
    assert RLHFLOW.refusal(hostile) is None


def test_a_changed_question_is_the_one_asked() -> None:
    changed = replace(ROW, changed_problem=replace(ROW.problem, text="What is 1+2?"))
    assert _one(OPENRLHF.write([changed]))["input"].startswith("What is 1+2? ")


def test_a_pair_is_the_original_step_against_the_first_wrong_one() -> None:
    assert _one(pairs.write([ROW])) == {
        "prompt": "What is 1+1?",
        "prefix": ["One."],
        "chosen": "So 2.",
        "rejected": "So 3.",
        "id": "s",
        "error_types": ["counterfactual"],
    }


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (replace(ROW, labels="+++"), "no step is wrong"),
        (replace(ROW, labels="+.."), "not known"),
        (replace(ROW, original=None), "no original"),
        (replace(ROW, changed_problem=ROW.problem), "question was changed"),
        (replace(ROW, labels="++-"), "not the original's"),
        (replace(ROW, original=SolutionRecord(("Two.", "So 2."), "o")), "not the original's"),
        (replace(ROW, original=ROW.solution), "word for word"),
    ],
)
def test_what_makes_no_pair(row: ExportRecord, why: str) -> None:
    with pytest.raises(CannotWrite, match=why):
        list(pairs.write([row]))
