"""A group's own data: maps, splitting, solutions, problems alone, and judgements from elsewhere."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.formats import mapped
from annotator.formats.mapping import parse_map, paths_of, value_at
from annotator.formats.records import AnnotationRecord, FormatError, ImportRecord, LoneProblem
from annotator.formats.splitting import split

ZERO = "is 0: say whether that means neutral or wrong"
NESTED = "problem=q.text,answer=gold,response=samples.0,id=uid,meta=level,meta=info"


def row(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "q": {"text": "What is 1 + 2?"},
        "gold": 3,
        "samples": ["Add.\n\nIt is 3."],
        "uid": 17,
        "level": "easy",
        "info": {"model": "m", "seed": 4},
        "rest": [1],
    }
    return {key: value for key, value in (fields | changes).items() if value is not ...}


def read(of: str, *rows: dict[str, Any], **how: Any) -> list[ImportRecord | LoneProblem | FormatError]:
    text = "\n".join(json.dumps(one) for one in rows)
    return list(mapped.read_solutions(io.BytesIO(text.encode()), "f.jsonl", parse_map(of), **how))


def read_one(of: str, one: dict[str, Any], **how: Any) -> ImportRecord:
    (found,) = read(of, one, **how)
    assert isinstance(found, ImportRecord), found
    return found


def judge(of: str, one: dict[str, Any], **how: Any) -> AnnotationRecord | FormatError:
    source = io.BytesIO(json.dumps(one).encode())
    (found,) = mapped.read_annotations(source, "f.jsonl", parse_map(of), **how)
    return found


# ---- maps


def test_a_map() -> None:
    found = parse_map(r" problem=q.text, answer = a\.b.c\,d ,meta=x,meta=y.0")
    assert found.places == {"problem": ("q", "text"), "answer": ("a.b", "c,d")}
    assert found.meta == (("x",), ("y", "0"))


def test_names_with_dots_and_commas() -> None:
    assert parse_map(r"problem=a\.b.c\,d\\").places == {"problem": ("a.b", "c,d\\")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is none of problem, answer"),
        ("question=q", "'question' is none of problem, answer"),
        ("problem", "problem needs a place, such as problem=a.b"),
        ("problem=", "problem needs a place"),
        ("problem=a..b", "problem needs a place"),
        ("problem=a,problem=b", "problem is mapped twice"),
        ("problem=a,steps=b,response=c", "a solution is either response or steps, not both"),
    ],
)
def test_bad_map(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_map(text)


def test_values() -> None:
    value = {"a": [{"b": 1}], "0": 2}
    assert value_at(value, ("a", "0", "b")) == 1
    assert value_at(value, ("0",)) == 2
    assert [value_at(value, path) for path in (("a", "1"), ("a", "x"), ("a", "-1"), ("0", "0"))] == [None] * 4


def test_places_of_a_record_for_a_preview() -> None:
    assert paths_of(row() | {"a.b": {"c": [{"d": 1}], "e": {}}}) == [
        "q.text", "gold", "samples", "uid", "level", "info.model", "info.seed", "rest",
        "a\\.b.c", "a\\.b.c.0.d",
    ]  # fmt: skip


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5).filter(
    lambda s: s == s.strip()
)


@given(st.dictionaries(names, st.integers() | st.dictionaries(names, st.integers(), max_size=3), max_size=4))
def test_every_place_can_be_mapped(value: dict[str, Any]) -> None:
    for place in paths_of(value):
        (path,) = parse_map(f"problem={place}").places.values()
        assert type(value_at(value, path)) is int


# ---- splitting


@pytest.mark.parametrize(
    ("text", "how", "steps"),
    [
        ("a\n\nb\n \t\n\n c\nd \n", "blank-line", ("a", "b", "c\nd")),
        ("a\r\n\r\nb", "blank-line", ("a", "b")),
        (" a ", "blank-line", ("a",)),
        ("\n\n", "blank-line", ()),
        ("a\n\nb", "none", ("a\n\nb",)),
        ("1. a\n2. b\n\nc\n3. d", "numbered", ("1. a", "2. b\n\nc", "3. d")),
        ("Step 1: a\nStep 2: b", "numbered", ("Step 1: a", "Step 2: b")),
        ("**Step 1.** a\n## 2) b", "numbered", ("**Step 1.** a", "## 2) b")),
        ("So:\n1. a\n2. b", "numbered", ("So:", "1. a", "2. b")),
        ("1. a\n3. not a step\n2. b", "numbered", ("1. a\n3. not a step", "2. b")),
        ("1. a\n1.5 is\n12. no\n2: b", "numbered", ("1. a\n1.5 is\n12. no", "2: b")),
        ("nothing numbered\n2. b", "numbered", ("nothing numbered\n2. b",)),
    ],
)
def test_split(text: str, how: Any, steps: tuple[str, ...]) -> None:
    assert split(text, how) == steps


@given(st.text("a1.2:\n ", max_size=30), st.sampled_from(["blank-line", "numbered", "none"]))
def test_splitting_loses_only_blanks(text: str, how: Any) -> None:
    assert "".join("".join(split(text, how)).split()) == "".join(text.split())


# ---- solutions


def test_a_solution() -> None:
    found = read_one(NESTED, row(), how="blank-line")
    assert (found.problem.text, found.problem.answer) == ("What is 1 + 2?", "3")
    assert (found.solution.steps, found.solution.foreign_id) == (("Add.", "It is 3."), "17")
    assert found.solution.meta == {"level": "easy", "model": "m", "seed": 4, "length": 2}
    assert found.problem.meta == {"source": "jsonl"}
    assert found.labels == ()
    assert json.loads(found.extra) == {"of": "jsonl", "values": {"rest": [1]}}


def test_steps_as_a_list() -> None:
    found = read_one("problem=q.text,steps=samples,meta=source", row(samples=["a", ""], source="s"))
    assert found.solution.steps == ("a", "")
    assert found.problem.meta == {"source": "s"}
    assert found.foreign_id.startswith("jsonl-")


def test_groups() -> None:
    first = read_one("problem=q.text,steps=samples", row())
    second = read_one("problem=q.text,steps=samples,id=uid", row(q={"text": " What is\n1 + 2?"}))
    assert first.problem.group == second.problem.group
    assert read_one("problem=q.text,steps=samples,group=level", row()).problem.group == "easy"


def test_problems_alone() -> None:
    (found,) = read("problem=q.text,answer=gold,id=uid,meta=level", row())
    assert isinstance(found, LoneProblem)
    assert (found.problem.foreign_id, found.problem.answer) == ("17", "3")
    assert found.problem.meta == {"source": "jsonl", "level": "easy"}


@pytest.mark.parametrize(
    ("of", "more", "labels", "scores"),
    [
        ("labels=x", {"x": "+-"}, "+-", None),
        ("labels=x", {"x": ["?", None]}, "?.", None),
        ("labels=x", {"x": [True, False]}, "+-", None),
        ("labels=x", {"x": [1, -1]}, "+-", None),
        ("first_error=x", {"x": 0}, "-.", None),
        ("first_error=x", {"x": -1}, "++", None),
        ("scores=x", {"x": [0.9, 0.1]}, "+-", (0.9, 0.1)),
        ("scores=x,labels=y", {"x": [0.9, 0.1], "y": "++"}, "++", (0.9, 0.1)),
        ("labels=x", {"x": None}, None, None),
    ],
)
def test_labels(of: str, more: dict[str, Any], labels: str | None, scores: Any) -> None:
    found = read_one(f"problem=q.text,steps=samples,{of}", row(samples=["a", "b"], **more))
    assert [(one.labels, one.scores, one.name) for one in found.labels] == (
        [(labels, scores, "jsonl")] if labels else []
    )


def test_who_labelled() -> None:
    found = read_one("problem=q.text,steps=samples,labels=x,rater=level", row(x=[True]))
    assert [(one.kind, one.name) for one in found.labels] == [("source", "easy")]


@pytest.mark.parametrize(("zero", "labels"), [("neutral", "+0"), ("wrong", "+-")])
def test_zero_is_what_the_lead_says(zero: Any, labels: str) -> None:
    one = row(samples=["a", "b"], x=[1, 0])
    assert read_one("problem=q.text,steps=samples,labels=x", one, zero=zero).labels[0].labels == labels


@pytest.mark.parametrize(
    ("of", "changes", "message"),
    [
        ("problem=q.text,response=samples.0", {"q": {}}, "q.text: is missing"),
        ("problem=q.text,response=samples.0", {"q": {"text": 5}}, "q.text: must be text, not 5"),
        ("problem=q.text,response=samples.3", {}, "samples.3: is missing"),
        ("problem=q.text,response=samples.0", {"samples": [" "]}, "samples.0: must not be empty"),
        ("problem=q.text,steps=samples", {"samples": ["a", 1]}, "samples[1]: must be text, not 1"),
        ("problem=q.text,steps=samples,labels=x", {"x": [1, 1]}, "x: must be as many as the 1 steps, not 2"),
        ("problem=q.text,steps=samples,labels=x", {"x": [0]}, f"x[0]: {ZERO}"),
        ("problem=q.text,steps=samples,labels=x", {"x": [0.5]},
         "x[0]: must be one of + - 0 ? ., true, false, 1, 0, -1 or null, not 0.5; soft values are scores"),
        ("problem=q.text,steps=samples,labels=x", {"x": "y"},
         "x[0]: must be one of + - 0 ? ., true, false, 1, 0, -1 or null, not 'y'"),
        ("problem=q.text,steps=samples,labels=x", {"x": 5}, "x: must be text or a list, not 5"),
        ("problem=q.text,steps=samples,labels=x", {"x": []}, "x: must have at least one label"),
        ("problem=q.text,steps=samples,scores=x", {"x": ["1"]}, "x[0]: must be a number, not '1'"),
        ("problem=q.text,steps=samples,first_error=x", {"x": 1},
         "x: must be -1 or the 0-based place of a step, not 1"),
        ("problem=q.text,steps=samples,id=level", {"level": "x" * 201},
         "level: must have 1 to 200 characters, and not only blanks"),
        ("problem=q.text,steps=samples,id=level", {"level": True},
         "level: must be text, a number or null, not true"),
    ],
)  # fmt: skip
def test_bad_record(of: str, changes: dict[str, Any], message: str) -> None:
    (found,) = read(of, row(**changes))
    assert str(found) == f"f.jsonl, line 1, {message}"


def test_one_bad_record_is_no_end() -> None:
    before, found, after = read("problem=q.text,steps=samples", row(), row(samples=[]), row())
    assert isinstance(before, ImportRecord)
    assert isinstance(after, ImportRecord)
    assert str(found) == "f.jsonl, line 2, samples: must have at least one step"


def test_meta_holds_what_a_database_can() -> None:
    text = json.dumps(row(level={"a": ["<big>"]})).replace('"<big>"', "1e999")
    of = parse_map("problem=q.text,steps=samples,meta=level")
    (found,) = mapped.read_solutions(io.BytesIO(text.encode()), "f.jsonl", of)
    assert str(found) == "f.jsonl, line 1, level: is or holds too large a number"
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    (found,) = read("problem=q.text,steps=samples,meta=level", row(level=deep))
    assert str(found) == "f.jsonl, line 1, level: is nested deeper than 50"


def test_a_map_must_have_a_problem() -> None:
    with pytest.raises(ValueError, match="where the problem is"):
        read("steps=samples", row())


# ---- judgements


@pytest.mark.parametrize(
    ("of", "one", "found"),
    [
        ("id=i,labels=l", {"i": "a", "l": "+-"}, ("a", "", "", "+-", None, None)),
        ("digest=d,scores=s,rater=r", {"d": "ff", "s": [1, 0.5], "r": "bob"},
         ("", "ff", "bob", None, (1.0, 0.5), None)),
        ("id=i,first_error=f", {"i": 5, "f": -1}, ("5", "", "", None, None, -1)),
        ("id=i,digest=d,labels=l", {"d": "ff", "l": [True]}, ("", "ff", "", "+", None, None)),
        ("id=a.b,labels=c.0", {"a": {"b": "x"}, "c": ["+"]}, ("x", "", "", "+", None, None)),
    ],
)  # fmt: skip
def test_a_judgement(of: str, one: dict[str, Any], found: tuple[Any, ...]) -> None:
    read = judge(of, one)
    assert isinstance(read, AnnotationRecord)
    assert (
        read.foreign_id, read.digest, read.annotator, read.labels, read.scores, read.first_error
    ) == found  # fmt: skip


@pytest.mark.parametrize(
    ("of", "one", "message"),
    [
        ("id=i,labels=l", {"l": "+"}, ", i: is missing"),
        ("digest=d,labels=l", {"l": "+"}, ", d: is missing"),
        ("id=i,labels=l", {"i": "a"}, ": has neither labels nor scores nor a first error"),
        (
            "id=i,labels=l,scores=s",
            {"i": "a", "l": "++", "s": [1]},
            ", s: must be as many as the 2 labels, not 1",
        ),
        ("id=i,first_error=f", {"i": "a", "f": -2}, ", f: must be -1 or the 0-based place of a step, not -2"),
        ("id=i,labels=l", {"i": "a", "l": [1, 0]}, ", l[1]: is 0: say whether that means neutral or wrong"),
    ],
)
def test_bad_judgement(of: str, one: dict[str, Any], message: str) -> None:
    assert str(judge(of, one)) == f"f.jsonl, line 1{message}"


@pytest.mark.parametrize(
    ("of", "message"),
    [("labels=l", "the id or the digest"), ("id=i", "the labels, scores or first error")],
)
def test_a_map_must_say_whose_and_what(of: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        judge(of, {})
