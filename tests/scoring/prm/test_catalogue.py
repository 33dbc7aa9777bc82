"""The catalogue holds what the papers' tables name, and what is wrong in one is said with its place."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from scoring.metrics.published import published
from scoring.prm import catalogue
from scoring.prm.catalogue import CatalogueError, load
from scoring.prm.spec import READS, Clean, Decide, HeadKind, Spec

GOOD = """
[families.plain]
backbone = "qwen2"
head = { kind = "linear", weights = "score", outputs = 2 }
join = "ids"
before = ["{problem}"]
step = ["{step}", "{mark}"]
mark = "\\n"
read = "mark"
[families.plain.channels.validity]
readout = "pair_softmax"
of = [1]
decide = { rule = "above", threshold = 0.5, tuned_on = "nothing" }
[families.plain.variants.card]
[families.plain.variants.long]
like = "card"
max_tokens = 99

[[models]]
name = "one"
title = "One"
hub = "us/One"
family = "plain"
licence = "ours"
default = "card"
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_every_model_of_the_tables_is_there_but_one_that_was_never_released() -> None:
    rows = [*published("prmbench").rows, *published("processbench").rows]
    named = {row["model"] for row in rows if row["kind"] in ("prm", "orm")}
    ours = [name for entry in load().values() for name in entry.published]
    assert len(ours) == len(set(ours))
    assert named - {"Qwen2.5-Math-7B-Math-Shepherd"} == set(ours)


def test_an_entry_is_found_by_name_and_by_hub_id() -> None:
    assert catalogue.entry("QWEN2.5-math-prm-7b") is catalogue.entry("Qwen/Qwen2.5-Math-PRM-7B")
    with pytest.raises(CatalogueError, match="No model nothing") as refused:
        catalogue.entry("nothing")
    assert refused.value.field == "model"


def test_a_variant_is_chosen_by_name() -> None:
    entry = catalogue.entry("pure-prm-7b")
    assert entry.variant() is entry.variant("card")
    with pytest.raises(CatalogueError, match="no variant mine; it has card, prmbench, processbench"):
        entry.variant("mine")


def test_what_prmbench_cuts_no_other_variant_does() -> None:
    cuts = {
        (name, each.cuts, each.max_tokens)
        for e in load().values()
        for name, each in e.variants.items()
        if each.cuts
    }
    assert cuts == {("prmbench", True, 2048)}
    assert not any(e.variant("prmbench").cuts is False for e in load().values() if "prmbench" in e.variants)


def test_prmbench_writes_a_backspace_to_qwen_and_the_card_does_not() -> None:
    entry = catalogue.entry("qwen2.5-math-prm-72b")
    assert "\b" in entry.variant("prmbench").before[0]
    assert "\\boxed{}" in entry.variant("card").before[0]


def test_prmbench_takes_prefixes_off_every_step_but_math_shepherds() -> None:
    variants = [(e.family, e.variant("prmbench")) for e in load().values() if "prmbench" in e.variants]
    assert {family for family, spec in variants if "prefix" not in spec.clean} == {"math_shepherd"}
    assert all(spec.clean[0] == "prefix" for family, spec in variants if family != "math_shepherd")


def test_what_a_model_sets_stands_over_its_family() -> None:
    small, large = catalogue.entry("reasoneval-7b").variant(), catalogue.entry("reasoneval-34b").variant()
    assert (small.backbone, large.backbone) == ("mistral", "llama")
    assert (small.bos, large.bos) == ("yes", "no")
    assert catalogue.entry("trl-qwen2-0.5b").variant().mark == "\n"


def test_a_variant_may_be_like_another(written: Callable[[str], Path]) -> None:
    entry = load(written(GOOD))["one"]
    assert (entry.variant("long").max_tokens, entry.variant("long").mark, entry.variant().max_tokens) == (
        99,
        "\n",
        None,
    )


LONG = '[families.plain.variants.long]\nlike = "card"\nmax_tokens = 99'
WRONG = {
    "not toml": ("Invalid value", "x ="),
    "steps that are no texts": ("one: card: step", 'step = ["{step}", "{mark}"]|step = 3'),
    "a step twice": ("one: card: .*stands once in `step`", '["{step}", "{mark}"]|["{step}{step}", "{mark}"]'),
    "no problem": (r"one: card: \{problem\} stands once", '["{problem}"]|["Q"]'),
    "no mark": (r"one: card: read = mark needs one \{mark\}", '["{step}", "{mark}"]|["{step}"]'),
    "an empty mark": ("one: card: `mark` is empty", 'mark = "\\n"|mark = ""'),
    "a column too many": ("one: card: channels.validity: `of` names columns of 2", "of = [1]|of = [2]"),
    "a readout of another head": ("full_softmax does not read a head of kind linear", "pair_softmax|full_softmax"),
    "a pair of three": ("one: card: channels.validity: pair_softmax needs", "outputs = 2|outputs = 3"),
    "no such readout": ("one: card: channels.validity.readout", "pair_softmax|guess"),
    "no tuned_on": ("one: card: channels.validity.decide.tuned_on: Field required", ', tuned_on = "nothing"|'),
    "argmax with a threshold": ("argmax has no threshold", '"above", threshold = 0.5|"argmax", threshold = 0.4'),
    "a cut at no length": ("one: card: A variant that cuts says at how many", 'join = "ids"|join = "ids"\ncuts = true'),
    "a field nobody knows": ("one: card: joins: Extra inputs", 'join = "ids"|join = "ids"\njoins = 1'),
    "a head without weights": ("one: card: head: A head of kind linear names its weights", 'weights = "score", |'),
    "an outcome at a mark": ("kind = outcome goes with read = end", 'join = "ids"|join = "ids"\nkind = "outcome"'),
    "no such family": ("one: family: no family 'plane'", 'family = "plain"|family = "plane"'),
    "no such default": ("one: default: no variant 'mine'", 'default = "card"|default = "mine"'),
    "no licence": ("one: licence: Field required", 'licence = "ours"\n|'),
    "like nobody": ("one: long: like: no variant 'x'", 'like = "card"|like = "x"'),
    "like itself": ("one: long: like: no variant 'long'", 'like = "card"|like = "long"'),
    "a reference for nothing": ("one: reference: named where", 'hub = "us/One"|hub = "us/One"\nreference = "us/Two"'),
    "a family that is none": ("families.plain: this is a table", "families = { plain = 3 }"),
    "a variant that is none": ("one: long: this is a table", LONG + "|[families.plain.variants]\nlong = 3"),
    "what is set is no table": ("one: sets: this is a table", 'hub = "us/One"|hub = "us/One"\nsets = 3'),
    "a table nobody knows": ("mine.toml: model: not known here", "[[models]]|[[model]]"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_with_file_entry_and_field(what: str, written: Callable[[str], Path]) -> None:
    message, change = WRONG[what]
    old, _, new = change.partition("|")
    text = GOOD.replace(old, new) if new or "|" in change else change
    assert text != GOOD
    with pytest.raises(CatalogueError, match=message) as refused:
        load(written(text))
    assert refused.value.message.startswith("mine.toml: ")


def test_a_name_twice_is_refused(written: Callable[[str], Path]) -> None:
    twice = GOOD + GOOD[GOOD.index("[[models]]") :]
    with pytest.raises(CatalogueError, match="one: name: it is there twice"):
        load(written(twice))


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"none\.toml"):
        load(tmp_path / "none.toml")


def test_a_file_of_ones_own_adds_models_of_our_families(written: Callable[[str], Path]) -> None:
    mine = written(GOOD + GOOD[GOOD.index("[[models]]") :].replace("one", "two").replace("plain", "trl"))
    assert catalogue.entry("two", mine).variant().mark == "\n\n"
    assert catalogue.entry("us/one", mine).name == "one"
    assert len(load(catalogue.FILE, mine)) == len(load()) + 2
    with pytest.raises(CatalogueError, match=r"families\.plain: it is there already"):
        load(catalogue.FILE, mine, mine)


class TestOfFolder:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Callable[[str, str], Path]:
        def write(kind: str, named: str) -> Path:
            (tmp_path / "config.json").write_text(json.dumps({"model_type": kind, "architectures": [named]}))
            return tmp_path

        return write

    def test_a_folder_of_one_family_is_like_its_first_model(self, folder: Callable[[str, str], Path]) -> None:
        assert catalogue.of_folder(folder("qwen2", "Qwen2ForProcessRewardModel")).family == "qwen"
        assert catalogue.of_folder(folder("mistral", "MistralForCausalLM")).family == "math_shepherd"

    @pytest.mark.parametrize(
        ("kind", "named", "message"),
        [
            ("qwen2", "Qwen2ForTokenClassification", "like pure-prm-7b or trl-qwen2.5-math-1.5b: say which"),
            ("llama", "MistralForCausalLM", "like no model of the catalogue"),
            ("gpt2", "Other", "like no model of the catalogue"),
        ],
    )
    def test_where_it_is_not_plain_somebody_says(
        self, kind: str, named: str, message: str, folder: Callable[[str, str], Path]
    ) -> None:
        with pytest.raises(CatalogueError, match=message):
            catalogue.of_folder(folder(kind, named))

    def test_a_folder_without_a_configuration(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match=r"no config\.json"):
            catalogue.of_folder(tmp_path)


DOCS = (Path(__file__).parents[3] / "docs" / "models.md").read_text("utf-8")


def test_the_docs_list_every_model_with_its_variants() -> None:
    rows = [
        [cell.strip() for cell in row.split("|")[1:-1]]
        for row in re.findall(r"^\| `[^|]+` \|.*\|$", DOCS, re.M)
    ]
    told = {row[0].strip("`"): row[1:] for row in rows if len(row) == 6}
    assert told == {
        name: [
            ", ".join(e.published) or "–", e.family, e.hub or "none: name a folder", e.licence,
            ", ".join(f"**{v}**" if v == e.default else v for v in e.variants),
        ]
        for name, e in load().items()
    }  # fmt: skip


def test_the_docs_name_every_field_and_word() -> None:
    words = [*READS, *get_args(HeadKind), *get_args(Clean), *get_args(Decide.model_fields["rule"].annotation)]
    fields = set(Spec.model_fields) - {"model", "variant"}
    assert [word for word in (*words, *fields) if f"`{word}`" not in DOCS] == []


def test_the_docs_own_example_can_be_read(written: Callable[[str], Path]) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS, re.S)
    assert example
    assert load(written(example[1]))["ours-7b"].variant().mark == "\n\n"
