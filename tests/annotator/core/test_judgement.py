"""What a reviewer may send, where it is refused, and what is still missing."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.judgement import (
    BadJudgement,
    Judgement,
    edited_steps,
    label_following,
    missing,
    missing_verdict,
    parse,
    stopped,
)

KINDS = {"circular", "redundancy"}


def test_an_empty_draft_judges_nothing() -> None:
    assert parse({}, 3, KINDS) == Judgement(labels="...")


def test_labels_may_come_as_a_list() -> None:
    assert parse({"labels": ["+", "-", "."]}, 3, KINDS).labels == "+-."


def test_everything_is_read() -> None:
    judgement = parse(
        {
            "labels": "+-.",
            "error_types": {"1": ["circular", "circular"]},
            "edit": {"1": "better"},
            "insert": {"-1": "before all"},
            "delete": [2, 2],
            "note": "see step 2",
            "finish_reason": "solution",
            "verdict": {"claim": "fix", "kind": "circular", "original": ""},
            "duration_ms": 12,
            "bulk": [1, 0, 2],
            "alternatives": {"7": "+", "9": "."},
        },
        3,
        KINDS,
        {7, 9},
    )
    assert judgement.error_types == {1: ["circular"]}
    assert judgement.delete == [2]
    assert judgement.verdict == {"claim": "fix", "kind": "circular"}
    assert judgement.bulk == [0, 1]  # nothing labelled step 2
    assert judgement.alternatives == {7: "+"}
    assert parse(judgement.to_json(), 3, KINDS, {7, 9}) == judgement


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"labels": "++"}, "labels"),
        ({"labels": "++x"}, "labels"),
        ({"labels": ["+"]}, "labels"),
        ({"labels": ["+", "+", "right"]}, "labels"),
        ({"error_types": {"3": ["circular"]}}, "error_types"),
        ({"error_types": {"one": ["circular"]}}, "error_types"),
        ({"error_types": {"1": ["nonsense"]}}, "error_types[1]"),
        ({"error_types": {"1": "circular"}}, "error_types[1]"),
        ({"error_types": []}, None),
        ({"edit": {"-1": "x"}}, "edit"),
        ({"edit": {"0": 3}}, "edit[0]"),
        ({"edit": {"0": "nul \0"}}, "edit[0]"),
        ({"edit": {"0": "\ud800"}}, "edit[0]"),
        ({"insert": {"3": "x"}}, "insert"),
        ({"delete": [3]}, "delete"),
        ({"delete": [True]}, "delete"),
        ({"note": "x" * 20_001}, "note"),
        ({"finish_reason": "bored"}, "finish_reason"),
        ({"verdict": {"claim": "perhaps"}}, "verdict.claim"),
        ({"verdict": {"mood": "good"}}, "verdict"),
        ({"duration_ms": -1}, "duration_ms"),
        ({"duration_ms": True}, "duration_ms"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_field_is_named(data: dict[str, Any], field: str | None) -> None:
    if field is None:  # an empty list reads as nothing said
        assert parse(data, 3, KINDS) == Judgement(labels="...")
        return
    with pytest.raises(BadJudgement) as caught:
        parse(data, 3, KINDS)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("labels", "stop", "expected"),
    [
        ("...", False, [0, 1, 2]),
        ("+?-", False, []),
        ("+-.", False, [2]),
        ("+-.", True, []),
        (".-.", True, [0]),
    ],
)
def test_missing_up_to_the_stopping_point(labels: str, stop: bool, expected: list[int]) -> None:
    assert missing(Judgement(labels=labels), stop) == expected


@pytest.mark.parametrize("reason", ["bad_problem", "bad_split", "give_up"])
def test_nothing_is_missing_from_a_review_that_ends_early(reason: str) -> None:
    judgement = Judgement(labels="...", finish_reason=reason)
    assert missing(judgement, False) == []
    assert missing_verdict(judgement, "verify_injection") == []


def test_questions_of_the_protocol() -> None:
    assert missing_verdict(Judgement(labels="+"), "verify_injection") == ["claim", "original"]
    assert missing_verdict(Judgement(labels="+", verdict={"claim": "fix"}), "verify_injection") == [
        "original"
    ]
    assert missing_verdict(Judgement(labels="+"), "label_steps") == []
    assert missing_verdict(Judgement(labels="+"), "check_solution") == ["right", "different", "answer"]


def test_edit_insert_delete_in_place() -> None:
    judgement = Judgement(
        labels="+++", edit={0: "A"}, insert={-1: "before", 0: "after a", 2: "end"}, delete=[1]
    )
    assert edited_steps(["a", "b", "c"], judgement) == ["before", "A", "after a", "c", "end"]


def test_an_edit_that_changes_nothing_is_no_edit() -> None:
    assert edited_steps(["a", "b"], Judgement(labels="++", edit={0: "a"})) is None


def test_no_step_left_is_refused() -> None:
    with pytest.raises(BadJudgement):
        edited_steps(["a"], Judgement(labels="+", delete=[0]))


@given(
    st.text(alphabet="+0-?.", min_size=4, max_size=4),
    st.dictionaries(st.integers(0, 3), st.lists(st.sampled_from(sorted(KINDS)), min_size=1, unique=True)),
    st.dictionaries(st.integers(-1, 3), st.text(alphabet="ab $", min_size=1).filter(str.strip)),
    st.sets(st.integers(0, 3)),
)
def test_a_draft_survives_storing(
    labels: str, types: dict[int, list[str]], insert: dict[int, str], delete: set[int]
) -> None:
    judgement = Judgement(labels=labels, error_types=types, insert=insert, delete=sorted(delete))
    assert parse(judgement.to_json(), 4, KINDS) == judgement


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"8": "+"}, "alternatives"),
        ({"x": "+"}, "alternatives"),
        ({"7" * 5000: "+"}, "alternatives"),
        ([7], "alternatives"),
        ({"7": "right"}, "alternatives[7]"),
        ({"7": ["+"]}, "alternatives[7]"),
    ],
)
def test_only_alternatives_that_belong_are_labelled(value: Any, field: str) -> None:
    with pytest.raises(BadJudgement) as refused:
        parse({"alternatives": value}, 3, KINDS, {7})
    assert refused.value.field == field


@pytest.mark.parametrize("bulk", [[3], ["0"], {"0": 1}, [True]])
def test_bulk_lists_steps_that_there_are(bulk: Any) -> None:
    with pytest.raises(BadJudgement, match="bulk"):
        parse({"labels": "+++", "bulk": bulk}, 3, KINDS)


def test_a_label_is_given_to_the_unjudged_steps_that_follow() -> None:
    assert label_following({"labels": "+.0..", "note": "n"}, 0, False) == {
        "labels": "++0++", "bulk": [1, 3, 4], "note": "n",
    }  # fmt: skip
    assert label_following({"labels": "+.0..", "bulk": [0]}, 2, False)["bulk"] == [0, 3, 4]


def test_nothing_is_given_past_the_stop() -> None:
    assert label_following({"labels": "+.-.."}, 0, True)["labels"] == "++-.."
    assert label_following({"labels": "+.-.."}, 2, True)["labels"] == "+.-.."
    assert label_following({"labels": "+.-.."}, 0, False)["labels"] == "++-++"


@pytest.mark.parametrize("position", [-1, 1, 3])
def test_only_a_label_that_there_is_can_be_given_on(position: int) -> None:
    with pytest.raises(BadJudgement, match="following"):
        label_following({"labels": "+.."}, position, False)


def test_bulk_labels_past_the_stop_do_not_count() -> None:
    said = Judgement(labels="+-+-", error_types={1: ["circular"], 3: ["circular"]}, bulk=[0, 2, 3], note="n")
    assert stopped(said) == Judgement(
        labels="+-..", error_types={1: ["circular"]}, bulk=[0], note="n", finish_reason="found_error"
    )
    by_hand = replace(said, bulk=[2])
    assert stopped(by_hand) == replace(by_hand, labels="+-.-", bulk=[])
    assert stopped(Judgement(labels="+0?")) == Judgement(labels="+0?")
    assert stopped(Judgement(labels="+-", finish_reason="give_up")).finish_reason == "give_up"
