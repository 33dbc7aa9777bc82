"""Texts go through the backbone once, and columns come out where scores are read. One function a stage: lay the
texts out, compute hidden states, take those that are read, apply the head. Where memory runs out, in halves."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from annotator.errors import PlumblineError
from scoring.prm import batching
from scoring.prm.engine.attention import Row
from scoring.prm.engine.loading import Model, Net
from scoring.prm.template import Built

Tensor = Any
Floats = NDArray[np.float64]
# padded: a row a text, filled up; packed: one row, no padding; shared: one row, equal prefixes once.
Layout = Literal["padded", "packed", "shared"]


class NoRoom(PlumblineError):
    """A single text is too long for the memory there is."""

    code = "no_room"


@dataclass(frozen=True)
class Laid:
    """Ids and places of shape (rows, tokens); `rows[k]` finds text k's tokens in them, rows after one another."""

    ids: batching.Ints
    places: batching.Ints
    rows: Sequence[batching.Ints]
    forest: batching.Forest | None


def lay(texts: Sequence[Built], layout: Layout) -> Laid:
    """Lay texts out."""
    if layout != "padded":
        trees = batching.forest([text.ids for text in texts], share=layout == "shared")
        return Laid(trees.ids[None], trees.places[None], trees.rows, trees)
    longest = max(len(text.ids) for text in texts)
    ids = np.zeros((len(texts), longest), np.int64)
    for row, text in zip(ids, texts, strict=True):
        row[: len(text.ids)] = text.ids
    places = np.broadcast_to(np.arange(longest, dtype=np.int64), ids.shape)
    rows = [k * longest + np.arange(len(text.ids), dtype=np.int64) for k, text in enumerate(texts)]
    return Laid(ids, places, rows, None)


def launch(model: Model, texts: Sequence[Built], layout: Layout) -> Callable[[], list[Floats]]:
    """Start computing; the function that comes back waits for it and gives, for each text, an array of shape
    (positions, k). On a GPU the next batch can be started before."""
    laid = lay(texts, layout)
    if model.reference:
        differences = _ratio(model, model.net, laid, texts) - _ratio(model, model.reference, laid, texts)
        return lambda: _sums(differences.double().cpu().numpy(), texts)
    index = np.concatenate([row[text.positions] for row, text in zip(laid.rows, texts, strict=True)])
    found = _columns(model, laid, index)
    ends = np.cumsum([len(text.positions) for text in texts])[:-1]
    return lambda: np.split(found.double().cpu().numpy(), ends)


def _columns(model: Model, laid: Laid, index: batching.Ints) -> Tensor:
    """(len(index), k)."""
    import torch

    with torch.inference_mode():
        hidden = _hidden(model, model.net, laid)
        if model.net.columns is None:
            raise TypeError("a model of one net has columns")
        return model.net.columns(hidden[torch.from_numpy(index).to(hidden.device)])


def _hidden(model: Model, net: Net, laid: Laid) -> Tensor:
    """Hidden states of all tokens, (rows x tokens, width). No logits are made of them."""
    import torch

    ids, places = (torch.from_numpy(each.copy()).to(model.device) for each in (laid.ids, laid.places))
    row = Row(laid.forest, model.fused) if laid.forest else None
    done = net.backbone(input_ids=ids, position_ids=places, use_cache=False, row=row)
    return done.last_hidden_state.flatten(0, 1)


def _ratio(model: Model, net: Net, laid: Laid, texts: Sequence[Built]) -> Tensor:
    """Log-probability of each token from `start` to the last position, all texts one after another."""
    import torch

    pairs = zip(laid.rows, texts, strict=True)
    before = np.concatenate([row[text.start - 1 : text.positions[-1]] for row, text in pairs])
    after = np.concatenate([np.asarray(text.ids[text.start : text.positions[-1] + 1]) for text in texts])
    with torch.inference_mode():
        hidden = _hidden(model, net, laid)
        if net.logp is None:
            raise TypeError("a net of a ratio has logp")
        picked = hidden[torch.from_numpy(before).to(hidden.device)]
        return net.logp(picked, torch.from_numpy(after).to(hidden.device))


def _sums(differences: Floats, texts: Sequence[Built]) -> list[Floats]:
    """Sums from the start up to each position, (positions, 1) a text."""
    found, at = [], 0
    for text in texts:
        n = text.positions[-1] + 1 - text.start
        sums = np.cumsum(differences[at : at + n])
        found.append(sums[np.asarray(text.positions) - text.start][:, None])
        at += n
    return found


def compute(
    model: Model, texts: Sequence[Built], layout: Layout
) -> Iterator[tuple[list[int], Callable[[], list[Floats]]]]:
    """Start a batch, whole or, where memory runs out, in parts of half the size; the model's budget is halved with
    it, for all that comes after. Yields which texts a part holds and how to wait for it, which raises NoRoom where a
    single text has none."""
    parts = [list(range(len(texts)))]
    while parts:
        part = parts.pop(0)
        some = [texts[k] for k in part]
        started = _try(model, some, layout)
        if not started and len(part) == 1:  # once more, with what was given back
            started = _try(model, some, layout) or _without_room(len(some[0].ids))
        if started:
            yield part, started
        else:
            model.budget = max(1, min(model.budget, _size(some, layout)) // 2)
            parts = [[part[k] for k in half] for half in _halves(some, layout)] + parts


def _without_room(n: int) -> Callable[[], list[Floats]]:
    def wait() -> list[Floats]:
        raise NoRoom(f"A text of {n} tokens does not fit into memory. Use a larger device or float16.")

    return wait


def _try(model: Model, texts: Sequence[Built], layout: Layout) -> Callable[[], list[Floats]] | None:
    """None where there was no room; what was allocated is given back by then."""
    try:
        return launch(model, texts, layout)
    except (RuntimeError, MemoryError) as refused:
        if not _is_no_room(refused):
            raise
    _give_back()
    return None


def _is_no_room(refused: Exception) -> bool:
    import torch

    told = str(refused)
    return (
        isinstance(refused, MemoryError | torch.OutOfMemoryError)
        or "out of memory" in told
        or "can't allocate memory" in told
        or "ALLOC_FAILED" in told
    )


def _give_back() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _size(texts: Sequence[Built], layout: Layout) -> int:
    lengths = [len(text.ids) for text in texts]
    if layout == "padded":
        return len(lengths) * max(lengths)
    return batching.forest([text.ids for text in texts], share=layout == "shared").n_computed


def _halves(texts: Sequence[Built], layout: Layout) -> list[list[int]]:
    """Two halves or a few; neighbours in the order of ids stay together, so that they still share."""
    order = sorted(range(len(texts)), key=lambda k: list(texts[k].ids))
    if layout == "padded":
        order = sorted(order, key=lambda k: -len(texts[k].ids))
    middle = (len(order) + 1) // 2
    return [order[:middle], order[middle:]]
