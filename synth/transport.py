"""HTTP to an endpoint, without trust and without our environment: bounded replies, known headers, declared proxies."""

from collections.abc import AsyncIterator, Callable
from typing import cast

import httpx2

MAX_REPLY_BYTES = 4 * 1024 * 1024  # a reply of 128,000 tokens is a fifth of it
# Nothing else is sent: the SDK adds what stands in its own variables of the environment, which is another service's.
SENT = frozenset({
    "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host",
    "user-agent", "x-client-request-id",
})  # fmt: skip


class TooLarge(Exception):
    """A reply beyond MAX_REPLY_BYTES, or a compressed one, whose size nobody can tell before."""


class Bounded(httpx2.AsyncBaseTransport):
    """One connection for each request on its way, the warmest first; stops reading where a reply is too long.

    A pool of all of them looks at every idle connection for each request: at 64 that was a third of a call's cost.
    """

    def __init__(self, proxy: str | None) -> None:
        # Proxies and certificates of the environment are not ours: only what the operator declared is used.
        self._proxy, self._trust = proxy, httpx2.create_ssl_context(trust_env=False)
        self._free: list[httpx2.AsyncHTTPTransport] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        inner = self._free.pop() if self._free else self._new()
        request.headers = httpx2.Headers(
            [one for one in request.headers.raw if one[0].lower().decode() in SENT]
        )
        try:
            response = await inner.handle_async_request(request)
        except BaseException:
            await inner.aclose()
            raise
        stream = cast(httpx2.AsyncByteStream, response.stream)
        response.stream = BoundedStream(stream, lambda: self._free.append(inner))
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise TooLarge("The endpoint compressed its reply although asked not to.")
        return response

    def _new(self) -> httpx2.AsyncHTTPTransport:
        one = httpx2.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30)
        return httpx2.AsyncHTTPTransport(verify=self._trust, limits=one, proxy=self._proxy, trust_env=False)

    async def aclose(self) -> None:
        for inner in self._free:
            await inner.aclose()
        self._free = []


class BoundedStream(httpx2.AsyncByteStream):
    """A reply that may not go on for ever; says when its connection is free again."""

    def __init__(self, inner: httpx2.AsyncByteStream, free: Callable[[], None]) -> None:
        self._inner, self._release = inner, free

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_REPLY_BYTES
        async for chunk in self._inner:
            left -= len(chunk)
            if left < 0:
                raise TooLarge(f"The reply is longer than {MAX_REPLY_BYTES // 1024**2} MiB.")
            yield chunk

    async def aclose(self) -> None:
        release, self._release = self._release, _nothing
        try:
            await self._inner.aclose()
        finally:
            release()


def _nothing() -> None:
    """A connection is given back once."""
