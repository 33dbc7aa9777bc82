"""The review keys: no two actions on one key, whatever is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core.keys import ACTIONS, RESERVED, check, differences, in_force, normal

DEFAULTS = {action: binding.key for action, binding in ACTIONS.items()}


def test_the_defaults_are_good_and_in_force() -> None:
    assert check({}) == check(DEFAULTS) == {}
    assert in_force({}) == DEFAULTS
    assert len(set(DEFAULTS.values())) == len(DEFAULTS)
    assert not RESERVED & set(DEFAULTS.values())
    assert all(normal(key) == key for key in DEFAULTS.values())


def test_two_actions_on_one_key_are_both_named() -> None:
    wrong = check({"next": "k"})
    assert set(wrong) == {"next", "previous"}
    assert "previous step" in wrong["next"]
    assert "next step" in wrong["previous"]


def test_two_actions_may_swap_their_keys() -> None:
    assert check({"next": "k", "previous": "j"}) == {}


def test_capitals_are_the_same_key() -> None:
    assert set(check({"next": "K"})) == {"next", "previous"}
    assert in_force({"next": "H"})["next"] == "h"
    assert in_force({"next": "pageup"})["next"] == "PageUp"


@pytest.mark.parametrize(
    "key", ["", " ", "Tab", "escape", "ArrowUp", "/", "ab", "ctrl+z", "\0", "\u200b", 7, None]
)
def test_what_is_no_key_for_an_action_is_refused(key: object) -> None:
    assert set(check({"next": key})) == {"next"}
    assert in_force({"next": key}) == DEFAULTS


def test_an_action_that_there_is_not_is_refused_and_ignored() -> None:
    assert set(check({"format_disk": "f"})) == {"format_disk"}
    assert in_force({"format_disk": "f"}) == DEFAULTS


def test_only_what_differs_is_kept() -> None:
    assert differences(DEFAULTS | {"next": "H"}) == {"next": "h"}
    assert differences({}) == {}


@given(st.dictionaries(st.sampled_from([*ACTIONS, "other"]), st.text(max_size=3) | st.none()))
def test_whatever_is_stored_every_action_has_a_key_of_its_own(stored: dict[str, str]) -> None:
    found = in_force(stored)
    assert list(found) == list(ACTIONS)
    assert len(set(found.values())) == len(found)
    if not check(stored):
        assert in_force(differences({a: normal(k) for a, k in stored.items()})) == found
