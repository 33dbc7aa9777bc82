r"""Monte Carlo estimation: how often a solution that begins with these steps comes to the right answer.

From each prefix of a solution n continuations are drawn and their final answers checked. Prefixes are taken from the
left, and the first from which no draw came out right is the last one looked at: what follows is not labelled anyway
(estimates.labels). A prefix in which the final answer stands already has nothing to draw: its answer is checked.

With `early_stop` draws end at the first success, which gives the same "any right" for less. They are sent in waves,
each as large as all before it (1, 1, 2, 4, …): so a hopeless prefix waits for about log2(n) waves instead of n
requests one after another, and fewer than twice the draws that were needed are paid for. Without it all go out at once.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Self

from pydantic import Field, model_validator

from synth.methods import prompts
from synth.methods.asks import Ask, Check, Reply, Steps, ask, check
from synth.methods.estimates import Draw, Estimate, Prefix
from synth.methods.settings import How
from synth.methods.texts import answer_of, steps_of

PROMPT: Final = "rollout-1"
# What vLLM and its kin need to be told to go on with the last message rather than to answer it.
_GO_ON: Final = {"continue_final_message": True, "add_generation_prompt": False}


class RolloutHow(How):
    """Settings of Monte Carlo estimation."""

    METHOD: ClassVar[str] = "rollout"
    PROMPTS: ClassVar[tuple[str, ...]] = (PROMPT,)

    temperature: float | None = Field(
        0.7, ge=0, le=2, title="Temperature", description="Above 0, or all draws are the same."
    )
    max_tokens: int = Field(2048, ge=1, le=1_000_000, title="Most tokens", description="Of one continuation.")
    n: int = Field(8, ge=1, le=256, title="Draws", description="For each step.")
    early_stop: bool = Field(
        False,
        title="Stop at the first success",
        description="Costs less; then only whether any draw was right is known, no share and no threshold.",
    )
    prefill: bool = Field(
        False,
        title="Write on in the model's own turn",
        description="For vLLM and others that take continue_final_message. Elsewhere the beginning is told in words.",
    )

    @model_validator(mode="after")
    def _draws_differ(self) -> Self:
        if self.n > 1 and self.temperature == 0:
            raise ValueError(
                f"at temperature 0 all {self.n} draws are the same: raise it, or draw once a step"
            )
        return self


def rollouts(problem: str, steps: Sequence[str], gold: str, how: RolloutHow) -> Steps[Estimate]:
    """Draw from each prefix of a solution, up to the first from which none came out right.

    gold: the reference answer. Raises ValueError if it is blank or there are no steps.
    """
    if not steps or not gold.strip():
        raise ValueError("rollouts need a solution with steps and a reference answer")
    holds = _holds_answer_from(steps)
    prefixes: list[Prefix] = []
    while len(prefixes) < len(steps) and (not prefixes or prefixes[-1].any_right):
        position = len(prefixes)
        if position >= holds:
            prefixes.append((yield from _checked(position, steps, gold)))
        else:
            prefixes.append((yield from _drawn(problem, steps[: position + 1], gold, how)))
    return Estimate(len(steps), how.n, how.early_stop, tuple(prefixes))


def waves(n: int, early_stop: bool) -> list[range]:
    """Return the draws, 0-based, that are sent together."""
    ends = [min(n, 2**at) for at in range(n.bit_length() + 1)] if early_stop else [n]
    return [range(low, high) for low, high in zip([0, *ends], ends, strict=False) if low < high]


def most_draws(steps: Sequence[str], how: RolloutHow) -> int:
    """Return how many requests a solution takes at the most: what an estimate of cost counts with."""
    return how.n * min(_holds_answer_from(steps), len(steps))


def request(problem: str, prefix: Sequence[str], how: RolloutHow, draw: int) -> Ask:
    """Return the request for one continuation of a prefix."""
    beginning = "\n\n".join(prefix)
    system = prompts.message("system", PROMPT, "system")
    params: dict[str, Any] = how.params(draw)
    told: tuple[Mapping[str, str], ...]
    if how.prefill:
        told = (
            prompts.message("user", PROMPT, "problem", problem=problem),
            {"role": "assistant", "content": f"{beginning}\n\n"},
        )
        params |= _GO_ON
    else:
        told = (prompts.message("user", PROMPT, "continue", problem=problem, beginning=beginning),)
    return Ask((system, *told), params, draw=draw)


def _holds_answer_from(steps: Sequence[str]) -> int:
    """Return the position of the first step in which the final answer stands; beyond the last if in none.

    A box halfway may hold an intermediate result, so it counts only if it says what the solution ends with.
    """
    final = _squeezed(answer_of(steps))
    said = (at for at, step in enumerate(steps) if final and _squeezed(answer_of([step])) == final)
    return next(said, len(steps))


def _squeezed(answer: str | None) -> str:
    return "".join((answer or "").split())


def _checked(position: int, steps: Sequence[str], gold: str) -> Steps[Prefix]:
    answer = answer_of(steps) or ""
    (verdict,) = yield from check(Check(gold, answer))
    return Prefix(position, 1, (Draw(answer, verdict, "stop"),), holds_answer=True)


def _drawn(problem: str, prefix: Sequence[str], gold: str, how: RolloutHow) -> Steps[Prefix]:
    draws: list[Draw] = []
    for wave in waves(how.n, how.early_stop):
        replies = yield from ask(*(request(problem, prefix, how, draw) for draw in wave))
        draws += yield from _decided(gold, replies)
        if how.early_stop and any(draw.verdict == "right" for draw in draws):
            break
    return Prefix(len(prefix) - 1, how.n, tuple(draws))


def _decided(gold: str, replies: Sequence[Reply]) -> Steps[list[Draw]]:
    """A draw without a final answer that we can find is undecided: it was cut off, or refused, or says it in words
    of its own, and none of these makes the steps wrong."""
    answers = [answer_of(steps_of(reply.text)) for reply in replies]
    checks = [Check(gold, answer) for answer in answers if answer is not None]
    verdicts = iter((yield from check(*checks)) if checks else ())
    return [
        Draw(answer, "undecided" if answer is None else next(verdicts), reply.finish_reason)
        for reply, answer in zip(replies, answers, strict=True)
    ]
