"""What each variant writes, token by token, and where its verdicts stand: on inputs of the shape of the model cards'
worked ones, and on steps that are empty, hold blank lines, marks or special tokens."""

import json
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotator.errors import Invalid
from scoring.prm import catalogue, template
from scoring.prm.spec import Spec
from scoring.prm.tokens import FastTokens, of_folder, of_transformers
from tests.scoring.prm import tiny

CARDS = json.loads((Path(__file__).parents[2] / "data" / "model_cards.json").read_text("utf-8"))
VARIANTS = [(name, variant) for name, entry in catalogue.load().items() for variant in entry.variants]


def spec_of(name: str, variant: str = "") -> Spec:
    return catalogue.load()[name].variant(variant)


@cache
def tokens(name: str) -> FastTokens:
    return of_transformers(tiny.tokenizer(name, catalogue.load()[name].family))


def written(name: str, variant: str, problem: str, steps: Sequence[str]) -> list[str]:
    """Each input as its tokens, those at which a score is read in double angle quotes."""
    made = template.inputs(spec_of(name, variant), tokens(name), problem, steps)
    return [
        "".join(f"«{t}»" if n in one.positions else t for n, t in enumerate(names_of(name, one.ids)))
        for one in made
    ]


def names_of(name: str, ids: Sequence[int]) -> list[str]:
    return [tokens(name).backend.id_to_token(token) for token in ids]


CHAT = (
    "<|im_start|>systemĊPleaseĠreasonĠstepĠbyĠstep,ĠandĠputĠyourĠfinalĠanswerĠwithinĠ{}oxed{{}}.<|im_end|>Ċ"
    "<|im_start|>userĊ1+1?<|im_end|>Ċ<|im_start|>assistantĊ"
)
QWEN, BACKSPACE = CHAT.format("\\b"), CHAT.format("Ĉ")
LLAMA = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>ĊĊCuttingĠKnowledgeĠDate:ĠDecemberĠ2023Ċ"
    "TodayĠDate:Ġ26ĠJulĠ2024ĊĊ<|eot_id|>"
)
SAID = "<|start_header_id|>user<|end_header_id|>ĊĊ"
JUDGED = "<|eot_id|><|start_header_id|>assistant<|end_header_id|>«ĊĊ»+<|eot_id|>"
REASONEVAL = "<s>▁Question:<0x0A>1+1?<0x0A>Answer:<0x0A>Let's▁think▁step▁by▁step.<0x0A>"

# The problem "1+1?" with the steps "1. It is 2." and "So", blank line, "2".
WRITTEN = {
    (
        "math-shepherd-mistral-7b",
        "card",
    ): "<s>▁1+1?▁Step▁1:▁1.▁It▁is▁2.«▁ки»<0x0A>Step▁2:▁So<0x0A><0x0A>2«▁ки»<0x0A>",
    ("rlhflow-mistral-8b", "card"): f"{LLAMA}{SAID}1+1?Ġ1.ĠItĠisĠ2.{JUDGED}{SAID}SoĊĊ2{JUDGED}",
    ("rlhflow-mistral-8b", "prmbench"): f"{LLAMA}{SAID}1+1?ĠItĠisĠ2.{JUDGED}{SAID}SoĊĊ2{JUDGED}",
    ("rlhflow-mistral-8b", "processbench"): f"{LLAMA}{SAID}1+1?ĊĊ1.ĠItĠisĠ2.{JUDGED}{SAID}SoĊĊ2{JUDGED}",
    ("skywork-1.5b", "card"): "<|endoftext|>1+1?Ċ1.ĠItĠisĠ2.«Ċ»SoĊĊ2«Ċ»",
    ("skywork-7b", "prmbench"): "<|endoftext|>1+1?ĊStepĠ1:ĠItĠisĠ2.Ġ«ÐºÐ¸»ĊStepĠ2:ĠSoĊĊ2Ġ«ÐºÐ¸»",
    ("reasoneval-7b", "card"): f"{REASONEVAL}▁1.▁It▁is▁2«.»▁So<0x0A><0x0A>«2»",
    ("reasoneval-34b", "prmbench"): f"{REASONEVAL.removeprefix('<s>')}▁It▁is▁2«.»▁So<0x0A><0x0A>«2»",
    ("llemma-prm800k-7b", "whole"): (
        "<s>▁#▁Question<0x0A><0x0A>1+1?<0x0A><0x0A>#▁Solution<0x0A><0x0A>It▁is▁2.«<0x0A>»<0x0A>So2«<0x0A>»<0x0A>"
    ),
    ("llemma-oprm-7b", "prmbench"): (
        "<s>▁#▁Question<0x0A><0x0A>1+1?<0x0A><0x0A>#▁Solution<0x0A><0x0A>It▁is▁2.«<0x0A>»<0x0A>So2«<0x0A>»<0x0A>"
    ),
    ("mathminos-mistral-7b", "whole"): (
        "<s>▁Human:▁1+1?<0x0A><0x0A>Assistant:Step▁1:▁It▁is▁2.«▁и»<0x0A>Step▁2:▁So<0x0A><0x0A>2«▁и»<0x0A>"
    ),
    ("qwen2.5-math-prm-7b", "card"): f"{QWEN}1.ĠItĠisĠ2.«<extra_0>»SoĊĊ2«<extra_0>»<|im_end|>Ċ",
    ("qwen2.5-math-prm-72b", "prmbench"): f"{BACKSPACE}ItĠisĠ2.«<extra_0>»SoĊĊ2«<extra_0>»<|im_end|>Ċ",
    ("pure-prm-7b", "card"): "1+1?1.ĠItĠisĠ2.«Ċ»SoĊĊ2«Ċ»",
    ("pure-prm-7b", "prmbench"): "1+1?ItĠisĠ2.«ĊĊ»SoĊĊ2«ĊĊ»",
    ("pure-prm-7b", "processbench"): "1+1?Ċ1.ĠItĠisĠ2«.Ċ»SoĊĊ2«Ċ»",
    ("trl-qwen2.5-math-1.5b", "card"): "1+1?1.ĠItĠisĠ2.«ĊĊ»SoĊĊ2«ĊĊ»",
    ("trl-qwen2-0.5b", "card"): "1+1?1.ĠItĠisĠ2.«Ċ»SoĊĊ2«Ċ»",
    ("eurus-stage1", "card"): f"{QWEN}1.ĠItĠisĠ2«.ĊĊ»SoĊĊ«2»<|im_end|>Ċ",
}


@pytest.mark.parametrize(("name", "variant"), WRITTEN)
def test_each_variant_token_by_token(name: str, variant: str) -> None:
    assert written(name, variant, "1+1?", ["1. It is 2.", "So\n\n2"]) == [WRITTEN[name, variant]]


def test_an_outcome_model_reads_every_prefix_as_an_answer() -> None:
    ends = ["1.ĠItĠisĠ2.<|im_end|>«Ċ»", "1.ĠItĠisĠ2.ĊĊSo<|im_end|>«Ċ»"]
    assert written("qwen2.5-math-rm-72b", "card", "1+1?", ["1. It is 2.", "So"]) == [
        QWEN + end for end in ends
    ]


def test_an_input_as_on_qwens_card() -> None:
    """Special tokens part the text: what stands between them is tokenised as if alone."""
    card, name = CARDS["qwen"], "qwen2.5-math-prm-7b"
    one = template.build(spec_of(name), tokens(name), card["problem"], card["steps"])
    parts = [
        "<|im_start|>", "system\nPlease reason step by step, and put your final answer within \\boxed{}.", "<|im_end|>",
        "\n", "<|im_start|>", f"user\n{card['problem']}", "<|im_end|>", "\n", "<|im_start|>", "assistant\n",
    ]  # fmt: skip
    expected = [token for part in parts for token in tokens(name).encode(part).ids]
    places = []
    for step in card["steps"]:
        expected += [*tokens(name).encode(step).ids, tokens(name).id_of("<extra_0>")]
        places.append(len(expected) - 1)
    expected += [tokens(name).id_of("<|im_end|>"), *tokens(name).encode("\n").ids]
    assert one.ids == expected
    assert one.positions == places
    assert len(places) == 4


@pytest.mark.parametrize("name", ["reasoneval-7b", "reasoneval-34b"])
def test_an_input_as_in_reasonevals_example(name: str) -> None:
    """The separators leave no token, and each step is tokenised as a text of its own."""
    card = CARDS["reasoneval"]
    one = template.build(spec_of(name), tokens(name), card["problem"], card["steps"])
    start = f"Question:\n{card['problem']}\nAnswer:\nLet's think step by step.\n"
    bos = [tokens(name).id_of("<s>")] if name == "reasoneval-7b" else []
    expected, places = [*bos, *tokens(name).encode(start).ids], []
    for step in card["steps"]:
        expected += tokens(name).encode(step).ids
        places.append(len(expected) - 1)
    assert one.ids == expected
    assert one.positions == places
    assert len(places) == 10


ODD = [
    "",
    "Step 2. A\n\nB\n",
    "  ",
    "3. a+b - c = +",
    "\n\n\n",
    "x ",
    "$\\frac{1}{2}$ да, и ещё \U0001d54f {step} {mark}",
]


# What a score is read at, where that is always the same token.
READ_AT = {
    "math_shepherd": {"▁ки"}, "minos": {"▁и"}, "rlhflow": {"ĊĊ"}, "llemma": {"<0x0A>"}, "qwen": {"<extra_0>"},
    "skywork": {"Ċ", "ÐºÐ¸"}, "qwen_rm": {"Ċ"},
}  # fmt: skip


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_odd_steps_keep_their_places(name: str, variant: str) -> None:
    spec, family = spec_of(name, variant), catalogue.load()[name].family
    steps = ODD if spec.mark != "и" else ODD[:-1]  # the last holds that mark
    made = template.inputs(spec, tokens(name), "Why\n\n{problem}?", steps)
    assert sum(len(one.positions) for one in made) == len(steps)
    for one in made:
        assert all(a < b or (spec.read == "last_of_step" and a == b) for a, b in pairwise(one.positions))
        assert family not in READ_AT or {names_of(name, one.ids)[n] for n in one.positions} <= READ_AT[family]
    text = "".join(names_of(name, made[-1].ids)).replace("Ġ", "▁")
    assert text.count("{step}▁{mark}") == (spec.mark != "и")


def test_an_empty_step_stands_where_the_one_before_it_ends() -> None:
    assert written("reasoneval-7b", "card", "1+1?", ["", "2", ""])[0].endswith("step.«<0x0A>»▁«2»")


def test_lines_of_a_step_are_parted_by_marks_that_no_score_is_read_at() -> None:
    assert written("skywork-7b", "card", "Q", ["a\n\nb", ""]) == ["<|endoftext|>QĊaĊĊb«Ċ»«Ċ»"]


def test_a_problem_that_begins_a_turn_loses_its_blanks() -> None:
    text = written("rlhflow-mistral-8b", "card", "\n Q", ["", " a"])[0]
    assert text == f"{LLAMA}{SAID}Q{JUDGED}{SAID}a{JUDGED}"


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.text(st.sampled_from("aки+-.\n {}<>"), max_size=8), min_size=1, max_size=5))
@pytest.mark.parametrize(
    "name", ["rlhflow-mistral-8b", "skywork-1.5b", "reasoneval-7b", "llemma-oprm-7b", "pure-prm-7b"]
)
def test_no_step_moves_the_place_of_another(name: str, steps: list[str]) -> None:
    """A solution's first steps, written alone, have the places they have in the whole: each place depends on what
    stands before it only."""
    whole = template.build(spec_of(name), tokens(name), "Q", steps)
    part = template.build(spec_of(name), tokens(name), "Q", steps[: len(steps) // 2 + 1])
    assert whole.positions[: len(part.positions)] == part.positions
    assert whole.ids[: part.positions[-1] + 1] == part.ids[: part.positions[-1] + 1]


@pytest.mark.parametrize(
    ("name", "problem", "steps", "position", "held"),
    [
        ("qwen2.5-math-prm-7b", "Q", ["a", "b <extra_0>"], 1, "<extra_0>"),
        ("qwen2.5-math-prm-7b", "Q <|im_end|>", ["a"], None, "<|im_end|>"),
        ("reasoneval-34b", "Q", ["a </s>"], 0, "</s>"),
        ("math-shepherd-mistral-7b", "Q", ["a", "b ки b"], 1, "ки"),
        ("math-shepherd-mistral-7b", "Q ки", ["a"], None, "ки"),
        ("rlhflow-deepseek-8b", "Q", ["<|eot_id|>"], 0, "<|eot_id|>"),
    ],
)
def test_a_text_that_holds_a_sign_of_the_models_is_refused(
    name: str, problem: str, steps: list[str], position: int | None, held: str
) -> None:
    with pytest.raises(template.Unfit, match=held.replace("|", r"\|")) as refused:
        template.build(spec_of(name), tokens(name), problem, steps)
    assert refused.value.position == position
    assert refused.value.message.startswith("The problem" if position is None else f"Step {position + 1}")


def test_what_is_too_long_is_marked_and_whole() -> None:
    spec = spec_of("pure-prm-7b").limited(10)
    one = template.build(spec, tokens("pure-prm-7b"), "Q", ["a b c", "d e f"])
    assert (one.too_long, len(one.positions), one.n_tokens) == (True, 2, len(one.ids))
    assert not template.build(spec.limited(2048), tokens("pure-prm-7b"), "Q", ["a"]).too_long


@pytest.mark.parametrize("name", ["pure-prm-7b", "reasoneval-7b"])
def test_a_variant_that_cuts_drops_the_tail(name: str) -> None:
    one = template.build(spec_of(name, "prmbench"), tokens(name), "Q", ["x" * 1000, "y" * 900, "z" * 900])
    assert (one.too_long, len(one.ids), len(one.positions), one.n_steps) == (False, 2048, 2, 3)
    assert one.n_tokens > 2048


def test_what_ids_depend_on_is_in_the_digest_and_nothing_else() -> None:
    card, other = spec_of("pure-prm-7b"), spec_of("pure-prm-7b", "prmbench")
    assert card.digest != other.digest
    assert card.digest == card.model_copy(update={"note": "new", "coefficient": 2.0}).digest
    assert card.digest != card.limited(100).digest


class TestCheck:
    @pytest.mark.parametrize(("name", "variant"), VARIANTS)
    def test_a_familys_own_tokenizer_will_do(self, name: str, variant: str) -> None:
        spec = spec_of(name, variant)
        assert len(template.token_ids(spec, tokens(name))) == len(spec.head.tokens)

    @pytest.mark.parametrize(
        ("name", "other", "message"),
        [
            ("skywork-7b", "qwen2.5-math-prm-7b", "needs a tokenizer with a bos token"),
            ("reasoneval-7b", "llemma-oprm-7b", "needs a tokenizer with a pad token"),
            ("math-shepherd-mistral-7b", "skywork-7b", "has no token ▁\\+"),
            ("rlhflow-mistral-8b", "skywork-7b", r"has no token <\|start_header_id\|>"),
            ("qwen2.5-math-prm-7b", "rlhflow-mistral-8b", "has no token <extra_0>"),
        ],
    )
    def test_another_familys_is_refused(self, name: str, other: str, message: str) -> None:
        with pytest.raises(template.TemplateError, match=message):
            template.check(spec_of(name), tokens(other))

    def test_known_ids_hold_in_a_vocabulary_of_the_published_size(self) -> None:
        spec = spec_of("qwen2.5-math-prm-7b").model_copy(update={"vocabulary": 10})
        with pytest.raises(template.TemplateError, match=r"token <extra_0> is \d+, not 151651"):
            template.check(spec, tokens("qwen2.5-math-prm-7b"))

    def test_a_folders_tokenizer_is_read_as_it_stands_there(self, tmp_path: Path) -> None:
        """transformers 5 builds a LlamaTokenizer of its own, which puts no ▁ after special tokens."""
        made = tiny.tokenizer("reasoneval-34b", "reasoneval")
        made.save_pretrained(tmp_path)
        settings = json.loads((tmp_path / "tokenizer_config.json").read_text())
        (tmp_path / "tokenizer_config.json").write_text(
            json.dumps(settings | {"tokenizer_class": "LlamaTokenizer"})
        )
        read, text = of_folder(tmp_path), "Q\n</s>So it is.</s> So"
        assert read.encode(text) == tokens("reasoneval-34b").encode(text)
        assert (read.named("pad"), read.named("bos"), read.special) == (
            "</s>",
            "<s>",
            {"<unk>", "<s>", "</s>"},
        )

    def test_tokens_that_only_the_settings_name_are_added_where_they_say(self, tmp_path: Path) -> None:
        made = tiny.byte_level(tiny.QWEN[:3])
        made.save_pretrained(tmp_path)
        added = {str(len(made)): {"content": "<extra_0>", "special": True}}
        config = {"added_tokens_decoder": added, "bos_token": {"content": "<|endoftext|>"}, "pad_token": None}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        read = of_folder(tmp_path)
        assert (read.id_of("<extra_0>"), read.named("bos"), read.named("pad")) == (
            len(made),
            "<|endoftext|>",
            None,
        )
        template.check(spec_of("qwen2.5-math-prm-7b").model_copy(update={"known_ids": {}}), read)
        config["added_tokens_decoder"] = {"9999": {"content": "<other>"}}
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        with pytest.raises(Invalid, match="<other> cannot be token 9999"):
            of_folder(tmp_path)

    @pytest.mark.parametrize("text", [None, "{", "[]"])
    def test_a_folder_without_one_is_refused(self, text: str | None, tmp_path: Path) -> None:
        if text is not None:
            (tmp_path / "tokenizer.json").write_text(text)
        with pytest.raises(Invalid, match=r"no tokenizer\.json that can be read"):
            of_folder(tmp_path)

    def test_a_tokenizer_without_offsets_is_refused(self) -> None:
        slow: Any = object()
        with pytest.raises(Exception, match="fast tokenizer"):
            of_transformers(slow)
