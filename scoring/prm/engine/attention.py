"""Attention over a row of segments (`batching.Forest`): each attends to what stands before it in its own text, and
causally to itself. Registered with transformers under NAME, it replaces only the product of queries, keys and values
in the native models; everything else of them runs on one row without padding.
"""

from itertools import accumulate
from typing import Any

from scoring.prm.batching import Forest, Segment, spans

NAME = "plumbline_segments"
Tensor = Any  # torch is imported only when it runs


class Row:
    """A forest on its way through the layers; masks and indexes are made once a device and kept. `fused` uses one
    kernel for all segments (CUDA, `kernel_agrees`), else each segment has its own call."""

    def __init__(self, forest: Forest, fused: bool = False) -> None:
        self.segments = forest.segments
        self.longest = max((s.n_before + s.end - s.start for s in forest.segments), default=0)
        self.fused = fused
        self.kept: dict[Any, Any] = {}

    def mask(self, segment: Segment, window: int | None, device: Any) -> Tensor:
        """True where a query of the segment sees a key; (new, before + new)."""
        key = (segment, window, device)
        if key not in self.kept:
            self.kept[key] = _mask(segment.end - segment.start, segment.n_before, window, device)
        return self.kept[key]

    def cuts(self, device: Any) -> tuple[Tensor, Tensor, Tensor, int]:
        """What the fused kernel asks for: where the queries and keys of each segment begin, (segments + 1,) each;
        which of the row each key is, (keys,); and the most queries of a segment."""
        if device not in self.kept:
            import torch

            new = [s.end - s.start for s in self.segments]
            keys = [n + s.n_before for n, s in zip(new, self.segments, strict=True)]
            which = spans(part for s in self.segments for part in (*s.before, (s.start, s.end)))
            starts = (
                torch.tensor([0, *accumulate(each)], dtype=torch.int32, device=device) for each in (new, keys)
            )
            self.kept[device] = (*starts, torch.from_numpy(which).to(device), max(new))
        return self.kept[device]  # type: ignore[no-any-return]


def register() -> None:
    """Make NAME known to transformers. It is given no mask: masks of the size of the row are never made."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor,
    scaling: float | None = None,
    sliding_window: int | None = None,
    row: Row | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Queries (rows, heads, T, width), keys and values with as many heads or a divisor of it; gives (rows, T, heads,
    width). Without a `row`, right-padded texts: a causal model's tokens never see what stands right of them."""
    import torch

    if row is None:
        found = _padded(query, key, value, scaling, sliding_window)
    elif row.fused and not _reaches(row.longest, sliding_window):
        found = _fused(query, key, value, scaling, row)
    else:
        parts = [_one(query, key, value, scaling, sliding_window, row, s) for s in row.segments]
        found = torch.cat(parts, dim=2)
    return found.transpose(1, 2), None


def _reaches(n: int, window: int | None) -> bool:
    return window is not None and n > window


def _mask(n: int, n_before: int, window: int | None, device: Any) -> Tensor:
    import torch

    seen = torch.ones(n, n_before + n, dtype=torch.bool, device=device).tril(n_before)
    return seen if window is None else seen.triu(n_before - window + 1)


def _padded(query: Tensor, key: Tensor, value: Tensor, scaling: float | None, window: int | None) -> Tensor:
    n = query.shape[2]
    mask = _mask(n, 0, window, query.device) if _reaches(n, window) else None
    return _product(query, key, value, scaling, mask)


def _one(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scaling: float | None,
    window: int | None,
    row: Row,
    of: Segment,
) -> Tensor:
    import torch

    own = slice(of.start, of.end)
    query = query[:, :, own]
    if not of.before and not _reaches(of.end - of.start, window):
        return _product(query, key[:, :, own], value[:, :, own], scaling, None)
    parts = [slice(*part) for part in of.before] + [own]
    key, value = (torch.cat([each[:, :, part] for part in parts], dim=2) for each in (key, value))
    return _product(query, key, value, scaling, row.mask(of, window, query.device))


def _product(query: Tensor, key: Tensor, value: Tensor, scaling: float | None, mask: Tensor | None) -> Tensor:
    """Causal where there is no mask."""
    from torch.nn.functional import scaled_dot_product_attention as product

    key, value = _widen(query, key, 1), _widen(query, value, 1)
    return product(query, key, value, attn_mask=mask, is_causal=mask is None, scale=scaling)


def _widen(query: Tensor, other: Tensor, dim: int) -> Tensor:
    """Give each head of the queries its own keys where several share one."""
    times = query.shape[dim] // other.shape[dim]
    return other.repeat_interleave(times, dim) if times > 1 else other


def _fused(query: Tensor, key: Tensor, value: Tensor, scaling: float | None, row: Row) -> Tensor:
    """Flash attention over all segments at once, in PyTorch's own kernel for texts of unequal lengths."""
    starts, key_starts, which, longest = row.cuts(query.device)
    query, key, value = (each[0].transpose(0, 1) for each in (query, key, value))
    key, value = (_widen(query, each[which], 1) for each in (key, value))
    found = _flash(query.contiguous(), key, value, starts, key_starts, longest, row.longest, scaling)
    return found.transpose(0, 1).unsqueeze(0)


def _flash(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    starts: Tensor,
    key_starts: Tensor,
    longest: int,
    longest_keys: int,
    scaling: float | None,
) -> Tensor:
    """Queries and keys of shape (tokens, heads, width); with fewer queries than keys, the last ones are aligned."""
    import torch

    kernel = torch.ops.aten._flash_attention_forward
    return kernel(
        query, key, value, starts, key_starts, longest, longest_keys, 0.0, True, False, scale=scaling
    )[0]


def kernel_agrees(device: Any, dtype: Any, width: int) -> str:
    """ "" where the fused kernel gives what the calls one by one give, else why it is not used. PyTorch does not
    promise how that kernel aligns fewer queries than keys, so it is asked on every start."""
    import torch

    from scoring.prm.batching import forest

    texts = [[1] * 40 + [2] * 30, [1] * 40 + [3] * 50, [4] * 20]
    row = Row(forest(texts), fused=True)
    total = row.segments[-1].end
    draw = torch.Generator(device="cpu").manual_seed(1)
    shape = (1, 4, total, width)
    query, key, value = (torch.randn(shape, generator=draw).to(device, dtype) for _ in range(3))
    try:
        fused = attend(None, query, key[:, :2], value[:, :2], None, row=row)[0]
    except (RuntimeError, NotImplementedError, TypeError) as refused:
        return f"{type(refused).__name__}: {str(refused).splitlines()[0]}"
    row.fused = False
    one_by_one = attend(None, query, key[:, :2], value[:, :2], None, row=row)[0]
    apart = float((fused.float() - one_by_one.float()).abs().max())
    return "" if apart < 0.05 else f"it differs by {apart:.3g}"
