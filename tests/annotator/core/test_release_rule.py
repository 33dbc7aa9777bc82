"""The rule of a release: what is refused, what is written back, and that groups are dealt by name alone."""

from collections import Counter
from typing import Any

import pytest

from annotator.core.release_rule import BadRule, Known, Rule, read

KNOWN = Known({"circular", "deception"}, {"label_steps"}, {"prmbench", "trl"}, {"empty_step"})


def test_left_out_members_are_usual() -> None:
    assert read({}, KNOWN) == Rule() == read({"which": "", "splits": None}, KNOWN)


def test_a_rule_is_written_as_it_is_read() -> None:
    rule = read(
        {
            "which": "verified", "kinds": ["deception", "circular", "circular"], "min_raters": 2,
            "raters": ["reviewer:ann"], "protocols": ["label_steps"], "options": {"neutral": "right"},
            "formats": ["trl", "prmbench"], "splits": {"train": 0.9, "test": 0.1}, "seed": -3,
            "include_retired": True, "drop_findings": ["empty_step"],
        },
        KNOWN,
    )  # fmt: skip
    assert rule.kinds == ("circular", "deception")
    assert list(rule.splits) == ["test", "train"]
    assert read(rule.as_json(), KNOWN) == rule


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"wich": "gold"}, "wich", "There is no such member"),
        ({"which": "silver"}, "which", "'silver'"),
        ({"which": "judge:"}, "which", "KIND:NAME"),
        ({"which": 3}, "which", "not 3"),
        ({"kinds": "circular"}, "kinds", "list of names"),
        ({"kinds": ["square"]}, "kinds", "there are circular, deception"),
        ({"min_raters": -1}, "min_raters", "from 0"),
        ({"min_raters": True}, "min_raters", "whole number"),
        ({"min_raters": 1.0}, "min_raters", "whole number"),
        ({"raters": ["ann"]}, "raters", "'ann'"),
        ({"protocols": ["vote"]}, "protocols", "'vote'"),
        ({"options": []}, "options", "a list"),
        ({"options": {"threshold": 0.5}}, "options", "threshold"),
        ({"options": {"neutral": 1}}, "options", "neutral must be a word"),
        ({"formats": ["csv"]}, "formats", "'csv'"),
        ({"splits": ["train"]}, "splits", "share"),
        ({"splits": {"train": 0.5}}, "splits", "add up to 1"),
        ({"splits": {"train": 1.0, "test": 0.0}}, "splits", "above 0"),
        ({"splits": {"train": float("nan")}}, "splits", "above 0"),
        ({"splits": {"../x": 1.0}}, "splits", "'../x'"),
        ({"splits": {"all": 1.0}}, "splits", "not all"),
        ({"splits": {f"s{n}": 1 / 11 for n in range(11)}}, "splits", "10 is the most"),
        ({"seed": "1"}, "seed", "whole number"),
        ({"seed": 2**63}, "seed", "whole number"),
        ({"include_retired": 1}, "include_retired", "true or false"),
        ({"drop_findings": ["x"]}, "drop_findings", "empty_step"),
        ([], "", "a list"),
        ("gold", "", "text"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name(given: Any, field: str, says: str) -> None:
    with pytest.raises(BadRule) as refused:
        read(given, KNOWN)
    assert refused.value.field == field
    assert says in refused.value.message


def test_groups_are_dealt_by_name_and_seed() -> None:
    rule = read({"splits": {"train": 0.8, "test": 0.2}, "seed": 7}, KNOWN)
    names = [f"group {n}" for n in range(5000)]
    dealt = Counter(rule.split_of(name, "train") for name in names)
    assert abs(dealt["train"] / 5000 - 0.8) < 0.03
    assert [rule.split_of(name, "x") for name in names[:50]] == [rule.split_of(n, "x") for n in names[:50]]
    other = read({"splits": {"train": 0.8, "test": 0.2}, "seed": 8}, KNOWN)
    assert [rule.split_of(n, "") for n in names] != [other.split_of(n, "") for n in names]


def test_without_splits_there_is_one_part() -> None:
    assert Rule().split_of("anything", "train") == "train"
