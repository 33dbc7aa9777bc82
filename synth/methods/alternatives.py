"""Other right solutions of a solved problem: PRMBench's ninth kind, no error in it.

Draws of a (reasoning) model, each checked against the reference answer where there is one. What is wrong, cannot be
checked, was cut off, or is a near-copy of the known solution or of a draw before it is dropped, and it is said why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from pydantic import Field
from rapidfuzz import process
from rapidfuzz.distance import Indel

from annotator.core.align import bare
from annotator.formats.splitting import Split
from synth.methods import prompts
from synth.methods.asks import Ask, Reply, Steps, ask
from synth.methods.replies import unfinished
from synth.methods.sample import Draw, read_draws
from synth.methods.settings import How, spec

__all__ = ["Alternative", "Alternatives", "AlternativesHow", "Dropped", "alternatives", "likeness", "spec"]

PROMPT: Final = "alternative-1"
_SAME_STEP: Final = 0.9  # the likeness from which on one step is another in other words
_COMPARED: Final = 20_000  # characters of a solution; likeness costs their square
_STEPS: Final = 200
# Why a draw is dropped.
REASONS: Final[Mapping[str, str]] = {
    "empty": "The reply was empty",
    "unfinished": "The reply was cut off or refused",
    "wrong": "Its final answer is wrong",
    "undecided": "Its final answer could not be checked",
    "near_copy": "Too much like a solution that is known",
}


class AlternativesHow(How):
    METHOD: ClassVar[str] = "alternatives"
    PROMPTS: ClassVar[tuple[str, ...]] = (PROMPT,)

    max_tokens: int = Field(
        16_384, ge=1, le=1_000_000, title="Most tokens", description="Of one reply, thinking included."
    )
    n: int = Field(4, ge=1, le=64, title="Solutions", description="How many are drawn for each solution.")
    split: Split = Field("blank-line", title="Steps end at", description="How an answer is cut into steps.")
    shows: bool = Field(
        False, title="Show the known solution", description="And ask for a way that really differs."
    )
    nearest: float = Field(
        0.85,
        ge=0.5,
        le=1,
        title="Near-copy from",
        description="Likeness from 0 to 1 at which a draw is dropped.",
    )

    def identity(self) -> dict[str, Any]:
        return {name: value for name, value in super().identity().items() if name != "nearest"}


@dataclass(frozen=True)
class Alternative:
    """A draw that is kept. likeness: to the known solution, from 0 to 1."""

    draw: Draw
    likeness: float


@dataclass(frozen=True)
class Dropped:
    """A draw that is not. because: a code of REASONS.  likeness: to what it is a near-copy of, else None.  of: that
    draw's n, None for the known solution."""

    draw: Draw
    because: str
    likeness: float | None = None
    of: int | None = None


@dataclass(frozen=True)
class Alternatives:
    """All draws for one solution, in order within each."""

    kept: tuple[Alternative, ...]
    dropped: tuple[Dropped, ...]


def alternatives(
    problem: str, steps: Sequence[str], gold: str | None, how: AlternativesHow
) -> Steps[Alternatives]:
    """Draw other solutions. steps: the known one.  gold: the reference answer, None or "" where it is not known: then
    no answer is checked."""
    shown = list(steps) if how.shows else []
    messages = (
        prompts.message("system", PROMPT, "system", steps=shown),
        prompts.message("user", PROMPT, "user", problem=problem, steps=shown),
    )
    replies = yield from ask(*(Ask(messages, how.params(n), draw=n) for n in range(how.n)))
    draws = yield from read_draws(replies, gold, how, how.split)
    return choose(draws, steps, how.nearest)


def choose(draws: Sequence[Draw], steps: Sequence[str], nearest: float) -> Alternatives:
    """Sort draws into those to keep and those to drop; the first of two near-copies is kept."""
    kept: list[Alternative] = []
    dropped: list[Dropped] = []
    for draw in draws:
        because = _unfit(draw)
        near = None if because else _nearest(draw, steps, kept, nearest)
        if because:
            dropped.append(Dropped(draw, because))
        elif near:
            dropped.append(Dropped(draw, "near_copy", *near))
        else:
            kept.append(Alternative(draw, likeness(draw.steps, steps)))
    return Alternatives(tuple(kept), tuple(dropped))


def _unfit(draw: Draw) -> str:
    if not draw.steps:
        return "empty"
    if unfinished(Reply(draw.raw, draw.finish_reason)):
        return "unfinished"
    return "" if draw.verdict in (None, "right") else str(draw.verdict)


def _nearest(
    draw: Draw, steps: Sequence[str], kept: Sequence[Alternative], nearest: float
) -> tuple[float, int | None] | None:
    """Return the first solution that a draw is too much like: how much, and which draw; None if there is none."""
    known: list[tuple[int | None, Sequence[str]]] = [
        (None, steps),
        *((one.draw.n, one.draw.steps) for one in kept),
    ]
    for n, other in known:
        like = likeness(draw.steps, other)
        if like >= nearest:
            return like, n
    return None


def likeness(a: Sequence[str], b: Sequence[str]) -> float:
    """Return how much two solutions are alike, from 0 to 1: as one text, or by the share of steps of the longer one
    that stand in the other in nearly the same words, in whatever order; the greater counts. Numbers of steps and
    blanks are no difference."""
    left, right = ([" ".join(bare(step).split()) for step in one][:_STEPS] for one in (a, b))
    if not left or not right:
        return float(left == right)
    whole = Indel.normalized_similarity(" ".join(left)[:_COMPARED], " ".join(right)[:_COMPARED])
    longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
    like = process.cdist(
        [step[:_COMPARED] for step in longer], [step[:_COMPARED] for step in shorter],
        scorer=Indel.normalized_similarity, score_cutoff=_SAME_STEP, dtype=np.float64,
    )  # fmt: skip
    return max(float(whole), float((like.max(axis=1) >= _SAME_STEP).mean()))
