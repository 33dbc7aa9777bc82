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
    is_last = [one.scores.index(min(one.scores)) == len(one.scores) - 1 for one in solutions if one.scores]
    return 100 * sum(is_last) / len(is_last) if is_last else None


def steps(solutions: Iterable[Scored]) -> tuple[Floats, NDArray[np.bool_]]:
    """Scores of all steps that have both a score and a label right, neutral or wrong; and whether it is right
    (neutral counts so). Both of shape (steps,)."""
    scores: list[float] = []
    labels: list[str] = []
    for one in solutions:
        n = min(len(one.scores), len(one.labels))
        scores += one.scores[:n]
        labels.append(one.labels[:n])
    codes = np.frombuffer("".join(labels).encode("ascii"), dtype=np.uint8)
    known = np.isin(codes, [ord(label) for label in (RIGHT, NEUTRAL, WRONG)])
    return np.array(scores, dtype=np.float64)[known], (codes != ord(WRONG))[known]


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


def profile(solutions: Iterable[Scored]) -> dict[str, Any] | None:
    """Minimum at last, AUC, histograms and calibration of a rater's scores; None where no solution has any.

    {"minimum_at_last", "n_solutions", "n_steps" (that have a label too), "auc", "histograms", "calibration"}.
    """
    scored = [one for one in solutions if len(one.scores)]
    if not scored:
        return None
    scores, is_right = steps(scored)
    return {
        "minimum_at_last": minimum_at_last(scored),
        "n_solutions": len(scored),
        "n_steps": len(scores),
        "auc": auc(scores, is_right),
        "histograms": histograms(scores, is_right) if len(scores) else None,
        "calibration": calibration(scores, is_right),
    }


class Process(NamedTuple):
    """A sampled solution. is_process_wrong: None where nobody knows. is_selected: whether the rater picks it among
    the responses to its question. is_called_wrong: whether the rater calls some step wrong; None where it says
    nothing."""

    is_answer_right: bool
    is_process_wrong: bool | None
    is_selected: bool = False
    is_called_wrong: bool | None = None


def inflation(solutions: Iterable[Process]) -> dict[str, Any] | None:
    """Right answers reached by a wrong process (arXiv 2501.07301, figure 6): their share among all right answers,
    and among those that the rater picks, which is what it lets through; and how many of them it calls wrong.

    {"n_right", "wrong_process", "n_selected", "selected", "n_wrong_process", "detected"}, shares in percent; None
    where of no right answer the process is known.
    """
    right = [one for one in solutions if one.is_answer_right and one.is_process_wrong is not None]
    if not right:
        return None
    picked, wrong = [one for one in right if one.is_selected], [one for one in right if one.is_process_wrong]
    return {
        "n_right": len(right),
        "wrong_process": _percent(len(wrong), len(right)),
        "n_selected": len(picked),
        "selected": _percent(sum(bool(one.is_process_wrong) for one in picked), len(picked)),
        "n_wrong_process": len(wrong),
        "detected": _percent(sum(bool(one.is_called_wrong) for one in wrong), len(wrong)),
    }


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
