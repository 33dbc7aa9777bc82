"""How a rater's step scores behave (arXiv 2501.07301, sections 3.4 and 4). Shares in percent; undefined is None."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotator.core.labels import NEUTRAL, RIGHT, WRONG

Floats = NDArray[np.float64]
BINS: Final = 20


class Scored(NamedTuple):
    """A solution's step scores, and the labels they are held against ("" where there are none)."""

    scores: Sequence[float]
    labels: str = ""


def minimum_at_last(solutions: Iterable[Scored]) -> float | None:
    """Share of the solutions whose lowest score is the last step's (figure 8). Of equal lowest scores the first
    counts; the paper does not say which."""
    lengths = [(int(np.argmin(one.scores)), len(one.scores)) for one in solutions if len(one.scores)]
    return 100 * sum(at == n - 1 for at, n in lengths) / len(lengths) if lengths else None


def steps(solutions: Iterable[Scored]) -> tuple[Floats, NDArray[np.bool_]]:
    """Scores of all steps that have both a score and a label right, neutral or wrong; and whether it is right
    (neutral counts so). Both of shape (steps,)."""
    pairs = [
        (score, label != WRONG)
        for one in solutions
        for score, label in zip(one.scores, one.labels, strict=False)
        if label in (RIGHT, NEUTRAL, WRONG)
    ]
    table = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1].astype(bool)


def histograms(scores: Floats, is_right: NDArray[np.bool_]) -> dict[str, Any]:
    """How the scores of right and of wrong steps are spread: {"edges": BINS + 1, "right", "wrong": counts}."""
    low, high = (min(0.0, float(scores.min())), max(1.0, float(scores.max()))) if len(scores) else (0.0, 1.0)
    edges = np.linspace(low, high, BINS + 1)
    right, wrong = (np.histogram(scores[part], edges)[0].tolist() for part in (is_right, ~is_right))
    return {"edges": edges.tolist(), "right": right, "wrong": wrong}


def auc(scores: Floats, is_right: NDArray[np.bool_]) -> float | None:
    """The chance that a right step scores above a wrong one, ties half (Mann and Whitney's U); 0..1."""
    n_right, n_wrong = int(is_right.sum()), int((~is_right).sum())
    if not n_right or not n_wrong:
        return None
    _, place, times = np.unique(scores, return_inverse=True, return_counts=True)
    middle = times.cumsum() - (times - 1) / 2  # the mean rank of each value, from 1
    ranks = float(middle[place][is_right].sum())
    return (ranks - n_right * (n_right + 1) / 2) / (n_right * n_wrong)


def calibration(scores: Floats, is_right: NDArray[np.bool_], bins: int = 10) -> dict[str, Any] | None:
    """How often steps of a score are right: bins with n, mean score, share right; and the expected calibration
    error (Guo et al. 2017). None unless all scores are from 0 to 1 and there is one."""
    if not len(scores) or scores.min() < 0 or scores.max() > 1:
        return None
    index = np.minimum((scores * bins).astype(int), bins - 1)
    rows = [_bin(scores[index == n], is_right[index == n], n / bins) for n in range(bins)]
    gaps = [row["n"] * abs(row["score"] - row["right"]) for row in rows if row["n"]]
    return {"bins": rows, "error": sum(gaps) / len(scores)}


def _bin(scores: Floats, is_right: NDArray[np.bool_], start: float) -> dict[str, Any]:
    n = len(scores)
    return {
        "from": start,
        "n": n,
        "score": float(scores.mean()) if n else None,
        "right": float(is_right.mean()) if n else None,
    }
