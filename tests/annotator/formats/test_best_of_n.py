"""Best-of-N sets: responses as solutions, labels of final answers, round trips."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.formats import best_of_n
from annotator.formats.best_of_n import BestOfN
from annotator.formats.records import ExportRecord, FormatError, ImportRecord

DATA = Path(__file__).parents[2] / "data" / "best_of_n.jsonl"


def record(**changes: Any) -> dict[str, Any]:
    """Return a sound record; a change to ... leaves the field out."""
    fields: dict[str, Any] = {
        "id": "own_7",
        "question": "What is 1 + 2?",
        "responses": ["Add.\n\nIt is 3.", "It is 4."],
        "answer": "3",
        "labels": ["correct", "incorrect"],
    }
    return {key: value for key, value in (fields | changes).items() if value is not ...}


def read_set(**changes: Any) -> BestOfN | FormatError:
    (found,) = best_of_n.read_sets(io.BytesIO(json.dumps(record(**changes)).encode()), "f.jsonl")
    return found


def solutions(**changes: Any) -> list[ImportRecord]:
    found = list(best_of_n.read(io.BytesIO(json.dumps(record(**changes)).encode()), "f.jsonl"))
    good = [item for item in found if isinstance(item, ImportRecord)]
    assert len(good) == len(found), found
    return good


def test_goes_out_as_it_came_in() -> None:
    sets = [one for one in best_of_n.read_sets(DATA, DATA.name) if isinstance(one, BestOfN)]
    assert "".join(best_of_n.write_sets(sets)) == DATA.read_text(encoding="utf-8")
    assert [one.is_right for one in sets] == [(True, False, True), (False, True), (None, None), (True, None)]
    assert [one.answer for one in sets] == ["7", "12", None, "x,\ny"]


def test_a_set() -> None:
    found = read_set()
    assert isinstance(found, BestOfN)
    assert (found.foreign_id, found.question, found.answer) == ("own_7", "What is 1 + 2?", "3")
    assert (found.is_right, found.response_id(1), found.extra) == ((True, False), "own_7/1", "")


def test_responses_are_solutions_without_labels() -> None:
    first, second = solutions()
    assert (first.solution.steps, second.solution.steps) == (("Add.", "It is 3."), ("It is 4.",))
    assert (first.foreign_id, second.solution.foreign_id) == ("own_7/0", "own_7/1")
    assert first.solution.meta == {"length": 2, "sample": 0, "final_answer_correct": True}
    assert second.solution.meta["final_answer_correct"] is False
    assert first.problem == second.problem
    assert (first.problem.foreign_id, first.problem.answer, first.problem.meta) == (
        "own_7",
        "3",
        {"source": "own"},
    )
    assert (first.labels, first.sibling_of, second.sibling_of) == ((), "", "")


def test_unchecked_answers_are_unknown() -> None:
    assert all("final_answer_correct" not in item.solution.meta for item in solutions(labels=...))


def test_an_empty_response_is_one_empty_step() -> None:
    assert solutions(responses=[" \n\n ", "a"])[0].solution.steps == (" \n\n ",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ...}, "id: is missing"),
        ({"question": ""}, "question: must not be empty"),
        ({"responses": []}, "responses: must have at least one step"),
        ({"responses": ["a", 5]}, "responses[1]: must be text, not 5"),
        ({"labels": ["correct"]}, "labels: must be as many as the 2 responses, not 1"),
        ({"labels": "correct"}, "labels: must be a list of labels, not 'correct'"),
        ({"labels": [True, 2]}, "labels[1]: must be text, true, false or null, not 2"),
        ({"places": [1, 0]}, "places: must be 2 ascending numbers from 0 on, one for each response"),
        ({"places": [0]}, "places: must be 2 ascending numbers from 0 on, one for each response"),
        ({"answer": ["3"]}, "answer: must be text, a number or null, not a list"),
    ],
)
def test_bad_set(changes: dict[str, Any], message: str) -> None:
    assert str(read_set(**changes)) == f"f.jsonl, line 1, {message}"


def test_what_is_left_of_a_set_keeps_its_places() -> None:
    """A result names a response by its place: without the first one the second is still the second."""
    line = "".join(best_of_n.write(rows(solutions(responses=["a", "b", "c"], labels=...))[1:]))
    assert json.loads(line) == {
        "id": "own_7", "question": "What is 1 + 2?", "responses": ["b", "c"], "answer": "3",
        "labels": [None, None], "places": [1, 2],
    }  # fmt: skip
    (again,) = best_of_n.read_sets(io.BytesIO(line.encode()), "f.jsonl")
    assert isinstance(again, BestOfN)
    assert (again.response_id(0), again.response_id(1)) == ("own_7/1", "own_7/2")
    found = [one for one in best_of_n.read(io.BytesIO(line.encode()), "f") if isinstance(one, ImportRecord)]
    assert [one.foreign_id for one in found] == ["own_7/1", "own_7/2"]
    assert "".join(best_of_n.write(rows(found))) == line


def rows(found: list[ImportRecord]) -> list[ExportRecord]:
    return [
        ExportRecord(
            problem=one.problem, changed_problem=None, original=None, solution=one.solution, claim=None,
            labels="." * len(one.solution.steps), extra=one.extra,
        )
        for one in found
    ]  # fmt: skip


words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
labels = st.sampled_from(["correct", "incorrect", "wrong", True, False, 0, 1, None])


@given(
    st.lists(st.tuples(words, labels), min_size=1, max_size=4),
    words.filter(str.strip),
    words | st.integers() | st.none(),
    st.booleans(),
    st.sets(st.integers(0, 9), min_size=4) | st.none(),
)
def test_any_set_goes_out_as_it_came_in(
    samples: list[tuple[str, Any]], question: str, answer: Any, ascii_only: bool, places: set[int] | None
) -> None:
    responses, given_labels = ([sample[at] for sample in samples] for at in (0, 1))
    row = record(question=question, responses=responses, labels=given_labels, answer=answer, ans_str="#### 3")
    row |= {"places": sorted(places)[: len(samples)]} if places else {}
    line = json.dumps(row, ensure_ascii=ascii_only) + "\n"
    (found,) = best_of_n.read_sets(io.BytesIO(line.encode()), "f")
    assert isinstance(found, BestOfN)
    assert "".join(best_of_n.write_sets([found])) == line
