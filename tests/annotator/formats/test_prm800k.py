"""PRM800K: the path and its siblings, the traps, that records go out as they came in, and our own labels."""

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.formats import FORMATS, prm800k, processbench
from annotator.formats.records import ExportRecord, FormatError, ImportRecord, as_export

DATA = Path(__file__).parents[2] / "data" / "prm800k.jsonl"
AT = "label.steps[0]"
STEPS = ["One.", "Two.", "Three.", "Four."]


def rated(text: str, rating: int | None = 1, flagged: bool | None = None, **more: Any) -> dict[str, Any]:
    return {"text": text, "rating": rating, "flagged": flagged} | more


def step(*completions: dict[str, Any], human: Any = None, chosen: int | None = 0) -> dict[str, Any]:
    return {
        "completions": list(completions),
        "human_completion": human,
        "chosen_completion": chosen,
    }


def record(*steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a sound record of phase 1, or with `pre_generated_steps` of phase 2; changes by field name."""
    parts: dict[str, Any] = {
        "labeler": "lab",
        "timestamp": "2023-01-02T03:04:05",
        "generation": None,
        "is_quality_control_question": False,
        "is_initial_screening_question": False,
        "question": {
            "problem": "How many?",
            "ground_truth_solution": "Count.",
            "ground_truth_answer": "4",
            "pre_generated_steps": None,
            "pre_generated_answer": None,
            "pre_generated_verifier_score": None,
        },
        "label": {"steps": list(steps), "total_time": 1000, "finish_reason": "found_error"},
    }
    for key, value in changes.items():
        owner = next((part for part in (parts["question"], parts["label"]) if key in part), parts)
        owner[key] = value
        if value is ...:
            del owner[key]
    return parts


def read_text(text: str) -> list[ImportRecord | FormatError]:
    return list(prm800k.read(io.BytesIO(text.encode()), "f.jsonl"))


def good(items: Iterable[ImportRecord | FormatError]) -> list[ImportRecord]:
    found = list(items)
    assert not [str(item) for item in found if isinstance(item, FormatError)]
    return [item for item in found if isinstance(item, ImportRecord)]


def read_all(*steps: dict[str, Any], **changes: Any) -> list[ImportRecord]:
    return good(read_text(json.dumps(record(*steps, **changes))))


def shown(items: Iterable[ImportRecord]) -> list[tuple[str, str]]:
    return [(" ".join(item.solution.steps), item.labels[0].labels) for item in items]


def written(items: Iterable[ImportRecord]) -> str:
    return "".join(prm800k.write(map(as_export, items)))


def ours(item: ImportRecord, labels: str, rater: str = "reviewer:ann", **changes: Any) -> ExportRecord:
    return replace(as_export(item), labels=labels, is_source=False, rater=rater, **changes)


def write_one(*rows: ExportRecord) -> dict[str, Any]:
    (line,) = prm800k.write(rows)
    found: dict[str, Any] = json.loads(line)
    return found


def ratings(written_record: dict[str, Any]) -> list[list[int | None]]:
    return [[c["rating"] for c in step["completions"]] for step in written_record["label"]["steps"]]


@pytest.fixture(scope="module")
def data() -> list[list[ImportRecord]]:
    """The records of our file, each as its solutions."""
    found = good(prm800k.read(DATA, DATA.name))
    return [list(group) for _, group in groupby(found, key=lambda item: item.place.line)]


# ---- what records become


def test_goes_out_as_it_came_in(data: list[list[ImportRecord]]) -> None:
    assert written(item for items in data for item in items) == DATA.read_text(encoding="utf-8")


def test_goes_out_as_it_came_in_without_its_siblings(data: list[list[ImportRecord]]) -> None:
    assert written(items[0] for items in data) == DATA.read_text(encoding="utf-8")


def test_paths_and_siblings(data: list[list[ImportRecord]]) -> None:
    assert [(items[0].labels[0].labels, len(items) - 1) for items in data] == [
        ("0+-.", 3), ("++", 0), ("+++", 4), ("..", 0), ("+?..", 0), ("+", 0), ("++", 1), ("+", 0), ("+", 0)
    ]  # fmt: skip


def test_a_record_stopped_at_its_first_error(data: list[list[ImportRecord]]) -> None:
    path, *siblings = data[0]
    assert len(path.solution.steps) == 4
    assert path.sibling_of == ""
    assert path.solution.foreign_id == path.foreign_id
    assert path.foreign_id.startswith("prm800k-")
    assert path.solution.meta == {
        "length": 4, "labeler": "lab-a", "timestamp": "2023-01-02T03:04:05.000006", "generation": 3,
        "quality_control": False, "screening": False, "phase": 2, "answer": "3", "verifier_score": 0.03125,
        "finish_reason": "found_error", "total_time_ms": 61000,
    }  # fmt: skip
    assert (path.problem.answer, path.problem.meta["reference_solution"]) == ("4", "See above.")
    (label,) = path.labels
    assert (label.kind, label.name, label.finish_reason, label.duration_ms, label.first_error) == (
        "source", "prm800k", "found_error", 61000, 2
    )  # fmt: skip
    assert [item.sibling_of for item in siblings] == [path.foreign_id] * 3
    assert [item.foreign_id.removeprefix(path.foreign_id) for item in siblings] == [".2.1", ".2.2", ".2.3"]
    assert [item.labels[0].labels for item in siblings] == ["0++", "0+0", "0+-"]
    assert siblings[0].solution.steps == (*path.solution.steps[:2], "So there must be $4$ trips.")
    assert all(item.problem == path.problem for item in siblings)


def test_what_nothing_else_can_say_is_kept_and_no_more(data: list[list[ImportRecord]]) -> None:
    assert data[1][0].extra == ""
    assert data[3][0].extra == ""
    assert set(json.loads(data[0][0].extra)) == {"of", "values"}
    assert set(json.loads(data[0][0].extra)["values"]) == {"label"}


def test_flags_of_a_record_are_in_meta(data: list[list[ImportRecord]]) -> None:
    assert data[1][0].solution.meta["quality_control"] is True
    meta = data[4][0].solution.meta
    assert (meta["screening"], meta["generation"], meta["flagged"]) == (True, -1, [1])
    assert data[2][4].solution.meta["flagged"] == [1]
    assert "flagged" not in data[0][0].solution.meta


def test_a_human_step_is_taken_and_correct(data: list[list[ImportRecord]]) -> None:
    path, *siblings = data[2]
    assert path.solution.steps == ("Divide by $2$.", "$x = 3$.", "# Answer\n\n3")
    assert (path.solution.meta["human_steps"], path.solution.meta["phase"]) == ([1], 1)
    assert shown(siblings) == [
        ("Add $2$.", "-"),
        ("Look at it.", "0"),
        ("Divide by $2$. $x = 4$.", "+-"),
        ("Divide by $2$. $x = 2$.", "+-"),
    ]


def test_another_way_than_the_pre_generated_one(data: list[list[ImportRecord]]) -> None:
    path, sibling = data[6]
    assert path.solution.steps == ("$9-4=5$.", "# Answer\n\n5")
    assert sibling.solution.steps == ("$9-4=6$.",)


@pytest.mark.parametrize(
    ("human", "labels"),
    [
        ({"text": "H."}, "+"),
        ({"text": "H.", "rating": None, "flagged": True}, "+"),
        ({"text": "H.", "rating": 0}, "0"),
        ("H.", "+"),
    ],
)
def test_human_completions(human: Any, labels: str) -> None:
    assert shown(read_all(step(human=human, chosen=None))) == [("H.", labels)]


@pytest.mark.parametrize("human", [None, {"text": None}, {}, "", {"text": ""}])
def test_no_human_text_is_a_stop(human: Any) -> None:
    found = read_all(step(rated("A", -1), rated("B", 0), human=human, chosen=None))
    assert shown(found) == [("A", "-"), ("B", "0")]


def test_a_human_text_that_was_not_taken_is_a_sibling() -> None:
    found = read_all(step(rated("A"), human={"text": "H."}, chosen=0))
    assert shown(found) == [("A", "+"), ("H.", "+")]
    assert found[1].foreign_id.endswith(".0.human")


@pytest.mark.parametrize(
    ("rating", "flagged", "label"),
    [
        (1, None, "+"),
        (0, False, "0"),
        (-1, True, "-"),
        (None, None, "."),
        (None, False, "."),
        (None, True, "?"),
    ],
)
def test_ratings(rating: int | None, flagged: bool | None, label: str) -> None:
    assert shown(read_all(step(rated("A", rating, flagged)))) == [("A", label)]


def test_a_record_that_nobody_judged_is_the_pre_generated_solution() -> None:
    assert shown(read_all(pre_generated_steps=STEPS)) == [("One. Two. Three. Four.", "....")]


def test_ids_are_of_the_content_and_not_of_its_spelling() -> None:
    one = record(step(rated("A")), more=1)
    texts = [json.dumps(one), json.dumps(one, indent=None, separators=(",", ":"))]
    assert len({good(read_text(text))[0].foreign_id for text in texts}) == 1
    for changed in ({"labeler": "x"}, {"timestamp": "x"}, {"problem": "x"}):
        assert read_all(step(rated("A")), **changed)[0].foreign_id != good(read_text(texts[0]))[0].foreign_id
    assert read_all(step(rated("A", 0)))[0].foreign_id != good(read_text(texts[0]))[0].foreign_id


@pytest.mark.parametrize(
    ("steps", "changes", "message"),
    [
        ([], {}, "label.steps: must have at least one step with a text"),
        ([step(chosen=None)], {}, "label.steps: must have at least one step with a text"),
        ([step(chosen=None), step(rated("A"))], {}, f"{AT}.completions: must not be empty where later steps "
         "have a text"),
        ([step(rated("A"), chosen=1)], {}, f"{AT}.chosen_completion: must be one of the 1 completions, "
         "not 1"),
        ([step(rated("A"), chosen=-1)], {}, f"{AT}.chosen_completion: must be one of the 1 completions, "
         "not -1"),
        ([step(rated("A"), chosen=True)], {}, f"{AT}.chosen_completion: must be a whole number or null, "
         "not true"),
        ([step(rated("A", 2))], {}, f"{AT}.completions[0].rating: must be -1, 0, 1 or null, not 2"),
        ([step(rated("A", True))], {}, f"{AT}.completions[0].rating: must be a whole number or null, "
         "not true"),
        ([step({"rating": 1})], {}, f"{AT}.completions[0].text: is missing"),
        ([step(rated("A", flagged=1))], {}, f"{AT}.completions[0].flagged: must be true, false or null, "
         "not 1"),
        ([step(rated("A")), 5], {}, "label.steps[1]: must be an object, not 5"),
        ([step(rated("A"), human=5)], {}, f"{AT}.human_completion: must be an object, not 5"),
        ([step(rated("A"))], {"finish_reason": "bored"}, "label.finish_reason: must be one of found_error, "
         "solution, bad_problem, give_up, not 'bored'"),
        ([step(rated("A"))], {"total_time": -1}, "label.total_time: must be milliseconds, not -1"),
        ([step(rated("A"))], {"total_time": "1"}, "label.total_time: must be a number, not '1'"),
        ([step(rated("A"))], {"problem": " "}, "question.problem: must not be empty"),
        ([step(rated("A"))], {"question": ...}, "question: is missing"),
        ([step(rated("A"))], {"label": []}, "label: must be an object, not a list"),
        ([step(rated("A"))], {"pre_generated_steps": [1]}, "question.pre_generated_steps[0]: must be "
         "text, not 1"),
        ([step(rated("A"))], {"generation": "3"}, "generation: must be a whole number or null, not '3'"),
        ([step(rated("A"))], {"is_quality_control_question": 0}, "is_quality_control_question: must be true, "
         "false or null, not 0"),
    ],
)  # fmt: skip
def test_bad_record(steps: list[Any], changes: dict[str, Any], message: str) -> None:
    sound = record(step(rated("A")))
    lines = [json.dumps(row) for row in (sound, record(*steps, **changes), sound)]
    before, found, after = read_text("\n".join(lines))
    assert isinstance(before, ImportRecord)
    assert isinstance(after, ImportRecord)
    assert str(found) == f"f.jsonl, line 2, {message}"


# ---- our own labels


def test_our_labels_in_the_shape_of_a_record() -> None:
    (found,) = read_all(pre_generated_steps=STEPS, generation=2)
    row = ours(found, "+0-.", made_at="2026-01-02T03:04:05Z", duration_ms=5000, finish_reason="found_error")
    written = write_one(row)
    assert (written["labeler"], written["timestamp"], written["generation"]) == (
        "reviewer:ann", "2026-01-02T03:04:05Z", 2
    )  # fmt: skip
    assert written["question"] == record(pre_generated_steps=STEPS)["question"]
    assert written["label"] == {
        "steps": [step(rated("One.")), step(rated("Two.", 0)), step(rated("Three.", -1), chosen=None)],
        "total_time": 5000,
        "finish_reason": "found_error",
    }
    assert shown(good(read_text(json.dumps(written)))) == [("One. Two. Three. Four.", "+0-.")]


@pytest.mark.parametrize(
    ("labels", "finish"),
    [
        ("++++", "solution"),
        ("+-..", "found_error"),
        ("+-++", "found_error"),
        ("++..", "give_up"),
        ("+?+0", "give_up"),
    ],
)
def test_labels_come_back_with_a_finish_reason(labels: str, finish: str) -> None:
    (found,) = read_all(pre_generated_steps=STEPS)
    row = write_one(ours(found, labels))
    assert row["label"]["finish_reason"] == finish
    assert shown(good(read_text(json.dumps(row)))) == [("One. Two. Three. Four.", labels)]


def test_a_reason_of_our_own_is_the_nearest_of_theirs() -> None:
    (found,) = read_all(pre_generated_steps=STEPS)
    assert write_one(ours(found, "....", finish_reason="bad_split"))["label"]["finish_reason"] == "give_up"
    assert (
        write_one(ours(found, "....", finish_reason="bad_problem"))["label"]["finish_reason"] == "bad_problem"
    )


def test_nobody_gets_the_ratings_of_another(data: list[list[ImportRecord]]) -> None:
    row = write_one(ours(data[0][0], "++-."))
    assert ratings(row) == [[1], [1], [-1, None, None, None]]
    assert [step["chosen_completion"] for step in row["label"]["steps"]] == [0, 0, None]
    again = good(read_text(json.dumps(row)))
    assert [item.labels[0].labels for item in again] == ["++-.", "++.", "++.", "++."]


def test_labels_of_siblings_stand_beside_the_path(data: list[list[ImportRecord]]) -> None:
    path, first, _, third = data[0]
    row = write_one(ours(path, "++++"), ours(first, "++-"), ours(third, "++0"))
    assert ratings(row) == [[1], [1], [1, -1, None, 0], [1]]
    assert [step["chosen_completion"] for step in row["label"]["steps"]] == [0, 0, 0, 0]
    assert row["label"]["finish_reason"] == "solution"


def test_a_judged_sibling_keeps_its_step_though_the_path_stops_before(data: list[list[ImportRecord]]) -> None:
    path, first, *_ = data[0]
    assert ratings(write_one(ours(path, "-..."), ours(first, "..+"))) == [[-1], [None], [None, 1, None, None]]


def test_what_another_labeler_wrote_is_a_completion_to_us(data: list[list[ImportRecord]]) -> None:
    row = write_one(ours(data[2][0], "+-."))
    assert ratings(row) == [[None, 1, None], [None, None, -1]]
    stop = row["label"]["steps"][1]
    assert (stop["human_completion"], stop["chosen_completion"]) == (None, 2)
    assert stop["completions"][2]["text"] == "$x = 3$."
    assert good(read_text(json.dumps(row)))[0].labels[0].labels == "+-"


def test_a_completion_that_is_not_the_first_stays_chosen_at_a_stop(data: list[list[ImportRecord]]) -> None:
    row = write_one(ours(data[2][0], "-..", finish_reason="found_error"))
    assert row["label"]["steps"][0]["chosen_completion"] == 1
    assert shown(good(read_text(json.dumps(row))))[0] == ("Divide by $2$.", "-")


def test_siblings_without_their_path_are_records_of_their_own(data: list[list[ImportRecord]]) -> None:
    _, first, second, _ = data[0]
    lines = list(prm800k.write([ours(first, "++-"), ours(second, "+++")]))
    assert [item.solution.steps for item in good(read_text("".join(lines)))] == [
        first.solution.steps, second.solution.steps
    ]  # fmt: skip


def test_a_record_for_each_rater(data: list[list[ImportRecord]]) -> None:
    path, first, *rest = data[0]
    source = [replace(as_export(item), rater="source:prm800k") for item in (path, first, *rest)]
    rows = [
        source[0], ours(path, "++++"), ours(path, "-...", "reviewer:bob"),
        source[1], ours(first, "++-"), *source[2:],
    ]  # fmt: skip
    lines = list(prm800k.write([*rows, *rows]))
    assert lines[0] == DATA.read_text(encoding="utf-8").splitlines(keepends=True)[0]
    assert [json.loads(line)["labeler"] for line in lines] == ["lab-a", "reviewer:ann", "reviewer:bob"] * 2
    assert ratings(json.loads(lines[1]))[2] == [1, -1, None, None]


def test_the_source_s_ratings_are_nobody_else_s(data: list[list[ImportRecord]]) -> None:
    path, *siblings = data[0]
    lines = list(prm800k.write([as_export(path), ours(path, "++++", ""), *map(as_export, siblings)]))
    assert lines[0] == DATA.read_text(encoding="utf-8").splitlines(keepends=True)[0]
    assert ratings(json.loads(lines[1]))[2] == [1, None, None, None]
    assert len(lines) == 2


def test_from_another_format() -> None:
    text = '[{"id": "own-1", "generator": "G", "problem": "P?", "steps": ["A", "B", "C"], "label": 1}]'
    (found,) = good(processbench.read(io.BytesIO(text.encode()), "f"))
    rows = [replace(as_export(found), rater="source:processbench"), ours(found, "+0+")]
    first, second = (json.loads(line) for line in prm800k.write(rows))
    assert (ratings(first), ratings(second)) == ([[1], [-1]], [[1], [0], [1]])
    assert (second["labeler"], second["label"]["total_time"]) == ("reviewer:ann", None)
    assert second["question"]["pre_generated_steps"] == ["A", "B", "C"]
    assert prm800k.refusal(rows[0]) is None
    assert FORMATS["prm800k"].write is prm800k.write


# ---- any record

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
filled = words.filter(str.strip)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
jsons = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=5,
)
candidates = st.fixed_dictionaries(
    {"text": words, "rating": st.sampled_from([-1, 0, 1, None]), "flagged": st.booleans() | st.none()},
    optional={"more": jsons},
)  # fmt: skip
humans = (
    st.none() | words | st.fixed_dictionaries({"text": words | st.none()}, optional={"rating": st.just(1)})
)


@st.composite
def steps(draw: st.DrawFn) -> dict[str, Any]:
    completions = draw(st.lists(candidates, min_size=1, max_size=3))
    chosen = draw(st.integers(0, len(completions) - 1) | st.none())
    return step(*completions, human=draw(humans), chosen=chosen) | draw(
        st.dictionaries(filled, jsons, max_size=1)
    )


@st.composite
def lines(draw: st.DrawFn) -> str:
    walk = draw(st.lists(steps(), min_size=1, max_size=3))
    pre = [one["completions"][0]["text"] for one in walk] + draw(st.lists(words, max_size=2))
    changes = {
        "labeler": draw(words | st.none()),
        "generation": draw(st.integers() | st.none()),
        "pre_generated_steps": draw(st.sampled_from([pre, None])),
        "pre_generated_verifier_score": draw(st.none() | st.integers(-3, 3) | st.floats(0, 1)),
        "total_time": draw(st.integers(0, 10**9) | st.floats(0, 1e9)),
        "finish_reason": draw(st.sampled_from(["found_error", "solution", "give_up", "bad_problem", ...])),
    }
    fields = draw(st.dictionaries(words, jsons, max_size=2)) | record(*walk, **changes)
    keys = draw(st.permutations(list(fields)) | st.just(list(fields)))
    text = json.dumps({key: fields[key] for key in keys}, ensure_ascii=draw(st.booleans()))
    return text.replace('"total_time": ', draw(st.sampled_from(['"total_time": ', '"total_time":'])))


@given(st.lists(lines(), max_size=3))
def test_any_lines_go_out_as_they_came_in(texts: list[str]) -> None:
    text = "".join(line + "\n" for line in texts)
    assert written(good(read_text(text))) == text


@given(lines(), st.data())
def test_any_labels_come_back(line: str, data: st.DataObject) -> None:
    found = good(read_text(line))
    path = found[0]
    n = len(path.solution.steps)
    labels = data.draw(st.text("+-0?", min_size=n, max_size=n))
    row = write_one(ours(path, labels))
    again = good(read_text(json.dumps(row)))
    assert (again[0].solution.steps, again[0].labels[0].labels) == (path.solution.steps, labels)
    assert row["question"] == json.loads(line)["question"]
    assert written(again) == json.dumps(row) + "\n"


def test_streams() -> None:
    line = json.dumps(record(step(rated("A"), rated("B")), step(rated("C"))))
    rows = prm800k.read(io.BytesIO((line + "\n").encode() * 5000), "f")
    seen = 0
    for _ in prm800k.write(as_export(row) for row in rows if isinstance(row, ImportRecord)):
        seen += 1
    assert seen == 5000
