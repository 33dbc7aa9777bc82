"""Whose fault is it that a request came to no reply: its own, or the endpoint's?

Where others were answered since it was sent, its own. Where nobody was, one small request with the same parameters
tells. So neither long texts in a row nor one that makes its server stumble stop a run, and an endpoint that is down, or
knows a parameter by another name, uses up no unit's attempts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import replace

from synth.calls import Answer, CallFailed, EndpointDown, Stopped
from synth.client import LONGEST_WAIT, PATIENCE, Client
from synth.methods.asks import Ask

FEW = 3  # units that were refused since the last answer; one refusal says little, and small requests cost too
SMALL = ({"role": "user", "content": "Say OK."},)
Keep = Callable[[str, Answer | CallFailed], Awaitable[None]]


class Health:
    """What is known of an endpoint in one drive.

    answers: how many came.  down: why it is to be left alone.  open: cleared while the small request is on its way,
    and nothing else should be sent.  may_ask: whether that request may be sent (nobody paused, no budget is used up).
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.answers, self.may_ask = 0, True
        self.down: CallFailed | None = None
        self.open = asyncio.Event()
        self.open.set()
        self._refused: set[Hashable] = set()
        self._one_at_a_time = asyncio.Lock()

    def answered(self) -> None:
        self.answers += 1
        self._refused.clear()

    async def blame(self, unit: Hashable, asked: Ask, failed: CallFailed, since: int, keep: Keep) -> None:
        """Return where the fault is the unit's; raise EndpointDown where it is the endpoint's.

        since: `answers` when the request was first sent.  keep: stores the small request, by its digest. Raises Stopped
        where it may not be sent, so that nobody can tell.
        """
        if failed.nobody or (failed.busy and (failed.wait or 0) > PATIENCE):
            self.down = failed
        elif self._in_doubt(unit, failed, since):
            async with self._one_at_a_time:
                if not self.down and self._in_doubt(unit, failed, since):
                    await self._try(replace(asked, messages=SMALL), keep)
        if self.down:
            raise EndpointDown(self.down) from None

    def _in_doubt(self, unit: Hashable, failed: CallFailed, since: int) -> bool:
        if self.answers > since:
            return False
        if not failed.again:
            self._refused.add(unit)
        return failed.again or len(self._refused) >= FEW

    async def _try(self, small: Ask, keep: Keep) -> None:
        if not self.may_ask:
            raise Stopped
        self.open.clear()
        digest = self._client.digest(small)
        try:
            answer = await self._client.once(small, digest)
        except CallFailed as failed:
            self.down = failed
            await keep(digest, failed)
        else:
            self.answered()
            await keep(digest, answer)
        finally:
            self.open.set()


def advice(failed: CallFailed) -> tuple[str, float | None]:
    """Why an endpoint is left alone, and for how many seconds; None: until a person has done something."""
    if failed.nobody:
        return failed.message, None
    if failed.busy:
        return failed.message, failed.wait or LONGEST_WAIT
    if failed.again:
        return f"It does not answer even a small request: {failed.message}", 2 * LONGEST_WAIT
    return f"It refuses even a small request: {failed.message}", None
