"""A judge reads a solution paragraph by paragraph and stops at the first error.

The prompt counts paragraphs from 1; here the first error counts from 0. A reply that does not keep to its own numbers
(a gap, two conclusions, "Correct" before the end) says nothing sure, so it is unparsed rather than guessed at.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import Field

from annotator.core.labels import NO_ERROR, labels_from_first_error
from synth.methods import prompts, repairing, settings
from synth.methods.asks import Ask, Reply, Steps, ask
from synth.methods.replies import clean, is_refused, unfinished, without_thinking
from synth.methods.settings import How, spec

__all__ = ["JudgeHow", "Judged", "Unparsed", "judge", "read", "spec"]

_ANALYSIS: Final = re.compile(r"<analysis_([0-9]{1,6})>(.*?)</analysis_\1>", re.DOTALL | re.IGNORECASE)
_CONCLUSION: Final = re.compile(r"<conclusion>[\s*.]*(\w+)[\s*.]*</conclusion>", re.IGNORECASE)


class JudgeHow(How):
    METHOD: ClassVar[str] = "judge"
    PROMPTS: ClassVar[tuple[str, ...]] = ("judge-1", repairing.PROMPT)

    temperature: float | None = Field(0.0, ge=0, le=2, title="Temperature", description=settings.TEMPERATURE)


@dataclass(frozen=True)
class Judged:
    """labels: '+' before the first error, '-' at it, '.' after.  first_error: 0-based, or NO_ERROR.  analyses: what was
    written on each paragraph from the first to the last that was read."""

    labels: str
    first_error: int
    analyses: tuple[str, ...]
    raw: str
    repaired: bool = False


@dataclass(frozen=True)
class Unparsed:
    """A reply, and the one after it, that could not be read. reasons: of the last; raw: the last."""

    reasons: tuple[str, ...]
    raw: str


def judge(problem: str, steps: Sequence[str], how: JudgeHow) -> Steps[Judged | Unparsed]:
    """Ask for the first error of a solution, once more if the first reply cannot be read."""
    messages = (
        prompts.message("system", "judge-1", "system"),
        prompts.message("user", "judge-1", "user", problem=problem, steps=list(steps)),
    )
    (reply,) = yield from ask(Ask(messages, how.params()))
    found = read(reply, len(steps))
    if isinstance(found, Judged) or is_refused(reply):
        return found
    (reply,) = yield from ask(Ask(repairing.again(messages, reply, found.reasons), how.params()))
    return read(reply, len(steps), repaired=True)


def read(reply: Reply, n_steps: int, repaired: bool = False) -> Judged | Unparsed:
    """Return what a judge's reply says of a solution of `n_steps` steps."""
    text = clean(reply.text)
    said = without_thinking(text)
    analyses = [(int(number), body.strip()) for number, body in _ANALYSIS.findall(said)]
    words = {word.lower() for word in _CONCLUSION.findall(said)}
    reason = unfinished(reply) or _odd([number for number, _ in analyses], words, n_steps)
    if reason:
        return Unparsed((reason,), text)
    first = len(analyses) - 1 if words == {"incorrect"} else NO_ERROR
    return Judged(
        labels_from_first_error(first, n_steps), first, tuple(body for _, body in analyses), text, repaired
    )


def _odd(numbers: Sequence[int], words: set[str], n_steps: int) -> str:
    """Say what keeps a reply from being read; "" if nothing does."""
    if len(words) != 1 or not words <= {"correct", "incorrect"}:
        return "there must be one <conclusion>, and it must say Correct or Incorrect"
    if not numbers:
        return "there is no <analysis_1> block"
    if list(numbers) != list(range(1, len(numbers) + 1)):
        return "the <analysis> blocks are not numbered 1, 2, 3 and so on"
    if len(numbers) > n_steps:
        return f"there are {len(numbers)} <analysis> blocks, but the solution has {n_steps} paragraphs"
    if words == {"correct"} and len(numbers) < n_steps:
        return f"it concludes Correct after {len(numbers)} of {n_steps} paragraphs: analyse every paragraph"
    return ""
