"""What tests of the client and the driver share: an endpoint at a fake server, and one request."""

import asyncio
from collections.abc import Sequence
from typing import Any

from synth.calls import Answer, CallFailed
from synth.client import Client
from synth.endpoints import Endpoint
from synth.methods.asks import Ask
from tests.fakes.llm import FakeLLM


def endpoint_at(fake: FakeLLM, **settings: Any) -> Endpoint:
    return Endpoint.model_validate(
        {"name": "fake", "base_url": fake.base_url, "model": "m", "timeout": 5} | settings
    )


def question(text: str, **more: Any) -> Ask:
    return Ask(({"role": "user", "content": text},), **({"params": {}} | more))


def asked(fake: FakeLLM, *asks: Ask | str, chance: float = 0.0, **settings: Any) -> list[Answer | CallFailed]:
    """The answers to all of these, asked at once; a failure stands in its place."""
    return asyncio.run(_asked(endpoint_at(fake, **settings), asks, chance))


async def _asked(endpoint: Endpoint, asks: Sequence[Ask | str], chance: float) -> list[Any]:
    async with Client(endpoint, chance=lambda: chance) as client:
        found = await asyncio.gather(*(one(client, ask) for ask in asks), return_exceptions=True)
    strange = [e for e in found if isinstance(e, BaseException) and not isinstance(e, CallFailed)]
    if strange:
        raise strange[0]
    return list(found)


async def one(client: Client, ask: Ask | str) -> Answer:
    ask = question(ask) if isinstance(ask, str) else ask
    async with client.slots:
        return await client.call(ask, client.digest(ask))
