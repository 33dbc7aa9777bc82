"""A cache that tunes itself: what is cheap is always fresh, what is dear costs at most 2 % of the time."""

from collections.abc import Callable
from time import perf_counter
from typing import TypeVar, cast

from django.core.cache import cache

T = TypeVar("T")

KEEP_FOR = 50  # times what the computation took
ALWAYS_FRESH_S = 0.001  # below this the cache would cost as much as the query


def self_tuned(key: str, compute: Callable[[], T]) -> T:
    """`compute()`, or what it returned up to 50 times its own duration ago. It may not return None."""
    kept = cache.get(key)
    if kept is not None:
        return cast(T, kept)
    started = perf_counter()
    value = compute()
    took = perf_counter() - started
    if took > ALWAYS_FRESH_S:
        cache.set(key, value, timeout=KEEP_FOR * took)
    return value
