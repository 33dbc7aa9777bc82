"""Errors put into a correct solution by rules, with no model: what `make demo` shows, and a cheap comparison.

    what is done                                        the kind of error it is called
    a wrong number in what a step works out             deception: looks right, and the rest may follow from it
    a turned sign                                       counterfactual: it contradicts the rules of signs
    a condition that a step needs and no longer states  missing_condition
    a step that repeats another                         redundancy
    a result taken for granted and then derived         circular
    a value that contradicts an earlier step            step_contradiction
    a wrong number or sign, stated with great certainty confidence

Each is done only where it is surely an error of its kind: sums and identities are worked out before and after, a
condition must stand nowhere else, a value must be the only one. Where none can be done honestly, there is None. The
same solution, kind and seed always give the same.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from annotator.core import arithmetic
from synth.methods import rule_conditions, rule_loops, rule_slips
from synth.methods.injections import Injected, faults
from synth.methods.rule_edits import Edit

VERSION: Final = 1  # of the rules: labels made by other rules are another rater's
_TRIES: Final = 20

Rule = Callable[[str, Sequence[str], Random], Iterator[Edit]]
_RULES: Final[Mapping[str, Rule]] = {
    "redundancy": rule_loops.said_again,
    "circular": rule_loops.loops,
    "counterfactual": rule_slips.turned_signs,
    "step_contradiction": rule_loops.contradictions,
    "confidence": rule_slips.sure_slips,
    "missing_condition": rule_conditions.dropped,
    "deception": rule_slips.wrong_numbers,
}
KINDS: Final = tuple(_RULES)
CANNOT: Final[Mapping[str, str]] = {
    "domain_inconsistency": "A rule that holds elsewhere can only be misapplied by who knows what the step is about.",
    "multi_solutions": "Another correct solution has to be found; no rule does that.",
}
# These touch only equalities that everyday arithmetic can judge.
_NEED_ARITHMETIC: Final = frozenset({"counterfactual", "confidence", "deception", "step_contradiction"})


def inject(problem: str, steps: Sequence[str], error_type: str, seed: int = 0) -> Injected | None:
    """Return the solution with an error of a kind in it, None where that cannot be done honestly.

    error_type: one of KINDS.  seed: another seed puts another error.  Raises ValueError for a kind no rule makes.
    """
    if error_type not in _RULES:
        raise ValueError(CANNOT.get(error_type, f"no rule makes errors of the kind {error_type!r}"))
    if error_type in _NEED_ARITHMETIC and not arithmetic.is_ordinary(problem):
        return None
    chance = Random(ascii((seed, error_type, problem, list(steps))))  # noqa: S311
    for edit, _ in zip(_RULES[error_type](problem, steps, chance), range(_TRIES), strict=False):
        made = _injected(problem, edit, error_type)
        if not faults(problem, steps, made):
            return made
    return None


def spec() -> dict[str, Any]:
    """Return what makes the rules a rater: Rater.spec."""
    return {"method": "rules", "version": VERSION}


def _injected(problem: str, edit: Edit, error_type: str) -> Injected:
    changed, wrong = (tuple(at + 1 for at in positions) for positions in (edit.changed, edit.wrong))
    return Injected(problem, edit.steps, changed, wrong, edit.reason, error_type)
