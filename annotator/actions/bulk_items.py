"""A lead's acts on many items at once: wanted reviewers, priority, hold, release, retire.

Each takes item ids, in any number, and does what it does to those that can have it. Batches of BATCH items stand
each for itself, so that reviewers wait for one batch at most; done again, an act changes nothing. The items'
histories say what happened to each, one event of the project says it of all.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from django.db import transaction

from annotator import errors, policies, queue
from annotator.actions.bulk import Table
from annotator.actions.decide import decide_items
from annotator.actions.projects import MAX_OVERLAP
from annotator.actions.record import record
from annotator.actions.texts import worded
from annotator.models import Assignment, AssignmentState, Decision, Event, Item, Project, Role, Use
from annotator.policies import Actor

BATCH = 500
MAX_PRIORITY = 1_000_000
MAX_REASON = 300
HELD_FOR = {Use.DEMONSTRATION: "Shown before the exam.", Use.EXAM: "Part of the exam."}
# What acts look at; the decision is recomputed with the rest of it.
READ = (
    "use",
    "is_probe",
    "priority",
    "held",
    "retired",
    "wanted",
    "open_slots",
    "decision",
    "n_submitted",
    "gold_id",
)


class Done(NamedTuple):
    """n: items changed.  skipped: why others were not -> how many of them."""

    n: int
    skipped: dict[str, int]


class Batch:
    """The locked items of a batch; an act takes out what it leaves alone, and says why. `said`: what the event of
    one item has beside what all have, by item id."""

    def __init__(self, items: Sequence[Item], skipped: Counter[str]) -> None:
        self.items = list(items)
        self.said: dict[int, dict[str, Any]] = {}
        self._skipped = skipped

    def skip(self, why: str, is_left: Callable[[Item], bool]) -> None:
        self.skip_ids(why, {item.pk for item in self.items if is_left(item)})

    def skip_ids(self, why: str, ids: Collection[int]) -> None:
        kept = [item for item in self.items if item.pk not in ids]
        self._skipped[why] += len(self.items) - len(kept)
        self.items = kept

    @property
    def ids(self) -> list[int]:
        return [item.pk for item in self.items]

    def update(self, **values: Any) -> None:
        Item.objects.filter(pk__in=self.ids).update(**values)


Change = Callable[[Batch], None]


def set_wanted(
    *, by: Actor, project: Project, item_ids: Sequence[int], n: int, because: str, chosen: str = ""
) -> Done:
    """Want `n` reviewers of each. Fewer may decide an item by what is in; more opens it again.

    chosen: how the items were chosen, for the record. Slots in use stay in use, whatever is wanted.
    """
    reason = reason_for(because, "want another number of reviewers")
    if not 1 <= n <= MAX_OVERLAP:
        raise errors.Invalid(f"Choose a whole number from 1 to {MAX_OVERLAP}.", field="n")

    def change(batch: Batch) -> None:
        batch.skip("are retired", lambda item: item.retired)
        batch.skip("are settled", lambda item: item.decision == Decision.SETTLED)
        batch.skip("wanted that many already", lambda item: item.wanted == n)
        queue.count_slots(batch.ids, wanted=n)
        for item in batch.items:
            item.wanted = n
        decide_items([item for item in batch.items if item.n_submitted])

    return act(by, project, item_ids, "set_wanted", change, {"n": n, "because": reason, "chosen": chosen})


def set_priority(
    *,
    by: Actor,
    project: Project,
    item_ids: Sequence[int],
    n: int,
    because: str = "",
    at_least: bool = False,
    chosen: str = "",
) -> Done:
    """Give each the priority `n`; with `at_least`, only those that have less."""
    if not -MAX_PRIORITY <= n <= MAX_PRIORITY:
        message = f"Choose a whole number from {-MAX_PRIORITY:,} to {MAX_PRIORITY:,}."
        raise errors.Invalid(message, field="n")

    def change(batch: Batch) -> None:
        batch.skip("are retired", lambda item: item.retired)
        batch.skip("had that priority already", lambda item: item.priority == n)
        if at_least:
            batch.skip("had a higher one", lambda item: item.priority > n)
        batch.update(priority=n)

    data = {"n": n, "because": worded(because, "because", MAX_REASON), "chosen": chosen}
    return act(by, project, item_ids, "set_priority", change, data)


def hold_items(
    *, by: Actor, project: Project, item_ids: Sequence[int], because: str, chosen: str = ""
) -> Done:
    """Keep items out of the queue until somebody releases them. Work already begun on them goes on."""
    reason = reason_for(because, "hold them")

    def change(batch: Batch) -> None:
        batch.skip("were held already", lambda item: item.held)
        batch.update(held=True, held_because=reason)

    return act(by, project, item_ids, "hold", change, {"because": reason, "chosen": chosen})


def release_items(
    *, by: Actor, project: Project, item_ids: Sequence[int], because: str, chosen: str = ""
) -> Done:
    """Put held and retired items back into the queue, and retired ones of the exam back into the exam. What was
    taken down has no text and stays out."""
    reason = reason_for(because, "release them")

    def change(batch: Batch) -> None:
        batch.skip("were not held", lambda item: not item.held)
        batch.skip("are part of the exam", lambda item: item.use != Use.WORK and not item.retired)
        batch.skip_ids("were taken down", taken_down(batch.ids))
        batch.update(held=False, held_because="", retired=False)
        for use, why in HELD_FOR.items():
            Item.objects.filter(pk__in=batch.ids, use=use).update(held=True, held_because=why)

    return act(by, project, item_ids, "release", change, {"because": reason, "chosen": chosen})


def retire_items(
    *, by: Actor, project: Project, item_ids: Sequence[int], because: str, chosen: str = ""
) -> Done:
    """Take items out of the project's work. Submitted work stays, what is begun goes on, and what was assigned
    but not begun goes back; a release brings them in again."""
    reason = reason_for(because, "retire them")

    def change(batch: Batch) -> None:
        batch.skip("were retired already", lambda item: item.retired)
        batch.update(held=True, held_because=reason, retired=True)
        take_untouched(batch.ids)

    return act(by, project, item_ids, "retire", change, {"because": reason, "chosen": chosen})


def act(
    by: Actor,
    project: Project,
    item_ids: Sequence[int],
    verb: str,
    change: Change,
    data: dict[str, Any],
    *,
    before: Callable[[], object] = lambda: None,
) -> Done:
    """Do `change` in batches, by id, each with its items locked. `before` takes what has to be locked before items."""
    policies.check_at_least(by, Role.LEAD, project)
    skipped: Counter[str] = Counter()
    events, common = _events(by, project, verb), {k: v for k, v in data.items() if k != "chosen"}
    n = 0
    for ids in batches(item_ids):
        with transaction.atomic():
            before()
            found = list(queue.lock_items(ids).filter(project=project).only(*READ))
            batch = Batch(found, skipped)
            skipped["are not there"] += len(ids) - len(found)
            change(batch)
            events.insert([(pk, common | batch.said.get(pk, {})) for pk in batch.ids])
            n += len(batch.items)
    done = Done(n, {why: count for why, count in skipped.items() if count})
    if n:
        _finish(by, project, item_ids, verb, done, data)
    return done


@transaction.atomic
def _finish(
    by: Actor, project: Project, item_ids: Sequence[int], verb: str, done: Done, data: dict[str, Any]
) -> None:
    """After all batches: whoever claims from now on looks from the start, and the project's history has it.

    A frontier is forgotten while no item is locked, since a claim locks its membership before the item."""
    queue.forget_frontiers(project)
    if len(item_ids) > 1:
        record(by, "bulk", project, do=verb, n_items=done.n, skipped=done.skipped, **data)


def _events(by: Actor, project: Project, verb: str) -> Table:
    """What writes an item's event for each of its rows: an item id, and what is said of it."""
    actor_id = by.user.pk if by.user else None
    return Table(Event, ("item_id", "data"), project_id=project.pk, actor_id=actor_id, verb=verb)


def batches(item_ids: Sequence[int]) -> Iterator[list[int]]:
    """The ids in order and once each, BATCH at a time."""
    ids = sorted(set(item_ids))
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def taken_down(item_ids: Sequence[int]) -> set[int]:
    """Those of the items whose problem has no text any more."""
    rows = Item.objects.filter(pk__in=item_ids, solution__problem__taken_down_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


def take_untouched(item_ids: Sequence[int]) -> None:
    """Take back what was assigned of these locked items and not begun.

    Assignments are locked before items elsewhere, so none is waited for here: one that its reviewer opens at
    this moment is begun.
    """
    rows = Assignment.objects.filter(
        item__in=item_ids, state=AssignmentState.CLAIMED, assigned=True, claimed_at=None
    )
    free = [row.pk for row in rows.select_for_update(no_key=True, skip_locked=True, of=("self",))]
    Assignment.objects.filter(pk__in=free).update(state=AssignmentState.EXPIRED, assigned=False)
    queue.count_slots(item_ids)


def reason_for(because: str, verb: str) -> str:
    if not because.strip():
        raise errors.Incomplete(
            f"Say why you {verb}: whoever reads this later wants to know.", field="because"
        )
    return worded(because, "because", MAX_REASON)
