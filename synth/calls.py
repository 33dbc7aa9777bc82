"""What the wire, the client, the driver and the storage say to each other about requests and units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from synth.methods.asks import Reply, Steps


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
    """The driver stops: what was not yet sent is not sent. busy: what the endpoint said last, where it said wait."""

    def __init__(self, busy: CallFailed | None = None) -> None:
        super().__init__()
        self.busy = busy


class EndpointDown(Exception):
    """The endpoint is to be left alone, for this reason; the unit that noticed has no fault."""

    def __init__(self, failed: CallFailed) -> None:
        super().__init__(failed.message)
        self.failed = failed


def clean(text: str) -> str:
    """Text that every database holds and that reads back as it was: no NUL, no half of a surrogate pair."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


# --- Units -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StoredCall:
    """A call as it is stored: what was sent (its digest), what came back, what it took.

    n: the unit's how-manieth, from 0.  error: why it came to no reply, "" if it did; `text` is then the start of what
    came instead.  reused: an earlier call of another unit answered it, nothing was paid.
    """

    unit: Any
    n: int
    digest: str
    text: str = ""
    finish_reason: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_ms: int = 0
    cost: float = 0.0
    error: str = ""
    reused: bool = False

    @property
    def reply(self) -> Reply:
        return Reply(self.text, self.finish_reason)


@dataclass(frozen=True)
class Job:
    """A unit to be worked on: its method, not yet begun, and the calls it made before.

    scope: within it one unit's answers may serve another (its project).
    """

    unit: Any
    steps: Steps[Any]
    calls: Sequence[StoredCall] = ()
    scope: Any = None


@dataclass(frozen=True)
class Failure:
    """Why a unit has no outcome. again: trying later may help.  raw: the start of what came instead of a reply."""

    message: str
    again: bool = False
    raw: str = ""


@dataclass(frozen=True)
class Ended:
    """A unit's end: what its method returned, or a Failure."""

    unit: Any
    result: Any


@dataclass
class Summary:
    """What a drive did. calls: requests that were sent and answered, and those that failed.

    because: why the endpoint was left alone, "" if it was not.  wait: seconds after which it may be asked again; None
    where a person has to do something first (a key, money, a parameter it refuses).
    """

    done: int = 0
    failed: int = 0
    given_back: int = 0
    calls: int = 0
    because: str = ""
    wait: float | None = None


class Storage(Protocol):
    """Where units come from and go to. Plain functions, all called in one thread, one after another.

    Units are hashable. An exception of take, recall, keep or beat ends the drive: what cannot be stored must not be
    paid for.
    """

    def take(self, n: int) -> Sequence[Job]:
        """Lease up to n due units; none: there is nothing to do now."""

    def recall(self, wanted: Sequence[tuple[Any, str]]) -> Mapping[tuple[Any, str], StoredCall]:
        """Answers that other units paid for, by scope and digest; may be empty."""

    def keep(self, calls: Sequence[StoredCall]) -> bool:
        """Store calls in one transaction. False: nothing more may be sent (paused, over budget)."""

    def finish(self, ended: Sequence[Ended]) -> None:
        """Store ends in one transaction. Where it raises they are tried singly, then the one at fault as a Failure.

        A unit that is another worker's by now is no error: skip it.
        """

    def beat(self, units: Sequence[Any]) -> bool:
        """Renew the leases of these units, every few seconds. False: stop."""

    def give_back(self, units: Sequence[Any]) -> None:
        """These were stopped half-way, through no fault of theirs."""

    def close(self) -> None:
        """The thread ends: let go of its connection."""
