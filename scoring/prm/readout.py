"""From what a head gives at the steps' positions to scores, and from scores to labels. Plain numbers in float64."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotator.core.labels import RIGHT, UNJUDGED, WRONG
from annotator.errors import Invalid
from scoring.prm.spec import Channel, ChannelName, Spec

Columns = NDArray[np.float64]


class ReadoutError(Invalid):
    """Not what the variant's head gives: a model that was not loaded as it should be."""

    code = "readout"


class NotFinite(ReadoutError):
    """A number of this solution's is not finite: one that the kind of numbers cannot hold, most of the time."""


def values(spec: Spec, gathered: ArrayLike) -> dict[ChannelName, list[float]]:
    """Scores by channel, one a row of gathered, which is (positions, columns of the head).

    Raises ReadoutError where its shape is another, NotFinite where a number is not finite."""
    rows = np.asarray(gathered, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != spec.head.columns:
        raise ReadoutError(f"{spec.model}: its head gave {rows.shape}, not (steps, {spec.head.columns}).")
    if not np.isfinite(rows).all():
        at = int(np.argwhere(~np.isfinite(rows))[0][0])
        raise NotFinite(f"{spec.model}: what its head gave for row {at + 1} is not finite.")
    return {name: _read(spec, channel, rows).tolist() for name, channel in spec.channels.items()}


def labels(
    spec: Spec,
    scores: Mapping[Any, Sequence[float]],
    threshold: float | None = None,
    channel: ChannelName = "validity",
    n_steps: int | None = None,
) -> str:
    """One character a step, by the variant's rule at a threshold, the variant's own for None.

    Validity: + above it, - else. Redundancy: - above it, which is redundant, + else. Steps that a cut left without
    scores are not judged, n_steps in all. Raises Invalid for a threshold where the rule has none."""
    rule = spec.channels[channel].decide
    if threshold is not None and rule.rule == "argmax" and threshold != rule.threshold:
        raise Invalid(f"{spec.model}, {spec.variant}: argmax has no threshold.", field="threshold")
    limit = rule.threshold if threshold is None else threshold
    own = list(scores[channel])
    if rule.rule == "drop_above":
        above = [before - now < limit for before, now in zip([0.0, *own], own, strict=False)]
    else:
        above = [score > limit for score in own]
    signs = (WRONG, RIGHT) if channel == "redundancy" else (RIGHT, WRONG)
    judged = "".join(signs[0] if is_above else signs[1] for is_above in above)
    return judged.ljust(n_steps or 0, UNJUDGED)


def _read(spec: Spec, channel: Channel, rows: Columns) -> Columns:
    of = list(channel.of)
    match channel.readout:
        case "pair_softmax" | "class_sum":
            summed: Columns = _softmax(rows)[:, of].sum(1)
            return summed
        case "difference":
            shares = _softmax(rows)
            return shares[:, of[0]] - shares[:, 1 - of[0]]
        case "full_softmax":  # the last two columns: logarithm of the sum over all, largest of the unnamed
            share: Columns = np.exp(rows[:, of[0]] - rows[:, -2])
            return share
        case "against_largest":
            others = np.delete(rows, [of[0], rows.shape[1] - 2], axis=1).max(1)
            return _sigmoid(rows[:, of[0]] - others)
        case "sigmoid" | "mean_row_sigmoid":
            return _sigmoid(rows[:, of[0]])
        case "raw":
            return rows[:, of[0]] * spec.coefficient


def _softmax(rows: Columns) -> Columns:
    raised: Columns = np.exp(rows - rows.max(1, keepdims=True))
    shares: Columns = raised / raised.sum(1, keepdims=True)
    return shares


def _sigmoid(x: Columns) -> Columns:
    small: Columns = np.exp(-np.abs(x))  # at most 1: nothing overflows
    above: Columns = np.where(x >= 0, 1.0, small)
    return above / (1.0 + small)
