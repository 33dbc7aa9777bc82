"""Driving methods: order, replay, poison, stopping, memory; against a real server."""

import asyncio
import os
import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from synth import client as client_module
from synth import driving
from synth.asking import CUT
from synth.calls import Ended, Failure, Job, StoredCall, Summary
from synth.checking import CheckerUnavailable
from synth.client import Client
from synth.grouping import StorageBroke
from synth.methods.asks import Ask, Check, Reply, Steps, Verdict, ask, check, digest_of
from tests.fakes import llm
from tests.fakes.llm import FakeLLM
from tests.synth.asking import endpoint_at, question
from tests.synth.memory import Memory, Method


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0.002)


@pytest.fixture
def fake() -> Iterator[FakeLLM]:
    with FakeLLM(default=lambda request: f"re: {request.prompt}") as server:
        yield server


async def same(asked: Check) -> Verdict:
    return "right" if asked.gold == asked.answer else "wrong"


def drive(fake: FakeLLM, storage: Memory, *, seconds: float = 20, **settings: Any) -> Summary:
    return asyncio.run(driven(fake, storage, seconds=seconds, **settings))


async def driven(
    fake: FakeLLM,
    storage: Memory,
    *,
    grace: float = 5,
    seconds: float = 20,
    signals: bool = False,
    **settings: Any,
) -> Summary:
    async with Client(endpoint_at(fake, **settings)) as client:
        return await driving.drive(client, storage, same, seconds=seconds, grace=grace, signals=signals)


def single(unit: Any) -> Steps[str]:
    [reply] = yield from ask(question(f"unit {unit}"))
    return reply.text


def three_then_one(unit: Any) -> Steps[list[str]]:
    """A batch of three draws of one request, a check, and a request that depends on them."""
    first = yield from ask(*(question(f"unit {unit}", draw=draw) for draw in range(3)))
    [verdict] = yield from check(Check("a", "b"))
    [last] = yield from ask(question(f"unit {unit} then {len(first)} {verdict}"))
    return [*(reply.text for reply in first), last.text]


EXPECTED = ["re: unit 7"] * 3 + ["re: unit 7 then 3 wrong"]


def test_answers_come_back_in_the_order_they_were_asked(fake: FakeLLM) -> None:
    def method(unit: Any) -> Steps[list[str]]:
        replies = yield from ask(*(question(f"{n} of {unit}") for n in range(5)))
        return [reply.text for reply in replies]

    fake.says("0 of", llm.slow(0.05, "slow"))
    storage = Memory(range(3), method)
    summary = drive(fake, storage)
    assert storage.ends[2] == ["slow", *(f"re: {n} of 2" for n in range(1, 5))]
    assert (summary.done, summary.failed, summary.given_back, summary.calls) == (3, 0, 0, 15)
    assert storage.closed


def test_every_call_is_stored_with_what_it_took(fake: FakeLLM) -> None:
    storage = Memory([7], three_then_one)
    drive(fake, storage, prompt_price=1e6)
    assert storage.ends == {7: EXPECTED}
    calls = [storage.stored[7, n] for n in range(4)]
    assert [call.text for call in calls] == EXPECTED
    asks = [question("unit 7", draw=draw) for draw in range(3)] + [question("unit 7 then 3 wrong")]
    client = Client(endpoint_at(fake))
    assert [call.digest for call in calls] == [client.digest(one) for one in asks]
    assert {(call.prompt_tokens, call.cost, call.error, call.finish_reason) for call in calls} == {
        (10, 10.0, "", "stop")
    }


# --- What is stored is not sent again ------------------------------------------------------------------------


@pytest.mark.parametrize("kept", [(0, 1, 2, 3), (0, 1, 2), (0, 2), (1,), (3,), ()])
def test_stored_calls_are_replayed_wherever_a_unit_was_killed(fake: FakeLLM, kept: tuple[int, ...]) -> None:
    before = Memory([7], three_then_one)
    drive(fake, before)
    fake.counts.clear()
    after = Memory([7], three_then_one, [before.stored[7, n] for n in kept])
    drive(fake, after)
    assert after.ends == {7: EXPECTED}
    assert fake.n_requests == 4 - len(kept)
    assert sorted(n for _, n in after.stored) == [0, 1, 2, 3]
    sent_before = {before.stored[7, n].digest for n in kept}
    assert not sent_before & set(fake.counts)


def test_a_call_that_failed_is_sent_again_under_a_number_of_its_own(fake: FakeLLM) -> None:
    fake.says("unit 7", [llm.error(400, "no"), "yes"])
    first = Memory([7], single)
    drive(fake, first)
    assert first.ends == {7: Failure("HTTP 400: no", again=False, raw=first.stored[7, 0].text)}
    assert first.stored[7, 0].error == "HTTP 400: no"
    second = Memory([7], single, first.calls_of(7))
    drive(fake, second)
    assert second.ends == {7: "yes"}
    assert [call.text for call in second.calls_of(7)][1:] == ["yes"]


def test_what_another_unit_paid_for_is_stored_as_reused(fake: FakeLLM) -> None:
    storage = Memory([7], single)
    digest = Client(endpoint_at(fake)).digest(question("unit 7"))
    storage.known = {(None, digest): StoredCall("another", 5, digest, "paid for", "stop", 10, 3, 250, 0.5)}
    summary = drive(fake, storage)
    assert (storage.ends, fake.n_requests, summary.calls) == ({7: "paid for"}, 0, 0)
    assert storage.stored[7, 0] == StoredCall(7, 0, digest, "paid for", "stop", 10, 3, 250, 0.0, reused=True)


class Recalling(Memory):
    def recall(self, wanted: Sequence[tuple[Any, str]]) -> dict[tuple[Any, str], StoredCall]:
        stored = {
            (self.scope_of(call.unit), call.digest): call for call in self.stored.values() if not call.error
        }
        return {one: stored[one] for one in wanted if one in stored}


def test_one_request_of_many_units_is_sent_once(fake: FakeLLM) -> None:
    """Solutions with the same beginning roll out the same prefix at the same time."""

    def same_prefix(unit: Any) -> Steps[list[str]]:
        replies = yield from ask(question("prefix", draw=0), question("prefix", draw=1), question(f"{unit}"))
        return [reply.text for reply in replies]

    fake.says("prefix", [llm.error(400), llm.slow(0.1, "a"), llm.slow(0.1, "b")])
    storage = Recalling(range(6), same_prefix)
    summary = drive(fake, storage, concurrency=4)
    # The first try failed and its unit with it; after that each of the two draws was answered once, for all.
    assert (summary.done, summary.failed) == (5, 1)
    assert fake.n_requests == 3 + 6 == summary.calls
    assert sum(call.reused for call in storage.stored.values()) == 9
    assert len({tuple(ends[:2]) for ends in storage.ends.values() if isinstance(ends, list)}) == 1


def test_what_one_project_paid_for_is_not_another_s(fake: FakeLLM) -> None:
    class Apart(Recalling):
        def scope_of(self, unit: Any) -> Any:
            return unit % 2

    def same_request(unit: Any) -> Steps[str]:
        [reply] = yield from ask(question("the same"))
        return reply.text

    fake.default = llm.slow(0.1)
    storage = Apart(range(6), same_request)
    drive(fake, storage, concurrency=4)
    assert fake.n_requests == 2
    assert sorted(call.unit % 2 for call in storage.stored.values() if not call.reused) == [0, 1]


def test_a_slot_is_held_until_its_reply_is_stored(fake: FakeLLM) -> None:
    """Never more sent and not yet stored than the endpoint's concurrency: so much a kill costs, no more."""

    class Slow(Memory):
        most = 0

        def keep(self, calls: Sequence[StoredCall]) -> bool:
            time.sleep(0.02)
            Slow.most = max(Slow.most, fake.n_requests - len(self.stored))
            return super().keep(calls)

    storage = Slow(range(40), single)
    drive(fake, storage, concurrency=4)
    assert len(storage.ends) == 40
    assert 1 <= Slow.most <= 4


def test_commits_batch_themselves_under_load(fake: FakeLLM) -> None:
    class Slow(Memory):
        def keep(self, calls: Sequence[StoredCall]) -> bool:
            time.sleep(0.03)
            return super().keep(calls)

    storage = Slow(range(64), single)
    drive(fake, storage, concurrency=32)
    assert len(storage.stored) == 64
    assert storage.commits["keep"] <= 20


# --- Poison --------------------------------------------------------------------------------------------------


def raises(unit: Any) -> Steps[str]:
    yield from ask(question(f"unit {unit}"))
    raise ZeroDivisionError("by zero")


def asks_nonsense(unit: Any) -> Steps[str]:
    yield from ask(question(f"unit {unit}", params={"temperature": float("nan")}))
    return "never"


def asks_for_ever(unit: Any) -> Steps[str]:
    while True:
        yield from check(Check("a", "b"))


def raises_at_once(unit: Any) -> Steps[str]:
    raise KeyError("nothing")
    yield []


@pytest.mark.parametrize(
    ("poison", "said"),
    [
        (raises, "ZeroDivisionError: by zero"),
        (asks_nonsense, "ValueError"),
        (asks_for_ever, "asked more than"),
        (raises_at_once, "KeyError"),
    ],
)
def test_a_poison_unit_stops_no_other(
    fake: FakeLLM, monkeypatch: pytest.MonkeyPatch, poison: Callable[[Any], Steps[str]], said: str
) -> None:
    monkeypatch.setattr(driving, "MOST_REQUESTS", 50)
    storage = Memory(range(9), lambda unit: (poison if unit == 4 else single)(unit))
    summary = drive(fake, storage)
    assert (summary.done, summary.failed) == (8, 1)
    assert said in storage.failures[4].message
    assert not storage.failures[4].again


def test_an_end_that_cannot_be_stored_fails_alone(fake: FakeLLM) -> None:
    class Picky(Memory):
        def finish(self, ended: Sequence[Ended]) -> None:
            if any(one.result == "re: unit 4" for one in ended):
                raise ValueError("too long for its column")
            super().finish(ended)

    storage = Picky(range(9), single)
    summary = drive(fake, storage)
    assert len(storage.ends) == 9
    assert list(storage.failures) == [4]
    assert storage.failures[4].message == (
        "Its result could not be stored: ValueError: too long for its column"
    )
    assert summary.done + summary.failed == 9


def test_what_passes_by_is_to_be_tried_again(fake: FakeLLM) -> None:
    fake.says("unit 1", llm.BROKEN)
    storage = Memory(range(3), single)
    drive(fake, storage)
    assert list(storage.failures) == [1]
    assert storage.failures[1].again


# --- An endpoint that answers nobody ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("trouble", "because", "wait"),
    [
        (llm.error(401, "Incorrect key."), "HTTP 401: Incorrect key.", None),
        (llm.too_many(120), "HTTP 429: Too many requests.", 120),
        (llm.error(400, "unknown parameter: seed"), "It refuses even a small request: HTTP 400", None),
        (llm.error(503, "Busy."), "HTTP 503: Busy.", 30),
        (llm.slow(5), "It does not answer even a small request: No answer in time.", 60),
        (llm.BROKEN, "It does not answer even a small request: HTTP 500", 60),
    ],
)
def test_an_endpoint_that_answers_nobody_does_not_use_up_the_units(
    fake: FakeLLM, trouble: llm.Answer, because: str, wait: float | None
) -> None:
    fake.default = trouble
    storage = Memory(range(1000), single)
    summary = drive(fake, storage, concurrency=2, timeout=0.15)
    assert summary.because.startswith(because)
    assert summary.wait == wait
    # The first two that are refused may be to blame themselves; whatever else happens is not a unit's fault.
    assert len(storage.ends) == (2 if because.startswith("It refuses") else 0)
    taken = 1000 - len(storage.due)
    assert len(storage.ends) + len(storage.given_back) == taken == summary.failed + summary.given_back


@pytest.mark.parametrize("trouble", [llm.error(400, "Too long."), llm.BROKEN, llm.error(503, "It crashed.")])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_many_bad_units_in_a_row_stop_no_other(fake: FakeLLM, trouble: llm.Answer, concurrency: int) -> None:
    fake.says("unit 1", trouble)  # 1 and 10 to 19
    storage = Memory([1, *range(10, 30)], single)
    summary = drive(fake, storage, concurrency=concurrency)
    assert summary.because == ""
    assert (sorted(storage.failures), summary.done) == ([1, *range(10, 20)], 10)
    assert {failure.again for failure in storage.failures.values()} == {trouble.status >= 500}
    assert all(storage.stored[unit, 0].error for unit in storage.failures)


def test_the_small_request_is_stored_too(fake: FakeLLM) -> None:
    fake.says("unit", llm.error(400, "Too long."))
    fake.says("Say OK.", "OK")
    storage = Memory(range(3), single)
    summary = drive(fake, storage, concurrency=1)
    assert (summary.failed, summary.calls) == (3, fake.n_requests) == (3, 4)
    assert [call.text for call in storage.calls_of(2)][1:] == ["OK"]


def test_a_busy_endpoint_is_left_alone_when_time_is_up(fake: FakeLLM) -> None:
    fake.default = llm.too_many(20)
    storage = Memory(range(10), single)
    summary = drive(fake, storage, concurrency=2, seconds=0.3)
    assert (summary.because, summary.wait) == ("HTTP 429: Too many requests.", 20)
    assert not storage.ends


def test_one_that_is_always_told_to_wait_does_not_come_back_for_ever(fake: FakeLLM) -> None:
    fake.says("unit 1", llm.too_many(20))
    storage = Memory([1], single)
    summary = drive(fake, storage, seconds=0.3)
    assert storage.failures[1].again
    assert {call.error for call in storage.calls_of(1)} == {"", "HTTP 429: Too many requests."}
    assert summary.because == ""


def test_a_run_that_was_paused_sends_no_small_request(fake: FakeLLM) -> None:
    fake.default = llm.BROKEN
    storage = Memory([1], single)
    storage.go_on = False
    drive(fake, storage)
    assert fake.n_requests == client_module.TRIES
    assert (storage.ends, storage.given_back) == ({}, [1])  # nobody can tell whose fault it was


@pytest.mark.parametrize(("again", "wait"), [(False, None), (True, 60)])
def test_where_no_answer_can_be_checked_no_unit_is_to_blame(
    fake: FakeLLM, again: bool, wait: float | None
) -> None:
    async def unavailable(asked: Check) -> Verdict:
        raise CheckerUnavailable("math-verify is not installed", again=again)

    async def go() -> Summary:
        async with Client(endpoint_at(fake, concurrency=2)) as client:
            return await driving.drive(client, storage, unavailable)

    storage = Memory(range(50), three_then_one)
    summary = asyncio.run(go())
    assert (summary.because, summary.wait) == ("math-verify is not installed", wait)
    assert not storage.ends
    assert sorted([*storage.given_back, *storage.due]) == list(range(50))


# --- Stopping --------------------------------------------------------------------------------------------------


def test_it_stops_in_time_and_stores_what_was_on_its_way(fake: FakeLLM) -> None:
    fake.default = llm.slow(1.0)
    storage = Memory(range(100), single)
    summary = drive(fake, storage, concurrency=4, seconds=0.8)
    # Four were on their way when time was up; each was stored, and nothing was sent after.
    assert fake.n_requests == len(storage.stored) == summary.calls == 4
    assert summary.done == len(storage.ends) == 4
    assert sorted([*storage.ends, *storage.given_back, *storage.due]) == list(range(100))


def test_what_is_on_its_way_gets_the_endpoint_s_own_time(
    fake: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is paid for: cut off, it would be paid for again in each drive."""
    monkeypatch.setattr(driving, "SLACK", 0.2)
    fake.default = llm.slow(0.8)
    storage = Memory(range(6), single)

    async def go() -> Summary:
        async with Client(endpoint_at(fake, concurrency=2, timeout=2)) as client:
            return await driving.drive(client, storage, same, seconds=0.1)

    assert asyncio.run(go()).done == fake.n_requests == 2


def test_what_hangs_for_longer_than_it_may_has_failed(fake: FakeLLM) -> None:
    fake.says("unit 3", llm.HANGING)
    storage = Memory(range(6), single)
    drive(fake, storage, seconds=0.3, timeout=0.6)
    assert storage.failures == {3: Failure("No answer in time.", again=True)}
    assert storage.stored[3, 0].error == "No answer in time."


@pytest.mark.parametrize("method", [single, three_then_one])
def test_what_is_cut_off_all_the_same_is_an_attempt(fake: FakeLLM, method: Method) -> None:
    fake.says("unit 3", llm.HANGING)
    storage = Memory(range(6), method)
    summary = asyncio.run(driven(fake, storage, seconds=0.8, grace=0.1, timeout=60, concurrency=32))
    assert storage.failures == {3: Failure(CUT, again=True)}
    assert {call.error for call in storage.calls_of(3)} == {CUT}
    assert (summary.done, summary.failed, storage.given_back) == (5, 1, [])


def test_a_storage_that_says_stop_is_heard(fake: FakeLLM) -> None:
    fake.default = llm.slow(0.02)
    storage = Memory(range(500), single)
    storage.go_on = False
    summary = drive(fake, storage, concurrency=3)
    assert fake.n_requests <= 3 * 2
    assert summary.done + summary.given_back == 500 - len(storage.due)


def test_a_storage_that_breaks_ends_the_drive_before_more_is_paid(fake: FakeLLM) -> None:
    class Full(Memory):
        def keep(self, calls: Sequence[StoredCall]) -> bool:
            raise OSError("disk full")

    storage = Full(range(100), single)
    with pytest.raises(StorageBroke, match="disk full"):
        drive(fake, storage, concurrency=3)
    assert fake.n_requests <= 3
    assert not storage.ends
    assert len(storage.given_back) == 100 - len(storage.due)


@pytest.mark.parametrize("broken", ["take", "recall"])
def test_a_storage_that_cannot_be_read_ends_the_drive(
    fake: FakeLLM, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Memory(range(5), single)

    def breaks(_: Any) -> Any:
        raise OSError("gone")

    monkeypatch.setattr(storage, broken, breaks)
    with pytest.raises(StorageBroke, match="gone"):
        drive(fake, storage)
    assert not storage.ends


def test_sigterm_stops_it_and_the_old_handler_is_back(fake: FakeLLM) -> None:
    def second_kills(request: llm.Request) -> llm.Answer:
        if fake.n_requests == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return llm.slow(0.2)

    fake.default = second_kills
    storage = Memory(range(100), single)
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        summary = drive(fake, storage, concurrency=2, signals=True)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
    assert summary.done == len(storage.stored) == fake.n_requests == 2


def test_an_interrupt_stores_what_was_on_its_way_too(fake: FakeLLM) -> None:
    fake.default = llm.slow(0.2)
    storage = Memory(range(100), single)

    async def go() -> None:
        task = asyncio.create_task(driven(fake, storage, concurrency=4))
        while fake.n_requests < 4:
            await asyncio.sleep(0.01)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(go())
    assert len(storage.stored) == fake.n_requests == 4
    assert sorted([*storage.ends, *storage.given_back, *storage.due]) == list(range(100))
    assert storage.closed


def test_units_are_beaten_for_while_they_are_worked_on(
    fake: FakeLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driving, "BEAT", 0.02)
    fake.default = llm.slow(0.2)
    storage = Memory(range(2), single)
    drive(fake, storage)
    assert storage.commits["beat"] >= 3


# --- Many ------------------------------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_units() -> None:
    """4,000 units whose outcomes are 40 MB together: what is in hand stays far below (bench_calls.py: 100,000)."""
    assert peak(4000) < 2_000_000


def peak(n: int) -> int:
    class Counting(Memory):
        done = 0

        def take(self, n: int) -> list[Job]:
            units, self.due = list(self.due[:n]), self.due[n:]
            return [Job(unit, self.method(unit)) for unit in units]

        def keep(self, calls: Sequence[StoredCall]) -> bool:
            return True

        def finish(self, ended: Sequence[Ended]) -> None:
            self.done += len(ended)

    def method(unit: Any) -> Steps[str]:
        yield from check(Check("a", "a"))
        return "x" * 10_000

    storage = Counting([], method)
    storage.due = range(n)
    with FakeLLM() as fake:
        tracemalloc.start()
        try:
            drive(fake, storage)
            return tracemalloc.get_traced_memory()[1]
        finally:
            assert storage.done == n
            tracemalloc.stop()


def test_the_replies_of_a_method_are_asks_and_checks_mixed(fake: FakeLLM) -> None:
    def method(unit: Any) -> Steps[Any]:
        return (yield [question("a"), Check("1", "1"), question("b")])

    storage = Memory([1], method)
    drive(fake, storage)
    assert storage.ends == {1: [Reply("re: a"), "right", Reply("re: b")]}


def test_an_ask_is_told_apart_by_its_draw() -> None:
    assert digest_of("m", Ask((), {}, draw=0)) != digest_of("m", Ask((), {}, draw=1))
