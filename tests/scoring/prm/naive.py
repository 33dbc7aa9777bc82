"""Each family read one solution at a time, as its publishers describe it and without a line of scoring/prm: marks are
searched for in the ids, logits are whole, every step or every solution is a forward pass of its own. Slow and plain,
to compare with.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

CUT = 2048
Scores = dict[str, list[float]]
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."


@cache
def tokens(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


@cache
def model(folder: Path, kind: str) -> Any:
    import transformers

    return getattr(transformers, kind).from_pretrained(folder, dtype="float32").eval()


@cache
def weights(folder: Path) -> dict[str, Any]:
    import torch
    from safetensors.torch import load_file

    if (folder / "pytorch_model.bin").exists():
        return torch.load(folder / "pytorch_model.bin", weights_only=True)
    return load_file(folder / "model.safetensors")


def encode(folder: Path, text: str) -> list[int]:
    return tokens(folder).encode(text, add_special_tokens=False)


def one(folder: Path, token: str) -> int:
    return tokens(folder).convert_tokens_to_ids(token)


def logits(folder: Path, ids: Sequence[int], kind: str = "AutoModelForCausalLM") -> Any:
    import torch

    with torch.no_grad():
        return model(folder, kind)(torch.tensor([ids])).logits[0]


def hidden(folder: Path, ids: Sequence[int]) -> Any:
    import torch

    with torch.no_grad():
        return model(folder, "AutoModel")(torch.tensor([ids])).last_hidden_state[0]


def without_prefix(step: str) -> str:
    return re.sub(r"^(Step\s*\d+\.\s*|\d+\.\s*)", "", step.strip(), flags=re.IGNORECASE)


def math_shepherd(folder: Path, problem: str, steps: Sequence[str], cut: bool) -> Scores:
    parts = []
    for n, step in enumerate(map(str.strip, steps), 1):
        numbered = step if step.startswith(("Step", "step")) else f"Step {n}: {step}"
        parts.append(f"{numbered} ки\n")
    ids = [one(folder, "<s>"), *encode(folder, f"{problem} {''.join(parts)}")]
    ids = ids[:CUT] if cut else ids
    chances = logits(folder, ids)[:, [one(folder, "▁+"), one(folder, "▁-")]].softmax(-1)[:, 0]
    return {"validity": [chances[at].item() for at, token in enumerate(ids) if token == one(folder, "▁ки")]}


def rlhflow(folder: Path, problem: str, steps: Sequence[str], variant: str) -> Scores:
    """A forward pass a step: the verdict is read three tokens before the conversation's end, from what predicts +."""
    import torch

    text = (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n"
        "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n<|eot_id|>"
    )
    found = []
    for n, raw in enumerate(steps):
        step = without_prefix(raw) if variant == "prmbench" else raw
        said = f"{problem}{chr(10) * 2 if variant == 'processbench' else ' '}{step}" if n == 0 else step
        text += f"<|start_header_id|>user<|end_header_id|>\n\n{said.strip()}<|eot_id|>"
        text += "<|start_header_id|>assistant<|end_header_id|>\n\n+<|eot_id|>"
        ids = encode(folder, text)
        if variant == "prmbench" and len(ids) - 3 >= CUT:
            break
        row, plus, minus = logits(folder, ids)[-3], one(folder, "+"), one(folder, "-")
        if variant == "card":
            found.append(row[[plus, minus]].softmax(-1)[0].item())
        elif variant == "prmbench":
            found.append(row.softmax(-1)[plus].item())
        else:  # what the greedy token leaves to see: how + stands against the best of all others
            others = torch.cat([row[:plus], row[plus + 1 :]])
            found.append(torch.stack([row[plus], others.max()]).softmax(-1)[0].item())
    return {"validity": found}


def skywork(folder: Path, problem: str, steps: Sequence[str], variant: str) -> Scores:
    mark = "\n" if variant == "card" else "ки"
    texts = [without_prefix(step).strip() for step in steps]
    if variant == "card":
        answer = mark.join(steps)
        ends = [sum(step.count(mark) + 1 for step in steps[: n + 1]) - 1 for n in range(len(steps))]
    else:
        answer = "".join(f"Step {n}: {step} {mark}\n" for n, step in enumerate(texts, 1))
        ends = list(range(len(steps)))  # the last part, a line break, is not a step
    ids = encode(folder, tokens(folder).bos_token + problem + "\n")
    flags = []
    for part in answer.split(mark):
        ids += [*(encode(folder, part) if part else []), encode(folder, mark)[-1]]
        flags.append(len(ids) - 1)
    kept = ids[:CUT] if variant == "prmbench" else ids
    at = [flags[end] for end in ends if flags[end] < len(kept)]
    all_weights = weights(folder)
    values = (
        hidden(folder, kept) @ all_weights["v_head.summary.weight"].T + all_weights["v_head.summary.bias"]
    )
    return {"validity": [values[n, 0].sigmoid().item() for n in at]}


def reasoneval(folder: Path, problem: str, steps: Sequence[str], variant: str, begins: bool) -> Scores:
    separator = tokens(folder).pad_token
    written = [without_prefix(step) if variant == "prmbench" else step for step in steps]
    text = f"Question:\n{problem}\nAnswer:\nLet's think step by step.\n{separator}"
    with_marks = encode(folder, text + "".join(step + separator for step in written))
    ids, ends = [one(folder, "<s>")] if begins else [], []
    for token in with_marks:
        if token == one(folder, separator):
            ends.append(len(ids) - 1)
        else:
            ids.append(token)
    ends = [end for end in ends[1:] if variant != "prmbench" or end < CUT]
    all_weights = weights(folder)
    classes = hidden(folder, ids) @ all_weights["score_head.weight"].T
    classes = (classes + all_weights.get("score_head.bias", 0))[ends].softmax(-1).tolist()
    return {"validity": [row[1] + row[2] for row in classes], "redundancy": [row[1] for row in classes]}


def llemma(folder: Path, problem: str, steps: Sequence[str], cut: bool) -> Scores:
    texts = [without_prefix(step).replace("\n\n", "").strip() + "\n\n" for step in steps]
    ids = [one(folder, "<s>"), *encode(folder, f"# Question\n\n{problem}\n\n# Solution\n\n{''.join(texts)}")]
    line = one(folder, "<0x0A>")
    pairs: list[int] = []
    for at in range(len(ids) - 1):
        if ids[at] == ids[at + 1] == line and at - 1 not in pairs:  # an empty step is two more line breaks
            pairs.append(at)
    pairs = pairs[-len(steps) :]
    means = logits(folder, ids).mean(-1).sigmoid()
    return {"validity": [means[at].item() for at in pairs if not cut or at < CUT]}


def minos(folder: Path, problem: str, steps: Sequence[str], cut: bool) -> Scores:
    parts = [f"Step {n}: {without_prefix(step)} и\n" for n, step in enumerate(steps, 1)]
    ids = [one(folder, "<s>"), *encode(folder, f"Human: {problem}\n\nAssistant:{''.join(parts)}")]
    ids = ids[:CUT] if cut else ids
    values = logits(folder, ids, "AutoModelForTokenClassification")[:, 0]
    return {"validity": [values[at].item() for at, token in enumerate(ids) if token == one(folder, "▁и")]}


def chat(problem: str, answer: str, system: str = SYSTEM) -> str:
    said = (("system", system), ("user", problem), ("assistant", answer))
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in said)


def qwen(folder: Path, problem: str, steps: Sequence[str], variant: str) -> Scores:
    written = [without_prefix(step) if variant == "prmbench" else step for step in steps]
    system = SYSTEM.replace("\\b", "\b") if variant == "prmbench" else SYSTEM
    ids = encode(folder, chat(problem, "".join(f"{step}<extra_0>" for step in written), system))
    ids = ids[:CUT] if variant == "prmbench" else ids
    chances = two_layers(folder, hidden(folder, ids)).softmax(-1)[:, 1]
    return {
        "validity": [chances[at].item() for at, token in enumerate(ids) if token == one(folder, "<extra_0>")]
    }


def two_layers(folder: Path, states: Any) -> Any:
    w = weights(folder)
    return (states @ w["score.0.weight"].T + w["score.0.bias"]).relu() @ w["score.2.weight"].T + w[
        "score.2.bias"
    ]


def pure(folder: Path, problem: str, steps: Sequence[str], variant: str) -> Scores:
    if variant == "processbench":
        ids, parts = encode(folder, problem + "\n"), [encode(folder, step + "\n") for step in steps]
    else:
        written = [without_prefix(step) if variant == "prmbench" else step for step in steps]
        mark = encode(folder, "\n\n" if variant == "prmbench" else "\n")
        ids, parts = encode(folder, problem), [encode(folder, step) + mark for step in written]
    rows = classified(folder, ids, parts, cut=variant == "prmbench")
    return {"validity": [row[1] - (0 if variant == "processbench" else row[0]) for row in rows]}


def trl(folder: Path, problem: str, steps: Sequence[str], mark: str) -> Scores:
    parts = [encode(folder, step) + encode(folder, mark) for step in steps]
    return {"validity": [row[1] for row in classified(folder, encode(folder, problem), parts)]}


def classified(
    folder: Path, ids: list[int], parts: Sequence[list[int]], cut: bool = False
) -> list[list[float]]:
    """Class shares at each part's last token."""
    ends = []
    for part in parts:
        ids = ids + part
        ends.append(len(ids) - 1)
    ids = ids[:CUT] if cut else ids
    shares = logits(folder, ids, "AutoModelForTokenClassification").softmax(-1)
    return [shares[end].tolist() for end in ends if end < len(ids)]


def eurus(folder: Path, reference: Path, problem: str, steps: Sequence[str]) -> Scores:
    """Sums over the answer's tokens so far; how many those are is seen in the text alone."""
    ids = encode(folder, chat(problem, "\n\n".join(steps)))
    prompt = chat(problem, "").removesuffix("<|im_end|>\n")
    start = reaching(folder, ids, len(prompt) + 1) - 1
    ratio = likelihood(folder, ids) - likelihood(reference, ids)  # of token n + 1 at n
    found = []
    for n in range(1, len(steps) + 1):
        end = reaching(folder, ids, len(prompt + "\n\n".join(steps[:n])))
        found.append(0.001 * ratio[start - 1 : end - 1].sum().item())
    return {"validity": found}


def reaching(folder: Path, ids: Sequence[int], length: int) -> int:
    """How many tokens it takes for a text of at least that length."""
    counts = range(1, len(ids) + 1)
    return next(n for n in counts if len(tokens(folder).decode(ids[:n])) >= length)


def likelihood(folder: Path, ids: Sequence[int]) -> Any:
    import torch

    return logits(folder, ids)[:-1].log_softmax(-1).gather(1, torch.tensor(ids[1:])[:, None])[:, 0]


def qwen_rm(folder: Path, problem: str, steps: Sequence[str]) -> Scores:
    """Each prefix an answer of its own, read at its last token."""
    answers = ["\n\n".join(steps[: n + 1]) for n in range(len(steps))]
    states = [hidden(folder, encode(folder, chat(problem, answer)))[-1] for answer in answers]
    return {"validity": [two_layers(folder, state).item() for state in states]}


def scores(
    name: str, variant: str, folder: Path, problem: str, steps: Sequence[str], reference: Path | None = None
) -> Scores:
    """The scores by channel of a model made by tiny.make, of its catalogue entry's name."""
    cut, given = variant == "prmbench", (folder, problem, steps)
    readers: dict[str, Callable[[], Scores]] = {
        "math-shepherd": lambda: math_shepherd(*given, cut),
        "rlhflow": lambda: rlhflow(*given, variant),
        "skywork": lambda: skywork(*given, variant),
        "reasoneval": lambda: reasoneval(*given, variant, name == "reasoneval-7b"),
        "llemma": lambda: llemma(*given, cut),
        "mathminos": lambda: minos(*given, cut),
        "qwen2.5-math-rm": lambda: qwen_rm(*given),
        "qwen2.5-math": lambda: qwen(*given, variant),
        "pure": lambda: pure(*given, variant),
        "trl": lambda: trl(*given, "\n" if name == "trl-qwen2-0.5b" else "\n\n"),
        "eurus": lambda: eurus(folder, reference, problem, steps),  # type: ignore[arg-type]
    }
    return next(read for prefix, read in readers.items() if name.startswith(prefix))()
