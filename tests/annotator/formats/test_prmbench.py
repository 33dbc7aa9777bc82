"""PRMBench: what its records become, the traps in its data, and that they go out as they came in."""

import io
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core import labels as core
from annotator.formats import FORMATS, READABLE, WRITABLE, prmbench, processbench
from annotator.formats.records import (
    CannotWrite,
    ClaimRecord,
    ExportRecord,
    FormatError,
    ImportRecord,
    Place,
    UnknownLabels,
    as_export,
)

DATA = Path(__file__).parents[2] / "data" / "prmbench.jsonl"


def record(**changes: Any) -> dict[str, Any]:
    """Return a sound record; a change to ... leaves the field out."""
    fields: dict[str, Any] = {
        "original_question": "What is 1 + 2?",
        "modified_question": "What is 1 + 2?",
        "original_process": ["Add.", "It is 3."],
        "modified_process": ["Add.", "It is 4."],
        "modified_steps": [2],
        "error_steps": [2],
        "reason": "It is 3.",
        "idx": "own_1",
        "question": "What is 1 + 2?",
        "classification": "counterfactual",
    }
    return {key: value for key, value in (fields | changes).items() if value is not ...}


def read_text(text: str) -> list[ImportRecord | FormatError]:
    return list(prmbench.read(io.BytesIO(text.encode()), "f.jsonl"))


def read_one(**changes: Any) -> ImportRecord:
    (found,) = read_text(json.dumps(record(**changes), ensure_ascii=False))
    assert isinstance(found, ImportRecord), found
    return found


def good(items: Iterator[ImportRecord | FormatError]) -> list[ImportRecord]:
    found = list(items)
    assert not [str(item) for item in found if isinstance(item, FormatError)]
    return [item for item in found if isinstance(item, ImportRecord)]


@pytest.fixture(scope="module")
def ours() -> list[ImportRecord]:
    return good(prmbench.read(DATA, DATA.name))


def test_goes_out_as_it_came_in(ours: list[ImportRecord]) -> None:
    assert "".join(prmbench.write(map(as_export, ours))) == DATA.read_text(encoding="utf-8")


def test_all_kinds_are_there_in_our_spelling(ours: list[ImportRecord]) -> None:
    kinds = {item.claim.error_type for item in ours if item.claim}
    assert kinds == {kind.code for kind in core.ERROR_TYPES} | {core.MULTI_SOLUTIONS}


def test_a_record() -> None:
    found = read_one()
    assert found.place == Place("f.jsonl", 1)
    assert found.foreign_id == "counterfactual_own_1"
    assert found.problem.text == "What is 1 + 2?"
    assert (found.problem.foreign_id, found.problem.group) == ("own_1", "own_1")
    assert (found.problem.answer, found.problem.meta) == (None, {"source": "own"})
    assert found.changed_problem is None
    assert found.original is not None
    assert found.original.steps == ("Add.", "It is 3.")
    assert found.original.foreign_id == "original_counterfactual_own_1"
    assert found.solution.steps == ("Add.", "It is 4.")
    assert (found.solution.foreign_id, found.solution.meta) == ("counterfactual_own_1", {"length": 2})
    assert found.claim == ClaimRecord("counterfactual", (2,), (2,), "It is 3.")
    (label,) = found.labels
    assert (label.kind, label.name, label.labels, label.first_error) == ("injector", "prmbench", "+-", 1)
    assert found.extra == ""


def test_ids_of_redundancy_records_keep_the_file_spelling_that_results_use() -> None:
    found = read_one(classification="redundency")
    assert found.claim is not None
    assert found.claim.error_type == "redundancy"
    assert found.foreign_id == "redundency_own_1"
    assert found.original is not None
    assert found.original.foreign_id == "correct_own_1"


def test_a_redundant_step_is_wrong(ours: list[ImportRecord]) -> None:
    assert ours[0].labels[0].labels == "+-+++"


def test_the_prefix_of_the_other_copy_is_no_part_of_the_group(ours: list[ImportRecord]) -> None:
    found = ours[-1]
    assert (found.problem.group, found.foreign_id) == ("own_two_4", "circular_own_two_4")
    assert json.loads(found.extra)["values"] == {"idx": "circular_own_two_4"}


def test_one_group_for_all_kinds_of_a_problem(ours: list[ImportRecord]) -> None:
    assert [item.problem.group for item in ours[:3]] == ["own_one_1"] * 3
    assert [item.problem.meta["source"] for item in ours[:4]] == ["own_one"] * 3 + ["own_two"]


@pytest.mark.parametrize(
    ("wrong", "labels", "first"),
    [
        ([2], "+-", 1),
        ([], "++", core.NO_ERROR),
        ([2, 1], "--", 0),
        ([2, 2], "+-", 1),
        ([3, 2], "+-", 1),
        ([0, -1, 3, 10**30], "++", core.NO_ERROR),
    ],
)
def test_claims_stay_verbatim_and_their_usable_part_is_labels(
    wrong: list[int], labels: str, first: int
) -> None:
    found = read_one(error_steps=wrong, modified_steps=wrong[::-1])
    assert found.claim is not None
    assert list(found.claim.claimed_wrong) == wrong
    assert list(found.claim.claimed_changed) == wrong[::-1]
    assert (found.labels[0].labels, found.labels[0].first_error) == (labels, first)
    assert json.loads(prmbench.write_record(as_export(found)))["error_steps"] == wrong


def test_what_released_data_has_passes_unchanged(ours: list[ImportRecord]) -> None:
    numbered, unsorted, with_empty, foreign, no_op = ours[1:6]
    assert numbered.solution.steps[0].startswith("1. ")
    assert unsorted.claim is not None
    assert unsorted.claim.claimed_wrong == (4, 2, 4, 9)
    assert unsorted.labels[0].labels == "+-+-+"
    assert with_empty.solution.steps == ("Divide:\n\n$12/4=3$.", "", "One part is 4 m long.")
    assert "\u2028" in foreign.solution.steps[1]
    assert no_op.original is not None
    assert no_op.solution.steps == no_op.original.steps
    assert no_op.labels[0].labels == "++-"


def test_a_changed_question_is_another_problem_of_the_group(ours: list[ImportRecord]) -> None:
    found = ours[6]
    assert found.problem.text == "What is 15 % of 60?"
    assert found.changed_problem is not None
    assert found.changed_problem.text == "What is some share of 60?"
    assert found.changed_problem.group == found.problem.group
    assert (found.changed_problem.foreign_id, found.changed_problem.answer) == (found.foreign_id, None)


def test_unknown_fields_and_a_third_question_are_kept(ours: list[ImportRecord]) -> None:
    assert json.loads(ours[1].extra) == {
        "of": "prmbench",
        "values": {"question": ours[1].problem.text.replace("18 seats", "$18$ seats")},
    }
    kept = json.loads(ours[7].extra)
    assert kept["spelled"] == {"score": "1e5", "rate": "1.10"}
    assert kept["values"]["n"] == 123456789012345678901234567890
    assert kept["order"][:3] == ["idx", "classification", "score"]


def test_duplicates_are_left_to_others(ours: list[ImportRecord]) -> None:
    assert [item.foreign_id for item in ours].count("multi_solutions_own_two_4") == 2


def test_another_solution_has_no_wrong_step(ours: list[ImportRecord]) -> None:
    found = ours[8]
    assert found.claim == ClaimRecord("multi_solutions", (), (), "")
    assert (found.problem.answer, found.labels[0].labels) == ("9", "++")
    assert list(json.loads(found.extra)["values"]) == ["original_response"]


@pytest.mark.parametrize(
    ("steps", "given", "answer"),
    [
        (["a", "# Answer\n\n29"], ..., "29"),
        (["a", "So.\n\n# Answer\n\n\\frac{1}{2} \n"], ..., "\\frac{1}{2}"),
        (["a", "# Answer\n\n29"], None, "29"),
        (["a", "# Answer\n\n29"], "30", "30"),
        (["# Answer\n\n1", "# Answer\n\n2"], ..., None),
        (["# Answer\n\n1", "So 1."], ..., None),
        (["a", "# Answer\n\n29\n30"], ..., None),
        (["a", "# Answer\n\n"], ..., None),
    ],
)
def test_answer_only_if_there_is_no_doubt(steps: list[str], given: Any, answer: str | None) -> None:
    text = json.dumps(record(original_process=steps, ground_truth=given))
    (found,) = good(prmbench.read(io.BytesIO(text.encode()), "f"))
    assert found.problem.answer == answer
    assert prmbench.write_record(as_export(found)) == text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"original_question": ...}, "f.jsonl, line 1, original_question: is missing"),
        ({"modified_question": " "}, "f.jsonl, line 1, modified_question: must not be empty"),
        ({"reason": None}, "f.jsonl, line 1, reason: must be text, not null"),
        ({"original_process": "x"}, "f.jsonl, line 1, original_process: must be a list of texts, not 'x'"),
        ({"modified_process": []}, "f.jsonl, line 1, modified_process: must have at least one step"),
        ({"modified_process": ["a", None]}, "f.jsonl, line 1, modified_process[1]: must be text, not null"),
        (
            {"modified_steps": [1, 2, "x"]},
            "f.jsonl, line 1, modified_steps[2]: must be a whole number, not 'x'",
        ),
        ({"error_steps": [1, 2.0]}, "f.jsonl, line 1, error_steps[1]: must be a whole number, not 2.0"),
        ({"error_steps": [True]}, "f.jsonl, line 1, error_steps[0]: must be a whole number, not true"),
        ({"error_steps": None}, "f.jsonl, line 1, error_steps: must be a list of whole numbers, not null"),
        ({"idx": 7}, "f.jsonl, line 1, idx: must be text, not 7"),
        ({"idx": ""}, "f.jsonl, line 1, idx: must not be empty"),
        ({"idx": "x" * 201}, "f.jsonl, line 1, idx: must have at most 200 characters, not 201"),
        ({"ground_truth": 29}, "f.jsonl, line 1, ground_truth: must be text or null, not 29"),
        (
            {"classification": "typo\n"},
            "f.jsonl, line 1, classification: must be one of redundency, circular, counterfactual, "
            "step_contradiction, domain_inconsistency, confidence, missing_condition, deception, "
            "multi_solutions, not 'typo\\n'",
        ),
        ({"more": json.loads("[" * 60 + "]" * 60)}, "f.jsonl, line 1, more: is nested deeper than 50"),
    ],
)  # fmt: skip
def test_bad_record(changes: dict[str, Any], message: str) -> None:
    sound = json.dumps(record())
    before, found, after = read_text("\n".join([sound, json.dumps(record(**changes)), sound]))
    assert isinstance(before, ImportRecord)
    assert isinstance(after, ImportRecord)
    assert str(found) == message.replace("line 1", "line 2")


# ---- writing other labels than the source's


def gold(labels: str, **changes: Any) -> ExportRecord:
    return replace(as_export(read_one(**changes)), labels=labels, is_source=False)


@pytest.mark.parametrize(("labels", "wrong"), [("+-", [2]), ("--", [1, 2]), ("0+", []), ("-0", [1])])
def test_labels_become_error_steps(labels: str, wrong: list[int]) -> None:
    written = json.loads(prmbench.write_record(gold(labels, error_steps=[9, 1])))
    assert written == record(error_steps=wrong)


def test_reason_of_the_labels_replaces_the_claim() -> None:
    row = replace(gold("--", idx="counterfactual_own_1", more=[1.0]), reason="Both are.")
    written = prmbench.write_record(row)
    changed = record(idx="counterfactual_own_1", error_steps=[1, 2], reason="Both are.", more=[1.0])
    assert written == json.dumps(changed)


def test_other_labels_keep_the_spelling_of_all_else() -> None:
    text = json.dumps(record(more="?"), separators=(",", ":")).replace('"?"', "1.50")
    text = text.replace('"error_steps":[2]', '"error_steps": [2 ]')
    (found,) = good(prmbench.read(io.BytesIO(text.encode()), "f"))
    assert prmbench.write_record(as_export(found)) == text
    written = prmbench.write_record(replace(as_export(found), labels="-+", is_source=False))
    assert '"more": 1.50' in written
    assert json.loads(written) == record(error_steps=[1], more=1.5)


@pytest.mark.parametrize("labels", ["+?", "-.", "?-"])
def test_steps_nobody_judged_are_not_written_as_right(labels: str) -> None:
    row = gold(labels)
    message = (
        "counterfactual_own_1: PRMBench takes every step it does not name for right, "
        "but some are unsure or not judged"
    )
    with pytest.raises(UnknownLabels) as caught:
        prmbench.write_record(row)
    assert str(caught.value) == message == str(prmbench.refusal(row))


@pytest.mark.parametrize("missing", ["claim", "original"])
def test_rows_that_no_record_can_hold(missing: str) -> None:
    row = replace(gold("++"), **{missing: None})
    assert isinstance(prmbench.refusal(row), CannotWrite)
    with pytest.raises(CannotWrite):
        list(prmbench.write([row]))
    assert prmbench.refusal(gold("++")) is None


def test_an_injection_can_leave_as_processbench_and_come_back() -> None:
    row = replace(gold("+-", more=1), changed_problem=None)
    text = "".join(processbench.write([row]))
    (back,) = good(processbench.read(io.BytesIO(text.encode()), "f.json"))
    assert (back.foreign_id, back.solution.steps) == (row.solution.foreign_id, row.solution.steps)
    assert back.labels[0].labels == "+-"
    assert "".join(processbench.write([as_export(back)])) == text


def test_a_list_is_read_too_and_leaves_as_lines() -> None:
    rows = [record(), record(more={"a": [1, "é"]})]
    for indent in (None, 2):
        found = good(prmbench.read(io.BytesIO(json.dumps(rows, indent=indent).encode()), "f"))
        lines = [json.loads(line) for line in prmbench.write(map(as_export, found))]
        assert lines == rows


def test_formats_by_name() -> None:
    written_only = {"prmbench_results", "processbench_results", "rlhflow", "openrlhf", "qwen", "pairs"}
    assert set(WRITABLE) - set(READABLE) == written_only
    assert {"prmbench", "processbench", "prm800k", "math_shepherd", "trl", "best_of_n"} < set(WRITABLE)
    assert FORMATS["prmbench"].read is prmbench.read
    assert FORMATS["prmbench"].suffix == ".jsonl"


# ---- any record goes out byte for byte

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
filled = words.filter(str.strip)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words
jsons = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
spellings = st.sampled_from(
    ["1e5", "-0", "1.10", "1E+2", "0.0", "-0.0", "1e999", '"\\/"', '"\\u0041"', "[1 ,2]"]
)
numbers = st.lists(st.integers(-2, 6) | st.integers(), max_size=4)
records = st.fixed_dictionaries(
    {
        "original_question": filled,
        "modified_question": filled,
        "original_process": st.lists(words, min_size=1, max_size=4),
        "modified_process": st.lists(words, min_size=1, max_size=4),
        "modified_steps": numbers,
        "error_steps": numbers,
        "reason": words,
        "idx": filled,
        "classification": st.sampled_from(sorted(prmbench.CODES)),
    },
    optional={"question": jsons, "ground_truth": words | st.none(), "original_response": jsons},
)  # fmt: skip


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A record as one line: fields in any order, unknown ones among them, in any layout and spelling."""
    fields = draw(st.dictionaries(words, jsons, max_size=3)) | draw(records)
    if draw(st.booleans()):
        fields["modified_question"] = fields["question"] = fields["original_question"]
    odd = draw(st.dictionaries(words.filter(lambda key: key not in fields), spellings, max_size=2))
    keys = draw(st.permutations([*fields, *odd]) | st.just([*fields, *odd]))
    ascii_only = draw(st.booleans())
    item, colon = draw(st.sampled_from([(", ", ": "), (",", ":"), (" ,  ", " : "), (",\t", ":")]))
    encode = json.JSONEncoder(ensure_ascii=ascii_only, separators=(item, colon)).encode
    members = [encode(key) + colon + (odd[key] if key in odd else encode(fields[key])) for key in keys]
    return "{" + item.join(members) + "}"


@given(st.lists(lines(), max_size=3))
def test_any_lines_go_out_as_they_came_in(texts: list[str]) -> None:
    text = "".join(line + "\n" for line in texts)
    rows = good(prmbench.read(io.BytesIO(text.encode()), "f"))
    assert "".join(prmbench.write(map(as_export, rows))) == text


@given(lines(), st.randoms())
def test_other_labels_change_nothing_else_and_come_back(line: str, chance: random.Random) -> None:
    (found,) = good(prmbench.read(io.BytesIO(line.encode()), "f"))
    labels = "".join(chance.choice("+-") for _ in found.solution.steps)
    written = prmbench.write_record(replace(as_export(found), labels=labels, is_source=False))
    wrong = [position + 1 for position in core.wrong_steps(labels)]
    assert json.loads(written) == json.loads(line) | {"error_steps": wrong}
    assert list(json.loads(written)) == list(json.loads(line))
    (back,) = good(prmbench.read(io.BytesIO(written.encode()), "f"))
    assert back.labels[0].labels == labels
    assert prmbench.write_record(as_export(back)) == written
