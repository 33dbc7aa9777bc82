"""Findings in what an injection claims about the steps it changed.

Claims count from 1 and are kept as they came: unsorted, repeated, out of range. Steps are compared without
their numbers and the space around them, as alignment does, and with every step of the original: by place
alone, one inserted step would make all that follow it "changed".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from annotator.core.align import bare
from annotator.core.findings import Finding
from annotator.core.labels import MULTI_SOLUTIONS

# The kinds of injection that may change the problem itself.
CHANGES_PROBLEM = frozenset({"missing_condition"})


@dataclass(frozen=True, slots=True)
class Injection:
    """What a solution was made from, and what is said to have been done to it.

    problem, steps: of the original.  error_type: our code (core.labels).
    claimed_changed, claimed_wrong: step numbers, 1-based and verbatim.
    """

    problem: str
    steps: Sequence[str]
    error_type: str
    claimed_changed: Sequence[int]
    claimed_wrong: Sequence[int]

    @property
    def claims_an_error(self) -> bool:
        """Whether anything is said to be wrong: another right solution is not an error."""
        return self.error_type != MULTI_SOLUTIONS


def findings(injection: Injection, problem: str, steps: Sequence[str]) -> Iterator[Finding]:
    """Yield what is odd about a claim. problem, steps: after the injection."""
    places: dict[str, int] = {}
    for number, step in enumerate(injection.steps, 1):
        places.setdefault(bare(step), number)
    as_in = [places.get(bare(step), 0) for step in steps]  # the step of the original, or 0
    changed, wrong = set(injection.claimed_changed), set(injection.claimed_wrong)
    yield from _wrong(changed, wrong, as_in)
    if _is_same(injection.steps, steps):
        yield Finding("no_op", None, "the problem is changed" if problem != injection.problem else "")
    yield from _verbatim("changed_verbatim", changed, as_in)
    if injection.claims_an_error:
        for number, original in enumerate(as_in, 1):
            if not original and number not in changed:
                yield Finding("changed_unclaimed", number - 1, "")
    if problem != injection.problem and injection.error_type not in CHANGES_PROBLEM:
        is_same = problem.split() == injection.problem.split()
        yield Finding("question_changed", None, "only in blanks" if is_same else "")


def _wrong(changed: set[int], wrong: set[int], as_in: list[int]) -> Iterator[Finding]:
    for number in sorted(wrong):
        if not 1 <= number <= len(as_in):
            yield Finding("wrong_out_of_range", None, f"step {number} of {len(as_in)}")
    for number in sorted(wrong - changed):
        if 1 <= number <= len(as_in):
            yield Finding("wrong_not_changed", number - 1, "")
        else:
            yield Finding("wrong_not_changed", None, f"step {number} of {len(as_in)}")
    yield from _verbatim("wrong_is_original", wrong, as_in)


def _verbatim(code: str, claimed: set[int], as_in: list[int]) -> Iterator[Finding]:
    for number in sorted(claimed):
        if 1 <= number <= len(as_in) and as_in[number - 1]:
            yield Finding(code, number - 1, f"step {as_in[number - 1]} of the original")


def _is_same(old: Sequence[str], new: Sequence[str]) -> bool:
    return len(old) == len(new) and all(bare(a) == bare(b) for a, b in zip(old, new, strict=True))
