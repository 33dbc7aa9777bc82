"""Datasheets: what facts amount to in words, what is missing said so, and Markdown that means only itself."""

from typing import Any

import pytest
import yaml

from annotator.core import croissant, dataset_card, datasheet_tables
from annotator.core.datasheet import sections
from annotator.core.datasheet_facts import Facts, Measure
from annotator.core.datasheet_limits import limits
from annotator.core.datasheet_tables import shown


def facts(counts: dict[str, Any] | None = None, **values: Any) -> Facts:
    found: dict[str, Any] = {
        "solutions": 10, "steps": 40, "groups": 5, "verified_steps": 40, "verified_solutions": 10,
        "kinds": {"circular": 6, "": 4}, "splits": {"train": 10}, "labels": {"+": 30, "-": 10},
        "decisions": {"agreed": 10}, "findings": {}, "left_out": {}, "under_bar": [],
    }  # fmt: skip
    manifest = {
        "project": "sums", "name": "1.0", "digest": "d" * 64, "rule": {"which": "gold", "kinds": []},
        "counts": found | (counts or {}), "reviewers": {"r1": 10}, "machines": {}, "guideline_versions": [2],
        "files": [],
    }  # fmt: skip
    return Facts(manifest, **{"title": "Sums 1.0", "people": 1, **values})


def test_every_section_is_there_whatever_is_missing() -> None:
    empty = facts({"labels": {}, "kinds": {}, "splits": {}, "decisions": {}}, people=0)
    assert [one.title for one in sections(empty)] == [one.title for one in sections(facts())]
    assert [one.text for one in sections(empty) if one.title == "Accuracy"] == [["Not measured."]]


@pytest.mark.parametrize(
    ("measure", "says"),
    [
        (Measure("a", 0.5, 0.25, 0.75, 8), "50.0\N{NO-BREAK SPACE}% (25.0 to 75.0)"),
        (Measure("a", 0.614, 0.55, 0.66, 8, is_share=False), "0.61 (0.55 to 0.66)"),
        (Measure("a", 0.614, None, None, 8, "one group", is_share=False), "0.61"),
        (Measure("a", None, None, None, 0, "nothing was counted"), "– (nothing was counted)"),
        (Measure("a", 0.0, 0.0, 0.0, 3), "0.0\N{NO-BREAK SPACE}% (0.0 to 0.0)"),
    ],
)
def test_a_measure_is_shown_with_its_interval_or_its_reason(measure: Measure, says: str) -> None:
    assert shown(measure) == says


def test_limits_follow_from_the_facts() -> None:
    measured = {
        "agreement": [Measure("a", 0.9)],
        "accuracy": [Measure("a", 0.9)],
        "acceptance": [Measure("a", 1.0)],
    }
    sources = [{"licence": "mit", "files": "a", "format": "prmbench", "solutions": 10}]
    assert limits(facts(sources=sources, **measured)) == [
        "Agreement, accuracy and acceptance are of the whole project when the release was made."
    ]
    poor = limits(
        facts(
            {"verified_steps": 39, "decisions": {"agreed": 9, "conflicted": 1}, "findings": {"empty_step": 1},
             "under_bar": ["circular"]},
            people=0, taken_down=1, kinds={"circular": "circular logic"},
        )
    )  # fmt: skip
    for says in (
        "1 step of 40 carry", "No person", "1 solution with labels that reviewers have not", "how far reviewers",
        "right on probes", "random sample", "circular logic", "1 finding of checks", "licence", "1 problem taken down",
    ):  # fmt: skip
        assert [line for line in poor if says in line], says


def test_an_undefined_measure_is_not_a_measure() -> None:
    assert "Not measured: how far reviewers agree." in limits(facts(agreement=[Measure("a", None)]))


def test_a_licence_missing_for_one_source_is_missing() -> None:
    stated = [{"licence": name} for name in ("mit", "apache-2.0", "mit")]
    assert facts(sources=stated).licences == ["apache-2.0", "mit"]
    assert facts(sources=[*stated, {"licence": ""}]).licences == []
    assert facts().licences == []


def test_bars_stay_in_the_chart() -> None:
    (table,) = datasheet_tables.measured("", [Measure("a", -0.2, -0.5, 1.2), Measure("b", None)])
    assert [tuple(bar) if bar else None for bar in table.bars] == [(0, 0, 100), None]


@pytest.mark.parametrize("text", ["a\nb", "<b>", "a|b", "[x](y)", "`c`", "# h", "*a*", "$x$", "&lt;"])
def test_escaped_text_is_one_line_without_meaning(text: str) -> None:
    said = dataset_card.escaped(text)
    assert "\n" not in said
    plain = said.replace("\\\\", "").split("\\")
    assert all(part[1:].isalnum() or not set(part[1:]) & set("<|[]`#*$&") for part in plain[1:])
    assert said.replace("\\", "") == " ".join(text.split())


HARD = ["no", "1.0", "a: b", '"quoted"', "tab\there", "café", "- x", "{}", "# c", "", "\N{LINE SEPARATOR}"]


def test_yaml_reads_back_the_same() -> None:
    value = {
        "texts": HARD, "number": 1, "truth": True, "none": None,
        "deep": {"list": [{"a": "b", "c": {"d": ["e"]}}, {"a": ""}]},
        "nested": {"sequence": {"sequence": "string"}},
    }  # fmt: skip
    assert yaml.safe_load(dataset_card.yaml(value)) == value


@pytest.mark.parametrize(
    ("n", "size"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (62_000, "10K<n<100K"), (10**9, "n>10M")]
)
def test_sizes(n: int, size: str) -> None:
    assert dataset_card.front_matter(facts({"solutions": n}))["size_categories"] == [size]


@pytest.mark.parametrize(
    ("name", "version"), [("1.0", "1.0.0"), ("2.13", "2.13.0"), ("1.0.1", "1.0.1"), ("final", "final")]
)
def test_versions_have_three_numbers_where_the_name_has_two(name: str, version: str) -> None:
    assert croissant.version(name) == version


def test_what_only_a_publisher_knows_is_left_out() -> None:
    said = croissant.describe(facts())
    assert not {"license", "url", "creator", "datePublished"} & set(said)
    assert croissant.describe(facts(last_day="2026-03-01"))["dateModified"] == "2026-03-01"
