"""The cache that tunes itself, on a clock of its own."""

from collections.abc import Callable
from typing import Any

import pytest

from annotator import caching


class Clock:
    """Time that only passes when somebody works."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.n_computed = 0

    def work(self, seconds: float) -> Callable[[], int]:
        def compute() -> int:
            self.now += seconds
            self.n_computed += 1
            return self.n_computed

        return compute


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Clock:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "b"}
    }
    caching.cache.clear()
    clock = Clock()
    monkeypatch.setattr(caching, "time", lambda: clock.now)
    monkeypatch.setattr(caching, "perf_counter", lambda: clock.now)
    return clock


def test_what_is_cheap_is_always_fresh(clock: Clock) -> None:
    assert [caching.self_tuned("a", clock.work(0.0005)) for _ in range(3)] == [1, 2, 3]


def test_what_is_dear_is_kept_for_fifty_times_its_cost(clock: Clock) -> None:
    assert caching.self_tuned("a", clock.work(1)) == 1
    clock.now += 49
    assert caching.self_tuned("a", clock.work(1)) == 1
    clock.now += 2
    assert caching.self_tuned("a", clock.work(1)) == 2


def test_a_standing_stamp_keeps_it_however_old(clock: Clock) -> None:
    assert caching.self_tuned("a", clock.work(1), stamp=7) == 1
    clock.now += 2_000
    assert caching.self_tuned("a", clock.work(1), stamp=7) == 1


def test_a_new_stamp_waits_for_the_time_that_was_paid_for(clock: Clock) -> None:
    assert caching.self_tuned("a", clock.work(1), stamp=7) == 1
    assert caching.self_tuned("a", clock.work(1), stamp=8) == 1
    clock.now += 51
    assert caching.self_tuned("a", clock.work(1), stamp=8) == 2


def test_below_its_bound_a_new_stamp_is_seen_at_once(clock: Clock) -> None:
    assert caching.self_tuned("a", clock.work(0.1), stamp=7, always_fresh_s=0.2) == 1
    assert caching.self_tuned("a", clock.work(0.1), stamp=7, always_fresh_s=0.2) == 1
    assert caching.self_tuned("a", clock.work(0.1), stamp=8, always_fresh_s=0.2) == 2


def test_keys_are_apart(clock: Clock) -> None:
    assert caching.self_tuned("a", clock.work(1)) == 1
    assert caching.self_tuned("b", clock.work(1)) == 2
