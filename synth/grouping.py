"""Many small pieces of storing as few large ones: while one group is at work, the next gathers."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
AT_ONCE = 500


class StorageBroke(Exception):
    """What is to be stored cannot be: nothing more may be sent. The cause says why."""


class Grouped(Generic[Item, Result]):
    """`await grouped(item)` returns what `work` returned for the group the item was in.

    work is given the items in the order they came, in a thread, one group at a time. An idle store takes an item at
    once; under load a commit of 20 ms carries what 20 ms brought. Raises StorageBroke where work raises.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Result], thread: Executor, at_once: int = AT_ONCE
    ) -> None:
        self._work, self._thread, self._at_once = work, thread, at_once
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Result:
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await done

    async def settled(self) -> None:
        """Wait until what was handed in is stored, also where who handed it in has gone."""
        if self._running is not None:
            await self._running

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
            try:
                result = await on(self._thread, self._work, [item for item, _ in group])
            except Exception as error:
                for _, done in group:
                    _refuse(done, error)
            else:
                for _, done in group:
                    if not done.done():
                        done.set_result(result)
        self._running = None


def _refuse(done: "asyncio.Future[Result]", error: Exception) -> None:
    if not done.done():
        broke = StorageBroke(f"Storing failed: {error}")
        broke.__cause__ = error
        done.set_exception(broke)


Given = TypeVar("Given")


async def on(thread: Executor, work: Callable[[Given], Result], given: Given) -> Result:
    return await asyncio.get_running_loop().run_in_executor(thread, work, given)
