"""N independent solutions of a problem, cut into steps, their final answers checked where the answer is known.

A final answer that cannot be found is undecided, not wrong: a draw may have been cut off, or answer in words.
"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from annotator.formats.splitting import Split
from synth.methods import prompts, settings
from synth.methods.asks import Ask, Check, Reply, Steps, Verdict, ask, check
from synth.methods.replies import clean
from synth.methods.settings import How, spec
from synth.methods.texts import answer_of, steps_of

__all__ = ["Draw", "SampleHow", "Sampled", "sample", "spec"]


class SampleHow(How):
    METHOD: ClassVar[str] = "sample"
    PROMPTS: ClassVar[tuple[str, ...]] = ("sample-1",)

    temperature: float | None = Field(0.7, ge=0, le=2, title="Temperature", description=settings.TEMPERATURE)
    n: int = Field(8, ge=1, le=256, title="Solutions", description="How many solutions of each problem.")
    split: Split = Field("blank-line", title="Steps end at", description="How an answer is cut into steps.")


@dataclass(frozen=True)
class Draw:
    """One solution. n: which draw, 0-based.  steps: none where the reply was empty.  answer: the final answer, None
    where there is none.  verdict: None where the reference answer is not known.  seed: None where none was sent."""

    n: int
    steps: tuple[str, ...]
    answer: str | None
    verdict: Verdict | None
    finish_reason: str
    seed: int | None
    raw: str


@dataclass(frozen=True)
class Sampled:
    """The draws of one problem, in order."""

    draws: tuple[Draw, ...]


def sample(problem: str, gold: str | None, how: SampleHow) -> Steps[Sampled]:
    """Draw solutions of a problem. gold: its reference answer, None or "" where it is not known."""
    messages = (
        prompts.message("system", "sample-1", "system"),
        prompts.message("user", "sample-1", "user", problem=problem),
    )
    replies = yield from ask(*(Ask(messages, how.params(n), draw=n) for n in range(how.n)))
    drawn = yield from read_draws(replies, gold, how, how.split)
    return Sampled(drawn)


def read_draws(
    replies: tuple[Reply, ...], gold: str | None, how: How, split: Split
) -> Steps[tuple[Draw, ...]]:
    """Cut replies into steps and check their answers, all in one batch."""
    steps = [steps_of(reply.text, split) for reply in replies]
    answers = [answer_of(one) for one in steps]
    verdicts: list[Verdict | None] = [None] * len(replies)
    if gold and gold.strip():
        verdicts = ["undecided"] * len(replies)
        asked = [n for n, answer in enumerate(answers) if answer is not None]
        found = yield from check(*(Check(gold, answers[n] or "") for n in asked))
        for n, verdict in zip(asked, found, strict=True):
            verdicts[n] = verdict
    return tuple(
        Draw(
            n,
            steps[n],
            answers[n],
            verdicts[n],
            reply.finish_reason,
            how.params(n).get("seed"),
            clean(reply.text),
        )
        for n, reply in enumerate(replies)
    )
