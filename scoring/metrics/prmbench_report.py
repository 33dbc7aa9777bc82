"""PRMBench's tables from compared columns: overall, per kind, per group, bias, positions. In percent.

Undefined values are None. In the reference reading that is also what its evaluator marks with -1. A -1 still enters
the F1 computed from it, as there, so that calling every step right has its published number; but a score of steps of
which there is none (a kind without wrong steps) is undefined, where the paper's tables print 0.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from annotator.core.intervals import Draws, of_draws
from annotator.core.labels import MULTI_SOLUTIONS
from scoring.metrics import confusion
from scoring.metrics.confusion import FP, TN, Floats, Reading
from scoring.metrics.prmbench import (
    CORRECT,
    GROUPS,
    Columns,
    Item,
    Prediction,
    by_group,
    columns,
    numbered,
    ordered,
)

MOST_POSITIONS: Final = 30


def evaluate(
    items: Sequence[Item],
    predictions: Mapping[str, Prediction],
    reading: Reading = "reference",
    draws: int = 0,
) -> dict[str, Any]:
    """Return PRMBench's metrics of a rater's predictions.

    items: ids are unique.  predictions: by item id; ids that no item has are counted, not used.  draws: of
    problem groups for 95 % intervals, 0 for none.
    """
    found = columns(items, predictions, reading)
    kind = np.array([items[n].kind for n in found.index], dtype=object)
    is_scored = kind != CORRECT
    apart = _apart(items, found, kind)
    report = {
        "reading": reading,
        "overall": _values(found, is_scored, reading) | {"similarity": _mean(apart[is_scored])},
        "kinds": {code: _of_kind(found, kind, apart, code, reading) for code in ordered(kind)},
        "correct": _values(found, ~is_scored, reading),
        "bias": _bias(items),
        "positions": _positions(found, is_scored),
        **_counts(items, predictions, found),
    }
    report["groups"] = _groups({code: values["prm_score"] for code, values in report["kinds"].items()})
    if draws:
        report["intervals"] = _intervals(items, found, kind, reading, draws)
    return report


def shown(value: Any) -> float | None:
    """A share as percent; None where it is undefined or the reference's sentinel."""
    number = float(value)
    return None if np.isnan(number) or number < 0 else 100 * number


def score_of(code: str, counts: Floats, reading: Reading) -> Floats:
    """A kind's PRMScore; of multi-solutions, which have no wrong step, F1 alone (the tables' value)."""
    return confusion.f1(counts, reading) if code == MULTI_SOLUTIONS else confusion.prm_score(counts, reading)


def defined(code: str, counts: Floats, reading: Reading) -> Floats:
    """`score_of`, NaN also where the reference has its mark for undefined: no number of an interval."""
    values = score_of(code, counts, reading)
    return np.where(values < 0, np.nan, values)


def _values(found: Columns, rows: Any, reading: Reading, code: str = "") -> dict[str, Any]:
    counts = found.counts[rows].sum(axis=0)
    other, first = confusion.negative(counts), found.first_found[rows]
    known = first[~np.isnan(first)]
    return {
        "prm_score": shown(score_of(code, counts, reading)),
        "f1": shown(confusion.f1(counts, reading)),
        "negative_f1": shown(confusion.f1(other, reading)),
        "precision": shown(confusion.precision(counts, reading)),
        "recall": shown(confusion.recall(counts, reading)),
        "negative_precision": shown(confusion.precision(other, reading)),
        "negative_recall": shown(confusion.recall(other, reading)),
        "accuracy": shown(confusion.accuracy(counts, reading)),
        "correct_step_accuracy": shown(confusion.recall(counts, reading)),
        "wrong_step_accuracy": shown(confusion.recall(other, reading)),
        "first_error_accuracy": shown(known.mean()) if len(known) else None,
        "n_items": int(np.count_nonzero(rows)),
        "n_steps": int(counts.sum()),
        "n_wrong": int(counts[TN] + counts[FP]),
    }


def _of_kind(found: Columns, kind: Any, apart: Floats, code: str, reading: Reading) -> dict[str, Any]:
    rows = kind == code
    return _values(found, rows, reading, code) | {"similarity": _mean(apart[rows])}


def _apart(items: Sequence[Item], found: Columns, kind: Any) -> Floats:
    """How far the share called valid of each item is from that of its original, float (rows,), NaN without one.
    Originals of which nothing is called valid do not count, as in the reference."""
    base = [items[n].base for n in found.index]
    original = {
        name: share
        for name, share, code in zip(base, found.valid_share.tolist(), kind, strict=True)
        if code == CORRECT and share > 0
    }
    beside = np.array([original.get(name, np.nan) for name in base], dtype=np.float64)
    apart: Floats = np.abs(found.valid_share - beside)
    return apart


def _mean(apart: Floats) -> float | None:
    known = apart[~np.isnan(apart)]
    return shown(known.mean()) if len(known) else None


def _groups(scores: Mapping[str, float | None]) -> dict[str, float | None]:
    """S1, S2, S3: unweighted means of their kinds; undefined where one of them is."""
    means = {}
    for group, codes in GROUPS.items():
        known = [score for code in codes if (score := scores.get(code)) is not None]
        means[group] = sum(known) / len(known) if len(known) == len(codes) else None
    return means


def _bias(items: Sequence[Item]) -> float | None:
    """Mean share of wrong steps, as the bias table's reference line has it: items that do not claim more wrong
    steps than they have steps, originals left out."""
    shares = [
        len(item.wrong) / item.n_steps
        for item in items
        if item.kind != CORRECT and len(item.wrong) <= item.n_steps
    ]
    return shown(np.mean(shares)) if shares else None


def _positions(found: Columns, rows: Any) -> list[dict[str, Any]]:
    """How often wrong steps are found, by their place from 1 on; places beyond the last are left out."""
    kept = rows[found.owner]
    at, hits = found.at[kept], found.hits[kept]
    places = [place for place in np.unique(at) if place < MOST_POSITIONS]
    return [
        {"step": int(place) + 1, "n": int((at == place).sum()), "accuracy": shown(hits[at == place].mean())}
        for place in places
    ]


def _counts(items: Sequence[Item], predictions: Mapping[str, Prediction], found: Columns) -> dict[str, Any]:
    """What is there and what is not. validity_rate as the reference's: parsed items among those predicted,
    originals left out."""
    scored = [item for item in items if item.kind != CORRECT]
    there = [item for item in scored if item.id in predictions]
    parsed = sum(predictions[item.id].is_parsed for item in there)
    parsed_ones = [item for item in items if item.id in predictions and predictions[item.id].is_parsed]
    lengths = [(len(predictions[item.id].validity), item.n_steps) for item in parsed_ones]
    return {
        "n_items": len(items),
        "n_absent": sum(item.id not in predictions for item in items),
        "n_unknown": len(predictions.keys() - {item.id for item in items}),
        "n_short": sum(got < n for got, n in lengths),
        "n_long": sum(got > n for got, n in lengths),
        "n_unparsed": sum(not predictions[item.id].is_parsed for item in items if item.id in predictions),
        "validity_rate": 100 * parsed / len(scored) if scored else None,
    }


def _intervals(
    items: Sequence[Item], found: Columns, kind: Any, reading: Reading, draws: int
) -> dict[str, list[float | None]]:
    """95 % intervals of PRMScore, overall and per kind, drawing problem groups."""
    number, made = numbered(items), {}
    drawn = Draws(len(number), draws)
    for name in ("overall", *ordered(kind)):
        sums = by_group(items, found, kind != CORRECT if name == "overall" else kind == name, number)
        there = np.flatnonzero(sums.any(axis=1))
        statistic = partial(defined, name, reading=reading)
        # Of one problem group alone nothing can be said.
        ends = (
            of_draws(statistic(drawn.resampled(sums[there], there)))[:2] if len(there) > 1 else (None, None)
        )
        made[name] = [None if end is None else shown(end) for end in ends]
    return made
