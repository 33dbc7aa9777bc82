"""One request to an OpenAI-compatible endpoint, and what came back, read without trust.

Whatever the other side sends, the result is a Received or a CallFailed that says whether to try again. Plain HTTP, not
the vendor's SDK: that adds keys, headers and addresses of its own environment variables to requests to other services,
reads replies of any length, and costs a quarter more. Import this module when a call is to be made: the web does
without its library.
"""

import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import anyio
import httpx2

from synth.calls import CallFailed, Received, clean
from synth.endpoints import Endpoint
from synth.methods.asks import Ask, Reply

MAX_REPLY_BYTES = 4 * 1024 * 1024  # a reply of 128,000 tokens is a fifth of it
EXCERPT = 2000  # characters of an unusable reply that are kept
AGAIN = frozenset({408, 409, 425, 429})  # and every 5xx
NOBODY = frozenset({401, 402, 404})  # no key, no money, no such model: the next request fares no better
NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
FILTERED = frozenset({"content_filter", "content_policy_violation"})
MOST_TOKENS = 1_000_000_000


class TooLarge(Exception):
    """A reply beyond MAX_REPLY_BYTES, or a compressed one, whose size nobody can tell before."""


class Wire:
    """A connection pool to one endpoint. One event loop at a time; close it at the end."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._url = f"{endpoint.base_url}/chat/completions"
        key = endpoint.key()
        self._http = httpx2.AsyncClient(
            transport=Bounded(endpoint.proxy),
            timeout=endpoint.timeout,
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": "plumbline", "Accept": "application/json", "Accept-Encoding": "identity"}
            | ({"Authorization": f"Bearer {key}"} if key else {}),
        )

    async def send(self, ask: Ask, digest: str) -> Received:
        """Send once. Raises CallFailed. The digest lets an operator find a request in both logs."""
        content = json.dumps(body_of(self.endpoint, ask), separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "X-Client-Request-Id": digest}
        try:
            response = await self._http.post(self._url, content=content, headers=headers)
        except TooLarge as error:
            raise CallFailed(str(error)) from error
        except httpx2.TimeoutException as error:
            raise CallFailed("No answer in time.", again=True) from error
        except (httpx2.HTTPError, ssl.SSLError, anyio.EndOfStream) as error:
            # By name only: messages of connections may hold addresses of the house.
            raise CallFailed(f"The connection broke: {type(error).__name__}.", again=True) from error
        return read(response)

    async def close(self) -> None:
        await self._http.aclose()


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


# --- What is sent ----------------------------------------------------------------------------------------


def body_of(endpoint: Endpoint, ask: Ask) -> dict[str, Any]:
    """The body of a request: what the method asks, in the endpoint's own words."""
    params = {k: v for k, v in ask.params.items() if k not in endpoint.omit and v is not None}
    body: dict[str, Any] = {endpoint.rename.get(name, name): value for name, value in params.items()}
    body |= {"model": endpoint.model, "messages": [dict(message) for message in ask.messages]}
    if ask.schema is not None and endpoint.json_mode == "schema":
        shape = {"name": "reply", "schema": dict(ask.schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    elif ask.schema is not None and endpoint.json_mode == "object":
        body["response_format"] = {"type": "json_object"}
    return body | endpoint.extra


# --- What comes back -------------------------------------------------------------------------------------


def read(response: httpx2.Response) -> Received:
    """Whatever came, as a reply. Raises CallFailed where it is none."""
    if response.status_code != 200:
        return refused(response.status_code, response.text, response.headers)
    return received(response)


def received(response: httpx2.Response) -> Received:
    """Read a reply that says it is one. Raises CallFailed: what cannot be read is asked for again."""
    data = loads(response.content)
    if isinstance(data, dict) and isinstance(data.get("error"), dict):
        code = data["error"].get("code")  # some gateways send errors as 200
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        return refused(status, response.text, response.headers)
    reply = reply_of(data)
    if reply is None:
        raise CallFailed("The reply is not a chat completion.", raw=excerpt(response.text), again=True)
    usage = data.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    return Received(reply, tokens(usage.get("prompt_tokens")), tokens(usage.get("completion_tokens")))


def loads(content: bytes) -> Any:
    """The JSON of a reply; None where it is none. A deep nest is no JSON to us."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def reply_of(data: Any) -> Reply | None:
    """The first choice's text. A refusal is a reply too, and so is one without text."""
    choices = data.get("choices") if isinstance(data, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return None
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        return Reply(clean(message["refusal"]), "refusal")
    text = text_of(message.get("content"))
    reason = choice.get("finish_reason")
    return None if text is None else Reply(clean(text), clean(reason)[:30] if isinstance(reason, str) else "")


def text_of(content: Any) -> str | None:
    """A message's text: a string, null for none, or a list of parts of which the texts count."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return None
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def tokens(value: Any) -> int:
    """A count of tokens as the endpoint tells it; 0 where it tells none that can be."""
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else 0


def refused(status: int, text: str, headers: Mapping[str, str]) -> Received:
    """What a refusal means: a filtered reply is one; else raises CallFailed."""
    data = loads(text.encode("utf-8", "replace"))
    error = data.get("error") if isinstance(data, dict) else None
    error = error if isinstance(error, dict) else {}
    code = str(error.get("code") or error.get("type") or "")
    said = clean(str(error.get("message") or ""))[:300]
    if status < 500 and code in FILTERED:
        return Received(Reply(said, "content_filter"), 0, 0)
    raise CallFailed(
        f"HTTP {status}{': ' if said else ''}{said}",
        raw=excerpt(text),
        again=status in AGAIN or status >= 500,
        busy=status in (429, 503),
        nobody=status in NOBODY or code in NO_MONEY,
        wait=retry_after(headers, datetime.now(UTC)),
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that Retry-After asks to wait, said as a number or as a date; None where it says nothing usable."""
    said = headers.get("retry-after", "").strip()
    try:
        seconds = float(said)
    except ValueError:
        seconds = _until(said, now)
    return seconds if 0 <= seconds < float("inf") else None


def _until(said: str, now: datetime) -> float:
    try:
        then = parsedate_to_datetime(said)
    except ValueError:
        return -1.0
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (then - now).total_seconds())


def excerpt(text: str) -> str:
    return clean(text[:EXCERPT])
