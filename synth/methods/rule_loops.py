"""Steps that say again what was said, take for granted what they lead to, or contradict what was found."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from random import Random
from typing import Final, NamedTuple

from annotator.core import arithmetic
from annotator.core.align import strip_number
from synth.methods.rule_edits import SUPPOSES, Edit, inserted, led_in, replaced
from synth.methods.rule_follow import reworked
from synth.methods.rule_numbers import NUMBER, Spot, numbers, results, slips_of, values
from synth.methods.texts import answer_of

_AGAIN: Final = ("To say it once more, ", "Let us note again that ", "As was said before, ", "Recall that ")
_LONGEST: Final = 400  # characters of a step that is said again
_LEAST: Final = 10  # smaller numbers stand in a text for many things
# A letter that is given a number, at the end of a formula or clause: nothing is added to the number.
_GIVEN: Final = re.compile(
    r"(?<![\w\\}^_)(+\-*/=]) ?(?P<name>[A-Za-z])\s*=\s*(?P<minus>-?)"
    rf"(?P<number>{NUMBER})(?=\$|\\\)|[.,;]?(?:\s|$))(?!\s*[-+*/=\\^(])"
)
_ONLY_THERE: Final = re.compile(r"\b(?:for|with|at|where|when|letting)\s*(?:\$|\\\()?\s*\Z", re.IGNORECASE)


class _Given(NamedTuple):
    """A letter that a solution gives one number only. at: the step that does so first; told: as it says it."""

    at: int
    name: str
    number: str
    told: str


def said_again(problem: str, steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """Yield solutions with a step that only repeats another: right, and of no use."""
    for at in chance.sample(range(max(0, len(steps) - 1)), max(0, len(steps) - 1)):
        bare = strip_number(steps[at]).strip()
        if not bare or len(bare) > _LONGEST or "\n" in bare or bare.endswith(":"):
            continue
        place = chance.randint(at + 1, len(steps) - 1)
        new = inserted(steps, place, led_in(bare, chance.choice(_AGAIN)))
        yield Edit(new, (place,), (place,), f"Step {place + 1} only repeats step {at + 1}; nothing needs it.")


def loops(problem: str, steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """Yield solutions that take a result for granted and then derive the result from it."""
    found = [(given.at, given.told) for given in _given(steps) if given.at]
    answer = answer_of(steps)
    if answer and len(answer) < 60 and len(steps) > 1:
        shown = answer if "$" in answer or "\\(" in answer else f"${answer}$"
        found.append((len(steps) - 1, f"the answer is {shown}"))
    for at, told in chance.sample(found, len(found)):
        new = inserted(steps, at, f"We may already use here that {told}.")
        then = led_in(new[at + 1], f"Using that {told}, ")
        told_why = (
            f"Step {at + 1} takes for granted that {told}, which step {at + 2} then only derives from it."
        )
        yield Edit(replaced(new, {at + 1: then}), (at, at + 1), (at, at + 1), told_why)


def contradictions(problem: str, steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """Yield solutions in which a later step has another value for what an earlier one found."""
    found = [*_misquoted(problem, steps, chance), *_recalled(steps, chance)]
    yield from chance.sample(found, len(found))


def _misquoted(problem: str, steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """Where a result is first used further on, it is another one, and what that step works out from it follows."""
    said = values(problem)
    for at, step in enumerate(steps):
        for spot in results(step):
            if spot.value >= _LEAST and spot.value not in said and not arithmetic.false_equalities(step):
                yield from _used_elsewhere(steps, at, spot, chance)
        said |= values(step)


def _used_elsewhere(steps: Sequence[str], at: int, spot: Spot, chance: Random) -> Iterator[Edit]:
    for later in range(at + 1, len(steps) - 1):
        step = steps[later]
        if not any(use.value == spot.value for use in numbers(step)):
            continue
        now = slips_of(spot.text, chance)[0]
        text = reworked(step, {spot.value: Spot(0, 0, now).value})
        if text and text != step and not any(result.value == spot.value for result in results(step)):
            told = f"Step {later + 1} has {now} where step {at + 1} found {spot.text}."
            yield Edit(replaced(steps, {later: text}), (later,), (later,), told)
        return


def _recalled(steps: Sequence[str], chance: Random) -> Iterator[Edit]:
    """What a letter was found to be is recalled as something else, in a step of its own."""
    for given in _given(steps):
        if given.at >= len(steps) - 1:
            continue
        now = slips_of(given.number.removeprefix("-"), chance)[0]
        told = given.told.replace(given.number, now if chance.random() < 0.8 else f"-{now}", 1)
        place = chance.randint(given.at + 1, len(steps) - 1)
        new = inserted(steps, place, f"Recall that {told}.")
        why = f"Step {place + 1} says that {told}, but step {given.at + 1} found {given.told}."
        yield Edit(new, (place,), (place,), why)


def _given(steps: Sequence[str]) -> Iterator[_Given]:
    """Yield the letters that get the same number wherever they get one, and not only in some case."""
    first: dict[str, tuple[int, str, Fraction] | None] = {}
    for at, step in enumerate(steps):
        for found in _GIVEN.finditer(step):
            name, number = found["name"], found["minus"] + found["number"]
            value = Fraction(number.replace(",", ""))
            known = first.setdefault(name, (at, number, value))
            supposed = SUPPOSES.search(step) or _ONLY_THERE.search(step[: found.start("name")])
            if known is None or known[2] != value or supposed:
                first[name] = None
    for name, known in first.items():
        if known:
            yield _Given(known[0], name, known[1], f"${name} = {known[1]}$")
