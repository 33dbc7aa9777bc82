"""The critic: scores for every step, or the first error; one draw or several."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.labels import NO_ERROR
from synth.methods import prompts
from synth.methods.asks import Reply
from synth.methods.critic import CriticHow, Criticised, Unparsed, critic, spec
from synth.methods.critic_replies import Unread, read_index, read_scores
from tests.synth.methods.driven import drive

STEPS = ["2 + 2 = 4.", "4 + 4 = 9.", "So 9."]
PLACES = CriticHow(asks="index", n=3)


def scores(validity: list[object], redundancy: list[object]) -> str:
    return json.dumps({"validity": validity, "redundancy": redundancy})


@pytest.mark.parametrize("examples", [0, 1, 2])
def test_scores_become_labels_on_both_axes(examples: int) -> None:
    said = "```json\n" + scores([1, 0, -0.5], [0, 0.5, -1]) + "\n```"
    found, asked = drive(critic("2 + 2 + 4?", STEPS, CriticHow(examples=examples)), [said])
    assert isinstance(found, Criticised)
    assert (found.labels, found.redundancy_labels) == ("+--", "+-+")
    assert (found.scores, found.redundancy_scores) == ((1, 0, -0.5), (0, 0.5, -1))
    assert found.first_error == 1
    assert len(asked[0].messages) == 2 + 2 * examples
    assert asked[0].schema is not None
    assert asked[0].schema["properties"]["validity"]["maxItems"] == 3


def test_the_mean_of_several_draws_counts() -> None:
    replies = [scores([1, 1, 1], [0, 0, 0]), "no", scores([1, -1, 0.5], [0, 1, 0])]
    found, _ = drive(critic("q", STEPS, CriticHow(n=3)), replies)
    assert isinstance(found, Criticised)
    assert found.scores == (1, 0, 0.75)
    assert found.labels == "+-+"
    assert (found.n_read, len(found.raws), found.votes) == (2, 3, ((NO_ERROR, 1), (1, 1)))


@pytest.mark.parametrize(
    "said",
    [
        "",
        "{}",
        scores([1, 1], [0, 0]),
        scores([1, 1, 1], [0, 0]),
        scores([1, 1, 1, 1], [0, 0, 0, 0]),
        scores([1, 1, 1.01], [0, 0, 0]),
        scores([1, 1, True], [0, 0, 0]),
        scores([1, 1, "1"], [0, 0, 0]),
        scores([1, 1, None], [0, 0, 0]),
        '{"validity": [1, 1, NaN], "redundancy": [0, 0, 0]}',
    ],
)
def test_scores_that_do_not_fit_the_steps_are_never_guessed(said: str) -> None:
    found, asked = drive(critic("q", STEPS, CriticHow()), [said, said])
    assert isinstance(found, Unparsed)
    assert found.reasons[0] in asked[1].messages[-1]["content"]


@pytest.mark.parametrize(
    ("replies", "first", "labels"),
    [
        (["\\boxed{1}", "\\boxed{ 1 }", "\\boxed{0}"], 1, "+-."),
        (["\\boxed{0} no, \\boxed{-1}", "\\boxed{-1}", "?"], NO_ERROR, "+++"),
        (["\\boxed{2}", "\\boxed{0}", "?"], 2, "++-"),  # of a tie, the one named first
        (["\\boxed{3}", "\\boxed{-2}", "\\boxed{0}"], 0, "-.."),  # out of range has no vote
        (["\\boxed{01}", "\\boxed{1}", "\\boxed{2}"], 1, "+-."),  # one and the same number
    ],
)
def test_most_draws_name_the_first_error(replies: list[str], first: int, labels: str) -> None:
    found, asked = drive(critic("q", STEPS, PLACES), replies)
    assert isinstance(found, Criticised)
    assert (found.first_error, found.labels, found.scores) == (first, labels, None)
    assert [one.draw for one in asked] == [0, 1, 2]
    assert "<paragraph_0>\n2 + 2 = 4.\n</paragraph_0>" in asked[0].messages[-1]["content"]


def test_where_no_draw_can_be_read_one_is_asked_for_again() -> None:
    found, _ = drive(critic("q", STEPS, PLACES), ["", "none", "\\boxed{x}", "\\boxed{0}"])
    assert isinstance(found, Criticised)
    assert (found.labels, found.repaired) == ("-..", True)
    refused = [Reply("", "refusal")] * 3
    assert isinstance(drive(critic("q", STEPS, PLACES), refused)[0], Unparsed)


def test_a_reply_that_was_cut_off_is_not_read() -> None:
    assert isinstance(read_scores(Reply(scores([1, 1, 1], [0, 0, 0]), "length"), 3), Unread)
    assert isinstance(read_index(Reply("\\boxed{0}", "length"), 3), Unread)


def test_worked_examples_are_replies_that_can_be_read() -> None:
    for example in prompts.examples("critic-scores-1")["examples"]:
        said = Reply(scores(example["validity"], example["redundancy"]))
        assert not isinstance(read_scores(said, len(example["steps"])), Unread)


def test_a_setting_that_is_not_used_makes_no_other_rater() -> None:
    places = [spec(CriticHow(asks="index", examples=examples), "m") for examples in (0, 2)]
    assert places[0] == places[1]
    assert spec(CriticHow(examples=0), "m") != spec(CriticHow(examples=2), "m")
    assert spec(CriticHow(seed=1), "m") == spec(CriticHow(seed=2), "m")


numbers = st.floats(-1.2, 1.2) | st.integers(-2, 2) | st.none() | st.booleans()


@given(st.lists(numbers, max_size=4), st.lists(numbers, max_size=4), st.text(max_size=5))
def test_scores_are_one_a_step_or_unread(validity: list[object], redundancy: list[object], talk: str) -> None:
    found = read_scores(Reply(talk + scores(validity, redundancy)), 3)
    assert isinstance(found, Unread) != fits(validity, redundancy)


def fits(*lists: list[object]) -> bool:
    """Whether all lists are three numbers from -1 to 1."""
    numeric = all(type(one) in (int, float) and -1 <= one <= 1 for each in lists for one in each)  # type: ignore[operator]
    return numeric and all(len(each) == 3 for each in lists)


@given(st.text() | st.text(alphabet="\\boxed{}-0123456789 ٣").map(lambda end: "\\boxed{" + end))
@settings(deadline=None)
def test_no_place_is_out_of_the_solution(said: str) -> None:
    found = read_index(Reply(said), 3)
    assert isinstance(found, Unread) or NO_ERROR <= found < 3
