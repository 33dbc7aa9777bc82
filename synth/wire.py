"""One request to an OpenAI-compatible endpoint, and what came back, read without trust.

Whatever the other side sends, the result is a Received or a CallFailed that says whether to try again. The vendor's
SDK makes the request. What it would do by itself is done elsewhere or not at all: retries are client.py's, transport.py
bounds what is read and sends nothing of its variables of the environment, and it has no say in the log. Import this
module when a call is to be made: the web does without its library.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, Omit

from synth.calls import CallFailed, Received, clean
from synth.endpoints import Endpoint
from synth.methods.asks import Ask, Reply
from synth.transport import Bounded, TooLarge

EXCERPT = 2000  # characters of an unusable reply that are kept
AGAIN = frozenset({408, 409, 425, 429})  # and every 5xx
NOBODY = frozenset({401, 402, 404})  # no key, no money, no such model: the next request fares no better
NO_MONEY = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
FILTERED = frozenset({"content_filter", "content_policy_violation"})
MOST_TOKENS = 1_000_000_000


class Wire:
    """A connection pool to one endpoint. One event loop at a time; close it at the end."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        key = endpoint.key()
        logging.getLogger("openai").setLevel(logging.WARNING)  # whatever OPENAI_LOG says
        self._headers: dict[str, str | Omit] = {
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {key}" if key else Omit(),
            "Content-Type": "application/json",
            "User-Agent": "plumbline",
        }
        self._sdk = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=key or "none",  # it wants one, and would look for it in the environment
            http_client=httpx2.AsyncClient(
                transport=Bounded(endpoint.proxy),
                timeout=endpoint.timeout,
                trust_env=False,
                follow_redirects=False,
            ),
            timeout=endpoint.timeout,
            max_retries=0,
        )

    async def send(self, ask: Ask, digest: str) -> Received:
        """Send once. Raises CallFailed. The digest lets an operator find a request in both logs."""
        content = json.dumps(body_of(self.endpoint, ask), separators=(",", ":")).encode()
        headers = {**self._headers, "X-Client-Request-Id": digest}
        try:
            response = await self._sdk.post(
                "/chat/completions", cast_to=httpx2.Response, content=content, options={"headers": headers}
            )
        except APIStatusError as error:
            response = error.response
        except TooLarge as error:
            raise CallFailed(str(error)) from error
        except APITimeoutError as error:
            raise CallFailed("No answer in time.", again=True) from error
        except APIConnectionError as error:
            # By name only: messages of connections may hold addresses of the house.
            name = type(error.__cause__ or error).__name__
            raise CallFailed(f"The connection broke: {name}.", again=True) from error
        return read(response)

    async def close(self) -> None:
        await self._sdk.close()


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
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError, OverflowError, IndexError):  # a year, or a zone, beyond all years
        return -1.0


def excerpt(text: str) -> str:
    return clean(text[:EXCERPT])
