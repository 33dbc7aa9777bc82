"""Whatever an endpoint sends, in the shape of a chat completion or not, is a reply or a failure."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx2
from hypothesis import given, settings
from hypothesis import strategies as st

from synth import wire
from synth.calls import CallFailed

WORDS = [
    "choices", "message", "content", "refusal", "text", "finish_reason", "usage", "prompt_tokens", "error", "code",
    "type", "content_filter",
]  # fmt: skip
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(values, st.sampled_from([200, 400, 429, 500]))
def test_nothing_gets_out_but_what_the_driver_knows(value: Any, status: int) -> None:
    choice = {"message": {"content": value, "refusal": value}, "finish_reason": value}
    shapes = [value, {"choices": [value], "error": value}, {"choices": [choice], "usage": value}]
    for data in shapes:
        response = httpx2.Response(status, content=json.dumps(data).encode())
        text = said(response)
        assert text.encode().decode() == text
        assert len(text) < 3 * wire.EXCERPT


def said(response: httpx2.Response) -> str:
    try:
        got = wire.read(response)
    except CallFailed as failed:
        return failed.message + failed.raw
    assert len(got.reply.finish_reason) <= 30
    assert 0 <= got.prompt_tokens <= wire.MOST_TOKENS
    return got.reply.text


NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
dates = st.tuples(st.integers(), st.integers(), st.integers(), st.integers()).map(
    lambda n: f"Sat, {n[0]} Nov {n[1]} {n[2]}:00:07 {n[3]:+}"
)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | dates)
def test_whatever_retry_after_says_is_seconds_or_nothing(said: str) -> None:
    wait = wire.retry_after({"retry-after": said}, NOW)
    assert wait is None or 0 <= wait < float("inf")
