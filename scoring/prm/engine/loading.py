"""A catalogue entry and a folder of weights become a model that can score. Native backbones of transformers only,
heads of our own, and a refusal where a single name in the checkpoint is missing or left over: transformers itself
only warns, and scores with a random head."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from annotator.errors import Invalid
from scoring.prm import template
from scoring.prm.engine import attention, heads
from scoring.prm.engine.weights import Weights
from scoring.prm.spec import Spec
from scoring.prm.tokens import Tokens, of_folder, of_transformers

Tensor = Any
# Buffers that older checkpoints carry along and nobody reads.
NO_WEIGHTS = ("rotary_emb.inv_freq", "masked_bias", "attn.bias")
DEFAULT_BUDGET = 16_384


@dataclass
class Net:
    """A backbone and what reads its hidden states; `logp` instead of `columns` for a ratio of two models."""

    backbone: Any
    columns: heads.Columns | None = None
    logp: Callable[[Tensor, Tensor], Tensor] | None = None


@dataclass
class Model:
    """Ready to score. `budget` is in computed tokens a batch; it is halved where memory runs out."""

    spec: Spec
    tokens: Tokens
    net: Net
    device: Any
    dtype: str
    reference: Net | None = None
    budget: int = DEFAULT_BUDGET
    fused: bool = False
    why_not_fused: str = ""
    notes: list[str] = field(default_factory=list)


def load(
    spec: Spec,
    path: str | Path,
    device: str = "auto",
    dtype: str = "auto",
    *,
    reference: str | Path | None = None,
    device_map: str | None = None,
    budget: int = DEFAULT_BUDGET,
) -> Model:
    """Load the weights in folder `path` as `spec` describes them. `device` auto: the first GPU, else the CPU;
    `dtype` auto: bfloat16 on a GPU, else float32; `device_map="auto"` spreads a model over all cards. A log-ratio
    model needs the folder of its `reference`. Raises Invalid, TemplateError."""
    on, kind = where(device, dtype)
    folder = Path(path)
    spec = limited(spec, folder)
    tokens = tokenizer(folder)
    template.check(spec, tokens)
    if (spec.kind == "log_ratio") != (reference is not None):
        need = "needs" if reference is None else "takes no"
        raise Invalid(f"{spec.model} {need} reference model.", field="reference")
    net = _net(spec, folder, tokens, on, kind, device_map)
    other = _net(spec, Path(reference), tokens, on, kind, device_map) if reference else None
    return ready(spec, tokens, net, on, kind, reference=other, budget=budget)


def limited(spec: Spec, path: str | Path) -> Spec:
    """The spec with the most tokens that the checkpoint in folder `path` takes: what is planned with it is what the
    loaded model scores. Raises Invalid for another kind of model."""
    most = _config(spec, Path(path)).get("max_position_embeddings")
    if not isinstance(most, int) or most < 1:
        raise Invalid(f"{path}: config.json says no max_position_embeddings.", field="model")
    return spec.limited(most)


def ready(
    spec: Spec,
    tokens: Tokens,
    net: Net,
    device: Any,
    dtype: Any,
    *,
    reference: Net | None = None,
    budget: int = DEFAULT_BUDGET,
) -> Model:
    """Put a model together from its parts; on a GPU, find out whether one kernel can attend for all segments."""
    why = "only on a GPU"
    if device.type == "cuda":
        config = net.backbone.config
        width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        why = attention.kernel_agrees(device, dtype, width)
    name = str(dtype).removeprefix("torch.")
    return Model(spec, tokens, net, device, name, reference, budget, fused=not why, why_not_fused=why)


def where(device: str, dtype: str) -> tuple[Any, Any]:
    """(torch.device, torch.dtype) of what a user asked for. Raises Invalid."""
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise Invalid("There is no GPU here that PyTorch can use. Choose the device cpu.", field="device")
    kinds = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
    if dtype == "auto":
        dtype = "float32" if device == "cpu" else "bfloat16"
    if dtype not in kinds:
        raise Invalid(f"{dtype} is none of {', '.join(kinds)}.", field="dtype")
    try:
        return torch.device(device), kinds[dtype]
    except RuntimeError as refused:
        raise Invalid(f"{device} is no device of PyTorch: {refused}", field="device") from refused


def tokenizer(folder: Path) -> Tokens:
    """The folder's own fast tokenizer, never its code. Raises Invalid."""
    if (folder / "tokenizer.json").is_file():
        return of_folder(folder)
    from transformers import AutoTokenizer

    with _told(folder, "tokenizer"):
        found = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    if not found.is_fast:
        raise Invalid(f"{folder}: its tokenizer has no tokenizer.json; a fast one is needed.", field="model")
    return of_transformers(found)


def _net(spec: Spec, folder: Path, tokens: Tokens, device: Any, dtype: Any, device_map: str | None) -> Net:
    """A backbone with its head."""
    config = _config(spec, folder)
    weights = Weights(folder)
    prefix = spec.head.backbone_prefix
    tied = f"{prefix}embed_tokens.weight" if config.get("tie_word_embeddings") else ""
    ids = template.token_ids(spec, tokens)
    named = heads.read(spec.head, weights, ids, tied)
    backbone = _backbone(folder, prefix, device, dtype, device_map)
    _account(spec, weights, named, backbone, prefix)
    heads.check(spec.head, named, backbone.config.hidden_size, str(folder))
    net = Net(backbone)
    last = next(reversed(list(backbone.parameters()))).device
    if spec.head.kind == "log_ratio":
        net.logp = heads.log_probability(named.tensors[0].to(last, dtype))
    else:
        net.columns = heads.columns(spec.head, named, ids, last, dtype)
    return net


def _config(spec: Spec, folder: Path) -> dict[str, Any]:
    """config.json, of the kind that the catalogue allows."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    except (OSError, ValueError) as refused:
        raise Invalid(f"{folder}: no config.json that can be read: {refused}", field="model") from refused
    kind, said = config.get("model_type"), config.get("architectures") or []
    if kind != spec.backbone:
        raise Invalid(
            f"{folder}: its model_type is {kind}; {spec.model} is a {spec.backbone}.", field="model"
        )
    if spec.architectures and not set(said) & set(spec.architectures):
        allowed = " or ".join(spec.architectures)
        raise Invalid(f"{folder}: its architectures are {said}; {spec.model} is {allowed}.", field="model")
    return config


def _backbone(folder: Path, prefix: str, device: Any, dtype: Any, device_map: str | None) -> Any:
    """The native model below the head, in evaluation mode, on its device."""
    from transformers import AutoModel

    attention.register()
    with _quiet(), _told(folder, "model"):
        found, told = AutoModel.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation=attention.NAME,
            device_map=device_map or str(device),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are told, and refused with the others
            trust_remote_code=False,
            local_files_only=True,
            key_mapping={f"^{prefix}": ""} if prefix not in ("", "model.") else None,
        )
    wrong = {*told["missing_keys"], *(name for name, *_ in told["mismatched_keys"])}
    if wrong:
        named = _some(prefix + name.removeprefix(prefix) for name in wrong)
        raise Invalid(f"{folder}: no weights, or of another shape, for {named}.", field="model")
    return found.eval().requires_grad_(False)


@contextmanager
def _told(folder: Path, what: str) -> Iterator[None]:
    """What transformers says of a folder that it cannot read is said to the user."""
    from huggingface_hub.errors import StrictDataclassError

    try:
        yield
    except (OSError, ValueError, ImportError, KeyError, TypeError, StrictDataclassError) as refused:
        said = str(refused).strip().splitlines()
        reason = said[0] if said else type(refused).__name__
        raise Invalid(f"{folder}: no {what} that can be read: {reason}", field="model") from refused


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the report of names that it does not know: the heads' are among them, and we look at each."""
    from transformers import utils

    logging: Any = utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _account(spec: Spec, weights: Weights, named: heads.Named, backbone: Any, prefix: str) -> None:
    """Refuse a checkpoint with a name that neither backbone nor head uses, or without one that they need."""
    needed = {prefix + name for name, _ in backbone.named_parameters()}
    missing = needed - weights.names
    left = {
        name
        for name in weights.names - needed - named.names
        if not name.endswith(NO_WEIGHTS) and not name.startswith(tuple(spec.head.ignores))
    }
    if missing:
        raise Invalid(f"{weights.folder}: no weights for {_some(missing)}.", field="model")
    if left:
        raise Invalid(f"{weights.folder}: {spec.model} has no use for {_some(left)}.", field="model")


def _some(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return ", ".join(ordered[:3]) + more
