"""One item as a lead reads it: steps against raters, what people answered, and what happened."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import QuerySet

from annotator import audit, blinding
from annotator.actions.adjudicate import CAUSES, SETTLES, adjudication_of
from annotator.core import align
from annotator.core.judgement import VERDICTS
from annotator.core.labels import UNJUDGED
from annotator.models import Annotation, Assignment, Event, Injection, Item, Phase, Question, Solution
from annotator.views import item_alternatives, words
from annotator.views.review_reveal import Found, found_in

N_EVENTS = 200
ASKED = {"claim": "Claim", "original": "Original", "kind": "Kind", "right": "Right", "different": "Different"}
PHASE_ORDER = list(Phase)

Own = list[dict[str, str]]  # a project's own error types
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
    """What a rater says of a step; `before` where they said something else while blind; `is_bulk`: in one act with
    other steps; `score`: a model's, where it gave one."""

    rater: str
    mark: words.Mark
    types: list[str]
    before: words.Mark | None = None
    types_before: Sequence[str] = ()
    is_bulk: bool = False
    score: float | None = None


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
    pairs = pairs_of(solution, injection)
    own = item.project.error_types
    asked = _asked(item)
    return {
        "item": item,
        "kind": words.kind_title(item.error_type, own),
        "look": words.decision_look(item),
        "adjudication": adjudication_of(item),
        "causes": CAUSES,
        "can_settle": item.decision in SETTLES,
        "solution": solution,
        "problem": solution.problem,
        "question": question_of(solution),
        "meta": [*solution.problem.meta.items(), *solution.meta.items()],
        "injection": injection,
        "has_original": solution.parent is not None,
        "changes": align.describe(pairs) if solution.parent else "",
        "ratings": ratings,
        "people": [rating for rating in ratings if rating.is_person],
        "asked": [ASKED.get(name, name.capitalize()) for name in asked],
        "answered": [
            (rating, _answers(rating, asked, own), words.saw(rating.last, item.protocol))
            for rating in ratings
            if rating.is_person
        ],
        "rows": _rows(solution, pairs, ratings, own),
        "alternatives": item_alternatives.rated(item),
        "edits": _edits(ratings, solution),
        "findings": _findings(solution),
        "assignments": _assignments(item),
        "questions": list(Question.objects.filter(item=item).select_related("asked_by", "answered_by")),
        "events": [audit.tell(event, shows_labels=True) for event in _events(item)],
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


def pairs_of(solution: Solution, injection: Injection | None) -> list[align.Pair]:
    """The stored alignment; one of equal steps where there is no original to show beside."""
    if injection and injection.alignment:
        return align.beside(align.load(injection.alignment))
    if solution.parent:
        return align.beside(align.align(solution.parent.steps, solution.steps))
    return [align.Pair(align.Op.EQUAL, None, position) for position in range(solution.n_steps)]


def _asked(item: Item) -> list[str]:
    """The questions of the item's protocol; the kind goes with the claim."""
    asked = VERDICTS.get(item.protocol, {})
    return [*asked, *(["kind"] if "claim" in asked else [])]


def _answers(rating: Rating, asked: Iterable[str], own: Own) -> list[str]:
    given = rating.last.verdict or {}
    said = {**given, "kind": words.kind_title(given["kind"], own)} if given.get("kind") else given
    return [said.get(name, "") for name in asked]


def _rows(solution: Solution, pairs: Iterable[align.Pair], ratings: Sequence[Rating], own: Own) -> list[Row]:
    rows = aligned(solution.parent.steps if solution.parent else [], solution.steps, pairs)
    for row in rows:
        if row.number is not None:
            row.cells = [_cell(rating, row.number - 1, own) for rating in ratings]
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


def _cell(rating: Rating, position: int, own: Own) -> Cell:
    mark, types = _said(rating.last, position, own)
    is_bulk = position in (rating.last.bulk or ())
    if rating.before is None or _said(rating.before, position, own) == (mark, types):
        return Cell(rating.name, mark, types, is_bulk=is_bulk, score=_score(rating.last, position))
    return Cell(rating.name, mark, types, *_said(rating.before, position, own), is_bulk)


def _score(annotation: Annotation, position: int) -> float | None:
    scores = annotation.scores or []
    return scores[position] if position < len(scores) else None


def _said(annotation: Annotation, position: int, own: Own) -> tuple[words.Mark, list[str]]:
    codes = (annotation.error_types or {}).get(str(position), [])
    label = annotation.labels[position] if position < annotation.n_steps else UNJUDGED
    return words.MARKS[label], [words.kind_title(code, own) for code in codes]


def question_of(solution: Solution) -> list[Piece]:
    """The problem, with what was changed in it."""
    text, parent = solution.problem.text, solution.problem.parent
    return align.word_diff(parent.text, text) if parent else [("equal", text)]


def _edits(ratings: Iterable[Rating], solution: Solution) -> list[Edit]:
    proposed = [(r.name, r.last.edited_solution) for r in ratings if r.last.edited_solution]
    return [
        Edit(by, child, aligned(solution.steps, child.steps, align.align(solution.steps, child.steps)))
        for by, child in proposed
    ]


class Code(NamedTuple):
    """A kind of finding in words, with all that are of it."""

    title: str
    explained: str
    places: list[Found]


def _findings(solution: Solution) -> list[Code]:
    """By code, in the order of the checks: what a code means is told once, however many steps have it."""
    found: dict[tuple[str, str], list[Found]] = {}
    for one in found_in(list(blinding.findings(solution))):
        found.setdefault((one.title, f"{one.meaning} {one.advice}"), []).append(one)
    return [Code(*words_for_it, places) for words_for_it, places in found.items()]


def _assignments(item: Item) -> list[Assignment]:
    rows = Assignment.objects.filter(item=item).select_related("rater").defer("draft")
    return list(rows.order_by("id"))


def _events(item: Item) -> list[Event]:
    return list(Event.objects.filter(item=item).select_related("actor").order_by("id")[:N_EVENTS])
