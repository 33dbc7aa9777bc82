"""The judge: what its reply must keep to, and what it says then."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.judgement import storable
from annotator.core.labels import NO_ERROR, check_labels, first_error
from synth.methods.asks import Reply
from synth.methods.judge import Judged, JudgeHow, Unparsed, judge, read
from tests.synth.methods.driven import drive

STEPS = ["2 + 2 = 4.", "4 + 4 = 9.", "So 9."]


def reply(conclusion: str, *numbers: int) -> str:
    blocks = [f"<analysis_{number}>\nOn {number}.\n</analysis_{number}>" for number in numbers]
    return "\n".join([*blocks, f"<conclusion>{conclusion}</conclusion>"])


@pytest.mark.parametrize(
    ("said", "labels", "first"),
    [
        (reply("Incorrect", 1, 2), "+-.", 1),
        (reply("Incorrect", 1), "-..", 0),
        (reply("Incorrect", 1, 2, 3), "++-", 2),
        (reply("Correct", 1, 2, 3), "+++", NO_ERROR),
        ("<think>" + reply("Correct", 1, 2, 3) + "</think>" + reply(" **incorrect**. ", 1, 2), "+-.", 1),
    ],
)
def test_the_last_paragraph_read_is_the_first_error(said: str, labels: str, first: int) -> None:
    found, asked = drive(judge("2 + 2 + 4?", STEPS, JudgeHow()), [said])
    assert isinstance(found, Judged)
    assert (found.labels, found.first_error) == (labels, first)
    assert found.analyses[0] == "On 1."
    assert not found.repaired
    assert "<paragraph_3>\nSo 9.\n</paragraph_3>" in asked[0].messages[-1]["content"]


UNREADABLE = [
    "",
    "Paragraph 2 is wrong.",
    reply("Incorrect"),
    reply("Correct", 1, 2),
    reply("Incorrect", 2),
    reply("Incorrect", 1, 3),
    reply("Incorrect", 1, 2, 3, 4),
    reply("Perhaps", 1, 2),
    reply("Correct", 1, 2, 3) + reply("Incorrect", 1),
    reply("Correct", 1, 2, 3).replace("conclusion", "verdict"),
]


@pytest.mark.parametrize("said", UNREADABLE)
def test_a_reply_that_is_not_sure_is_asked_for_once_more_and_then_left(said: str) -> None:
    found, asked = drive(judge("q", STEPS, JudgeHow()), [said, said])
    assert isinstance(found, Unparsed)
    assert found.raw == said
    assert found.reasons[0] in asked[1].messages[-1]["content"]
    assert asked[1].messages[-2]["role"] == "assistant"


def test_a_repaired_reply_counts() -> None:
    found, _ = drive(judge("q", STEPS, JudgeHow()), ["It is wrong.", reply("Incorrect", 1, 2)])
    assert isinstance(found, Judged)
    assert found.repaired


def test_a_refusal_is_not_asked_again() -> None:
    found, _ = drive(judge("q", STEPS, JudgeHow()), [Reply("", "content_filter")])
    assert isinstance(found, Unparsed)


def test_a_reply_that_was_cut_off_is_not_read() -> None:
    found = read(Reply(reply("Incorrect", 1), "length"), 3)
    assert isinstance(found, Unparsed)


tags = st.sampled_from(
    ["<analysis_1>", "</analysis_1>", "<analysis_2>", "</analysis_2>", "<analysis_٣>", "x\0\ud800"]
)
ends = st.sampled_from(["<conclusion>Correct</conclusion>", "<conclusion>incorrect</conclusion>"])


@given(st.lists(tags | ends, max_size=9).map("".join) | st.text(), st.integers(1, 3))
@settings(deadline=None)
def test_no_reply_raises_and_labels_are_one_a_step(said: str, n_steps: int) -> None:
    found = read(Reply(said), n_steps)
    assert storable(found.raw)
    if isinstance(found, Judged):
        check_labels(found.labels, n_steps)
        assert first_error(found.labels) == found.first_error
