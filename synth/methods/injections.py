"""What an injector returns, by a language model or by rules, and why an injection is not kept.

Claims count steps from 1, as everywhere where a claim is kept verbatim; findings count from 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from annotator.core import checks, findings
from annotator.core.align import bare
from annotator.core.claims import CHANGES_PROBLEM
from annotator.core.findings import Finding
from annotator.core.labels import ERROR_TYPES

# A kind that may change the problem itself.
MAY_CHANGE_PROBLEM: Final = CHANGES_PROBLEM
KINDS: Final = tuple(kind.code for kind in ERROR_TYPES)
# Of these a wrong step may stand in the original word for word: it is wrong because it stands there again.
_MAY_REPEAT: Final = frozenset({"redundancy", "circular"})


@dataclass(frozen=True)
class Injected:
    """A solution with an error put into it.

    question: the problem as it stands now; the given one unless the injection changed it.  claimed_changed,
    claimed_wrong: step numbers of `steps`, 1-based, in the order in which they were claimed.  reason: why the wrong
    steps are wrong.  error_type: a code of core.labels.  raw: the model's reply, "" where there was none.
    """

    question: str
    steps: tuple[str, ...]
    claimed_changed: tuple[int, ...]
    claimed_wrong: tuple[int, ...]
    reason: str
    error_type: str
    raw: str = ""
    repaired: bool = False


@dataclass(frozen=True)
class Rejected:
    """An injection that is not kept. reasons: codes of CODES below.  raw: the last reply."""

    error_type: str
    reasons: tuple[Finding, ...]
    raw: str = ""


# What core.findings.CODES does not tell of, since it only happens before anything is stored.
CODES: Final[Mapping[str, str]] = {
    "unreadable": "The reply could not be read",
    "original_altered": "The original was altered",
    "changed_out_of_range": "Changed step out of range",
    "nothing_wrong": "No wrong step claimed",
    "final_step_changed": "Final step changed",
    "length_changed": "Number of steps changed",
}
_REJECTED: Final = frozenset({"wrong_out_of_range", "wrong_not_changed", "empty_step", "gives_away"})


def title(code: str) -> str:
    """What a reason of rejection is called on screen."""
    return CODES.get(code) or findings.explained(code).title


def faults(problem: str, steps: Sequence[str], made: Injected) -> tuple[Finding, ...]:
    """Return why an injection into a solution (problem, steps) must be rejected; empty where it may be kept."""
    found = list(_claim(problem, made))
    found += [one for one in _checked(problem, steps, made) if _is_rejected(one, problem, made)]
    return (*found, *_altered(steps, made))


def remarks(problem: str, steps: Sequence[str], made: Injected) -> tuple[Finding, ...]:
    """Return what is worth knowing of an injection and no reason to reject it, as released data does it often."""
    found = [one for one in _checked(problem, steps, made) if not _is_rejected(one, problem, made)]
    if made.steps and steps and bare(made.steps[-1]) != bare(steps[-1]):
        found.append(Finding("final_step_changed", len(made.steps) - 1, ""))
    if len(made.steps) != len(steps):
        found.append(
            Finding("length_changed", None, f"{len(made.steps)} steps, {len(steps)} in the original")
        )
    return tuple(found)


def _checked(problem: str, steps: Sequence[str], made: Injected) -> list[Finding]:
    claim = checks.Injection(problem, steps, made.error_type, made.claimed_changed, made.claimed_wrong)
    return checks.check(made.steps, problem=made.question, injection=claim)


def _is_rejected(found: Finding, problem: str, made: Injected) -> bool:
    changed = made.question.split() != problem.split()
    if found.code == "no_op":
        return not changed
    if found.code == "wrong_is_original":
        return not changed and made.error_type not in _MAY_REPEAT
    return found.code in _REJECTED


def _claim(problem: str, made: Injected) -> Iterator[Finding]:
    if not made.claimed_wrong:
        yield Finding("nothing_wrong", None, "")
    for number in sorted(set(made.claimed_changed)):
        if not 1 <= number <= len(made.steps):
            yield Finding("changed_out_of_range", None, f"step {number} of {len(made.steps)}")


def _altered(steps: Sequence[str], made: Injected) -> Iterator[Finding]:
    """What stands before the first claimed change must be the original, or the claim does not say where it begins."""
    if not made.claimed_changed:
        return
    untouched = min(len(made.steps), max(0, min(made.claimed_changed) - 1))
    for position in range(untouched):
        if position >= len(steps) or bare(made.steps[position]) != bare(steps[position]):
            yield Finding("original_altered", position, "it differs before the first step claimed changed")
