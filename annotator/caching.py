"""A cache that tunes itself: what is cheap is always fresh, what is dear costs at most 2 % of the time."""

from collections.abc import Callable
from time import perf_counter, time
from typing import Any, NamedTuple, TypeVar, cast

from django.core.cache import cache

T = TypeVar("T")

KEEP_FOR = 50  # times what the computation took
ALWAYS_FRESH_S = 0.001  # below this the cache would cost as much as the query
STAMPED_S = 3600


class _Kept(NamedTuple):
    value: Any
    stamp: int | None
    until: float


def self_tuned(
    key: str, compute: Callable[[], T], *, stamp: int | None = None, always_fresh_s: float = ALWAYS_FRESH_S
) -> T:
    """`compute()`, or what it returned up to 50 times its own duration ago.

    stamp: a number that changes with what the value is made from; while it stands still the value is kept.
    always_fresh_s: a computation shorter than this is never served stale.
    """
    kept: _Kept | None = cache.get(key)
    if kept and (time() < kept.until or (stamp is not None and stamp == kept.stamp)):
        return cast(T, kept.value)
    started = perf_counter()
    value = compute()
    took = perf_counter() - started
    age = KEEP_FOR * took if took > always_fresh_s else 0
    if age or stamp is not None:
        cache.set(key, _Kept(value, stamp, time() + age), timeout=max(age, STAMPED_S if stamp else 0))
    return value
