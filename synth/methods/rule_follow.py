"""Going on with a wrong value: put it wherever the right one was used, and work out anew what follows from it."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from annotator.core import arithmetic
from annotator.core.arithmetic import Equality
from synth.methods.rule_numbers import Spot, numbers, put, results, substituted, values, written_as

_MOST: Final = 10  # results that are worked out anew in one step

Values = Mapping[Fraction, Fraction]


def followed(known: Sequence[str], rest: Sequence[str], slip: Spot, now: str) -> list[str] | None:
    """Return the rest of a solution, in which the number at `slip` of its first step is another and every later use
    of it follows.

    known: what was said before.  None where it is not easy: a value stands for something else as well, or a step
    that uses it holds more than arithmetic that comes out even.
    """
    said = set().union(*map(values, known), values(rest[0][: slip.start]))
    wrong = {slip.value: Spot(0, 0, now).value}
    if slip.value in said:
        return None
    found: list[str] = []
    for step in rest:
        begin, before = (0, set(wrong)) if found else (slip.start + len(now), set())
        new = step if found else put(step, slip, now)
        if any(spot.value in wrong for spot in numbers(new, begin)):
            after = _reworked(step, new, wrong, begin, allowed=0 if found else 1)
            if after is None:
                return None
            new, wrong = after
        if said & (wrong.keys() - before):
            return None
        said |= values(step)
        found.append(new)
    return found


def reworked(step: str, wrong: Values) -> str | None:
    """Return a step with some values in the place of others and its results worked out anew; None if that is not
    easy."""
    found = _reworked(step, step, wrong, 0, allowed=0)
    return found[0] if found else None


def newly_uneven(old: str, new: str) -> list[Equality]:
    """Return the equalities that came out even in a step and no longer do; all that are new, if they do not pair."""
    before, after = list(arithmetic.equalities(old)), list(arithmetic.equalities(new))
    if len(before) != len(after):
        return after
    pairs = zip(before, after, strict=True)
    return [b for a, b in pairs if a.left == a.right and b.left != b.right]


def _reworked(
    old: str, new: str, wrong: Values, begin: int, *, allowed: int
) -> tuple[str, dict[Fraction, Fraction]] | None:
    """Return a step, from an index on, with new values, and all values that are wrong then. allowed: how many of its
    equalities may fail to come out."""
    known = dict(wrong)
    text = substituted(new, known, begin)
    for _ in range(_MOST):
        uneven = newly_uneven(old, text)
        if len(uneven) <= allowed:
            return (text, known) if _is_only_arithmetic(text[begin:]) else None
        mended = _with_one_mended(text, begin, uneven, known)
        if mended is None:
            return None
        text = mended
    return None


def _with_one_mended(
    text: str, begin: int, uneven: Sequence[Equality], known: dict[Fraction, Fraction]
) -> str | None:
    """Return the text with the result of one equality worked out anew, here and further on; `known` learns it."""
    for equality in uneven:
        for spot in results(text):
            right = written_as(equality.left, spot.text)
            if spot.start < begin or right is None or equality.right != spot.value or spot.value in known:
                continue
            mended = put(text, spot, right)
            if len(newly_uneven(text, mended)) or not _comes_out(mended, equality.left):
                continue
            known[spot.value] = equality.left
            return substituted(mended, {spot.value: equality.left}, spot.start + len(right))
    return None


def _comes_out(text: str, value: Fraction) -> bool:
    return any(one.left == one.right == value for one in arithmetic.equalities(text))


def _is_only_arithmetic(text: str) -> bool:
    """Whether every equality can be worked out, or only gives a number its name."""
    return len(list(arithmetic.equalities(text))) + _named(text) >= text.count("=")


def _named(text: str) -> int:
    """How often a letter, alone on its side, is said to be a number."""
    return sum(_is_name(text[: spot.start]) for spot in results(text))


def _is_name(before: str) -> bool:
    left = before.rstrip(" $\\&{").removesuffix("\\boxed").rstrip(" $\\").removesuffix("=").rstrip(" $")
    return left[-1:].isalpha() and not left[-2:-1].isalnum() and left[-2:-1] not in ("\\", ")", "}", "^", "_")
