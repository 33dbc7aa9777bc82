"""What needs no model: beside every measured one, so that a number can be read.

all valid         every step is right
fair coin         each step right with probability one half, in expectation
base rate         each step wrong with the data's share of wrong steps, in expectation: PRMScore 50 whatever
                  that share is, since F1 and negative F1 then add up to 1
last step         only the last step is wrong
last 30 %         the last three tenths of the steps are wrong, at least one
step index        the later a step the worse: a score that falls from 1 to 0, cut at the threshold that does
                  best on the data; an upper bound of what position alone tells
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from typing import Any, Final

import numpy as np

from annotator.core.labels import RIGHT, WRONG
from scoring.metrics.confusion import Floats, Reading
from scoring.metrics.prmbench import CORRECT, KINDS, Item, Prediction
from scoring.metrics.prmbench_report import evaluate, score_of, shown

LAST_SHARE: Final = 0.3
CUTS: Final = 50


def all_valid(n_steps: int) -> str:
    return RIGHT * n_steps


def last_step(n_steps: int) -> str:
    return RIGHT * (n_steps - 1) + WRONG


def last_part(n_steps: int) -> str:
    wrong = ceil(LAST_SHARE * n_steps)
    return RIGHT * (n_steps - wrong) + WRONG * wrong


def index_scores(n_steps: int) -> tuple[float, ...]:
    """A score a step that falls evenly from 1; above 0 but for a single step, whose score is 1."""
    return tuple(1 - at / n_steps for at in range(n_steps))


LABELLED: Final[Mapping[str, Callable[[int], str]]] = {
    "all valid": all_valid, "last step": last_step, "last 30 %": last_part,
}  # fmt: skip


def prmbench(items: Sequence[Item], reading: Reading = "reference") -> dict[str, dict[str, Any]]:
    """PRMScore of each baseline, overall and per kind, in percent: name -> {"overall", "kinds"}."""
    found = {
        name: _brief(evaluate(items, {item.id: Prediction(label(item.n_steps)) for item in items}, reading))
        for name, label in LABELLED.items()
    }
    totals = _totals(items)
    found["fair coin"] = _expected(totals, lambda share: 0.5, reading)
    found["base rate"] = _expected(totals, lambda share: share, reading)
    return found | {"step index": _best_cut(items, reading)}


def _brief(report: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {code: values["prm_score"] for code, values in report["kinds"].items()}
    return {"overall": report["overall"]["prm_score"], "kinds": kinds}


def _totals(items: Iterable[Item]) -> dict[str, tuple[int, int]]:
    """Steps and wrong steps in range, per kind and overall; originals left out."""
    totals = dict.fromkeys(("overall", *KINDS), (0, 0))
    for item in items:
        if item.kind == CORRECT:
            continue
        wrong = len({at for at in item.wrong if 0 <= at < item.n_steps})
        for name in ("overall", item.kind):
            steps, before = totals[name]
            totals[name] = steps + item.n_steps, before + wrong
    return {name: total for name, total in totals.items() if total[0]}


def _expected(
    totals: Mapping[str, tuple[int, int]], rate: Callable[[float], float], reading: Reading
) -> dict[str, Any]:
    """Scores of the expected counts where each step is called wrong with probability rate(share of wrong)."""
    scores = {
        name: shown(score_of(name, _expected_counts(steps, wrong, rate(wrong / steps)), reading))
        for name, (steps, wrong) in totals.items()
    }
    return {"overall": scores.pop("overall", None), "kinds": scores}


def _expected_counts(steps: int, wrong: int, called_wrong: float) -> Floats:
    right = steps - wrong
    return np.array(
        [right * (1 - called_wrong), wrong * (1 - called_wrong), wrong * called_wrong, right * called_wrong]
    )


def _best_cut(items: Sequence[Item], reading: Reading) -> dict[str, Any]:
    """The step index cut where its overall PRMScore is highest."""
    scores = {item.id: np.array(index_scores(item.n_steps)) for item in items}
    reports = []
    for cut in np.linspace(0, 1, CUTS, endpoint=False):
        said = {name: Prediction("".join(np.where(s > cut, RIGHT, WRONG))) for name, s in scores.items()}
        reports.append((float(cut), evaluate(items, said, reading)))
    cut, best = max(reports, key=lambda pair: pair[1]["overall"]["prm_score"] or 0.0)
    return _brief(best) | {"threshold": cut}
