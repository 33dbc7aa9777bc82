"""TRL's stepwise supervision: hard and soft labels in, hard ones out, and round trips."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.formats import FORMATS, prm800k, trl
from annotator.formats.records import FormatError, ImportRecord, UnknownLabels, as_export

DATA = Path(__file__).parents[2] / "data" / "trl.jsonl"


def record(**changes: Any) -> dict[str, Any]:
    """Return a sound record; a change to ... leaves the field out."""
    fields = {
        "prompt": "What is 1 + 2?",
        "completions": ["Add.", "It is 4."],
        "labels": [True, False],
    } | changes
    return {key: value for key, value in fields.items() if value is not ...}


def read_text(text: str) -> list[ImportRecord | FormatError]:
    return list(trl.read(io.BytesIO(text.encode()), "f.jsonl"))


def good(text: str) -> list[ImportRecord]:
    found = read_text(text)
    assert not [str(item) for item in found if isinstance(item, FormatError)]
    return [item for item in found if isinstance(item, ImportRecord)]


def read_one(**changes: Any) -> ImportRecord:
    (found,) = good(json.dumps(record(**changes)))
    return found


def test_goes_out_as_it_came_in() -> None:
    text = DATA.read_text(encoding="utf-8")
    assert "0.90" in text
    assert "".join(trl.write(map(as_export, good(text)))) == text


def test_a_record() -> None:
    found = read_one()
    assert (found.problem.text, found.problem.meta) == ("What is 1 + 2?", {"source": "trl"})
    assert (found.solution.steps, found.solution.meta) == (("Add.", "It is 4."), {"length": 2})
    assert found.foreign_id.startswith("trl-")
    (label,) = found.labels
    assert (label.kind, label.name, label.labels, label.scores) == ("source", "trl", "+-", None)
    assert found.extra == ""


@pytest.mark.parametrize(
    ("labels", "hard", "scores"),
    [
        ([True, False], "+-", None),
        ([1, 0], "+-", None),
        ([0.9, 0.5], "+-", (0.9, 0.5)),
        ([0.51, 0.0], "+-", (0.51, 0.0)),
        ([True, 0.25], "+-", (1.0, 0.25)),
    ],
)
def test_labels(labels: list[Any], hard: str, scores: tuple[float, ...] | None) -> None:
    (label,) = read_one(labels=labels).labels
    assert (label.labels, label.scores) == (hard, scores)


def test_soft_labels_of_others_are_written_hard() -> None:
    row = replace(as_export(read_one(labels=[0.9, 0.2])), is_source=False)
    assert json.loads(trl.write_record(row))["labels"] == [True, False]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"prompt": [{"role": "user"}]}, "prompt: must be text, not a list"),
        ({"prompt": " "}, "prompt: must not be empty"),
        ({"completions": []}, "completions: must have at least one step"),
        ({"labels": [True]}, "labels: must be as many as the 2 completions, not 1"),
        ({"labels": [True, True, False]}, "labels: must be as many as the 2 completions, not 3"),
        ({"labels": ...}, "labels: must be a list of labels, not null"),
        ({"labels": [True, None]}, "labels[1]: must be true, false or a number from 0 to 1, not null"),
        ({"labels": [True, "+"]}, "labels[1]: must be true, false or a number from 0 to 1, not '+'"),
        ({"labels": [True, -1]}, "labels[1]: must be true, false or a number from 0 to 1, not -1"),
        ({"labels": [True, 1.5]}, "labels[1]: must be true, false or a number from 0 to 1, not 1.5"),
    ],
)
def test_bad_record(changes: dict[str, Any], message: str) -> None:
    (found,) = read_text(json.dumps(record(**changes)))
    assert str(found) == f"f.jsonl, line 1, {message}"


@pytest.mark.parametrize(
    ("labels", "written"),
    [("+-", [True, False]), ("00", [True, True]), ("+.", [True]), ("-?", [False])],
)
def test_our_labels(labels: str, written: list[bool]) -> None:
    row = replace(as_export(read_one(more=1)), labels=labels, is_source=False)
    assert json.loads(trl.write_record(row)) == record(
        labels=written, completions=["Add.", "It is 4."][: len(written)], more=1
    )


@pytest.mark.parametrize("labels", [".+", "?-", ".."])
def test_nothing_to_write(labels: str) -> None:
    row = replace(as_export(read_one()), labels=labels, is_source=False)
    with pytest.raises(UnknownLabels, match="the first step is unsure or not judged"):
        list(trl.write([row]))


def test_an_unjudged_step_of_another_format_is_never_false() -> None:
    data = Path(__file__).parents[2] / "data" / "prm800k.jsonl"
    items = [item for item in prm800k.read(data, "f") if isinstance(item, ImportRecord)]
    rows = [as_export(item) for item in items if trl.refusal(as_export(item)) is None]
    for row, line in zip(rows, trl.write(rows), strict=True):
        labels = json.loads(line)["labels"]
        assert [not label for label in labels] == [label == "-" for label in row.labels[: len(labels)]]


def test_defaults_of_an_export() -> None:
    assert FORMATS["trl"].defaults.neutral == "right"
    assert FORMATS["trl"].defaults.after_first_error == "drop"


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
values = st.booleans() | st.integers(0, 1) | st.floats(0, 1)


@given(
    words.filter(str.strip),
    st.lists(st.tuples(words, values), min_size=1, max_size=4),
    st.booleans(),
    st.data(),
)
def test_any_line_goes_out_as_it_came_in(
    prompt: str, steps: list[tuple[str, Any]], ascii_only: bool, data: st.DataObject
) -> None:
    fields = {
        "prompt": prompt,
        "completions": [t for t, _ in steps],
        "labels": [v for _, v in steps],
        "n": None,
    }
    keys = data.draw(st.permutations(list(fields)))
    line = json.dumps({key: fields[key] for key in keys}, ensure_ascii=ascii_only) + "\n"
    (found,) = good(line)
    assert "".join(trl.write([as_export(found)])) == line
    (again,) = good("".join(trl.write([replace(as_export(found), is_source=False)])))
    assert (again.solution.steps, again.labels[0].labels) == (found.solution.steps, found.labels[0].labels)
