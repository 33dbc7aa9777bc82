"""Draw a sample of a project's items, so that reviewers judge it first and it says how good the whole is."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import Max, QuerySet
from django.db.models.fields.json import KeyTransform

from annotator import errors, policies
from annotator.actions import bulk_items
from annotator.actions.bulk_items import MAX_PRIORITY, Batch, act
from annotator.actions.record import record
from annotator.core import sampling
from annotator.models import Decision, Item, Project, Role, Sample
from annotator.policies import Actor
from annotator.reports.acceptance import population

KINDS: Final = {"error_type": "error_type", "protocol": "protocol"}
META: Final = "meta:"
MAX_SEED: Final = 2**63 - 1
NOT_IN: Final = "not in sample "  # how the reason of items begins that only wait for a sample
CHUNK: Final = 2_000


class Drawn(NamedTuple):
    """item_ids: ascending.  n_held: items held now that are not in it.  n_waiting: items of it that somebody has
    held for another reason, so that nobody gets them.  is_new: false where it had been drawn before."""

    sample: Sample
    item_ids: list[int]
    n_held: int
    n_waiting: int
    is_new: bool


def draw(
    *, by: Actor, project: Project, share: float, per: str = "error_type", seed: int, only: bool = False
) -> Drawn:
    """Put a share of each value of `per` into a new sample, before everything else in the queue.

    share: above 0, at most 1, rounded up.  per: error_type, protocol, meta:KEY, or "" for the project as a whole.
    only: hold what is not in it, until somebody releases it. The same seed draws the same items of the same
    project, and drawing a sample again finishes what was cut off. Raises Invalid naming the field.
    """
    policies.check_at_least(by, Role.LEAD, project)
    _check(share, per, seed)
    ids, counts = _chosen(project, share, per, seed)
    if not ids:
        raise errors.Invalid("There is nothing to draw from: import solutions first.", field="sample")
    sample, is_new = _sample(by, project, share, per, seed, counts)
    _mark(by, sample, ids)
    _put_first(by, project, ids, f"sample {sample.pk}")
    n_held = _hold_others(by, sample, ids) if only else 0
    waiting = Item.objects.filter(sample=sample, held=True, decision=Decision.INCOMPLETE)
    return Drawn(sample, ids, n_held, waiting.count(), is_new)


def release_others(*, by: Actor, project: Project) -> bulk_items.Done:
    """Put back into the queue what is held only because it is in no sample."""
    held = Item.objects.filter(project=project, held=True, retired=False, held_because__startswith=NOT_IN)
    ids = list(held.order_by("pk").values_list("pk", flat=True))
    return bulk_items.release_items(by=by, project=project, item_ids=ids, because="The sample is done.")


def _check(share: float, per: str, seed: int) -> None:
    if not 0 < share <= 1:
        raise errors.Invalid("Choose a share above 0 and at most 1, as .10.", field="sample")
    is_meta = per.startswith(META) and len(per) > len(META)
    if per and per not in KINDS and not is_meta:
        raise errors.Invalid("Choose error_type, protocol, or meta:KEY.", field="per")
    if len(per) > 40 or "\0" in per:
        raise errors.Invalid("This is longer than 40 characters.", field="per")
    if isinstance(seed, bool) or not -MAX_SEED <= seed <= MAX_SEED:
        raise errors.Invalid("Choose a whole number of at most 18 digits.", field="seed")


def _chosen(
    project: Project, share: float, per: str, seed: int
) -> tuple[list[int], dict[str, dict[str, int]]]:
    """The ids, ascending, and value of `per` -> {drawn, of}. Items are drawn by what they are, not by row ids,
    so that the same records give the same draw in another database."""
    stratum_of: dict[str, str] = {}
    id_of: dict[str, int] = {}
    for pk, key, protocol, value in _pool(project, per):
        name = f"{key} {protocol}"
        stratum_of[name], id_of[name] = value, pk
    drawn = sampling.stratified(list(stratum_of.items()), share, seed)
    of: dict[str, int] = {}
    for stratum in stratum_of.values():
        of[stratum] = of.get(stratum, 0) + 1
    counts = {stratum: {"drawn": len(names), "of": of[stratum]} for stratum, names in drawn.items()}
    return sorted(id_of[name] for names in drawn.values() for name in names), counts


def _pool(project: Project, per: str) -> Iterator[tuple[int, str, str, str]]:
    """Id, key of the solution, protocol and value of `per` of everything that may be drawn."""
    rows: QuerySet[Item] = population(project).order_by()
    fields = ["pk", "solution__key", "protocol"]
    if per.startswith(META):
        key = per.removeprefix(META)
        own, of_problem = KeyTransform(key, "solution__meta"), KeyTransform(key, "solution__problem__meta")
        found = rows.values_list(*fields, own, of_problem).iterator(CHUNK)
        yield from ((pk, name, protocol, _text(one, two)) for pk, name, protocol, one, two in found)
    elif per:
        yield from rows.values_list(*fields, KINDS[per]).iterator(CHUNK)
    else:
        found = rows.values_list(*fields).iterator(CHUNK)
        yield from ((pk, name, protocol, "") for pk, name, protocol in found)


def _text(own: object, of_problem: object) -> str:
    value = of_problem if own is None else own
    return "" if value is None else str(value)[:100]


@transaction.atomic
def _sample(
    by: Actor, project: Project, share: float, per: str, seed: int, counts: dict[str, dict[str, int]]
) -> tuple[Sample, bool]:
    """One that was drawn in the same way from the same items is gone on with."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    same = Sample.objects.filter(project=project, share=share, per=per, seed=seed, counts=counts).first()
    if same:
        return same, False
    made = Sample.objects.create(
        project=project, created_by=by.user, share=share, per=per, seed=seed, counts=counts
    )
    record(by, "draw_sample", project, sample=made.pk, share=share, per=per, seed=seed)
    return made, True


def _mark(by: Actor, sample: Sample, ids: Sequence[int]) -> None:
    """What only waited for another sample comes back into the queue with this one."""

    def change(batch: Batch) -> None:
        inside = Item.objects.filter(pk__in=batch.ids, sample=sample).values_list("pk", flat=True)
        batch.skip_ids("are in it already", set(inside))
        batch.update(sample=sample)

    act(by, sample.project, ids, "sample", change, {"sample": sample.pk})
    waiting = Item.objects.filter(sample=sample, held=True, held_because__startswith=NOT_IN)
    back = list(waiting.order_by("pk").values_list("pk", flat=True))
    if back:
        because = f"It is in sample {sample.pk}."
        bulk_items.release_items(by=by, project=sample.project, item_ids=back, because=because)


def _put_first(by: Actor, project: Project, ids: Sequence[int], because: str) -> None:
    """Above everything that is not drawn; what is there already stays."""
    others = Item.objects.filter(project=project, retired=False, sample__isnull=True)
    highest = others.aggregate(most=Max("priority"))["most"] or 0
    n = min(highest + 1, MAX_PRIORITY)
    bulk_items.set_priority(by=by, project=project, item_ids=ids, n=n, because=because, at_least=True)


def _hold_others(by: Actor, sample: Sample, ids: Sequence[int]) -> int:
    chosen = frozenset(ids)
    free = population(sample.project).filter(held=False).order_by("pk").values_list("pk", flat=True)
    others = [pk for pk in free if pk not in chosen]
    because = f"{NOT_IN}{sample.pk}"
    if others:
        bulk_items.hold_items(by=by, project=sample.project, item_ids=others, because=because)
    waiting = population(sample.project).filter(held=True, held_because__startswith=NOT_IN)
    return waiting.count()
