"""The client against a real server that misbehaves: what is asked again, what is not, and what is believed."""

import asyncio
import logging
import re
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from annotator.errors import Invalid
from synth import client as client_module
from synth import transport, wire
from synth.calls import Answer, CallFailed, Stopped, clean
from synth.client import Client, limiter
from synth.methods.asks import Reply
from tests.fakes import llm
from tests.fakes.llm import FakeLLM
from tests.synth.asking import asked, endpoint_at, one, question


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0.002)


@pytest.fixture
def fake() -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        yield server


def failed(fake: FakeLLM, **settings: Any) -> CallFailed:
    [found] = asked(fake, "?", **settings)
    assert isinstance(found, CallFailed)
    return found


def answer(fake: FakeLLM, ask: Any = "?", **settings: Any) -> Answer:
    [found] = asked(fake, ask, **settings)
    assert isinstance(found, Answer), found
    return found


# --- What is sent and paid --------------------------------------------------------------------------------


def test_a_reply_its_tokens_and_its_price(fake: FakeLLM) -> None:
    fake.says("17 + 4", llm.Answer("21", usage={"prompt_tokens": 1000, "completion_tokens": 200}, delay=0.03))
    got = answer(fake, "What is 17 + 4?", prompt_price=0.5, completion_price=2)
    assert got.reply == Reply("21", "stop")
    # 1,000 tokens at 0.50 a million and 200 at 2.00
    assert (got.prompt_tokens, got.completion_tokens, round(got.cost, 9)) == (1000, 200, 0.0009)
    assert 25 <= got.latency_ms < 3000


def test_the_body_is_what_the_method_asks_in_the_endpoint_s_words(fake: FakeLLM) -> None:
    ask = question(
        "Hello", params={"temperature": 0.7, "max_tokens": 9, "seed": 3}, schema={"type": "object"}
    )
    answer(
        fake, ask, omit=["seed"], rename={"max_tokens": "max_completion_tokens"},
        extra={"reasoning_effort": "low", "temperature": 1},
    )  # fmt: skip
    assert fake.requests[0].body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hello"}],
        "temperature": 1,
        "max_completion_tokens": 9,
        "reasoning_effort": "low",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": {"type": "object"}, "strict": True},
        },
    }


def test_another_extra_makes_another_request_of_it(fake: FakeLLM) -> None:
    """Else what a model said with little effort would be recalled for one that is to make more."""
    plain, more = (Client(endpoint_at(fake, extra=extra)) for extra in ({}, {"reasoning_effort": "high"}))
    assert plain.digest(question("?")) == Client(endpoint_at(fake, concurrency=3)).digest(question("?"))
    assert plain.digest(question("?")) != more.digest(question("?"))


@pytest.mark.parametrize(("mode", "sent"), [("object", {"type": "json_object"}), ("none", None)])
def test_the_shape_is_told_as_the_endpoint_can(fake: FakeLLM, mode: str, sent: Any) -> None:
    answer(fake, question("?", schema={"type": "object"}), json=mode)
    assert fake.requests[0].body.get("response_format") == sent


def test_the_key_is_sent_and_nothing_else_of_the_environment(
    fake: FakeLLM, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake.key = "sk-very-secret"
    monkeypatch.setenv("FAKE_KEY", "sk-very-secret\n")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-service")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-another-service")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "admin-of-another-service")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv(
        "OPENAI_CUSTOM_HEADERS", "X-Of-Another: service\nAuthorization: Bearer of-another-service"
    )
    monkeypatch.setenv("OPENAI_LOG", "debug")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with caplog.at_level(logging.DEBUG):
        answer(fake, "what is asked", key_env="FAKE_KEY")
    sent = fake.requests[0].headers
    assert sent["authorization"] == "Bearer sk-very-secret"
    assert set(sent) == {
        "accept", "accept-encoding", "authorization", "connection", "content-length", "content-type", "host",
        "user-agent", "x-client-request-id",
    }  # fmt: skip
    assert (sent["user-agent"], sent["accept-encoding"]) == ("plumbline", "identity")
    assert not [r for r in caplog.records if re.search("very-secret|what is asked", r.getMessage())]


def test_an_endpoint_without_a_key_is_sent_none(fake: FakeLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-service")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer of-another-service")
    answer(fake)
    assert "authorization" not in fake.requests[0].headers


def test_a_key_that_is_not_set_is_named(fake: FakeLLM) -> None:
    with pytest.raises(Invalid, match="environment variable NOT_SET_ANYWHERE"):
        asked(fake, "?", key_env="NOT_SET_ANYWHERE")


# --- What is asked again -----------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [llm.BROKEN, llm.CUT, llm.SHORT, llm.NOT_JSON, llm.error(408)])
def test_what_may_pass_is_asked_again(fake: FakeLLM, trouble: llm.Answer) -> None:
    fake.says("?", [trouble, trouble, "at last"])
    assert answer(fake).reply.text == "at last"
    assert fake.n_requests == 3


@pytest.mark.parametrize("trouble", [llm.BROKEN, llm.CUT, llm.NOT_JSON])
def test_but_not_for_ever(fake: FakeLLM, trouble: llm.Answer) -> None:
    fake.says("?", trouble)
    assert failed(fake).again
    assert fake.n_requests == client_module.TRIES


@pytest.mark.parametrize("status", [400, 403, 413, 422, 302])
def test_a_refused_request_is_not_sent_again(fake: FakeLLM, status: int) -> None:
    fake.says("?", llm.error(status, "max_tokens is too large", headers={"Location": "http://127.0.0.1:1/"}))
    found = failed(fake)
    assert (found.message, found.again, found.nobody) == (
        f"HTTP {status}: max_tokens is too large",
        False,
        False,
    )
    assert '"message": "max_tokens' in found.raw
    assert fake.n_requests == 1


@pytest.mark.parametrize(
    "trouble", [llm.error(401), llm.error(404), llm.error(402), llm.error(429, code="insufficient_quota")]
)
def test_where_nobody_is_answered_it_says_so_at_once(fake: FakeLLM, trouble: llm.Answer) -> None:
    fake.says("?", trouble)
    assert failed(fake).nobody
    assert fake.n_requests == 1


def test_an_error_that_comes_as_200_is_one(fake: FakeLLM) -> None:
    fake.says("?", llm.Answer(raw=b'{"error": {"code": 400, "message": "no"}}'))
    assert (failed(fake).message, fake.n_requests) == ("HTTP 400: no", 1)


@pytest.mark.parametrize("trouble", [llm.HANGING, llm.slow(3), llm.Answer("trickle", trickle=0.02)])
def test_no_answer_in_time_is_asked_again(fake: FakeLLM, trouble: llm.Answer) -> None:
    fake.says("?", [trouble, "in time"])
    assert answer(fake, timeout=0.2).reply.text == "in time"
    assert fake.n_requests == 2


def test_nobody_listens(fake: FakeLLM) -> None:
    [found] = asked(fake, "?", base_url="http://127.0.0.1:1/v1")
    assert isinstance(found, CallFailed)
    assert found.again
    assert "ConnectError" in found.message


# --- Patience ----------------------------------------------------------------------------------------------


def test_retry_after_is_obeyed_by_all(fake: FakeLLM) -> None:
    fake.says("first", [llm.too_many(0.4), "1"])
    times: list[float] = []
    fake.says("second", lambda request: times.append(time.monotonic()) or "2")

    async def go() -> list[Answer]:
        async with Client(endpoint_at(fake), chance=lambda: 0.0) as client:
            first = asyncio.create_task(one(client, "first"))
            while not fake.n_requests:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0.1)
            second = await one(client, "second")
            return [await first, second]

    started = time.monotonic()
    assert [got.reply.text for got in asyncio.run(go())] == ["1", "2"]
    assert times[0] - started >= 0.4


def test_retry_after_as_a_date() -> None:
    now = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)

    def said(text: str) -> float | None:
        return wire.retry_after({"retry-after": text}, now)

    assert said("Sat, 21 Nov 2026 12:00:07 GMT") == 7
    assert said("Sat, 21 Nov 2026 11:00:00 GMT") == 0  # past: at once
    assert [said("3"), said("0.5"), said(" 2 ")] == [3, 0.5, 2]
    assert [said(""), said("soon"), said("-1"), said("nan"), said("inf")] == [None] * 5
    assert said("Sat, 21 Nov 99999999999999999999 12:00:07 GMT") is None
    assert said("Sat, 21 Nov 2026 12:00:07 +99999999999999") is None


def test_an_endpoint_that_asks_for_an_hour_is_left_alone(fake: FakeLLM) -> None:
    fake.says("?", llm.too_many(3600))
    found = failed(fake)
    assert (found.busy, found.wait, fake.n_requests) == (True, 3600, 1)


def test_busy_is_asked_more_often_than_broken(fake: FakeLLM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LONGEST_WAIT", 0.02)
    fake.says("?", llm.too_many())
    assert failed(fake).busy
    assert fake.n_requests == client_module.BUSY_TRIES > client_module.TRIES


def test_no_more_at_once_than_the_endpoint_allows(fake: FakeLLM) -> None:
    fake.default = llm.slow(0.03)
    assert len(asked(fake, *(f"{n}?" for n in range(12)), concurrency=3)) == 12
    assert fake.most_at_once == 3


def test_connections_are_used_again(fake: FakeLLM) -> None:
    fake.default = llm.slow(0.01)
    fake.says("5?", llm.BROKEN)
    fake.says(re.compile(r"^7\?"), llm.huge())  # given up half-read: that connection is not used again
    asked(fake, *(f"{n}?" for n in range(20)), concurrency=3)
    assert fake.n_requests > 20
    assert fake.n_connections <= 3 + 1


def test_no_more_a_second_than_the_endpoint_allows(fake: FakeLLM) -> None:
    started = time.monotonic()
    asked(fake, *(f"{n}?" for n in range(30)), concurrency=30, requests_per_second=20)
    # 20 at once and the other ten 50 ms apart
    assert time.monotonic() - started >= 0.5


def test_a_slow_rate_has_no_burst() -> None:
    found = limiter(1 / 6)
    assert found
    assert (found.max_rate, round(found.time_period, 6)) == (1, 6)
    assert limiter(None) is None


def test_a_stop_ends_waiting_but_not_what_is_on_its_way(fake: FakeLLM) -> None:
    fake.says("under way", llm.slow(0.3, "came"))
    fake.says("waits", llm.too_many(30))

    async def go() -> list[Any]:
        async with Client(endpoint_at(fake)) as client:
            tasks = [asyncio.create_task(one(client, text)) for text in ("under way", "waits")]
            while fake.n_requests < 2:
                await asyncio.sleep(0.01)
            client.stop()
            late = asyncio.create_task(one(client, "late"))
            return await asyncio.gather(*tasks, late, return_exceptions=True)

    came, waited, late = asyncio.run(go())
    assert came.reply.text == "came"
    assert isinstance(waited, Stopped)
    assert isinstance(late, Stopped)
    assert fake.n_requests == 2


# --- What is believed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "reply"),
    [
        (llm.refusal("I will not."), Reply("I will not.", "refusal")),
        (llm.EMPTY, Reply("", "stop")),
        (llm.Answer(None), Reply("", "stop")),
        (llm.Answer("half a", finish_reason="length"), Reply("half a", "length")),
        (llm.Answer("", finish_reason="content_filter"), Reply("", "content_filter")),
        (llm.error(400, "Filtered.", "content_filter"), Reply("Filtered.", "content_filter")),
        (llm.Answer("a\0b \ud83d c \U0001f600"), Reply("a\ufffdb \ufffd c \U0001f600", "stop")),
        (
            llm.Answer(raw=b'{"choices": [{"message": {"content": [{"text": "a"}, {"x": 1}, {"text": "b"}]}}]}'),
            Reply("ab", ""),
        ),
    ],
)  # fmt: skip
def test_replies_that_are_no_failures(fake: FakeLLM, sent: llm.Answer, reply: Reply) -> None:
    fake.says("?", sent)
    assert answer(fake).reply == reply
    assert fake.n_requests == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"null", b"[]", b"{}", b'{"choices": []}', b'{"choices": [null]}', b'{"choices": [{"message": 1}]}',
        b'{"choices": [{"message": {"content": 7}}]}', b"[" * 100_000, b"\xff\xfe{",
    ],
)  # fmt: skip
def test_what_is_no_chat_completion_fails_with_its_start(fake: FakeLLM, raw: bytes) -> None:
    fake.says("?", llm.Answer(raw=raw))
    found = failed(fake)
    assert (found.message, found.again) == ("The reply is not a chat completion.", True)
    assert len(found.raw) <= wire.EXCERPT


@pytest.mark.parametrize(
    "usage", [[], {"prompt_tokens": "many", "completion_tokens": -1}, {"prompt_tokens": 1e99}]
)
def test_tokens_that_cannot_be_count_as_none(fake: FakeLLM, usage: Any) -> None:
    fake.says("?", llm.Answer("x", usage=usage))
    got = answer(fake, prompt_price=1.0)
    assert (got.prompt_tokens, got.completion_tokens, got.cost) == (0, 0, 0.0)


@pytest.mark.parametrize("status", [200, 500])
def test_ten_megabytes_are_refused_before_they_are_held(fake: FakeLLM, status: int) -> None:
    sent = llm.huge(status=status)
    fake.says("?", sent)
    answer(fake, "warm up")
    body = sent.raw or llm.completion(sent)
    fake.says("?", llm.Answer(raw=body, status=status))
    tracemalloc.start()
    try:
        found = failed(fake)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.message == "The reply is longer than 4 MiB."
    assert (found.again, fake.n_requests) == (False, 2)
    # Both sides are in this process: the server's transport may copy the body, the client keeps at most 4 MiB.
    assert peak < len(body) + 2 * transport.MAX_REPLY_BYTES


def test_a_compressed_reply_is_refused(fake: FakeLLM) -> None:
    fake.says("?", llm.Answer("x", headers={"Content-Encoding": "gzip"}))
    assert "compressed" in failed(fake).message


@pytest.mark.parametrize("text", ["plain", "é", "\U0001f600", "a\0b", "\ud83d\ude00", "\ud83d", "x\udc00y"])
def test_cleaned_text_reads_back_as_it_was(text: str) -> None:
    once = clean(text)
    assert once.encode().decode() == once == clean(once)
    assert "\0" not in once
    assert once == text or {"\ufffd", "\U0001f600"} & set(once)
