"""A language model puts one error of a stated kind into a right solution, and says which steps it changed.

What is wrong with an injection is said to the model once; what it returns then is kept or rejected for good.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final

from pydantic import Field

from annotator.core.findings import Finding
from annotator.core.labels import ERROR_TYPES
from synth.methods import injection_replies, injections, prompts, repairing
from synth.methods.asks import Ask, Reply, Steps, ask
from synth.methods.injections import KINDS, Injected, Rejected
from synth.methods.replies import clean, is_refused
from synth.methods.settings import How, spec

__all__ = ["KINDS", "InjectHow", "Injected", "Rejected", "inject", "spec"]

PROMPT: Final = "inject-1"
_KINDS: Final = {kind.code: kind for kind in ERROR_TYPES}


class InjectHow(How):
    METHOD: ClassVar[str] = "inject"
    PROMPTS: ClassVar[tuple[str, ...]] = (PROMPT, repairing.PROMPT)

    examples: int = Field(2, ge=0, le=2, title="Examples", description="Worked examples before the question.")


def inject(problem: str, steps: Sequence[str], kind: str, how: InjectHow) -> Steps[Injected | Rejected]:
    """Ask for an error in a right solution. kind: a code of KINDS. Raises ValueError, at once, for another one and for
    a solution without steps."""
    if kind not in _KINDS:
        raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
    if not steps:
        raise ValueError("a solution has at least one step")
    return _inject(problem, tuple(steps), kind, how)


def _inject(problem: str, steps: tuple[str, ...], kind: str, how: InjectHow) -> Steps[Injected | Rejected]:
    messages = _messages(problem, steps, kind, how)
    (reply,) = yield from ask(Ask(messages, how.params(), injection_replies.SCHEMA))
    made, why = _judged(reply, problem, steps, kind)
    if made and not why:
        return made
    if not is_refused(reply):
        repair = repairing.again(messages, reply, (sentence(one) for one in why))
        (reply,) = yield from ask(Ask(repair, how.params(), injection_replies.SCHEMA))
        made, why = _judged(reply, problem, steps, kind, repaired=True)
        if made and not why:
            return made
    return Rejected(kind, why, clean(reply.text))


def sentence(found: Finding) -> str:
    """A reason of rejection in words; steps count from 1."""
    at = "" if found.position is None else f" (step {found.position + 1})"
    return f"{injections.title(found.code)}{at}{f': {found.detail}' if found.detail else ''}"


def _judged(
    reply: Reply, problem: str, steps: tuple[str, ...], kind: str, repaired: bool = False
) -> tuple[Injected | None, tuple[Finding, ...]]:
    """Return the injection in a reply, None if none can be read, and why it cannot be kept."""
    read = injection_replies.read(reply, problem, steps, kind, repaired)
    if isinstance(read, Injected):
        return read, injections.faults(problem, steps, read)
    return None, tuple(Finding("unreadable", None, why) for why in read)


def _messages(problem: str, steps: Sequence[str], kind: str, how: InjectHow) -> tuple[Mapping[str, str], ...]:
    told, meant = prompts.examples(PROMPT)["kinds"][kind], _KINDS[kind]
    found = [
        prompts.message(
            "system", PROMPT, "system", title=meant.title, definition=meant.definition, instruct=told["instruct"],
            may_change=kind in injections.MAY_CHANGE_PROBLEM,
        )
    ]  # fmt: skip
    for example in told["examples"][: how.examples]:
        base = prompts.examples(PROMPT)["problems"][example["of"]]
        found.append(_question(base["question"], base["steps"]))
        found.append({"role": "assistant", "content": json.dumps(worked(example), ensure_ascii=False)})
    return (*found, _question(problem, steps))


def _question(problem: str, steps: Sequence[str]) -> Mapping[str, str]:
    bare = injection_replies.shown(steps)
    return prompts.message("user", PROMPT, "user", problem=problem, steps=bare)


def worked(example: Mapping[str, Any]) -> dict[str, Any]:
    """Return the reply of a worked example of the prompt's file."""
    steps = prompts.examples(PROMPT)["problems"][example["of"]]["steps"]
    return {
        "reason": example["reason"],
        "question": example.get("question", ""),
        "steps": [steps[one - 1] if isinstance(one, int) else one for one in example["steps"]],
        "changed": example["changed"],
        "wrong": example["wrong"],
    }
