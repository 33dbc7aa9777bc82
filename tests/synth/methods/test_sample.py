"""Samples of a problem: cut, answered, checked."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from synth.methods.asks import Reply
from synth.methods.sample import SampleHow, sample
from tests.synth.methods.driven import drive


def test_each_draw_is_cut_and_checked_by_itself() -> None:
    replies = ["Add.\n\nSo \\boxed{5}.", Reply("Add.\n\nThen", "length"), "<think>\n\n</think>So \\boxed{6}."]
    found, asked = drive(sample("2 + 3?", "5", SampleHow(n=3, seed=7)), replies)
    assert [(one.n, one.steps, one.answer, one.verdict, one.seed) for one in found.draws] == [
        (0, ("Add.", "So \\boxed{5}."), "5", "right", 7),
        (1, ("Add.", "Then"), None, "undecided", 8),
        (2, ("So \\boxed{6}.",), "6", "wrong", 9),
    ]
    assert [one.draw for one in asked] == [0, 1, 2]
    assert [one.params["seed"] for one in asked] == [7, 8, 9]
    assert "2 + 3?" in asked[0].messages[-1]["content"]
    assert found.draws[1].finish_reason == "length"


@pytest.mark.parametrize("gold", [None, "", "  "])
def test_without_a_reference_answer_nothing_is_checked(gold: str | None) -> None:
    found, _ = drive(sample("2 + 3?", gold, SampleHow(n=1)), ["So \\boxed{5}."])
    assert found.draws[0].verdict is None


@given(st.text())
@settings(deadline=None)
def test_no_reply_raises(text: str) -> None:
    found, _ = drive(sample("2 + 3?", "5", SampleHow(n=1)), [text])
    assert found.draws[0].verdict in ("right", "wrong", "undecided")


def test_templates_in_a_problem_are_text() -> None:
    _, asked = drive(sample("{{ 7 * 7 }} {% raise %}", None, SampleHow(n=1)), [""])
    assert asked[0].messages[-1]["content"] == "{{ 7 * 7 }} {% raise %}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", 0),
        ("temperature", 2.1),
        ("temperature", float("nan")),
        ("top_p", 0),
        ("max_tokens", 0),
        ("seed", -1),
    ],
)
def test_settings_out_of_bounds_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValidationError, match=name):
        SampleHow.model_validate({name: value})


def test_what_is_none_is_not_sent() -> None:
    how = SampleHow(temperature=None, top_p=None, seed=None, max_tokens=9)
    assert how.params(3) == {"max_tokens": 9}
