"""Label Studio projects: three ways to label steps, several people, models, and what is no label."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from annotator.formats import label_studio
from annotator.formats.label_studio import Layout
from annotator.formats.mapping import parse_map
from annotator.formats.records import FormatError, ImportRecord

DATA = Path(__file__).parents[2] / "data" / "label_studio.json"
STEPS = ["Add.", "It is 4.", "So 4."]


def choice(name: str, *choices: str, **more: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "x", "type": "choices", "value": {"choices": list(choices)}} | more


def spans(start: Any, end: Any, label: str) -> dict[str, Any]:
    value = {"start": start, "end": end, "startOffset": 0, "endOffset": 3, "paragraphlabels": [label]}
    return {"from_name": "verdict", "to_name": "steps", "type": "paragraphlabels", "value": value}


def task(*result: Any, **more: Any) -> dict[str, Any]:
    data = {"problem": "What is 1 + 2?", "steps": STEPS}
    return {"id": 9, "data": data, "annotations": [{"completed_by": 1, "result": list(result)}]} | more


def read(*tasks: dict[str, Any], layout: Layout = label_studio.USUAL) -> list[ImportRecord | FormatError]:
    return list(label_studio.read(io.BytesIO(json.dumps(tasks).encode()), "f.json", layout))


def labels(*result: Any, layout: Layout = label_studio.USUAL) -> str:
    (found,) = read(task(*result), layout=layout)
    assert isinstance(found, ImportRecord), found
    return found.labels[0].labels if found.labels else ""


def message(*result: Any, layout: Layout = label_studio.USUAL) -> str:
    (found,) = read(task(*result), layout=layout)
    return str(found).removeprefix("f.json, line 1, annotations[0].")


def test_a_project() -> None:
    found = [item for item in label_studio.read(DATA, DATA.name) if isinstance(item, ImportRecord)]
    assert [[(one.name, one.labels, one.duration_ms) for one in item.labels] for item in found] == [
        [("label_studio ann@example.org", "+-.", 12500), ("label_studio 2", "++-", None),
         ("label_studio judge-1", "-..", None)],
        [("label_studio 2", "+0", 3000)],
        [],
    ]  # fmt: skip
    assert [item.foreign_id for item in found] == ["101", "102", "103"]
    assert found[1].solution.steps == ("First.", "Second.")
    assert (found[0].problem.text, found[0].problem.meta) == ("What is $1+2$?", {"source": "label_studio"})


@pytest.mark.parametrize(
    ("result", "read"),
    [
        ([choice("label_0", "Correct"), choice("label_2", "wrong")], "+.-"),
        ([choice("v", "correct", item_index=1), choice("v", "unsure", item_index=0)], "?+."),
        ([spans("0", "1", "correct"), spans(2, 2, "incorrect")], "++-"),
        ([choice("label_0", "correct"), choice("label_0", "right")], "+.."),
        ([choice("whole", "correct")], ""),
        ([choice("kind_0", "algebra")], ""),
        ([{"from_name": "note_0", "type": "textarea", "value": {"text": ["correct"]}}], ""),
        ([{"from_name": "stars_0", "type": "rating", "value": {"rating": 3}}], ""),
        ([], ""),
    ],
)
def test_results(result: list[Any], read: str) -> None:
    assert labels(*result) == read


def test_a_layout_of_ones_own() -> None:
    layout = Layout(control="step", choices={"fein": "+", "falsch": "-"}, first=1)
    given = [choice("step-1", "Fein"), choice("other-2", "falsch"), choice("step-3", "falsch")]
    assert labels(*given, layout=layout) == "+.-"
    unknown = "result[0].value.choices: has an unknown choice, 'gut'"
    assert message(choice("step-1", "gut"), layout=layout) == unknown


def test_data_of_ones_own() -> None:
    layout = Layout(
        data=parse_map("problem=q,response=a.text,id=uid,answer=gold,meta=lang"), how="blank-line"
    )
    data = {"q": "P?", "a": {"text": "One.\n\nTwo."}, "uid": "u-1", "gold": 5, "lang": "en"}
    (found,) = read(task(choice("v1", "bad"), data=data), layout=layout)
    assert isinstance(found, ImportRecord)
    assert (found.solution.steps, found.foreign_id, found.problem.answer) == (("One.", "Two."), "u-1", "5")
    assert (found.solution.meta, found.labels[0].labels) == ({"lang": "en", "length": 2}, ".-")


def test_a_skipped_annotation_is_none_and_the_last_of_one_person_counts() -> None:
    rows = [
        {"completed_by": 1, "result": [choice("s0", "wrong")]},
        {"completed_by": 1, "result": [choice("s0", "correct")]},
        {"completed_by": 2, "result": [choice("s0", "wrong")], "was_cancelled": True},
    ]
    (found,) = read(task(annotations=rows))
    assert isinstance(found, ImportRecord)
    assert [(one.name, one.labels) for one in found.labels] == [("label_studio 1", "+..")]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ([choice("s3", "wrong")], "result[0]: is about step 3 (0-based), but there are 3"),
        ([spans("1", "3", "wrong")], "result[0]: is about step 3 (0-based), but there are 3"),
        (
            [choice("s0", "wrong"), choice("s0", "correct")],
            "result[1]: gives step 0 (0-based) a second label",
        ),
        (
            [choice("s0", "wrong", "correct")],
            "result[0].value.choices: has choices that contradict each other",
        ),
        ([5], "result[0]: must be an object, not 5"),
    ],
)
def test_bad_result(result: list[Any], text: str) -> None:
    assert message(*result) == text


def test_bad_task() -> None:
    (found,) = read(task(data={"problem": "P?"}))
    assert str(found) == "f.json, line 1, data.steps: is missing"
    (found,) = read({"id": 1})
    assert str(found) == "f.json, line 1, data: is missing"


def test_a_layout_must_have_a_solution() -> None:
    with pytest.raises(ValueError, match="the steps or the response"):
        read(layout=Layout(data=parse_map("problem=p")))
