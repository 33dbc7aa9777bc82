"""What submitted annotations of one item amount to. Pure and derived (design.md section 5)."""

from collections.abc import Hashable, Sequence
from typing import Literal, NamedTuple

from annotator.core import labels as lab

Outcome = Literal["incomplete", "agreed", "conflicted"]

# What has to be the same for reviewers to agree:
#   labels       the label of every step, and why the labels end where they do
#   first_error  where the first wrong step is, or that there is none
#   wrong_steps  which steps are wrong: right and neutral count as one
#   error_types  which steps are wrong, and of which error types
Rule = Literal["labels", "first_error", "wrong_steps", "error_types"]

JUDGES = ("solution", "found_error")  # finish reasons after which the labels stand for the whole solution


class Final(NamedTuple):
    """One reviewer's last word: the labels, one character a step, why they end where they do, and of each
    step its error types (() for a step without one; an empty tuple where no step has any)."""

    labels: str
    finish_reason: str
    error_types: tuple[frozenset[str], ...] = ()


def decide(finals: Sequence[Final], wanted: int, rule: Rule = "labels") -> Outcome:
    """Agreed when `wanted` or more reviewers all said the same, as the rule means it.

    A step that somebody is unsure of is a question, not a judgement: where the rule looks at it, nothing is
    agreed and a lead looks. Who gave no judgement (bad problem, give up) agrees only with the same.
    """
    if len(finals) < wanted:
        return "incomplete"
    said = {meaning(final, rule) for final in finals}
    return "agreed" if len(said) == 1 and None not in said else "conflicted"


def meaning(final: Final, rule: Rule) -> Hashable | None:
    """What the rule compares of a last word; None where it is a question."""
    labels, reason, types = final
    if reason not in JUDGES:
        return reason, None if rule != "labels" else labels
    if rule == "first_error":
        first = lab.first_error(labels)
        return None if first == lab.UNKNOWN else first
    if lab.UNSURE in labels:
        return None
    if rule == "labels":
        return labels, reason
    wrong = tuple(lab.wrong_steps(labels))
    if rule == "wrong_steps":
        return wrong
    return wrong, tuple(types[at] if types else frozenset() for at in wrong)


def differing(mine: str, decided: str) -> list[int]:
    """The 0-based steps that both label strings judge, and otherwise: '.' is no judgement."""
    return [
        at
        for at, (own, gold) in enumerate(zip(mine, decided, strict=True))
        if own != gold and lab.UNJUDGED not in (own, gold)
    ]
