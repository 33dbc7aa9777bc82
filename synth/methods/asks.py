"""What a method yields and what it is sent back: the contract between methods, the client and runs."""

import hashlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Verdict = Literal["right", "wrong", "undecided"]


@dataclass(frozen=True)
class Ask:
    """One request to a language model.

    messages: {"role", "content"} each.  params: what the body of the request carries (temperature, top_p, seed,
    max_tokens, …).  schema: the JSON schema of the reply, sent where the endpoint can.  draw: which independent
    draw of an otherwise equal request this is, from 0; part of the digest.
    """

    messages: tuple[Mapping[str, str], ...]
    params: Mapping[str, Any]
    schema: Mapping[str, Any] | None = None
    draw: int = 0


@dataclass(frozen=True)
class Check:
    """One answer check: is `answer` the same as the reference answer `gold`?"""

    gold: str
    answer: str


@dataclass(frozen=True)
class Reply:
    """What came back. finish_reason: stop | length | content_filter | …, as the endpoint says it."""

    text: str
    finish_reason: str = "stop"


Outcome = TypeVar("Outcome")
Steps = Generator[Sequence[Ask | Check], Sequence[Reply | Verdict], Outcome]


def ask(*asks: Ask) -> Steps[tuple[Reply, ...]]:
    """Yield one batch of requests; return their replies in order. For methods: `replies = yield from ask(a, b)`.

    Nothing is yielded for no requests. Raises TypeError where what drives the method answers otherwise.
    """
    answers = (yield asks) if asks else ()
    replies = tuple(answer for answer in answers if isinstance(answer, Reply))
    if not len(replies) == len(answers) == len(asks):
        raise TypeError(
            f"{len(asks)} requests were answered by {len(replies)} replies of {len(answers)} answers"
        )
    return replies


def check(*checks: Check) -> Steps[tuple[Verdict, ...]]:
    """Yield one batch of answer checks; return their verdicts in order. As `ask` otherwise."""
    answers = (yield checks) if checks else ()
    verdicts = tuple(answer for answer in answers if not isinstance(answer, Reply))
    if not len(verdicts) == len(answers) == len(checks):
        raise TypeError(
            f"{len(checks)} checks were answered by {len(verdicts)} verdicts of {len(answers)} answers"
        )
    return verdicts


def digest_of(model: str, asked: Ask) -> str:
    """Return the SHA-256 (hex) of a request: equal digests ask the same model the same thing."""
    parts = {
        "model": model,
        "messages": [dict(message) for message in asked.messages],
        "params": dict(asked.params),
        "schema": asked.schema,
        "draw": asked.draw,
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
