"""Answer what the units of one drive ask: from what is stored, from what another unit has under way, or by asking.

Every reply is stored before its slot is free again, so that what was paid and not yet stored is never more than the
endpoint's concurrency, whenever the process is killed; stored replies are replayed, not sent again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from synth.calls import Answer, CallFailed, EndpointDown, Job, Stopped, Storage, StoredCall
from synth.checking import CheckerUnavailable
from synth.client import Client
from synth.grouping import Grouped, StorageBroke
from synth.health import Health
from synth.methods.asks import Ask, Check, Reply, Verdict
from synth.replay import Replay

Wanted = tuple[Any, str]  # a scope and a digest
Checker = Callable[[Check], Awaitable[Verdict]]
CUT = "It was on its way when the worker had to stop."


class Asking:
    """What is asked in one drive. in_hand: requests that wait or are on their way.  cut: units of which one was cut.

    calls: that were sent and answered, or failed.  less: called when there is room for more.  stop: called when nothing
    more may be sent.  broke: called with what could not be stored.
    """

    def __init__(
        self,
        client: Client,
        storage: Storage,
        check: Checker,
        thread: Executor,
        *,
        less: Callable[[], None],
        stop: Callable[[], None],
        broke: Callable[[BaseException], None],
    ) -> None:
        self.client, self.check, self.health = client, check, Health(client)
        self.slots = client.endpoint.concurrency
        self.keep: Grouped[StoredCall, bool] = Grouped(storage.keep, thread)
        self.recall: Grouped[Wanted, Mapping[Wanted, StoredCall]] = Grouped(storage.recall, thread)
        self.flying: dict[Wanted, asyncio.Event] = {}
        self.in_hand = self.calls = 0
        self.cut: set[Any] = set()
        self._less, self._stop, self._broke = less, stop, broke

    @property
    def is_enough(self) -> bool:
        """Enough to keep the slots full."""
        return self.in_hand >= 2 * self.slots

    async def settled(self) -> None:
        await self.recall.settled()
        await self.keep.settled()

    async def answers(self, job: Job, replay: Replay, batch: Sequence[Ask | Check]) -> list[Reply | Verdict]:
        """Answers in the order asked. All are waited for, so that what was paid is stored, before one fails.

        Raises CallFailed where the unit fails, EndpointDown, CheckerUnavailable or Stopped where it is not its fault.
        """
        if len(batch) == 1:
            return [await self._answer(job, replay, batch[0])]
        found = await asyncio.gather(
            *(self._answer(job, replay, one) for one in batch), return_exceptions=True
        )
        errors = [one for one in found if isinstance(one, BaseException)]
        if errors:
            raise min(errors, key=_weight)
        return [one for one in found if not isinstance(one, BaseException)]

    async def _answer(self, job: Job, replay: Replay, asked: Ask | Check) -> Reply | Verdict:
        if isinstance(asked, Check):
            return await self.check(asked)
        digest = self.client.digest(asked)
        reply = replay.answer(digest)
        if reply is not None:
            return reply
        self.in_hand += 1
        try:
            return await self._call(job, replay, asked, digest)
        finally:
            self.in_hand -= 1
            if not self.is_enough:
                self._less()

    async def _call(self, job: Job, replay: Replay, asked: Ask, digest: str) -> Reply:
        n, wanted = replay.number(), (job.scope, digest)
        earlier = await self._earlier(wanted)
        if earlier is not None:
            await self._keep(replace(earlier, unit=job.unit, n=n, cost=0.0, reused=True))
            return earlier.reply
        self.flying[wanted] = asyncio.Event()
        try:
            async with self.client.slots:
                await self.health.open.wait()
                return await self._send(job.unit, n, replay, asked, digest)
        finally:
            self.flying.pop(wanted).set()

    async def _earlier(self, wanted: Wanted) -> StoredCall | None:
        """What answered this request before; one that another unit has under way is waited for, not sent again."""
        while True:
            found = (await self.recall(wanted)).get(wanted)
            if found is not None or wanted not in self.flying:
                return found
            await self.flying[wanted].wait()

    async def _send(self, unit: Any, n: int, replay: Replay, asked: Ask, digest: str) -> Reply:
        """Send and store, in the slot that the caller holds."""
        since = self.health.answers

        async def keep_small(other: str, came: Answer | CallFailed) -> None:
            await self._store(unit, replay.number(), other, came)

        try:
            answer = await self.client.call(asked, digest)
        except CallFailed as failed:
            await self._store(unit, n, digest, failed)
            await self.health.blame(unit, asked, failed, since, keep_small)
            raise
        except Stopped as stopped:
            if stopped.busy is None or self.health.answers > since:
                raise
            # Else it might be told to wait in each drive, and come back for ever.
            await self.health.blame(unit, asked, stopped.busy, since, keep_small)
            await self._store(unit, n, digest, stopped.busy)
            raise stopped.busy from None
        except asyncio.CancelledError:
            self.cut.add(unit)
            await self._store(unit, n, digest, CallFailed(CUT))
            raise
        self.health.answered()
        await self._store(unit, n, digest, answer)
        return answer.reply

    async def _store(self, unit: Any, n: int, digest: str, came: Answer | CallFailed) -> None:
        await self._keep(stored(unit, n, digest, came))

    async def _keep(self, call: StoredCall) -> None:
        try:
            go_on = await self.keep(call)
        except StorageBroke as error:
            self._broke(error)  # before the slot is free for another
            raise
        self.calls += not call.reused
        if not go_on:
            self._stop()


def stored(unit: Any, n: int, digest: str, came: Answer | CallFailed) -> StoredCall:
    """The row of a request that was sent, or of what came instead of a reply."""
    if isinstance(came, CallFailed):
        return StoredCall(unit, n, digest, came.raw, error=came.message)
    return StoredCall(
        unit, n, digest, came.reply.text, came.reply.finish_reason,
        came.prompt_tokens, came.completion_tokens, came.latency_ms, came.cost,
    )  # fmt: skip


def _weight(error: BaseException) -> int:
    """Of a batch's errors the first of these speaks for it: what is nobody's fault, then a fault, then a stop."""
    if isinstance(error, StorageBroke | EndpointDown | CheckerUnavailable):
        return 0
    return 2 if isinstance(error, Stopped) else 1
