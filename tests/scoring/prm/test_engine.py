"""The engine gives what reading each solution alone gives, however solutions are laid out, and says what it refuses."""

from itertools import pairwise

import numpy as np
import pytest
import torch
import transformers
from torch.utils._python_dispatch import TorchDispatchMode

from scoring.prm import batching, catalogue, engine, template
from scoring.prm.engine import attention, forward, heads, scoring
from scoring.prm.kept import Kept
from tests.scoring.prm import naive

TOLERANCE = 1e-5
ENTRIES = catalogue.load()
# One entry of each family, and those whose family differs in backbone, head or mark.
NAMES = [
    "math-shepherd-mistral-7b", "rlhflow-mistral-8b", "skywork-1.5b", "reasoneval-7b", "reasoneval-34b",
    "llemma-prm800k-7b", "mathminos-mistral-7b", "qwen2.5-math-prm-7b", "pure-prm-7b", "trl-qwen2.5-math-1.5b",
    "trl-qwen2-0.5b", "eurus-stage1", "qwen2.5-math-rm-72b",
]  # fmt: skip
VARIANTS = [(name, variant) for name in NAMES for variant in ENTRIES[name].variants]

PROBLEM = "Sue lives where flamingos are. How many of the 13 flamingos that Sue has are white on Sunday?"
BEGINS = [
    "Step 1. On Friday there are 13 flamingos.",
    "On Saturday the neighbours take back one third of them.",
]
SOLUTIONS = [
    (PROBLEM, [*BEGINS, "So $13 - 4 = 9$ is what is left.", "The answer is 9."]),
    (PROBLEM, [*BEGINS, "So $13 + 4 = 17$ is what is left.", "They paint these.\nThat equals 5.", "So 12."]),
    (PROBLEM, [*BEGINS, "So $13 - 4 = 9$ is what is left.", "Therefore 9 is the answer, and of these 2 are white."]),
    (PROBLEM.replace("Sunday", "Monday"), BEGINS),
    ("What is 1 + 1?", ["2. It is 2."]),
    (PROBLEM, BEGINS),
]  # fmt: skip
INPUTS = [(f"s{n}", problem, steps) for n, (problem, steps) in enumerate(SOLUTIONS)]


def loaded(folders, name: str, variant: str = "") -> engine.Model:
    spec = ENTRIES[name].variant(variant)
    reference = folders(name, 1) if spec.kind == "log_ratio" else None
    return engine.load(spec, folders(name), "cpu", reference=reference)


def scored(model, inputs=INPUTS, **how) -> dict[str, engine.Scored]:
    found = [one for batch in engine.score(model, inputs, **how) for one in batch]
    assert len({one.key for one in found}) == len(found) == len(inputs)
    return {one.key: one for one in found}


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_every_family_and_variant_is_read_as_one_at_a_time(folders, name, variant):
    model = loaded(folders, name, variant)
    reference = folders(name, 1) if model.spec.kind == "log_ratio" else None
    expected = {
        key: naive.scores(name, variant, folders(name), problem, steps, reference)
        for key, problem, steps in INPUTS
    }
    assert np.std([score for each in expected.values() for score in each["validity"]]) > 1e-4
    for layout in ("padded", "packed", "shared"):
        found = scored(model, layout=layout, token_budget=700)
        for key, _, steps in INPUTS:
            assert found[key].channels.keys() == expected[key].keys()
            for channel, scores in found[key].channels.items():
                assert len(scores) == len(steps)
                assert scores == pytest.approx(expected[key][channel], abs=TOLERANCE), (layout, key)


def test_a_model_whose_verdicts_enter_its_text_shares_nothing(folders):
    assert scoring.layout_of(ENTRIES["eurus-stage1"].variant()) == "packed"
    assert scoring.layout_of(ENTRIES["qwen2.5-math-prm-7b"].variant()) == "shared"


QWEN, RLHFLOW, EURUS, WHOLE = (
    "qwen2.5-math-prm-7b", "rlhflow-mistral-8b", "eurus-stage1", "qwen2.5-math-rm-72b",
)  # fmt: skip


class Sizes(TorchDispatchMode):
    """The largest number of logits that any operation gives, of a last dimension `size`."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size, self.most = size, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        done = func(*args, **(kwargs or {}))
        for each in () if func.is_view else done if isinstance(done, tuple | list) else [done]:
            if isinstance(each, torch.Tensor) and each.ndim and each.shape[-1] == self.size:
                self.most = max(self.most, each.numel())
        return done


@pytest.mark.parametrize("layout", ["padded", "shared"])
@pytest.mark.parametrize(
    ("name", "variant", "logits"),
    [(QWEN, "card", 0), ("math-shepherd-mistral-7b", "card", 0), ("llemma-prm800k-7b", "whole", 0),
     (RLHFLOW, "prmbench", 4), (EURUS, "card", 4)],
)  # fmt: skip
def test_logits_are_never_made_of_all_tokens(folders, monkeypatch, name, variant, logits, layout):
    """Where a score needs the whole vocabulary, as many rows as are allowed at once, else none."""
    model = loaded(folders, name, variant)
    size = model.net.backbone.config.vocab_size
    monkeypatch.setattr(heads, "MOST_LOGITS", 4 * size)
    with Sizes(size) as sizes:
        scored(model, layout=layout)
    assert sizes.most == logits * size


def short_of_memory(monkeypatch, room: int, error: Exception) -> list[int]:
    """Let a batch of more than `room` tokens fail as a full device does; gives what batches were tried."""
    real, tried = forward._hidden, []

    def launch(model, net, laid):
        tried.append(laid.ids.size)
        if laid.ids.size > room:
            raise error
        return real(model, net, laid)

    monkeypatch.setattr(forward, "_hidden", launch)
    return tried


@pytest.mark.parametrize(
    ("name", "layout"),
    [(QWEN, "padded"), (QWEN, "packed"), (QWEN, "shared"), (WHOLE, "shared"), (EURUS, "packed")],
)
def test_where_memory_runs_out_it_goes_on_with_half(folders, monkeypatch, name, layout):
    model = loaded(folders, name)
    expected = scored(model, layout=layout)
    room = max(one.n_tokens for one in expected.values())
    tried = short_of_memory(monkeypatch, room, torch.OutOfMemoryError("CUDA out of memory."))
    found = scored(model, layout=layout, token_budget=10**6)
    assert tried[0] > room
    assert model.budget <= tried[0] // 2
    for key, one in found.items():
        assert one.channels["validity"] == pytest.approx(expected[key].channels["validity"], abs=TOLERANCE)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")]
)
def test_a_single_text_without_room_is_marked_and_the_rest_scored(folders, monkeypatch, error):
    model = loaded(folders, QWEN)
    expected = scored(model)
    longest = max(expected, key=lambda key: expected[key].n_tokens)
    short_of_memory(monkeypatch, expected[longest].n_tokens - 1, error)
    found = scored(model)
    assert (found[longest].channels, found[longest].n_tokens) == ({}, expected[longest].n_tokens)
    assert f"A text of {found[longest].n_tokens} tokens does not fit" in found[longest].refused
    for key in expected.keys() - {longest}:
        assert found[key].channels["validity"] == pytest.approx(
            expected[key].channels["validity"], abs=TOLERANCE
        )


def test_a_single_text_is_tried_again_with_what_was_given_back(folders, monkeypatch):
    model = loaded(folders, QWEN)
    expected, real, tried = scored(model, INPUTS[:1]), forward._hidden, []

    def fragmented(*given):
        tried.append(1)
        if len(tried) == 1:
            raise torch.OutOfMemoryError("out of memory")
        return real(*given)

    monkeypatch.setattr(forward, "_hidden", fragmented)
    assert scored(model, INPUTS[:1]) == expected


def test_an_outcome_that_has_no_room_for_one_of_its_texts_is_marked_once(folders, monkeypatch):
    model = loaded(folders, WHOLE)
    room = max(one.n_tokens for one in scored(model, INPUTS[3:4]).values())
    short_of_memory(monkeypatch, room, MemoryError())
    found = scored(model, token_budget=300)
    assert "does not fit" in found["s0"].refused
    assert len(found["s3"].channels["validity"]) == len(BEGINS)


def test_another_error_is_not_taken_for_a_full_device(folders, monkeypatch):
    tried = short_of_memory(monkeypatch, 10, RuntimeError("an illegal access"))
    with pytest.raises(RuntimeError, match="an illegal access"):
        scored(loaded(folders, QWEN))
    assert len(tried) == 1


def test_what_is_left_comes_in_smaller_batches_at_once(folders, monkeypatch):
    model = loaded(folders, QWEN)
    inputs = [(f"s{n}", f"{n} flamingos?", [f"There are {n}."] * 3) for n in range(40)]
    tried = short_of_memory(monkeypatch, 800, torch.OutOfMemoryError("out of memory"))
    assert len(scored(model, inputs, token_budget=1_200, layout="packed")) == 40
    assert sum(size > 800 for size in tried) == 1


def test_what_cannot_be_scored_is_marked_and_the_rest_scored(folders):
    model = loaded(folders, QWEN)
    inputs = [
        ("long", PROBLEM, ["It is. " * 2_000]),
        ("mark", PROBLEM, ["It is.", "Here <extra_0> stands."]),
        ("sign", "Say <|im_end|>.", ["It is."]),
        *INPUTS,
    ]
    found = scored(model, inputs)
    assert (found["long"].too_long, found["long"].channels, found["long"].refused) == (True, {}, "")
    assert found["long"].n_tokens > model.spec.max_tokens
    assert (found["mark"].position, found["sign"].position) == (1, None)
    assert "<extra_0>" in found["mark"].refused
    assert "<|im_end|>" in found["sign"].refused
    assert found["s0"].channels == scored(model)["s0"].channels


def test_a_variant_that_cuts_has_no_scores_for_the_tail(folders):
    model = loaded(folders, QWEN, "prmbench")
    steps = ["It is what it is, and equals the other. " * 12] * 12
    found = scored(model, [("long", PROBLEM, steps)])["long"]
    expected = naive.scores(QWEN, "prmbench", folders(QWEN), PROBLEM, steps)["validity"]
    assert 0 < len(found.channels["validity"]) < 12
    assert found.channels["validity"] == pytest.approx(expected, abs=TOLERANCE)
    assert not found.too_long


@pytest.mark.parametrize("layout", ["padded", "packed", "shared"])
def test_a_score_that_is_not_finite_is_marked_and_the_rest_scored(folders, layout):
    model = loaded(folders, QWEN)
    expected = scored(model, layout=layout)
    model.net.backbone.embed_tokens.weight[model.tokens.id_of("Ġequals")] = float("nan")  # only s1 has it
    found = scored(model, layout=layout)
    assert [key for key, one in found.items() if one.refused.endswith("is not finite.")] == ["s1"]
    for key in expected.keys() - {"s1"}:
        assert found[key].channels["validity"] == pytest.approx(
            expected[key].channels["validity"], abs=TOLERANCE
        )


@pytest.mark.parametrize("name", [QWEN, WHOLE])
def test_a_plan_has_each_solution_in_one_batch_under_a_name_that_stays(folders, name):
    model = loaded(folders, name)
    inputs = [*INPUTS, ("mark", PROBLEM, ["<|im_end|>"])]
    plans = [list(engine.plan(model.spec, model.tokens, inputs, 300)) for _ in range(2)]
    assert plans[0] == plans[1]
    assert len(plans[0]) > 1
    assert sorted(key for batch in plans[0] for key in batch.keys) == sorted(key for key, *_ in inputs)
    assert len({batch.name for batch in plans[0]}) == len(plans[0])
    whole = scored(model, inputs)
    for batch in plans[0]:
        part = [one for one in inputs if one[0] in batch.keys]
        for key, one in scored(model, part).items():
            assert one.channels.get("validity", []) == pytest.approx(
                whole[key].channels.get("validity", []), abs=TOLERANCE
            )


def test_what_is_refused_alone_is_planned_all_the_same(folders):
    model = loaded(folders, QWEN)
    planned = list(engine.plan(model.spec, model.tokens, [("mark", PROBLEM, ["<|im_end|>"])], 300))
    assert [(batch.keys, batch.n_computed) for batch in planned] == [(("mark",), 0)]


@pytest.mark.parametrize("name", [QWEN, WHOLE])
def test_solutions_are_written_once(folders, tmp_path, monkeypatch, name):
    model = loaded(folders, name)
    expected = scored(model)
    kept = Kept(tmp_path / "kept" / "texts.sqlite3")
    assert scored(model, kept=kept) == expected
    monkeypatch.setattr(template, "inputs", lambda *_: pytest.fail("written again"))
    assert scored(model, kept=Kept(tmp_path / "kept" / "texts.sqlite3")) == expected
    other = model.spec.limited(50)
    assert kept.find(other, model.tokens, *SOLUTIONS[0]) is None
    kept.close()


def test_windows_bound_what_is_held_at_once(folders, monkeypatch):
    model = loaded(folders, QWEN)
    expected = scored(model)
    monkeypatch.setattr(scoring, "WINDOW", 2)
    found = scored(model)
    for key, one in expected.items():
        assert found[key].channels["validity"] == pytest.approx(one.channels["validity"], abs=TOLERANCE)


def test_half_precision_stays_close(folders):
    whole = scored(loaded(folders, QWEN))
    half = scored(engine.load(ENTRIES[QWEN].variant(), folders(QWEN), "cpu", "bfloat16"))
    for key, one in whole.items():
        assert half[key].channels["validity"] == pytest.approx(one.channels["validity"], abs=0.05)


def test_attention_sees_a_window_where_the_model_has_one():
    """Mistral's first models see only so many tokens back; sharing must not change which."""
    config = transformers.MistralConfig(
        vocab_size=99, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=20,
    )  # fmt: skip
    model = transformers.MistralModel(config).eval()
    root = list(range(40))
    texts = [[*root, *range(50, 90)], [*root[:35], *range(60, 95)], [*root, 3, 4, 5]]
    with torch.inference_mode():
        model.set_attn_implementation("eager")
        alone = [model(torch.tensor([text]), use_cache=False).last_hidden_state[0] for text in texts]
        attention.register()
        model.set_attn_implementation(attention.NAME)
        trees = batching.forest(texts)
        ids, places = torch.from_numpy(trees.ids[None]), torch.from_numpy(trees.places[None])
        row = attention.Row(trees)
        together = model(input_ids=ids, position_ids=places, use_cache=False, row=row).last_hidden_state[0]
        longest = max(map(len, texts))
        filled = torch.tensor([text + [0] * (longest - len(text)) for text in texts])
        rows = model(input_ids=filled, use_cache=False).last_hidden_state
    assert trees.n_computed < trees.n_useful
    for text, expected, where, padded in zip(texts, alone, trees.rows, rows, strict=True):
        torch.testing.assert_close(together[torch.from_numpy(where)], expected, atol=TOLERANCE, rtol=0)
        torch.testing.assert_close(padded[: len(text)], expected, atol=TOLERANCE, rtol=0)


def test_a_kernel_that_is_not_there_is_not_used():
    why = attention.kernel_agrees(torch.device("cpu"), torch.float32, 8)
    assert why.startswith("NotImplementedError")


def by_rule(query, key, value, starts, key_starts, longest, longest_keys, scaling):
    """What the fused kernel of a GPU does, segment by segment: fewer queries than keys are aligned at the end."""
    found = []
    for (a, b), (c, d) in zip(pairwise(starts.tolist()), pairwise(key_starts.tolist()), strict=True):
        assert b - a <= longest
        assert d - c <= longest_keys
        seen = torch.ones(b - a, d - c, dtype=torch.bool).tril((d - c) - (b - a))
        q, k, v = (each.transpose(0, 1) for each in (query[a:b], key[c:d], value[c:d]))
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=scaling)
        found.append(mixed.transpose(0, 1))
    return torch.cat(found)


@pytest.mark.parametrize("name", [QWEN, RLHFLOW, "math-shepherd-mistral-7b"])
def test_one_kernel_for_all_segments_gives_the_same(folders, monkeypatch, name):
    model = loaded(folders, name)
    expected = scored(model)
    monkeypatch.setattr(attention, "_flash", by_rule)
    assert attention.kernel_agrees(torch.device("cpu"), torch.float32, 8) == ""
    model.fused = True
    for layout in ("packed", "shared"):
        for key, one in scored(model, layout=layout).items():
            assert one.channels["validity"] == pytest.approx(
                expected[key].channels["validity"], abs=TOLERANCE
            )


def test_a_kernel_that_aligns_otherwise_is_not_used(monkeypatch):
    def at_the_start(query, key, value, starts, key_starts, longest, longest_keys, scaling):
        return by_rule(query, key, value, starts, key_starts, longest, longest_keys, 2 * 8**-0.5)

    monkeypatch.setattr(attention, "_flash", at_the_start)
    assert "differs" in attention.kernel_agrees(torch.device("cpu"), torch.float32, 8)
