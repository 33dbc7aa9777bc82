"""A lead sends items to one more review, first in the queue, and takes that back.

An item that nobody is at any more wants one reviewer more; what is decided waits for their judgement. What is still
open only moves to the front. The item's event has what it was before, so that it can be taken back until somebody
takes it up.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Max

from annotator import queue
from annotator.actions.bulk_items import MAX_PRIORITY, MAX_REASON, Batch, Done, act, reason_for
from annotator.actions.decide import decide_items
from annotator.actions.projects import MAX_OVERLAP
from annotator.actions.texts import worded
from annotator.blinding import DECIDED
from annotator.models import Decision, Event, Item, Project
from annotator.policies import Actor

SENT, BACK = "send_to_review", "take_back_send"
ANEW = ("settle", "reopen_decision")  # decided anew, or no more
HAS = ("wanted", "priority", "open_slots", "n_submitted")
Facts = dict[str, int]


def send_to_review(
    *, by: Actor, project: Project, item_ids: Sequence[int], because: str, chosen: str = ""
) -> Done:
    """Want one more reviewer of each, before all others. Until it is decided anew an item's gold still counts as the
    truth of benchmarks (`waiting_golds`). What a lead settled, what is held and what reviewers are
    at already stays as it is, and is counted with the reason."""
    reason = reason_for(because, "send them to review")
    highest = queue_top(project)

    def change(batch: Batch) -> None:
        _skip(batch)
        before = _sent(batch.ids)
        was = {item.pk: _facts(item) | _gold(item, before.get(item.pk)) for item in batch.items}
        _want(batch.items, {item.pk: item.wanted + (item.open_slots == 0) for item in batch.items})
        batch.update(priority=min(highest + 1, MAX_PRIORITY))
        decide_items([item for item in batch.items if item.n_submitted])
        now = _read(batch.ids)
        batch.said = {pk: {"was": was[pk], "now": now[pk]} for pk in batch.ids}

    return act(by, project, item_ids, SENT, change, {"because": reason, "chosen": chosen})


def take_back(
    *, by: Actor, project: Project, item_ids: Sequence[int], because: str = "", chosen: str = ""
) -> Done:
    """Undo the last `send_to_review` of each item that nothing has happened to since."""

    def change(batch: Batch) -> None:
        sent = _sent(batch.ids)
        batch.skip_ids("were not sent", set(batch.ids) - sent.keys())
        batch.skip("have been taken up or changed since", lambda item: _facts(item) != sent[item.pk]["now"])
        _want(batch.items, {pk: sent[pk]["was"]["wanted"] for pk in batch.ids})
        for priority in {sent[pk]["was"]["priority"] for pk in batch.ids}:
            back = [pk for pk in batch.ids if sent[pk]["was"]["priority"] == priority]
            Item.objects.filter(pk__in=back).update(priority=priority)
        decide_items([item for item in batch.items if item.n_submitted])

    data = {"because": worded(because, "because", MAX_REASON), "chosen": chosen}
    return act(by, project, item_ids, BACK, change, data)


def queue_top(project: Project) -> int:
    """The highest priority of what waits in the queue; at least 0."""
    waiting = Item.objects.filter(project=project, open_slots__gt=0, held=False)
    return max(waiting.aggregate(most=Max("priority"))["most"] or 0, 0)


def sent_ids(project: Project, item_ids: Sequence[int]) -> set[int]:
    """Those of the items that were sent and not taken back."""
    return set(
        _sent(list(Item.objects.filter(project=project, pk__in=item_ids).values_list("pk", flat=True)))
    )


def _skip(batch: Batch) -> None:
    sent = _sent(batch.ids)
    batch.skip("are retired", lambda item: item.retired)
    batch.skip("are held", lambda item: item.held)
    settled = "were settled by a lead: reopen the decision on the item's page"
    batch.skip(settled, lambda item: item.decision == Decision.SETTLED)
    batch.skip("were sent already, and wait", lambda item: item.open_slots > 0 and item.pk in sent)
    batch.skip(
        "are in a reviewer's hands", lambda item: item.open_slots == 0 and item.n_submitted < item.wanted
    )
    full = f"have had {MAX_OVERLAP} reviewers"
    batch.skip(full, lambda item: item.open_slots == 0 and item.wanted >= MAX_OVERLAP)


def _want(items: Sequence[Item], wanted: dict[int, int]) -> None:
    """Store how many reviewers each of the locked items wants, with its slots."""
    by_n: defaultdict[int, list[int]] = defaultdict(list)
    for item in items:
        item.wanted = wanted[item.pk]
        by_n[item.wanted].append(item.pk)
    for n, ids in by_n.items():
        queue.count_slots(ids, wanted=n)


def waiting_golds(project: Project) -> dict[int, int]:
    """Item -> the gold it had when it was sent; of those that were not taken back, are not decided again, and want no
    other number of reviewers since, as they do where somebody asked for more after a new decision."""
    rows = Event.objects.filter(
        project=project, verb__in=(SENT, BACK, *ANEW), item__gold=None, item__isnull=False
    ).exclude(item__decision__in=DECIDED)
    columns = ("item", "verb", "data__was__gold", "data__now__wanted", "item__wanted")
    found: dict[int, int] = {}
    for item, verb, was, wanted, wants in rows.order_by("id").values_list(*columns):
        found.pop(item, None)
        if verb == SENT and was is not None and wanted == wants:
            found[item] = was
    return found


def _gold(item: Item, before: dict[str, Any] | None) -> dict[str, int]:
    """What counts as the item's gold: its own, or, where it waits already, what it had before."""
    gold = item.gold_id or (before or {}).get("was", {}).get("gold")
    return {"gold": gold} if gold else {}


def _facts(item: Item) -> Facts:
    return {name: getattr(item, name) for name in HAS}


def _read(ids: Sequence[int]) -> dict[int, Facts]:
    return {pk: dict(zip(HAS, rest, strict=True)) for pk, *rest in _rows(ids)}


def _rows(ids: Sequence[int]) -> list[tuple[int, ...]]:
    return list(Item.objects.filter(pk__in=ids).values_list("pk", *HAS))


def _sent(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Item -> what its last sending says, where that was not taken back."""
    events = Event.objects.filter(item__in=ids, verb__in=(SENT, BACK)).order_by("id")
    last = {item: (verb, data) for item, verb, data in events.values_list("item", "verb", "data")}
    return {item: data for item, (verb, data) in last.items() if verb == SENT and item is not None}
