"""The review keys: no two actions on one key, whatever is stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.core import kinds
from annotator.core.keys import ACTIONS, RESERVED, KindKey, check, differences, in_force, kind_keys, normal
from annotator.core.labels import ERROR_TYPES

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


OWN = [
    {"code": "circular", "title": "goes in circles", "key": "o", "definition": "It rests on itself."},
    {"code": "units", "title": "wrong unit", "key": "p", "definition": "Metres are no seconds."},
    {"code": "typo", "title": "typo", "key": "j", "definition": "Letters out of order."},
]


def test_the_eight_have_the_keys_in_force() -> None:
    found = {kind.code: kind.key for kind in kind_keys(in_force({"circular": "8"}), ERROR_TYPES)}
    assert found == {**{kind.code: kind.key for kind in ERROR_TYPES}, "circular": "8"}


def test_a_projects_own_types_have_its_keys_where_no_action_has_them() -> None:
    circular, units, typo = kind_keys(in_force({}), kinds.error_types(OWN))
    assert circular == KindKey("circular", "goes in circles", "o", "It rests on itself.", "")
    assert units.key == "p"
    assert (typo.key, typo.taken_by) == ("", "next step")


def test_a_reviewers_own_key_for_one_of_the_eight_holds_in_every_project() -> None:
    circular, units, _ = kind_keys(in_force({"circular": "p"}), kinds.error_types(OWN))
    assert circular.key == "p"
    assert (units.key, units.taken_by) == ("", "goes in circles")


def test_a_reviewers_remapped_action_goes_before_a_projects_type() -> None:
    _, units, typo = kind_keys(in_force({"next": "p"}), kinds.error_types(OWN))
    assert (units.key, units.taken_by, typo.key) == ("", "next step", "j")
