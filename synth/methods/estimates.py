"""What rollouts found out about a solution, and the labels and scores that follow from it.

Only counts are kept. Hard labels, soft scores and labels at a threshold are views of them (reference: Math-Shepherd's
hard and soft estimation), so none needs a second run. A draw that nobody could decide counts in neither k nor n.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast, get_args

from annotator.core import labels as core
from annotator.core.labels import RIGHT, UNJUDGED, UNSURE, WRONG
from synth.methods.asks import Verdict


@dataclass(frozen=True)
class Draw:
    """One rollout. answer: the final answer it came to, None if it came to none."""

    answer: str | None
    verdict: Verdict
    finish_reason: str


@dataclass(frozen=True)
class Prefix:
    """The steps up to `position` (0-based, inclusive), and what rolled out from there.

    planned: how many draws there were to be.  draws: those that were made, in order; fewer than planned if the first
    success ended them.  holds_answer: the final answer stands in the prefix, so it was checked and nothing was drawn;
    its one draw is the empty one.
    """

    position: int
    planned: int
    draws: tuple[Draw, ...]
    holds_answer: bool = False

    @property
    def drawn(self) -> int:
        return len(self.draws)

    @property
    def k(self) -> int:
        """How many draws were right."""
        return sum(draw.verdict == "right" for draw in self.draws)

    @property
    def undecided(self) -> int:
        return sum(draw.verdict == "undecided" for draw in self.draws)

    @property
    def stopped(self) -> bool:
        """Whether a success ended the draws before all were made."""
        return self.drawn < self.planned

    @property
    def any_right(self) -> bool | None:
        """The hard value; None if no draw was right but one was undecided, or there was none."""
        if self.k:
            return True
        return None if self.undecided or not self.draws else False

    @property
    def share(self) -> float | None:
        """k of the decided draws; None if there are none. Biased upwards where draws were stopped."""
        decided = self.drawn - self.undecided
        return self.k / decided if decided else None


@dataclass(frozen=True)
class Estimate:
    """The prefixes of a solution from its first step on, up to the first that no draw completed.

    planned: draws for each prefix.  early_stop: draws ended at the first success, so that only whether any was
    right is known.
    """

    n_steps: int
    planned: int
    early_stop: bool
    prefixes: tuple[Prefix, ...]


def hard(estimate: Estimate) -> list[bool | None]:
    """Return, for each step, whether any draw from there was right; None where that is not known."""
    found = [prefix.any_right for prefix in estimate.prefixes]
    return found + [None] * (estimate.n_steps - len(found))


def soft(estimate: Estimate) -> list[float | None]:
    """Return, for each step, the share of decided draws that were right; None where that is not known.

    With early stop it is never known: how many draws there were depended on how they came out.
    """
    if estimate.early_stop:
        return [None] * estimate.n_steps
    found = [prefix.share for prefix in estimate.prefixes]
    return found + [None] * (estimate.n_steps - len(found))


def labels(estimate: Estimate, threshold: float | None = None) -> str:
    """Return the label string: '+' up to the first step that is not right, '-' or '?' there, '.' after it.

    threshold: a step is right if at least this share (above 0, at most 1) of its decided draws was; None: if any
    was.  '?': no draw was right, but one was undecided. What follows the first error is not labelled: from a wrong
    step on, a draw that comes out right says nothing about the steps (arXiv 2501.07301, section 3.1).
    Raises ValueError for a threshold that is out of range or that an estimate with early stop cannot tell.
    """
    _check_threshold(estimate, threshold)
    found = ""
    for prefix in estimate.prefixes:
        found += _label(prefix, threshold)
        if found[-1] != RIGHT:
            break
    return found.ljust(estimate.n_steps, UNJUDGED)


def first_error(estimate: Estimate, threshold: float | None = None) -> int:
    """Return the 0-based position of the first error, or core.labels.NO_ERROR or UNKNOWN; see `labels`."""
    return core.first_error(labels(estimate, threshold))


def dump(estimate: Estimate) -> dict[str, Any]:
    """Return an estimate as JSON, its counts spelt out for readers that do not have this code."""
    rows = [
        asdict(prefix) | {"k": prefix.k, "drawn": prefix.drawn, "stopped": prefix.stopped}
        for prefix in estimate.prefixes
    ]
    return asdict(estimate) | {"prefixes": rows}


def load(stored: Mapping[str, Any]) -> Estimate:
    """Return the estimate that `dump` wrote. Raises KeyError, TypeError or ValueError for what it cannot have
    written."""
    prefixes = tuple(
        Prefix(
            int(row["position"]),
            int(row["planned"]),
            tuple(_draw(draw) for draw in row["draws"]),
            bool(row["holds_answer"]),
        )
        for row in stored["prefixes"]
    )
    return Estimate(int(stored["n_steps"]), int(stored["planned"]), bool(stored["early_stop"]), prefixes)


def first_error_stored(stored: Mapping[str, Any], threshold: float) -> int:
    """Return first_error(load(stored), threshold), some ten times sooner: for a view of a whole project."""
    if stored["early_stop"] or not 0 < threshold <= 1:
        _check_threshold(load(stored), threshold)
    for row in stored["prefixes"]:
        verdicts = [draw["verdict"] for draw in row["draws"]]
        k, wrong = verdicts.count("right"), verdicts.count("wrong")
        if not k and (wrong < len(verdicts) or not verdicts):
            return core.UNKNOWN
        if k / (k + wrong) < threshold:
            return int(row["position"])
    return core.NO_ERROR if len(stored["prefixes"]) == stored["n_steps"] else core.UNKNOWN


def _draw(row: Mapping[str, Any]) -> Draw:
    if row["verdict"] not in get_args(Verdict):
        raise ValueError(f"{row['verdict']!r} is no verdict")
    return Draw(row["answer"], cast(Verdict, row["verdict"]), str(row["finish_reason"]))


def _check_threshold(estimate: Estimate, threshold: float | None) -> None:
    if threshold is None:
        return
    if estimate.early_stop:
        raise ValueError("draws ended at the first success, so only whether any was right is known")
    if not 0 < threshold <= 1:
        raise ValueError(f"a threshold is above 0 and at most 1, not {threshold}")


def _label(prefix: Prefix, threshold: float | None) -> str:
    share = prefix.share
    if prefix.any_right is None or share is None:
        return UNSURE
    return RIGHT if (share >= threshold if threshold else prefix.any_right) else WRONG
