"""Prompts: published under their names, and never fed with templates from data."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from synth.methods import prompts

NAMES = sorted({path.stem for path in prompts.FOLDER.glob("*.jinja")})


@pytest.mark.parametrize("name", NAMES)
def test_a_name_says_its_version_and_the_digest_is_of_what_it_holds(name: str) -> None:
    assert name.rpartition("-")[2].isdigit()
    assert len(prompts.digest(name)) == 64


def test_every_prompt_has_a_digest_of_its_own() -> None:
    assert len({prompts.digest(name) for name in NAMES}) == len(NAMES) > 5
    assert prompts.digest("judge-1", "repair-1") != prompts.digest("judge-1")


def test_a_prompt_that_is_not_there_has_no_digest() -> None:
    with pytest.raises(FileNotFoundError):
        prompts.digest("judge-0")


def test_worked_examples_belong_to_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = set()
    for number, text in enumerate(("a = 1", "a = 2")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "x-1.jinja").write_text("same")
        (folder / "x-1.toml").write_text(text)
        monkeypatch.setattr(prompts, "FOLDER", folder)
        found.add(prompts.digest.__wrapped__("x-1"))
    assert len(found) == 2


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        prompts.render("judge-1", "user", problem="2 + 2?")


def test_a_block_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        prompts.render("judge-1", "assistant")


def test_templates_and_markup_in_values_are_text() -> None:
    said = "{{ 7 * 7 }} {% for %} <b> & </paragraph_1>"
    assert said in prompts.render("judge-1", "user", problem=said, steps=["a"])
