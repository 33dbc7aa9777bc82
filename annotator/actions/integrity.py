"""What items store, recomputed from assignments and annotations (design.md section 4)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import reset_queries, transaction

from annotator import policies, queue
from annotator.actions.decide import counting_of, last_words, outcome_of, rules_of
from annotator.actions.record import record
from annotator.core.decision import Rule
from annotator.models import Annotation, Assignment, Decision, Item, Project, Role, Use
from annotator.policies import Actor

CHUNK = 500
STORED = ("open_slots", "decision", "gold_id", "n_submitted")


class Difference(NamedTuple):
    """A stored value that is not what follows from the rows behind it."""

    item_id: int
    field: str
    stored: object
    computed: object


def check_items(*, by: Actor, project: Project, fix: bool = False) -> Iterator[Difference]:
    """Yield every difference in a project, putting it right if asked to. Items are read in chunks."""
    policies.check_at_least(by, Role.LEAD, project)
    last = 0
    while items := list(Item.objects.filter(project=project, pk__gt=last).order_by("pk")[:CHUNK]):
        last = items[-1].pk
        suspects = {difference.item_id for difference in _differences(items)}
        if suspects:
            yield from _confirm(by, project, suspects, fix)
        reset_queries()  # with DEBUG Django keeps the text of every statement


def _confirm(by: Actor, project: Project, suspects: set[int], fix: bool) -> list[Difference]:
    """Look again with the items locked: what was half through a moment ago is no difference."""
    with transaction.atomic():
        items = {item.pk: item for item in queue.lock_items(suspects)}
        found = list(_differences(items.values()))
        if fix and found:
            _fix(by, project, items, found)
    return found


def _fix(by: Actor, project: Project, items: dict[int, Item], found: list[Difference]) -> None:
    for difference in found:
        item = items[difference.item_id]
        setattr(item, difference.field, difference.computed)
    for item_id in {difference.item_id for difference in found}:
        items[item_id].save(update_fields=["open_slots", "decision", "gold", "n_submitted"])
        changed = {d.field: [d.stored, d.computed] for d in found if d.item_id == item_id}
        record(by, "check_integrity", project, item=items[item_id], changed=changed)


def _differences(items: Iterable[Item]) -> Iterator[Difference]:
    items = list(items)
    ids = [item.pk for item in items]
    held, words, rules = _held(ids), counting_of(ids), rules_of(ids)
    for item in items:
        computed = _computed(item, held[item.pk], last_words(words[item.pk]), rules[item.pk])
        for field in STORED:
            if getattr(item, field) != computed[field]:
                yield Difference(item.pk, field, getattr(item, field), computed[field])


def _computed(item: Item, n_held: int, finals: list[Annotation], rule: Rule) -> dict[str, object]:
    outcome = outcome_of(item, finals, rule)
    gold_id = outcome.gold.pk if outcome.gold else None
    values: dict[str, object] = {
        "decision": str(outcome.decision),
        "gold_id": gold_id,
        "n_submitted": outcome.n_submitted,
    }
    if item.decision == Decision.SETTLED:  # by a lead, whatever was submitted
        values |= {"decision": item.decision, "gold_id": item.gold_id}
    return values | {"open_slots": max(0, item.wanted - n_held)}


def _held(ids: list[int]) -> Counter[int]:
    """Item -> how many of its slots are taken."""
    holding = Assignment.objects.filter(
        item__in=ids, state__in=queue.HOLDING, surplus=False, purpose=Use.WORK
    )
    return Counter(holding.values_list("item_id", flat=True))
