"""One item as a lead reads it: steps against raters, what people answered, and what happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import QuerySet

from annotator import blinding
from annotator.core import align
from annotator.core.labels import ERROR_TYPES, UNJUDGED
from annotator.models import Annotation, Assignment, Event, Injection, Item, Phase, Question, Solution
from annotator.views import words
from annotator.views.review_reveal import found_in

N_EVENTS = 200
TITLES = {kind.code: kind.title for kind in ERROR_TYPES}
PHASE_ORDER = list(Phase)

Piece = tuple[str, str]  # "equal" | "insert" | "delete", text


@dataclass
class Rating:
    """A rater's column. `before` is the blind annotation where `last`, made after the reveal, replaced it."""

    name: str
    kind: str
    last: Annotation
    before: Annotation | None = None

    @property
    def is_person(self) -> bool:
        return self.last.assignment_id is not None or self.last.phase != Phase.MACHINE


class Cell(NamedTuple):
    """What a rater says of a step; `before` where they said something else while blind."""

    rater: str
    mark: words.Mark
    types: list[str]
    before: words.Mark | None = None
    types_before: Sequence[str] = ()


@dataclass
class Row:
    """A step, numbered from 1, beside the original's. One side is None where a step is new or gone."""

    op: str
    number: int | None
    new: list[Piece]
    old_number: int | None
    old: list[Piece]
    cells: list[Cell] = field(default_factory=list)


class Edit(NamedTuple):
    """Steps that a reviewer proposes, beside those they were shown."""

    by: str
    solution: Solution
    rows: list[Row]


def load(project_id: int, item_id: int) -> Item | None:
    rows = Item.objects.select_related(
        "solution__problem__parent", "solution__parent__problem", "solution__injection__rater", "gold__rater"
    )
    return rows.filter(project=project_id, pk=item_id).first()


def context(item: Item) -> dict[str, Any]:
    """Everything the item's page shows, in a fixed number of queries."""
    solution = item.solution
    injection: Injection | None = getattr(solution, "injection", None)
    ratings = _ratings(_annotations(solution))
    pairs = _pairs(solution, injection)
    return {
        "item": item,
        "kind": words.kind_title(item.error_type),
        "look": words.decision_look(item),
        "solution": solution,
        "problem": solution.problem,
        "question": _question(solution),
        "meta": [*solution.problem.meta.items(), *solution.meta.items()],
        "injection": injection,
        "has_original": solution.parent is not None,
        "changes": align.describe(pairs) if solution.parent else "",
        "ratings": ratings,
        "people": [rating for rating in ratings if rating.is_person],
        "rows": _rows(solution, pairs, ratings),
        "edits": _edits(ratings, solution),
        "findings": found_in(list(blinding.findings(solution))),
        "assignments": _assignments(item),
        "questions": list(Question.objects.filter(item=item).select_related("asked_by", "answered_by")),
        "events": [_told(event) for event in _events(item)],
    }


def _annotations(solution: Solution) -> QuerySet[Annotation]:
    rows = Annotation.objects.filter(solution=solution, superseded_at__isnull=True)
    return rows.select_related("rater", "assignment", "guideline", "edited_solution").order_by("id")


def _ratings(annotations: Iterable[Annotation]) -> list[Rating]:
    """People first, then machines. A revealed annotation joins the blind one of the same rater."""
    found: dict[tuple[int, bool], Rating] = {}
    for row in annotations:
        key = row.rater_id, row.phase == Phase.ADJUDICATION
        if key in found and row.phase == Phase.REVEALED:
            found[key].before, found[key].last = found[key].last, row
        else:
            found[key] = Rating(row.rater.name, row.rater.kind, row)
    return sorted(
        found.values(), key=lambda r: (not r.is_person, PHASE_ORDER.index(Phase(r.last.phase)) == 2)
    )


def _pairs(solution: Solution, injection: Injection | None) -> list[align.Pair]:
    """The stored alignment; one of equal steps where there is no original to show beside."""
    if injection and injection.alignment:
        return align.beside(align.load(injection.alignment))
    if solution.parent:
        return align.beside(align.align(solution.parent.steps, solution.steps))
    return [align.Pair(align.Op.EQUAL, None, position) for position in range(solution.n_steps)]


def _rows(solution: Solution, pairs: Iterable[align.Pair], ratings: Sequence[Rating]) -> list[Row]:
    rows = aligned(solution.parent.steps if solution.parent else [], solution.steps, pairs)
    for row in rows:
        if row.number is not None:
            row.cells = [_cell(rating, row.number - 1) for rating in ratings]
    return rows


def aligned(old: Sequence[str], new: Sequence[str], pairs: Iterable[align.Pair]) -> list[Row]:
    return [
        Row(
            pair.op.value,
            None if pair.new is None else pair.new + 1,
            [piece for piece in pieces if piece[0] != "delete"],
            None if pair.old is None else pair.old + 1,
            [piece for piece in pieces if piece[0] != "insert"],
        )
        for pair in pairs
        for pieces in [_pieces(old, new, pair)]
    ]


def _pieces(old: Sequence[str], new: Sequence[str], pair: align.Pair) -> list[Piece]:
    was = "" if pair.old is None else old[pair.old]
    return align.pieces(pair.op, was, "" if pair.new is None else new[pair.new])


def _cell(rating: Rating, position: int) -> Cell:
    mark, types = _said(rating.last, position)
    if rating.before is None or _said(rating.before, position) == (mark, types):
        return Cell(rating.name, mark, types)
    return Cell(rating.name, mark, types, *_said(rating.before, position))


def _said(annotation: Annotation, position: int) -> tuple[words.Mark, list[str]]:
    codes = (annotation.error_types or {}).get(str(position), [])
    label = annotation.labels[position] if position < annotation.n_steps else UNJUDGED
    return words.MARKS[label], [TITLES.get(code, code) for code in codes]


def _question(solution: Solution) -> list[Piece]:
    """The problem, with what was changed in it."""
    text, parent = solution.problem.text, solution.problem.parent
    return align.word_diff(parent.text, text) if parent else [("equal", text)]


def _edits(ratings: Iterable[Rating], solution: Solution) -> list[Edit]:
    proposed = [(r.name, r.last.edited_solution) for r in ratings if r.last.edited_solution]
    return [
        Edit(by, child, aligned(solution.steps, child.steps, align.align(solution.steps, child.steps)))
        for by, child in proposed
    ]


def _assignments(item: Item) -> list[Assignment]:
    rows = Assignment.objects.filter(item=item).select_related("rater").defer("draft")
    return list(rows.order_by("id"))


def _events(item: Item) -> list[Event]:
    return list(Event.objects.filter(item=item).select_related("actor").order_by("id")[:N_EVENTS])


class Told(NamedTuple):
    """An event in words."""

    event: Event
    who: str
    what: str


SAID = {
    "submit": "submitted {labels}",
    "skip": "skipped it: {reason}",
    "reopen": "took their submission back",
    "ask": "asked a question",
    "answer": "answered a question: {answer}",
    "hold": "held it: {because}",
    "release": "released it: {because}",
    "look": "looked at everybody's labels",
    "set_wanted": "asked for {n} reviewers: {because}",
    "set_priority": "set its priority to {n}",
    "assign": "assigned it to {to}",
    "unassign": "took it back from who had it assigned",
    "take_back": "took it back from {of}: {because}",
    "close": "closed what {of} had committed: {because}",
    "retire": "retired it: {because}",
    "take_down": "took its text down: {because}",
}


def _told(event: Event) -> Told:
    known = {key: value for key, value in event.data.items() if isinstance(value, str | int)}
    template = SAID.get(event.verb, event.verb.replace("_", " "))
    what = template.format_map(_Gaps(known))
    surplus = ", after enough others had" if event.data.get("surplus") else ""
    return Told(event, event.actor.get_username() if event.actor else "the server", what + surplus)


class _Gaps(dict[str, object]):
    """Missing words of a template, shown as a dash."""

    def __missing__(self, key: str) -> str:
        return "–"
