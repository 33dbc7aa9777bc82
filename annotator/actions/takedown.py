"""Empty the text of a problem for good, where somebody has the right to ask for it. Rows stay, so that counts,
labels and digests do, and so that the same record is known when it comes again and its text is not brought back.

The one action that changes what is otherwise never changed: solutions, annotations and events. What people and
files wrote about the text goes with it, since it may quote it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from annotator import errors, policies, queue
from annotator.actions.assigning import close
from annotator.actions.bulk_items import reason_for
from annotator.actions.decide import decide_items
from annotator.actions.record import record
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Call,
    Event,
    Finding,
    Injection,
    Item,
    Membership,
    Problem,
    Project,
    Question,
    Role,
    Solution,
    Unit,
)  # fmt: skip
from annotator.models.review import OPEN_STATES
from annotator.policies import TAKEN_DOWN, Actor

AT_ONCE = 500
# What reports slice by; other text among the meta values may be a quotation.
KEPT_META = frozenset({"source", "generator", "level", "subject", "split", "dataset", "model"})
LONGEST_META = 60
# What of a draft cannot hold text.
KEPT_DRAFT = frozenset({"labels", "error_types", "finish_reason", "verdict", "bulk", "duration_ms"})
TOLD = ("reason", "answer", "because", "text", "note")  # of an event's data: what somebody typed


class Taken(NamedTuple):
    """How much was emptied."""

    problems: int
    solutions: int
    items: int


@transaction.atomic
def take_down(
    *, by: Actor, project: Project, item_id: int, because: str, typed: str, whole_group: bool = True
) -> Taken:
    """Empty the item's problem, with all versions of it if `whole_group`, and all that stands on it.

    typed: the item's id once more, as a confirmation. Its items are retired; who holds one lets go of it
    without blame, and what they had committed counts.
    """
    policies.check_at_least(by, Role.LEAD, project)
    reason = reason_for(because, "take it down")
    item = Item.objects.select_related("solution__problem").filter(project=project, pk=item_id).first()
    if item is None:
        raise errors.Missing("There is no such item.")
    if typed.strip() != str(item_id):
        raise errors.Invalid(f"Type the item's number, {item_id}, to confirm.", field="typed")
    now = timezone.now()
    problems = _problems(item.solution.problem, whole_group)
    items = _lock(project, problems)
    solutions = list(Solution.objects.filter(problem__in=problems).only("pk", "n_steps", "meta"))
    _let_go(items, now)
    _empty_items(items, reason)
    _empty_solutions(solutions)
    _empty_said([solution.pk for solution in solutions], [one.pk for one in items], by, now)
    _empty_units(Unit.objects.filter(run__project=project, problem__in=problems))
    _empty_problems(problems, now)
    transaction.on_commit(_forget_token_ids)
    taken = Taken(len(problems), len(solutions), len(items))
    for one in items:
        record(by, "take_down", project, item=one, because=reason)
    return taken


def _forget_token_ids() -> None:
    """Texts are kept as token ids too, by what is computed from them: nothing but time is lost with that file."""
    for path in Path(settings.DATA_DIR).glob("token-ids.sqlite3*"):
        path.unlink(missing_ok=True)


def _problems(problem: Problem, whole_group: bool) -> list[int]:
    rows = Problem.objects.filter(project=problem.project_id)
    rows = rows.filter(group=problem.group) if whole_group else rows.filter(pk=problem.pk)
    return sorted(rows.values_list("pk", flat=True))


def _lock(project: Project, problems: Sequence[int]) -> list[Item]:
    """Holders, assignments, items: the order of queue.py. Whoever submits at this moment is waited for."""
    ids = list(Item.objects.filter(solution__problem__in=problems).values_list("pk", flat=True))
    held = Assignment.objects.filter(item__in=ids)
    raters = held.filter(state__in=OPEN_STATES).values_list("rater", flat=True)
    holders = Membership.objects.filter(project=project, rater__in=list(raters)).order_by("pk")
    list(holders.select_for_update(no_key=True, of=("self",)))
    list(held.order_by("lease_until", "id").select_for_update(no_key=True, of=("self",)))
    return list(queue.lock_items(ids))


def _let_go(items: Sequence[Item], now: datetime) -> None:
    """Claims, running or run out, end as skipped; what was committed or taken back counts as submitted."""
    ids = [item.pk for item in items]
    for mine in Assignment.objects.filter(item__in=ids, state__in=OPEN_STATES):
        if mine.state == AssignmentState.COMMITTED or mine.reopened:
            close(mine, now)
    left = Assignment.objects.filter(
        item__in=ids, state__in=[AssignmentState.CLAIMED, AssignmentState.EXPIRED]
    )
    ended = list(left.values_list("pk", flat=True))
    rows = list(Assignment.objects.filter(item__in=ids).only("pk", "draft", "draft_version", "skip_reason"))
    for row in rows:
        row.draft = {name: value for name, value in row.draft.items() if name in KEPT_DRAFT}
        row.draft_version += 1
        row.skip_reason = TAKEN_DOWN if row.skip_reason or row.pk in ended else ""
    Assignment.objects.bulk_update(rows, ["draft", "draft_version", "skip_reason"], batch_size=AT_ONCE)
    Assignment.objects.filter(pk__in=ended).update(state=AssignmentState.SKIPPED, assigned=False)
    queue.count_slots(ids)
    decide_items(items)


def _empty_items(items: Sequence[Item], reason: str) -> None:
    rows = Item.objects.filter(pk__in=[item.pk for item in items])
    rows.update(retired=True, held=True, held_because=reason)


def _empty_solutions(solutions: Sequence[Solution]) -> None:
    """As many empty steps as there were: every label still stands beside one."""
    for solution in solutions:
        solution.steps, solution.extra = [""] * solution.n_steps, ""
        solution.meta = without_text(solution.meta)
    Solution.objects.bulk_update(solutions, ["steps", "extra", "meta"], batch_size=AT_ONCE)


def _empty_problems(problems: Sequence[int], now: datetime) -> None:
    rows = list(Problem.objects.filter(pk__in=problems).only("pk", "meta"))
    for row in rows:
        row.text, row.answer, row.taken_down_at = "", None, now
        row.meta = without_text(row.meta)
    Problem.objects.bulk_update(rows, ["text", "answer", "meta", "taken_down_at"], batch_size=AT_ONCE)


def _empty_said(solutions: Sequence[int], items: Sequence[int], by: Actor, now: datetime) -> None:
    """What machines and people said about the texts."""
    for some in _parts(solutions):
        Annotation.objects.filter(solution__in=some).update(note="", extra="")
        Injection.objects.filter(Q(child__in=some) | Q(parent__in=some)).update(reason="")
        Finding.objects.filter(solution__in=some).update(detail="")
        _empty_units(Unit.objects.filter(solution__in=some))
        _empty_units(
            Unit.objects.filter(
                pk__in=Solution.objects.filter(pk__in=some, unit__isnull=False).values("unit")
            )
        )
    for some in _parts(items):
        asked = Question.objects.filter(item__in=some)
        asked.filter(answered_at__isnull=True).update(answered_at=now, answered_by=by.user)
        asked.update(text="", answer="")
        _empty_events(Event.objects.filter(item__in=some))


def _empty_units(units: QuerySet[Unit]) -> None:
    """What was sent for and came back about them; that it was, that it failed, and what it cost, stays."""
    calls = Call.objects.filter(unit__in=units)
    calls.update(reply="")
    calls.exclude(error="").update(error=TAKEN_DOWN)
    units.update(result="", error="")


def _empty_events(events: QuerySet[Event]) -> None:
    rows = [event for event in events.only("pk", "data") if any(event.data.get(name) for name in TOLD)]
    for row in rows:
        row.data = {name: "" if name in TOLD else value for name, value in row.data.items()}
    Event.objects.bulk_update(rows, ["data"], batch_size=AT_ONCE)


def without_text(value: Any, name: str = "") -> Any:
    """JSON without text but for short values of KEPT_META; numbers and truth values stay, places in lists too."""
    if isinstance(value, dict):
        return {key: without_text(entry, key) for key, entry in value.items()}
    if isinstance(value, list):
        return [without_text(entry, name) for entry in value]
    if isinstance(value, str):
        return value if name in KEPT_META and len(value) <= LONGEST_META else ""
    return value


def _parts(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
