"""Drive many method generators at once on one endpoint (methods/asks.py says what they yield).

No Django here: rows come and go through a Storage. Every reply is stored before its slot is free again, so that what
was paid and not yet stored is never more than the endpoint's concurrency, whenever the process is killed; stored
replies are replayed, not sent again. Units are taken a few at a time: memory does not grow with their number.
"""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from synth.calls import Answer, CallFailed, Ended, Failure, Job, Stopped, Storage, StoredCall, Summary
from synth.client import LONGEST_WAIT, Client
from synth.grouping import Grouped, StorageBroke, on
from synth.methods.asks import Ask, Check, Reply, Verdict
from synth.replay import Replay

log = logging.getLogger(__name__)

MOST_REQUESTS = 10_000  # of one unit: a method that asks for ever must not
FEWEST_FAILURES = 20  # in a row, or one for each slot, and the endpoint counts as down
BEAT = 5.0  # seconds
INTERRUPTED = 10.0  # seconds that an impatient person waits for what was paid to come and be stored
ENDS_AT_ONCE = 20  # few, so that replies which hold a slot do not wait long for their turn to be stored
Wanted = tuple[Any, str]  # a scope and a digest
Checker = Callable[[Check], Awaitable[Verdict]]


def run(
    client_of: Callable[[], Client],
    storage: Storage,
    check: Checker,
    *,
    seconds: float = 50,
    signals: bool = False,
) -> Summary:
    """Drive until nothing is due, or for so many seconds, in an event loop of its own.

    signals: stop on SIGTERM and SIGINT (in the main thread only). Raises StorageBroke, Invalid for a missing key.
    """

    async def go() -> Summary:
        async with client_of() as client:
            return await drive(client, storage, check, seconds=seconds, signals=signals)

    return asyncio.run(go())


async def drive(
    client: Client,
    storage: Storage,
    check: Checker,
    *,
    seconds: float = 50,
    grace: float = 60,
    signals: bool = False,
    thread: Executor | None = None,
) -> Summary:
    """Drive units until nothing is due. After `seconds`, requests on their way get up to `grace` to come back."""
    own = thread or ThreadPoolExecutor(1, "storage")
    work = Drive(client, storage, check, own)
    try:
        with stopped_by(signals, work.stop):
            return await work.run(seconds, grace)
    finally:
        await on(own, lambda _: storage.close(), None)
        if thread is None:
            own.shutdown(wait=False)


@contextmanager
def stopped_by(signals: bool, stop: Callable[[], None]) -> Iterator[None]:
    """Stop on SIGTERM and SIGINT while inside; whoever listened before listens again."""
    loop, names = asyncio.get_running_loop(), [signal.SIGTERM, signal.SIGINT] if signals else []
    before = {name: signal.getsignal(name) for name in names}
    for name in names:
        loop.add_signal_handler(name, stop)
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)
            signal.signal(name, before[name])


@dataclass
class Drive:
    """One drive. `asking` counts requests that wait or are on their way: enough of them keep the slots full."""

    client: Client
    storage: Storage
    check: Checker
    thread: Executor
    summary: Summary = field(default_factory=Summary)
    active: dict[asyncio.Task[None], Any] = field(default_factory=dict)
    halfway: list[Any] = field(default_factory=list)
    flying: dict[tuple[Any, str], asyncio.Event] = field(default_factory=dict)
    asking: int = 0
    failures_in_row: int = 0
    stopping: bool = False
    broke: Exception | None = None

    def __post_init__(self) -> None:
        self.slots = self.client.endpoint.concurrency
        self.changed, storage = asyncio.Event(), self.storage
        self.keep: Grouped[StoredCall, bool] = Grouped(self.storage.keep, self.thread)
        self.recall: Grouped[Wanted, Mapping[Wanted, StoredCall]] = Grouped(storage.recall, self.thread)
        self.finish: Grouped[Ended, None] = Grouped(self._finish, self.thread, ENDS_AT_ONCE)

    def stop(self) -> None:
        """Take nothing more, send nothing more."""
        self.stopping = True
        self.client.stop()
        self.changed.set()

    async def run(self, seconds: float, grace: float) -> Summary:
        timer = asyncio.get_running_loop().call_later(seconds, self.stop)
        beating = asyncio.create_task(self._beat())
        try:
            await self._fill()
            await self._drain(grace)
        except asyncio.CancelledError:  # Ctrl-C
            self.stop()
            await self._drain(min(grace, INTERRUPTED))
            raise
        finally:
            timer.cancel()
            beating.cancel()
            await self._give_back()
        if self.broke:
            raise self.broke
        return self.summary

    async def _fill(self) -> None:
        """Take units and start them until none is due, or until told to stop."""
        while not self.stopping:
            self.changed.clear()
            room = self._room()
            if room:
                try:
                    jobs = await on(self.thread, self.storage.take, room)
                except Exception as error:
                    self._break(error)
                    return
                for job in jobs:
                    self._start(job)
                if not jobs:
                    return
                await asyncio.sleep(0)  # what was started says what it asks
            else:
                await self.changed.wait()

    def _room(self) -> int:
        if self.asking >= 2 * self.slots:
            return 0
        free = 4 * self.slots - len(self.active)
        chunk = max(1, self.slots // 2)
        return chunk if free >= chunk else 0

    def _start(self, job: Job) -> None:
        task = asyncio.create_task(self._one(job))
        self.active[task] = job.unit
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        del self.active[task]
        self.changed.set()
        if not task.cancelled() and (error := task.exception()):
            self._break(error)

    async def _drain(self, grace: float) -> None:
        """Wait for what was started; once stopping, for what is on its way, and no longer than `grace`."""
        while self.active and not self.stopping:
            self.changed.clear()
            await self.changed.wait()
        if self.active:
            await asyncio.wait(list(self.active), timeout=grace)
        left = list(self.active)
        self.halfway += self.active.values()
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _give_back(self) -> None:
        for group in (self.recall, self.keep, self.finish):
            await group.settled()
        self.summary.given_back = len(self.halfway)
        if self.halfway:
            await on(self.thread, self.storage.give_back, self.halfway)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT)
            try:
                go_on = await on(self.thread, self.storage.beat, list(self.active.values()))
            except Exception as error:
                self._break(error)
                return
            if not go_on:
                self.stop()

    def _break(self, error: BaseException) -> None:
        self.broke = self.broke or (error if isinstance(error, StorageBroke) else _broken(error))
        self.stop()

    # --- One unit ------------------------------------------------------------------------------------

    async def _one(self, job: Job) -> None:
        """Work on a unit to its end. Only what cannot be stored gets out of here."""
        try:
            result = await self._outcome(job)
        except Stopped:
            self.halfway.append(job.unit)
            return
        except StorageBroke:
            self.halfway.append(job.unit)
            raise
        except CallFailed as failed:
            if failed.nobody or failed.busy:
                self.halfway.append(job.unit)
                self._leave_alone(failed.message, None if failed.nobody else failed.wait or LONGEST_WAIT)
                return
            result = Failure(failed.message, failed.again, failed.raw)
        except Exception as error:  # a poison unit: it must not stop the others
            log.exception("A method failed on unit %s.", job.unit)
            result = Failure(f"The method failed: {type(error).__name__}: {error}"[:1000])
        try:
            await self.finish(Ended(job.unit, result))
        except StorageBroke:
            self.halfway.append(job.unit)
            raise
        self.summary.failed += isinstance(result, Failure)
        self.summary.done += not isinstance(result, Failure)

    async def _outcome(self, job: Job) -> Any:
        replay, asked = Replay(job.calls), 0
        try:
            batch = next(job.steps)
            while True:
                asked += len(batch)
                if asked > MOST_REQUESTS:
                    raise RuntimeError(f"it asked more than {MOST_REQUESTS} times")
                batch = job.steps.send(await self._answers(job, replay, batch))
        except StopIteration as end:
            return end.value
        finally:
            job.steps.close()

    async def _answers(self, job: Job, replay: Replay, batch: Sequence[Ask | Check]) -> list[Reply | Verdict]:
        """Answers in the order asked. All are waited for, so that what was paid is stored, before one fails."""
        if len(batch) == 1:
            return [await self._answer(job, replay, batch[0])]
        found = await asyncio.gather(
            *(self._answer(job, replay, one) for one in batch), return_exceptions=True
        )
        errors = [one for one in found if isinstance(one, BaseException)]
        if errors:
            raise next((error for error in errors if not isinstance(error, Stopped)), errors[0])
        return [one for one in found if not isinstance(one, BaseException)]

    async def _answer(self, job: Job, replay: Replay, asked: Ask | Check) -> Reply | Verdict:
        if isinstance(asked, Check):
            return await self.check(asked)
        digest = self.client.digest(asked)
        reply = replay.answer(digest)
        if reply is not None:
            return reply
        self.asking += 1
        try:
            return await self._call(job, replay.number(), asked, digest)
        finally:
            self.asking -= 1
            if self.asking < 2 * self.slots:
                self.changed.set()

    async def _call(self, job: Job, n: int, asked: Ask, digest: str) -> Reply:
        unit, wanted = job.unit, (job.scope, digest)
        earlier = await self._earlier(wanted)
        if earlier is not None:
            await self._keep(replace(earlier, unit=unit, n=n, cost=0.0, reused=True))
            return earlier.reply
        self.flying[wanted] = asyncio.Event()
        try:
            async with self.client.slots:
                return await self._send(unit, n, asked, digest)
        finally:
            self.flying.pop(wanted).set()

    async def _earlier(self, wanted: Wanted) -> StoredCall | None:
        """What answered this request before; one that another unit has under way is waited for, not sent again."""
        while True:
            found = (await self.recall(wanted)).get(wanted)
            if found is not None or wanted not in self.flying:
                return found
            await self.flying[wanted].wait()

    async def _send(self, unit: Any, n: int, asked: Ask, digest: str) -> Reply:
        """Send and store, in the slot that the caller holds."""
        try:
            answer = await self.client.call(asked, digest)
        except CallFailed as failed:
            await self._keep(_failed_call(unit, n, digest, failed))
            self._count_failure(failed)
            raise
        self.failures_in_row = 0
        await self._keep(_stored(unit, n, digest, answer))
        return answer.reply

    async def _keep(self, call: StoredCall) -> None:
        try:
            go_on = await self.keep(call)
        except StorageBroke as error:
            self._break(error)  # before the slot is free for another
            raise
        self.summary.calls += not call.reused
        if not go_on:
            self.stop()

    def _count_failure(self, failed: CallFailed) -> None:
        """An endpoint that answers nothing must not use up every unit's attempts."""
        self.failures_in_row += 1
        if self.failures_in_row >= max(FEWEST_FAILURES, self.slots):
            said = f"The last {self.failures_in_row} requests all failed: {failed.message}"
            self._leave_alone(said, 2 * LONGEST_WAIT if failed.again else None)

    def _leave_alone(self, because: str, wait: float | None) -> None:
        if not self.summary.because:
            self.summary.because, self.summary.wait = because, wait
        self.stop()

    def _finish(self, ended: Sequence[Ended]) -> None:
        """Store ends together; where that fails singly, so that one which cannot be stored fails alone."""
        try:
            self.storage.finish(ended)
        except Exception:
            log.exception("%s ends could not be stored together.", len(ended))
            for one in ended:
                self._finish_one(one)

    def _finish_one(self, one: Ended) -> None:
        try:
            self.storage.finish([one])
        except Exception as error:
            log.exception("The end of unit %s could not be stored.", one.unit)
            said = f"Its result could not be stored: {type(error).__name__}: {error}"[:1000]
            self.storage.finish([Ended(one.unit, Failure(said))])


def _broken(error: BaseException) -> StorageBroke:
    broke = StorageBroke(f"Storing failed: {error}")
    broke.__cause__ = error
    return broke


def _stored(unit: Any, n: int, digest: str, answer: Answer) -> StoredCall:
    return StoredCall(
        unit, n, digest, answer.reply.text, answer.reply.finish_reason,
        answer.prompt_tokens, answer.completion_tokens, answer.latency_ms, answer.cost,
    )  # fmt: skip


def _failed_call(unit: Any, n: int, digest: str, failed: CallFailed) -> StoredCall:
    return StoredCall(unit, n, digest, failed.raw, "", 0, 0, 0, 0.0, error=failed.message)
