"""Slips in what a step works out: a wrong number, or a turned sign, in an equality that surely held.

An equality is only touched if it can be worked out (core.arithmetic; with letters rule_identities), so what was put in
is surely false. Where a wrong result is used further on and every use can be worked out anew, the solution goes on
with it, and each step that does so is wrong too; everywhere else the rest stays as it was, and right.
"""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final, NamedTuple

from annotator.core import arithmetic
from synth.methods import rule_identities
from synth.methods.rule_edits import Edit, led_in, maths, outside_maths, replaced
from synth.methods.rule_follow import followed, newly_uneven
from synth.methods.rule_numbers import Spot, numbers, put, results, slips_of

_LEAST_FOLLOWED: Final = 10  # smaller results stand in a text for many things
_SURE: Final = (
    "Obviously, ",
    "Clearly, ",
    "Without any doubt, ",
    "It is certain that ",
    "It is beyond question that ",
    "Everyone can see that ",
)
_ENDED: Final = re.compile(r"(?<=[.!?:;])\s+(?=[A-Z])")
_MINUS: Final = re.compile(r"[-−](?=[\s$\\]*\Z)")
_MINUS_IN: Final = re.compile("[-−]")


class _Slip(NamedTuple):
    """A step with a false equality. spot: the result that was changed, None if it is a part of a longer side.
    was, now: what was written there and what is."""

    step: str
    spot: Spot | None
    was: str
    now: str


def wrong_numbers(problem: str, steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """Yield solutions in which a step works out a wrong number; the steps after it follow where that is easy."""
    for at, slip in _each(steps, chance, is_sign=False):
        then = _going_on(problem, steps, at, slip)
        changed = tuple(sorted({at, *then}))
        on = (
            " The steps after it that use this number go on with the wrong one." if then.keys() - {at} else ""
        )
        told = f"Step {at + 1} has {slip.now} where {slip.was} is right.{on}"
        yield Edit(replaced(steps, {at: slip.step} | then), changed, changed, told)


def turned_signs(problem: str, steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """Yield solutions in which a step breaks the rules of signs."""
    for at, slip in _each(steps, chance, is_sign=True):
        told = f"Step {at + 1} breaks the rules of signs: it has {slip.now} where {slip.was} is right."
        yield Edit(replaced(steps, {at: slip.step}), (at,), (at,), told)


def sure_slips(problem: str, steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """Yield solutions in which a step states a wrong number or sign as if it were beyond doubt."""
    is_sign = chance.random() < 0.25
    for kind in (is_sign, not is_sign):
        for at, slip in _each(steps, chance, is_sign=kind):
            begin = _sentence(steps[at], slip.step)
            surely = slip.step[:begin] + led_in(slip.step[begin:], chance.choice(_SURE))
            told = f"Step {at + 1} claims {slip.now} as if it were beyond doubt, but {slip.was} is right."
            yield Edit(replaced(steps, {at: surely}), (at,), (at,), told)


def _each(steps: Sequence[str], chance: Random, *, is_sign: bool) -> Iterator[tuple[int, _Slip]]:
    """Yield a slip for each step that can have one, in random order of the steps."""
    for at in chance.sample(range(len(steps)), len(steps)):
        slips = list(_turned(steps[at]) if is_sign else _wrong(steps[at], chance))
        if slips:
            yield at, chance.choice(slips)


def _wrong(step: str, chance: Random) -> Iterator[_Slip]:
    if not arithmetic.false_equalities(step):
        for spot in results(step):
            for now in slips_of(spot.text, chance):
                if _is_one_slip(new := put(step, spot, now), now):
                    yield _Slip(new, spot, spot.text, now)
                    break
    for side in rule_identities.identities(step):
        for spot in numbers(side.text):
            now = slips_of(spot.text, chance)[0]
            text = put(side.text, spot, now)
            if rule_identities.fails(side.left, text):
                yield _Slip(
                    step[: side.start] + text + step[side.end :], None, side.text.strip(), text.strip()
                )


def _turned(step: str) -> Iterator[_Slip]:
    if not arithmetic.false_equalities(step):
        for spot in results(step):
            minus = _MINUS.search(step[: spot.start])
            new = step[: minus.start()] + step[minus.end() :] if minus else put(step, spot, f"-{spot.text}")
            was, now = (f"-{spot.text}", spot.text) if minus else (spot.text, f"-{spot.text}")
            if spot.value and _is_one_slip(new, spot.text) and (minus or _subtracts(step, new)):
                yield _Slip(new, None, was, now)
    for side in rule_identities.identities(step):
        for text in rule_identities.turned(side):
            if rule_identities.fails(side.left, text):
                yield _Slip(
                    step[: side.start] + text + step[side.end :], None, side.text.strip(), text.strip()
                )


def _subtracts(old: str, new: str) -> bool:
    """Whether the equality that no longer comes out had a minus to mistake on its left."""
    uneven = newly_uneven(old, new)
    return bool(uneven) and _MINUS_IN.search(uneven[0].text.partition(" = ")[0].lstrip(" -−")) is not None


def _sentence(old: str, new: str) -> int:
    """Where the sentence begins in which two versions of a step first differ."""
    differ = next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    ends = list(outside_maths(new[:differ], maths(new), _ENDED))
    return ends[-1].end() if ends else 0


def _is_one_slip(step: str, result: str) -> bool:
    """Whether there is now exactly one equality that does not hold, and this number is all that it comes to."""
    false = arithmetic.false_equalities(step)
    return len(false) == 1 and abs(false[0].right) == Spot(0, 0, result).value


def _going_on(problem: str, steps: Sequence[str], at: int, slip: _Slip) -> dict[int, str]:
    """Return the steps that go on with a wrong result, by position; {} where that is not easy or none does."""
    if slip.spot is None or slip.spot.value < _LEAST_FOLLOWED:
        return {}
    new = followed([problem, *steps[:at]], steps[at:], slip.spot, slip.now)
    if new is None:
        return {}
    return {at + k: text for k, text in enumerate(new) if text != steps[at + k]}
