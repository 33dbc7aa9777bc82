"""Tiny models of each family's architecture, random but seeded, in folders as published ones are: tokenizer.json,
config.json, weights under the published names (safetensors, or a .bin where the publisher has one)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WIDTH, LAYERS, CONTEXT = 32, 2, 4096

BYTES = [f"<0x{n:02X}>" for n in range(256)]
WORDS = (
    "Step",
    "Ġthe",
    "Ġof",
    "Ġis",
    "Ġand",
    "Ġequals",
    "Question",
    "Answer",
    "Solution",
    "flamingos",
    "assistant",
)
# Pre-tokenizers of Qwen2 and Llama 3 part the text alike as far as these tests go.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

QWEN = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<extra_0>")
LLAMA_3 = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")


def merged(words: Sequence[str]) -> list[tuple[str, str]]:
    """Merges that make each word one token, from the left."""
    pairs = [(word[:n], word[n]) for word in words for n in range(1, len(word))]
    return list(dict.fromkeys(pairs))


def byte_level(special: Sequence[str], **roles: str) -> Any:
    """As Qwen2's and Llama 3's tokenizers are made: bytes as letters, line breaks merged with what stands before."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("Ċ", "Ċ"), (".", "ĊĊ"), (".", "Ċ"), ("Ð", "º"), ("Ð", "¸"), ("Ðº", "Ð¸"), *merged(WORDS)]
    names = [*alphabet, *dict.fromkeys(a + b for a, b in merges)]
    made = Tokenizer(models.BPE(vocab={name: n for n, name in enumerate(names)}, merges=merges))
    made.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    made.add_special_tokens([AddedToken(token, normalized=False) for token in special])
    return PreTrainedTokenizerFast(tokenizer_object=made, **roles)


def sentence_piece(**roles: str) -> Any:
    """As Mistral's and Llama 2's tokenizers are made: ▁ for spaces and before the text, unknown characters as bytes."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>"]
    merges = merged(["▁ки", "▁и", "▁+", "▁-", *(word.replace("Ġ", "▁") for word in WORDS)])
    letters = [chr(n) for n in range(33, 127)] + ["▁", "к", "и"]
    names = [*special, *BYTES, *letters, *dict.fromkeys(a + b for a, b in merges)]
    vocabulary = {name: n for n, name in enumerate(dict.fromkeys(names))}
    made = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made.add_special_tokens([AddedToken(token, normalized=False) for token in special])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, unk_token="<unk>", **{"bos_token": "<s>", "eos_token": "</s>", **roles}
    )


TOKENIZERS: dict[str, Any] = {
    "math_shepherd": lambda: sentence_piece(),
    "minos": lambda: sentence_piece(),
    "llemma": lambda: sentence_piece(),
    "reasoneval-7b": lambda: sentence_piece(pad_token="<s>"),
    "reasoneval-34b": lambda: sentence_piece(pad_token="</s>"),
    "rlhflow": lambda: byte_level(LLAMA_3, bos_token=LLAMA_3[0], eos_token=LLAMA_3[3]),
    "skywork": lambda: byte_level(QWEN, bos_token=QWEN[0], pad_token=QWEN[0]),
}


def tokenizer(name: str, family: str) -> Any:
    made = TOKENIZERS.get(name) or TOKENIZERS.get(family)
    return made() if made else byte_level(QWEN, pad_token=QWEN[0], eos_token=QWEN[2])


def make(name: str, folder: Path, seed: int = 0) -> Path:
    """A tiny model for the catalogue's entry of that name, in `folder`, which is returned. A log ratio's reference is
    the same with another seed."""
    from scoring.prm import catalogue

    entry = catalogue.load()[name]
    spec = entry.variant()
    tokens = tokenizer(name, entry.family)
    tokens.save_pretrained(folder)
    FAMILIES.get(entry.family, causal)(spec, name, len(tokens), folder, seed)
    return folder


def config(backbone: str, size: int, **more: Any) -> Any:
    import transformers

    kind = {"qwen2": "Qwen2Config", "mistral": "MistralConfig", "llama": "LlamaConfig"}[backbone]
    return getattr(transformers, kind)(
        vocab_size=size, hidden_size=WIDTH, intermediate_size=2 * WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=CONTEXT,
        tie_word_embeddings=False, pad_token_id=0, **more,
    )  # fmt: skip


def spread(module: Any, seed: int) -> Any:
    """Weights large enough that scores differ."""
    import torch

    torch.manual_seed(seed)
    for name, weight in module.named_parameters():
        if "norm" not in name:
            torch.nn.init.normal_(weight, std=0.3 if weight.ndim > 1 else 0.1)
    return module.eval()


def causal(spec: Any, name: str, size: int, folder: Path, seed: int) -> None:
    import transformers

    kind = getattr(transformers, spec.architectures[0])
    spread(kind(config(spec.backbone, size)), seed).save_pretrained(folder)


def classifier(spec: Any, name: str, size: int, folder: Path, seed: int) -> None:
    import transformers

    kind = getattr(transformers, spec.architectures[0])
    spread(kind(config(spec.backbone, size, num_labels=spec.head.outputs)), seed).save_pretrained(folder)


def headed(spec: Any, name: str, size: int, folder: Path, seed: int) -> None:
    """A backbone and a head that transformers has no class for, beside a language model's head that nobody reads."""
    import torch
    import transformers

    kind = {"qwen2": "Qwen2Model", "mistral": "MistralModel", "llama": "LlamaModel"}[spec.backbone]
    settings = config(spec.backbone, size)
    backbone = spread(getattr(transformers, kind)(settings), seed)
    head = spread(head_of(spec, bias=name != "reasoneval-7b"), seed + 1)
    weights = {f"model.{key}": value for key, value in backbone.state_dict().items()}
    weights |= {f"{spec.head.weights}.{key}": value for key, value in head.state_dict().items()}
    weights["lm_head.weight"] = torch.zeros(size, WIDTH)
    settings.architectures = list(spec.architectures) or ["Unnamed"]
    (folder / "config.json").write_text(json.dumps(settings.to_dict()))
    if spec.head.weights == "v_head.summary":
        torch.save(weights, folder / "pytorch_model.bin")
    else:
        from safetensors.torch import save_file

        save_file({key: value.contiguous() for key, value in weights.items()}, folder / "model.safetensors")


def head_of(spec: Any, bias: bool = True) -> Any:
    from torch import nn

    if spec.head.kind == "linear":
        return nn.Linear(WIDTH, spec.head.outputs, bias=bias)
    return nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, spec.head.outputs))


FAMILIES: dict[str, Any] = {
    "skywork": headed, "reasoneval": headed, "qwen": headed, "qwen_rm": headed,
    "minos": classifier, "pure": classifier, "trl": classifier,
}  # fmt: skip
