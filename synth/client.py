"""Ask an endpoint, within its limits: so many at once, so many a second, patient when it asks for patience.

One worker at a time drives an endpoint (runs.hold), so these limits need not be shared. A Client lives inside one
event loop. What is asked and what came back is logged nowhere.
"""

import asyncio
import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from synth.calls import Answer, CallFailed, Received, Stopped
from synth.endpoints import Endpoint
from synth.methods.asks import Ask, digest_of

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

TRIES = 5  # of one request, where what went wrong may pass
BUSY_TRIES = 7  # where the endpoint only asks for patience: half a minute, so that a drive sees the end of it
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
PATIENCE = 60.0  # seconds; an endpoint that asks for more is left alone


class Sender(Protocol):
    async def send(self, ask: Ask, digest: str) -> Received: ...
    async def close(self) -> None: ...


class Client:
    """`async with Client(endpoint) as client`, then `async with client.slots: await client.call(ask)`.

    The slot is the caller's: it holds it until what came back is stored, so that never more is paid and not yet
    stored than the endpoint's concurrency.
    """

    def __init__(
        self, endpoint: Endpoint, *, tries: int = TRIES, chance: Callable[[], float] = random.random
    ) -> None:
        self.endpoint, self._tries, self._chance = endpoint, tries, chance
        self.slots = asyncio.Semaphore(endpoint.concurrency)
        self._limiter, self._gate = limiter(endpoint.per_second), asyncio.Lock()
        self._quiet_until = 0.0  # what time.monotonic says when the endpoint may be asked again
        self._identity = endpoint.identity_digest()
        self._stop = asyncio.Event()
        self._wire: Sender | None = None

    async def __aenter__(self) -> Self:
        self._wire = wire(self.endpoint)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._wire is not None:
            await self._wire.close()

    def digest(self, ask: Ask) -> str:
        """What tells a request apart: what is asked, and all that the endpoint's declaration makes of it."""
        return digest_of(self._identity, ask)

    def stop(self) -> None:
        """Send nothing more. What is on its way is still waited for; every other call raises Stopped."""
        self._stop.set()

    async def call(self, ask: Ask, digest: str) -> Answer:
        """Send a request until it is answered. Raises CallFailed, or Stopped before it was sent once more.

        One that failed before a stop, where the endpoint did not just ask for patience, has failed: it is not to come
        back as if nothing had happened, time and again.
        """
        tries = busy = 0
        await self._turn()
        while True:
            try:
                return await self._timed(ask, digest)
            except CallFailed as failed:
                tries, busy = tries + (not failed.busy), busy + failed.busy
                if failed.nobody or not failed.again or tries >= self._tries or busy >= BUSY_TRIES:
                    raise
                try:
                    await self._calm(failed, max(tries, busy))
                    await self._turn()
                except Stopped:
                    raise Stopped(failed) if failed.busy else failed from None

    async def once(self, ask: Ask, digest: str) -> Answer:
        """Send a request a single time, at its turn, and also after a stop. Raises CallFailed."""
        if self._limiter is not None:
            await self._limiter.acquire()
        return await self._timed(ask, digest)

    async def _timed(self, ask: Ask, digest: str) -> Answer:
        started = time.monotonic()
        return self._priced(await self._send(ask, digest), time.monotonic() - started)

    async def _send(self, ask: Ask, digest: str) -> Received:
        if self._wire is None:
            raise RuntimeError("Use a Client in `async with`.")
        try:
            async with asyncio.timeout(self.endpoint.timeout):  # of it all: a trickle of bytes is no answer
                return await self._wire.send(ask, digest)
        except TimeoutError as error:
            raise CallFailed("No answer in time.", again=True) from error

    def _priced(self, got: Received, seconds: float) -> Answer:
        cost = self.endpoint.cost(got.prompt_tokens, got.completion_tokens)
        return Answer(got.reply, got.prompt_tokens, got.completion_tokens, round(seconds * 1000), cost)

    async def _turn(self) -> None:
        """Wait until this request may be sent. Raises Stopped."""
        while (left := self._quiet_until - time.monotonic()) > 0:
            # Not all at once when the silence ends: they would be refused again.
            await self._sleep(left + self._chance() * min(left, 1.0))
        if self._limiter is not None:
            async with self._gate:  # in order, and only the first looks at the clock
                while not self._limiter.has_capacity():
                    await self._sleep(self._limiter.time_period / self._limiter.max_rate)
                await self._limiter.acquire()
        if self._stop.is_set():
            raise Stopped

    async def _calm(self, failed: CallFailed, tries: int) -> None:
        """Wait before trying again. What Retry-After says holds for every request to this endpoint."""
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (tries - 1)) * (0.5 + self._chance())
        if failed.wait is not None and failed.wait > PATIENCE:
            raise failed
        if failed.wait is not None:
            self._quiet_until = max(self._quiet_until, time.monotonic() + failed.wait)
            wait = self._chance() * min(wait, 1.0) if tries == 1 else wait
        await self._sleep(wait)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return
        raise Stopped


def limiter(per_second: float | None) -> "AsyncLimiter | None":
    """Evenly spread: at most one second's share at once, and one request where a second's share is less."""
    if per_second is None:
        return None
    from aiolimiter import AsyncLimiter

    share = max(1.0, per_second)
    return AsyncLimiter(share, share / per_second)


def wire(endpoint: Endpoint) -> Sender:
    """The libraries are loaded when a call is to be made: the web does without them."""
    from synth.wire import Wire

    return Wire(endpoint)
