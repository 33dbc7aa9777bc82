"""The decision on an item, recomputed from its submitted annotations in the transaction that changes them.

The project's rule is read once the item is locked, so that a rule that changed meanwhile is the one that decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple, cast

from django.db.models import F, QuerySet

from annotator.core import labels as lab
from annotator.core.decision import Final, Rule, decide
from annotator.models import Annotation, AssignmentState, Decision, FinishReason, Item, Phase, Use


class Outcome(NamedTuple):
    """What an item stores of its submitted annotations."""

    decision: Decision
    gold: Annotation | None
    n_submitted: int


def final_annotations(item: Item, *, whole: bool = False) -> list[Annotation]:
    """The last word of each reviewer whose submission counts, oldest first: revealed where there is one.

    whole: with all columns and the rater; else what a decision needs.
    """
    rows = counting().filter(assignment__item=item)
    if whole:
        return last_words(rows.select_related("rater"))
    return last_words(rows.only("rater_id", "phase", "labels", "finish_reason", "error_types"))


def counting() -> QuerySet[Annotation]:
    """What submissions that count say of their items' own solutions, oldest first: work, neither probes nor
    exams. (Of a sibling, another way to go on from a step, the same assignment may say something too.)"""
    return Annotation.objects.filter(
        solution=F("assignment__item__solution"), assignment__surplus=False,
        assignment__state=AssignmentState.SUBMITTED, assignment__purpose=Use.WORK,
        superseded_at__isnull=True, phase__in=[Phase.BLIND, Phase.REVEALED],
    ).order_by("id")  # fmt: skip


def counting_of(item_ids: Sequence[int]) -> defaultdict[int, list[Annotation]]:
    """Item -> its counting annotations, oldest first."""
    found: defaultdict[int, list[Annotation]] = defaultdict(list)
    for row in counting().filter(assignment__item__in=item_ids).select_related("assignment"):
        if row.assignment:
            found[row.assignment.item_id].append(row)
    return found


def last_words(rows: Iterable[Annotation]) -> list[Annotation]:
    """Of the annotations of one item, oldest first, the last word of each reviewer."""
    last: dict[int, Annotation] = {}
    for row in rows:
        if row.phase == Phase.REVEALED or row.rater_id not in last:
            last[row.rater_id] = row
    return list(last.values())


def outcome_of(item: Item, finals: list[Annotation], rule: Rule) -> Outcome:
    """What the last words amount to. Of those that agree, gold is the one that judges most steps, then the oldest.

    What a lead has settled stays, whatever comes in late.
    """
    if item.decision == Decision.SETTLED:
        return Outcome(Decision.SETTLED, item.gold, len(finals))
    outcome = Decision(decide([final_of(row) for row in finals], item.wanted, rule))
    gold = max(finals, key=n_judged) if outcome == Decision.AGREED else None
    judges = gold is not None and FinishReason(gold.finish_reason).judges
    return Outcome(outcome, gold if judges else None, len(finals))


def final_of(row: Annotation) -> Final:
    types = row.error_types or {}
    of_steps = tuple(frozenset(types.get(str(at), ())) for at in range(len(row.labels))) if types else ()
    return Final(row.labels, row.finish_reason, of_steps)


def n_judged(row: Annotation) -> int:
    return len(row.labels) - row.labels.count(lab.UNJUDGED)


def rules_of(item_ids: Iterable[int]) -> dict[int, Rule]:
    """Item -> the rule of its project as it is now."""
    rows = Item.objects.filter(pk__in=list(item_ids)).values_list("pk", "project__decision_rule")
    return {pk: cast(Rule, rule) for pk, rule in rows}


def decide_item(item: Item, finals: list[Annotation] | None = None) -> Item:
    """Store what the submitted annotations amount to. The caller holds the item's lock, and may know them."""
    finals = final_annotations(item) if finals is None else finals
    rule = rules_of([item.pk])[item.pk] if len(finals) >= item.wanted else "labels"
    item.decision, item.gold, item.n_submitted = outcome_of(item, finals, rule)
    item.save(update_fields=["decision", "n_submitted", "gold"])
    return item


def decide_items(items: Sequence[Item]) -> int:
    """`decide_item` for many locked items at once. Returns how many changed."""
    ids = [item.pk for item in items]
    words, rules = counting_of(ids), rules_of(ids)
    changed = []
    for item in items:
        outcome = outcome_of(item, last_words(words[item.pk]), rules[item.pk])
        gold_id = outcome.gold.pk if outcome.gold else None
        if (item.decision, item.gold_id, item.n_submitted) != (
            outcome.decision,
            gold_id,
            outcome.n_submitted,
        ):
            item.decision, item.gold, item.n_submitted = outcome
            changed.append(item)
    Item.objects.bulk_update(changed, ["decision", "gold", "n_submitted"])
    return len(changed)
