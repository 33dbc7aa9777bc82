"""Choices at export, as a function of labels."""

import io
import json
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotator.formats import FORMATS, WRITE_ONLY, choices, options, prmbench
from annotator.formats.options import BINARY, KEEP, Options
from annotator.formats.records import ExportRecord, ImportRecord, as_export


def row(kind: str = "redundency") -> ExportRecord:
    """Return the source's row of a PRMBench record with labels +--."""
    fields = {
        "original_question": "Q?", "modified_question": "Q?", "original_process": ["A"], "reason": "",
        "modified_process": ["A", "B", "C"], "modified_steps": [2, 3], "error_steps": [2, 3], "idx": "i_1",
        "question": "Q?", "classification": kind,
    }  # fmt: skip
    (found,) = prmbench.read(io.BytesIO(json.dumps(fields).encode()), "f")
    assert isinstance(found, ImportRecord)
    return as_export(found)


@pytest.mark.parametrize(
    ("labels", "chosen", "resolved"),
    [
        ("+0-0.?", KEEP, "+0-0.?"),
        ("+0-0.?", Options(neutral="right"), "++-+.?"),
        ("+0-0.?", Options(neutral="wrong"), "+---.?"),
        ("+0-0.?", Options(neutral="drop"), "+.-..?"),
        ("+0-0+?", Options(after_first_error="drop"), "+0-..."),
        ("+0-0+?", Options(neutral="wrong", after_first_error="drop"), "+-...."),
        ("+0-0+?", BINARY, "++-..."),
        ("+0+", BINARY, "+++"),
        ("??.", BINARY, "??."),
    ],
)
def test_resolve(labels: str, chosen: Options, resolved: str) -> None:
    assert options.resolve(labels, chosen) == resolved


@pytest.mark.parametrize(
    ("chosen", "resolved"),
    [
        (KEEP, "+--"),
        (Options(redundant="wrong"), "+--"),
        (Options(redundant="right"), "++-"),
        (Options(redundant="neutral"), "+0-"),
        (Options(redundant="neutral", neutral="right"), "++-"),
        (Options(redundant="neutral", neutral="drop"), "+.-"),
        (Options(redundant="right", after_first_error="drop"), "++-"),
        (Options(redundant="wrong", after_first_error="drop"), "+-."),
    ],
)
def test_redundant_steps_first(chosen: Options, resolved: str) -> None:
    assert options.resolve("+--", chosen, [1]) == resolved


def test_a_step_that_is_also_wrong_otherwise_stays_wrong() -> None:
    mixed = replace(
        row(), is_source=False, error_types=((), ("redundancy",), ("redundancy", "counterfactual"))
    )
    assert options.redundant_steps(mixed) == {1}
    assert options.apply(mixed, Options(redundant="right")).labels == "++-"


def test_an_injection_says_what_its_labels_mean() -> None:
    assert options.redundant_steps(row()) == {1, 2}
    assert options.redundant_steps(row("circular")) == frozenset()
    assert options.redundant_steps(replace(row(), is_source=False)) == frozenset()


@pytest.mark.parametrize(
    ("kind", "usual"), [("redundency", "++-"), ("circular", "++-"), ("counterfactual", "+++")]
)
def test_the_redundancy_axis_counts_by_itself_only_where_prmbench_reads_it(kind: str, usual: str) -> None:
    said = replace(row(kind), is_source=False, labels="+++", redundancy_labels="++-")
    for name in ("trl", "processbench"):
        assert options.apply(said, FORMATS[name].defaults).labels == usual
    assert options.apply(said, WRITE_ONLY["processbench_results"].defaults).labels == "+++"
    for name, asked in (("redundant", "++-"), ("neutral", usual)):
        value = {"redundant": "wrong", "neutral": "right"}[name]
        chosen = choices.chosen("trl", FORMATS["trl"].says, BINARY, {name: value})
        assert options.apply(said, chosen).labels == asked


def test_labels_that_a_choice_has_changed_are_no_longer_the_source_s() -> None:
    assert options.apply(row(), KEEP) is not None
    assert options.apply(row(), KEEP).is_source
    changed = options.apply(row(), Options(redundant="right"))
    assert (changed.labels, changed.is_source) == ("+++", False)
    assert json.loads(prmbench.write_record(changed))["error_steps"] == []


def test_binary() -> None:
    assert options.binary("+0-+.+") == (True, True, False, True)
    assert options.binary("?+") == ()


def test_harden() -> None:
    assert options.harden([0.9, 0.5, 0.51, 0.0]) == "+-+-"
    assert options.harden([0.9, 0.2], 0.95) == "--"
    assert options.harden([0.125], 0) == "+"  # hard from soft rollouts: any that reached the answer


def test_formats_that_can_say_it_change_nothing() -> None:
    binary = {"math_shepherd", "trl", "rlhflow", "openrlhf", "qwen", "pairs"}
    assert {name for name, fmt in FORMATS.items() if fmt.defaults == BINARY} == binary
    assert options.resolve("+0-?.", FORMATS["prm800k"].defaults) == "+0-?."
    for name in ("prmbench", "processbench"):
        assert options.resolve("+0-?.-", FORMATS[name].defaults) == "++-?.-"


neutrals = st.sampled_from(["right", "wrong", "drop", "keep"])
redundants = st.sampled_from(["wrong", "neutral", "right", "keep"])


@given(
    st.text("+-0?.", min_size=1, max_size=9),
    neutrals,
    redundants,
    st.sampled_from(["drop", "keep"]),
    st.data(),
)
def test_never_false_without_a_label(
    labels: str, neutral: options.Neutral, redundant: options.Redundant, after: options.AfterFirstError,
    data: st.DataObject,
) -> None:  # fmt: skip
    wrong = [at for at, label in enumerate(labels) if label == "-"]
    few = data.draw(st.sets(st.sampled_from(wrong))) if wrong else set()
    found = options.resolve(labels, Options(neutral, redundant, after), few)
    assert len(found) == len(labels)
    assert all(now in "?." for was, now in zip(labels, found, strict=True) if was in "?.")
    assert options.resolve(found, Options(neutral, "keep", after)) == found
    assert all(options.binary(found)[at] == (found[at] != "-") for at in range(len(options.binary(found))))


def test_every_choice_has_a_meaning() -> None:
    for neutral, redundant in product(
        ("right", "wrong", "drop", "keep"), ("wrong", "neutral", "right", "keep")
    ):
        assert len(options.resolve("+-0", Options(neutral, redundant), [1])) == 3
