"""What stands on top of the hidden states: small matrices read by name, applied only where a score is read.

Hidden states come in as (positions, width); columns go out as (positions, k) in float32, as `readout.values` asks for
them. A matrix over the vocabulary meets a few positions at a time, so nothing of positions times vocabulary is kept.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from annotator.errors import Invalid
from scoring.prm.engine.weights import Weights
from scoring.prm.spec import Head

Tensor = Any
Columns = Callable[[Tensor], Tensor]  # (n, width) -> (n, k)
MOST_LOGITS = 1 << 24  # numbers of a slice over the vocabulary: 64 MiB in float32
OVER_VOCABULARY = ("tokens", "vocabulary", "mean_row", "log_ratio")


@dataclass(frozen=True)
class Named:
    """A head's tensors as the checkpoint has them, and what of the checkpoint they are."""

    tensors: tuple[Tensor, ...]  # weight, bias or None, weight, bias or None …
    names: frozenset[str]


def read(head: Head, weights: Weights, tokens: Sequence[int], tied: str = "") -> Named:
    """The head's tensors; of a matrix over the vocabulary only the rows of `tokens` where no more is needed. `tied`
    names the embedding that stands in where the checkpoint has no matrix of its own. Raises Invalid."""
    if head.kind in OVER_VOCABULARY:
        name = "lm_head.weight"
        if name not in weights.names and tied:
            name = tied
        rows = tokens if head.kind == "tokens" else None
        return Named((weights.read(name, rows), None), frozenset({name}))
    found: list[Tensor] = []
    used = set()
    for layer in ("",) if head.kind == "linear" else (".0", ".2"):
        weight, bias = f"{head.weights}{layer}.weight", f"{head.weights}{layer}.bias"
        has = bias in weights.names
        if head.bias is not None and has != head.bias:
            raise Invalid(f"{weights.folder}: {bias} {'is' if has else 'is not'} there.", field="model")
        found += [weights.read(weight), weights.read(bias) if has else None]
        used |= {weight, bias} if has else {weight}
    return Named(tuple(found), frozenset(used))


def check(head: Head, named: Named, width: int, where: str) -> None:
    """Shapes as the catalogue says; raises Invalid. `width` is the hidden size."""
    outputs = {"linear": head.outputs, "mlp": head.outputs}.get(head.kind)
    weights, biases = named.tensors[::2], named.tensors[1::2]
    sizes = [tuple(weight.shape) for weight in weights]
    good = all(len(size) == 2 and size[1] == width for size in sizes) and (
        outputs is None or sizes[-1][0] == outputs
    )
    if not good or any(b is not None and b.shape != (w[0],) for b, w in zip(biases, sizes, strict=True)):
        told = ", ".join("×".join(map(str, size)) for size in sizes)
        raise Invalid(
            f"{where}: the head's weights are {told}; of width {width}, {outputs} outputs asked for."
        )


def columns(head: Head, named: Named, tokens: Sequence[int], device: Any, dtype: Any) -> Columns:
    """The function that reads a head's columns off hidden states."""
    import torch

    if head.kind == "mean_row":
        return _chain((named.tensors[0].float().mean(0, keepdim=True), None), device)
    if head.kind == "vocabulary":
        return _vocabulary(named.tensors[0].to(device, dtype), torch.tensor(tokens, device=device))
    return _chain(named.tensors, device)


def _chain(tensors: Sequence[Tensor], device: Any) -> Columns:
    """Linear layers with ReLU between them, in float32."""
    import torch

    ready: list[Any] = [None if each is None else each.to(device, torch.float32) for each in tensors]
    pairs = list(zip(ready[::2], ready[1::2], strict=True))

    def apply(hidden: Tensor) -> Tensor:
        hidden = hidden.float()
        for n, (weight, bias) in enumerate(pairs):
            hidden = torch.nn.functional.linear(torch.relu(hidden) if n else hidden, weight, bias)
        return hidden

    return apply


def _vocabulary(matrix: Tensor, tokens: Tensor) -> Columns:
    """Logits of `tokens`, the logarithm of the sum of exponentials over all, and the largest of the others."""
    import torch

    def few(hidden: Tensor) -> Tensor:
        logits = (hidden.to(matrix.dtype) @ matrix.T).float()
        listed, total = logits[:, tokens], logits.logsumexp(1, keepdim=True)
        others = logits.index_fill_(1, tokens, float("-inf")).amax(1, keepdim=True)
        return torch.cat([listed, total, others], 1)

    return lambda hidden: torch.cat([few(part) for part in _slices(hidden, len(matrix))])


def log_probability(matrix: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """(hidden states (n, width), token that follows each (n,)) -> log of its probability, (n,)."""
    import torch

    def few(hidden: Tensor, following: Tensor) -> Tensor:
        logits = (hidden.to(matrix.dtype) @ matrix.T).float()
        return logits.gather(1, following[:, None])[:, 0] - logits.logsumexp(1)

    def apply(hidden: Tensor, following: Tensor) -> Tensor:
        pairs = zip(_slices(hidden, len(matrix)), _slices(following, len(matrix)), strict=True)
        return torch.cat([few(*pair) for pair in pairs])

    return apply


def _slices(rows: Tensor, n_vocabulary: int) -> Sequence[Tensor]:
    found: Sequence[Tensor] = rows.split(max(1, MOST_LOGITS // n_vocabulary))
    return found
