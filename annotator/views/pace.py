"""How far a reviewer is, and how long the rest takes at their own pace: on every review page, so cheap."""

from collections.abc import Iterable
from time import perf_counter
from typing import NamedTuple

from django.core.cache import cache
from django.db.models import Exists, OuterRef

from annotator.models import Assignment, AssignmentState, Item, Membership, Role
from annotator.views.progress import open_for as open_items_for
from annotator.views.progress import open_now

KEEP_FOR = 1000  # times what the count took: a thousandth of the time, for each reviewer
AT_LEAST_S = 10
PROBED_S = 3600  # or a count that stays where it was would say that the last item was a probe
FEWEST_FOR_A_PACE = 3


class Pace(NamedTuple):
    done: int
    total: int
    time_left: str


def pace_of(by: Membership, *, holds_one: bool) -> Pace:
    """`holds_one`: the reviewer has an item in hand, which is no longer open but is not done either."""
    left = left_for(by) + holds_one
    known = by.n_submitted >= FEWEST_FOR_A_PACE
    return Pace(
        by.n_submitted,
        by.n_submitted + left,
        in_words(left * by.active_ms // by.n_submitted) if known and left else "",
    )


def left_for(by: Membership) -> int:
    """Open items this reviewer has not had. A kept count goes down with their own work, so it only
    misses what others do meanwhile."""
    key, least = f"left:{by.pk}", PROBED_S if has_probes(by) else AT_LEAST_S
    kept: tuple[int, int] | None = cache.get(key)
    if kept is None:
        started = perf_counter()
        kept = _count(by), by.n_submitted
        cache.set(key, kept, timeout=max(least, KEEP_FOR * (perf_counter() - started)))
    left, done_then = kept
    return max(0, left - max(0, by.n_submitted - done_then))


def open_for(members: Iterable[Membership]) -> dict[int, int]:
    """Project id -> how many open items this person has not had. Where they are given probes it is the kept number,
    as long as anything is open at all."""
    mine = list(members)
    found = open_items_for(mine)
    kept = {m.project_id: max(1, left_for(m)) for m in mine if found.get(m.project_id) and has_probes(m)}
    return found | kept


def has_probes(by: Membership) -> bool:
    """Whether this reviewer is given probes, so that no count of work may move item by item before their eyes."""
    return by.project.probe_rate > 0 and not by.is_at_least(Role.LEAD)


def in_words(ms: int) -> str:
    minutes = round(ms / 60_000)
    if minutes < 1:
        return ""
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02}"


def _count(by: Membership) -> int:
    had = Assignment.objects.filter(item=OuterRef("pk"), rater=by.rater_id).exclude(
        state=AssignmentState.EXPIRED
    )
    return open_now(Item.objects.filter(~Exists(had), project=by.project_id)).count()
