"""A real HTTP server that speaks the OpenAI protocol and misbehaves on command.

    with FakeLLM() as fake:                      # in a thread of this process
        fake.says("17 + 4", "21")                # a prompt that holds the text is answered so
        fake.says("hard", [too_many(1), "easy"]) # one after another; the last one from then on
        fake.says(re.compile("sum|add"), lambda request: str(request.n))
        … fake.base_url …
    python -m tests.fakes.llm --latency 0.25     # in a process of its own; prints its address

Scripts are looked through from the last to the first. `counts` says how often each request was sent, by the digest that
the client sends along (or by its body).
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import re
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Request:
    """What was asked. n: how often this very request came before."""

    body: dict[str, Any]
    digest: str
    n: int
    headers: dict[str, str]

    @property
    def prompt(self) -> str:
        return "\n".join(str(message.get("content", "")) for message in self.body.get("messages", []))


@dataclass(frozen=True)
class Answer:
    """What is sent back. raw: the whole body, where it is no chat completion.  promised: a Content-Length that lies."""

    text: str | None = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    finish_reason: str = "stop"
    refusal: str | None = None
    raw: bytes | None = None
    delay: float = 0.0
    promised: int | None = None
    cut: bool = False
    hang: bool = False
    trickle: float = 0.0  # seconds between bytes
    usage: Any = None


def slow(seconds: float, text: str = "late") -> Answer:
    return Answer(text, delay=seconds)


def too_many(retry_after: float | str | None = None, status: int = 429) -> Answer:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return error(status, "Too many requests.", headers=headers)


def error(status: int, message: str = "Something broke.", code: str = "", **kwargs: Any) -> Answer:
    said = json.dumps({"error": {"message": message, "code": code}}).encode()
    return Answer(status=status, raw=said, **kwargs)


def refusal(text: str = "I cannot help with that.") -> Answer:
    return Answer(None, refusal=text)


def huge(size: int = 10 * 1024 * 1024, status: int = 200) -> Answer:
    return Answer("x" * size) if status == 200 else Answer(status=status, raw=b"x" * size)


BROKEN = error(500)
CUT = Answer("cut", cut=True)
SHORT = Answer("shorter than promised", promised=10_000)
NOT_JSON = Answer(raw=b"<html>Bad gateway</html>")
EMPTY = Answer("")
HANGING = Answer(hang=True)

Reply = str | dict[str, Any] | list[Any] | Answer | Callable[[Request], Any]
Match = str | re.Pattern[str] | Callable[[Request], bool]


class FakeLLM:
    """The server. `most_at_once` is how many requests it had in hand at one time."""

    def __init__(self, *, latency: float = 0.0, key: str = "", default: Reply = "ok", port: int = 0) -> None:
        self.latency, self.key, self.default, self.port = latency, key, default, port
        self.counts: Counter[str] = Counter()
        self.requests: deque[Request] = deque(maxlen=1000)
        self.at_once = self.most_at_once = self.n_connections = 0
        self._scripts: list[tuple[Match, deque[Reply] | Reply]] = []
        self._ready = threading.Event()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def n_requests(self) -> int:
        return self.counts.total()

    def says(self, match: Match, reply: Reply | Sequence[Reply]) -> None:
        """Answer prompts that match so; a list: one after another, the last one from then on."""
        self._scripts.append((match, deque(reply) if isinstance(reply, list | tuple) else reply))

    # --- Living --------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("The fake endpoint did not start.")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def serve(self, *, said: Callable[[str], None] | None = None) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        if said:
            said(self.base_url)
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    # --- HTTP ----------------------------------------------------------------------------------------

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.n_connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._one(reader, writer):
                pass
        with contextlib.suppress(Exception):
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request, answer it; whether the connection lives on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._send(self._answer(method, path, headers, content), writer)
        finally:
            self.at_once -= 1

    def _answer(self, method: str, path: str, headers: dict[str, str], content: bytes) -> Answer:
        if path.endswith("/_counts"):
            seen = {"counts": self.counts, "most_at_once": self.most_at_once}
            return Answer(raw=json.dumps(seen).encode(), delay=-self.latency)
        if not path.endswith("/v1/chat/completions") or method != "POST":
            return error(404, f"There is no {path}.")
        if self.key and headers.get("authorization") != f"Bearer {self.key}":
            return error(401, "Incorrect API key.", "invalid_api_key")
        digest = headers.get("x-client-request-id") or hashlib.sha256(content).hexdigest()
        request = Request(json.loads(content), digest, self.counts[digest], headers)
        self.counts[digest] += 1
        self.requests.append(request)
        return self._scripted(request)

    def _scripted(self, request: Request) -> Answer:
        reply: Any = self.default
        for match, replies in reversed(self._scripts):
            if matches(match, request):
                reply = replies
                if isinstance(replies, deque):
                    reply = replies.popleft() if len(replies) > 1 else replies[0]
                break
        if callable(reply):
            reply = reply(request)
        if isinstance(reply, Answer):
            return reply
        return Answer(reply if isinstance(reply, str) else json.dumps(reply))

    async def _send(self, answer: Answer, writer: asyncio.StreamWriter) -> bool:
        if answer.hang:
            await asyncio.sleep(3600)
        if self.latency + answer.delay > 0:
            await asyncio.sleep(self.latency + answer.delay)
        if answer.cut:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
            return False
        content = completion(answer) if answer.raw is None else answer.raw
        promised = answer.promised or len(content)
        headers = {"Content-Type": "application/json", "Content-Length": str(promised)} | answer.headers
        lines = [f"HTTP/1.1 {answer.status} Said", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        await self._write(writer, content, answer.trickle)
        return promised == len(content)

    async def _write(self, writer: asyncio.StreamWriter, content: bytes, trickle: float) -> None:
        if not trickle:
            writer.write(content)
            await writer.drain()
            return
        for at in range(len(content)):
            writer.write(content[at : at + 1])
            await asyncio.sleep(trickle)


def matches(match: Match, request: Request) -> bool:
    if isinstance(match, str):
        return match in request.prompt
    if isinstance(match, re.Pattern):
        return match.search(request.prompt) is not None
    return match(request)


def completion(answer: Answer) -> bytes:
    text = answer.text
    used = len((text or "").split()) + 1
    usage = answer.usage if answer.usage is not None else {"prompt_tokens": 10, "completion_tokens": used}
    message = {"role": "assistant", "content": text, "refusal": answer.refusal}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake endpoint in a process of its own.")
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--reply", default="ok", help="what it always says")
    args = parser.parse_args()
    fake = FakeLLM(latency=args.latency, port=args.port, default=args.reply)
    asyncio.run(fake.serve(said=lambda url: print(url, flush=True)))


if __name__ == "__main__":
    main()
