"""Acceptance sampling: how good a kind is, from a sample of it that people have looked at, as for PRMBench.

as_claimed      what the claim says is so: really_wrong, or for other right solutions no step is wrong
really_wrong    some step is wrong, as decided
differs         the solution or its question is not the same as the original
right_kind      the error is of the kind that was claimed
accepted, fixed, rejected, disputed   what reviewers said of the claim: all of them the same, or not
original_right  the original was called right, by all who answered
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from annotator.core import labels as lab
from annotator.core.intervals import Interval, wilson

RATES: Final = (
    "as_claimed", "really_wrong", "differs", "right_kind", "accepted", "fixed", "rejected", "disputed",
    "original_right",
)  # fmt: skip
NOTHING: Final = {
    "differs": "none was made from an original",
    "right_kind": "nobody has said of which kind the error is",
    "original_right": "nobody has judged the original",
} | dict.fromkeys(("accepted", "fixed", "rejected", "disputed"), "nobody has judged the claim")
UNDECIDED: Final = "none is decided"
MIXED: Final = "mixed"
CLAIMS: Final = {"accepted": "accept", "fixed": "fix", "rejected": "reject", "disputed": MIXED}


class Word(NamedTuple):
    """What one reviewer finally said beside the labels; "" is no answer. `types`: all error types named."""

    claim: str = ""
    kind: str = ""
    original: str = ""
    types: Collection[str] = ()


class Drawn(NamedTuple):
    """One item of a sample. `labels`: as decided, "" where it is not, or was decided to be no judgement.
    `types`: the error types that a lead settled on, None where no lead did. `differs`: None without an
    original. `words`: the reviewers', of a decided item."""

    kind: str
    labels: str = ""
    types: Collection[str] | None = None
    differs: bool | None = None
    words: Sequence[Word] = ()


class Rate(NamedTuple):
    """A share of n with Wilson's interval; `value` is None, with `why`, where nothing was counted."""

    value: float | None
    n: int
    interval: Interval
    why: str = ""


def rate_of(part: int, whole: int, why: str) -> Rate:
    """part / whole with its interval; undefined because of `why` where the whole is 0."""
    if not whole:
        return Rate(None, 0, Interval(None, None, why), why)
    return Rate(part / whole, whole, wilson(part, whole))


def rates(sample: Iterable[Drawn]) -> dict[str, Rate]:
    """Each of RATES over the items of which it can be said."""
    said = [_said_of(one) for one in sample]
    return {name: _rate(name, [one[name] for one in said]) for name in RATES}


def is_under(rate: Rate, bar: float | None) -> bool | None:
    """Whether the share itself is under the bar; None where there is no bar or no share."""
    return None if bar is None or rate.value is None else rate.value < bar


def is_as_claimed(one: Drawn) -> bool | None:
    """None where it cannot be said: not decided, or no wrong step and one that is unsure or not judged."""
    wrong = _is_wrong(one.labels)
    return not wrong if wrong is not None and one.kind == lab.MULTI_SOLUTIONS else wrong


def _said_of(one: Drawn) -> dict[str, bool | None]:
    claim = _together(word.claim for word in one.words)
    original = _together(word.original for word in one.words)
    return {
        "as_claimed": is_as_claimed(one),
        "really_wrong": _is_wrong(one.labels),
        "differs": one.differs,
        "right_kind": _is_right_kind(one),
        **{name: None if not claim else claim == answer for name, answer in CLAIMS.items()},
        "original_right": None if original in ("", "unsure") else original == "right",
    }


def _is_wrong(labels: str) -> bool | None:
    if lab.WRONG in labels:
        return True
    return False if labels and lab.first_error(labels) == lab.NO_ERROR else None


def _is_right_kind(one: Drawn) -> bool | None:
    """A lead's word stands for all; without one, all reviewers who answered have to say so."""
    if not one.kind or one.kind == lab.MULTI_SOLUTIONS:
        return None
    if one.types:
        return one.kind in one.types
    answers = {_names_kind(word, one.kind) for word in one.words} - {None}
    return all(answers) if answers else None


def _names_kind(word: Word, kind: str) -> bool | None:
    """A kind that is named says it; an accepted claim does too, and a rejected one says that it is not so."""
    if word.kind:
        return word.kind == kind
    if word.types:
        return kind in word.types
    return {"accept": True, "reject": False}.get(word.claim)


def _together(answers: Iterable[str]) -> str:
    """What all who answered said, MIXED, or "" where nobody did."""
    found = {answer for answer in answers if answer}
    return found.pop() if len(found) == 1 else MIXED if found else ""


def _rate(name: str, said: Sequence[bool | None]) -> Rate:
    known = [one for one in said if one is not None]
    return rate_of(sum(known), len(known), NOTHING.get(name, UNDECIDED))
