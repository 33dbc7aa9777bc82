"""An answer as steps, and the final answer in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.judgement import storable
from synth.methods.texts import answer_of, steps_of


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("One.\n\nTwo.\n \nThree.", ("One.", "Two.", "Three.")),
        ("<think>Hm.\n\nHm.</think>One.\n\nTwo.", ("One.", "Two.")),
        ("1. One.\n2. Two.", ("1. One.", "2. Two.")),
        ("Just one.", ("Just one.",)),
        ("So\n\n$$\nx = 1\n\n+ 2\n$$\n\nThen.", ("So", "$$\nx = 1\n\n+ 2\n$$", "Then.")),
        ("\\[\na\n\n= b\n\\]\n\nThen.", ("\\[\na\n\n= b\n\\]", "Then.")),
        ("### Step 1\n\nAdd.\n\n**Then**\n\nTake.", ("### Step 1\n\nAdd.", "**Then**\n\nTake.")),
        ("Add.\n\n**12**", ("Add.", "**12**")),
        ("Costs $$5.\n\nAdd.\n\nTake.", ("Costs $$5.", "Add.", "Take.")),
        ("", ()),
        (" \n\n ", ()),
        ("<think>never ends\n\n", ()),
    ],
)
def test_steps(text: str, steps: tuple[str, ...]) -> None:
    assert steps_of(text) == steps


@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        (["So", "it is \\boxed{\\frac{1}{2}}."], "\\frac{1}{2}"),
        (["It is \\boxed{3}.", "Check: it fits."], "3"),
        (["The answer is 7."], "7"),
        (["Add.\n#### 42"], "42"),
        (["First \\boxed{1}.", "No, \\boxed{2}."], "2"),
        (["Either \\boxed{1} or \\boxed{2}."], None),
        (["First \\boxed{3}.", "Either \\boxed{1} or \\boxed{2}."], None),
        (["\\boxed{never closed"], None),
        (["Nothing here."], None),
        ([], None),
    ],
)
def test_final_answer(steps: list[str], answer: str | None) -> None:
    assert answer_of(steps) == answer


@given(st.text(alphabet="a\n $\\[]#*1.<think>/\0\ud800") | st.text())
def test_steps_are_whole_filled_and_storable(text: str) -> None:
    steps = steps_of(text)
    assert all(step.strip() and storable(step) for step in steps)
    assert answer_of(steps) is None or answer_of(steps)
