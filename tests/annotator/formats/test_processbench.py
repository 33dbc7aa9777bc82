"""ProcessBench: what its records become, its traps, and that they go out as they came in."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core import labels as core
from annotator.formats import fields, processbench
from annotator.formats.records import FormatError, ImportRecord, UnknownLabels, as_export

DATA = Path(__file__).parents[2] / "data" / "processbench.json"


def record(**changes: Any) -> dict[str, Any]:
    """Return a sound record; a change to ... leaves the field out."""
    fields: dict[str, Any] = {
        "id": "own-1",
        "generator": "Writer",
        "problem": "What is 1 + 2?",
        "steps": ["Add.", "It is 4.", "So 4."],
        "final_answer_correct": False,
        "label": 1,
    }
    return {key: value for key, value in (fields | changes).items() if value is not ...}


def read_text(text: str) -> list[ImportRecord | FormatError]:
    return list(processbench.read(io.BytesIO(text.encode()), "f.json"))


def read_good(text: str) -> list[ImportRecord]:
    found = read_text(text)
    assert not [str(item) for item in found if isinstance(item, FormatError)]
    return [item for item in found if isinstance(item, ImportRecord)]


def read_one(**changes: Any) -> ImportRecord:
    (found,) = read_good(json.dumps([record(**changes)]))
    return found


def written(items: list[ImportRecord]) -> str:
    return "".join(processbench.write(map(as_export, items)))


def test_goes_out_as_it_came_in() -> None:
    text = DATA.read_text(encoding="utf-8")
    assert '"rate": 1.50' in text
    assert written(read_good(text)) == text


def test_a_record() -> None:
    found = read_one()
    assert (found.foreign_id, found.solution.foreign_id) == ("own-1", "own-1")
    assert found.solution.steps == ("Add.", "It is 4.", "So 4.")
    assert found.solution.meta == {"length": 3, "generator": "Writer", "final_answer_correct": False}
    assert (found.problem.text, found.problem.meta) == ("What is 1 + 2?", {"source": "own"})
    assert (found.original, found.changed_problem, found.claim) == (None, None, None)
    (label,) = found.labels
    assert (label.kind, label.name, label.labels, label.first_error) == ("source", "processbench", "+-.", 1)
    assert found.extra == ""


@pytest.mark.parametrize(
    ("label", "labels"), [(-1, "+++"), (0, "-.."), (1, "+-."), (2, "++-")]
)  # fmt: skip
def test_labels(label: int, labels: str) -> None:
    found = read_one(label=label)
    assert (found.labels[0].labels, found.labels[0].first_error) == (labels, label)


def test_places_are_the_lines_on_which_records_start() -> None:
    found = read_good(DATA.read_text(encoding="utf-8"))
    lines = DATA.read_text(encoding="utf-8").split("\n")
    assert [lines[item.place.line] for item in found] == [f'    "id": "{item.foreign_id}",' for item in found]


def test_solutions_of_one_problem_share_its_group() -> None:
    first, second, third, *_ = read_good(DATA.read_text(encoding="utf-8"))
    assert first.problem.text != second.problem.text
    assert first.problem.group == second.problem.group
    assert first.problem.group != third.problem.group


def test_group_is_the_same_for_ever() -> None:
    assert fields.group_of("What  is\n1 + 2? ") == "problem-6341b664e7af5ff8"
    assert fields.group_of("e\u0301") == fields.group_of("é") != fields.group_of("e")


def test_what_is_unknown_stays_unknown() -> None:
    text = json.dumps([record(generator=None, final_answer_correct=...)], indent=2)
    (found,) = read_good(text)
    assert found.solution.meta == {"length": 3}
    assert written([found]) == text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ...}, "f.json, line 1, id: is missing"),
        ({"id": 3}, "f.json, line 1, id: must be text, not 3"),
        ({"problem": "\n"}, "f.json, line 1, problem: must not be empty"),
        ({"steps": []}, "f.json, line 1, steps: must have at least one step"),
        ({"steps": ["a", None]}, "f.json, line 1, steps[1]: must be text, not null"),
        ({"generator": ["x"]}, "f.json, line 1, generator: must be text or null, not a list"),
        (
            {"final_answer_correct": 1},
            "f.json, line 1, final_answer_correct: must be true, false or null, not 1",
        ),
        ({"label": ...}, "f.json, line 1, label: is missing"),
        ({"label": True}, "f.json, line 1, label: must be a whole number, not true"),
        ({"label": 1.0}, "f.json, line 1, label: must be a whole number, not 1.0"),
        ({"label": 3}, "f.json, line 1, label: must be -1 or a step from 0 to 2, not 3"),
        ({"label": -2}, "f.json, line 1, label: must be -1 or a step from 0 to 2, not -2"),
    ],
)
def test_bad_record(changes: dict[str, Any], message: str) -> None:
    before, found, after = read_text(json.dumps([record(), record(**changes), record()]))
    assert isinstance(before, ImportRecord)
    assert isinstance(after, ImportRecord)
    assert str(found) == message


@pytest.mark.parametrize(
    ("labels", "label"), [("+++", -1), ("++-", 2), ("-..", 0), ("0+0", -1), ("--+", 0), ("+-?", 1)]
)
def test_other_labels_become_the_first_error(labels: str, label: int) -> None:
    row = replace(as_export(read_one(more=1.0)), labels=labels, is_source=False)
    assert "".join(processbench.write([row])) == json.dumps([record(label=label, more=1.0)], indent=2)


@pytest.mark.parametrize("labels", ["...", "++.", "+?-", ".-+"])
def test_an_unknown_first_error_is_refused(labels: str) -> None:
    row = replace(as_export(read_one()), labels=labels, is_source=False)
    message = "own-1: ProcessBench needs the first error, but a step before it is unsure or not judged"
    with pytest.raises(UnknownLabels) as caught:
        list(processbench.write([row]))
    assert str(caught.value) == message == str(processbench.refusal(row))


def test_no_rows_are_an_empty_list() -> None:
    assert written([]) == "[]"
    assert read_text("[]") == []


def test_lines_are_read_too_and_leave_as_the_list() -> None:
    rows = [record(), record(id="own-2", rate="?")]
    text = "".join(json.dumps(row) + "\n" for row in rows).replace('"?"', "1e5")
    assert written(read_good(text)) == json.dumps(rows, indent=2).replace('"?"', "1e5")


# ---- any list

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
filled = words.filter(str.strip)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
jsons = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    steps = draw(st.lists(words, min_size=1, max_size=4))
    fields = draw(st.dictionaries(words, jsons, max_size=3)) | {
        "id": draw(filled),
        "generator": draw(words | st.none()),
        "problem": draw(filled),
        "steps": steps,
        "final_answer_correct": draw(st.booleans() | st.none()),
        "label": draw(st.integers(-1, len(steps) - 1)),
    }
    return {key: fields[key] for key in draw(st.permutations(list(fields)))}


@given(st.lists(records(), max_size=4), st.booleans(), st.sampled_from(["1e5", "2.50", "-0", "1e-400"]))
def test_any_list_goes_out_as_it_came_in(rows: list[dict[str, Any]], ascii_only: bool, spelling: str) -> None:
    marked = [row | {"odd": "<odd>"} for row in rows]
    text = json.dumps(marked, indent=2, ensure_ascii=ascii_only).replace('"<odd>"', spelling)
    assert written(read_good(text)) == text


@given(st.lists(records(), max_size=4), st.sampled_from([None, 0, 1, "\t"]), st.booleans())
def test_another_layout_loses_only_blanks(
    rows: list[dict[str, Any]], indent: int | str | None, ascii_only: bool
) -> None:
    found = read_good(json.dumps(rows, indent=indent, ensure_ascii=ascii_only))
    out = written(found)
    assert [list(row.items()) for row in json.loads(out)] == [list(row.items()) for row in rows]
    assert written(read_good(out)) == out


@given(records())
def test_first_errors_come_back(fields: dict[str, Any]) -> None:
    (found,) = read_good(json.dumps([fields]))
    label = fields["label"]
    assert found.labels[0].labels == core.labels_from_first_error(label, len(fields["steps"]))
    row = replace(as_export(found), is_source=False)
    assert json.loads("".join(processbench.write([row]))) == [fields]
