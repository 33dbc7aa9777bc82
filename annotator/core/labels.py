"""Labels: one character a step, in one string a solution; and what they say about the first error.

    +  correct        0  neutral        -  incorrect
    ?  looked at and unsure             .  not judged (never "wrong")

Positions are 0-based. A solution has at least one step, so no label string is empty.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

RIGHT: Final = "+"
NEUTRAL: Final = "0"
WRONG: Final = "-"
UNSURE: Final = "?"
UNJUDGED: Final = "."
LABELS: Final = frozenset({RIGHT, NEUTRAL, WRONG, UNSURE, UNJUDGED})

# A first error is a position (>= 0) or one of these. They are codes for the database: no page, API
# or file shows them. -1 agrees with ProcessBench's own code for "no error".
NO_ERROR: Final = -1
UNKNOWN: Final = -2


@dataclass(frozen=True)
class ErrorType:
    """A kind of wrong step.

    code: ours, in columns, URLs and exports.  foreign: as PRMBench's files spell it.
    table: its abbreviation in PRMBench's tables.  title: on screen.  key: the reviewer's key for it.
    """

    code: str
    foreign: str
    table: str
    title: str
    key: str
    definition: str


# PRMBench, arXiv 2501.03124, in the order of its tables.
ERROR_TYPES: Final[tuple[ErrorType, ...]] = (
    ErrorType(
        "redundancy", "redundency", "NR", "redundant", "r",
        "An extra step that could be removed without harming the solution: valid, but not needed.",
    ),
    ErrorType(
        "circular", "circular", "NCL", "circular", "c",
        "The step assumes or derives again what it rests on; the loop may run over several steps.",
    ),
    ErrorType(
        "counterfactual", "counterfactual", "ES", "false fact", "f",
        "The step contradicts an established fact, theorem or rule, or leaves out a rule's condition.",
    ),
    ErrorType(
        "step_contradiction", "step_contradiction", "SC", "contradicts a step", "s",
        "The step contradicts another step of the same solution.",
    ),
    ErrorType(
        "domain_inconsistency", "domain_inconsistency", "DC", "wrong domain", "w",
        "The step applies a rule that holds in another domain or under other conditions.",
    ),
    ErrorType(
        "confidence", "confidence", "CI", "over-confident", "o",
        "A false statement made as if it were beyond doubt (“obviously”, “certainly”).",
    ),
    ErrorType(
        "missing_condition", "missing_condition", "PS", "missing condition", "m",
        "A premise or condition that the step needs is missing, in the solution or in the problem.",
    ),
    ErrorType(
        "deception", "deception", "DR", "deceptive", "d",
        "Looks right and its logic is mostly sound, but it was subtly altered so that it is wrong.",
    ),
)  # fmt: skip

# PRMBench's ninth subject (table abbreviation MS): another correct solution, so not an error type.
MULTI_SOLUTIONS: Final = "multi_solutions"


def check_labels(labels: str, n_steps: int) -> None:
    """Raise ValueError, naming the place, unless `labels` is one known label for each of `n_steps` steps."""
    _check_n_steps(n_steps)
    if len(labels) != n_steps:
        raise ValueError(f"{len(labels)} labels for {n_steps} steps")
    for position, label in enumerate(labels):
        if label not in LABELS:
            raise ValueError(f"label {label!r} at position {position} is none of + 0 - ? .")


def first_error(labels: str) -> int:
    """Return the 0-based position of the earliest '-', or NO_ERROR, or UNKNOWN.

    UNKNOWN: a '.' or '?' stands before the earliest '-', or there is no '-' but some '.' or '?'.
    """
    for position, label in enumerate(labels):
        if label == WRONG:
            return position
        if label in (UNSURE, UNJUDGED):
            return UNKNOWN
    return NO_ERROR


def wrong_steps(labels: str) -> list[int]:
    """Return the 0-based positions labelled '-', ascending."""
    return [position for position, label in enumerate(labels) if label == WRONG]


def stopping_point(labels: str, stop_at_first_error: bool) -> int:
    """Return how many steps, from the start, need a judgement: through the earliest '-', or all of them."""
    end = labels.find(WRONG) if stop_at_first_error else -1
    return len(labels) if end < 0 else end + 1


def unjudged(labels: str, stop: int) -> list[int]:
    """Return the 0-based positions before `stop` (exclusive) that nobody has judged yet ('.')."""
    return [position for position, label in enumerate(labels[:stop]) if label == UNJUDGED]


def labels_from_first_error(first: int, n_steps: int) -> str:
    """Return '+' before the first error, '-' at it and '.' after; all '+' for NO_ERROR, all '.' for UNKNOWN.

    What follows a first error was not judged, so ProcessBench's labels say nothing about it.
    Raises ValueError when `first` is neither a code nor a position of the solution.
    """
    _check_n_steps(n_steps)
    if first == NO_ERROR:
        return RIGHT * n_steps
    if first == UNKNOWN:
        return UNJUDGED * n_steps
    _check_position(first, n_steps)
    return RIGHT * first + WRONG + UNJUDGED * (n_steps - first - 1)


def labels_from_wrong_steps(wrong: Iterable[int], n_steps: int) -> str:
    """Return '-' at the given 0-based positions (any order, repeats allowed) and '+' elsewhere.

    Raises ValueError when a position is not in the solution: what to do with a claim out of range is
    for the caller to decide.
    """
    _check_n_steps(n_steps)
    labels = [RIGHT] * n_steps
    for position in wrong:
        _check_position(position, n_steps)
        labels[position] = WRONG
    return "".join(labels)


def _check_n_steps(n_steps: int) -> None:
    if n_steps < 1:
        raise ValueError(f"a solution has at least one step, not {n_steps}")


def _check_position(position: int, n_steps: int) -> None:
    if not 0 <= position < n_steps:
        raise ValueError(f"position {position} is not in a solution of {n_steps} steps")
