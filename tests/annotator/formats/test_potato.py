"""Potato's process rewards: what they seem to say, and what a person did say."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.formats import potato
from annotator.formats.records import AnnotationRecord, FormatError


def steps(*rewards: float | None, **more: Any) -> list[dict[str, Any]]:
    return [{"index": at, "reward": reward} | more for at, reward in enumerate(rewards)]


def read(record: dict[str, Any], **how: Any) -> AnnotationRecord | FormatError:
    (found,) = potato.read(io.BytesIO(json.dumps(record).encode()), "f.jsonl", **how)
    return found


def labels(mode: str | None, *given: dict[str, Any], **how: Any) -> str:
    record = {"instance_id": "t_1", "annotator": "ann", "steps": list(given)} | (
        {"mode": mode} if mode else {}
    )
    found = read(record, **how)
    assert isinstance(found, AnnotationRecord), found
    assert (found.foreign_id, found.annotator) == ("t_1", "ann")
    assert found.labels is not None
    return found.labels


@pytest.mark.parametrize(
    ("mode", "rewards", "read"),
    [
        ("first_error", (1, 1, -1, -1, -1), "++-.."),
        (None, (1, -1, -1), "+-."),
        ("per_step", (1, -1, -1, 1), "+--+"),
        ("first_error", (-1, -1), "-."),
        ("first_error", (1, 1), "++"),
        ("per_step", (1, None, -1.0), "+.-"),
    ],
)
def test_modes(mode: str | None, rewards: tuple[float | None, ...], read: str) -> None:
    assert labels(mode, *steps(*rewards)) == read


def test_zero_is_unmarked_unless_there_was_a_neutral_button() -> None:
    assert labels("per_step", *steps(1, 0, -1)) == "+.-"
    assert labels("per_step", *steps(1, 0, None), neutral=True) == "+0."


def test_what_an_llm_said_is_no_judgement_of_a_person() -> None:
    given = [
        {"index": 0, "reward": 1, "source": "ai", "verified": True},
        {"index": 1, "reward": -1, "source": "ai", "verified": False},
        {"index": 2, "reward": 1, "source": "human", "verified": True},
    ]
    assert labels("per_step", *given) == "..+"
    assert labels("per_step", *given, trust_verified=True) == "+.+"


def test_a_stop_that_an_llm_set_still_ends_what_was_judged() -> None:
    given = [{"index": 0, "reward": 1, "source": "human"}, {"index": 1, "reward": -1, "source": "ai"},
             {"index": 2, "reward": -1, "source": "human"}]  # fmt: skip
    assert labels("first_error", *given) == "+.."


def test_order_and_gaps() -> None:
    assert labels("per_step", {"index": 3, "reward": 1}, {"index": 1, "reward": -1}) == ".-.+"


def test_the_rest_is_kept() -> None:
    found = read(
        {"instance_id": "a", "annotator": "b", "mode": "per_step", "steps": steps(1), "all_verified": True}
    )
    assert isinstance(found, AnnotationRecord)
    assert set(json.loads(found.extra)["values"]) == {"mode", "steps", "all_verified"}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"steps": steps(1)}, "instance_id: is missing"),
        ({"instance_id": "a"}, "steps: is missing"),
        ({"instance_id": "a", "steps": []}, "steps: must have at least one step"),
        ({"instance_id": "a", "steps": [{"reward": 1}]}, "steps[0].index: is missing"),
        ({"instance_id": "a", "steps": [{"index": -1, "reward": 1}]},
         "steps[0].index: must be from 0 to 9999, not -1"),
        ({"instance_id": "a", "steps": [*steps(1), *steps(1)]}, "steps[1].index: is 0, as another step's is"),
        ({"instance_id": "a", "steps": steps(0.5)}, "steps[0].reward: must be 1, 0, -1 or null, not 0.5"),
        ({"instance_id": "a", "steps": steps(1, source=5)}, "steps[0].source: must be text or null, not 5"),
    ],
)  # fmt: skip
def test_bad_record(record: dict[str, Any], message: str) -> None:
    assert str(read(record)) == f"f.jsonl, line 1, {message}"


@given(
    st.lists(st.sampled_from([1, 0, -1, None]), min_size=1, max_size=8),
    st.sampled_from(["first_error", "per_step"]),
)
def test_never_more_than_was_said(rewards: list[int | None], mode: str) -> None:
    found = labels(mode, *steps(*rewards))
    marks = {"+": 1, "-": -1}
    assert all(mark == "." or marks[mark] == reward for mark, reward in zip(found, rewards, strict=True))
    if mode == "first_error":
        assert found.count("-") == (1 if -1 in rewards else 0)
