"""What the client, the wire and the driver say to each other about one request."""

from dataclasses import dataclass

from synth.methods.asks import Reply


@dataclass(frozen=True)
class Received:
    """A reply and the tokens that the endpoint says it took; 0 where it says none."""

    reply: Reply
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Answer:
    """A reply with what it took. latency_ms: of the request that was answered.  cost: in the endpoint's currency."""

    reply: Reply
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    cost: float


class CallFailed(Exception):
    """A request came to no reply.

    raw: the start of what came instead.  again: trying later may help.  busy: the endpoint asks for patience.
    nobody: no other request would fare better (no key, no quota, no such model).  wait: seconds it asks to wait.
    """

    def __init__(
        self, message: str, *, raw: str = "", again: bool = False, busy: bool = False, nobody: bool = False,
        wait: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.message, self.raw, self.wait = message, raw, wait
        self.again, self.busy, self.nobody = again, busy, nobody


class Stopped(Exception):
    """The driver stops: what was not yet sent is not sent."""


def clean(text: str) -> str:
    """Text that every database holds and that reads back as it was: no NUL, no half of a surrogate pair."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
