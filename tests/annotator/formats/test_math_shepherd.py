"""Math-Shepherd: labels found at the marks, the traps of its texts, and round trips."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.formats import math_shepherd, processbench
from annotator.formats.math_shepherd import MARK
from annotator.formats.records import (
    CannotWrite,
    ExportRecord,
    FormatError,
    ImportRecord,
    UnknownLabels,
    as_export,
)

UNKNOWN = "knows only right and wrong, and the first step is unsure or not judged"
MARKED = "ends a step with ки, which stands in the text itself"
BEGUN = 'begins a step with "Step 1:", which stands in the text itself'
DIFFERS = "label: differs from input other than at the marks"
DATA = Path(__file__).parents[2] / "data" / "math_shepherd.jsonl"


def read_text(text: str) -> list[ImportRecord | FormatError]:
    return list(math_shepherd.read(io.BytesIO(text.encode()), "f.jsonl"))


def read_one(text: str, label: str, **more: Any) -> ImportRecord | FormatError:
    (found,) = read_text(json.dumps({"input": text, "label": label, "task": "MATH"} | more))
    return found


def good(text: str) -> list[ImportRecord]:
    found = read_text(text)
    assert not [str(item) for item in found if isinstance(item, FormatError)]
    return [item for item in found if isinstance(item, ImportRecord)]


def row(steps: list[str], labels: str, problem: str = "How many?") -> ExportRecord:
    """Return a row of our own, made from another format's record."""
    fields = {"id": "own-1", "generator": "G", "problem": problem, "steps": steps, "label": -1}
    (found,) = processbench.read(io.BytesIO(json.dumps([fields]).encode()), "f")
    assert isinstance(found, ImportRecord)
    return replace(as_export(found), labels=labels, is_source=False)


@pytest.fixture(scope="module")
def data() -> list[ImportRecord]:
    return good(DATA.read_text(encoding="utf-8"))


def test_goes_out_as_it_came_in(data: list[ImportRecord]) -> None:
    assert "".join(math_shepherd.write(map(as_export, data))) == DATA.read_text(encoding="utf-8")


def test_a_record(data: list[ImportRecord]) -> None:
    found = data[0]
    assert found.problem.text == "A bus has 30 seats and 12 are taken. How many are free?"
    assert (found.problem.meta, found.problem.answer) == ({"source": "GSM8K"}, None)
    assert found.solution.steps == (
        "30 seats less 12 are <<30-12=18>>18.", "18 seats are free. The answer is: 18"
    )  # fmt: skip
    assert found.solution.meta == {"length": 2}
    assert found.foreign_id == found.solution.foreign_id
    (label,) = found.labels
    assert (label.kind, label.name, label.labels) == ("source", "math_shepherd", "++")
    assert found.extra == ""


def test_labels_go_on_after_a_first_error(data: list[ImportRecord]) -> None:
    assert data[1].labels[0].labels == "+--"
    assert json.loads(data[1].extra) == {"of": "math_shepherd", "layout": "ascii"}


def test_marks_inside_the_question_label_nothing(data: list[ImportRecord]) -> None:
    found = data[2]
    assert found.problem.text.split() == ["What", "is", "$2^3$?"]
    assert (found.solution.steps, found.labels[0].labels) == (("It is $8$.", "The answer is: 8"), "+-")


def test_other_beginnings(data: list[ImportRecord]) -> None:
    assert data[3].solution.steps == ("step 1: Yes.", "step 2: The answer is: yes")
    assert (data[4].problem.text, data[4].solution.steps) == ("How many?", ("Five.", "The answer is: 5"))


def test_a_quoted_beginning_and_an_end_without_a_mark(data: list[ImportRecord]) -> None:
    found = data[5]
    assert found.problem.text == 'Follow "Step 1: add" and say what $1+1$ is.'
    assert (found.solution.steps, found.labels[0].labels) == (("$1+1=2$.", "Step 3: The answer is: 2"), "+.")
    assert json.loads(found.extra)["spelled"] == {"n": "1.50"}


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        ("Q Step 1: A ки", "Q Step 1: A ки", "label: must have + or - in place of mark 1"),
        ("Q Step 1: A ки B ки", "Q Step 1: A + B", f"{DIFFERS}, after mark 1"),
        ("Q Step 1: A ки B ки", "Q Step 1: A + B ", "label: must have + or - in place of mark 2"),
        ("Q Step 1: A ки", "Q Step 1: X +", f"{DIFFERS}, after mark 0"),
        ("Q Step 1: A ки", "Q Step 1: A +.", "label: goes on after input has ended"),
        ("Q Step 1: A", "Q Step 1: A", 'input: must have a "Step 1:" and a step that ends with ки'),
        ("Q A ки", "Q A +", 'input: must have a "Step 1:" and a step that ends with ки'),
        ("Q? R? A ки", "Q? R? A +", 'input: must have a "Step 1:" and a step that ends with ки'),
        (" Step 1: A ки", " Step 1: A +", "input: must have a question before its first step"),
        (" ", "", "input: must not be empty"),
    ],
)  # fmt: skip
def test_bad_record(text: str, label: str, message: str) -> None:
    assert str(read_one(text, label)) == f"f.jsonl, line 1, {message}"


def test_other_fields() -> None:
    assert str(read_one("Q Step 1: A ки", "Q Step 1: A +", task=5)).endswith(
        "task: must be text or null, not 5"
    )
    found = read_one("Q Step 1: A ки", "Q Step 1: A +", task=None)
    assert isinstance(found, ImportRecord)
    assert found.problem.meta == {"source": "math_shepherd"}


def test_our_labels_stop_before_the_first_step_without_one(data: list[ImportRecord]) -> None:
    rows = [replace(as_export(data[1]), labels=labels, is_source=False) for labels in ("-0+", "+?-")]
    first, second = (json.loads(line) for line in math_shepherd.write(rows))
    assert first["label"].startswith("Find $3 \\cdot 4 + 1$. Step 1: $3 \\cdot 4 = 12$. -\nStep 2: ")
    assert first["label"].endswith("$12 + 1 = 14$. +\nStep 3: The answer is: 14 +")
    assert second == {
        "input": "Find $3 \\cdot 4 + 1$. Step 1: $3 \\cdot 4 = 12$. ки",
        "label": "Find $3 \\cdot 4 + 1$. Step 1: $3 \\cdot 4 = 12$. +",
        "task": "MATH",
    }


def test_from_another_format() -> None:
    (line,) = math_shepherd.write([row(["Step 1: Count.", " Two.\n", "Step 1: Three."], "++-")])
    assert json.loads(line) == {
        "input": "How many? Step 1: Count. ки\nStep 2: Two. ки\nStep 3: Step 1: Three. ки",
        "label": "How many? Step 1: Count. +\nStep 2: Two. +\nStep 3: Step 1: Three. -",
        "task": "own",
    }


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        (row(["A"], "."), UnknownLabels, UNKNOWN),
        (row(["A"], "?"), UnknownLabels, UNKNOWN),
        (row(["A", "какие"], "++"), CannotWrite, MARKED),
        (row(["A ки"], "+"), CannotWrite, MARKED),
        (row(["A"], "+", "ки?"), CannotWrite, MARKED),
        (row(["See Step 1: A"], "+"), CannotWrite, BEGUN),
    ],
)  # fmt: skip
def test_refusals(given: ExportRecord, kind: type[CannotWrite], message: str) -> None:
    refused = math_shepherd.refusal(given)
    assert type(refused) is kind
    assert str(refused) == f"own-1: Math-Shepherd {message}"
    with pytest.raises(kind):
        list(math_shepherd.write([given]))


def test_a_mark_after_the_cut_does_no_harm() -> None:
    assert math_shepherd.refusal(row(["A", "B ки"], "+.")) is None


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
texts = st.one_of(words, st.sampled_from(["Step 1:", "step 1: a", "Step 2: b", "?", "\n", MARK, "x ки y"]))


@given(st.lists(st.tuples(texts, st.sampled_from("+-")), min_size=1, max_size=5), texts, st.booleans())
def test_any_line_goes_out_as_it_came_in(steps: list[tuple[str, str]], tail: str, ascii_only: bool) -> None:
    steps = [(text.replace(MARK, ""), sign) for text, sign in steps]
    tail = tail.replace(MARK, "")
    fields = {
        "input": "Q? Step 1: " + MARK.join([*(text for text, _ in steps), tail]),
        "label": "Q? Step 1: " + "".join(text + sign for text, sign in steps) + tail,
        "task": "MATH",
    }
    line = json.dumps(fields, ensure_ascii=ascii_only) + "\n"
    (found,) = good(line)
    assert "".join(math_shepherd.write([as_export(found)])) == line


@given(st.lists(texts, min_size=1, max_size=4), words.filter(str.strip), st.data())
def test_what_we_write_is_read_back(steps: list[str], problem: str, data: st.DataObject) -> None:
    labels = data.draw(st.text("+-", min_size=len(steps), max_size=len(steps)))
    given = row(steps, labels, problem)
    if math_shepherd.refusal(given):
        return
    (found,) = good("".join(math_shepherd.write([given])))
    assert (len(found.solution.steps), found.labels[0].labels) == (len(steps), labels)
    assert found.problem.text == problem.strip()
