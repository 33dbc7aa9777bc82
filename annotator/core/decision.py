"""What submitted annotations of one item amount to. Pure and derived (design.md section 5)."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from annotator.core.labels import UNSURE

Outcome = Literal["incomplete", "agreed", "conflicted"]


class Final(NamedTuple):
    """One reviewer's last word: the labels, one character a step, and why they end where they do."""

    labels: str
    finish_reason: str


def decide(finals: Sequence[Final], wanted: int) -> Outcome:
    """Exact labels: agreed when `wanted` reviewers said the same of every step.

    A step somebody is unsure of is a question, not a judgement, so it never agrees: a lead looks.
    """
    if len(finals) < wanted:
        return "incomplete"
    unsure = any(UNSURE in final.labels for final in finals)
    return "agreed" if len(set(finals)) == 1 and not unsure else "conflicted"
