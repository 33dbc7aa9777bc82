"""The diagnosis table: one row a step, one column a rater, to find where and why people differ."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from annotator.core.columns import MISSING
from annotator.core.spreadsheet import harmless
from annotator.models import Annotation, FinishReason, Item, Phase, Project, Use
from annotator.reports.loading import JUDGED, blind, names

ITEMS_AT_ONCE = 500
HEAD = ("item", "solution", "foreign_id", "kind", "group", "decision", "step", "decided", "complete", "used")
TEXT = "text"

Labels = dict[int, tuple[str, str]]  # rater -> (what was seen, labels); machines saw nothing


def table(project: Project, text: bool = False) -> Iterator[list[str]]:
    """Rows of cells, the first the names of the columns; streamed, a few queries for every 500 items.

    item: its id. solution: digest. step: 1-based. decided: the label of the item's gold, "" while undecided.
    complete: every person who judged the solution judged the step. used: it counts in the agreement of people,
    so two or more who saw the same judged it. text: add the step itself. Then a column a rater: what people said
    blind, and what machines said; "" where a rater did not rate the solution.
    """
    raters = _raters(project)
    yield [*HEAD, *([TEXT] if text else []), *(harmless(name) for name in raters.values())]
    rows = Item.objects.filter(project=project, use=Use.WORK).select_related("solution__problem", "gold")
    rows = rows.order_by("pk")
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:ITEMS_AT_ONCE]):
        people, machines = _people(project, chunk), _machines(chunk)
        for item in chunk:
            yield from _steps(item, people[item.pk], machines[item.solution_id], list(raters), text)
        last = chunk[-1].pk


def _raters(project: Project) -> dict[int, str]:
    said = (_judged(project), _of_machines().filter(solution__project=project))
    return names(
        {rater for rows in said for rater in rows.order_by().values_list("rater", flat=True).distinct()}
    )


def _judged(project: Project) -> QuerySet[Annotation]:
    return blind(project).filter(finish_reason__in=JUDGED)


def _of_machines() -> QuerySet[Annotation]:
    return Annotation.objects.filter(phase=Phase.MACHINE, superseded_at__isnull=True, is_parsed=True)


def _people(project: Project, items: Sequence[Item]) -> defaultdict[int, Labels]:
    found: defaultdict[int, Labels] = defaultdict(dict)
    rows = _judged(project).filter(assignment__item__in=items)
    for item, rater, saw, labels in rows.values_list("assignment__item", "rater", "blind_shows", "labels"):
        found[item][rater] = saw, labels
    return found


def _machines(items: Sequence[Item]) -> defaultdict[int, dict[int, str]]:
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    rows = _of_machines().filter(solution__in=[item.solution_id for item in items])
    for solution, rater, labels in rows.values_list("solution", "rater", "labels"):
        found[solution][rater] = labels
    return found


def _steps(
    item: Item, people: Labels, machines: dict[int, str], raters: list[int], text: bool
) -> Iterator[list[str]]:
    solution, gold = item.solution, _gold(item)
    said = machines | {rater: labels for rater, (_, labels) in people.items()}
    about = (str(item.pk), solution.digest, harmless(solution.foreign_id), item.error_type)
    whose = (harmless(solution.problem.group), item.decision)
    for at in range(solution.n_steps):
        judged = [saw for saw, labels in people.values() if labels[at] not in MISSING]
        yield [
            *about, *whose, str(at + 1), gold[at] if gold else "",
            _yes(bool(people) and len(judged) == len(people)), _yes(len(judged) > len(set(judged))),
            *([harmless(solution.steps[at])] if text else []),
            *(said[rater][at] if rater in said else "" for rater in raters),
        ]  # fmt: skip


def _gold(item: Item) -> str:
    gold = item.gold
    is_own = gold is not None and gold.solution_id == item.solution_id
    return gold.labels if gold is not None and is_own and _judges(gold) else ""


def _judges(gold: Annotation) -> bool:
    return not gold.finish_reason or FinishReason(gold.finish_reason).judges


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"
