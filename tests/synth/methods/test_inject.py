"""Injection by a language model: what its replies must hold, one repair, and the worked examples themselves."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.core.judgement import storable
from synth.methods import injection_replies, injections, prompts
from synth.methods.asks import Reply
from synth.methods.inject import Injected, InjectHow, Rejected, inject, spec, worked
from tests.synth.methods.driven import drive

PROBLEM = "A box holds 4 rows of 6 pears. Half of them are sold. How many are left?"
STEPS = ("There are 4 * 6 = 24 pears.", "Half of 24 is 12.", "So 24 - 12 = 12 pears are left.")
GOOD = {
    "reason": "Half of 24 is 12.",
    "question": "",
    "steps": [STEPS[0], "Half of 24 is 14.", "So 24 - 14 = 10 pears are left."],
    "changed": [2, 3],
    "wrong": [2, 3],
}
HOW = InjectHow()


def reply(**parts: Any) -> str:
    return json.dumps(GOOD | parts)


def test_a_sound_injection_is_kept_with_its_claim() -> None:
    found, asked = drive(inject(PROBLEM, STEPS, "counterfactual", HOW), [reply(wrong=[3, 2])])
    assert isinstance(found, Injected)
    assert (found.steps, found.question) == (tuple(GOOD["steps"]), PROBLEM)
    assert (found.claimed_changed, found.claimed_wrong) == ((2, 3), (3, 2))
    assert (found.error_type, found.repaired) == ("counterfactual", False)
    assert asked[0].schema is injection_replies.SCHEMA


@pytest.mark.parametrize("kind", injections.KINDS)
def test_every_kind_is_explained_with_two_worked_examples(kind: str) -> None:
    _, asked = drive(inject(PROBLEM, STEPS, kind, HOW), [reply()])
    roles = [message["role"] for message in asked[0].messages]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
    assert "Step 3. So 24 - 12 = 12 pears are left." in asked[0].messages[-1]["content"]


def examples() -> list[tuple[str, dict[str, Any]]]:
    kinds = prompts.examples("inject-1")["kinds"]
    assert set(kinds) == set(injections.KINDS)
    return [(kind, example) for kind in kinds for example in kinds[kind]["examples"]]


@pytest.mark.parametrize(("kind", "example"), examples())
def test_the_worked_examples_pass_our_own_checks(kind: str, example: dict[str, Any]) -> None:
    base = prompts.examples("inject-1")["problems"][example["of"]]
    said = Reply(json.dumps(worked(example)))
    made = injection_replies.read(said, base["question"], base["steps"], kind)
    assert isinstance(made, Injected)
    assert injections.faults(base["question"], base["steps"], made) == ()
    remarks = {found.code for found in injections.remarks(base["question"], base["steps"], made)}
    assert remarks <= {"final_step_changed", "length_changed"}
    assert made.reason


def test_what_is_at_fault_is_told_once_and_a_repaired_reply_counts() -> None:
    found, asked = drive(inject(PROBLEM, STEPS, "deception", HOW), [reply(wrong=[4]), reply()])
    assert isinstance(found, Injected)
    assert found.repaired
    assert "Wrong step out of range: step 4 of 3" in asked[1].messages[-1]["content"]
    assert asked[1].messages[: len(asked[0].messages)] == asked[0].messages


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (reply(steps=list(STEPS)), "no_op"),
        (reply(wrong=[]), "nothing_wrong"),
        (reply(steps=[STEPS[0], "", "So 10."]), "empty_step"),
        (reply(steps=["Step 1. " + STEPS[0], "2.", "So 10."], wrong=[2, 9]), "wrong_out_of_range"),
        ("I cannot do that.", "unreadable"),
        (reply(changed=["2"]), "unreadable"),
        (reply(changed=[True, 3]), "unreadable"),
        (reply(steps=[]), "unreadable"),
        (reply(steps="one text"), "unreadable"),
        (reply(steps=[["nested"]]), "unreadable"),
        (reply(changed=[10**30]), "unreadable"),
    ],
)
def test_after_one_repair_it_is_rejected_with_the_last_reasons_and_reply(second: str, code: str) -> None:
    found, _ = drive(inject(PROBLEM, STEPS, "counterfactual", HOW), ["no JSON", second])
    assert isinstance(found, Rejected)
    assert code in [one.code for one in found.reasons]
    assert found.raw == second


def test_a_refusal_is_not_asked_again() -> None:
    found, _ = drive(inject(PROBLEM, STEPS, "deception", HOW), [Reply("", "refusal")])
    assert isinstance(found, Rejected)
    assert "refused" in found.reasons[0].detail


def test_steps_that_stay_are_the_originals_and_numbers_that_only_say_the_place_are_taken_off() -> None:
    said = Reply(reply(steps=["Step 1. There are 4 * 6 = 24 pears. ", "2. Half of 24 is 14.", "3: So 10."]))
    made = injection_replies.read(said, PROBLEM, STEPS, "deception")
    assert isinstance(made, Injected)
    assert made.steps == (STEPS[0], "Half of 24 is 14.", "So 10.")


def test_numbered_steps_stay_numbered_through_an_insertion() -> None:
    numbered = [f"Step {place}. {step}" for place, step in enumerate(STEPS, 1)]
    found, asked = drive(
        inject(PROBLEM, numbered, "redundancy", HOW),
        [reply(steps=[STEPS[0], "24 is even.", *STEPS[1:]], changed=[2], wrong=[2])],
    )
    assert isinstance(found, Injected)
    assert found.steps == (numbered[0], "Step 2. 24 is even.", f"Step 3. {STEPS[1]}", f"Step 4. {STEPS[2]}")
    assert "Step 1. There are" in asked[0].messages[-1]["content"]


def test_a_changed_problem_is_kept() -> None:
    lacking = "A box holds rows of 6 pears. Half of them are sold. How many are left?"
    found, _ = drive(inject(PROBLEM, STEPS, "missing_condition", HOW), [reply(question=lacking)])
    assert isinstance(found, Injected)
    assert found.question == lacking


@pytest.mark.parametrize(
    ("kind", "steps"), [("multi_solutions", STEPS), ("redundency", STEPS), ("circular", ())]
)
def test_what_cannot_be_asked_for_is_refused_before_anything_is_sent(
    kind: str, steps: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match=r"none of|at least one"):
        inject(PROBLEM, steps, kind, HOW)


def test_a_rater_is_a_model_with_its_prompts_and_settings() -> None:
    found = spec(HOW, "some-model")
    assert found["prompt"] == "inject-1"
    assert len(found["prompt_digest"]) == 64
    assert (found["model"], found["temperature"]) == ("some-model", 1.0)
    assert "seed" not in found
    json.dumps(found)


pieces = st.sampled_from(["", " ", "1. ", "Half.", STEPS[0], "\0", "\ud800", "\\frac12", "error"])
odd = st.integers(-1, 4) | st.none() | st.booleans() | st.text(max_size=2)


@given(
    st.lists(pieces, max_size=4),
    st.lists(odd, max_size=3),
    st.lists(odd, max_size=3),
    st.sampled_from(injections.KINDS),
)
@settings(deadline=None)
def test_every_reply_is_kept_or_rejected_and_what_is_kept_is_sound(
    steps: list[str], changed: list[Any], wrong: list[Any], kind: str
) -> None:
    said = reply(steps=steps, changed=changed, wrong=wrong)
    read = injection_replies.read(Reply(said), PROBLEM, STEPS, kind)
    if isinstance(read, Injected):
        assert all(storable(step) for step in read.steps)
        if not injections.faults(PROBLEM, STEPS, read):
            assert {*read.claimed_wrong} <= {*read.claimed_changed} <= {*range(1, len(read.steps) + 1)}


@given(st.text() | st.text(alphabet='{}[]",:\\ 1\0').map(lambda end: reply()[:30] + end))
@settings(deadline=None)
def test_no_reply_raises(said: str) -> None:
    read = injection_replies.read(Reply(said), PROBLEM, STEPS, "deception")
    assert isinstance(read, Injected) or read
