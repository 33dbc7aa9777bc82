"""An injector's reply: a solution in JSON with a claim about its steps.

Steps are asked for without numbers. Where all steps of the original begin with theirs ("Step 3. ", "3. "), those of the
new solution get theirs in the same way; otherwise a number that only says the place is taken off. A step that is the
original's but for its number and the blanks around it is the original's.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from annotator.core.align import bare
from synth.methods.asks import Reply
from synth.methods.injections import Injected
from synth.methods.replies import clean, json_object, told, unfinished

_MANY: Final = 1_000  # steps of a solution
_NUMBER: Final = re.compile(r"\s*(?P<before>(?:[Ss]tep\s+)?)(?P<number>[0-9]{1,6})(?P<after>[.:]\s+)")
_Number = Annotated[int, Field(strict=True, ge=-(2**31), lt=2**31)]

SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {
        "reason": {"type": "string"},
        "question": {"type": "string"},
        "steps": {"type": "array", "items": {"type": "string"}},
        "changed": {"type": "array", "items": {"type": "integer"}},
        "wrong": {"type": "array", "items": {"type": "integer"}},
    },
    "required": ["reason", "question", "steps", "changed", "wrong"],
    "additionalProperties": False,
}


class _Reply(BaseModel):
    model_config = ConfigDict(frozen=True)

    reason: str = ""
    question: str | None = None
    steps: Annotated[list[str], Field(min_length=1, max_length=_MANY)]
    changed: Annotated[list[_Number], Field(max_length=_MANY)]
    wrong: Annotated[list[_Number], Field(max_length=_MANY)]


def read(
    reply: Reply, problem: str, steps: Sequence[str], kind: str, repaired: bool = False
) -> Injected | tuple[str, ...]:
    """Return the injection that a reply holds, whatever it claims, or why it cannot be read."""
    if why := unfinished(reply):
        return (why,)
    found = json_object(reply.text, ("steps", "changed", "wrong"))
    if found is None:
        return ('there is no JSON object with "steps", "changed" and "wrong"',)
    try:
        said = _Reply.model_validate(found)
    except ValidationError as error:
        return told(error)
    question = said.question or ""
    is_same = not question.strip() or question.split() == problem.split()
    return Injected(
        problem if is_same else question.strip(),
        _as_original(said.steps, steps),
        tuple(said.changed),
        tuple(said.wrong),
        said.reason.strip(),
        kind,
        clean(reply.text),
        repaired,
    )


def shown(steps: Sequence[str]) -> list[str]:
    """Return the steps as they are shown to a model that numbers them itself."""
    return [bare(step) for step in steps] if _numbering(steps) else list(steps)


def _as_original(new: Sequence[str], steps: Sequence[str]) -> tuple[str, ...]:
    numbering = _numbering(steps)
    texts = [_without_place(step, place) for place, step in enumerate(new, 1)]
    if numbering:
        before, after = numbering
        return tuple(text and f"{before}{place}{after}{text}" for place, text in enumerate(texts, 1))
    known = {bare(step): step for step in steps}
    return tuple(known.get(bare(text), text) for text in texts)


def _numbering(steps: Sequence[str]) -> tuple[str, str] | None:
    """Return what stands before and after the numbers of steps, None unless each step begins with its own."""
    found = [_NUMBER.match(step) for step in steps]
    kinds = {
        (one["before"], one["after"], int(one["number"]) == place)
        for place, one in enumerate(found, 1)
        if one
    }
    if not all(found) or len(kinds) != 1:
        return None
    before, after, is_place = kinds.pop()
    return (before, after) if is_place else None


def _without_place(step: str, place: int) -> str:
    found = _NUMBER.match(step)
    return (step[found.end() :] if found and int(found["number"]) == place else step).strip()
