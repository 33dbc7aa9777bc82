"""What of an export's choices a format can say. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from annotator.formats.options import Options

NEUTRALS: Final = ("right", "wrong", "drop", "keep")
REDUNDANTS: Final = ("wrong", "neutral", "right", "keep")
AFTERS: Final = ("drop", "keep")
VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "neutral": NEUTRALS, "redundant": REDUNDANTS, "after_first_error": AFTERS
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Says:
    """What a format has words for.

    neutral: a step that is neither right nor wrong.  gaps: steps without a label, or solutions cut before one.
    stops: a reviewer who gave no judgement, and why.  no_reply: a machine's reply that could not be read.
    labels: labels at all.  truth: the labels compared with, beside the rater's.
    """

    neutral: bool = False
    gaps: bool = False
    stops: frozenset[str] = frozenset()
    no_reply: bool = False
    labels: bool = True
    truth: bool = False


NOTHING: Final = Says()


class CannotChoose(ValueError):
    """A choice that is none, or that the format has no way to say; `field` is the choice's name."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field = field
        self.message = message

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def possible(name: str, says: Says) -> tuple[str, ...]:
    """Return the values that a format can say for one of VALUES' names; none if it has no labels."""
    if not says.labels:
        return ()
    without = set()
    if not says.gaps:
        without.add("drop")
    if name == "neutral" and not says.neutral:
        without.add("keep")
    return tuple(value for value in VALUES[name] if value not in without)


def chosen(format: str, says: Says, start: Options, given: Mapping[str, Any]) -> Options:
    """Return `start` with the choices that are given. Raises CannotChoose, naming the choice."""
    named = {name: given[name] for name in VALUES if name in given}
    for name, value in named.items():
        if value not in VALUES[name]:
            raise CannotChoose(name, f"must be one of {', '.join(VALUES[name])}, not {value!r}")
        able = possible(name, says)
        if value not in able:
            raise CannotChoose(name, _why(format, value, able))
    return replace(start, **named, everywhere=start.everywhere or "redundant" in named)


def _why(format: str, value: str, able: tuple[str, ...]) -> str:
    if not able:
        return f"{format} has no labels"
    lack = "a step without a label" if value == "drop" else "a neutral step"
    return f"{format} has no way to say {lack}: choose {' or '.join(able)}, not {value}"
