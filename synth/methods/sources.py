"""Which solutions are wholly right, so that an error may be put into them: by labels that came with the data (the
chosen path of a PRM800K record, a human step counted), by gold settled here, or by a checked final answer.

A right final answer does not make every step right, so of the three it is the weakest.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from annotator.core.labels import NEUTRAL, RIGHT, UNJUDGED, UNSURE, WRONG
from synth.methods.asks import Verdict

Rule = Literal["labels", "gold", "answer"]

# Why a solution is not taken, and what is told of it. In the order in which it is looked for.
REASONS: Final[Mapping[str, str]] = {
    "made_here": "It was made from another solution",
    "too_short": "It has too few steps",
    "too_long": "It has too many steps",
    "no_labels": "It has no such labels",
    "gave_up": "Its rater ended otherwise than with a whole solution",
    "wrong_step": "A step is labelled wrong",
    "neutral_step": "A step is labelled neutral",
    "not_judged": "A step is not judged, or its rater was unsure",
    "no_answer": "Its final answer has not been checked",
    "wrong_answer": "Its final answer is wrong",
    "undecided_answer": "Its final answer could not be checked",
}


@dataclass(frozen=True)
class Candidate:
    """What is known of a solution.

    labels: those that came with it.  gold: those settled here; None where there are none.
    finish_reason: of the labels ("solution", "found_error", "bad_problem", "give_up"), "" where none is said.
    verdict: of the final answer, None where it was not checked.
    is_made: whether it is an injection or an alternative.
    """

    n_steps: int
    labels: str | None = None
    finish_reason: str = ""
    gold: str | None = None
    verdict: Verdict | None = None
    is_made: bool = False


@dataclass(frozen=True)
class Wanted:
    """Which solutions are taken. neutral: whether a neutral step (PRM800K's 0) is right enough."""

    by: Rule = "labels"
    neutral: bool = False
    fewest: int = 2
    most: int = 100


def unfit(of: Candidate, wanted: Wanted) -> str:
    """Return why a solution is not taken, a code of REASONS; "" if it is."""
    if of.is_made:
        return "made_here"
    if not wanted.fewest <= of.n_steps <= wanted.most:
        return "too_short" if of.n_steps < wanted.fewest else "too_long"
    if wanted.by == "answer":
        found = {"right": "", "wrong": "wrong_answer", "undecided": "undecided_answer"}
        return found[of.verdict] if of.verdict else "no_answer"
    if wanted.by == "labels" and of.finish_reason not in ("", "solution"):
        return "gave_up"
    return _not_right(of.labels if wanted.by == "labels" else of.gold, of.n_steps, wanted.neutral)


def _not_right(labels: str | None, n_steps: int, neutral: bool) -> str:
    if not labels:
        return "no_labels"
    if WRONG in labels:
        return "wrong_step"
    if NEUTRAL in labels and not neutral:
        return "neutral_step"
    if UNSURE in labels or UNJUDGED in labels or len(labels) != n_steps:
        return "not_judged"
    return "" if set(labels) <= {RIGHT, NEUTRAL} else "not_judged"
