"""Drive many method generators at once on one endpoint (methods/asks.py says what they yield).

No Django here: rows come and go through a Storage. Units are taken a few at a time: memory does not grow with their
number. asking.py answers what they ask, health.py tells whose fault it is where no answer comes.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from synth import ends
from synth.asking import CUT, Asking, Checker
from synth.calls import CallFailed, Ended, EndpointDown, Failure, Job, Stopped, Storage, Summary
from synth.checking import CheckerUnavailable
from synth.client import LONGEST_WAIT, Client
from synth.grouping import Grouped, StorageBroke, on
from synth.health import advice
from synth.replay import Replay

log = logging.getLogger(__name__)

MOST_REQUESTS = 10_000  # of one unit: a method that asks for ever must not
BEAT = 5.0  # seconds
SLACK = 5.0  # seconds beyond what requests may take
INTERRUPTED = 10.0  # seconds that an impatient person waits for what was paid to come and be stored
ENDS_AT_ONCE = 20  # few, so that replies which hold a slot do not wait long for their turn to be stored


async def drive(
    client: Client,
    storage: Storage,
    check: Checker,
    *,
    seconds: float = 50,
    grace: float | None = None,
    signals: bool = False,
    thread: Executor | None = None,
) -> Summary:
    """Drive units until nothing is due. After `seconds`, requests on their way get up to `grace` to come back.

    They are paid for, so `grace` is the endpoint's own time-out by itself, and once more for the small request that
    tells whose fault it is where they do not come. What is cut off all the same is an attempt of its unit.
    signals: stop on SIGTERM and SIGINT (in the main thread only). Raises StorageBroke.
    """
    own = thread or ThreadPoolExecutor(1, "storage")
    grace = 2 * client.endpoint.timeout + SLACK if grace is None else grace
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
    """One drive: units are begun, answered and ended. halfway: those that were stopped through no fault of theirs."""

    client: Client
    storage: Storage
    check: Checker
    thread: Executor
    summary: Summary = field(default_factory=Summary)
    active: dict[asyncio.Task[None], Any] = field(default_factory=dict)
    halfway: list[Any] = field(default_factory=list)
    stopping: bool = False
    broke: Exception | None = None

    def __post_init__(self) -> None:
        self.slots = self.client.endpoint.concurrency
        self.changed = asyncio.Event()
        self.asking = Asking(
            self.client, self.storage, self.check, self.thread,
            less=self.changed.set, stop=self.stop, broke=self._break,
        )  # fmt: skip
        self.finish: Grouped[Ended, None] = Grouped(self._finish, self.thread, ENDS_AT_ONCE)

    def stop(self) -> None:
        """Take nothing more, send nothing more."""
        self.asking.health.may_ask = False
        self._time_is_up()

    def _time_is_up(self) -> None:
        self.stopping = True
        self.client.stop()
        self.changed.set()

    async def run(self, seconds: float, grace: float) -> Summary:
        timer = asyncio.get_running_loop().call_later(seconds, self._time_is_up)
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
        if self.asking.is_enough:
            return 0
        free = 4 * self.slots - len(self.active)
        chunk = max(1, self.slots // 2)
        return chunk if free >= chunk else 0

    def _start(self, job: Job) -> None:
        task = asyncio.create_task(self._one(job))
        self.active[task] = job.unit
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        unit, error = self.active.pop(task), None if task.cancelled() else task.exception()
        if task.cancelled() or error:
            self.halfway.append(unit)
        if error:
            self._break(error)
        self.changed.set()

    async def _drain(self, grace: float) -> None:
        """Wait for what was started; once stopping, for what is on its way, and no longer than `grace`."""
        while self.active and not self.stopping:
            self.changed.clear()
            await self.changed.wait()
        if self.active:
            await asyncio.wait(list(self.active), timeout=grace)
        left = list(self.active)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _give_back(self) -> None:
        await self.asking.settled()
        await self.finish.settled()
        self.summary.given_back, self.summary.calls = len(self.halfway), self.asking.calls
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
        """Work on a unit to its end, or leave it. Only what cannot be stored gets out of here."""
        ended = await self._worked(job)
        if ended is None:
            self.halfway.append(job.unit)
            return
        await self.finish(ended)
        self.summary.failed += isinstance(ended.result, Failure)
        self.summary.done += not isinstance(ended.result, Failure)

    async def _worked(self, job: Job) -> Ended | None:
        """How a unit ended; None where it was stopped through no fault of its own."""
        try:
            return Ended(job.unit, await self._outcome(job))
        except Stopped:
            return None
        except EndpointDown as down:
            self._leave_alone(*advice(down.failed))
            return None
        except CheckerUnavailable as gone:
            self._leave_alone(str(gone), 2 * LONGEST_WAIT if gone.again else None)
            return None
        except CallFailed as failed:
            return Ended(job.unit, Failure(failed.message, failed.again, failed.raw))
        except asyncio.CancelledError:
            if job.unit not in self.asking.cut:
                raise
            return Ended(job.unit, Failure(CUT, again=True))
        except StorageBroke:
            raise
        except Exception as error:  # a poison unit: it must not stop the others
            log.exception("A method failed on unit %s.", job.unit)
            return Ended(job.unit, Failure(f"The method failed: {type(error).__name__}: {error}"[:1000]))

    async def _outcome(self, job: Job) -> Any:
        replay, asked = Replay(job.calls), 0
        try:
            batch = next(job.steps)
            while True:
                asked += len(batch)
                if asked > MOST_REQUESTS:
                    raise RuntimeError(f"it asked more than {MOST_REQUESTS} times")
                batch = job.steps.send(await self.asking.answers(job, replay, batch))
        except StopIteration as end:
            return end.value
        finally:
            job.steps.close()

    def _leave_alone(self, because: str, wait: float | None) -> None:
        if not self.summary.because:
            self.summary.because, self.summary.wait = because, wait
        self.stop()

    def _finish(self, ended: Sequence[Ended]) -> None:
        ends.finish(self.storage, ended)


def _broken(error: BaseException) -> StorageBroke:
    broke = StorageBroke(f"Storing failed: {error}")
    broke.__cause__ = error
    return broke
