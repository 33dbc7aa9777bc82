"""Steps named in people's words become links to them; everything else stays text."""

import pytest

from annotator.templatetags.steps import steps_of_item, steps_of_review


def test_a_step_is_linked_by_the_number_on_screen() -> None:
    assert steps_of_item("See step 12.") == 'See step <a href="#step-12">12</a>.'
    assert steps_of_review("Step 12", page="/p/x/review/3/") == 'Step <a href="/p/x/review/3/#s11">12</a>'


@pytest.mark.parametrize(
    "text", ["steps 3, 4 and 7", "Steps 3-4, or 7", "steps 3 , and 4 to 7", "step 3 & 4 & 7", "steps 3–4–7"]
)
def test_every_step_of_a_list_is_linked(text: str) -> None:
    html = steps_of_item(text)
    assert [f'"#step-{n}"' in html for n in (3, 4, 7)] == [True, True, True]
    assert html.count("<a ") == 3


@pytest.mark.parametrize(
    "text", ["step 0", "step 9", "footsteps 3", "3 steps", "step $3$", "step 12345", "stepped 3"]
)
def test_what_names_no_step_stays_text(text: str) -> None:
    assert "<a " not in steps_of_item(text, 8)


def test_hostile_text_stays_text() -> None:
    html = steps_of_item("<script>alert(1)</script> step 3 <b>$\\href{javascript:1}{x}$ step 4&amp;5")
    assert "<script>" not in html
    assert "<b>" not in html
    assert html.count("<a ") == 2
    assert "<a " in steps_of_item(
        "step 1" + " , " * 20_000 + "x" + "step 1" + " " * 20_000
    )  # else it never ends
