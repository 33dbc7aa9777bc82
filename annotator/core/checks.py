"""What checks find in one record: an injected solution with its claim, or a plain solution.

Pure functions of the record's parts: nothing is fetched, stored or decided here. Work grows with the text
only, and arithmetic is bounded (docs/adr/0012). What a step says by itself is remembered for a while: most steps
of an injection stand in its original, and in other injections, as they are. What a code means, and what to do
about it, is in CODES.
"""

from collections.abc import Container, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple

from annotator.core import answers, arithmetic, claims, wording
from annotator.core.align import MEMORY
from annotator.core.claims import Injection
from annotator.core.findings import CODES, Code, Finding

__all__ = ["CODES", "Code", "Finding", "Injection", "check"]

# An error may change the answer; these kinds promise that it stays.
_KEEPS_ANSWER: Final = frozenset({"multi_solutions", "redundancy"})
_LONG: Final = 15  # digits of a number that are shown
_NOBODY: Final[frozenset[str]] = frozenset()


def check(
    steps: Sequence[str],
    *,
    problem: str,
    answer: str | None = None,
    injection: Injection | None = None,
    foreign_id: str = "",
    seen: Container[str] = _NOBODY,
) -> list[Finding]:
    """Return the findings in one solution, in the order of CODES.

    steps: of the solution to review.  problem: the one it answers.  answer: the reference answer to that
    problem, None where it is not known.  injection: where the solution came from, with the claim.
    foreign_id, seen: the record's id and the ids before it; "" is no id.
    """
    found: list[Finding] = []
    if injection:
        found += claims.findings(injection, problem, steps)
    if foreign_id and foreign_id in seen:
        found.append(Finding("duplicate_id", None, foreign_id))
    odd = [(position, one) for position, step in enumerate(steps) if (one := _alone(step)) is not _ORDINARY]
    found += (Finding("empty_step", position, "") for position, one in odd if one.is_empty)
    if injection and injection.claims_an_error:
        found += wording.give_aways(steps, (injection.problem, problem, *injection.steps))
    found += (Finding("several_steps", position, one.several) for position, one in odd if one.several)
    found += _other_answer(steps, answer, injection)
    if any(one.false for _, one in odd) and arithmetic.is_ordinary(problem):
        found += (Finding("arithmetic", position, text) for position, one in odd for text in one.false)
    return found


class _Step(NamedTuple):
    """What is found in a step by itself, whatever stands around it. `false`: equalities that do not hold."""

    is_empty: bool
    several: str
    false: tuple[str, ...]


_ORDINARY: Final = _Step(False, "", ())


@lru_cache(MEMORY)
def _alone(step: str) -> _Step:
    false = tuple(_told(equality) for equality in arithmetic.false_equalities(step))
    found = _Step(not step or step.isspace(), wording.several(step), false)
    return _ORDINARY if found == _ORDINARY else found


def _other_answer(steps: Sequence[str], answer: str | None, injection: Injection | None) -> Iterator[Finding]:
    if not answer or (injection and injection.error_type not in _KEEPS_ANSWER):
        return
    given = answers.final_answer(steps)
    if given is not None and answers.is_other(given, answer):
        yield Finding("other_answer", len(steps) - 1, f"{given.strip()}, not {answer}")


def _told(equality: arithmetic.Equality) -> str:
    return f"{equality.text}: {_shown(equality.left)} and {_shown(equality.right)}"


def _shown(number: Fraction) -> str:
    """A number for people: exact while it is short."""
    text = str(number)
    return text if len(text) <= _LONG else f"{float(number):.6g}"
