"""What readers are told, and guesses of where things are."""

import io
import json
from typing import Any

import pytest

from annotator.formats import FORMATS, READABLE, WRITABLE, BadReading, reader
from annotator.formats.guessing import MAX_PLACES, guess, places
from annotator.formats.mapping import parse_map, parse_place, spelled
from annotator.formats.readings import USUAL_DATA, complete
from annotator.formats.records import ImportRecord, LoneProblem


def test_every_format_is_read_and_some_are_written() -> None:
    assert set(READABLE) | set(WRITABLE) == set(FORMATS)
    assert {"label_studio", "jsonl"} == {name for name, fmt in FORMATS.items() if fmt.told}
    assert not {"label_studio", "jsonl"} & set(WRITABLE)


def test_formats_with_a_layout_of_their_own_are_told_nothing() -> None:
    assert reader("prmbench") is FORMATS["prmbench"].read
    assert complete("prmbench", (), {"map": "", "split": None}) == {}


@pytest.mark.parametrize(
    ("name", "told", "field", "message"),
    [
        ("prmbench", {"map": "problem=q"}, "map", "prmbench files need no map"),
        ("jsonl", {}, "map", "Say where things are"),
        ("jsonl", {"map": "steps=s"}, "map", "where the problem is"),
        ("jsonl", {"map": "problem=q,soup=s"}, "map", "'soup' is none of"),
        ("jsonl", {"map": "problem=q,response=a,steps=b"}, "map", "not both"),
        ("jsonl", {"map": "problem=q,labels=l"}, "map", "nothing that labels could be of"),
        ("jsonl", {"map": "problem=q,digest=d"}, "map", "for annotations"),
        ("jsonl", {"map": 5}, "map", "text"),
        ("jsonl", {"map": "problem=q", "split": "words"}, "split", "blank-line, numbered, none"),
        ("jsonl", {"map": "problem=q", "zero": "right"}, "zero", "neutral, wrong"),
        ("jsonl", {"map": "problem=q", "threshold": 1.5}, "threshold", "from 0 to 1"),
        ("jsonl", {"map": "problem=q", "threshold": float("nan")}, "threshold", "from 0 to 1"),
        ("jsonl", {"map": "problem=q", "threshold": True}, "threshold", "from 0 to 1"),
        ("jsonl", {"map": "problem=q", "first": 1}, "first", "need no first"),
        ("jsonl", {"map": "problem=q", "speed": 1}, "speed", "unknown"),
        ("label_studio", {"map": "problem=q"}, "map", "steps or the response"),
        ("label_studio", {"map": "problem=q,steps=s,labels=l"}, "map", "answers of controls tell"),
        ("label_studio", {"first": 2}, "first", "0 or 1"),
        ("label_studio", {"zero": "wrong"}, "zero", "need no zero"),
    ],
)
def test_what_cannot_be_is_named(name: str, told: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(BadReading, match=message) as refused:
        reader(name, told)
    assert refused.value.field == field


def test_a_reading_is_kept_complete() -> None:
    assert complete("jsonl", FORMATS["jsonl"].told, {"map": "problem=q", "zero": ""}) == {
        "map": "problem=q", "split": "none", "zero": "", "threshold": 0.5,
    }  # fmt: skip
    assert complete("label_studio", FORMATS["label_studio"].told, {}) == {
        "map": USUAL_DATA, "split": "none", "control": "", "first": 0,
    }  # fmt: skip


def test_the_readers_do_as_told() -> None:
    line = b'{"q": "1+1?", "a": "Add.\\n\\nIt is 2.", "s": [0.7, 0.6]}'
    told = {"map": "problem=q,response=a,scores=s", "split": "blank-line", "threshold": 0.65}
    (found,) = reader("jsonl", told)(io.BytesIO(line), "f")
    assert isinstance(found, ImportRecord)
    assert (found.solution.steps, found.labels[0].labels) == (("Add.", "It is 2."), "+-")
    (alone,) = reader("jsonl", {"map": "problem=q"})(io.BytesIO(line), "f")
    assert isinstance(alone, LoneProblem)
    choice = {"from_name": "v_1", "type": "choices", "value": {"choices": ["wrong"]}}
    task = [{"id": 1, "data": {"q": "?", "s": ["a", "b"]}, "annotations": [{"result": [choice]}]}]
    told = {"map": "problem=q,steps=s", "control": "v_", "first": 1}
    (found,) = reader("label_studio", told)(io.BytesIO(json.dumps(task).encode()), "f")
    assert isinstance(found, ImportRecord)
    assert found.labels[0].labels == "-."


@pytest.mark.parametrize("path", [("a",), ("a", "0", "b"), ("a.b", "c,d", "e\\f")])
def test_a_place_is_spelled_and_read_alike(path: tuple[str, ...]) -> None:
    assert parse_place(spelled(path)) == path
    assert parse_map(f"problem={spelled(path)}").places == {"problem": path}


# ---- guesses


@pytest.mark.parametrize(
    ("record", "guessed"),
    [
        (
            {"question": {"text": "q", "id": 4}, "gold": "5", "solution": "s", "meta": {"level": 3}},
            {"problem": "question.text", "answer": "gold", "response": "solution", "meta": "meta.level"},
        ),
        (
            {
                "id": "a",
                "problem": "q",
                "steps": ["a", "b"],
                "label": -1,
                "response": "a b",
                "generator": "m",
            },
            {"id": "id", "problem": "problem", "steps": "steps", "first_error": "label", "meta": "generator"},
        ),
        (
            {"prompt": "q", "completions": ["a"], "labels": [True], "annotator": "ann"},
            {"problem": "prompt", "steps": "completions", "labels": "labels", "rater": "annotator"},
        ),
        ({"Prompt": "q", "labels": [0.5, 1]}, {"problem": "Prompt", "scores": "labels"}),
        ({"prompt": [{"role": "user", "content": "q"}], "steps": "many"}, {}),
        ({"question": 5, "answer": None}, {}),
    ],
)
def test_a_guess_goes_by_name_and_value(record: dict[str, Any], guessed: dict[str, str]) -> None:
    assert guess(places([record])) == {word: [place] for word, place in guessed.items()}


def test_places_are_of_all_records_with_the_first_value_but_not_without_end() -> None:
    found = places([{"a": None, "b": {"c": 1}}, {"a": "x", "d": []}])
    assert found == {"a": "x", "b.c": 1, "d": []}
    assert len(places([{str(n): n for n in range(1_000)}])) == MAX_PLACES
