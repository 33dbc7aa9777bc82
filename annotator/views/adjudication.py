"""What the adjudication page shows, as plain values: each step against each reviewer, machines apart.

Reviewers are letters in an order drawn by the item, so that a lead judges what was said and not who said it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from annotator import blinding
from annotator.actions import adjudication_queue as queue
from annotator.actions.adjudicate import CAUSES, seen_version
from annotator.actions.decide import final_annotations
from annotator.core import align, kinds
from annotator.core import labels as lab
from annotator.core.judgement import VERDICTS
from annotator.core.labels import ErrorType
from annotator.core.sampling import shuffled
from annotator.models import Annotation, DecisionRule, FinishReason, Injection, Item, Membership
from annotator.views import words
from annotator.views.item_reading import Row as Aligned
from annotator.views.item_reading import aligned, pairs_of, question_of
from annotator.views.review_reveal import Found, found_in

CHOICES: Final = [
    (label, words.MARKS[label].sign, words.MARKS[label].word, look)
    for label, look in ((lab.RIGHT, "y"), (lab.NEUTRAL, "z"), (lab.WRONG, "x"), (lab.UNSURE, "q"))
]


class Said(NamedTuple):
    """What one rater says of a step."""

    at: int  # the column, 1-based
    who: str
    label: str
    mark: words.Mark
    types: list[str]
    codes: str


class Chip(NamedTuple):
    kind: ErrorType
    is_on: bool


class Choice(NamedTuple):
    label: str
    sign: str
    word: str
    look: str
    is_on: bool


@dataclass(frozen=True)
class Row:
    """A step of the solution, or (`step` None) one of the original that is gone. `differs`: the reviewers do."""

    shown: Aligned
    step: int | None
    said: Sequence[Said] = ()
    machines: Sequence[Said] = ()
    differs: bool = False
    choices: Sequence[Choice] = ()
    chips: Sequence[Chip] = ()


@dataclass(frozen=True)
class Column:
    at: int
    letter: str
    name: str
    row: Annotation
    answers: list[tuple[str, str]]

    @property
    def ended(self) -> str:
        return "" if FinishReason(self.row.finish_reason).judges else self.row.get_finish_reason_display()


@dataclass(frozen=True)
class Page:
    item: Item
    kind: str
    rule: str
    question: Any
    changes: str
    injection: Injection | None
    columns: list[Column]
    machines: list[str]
    rows: list[Row]
    found: list[Found]
    seen: str
    shows_names: bool
    others: list[str]
    causes: list[tuple[str, str]]
    entered: Mapping[str, Any]
    kinds: Sequence[ErrorType]

    @property
    def n_differing(self) -> int:
        return sum(row.differs for row in self.rows)

    @property
    def bulk(self) -> str:
        """The steps that the lead labels by no act of its own, with their labels: review_form.read says why."""
        return ",".join(f"{at}{self.entered['labels'][at]}" for at in self.entered["bulk"])

    @property
    def notes(self) -> list[Column]:
        return [column for column in self.columns if column.row.note or column.ended or column.answers]


def build(item: Item, by: Membership, entered: Mapping[str, Any] | None, shows_names: bool) -> Page:
    """`item`: with its solution, problem and injection. `entered`: labels, error_types, cause and reason as they
    were typed; without it the labels that all reviewers share are there to begin with."""
    injection: Injection | None = getattr(item.solution, "injection", None)
    pairs = pairs_of(item.solution, injection)
    finals = _drawn(item)
    columns = [_column(at, row, item, shows_names) for at, row in enumerate(finals, 1)]
    machines = list(blinding.machine_annotations(item.solution).filter(is_parsed=True))
    shared = common(finals, item.solution.n_steps)
    begun = entered or {
        "labels": shared,
        "error_types": common_types(finals),
        "bulk": [at for at, label in enumerate(shared) if label != lab.UNJUDGED],
    }
    named = kinds.error_types(item.project.error_types)
    return Page(
        item=item,
        kind=words.kind_title(item.error_type, item.project.error_types),
        rule=DecisionRule(item.project.decision_rule).label,
        question=question_of(item.solution),
        changes=align.describe(pairs) if item.solution.parent else "",
        injection=injection,
        columns=columns,
        machines=[row.rater.kind if _alone(row, machines) else row.rater.name for row in machines],
        rows=_rows(item, pairs, columns, machines, begun, named),
        found=found_in(list(blinding.findings(item.solution))),
        seen=seen_version(item),
        shows_names=shows_names,
        others=queue.others_at(by, item),
        causes=list(CAUSES.items()),
        entered=begun,
        kinds=named,
    )


def _drawn(item: Item) -> list[Annotation]:
    """The last words that decide, in an order that the item draws."""
    finals = {row.rater_id: row for row in final_annotations(item, whole=True)}
    return [finals[rater] for rater in shuffled(finals, item.pk)]


def common(finals: Sequence[Annotation], n_steps: int) -> str:
    """What all say of each step, unjudged where they differ."""
    if not finals:
        return lab.UNJUDGED * n_steps
    columns = zip(*(row.labels for row in finals), strict=True)
    return "".join(column[0] if len(set(column)) == 1 else lab.UNJUDGED for column in columns)


def common_types(finals: Sequence[Annotation]) -> dict[str, list[str]]:
    """The error types that all name, by 0-based step."""
    each = [row.error_types or {} for row in finals]
    first = each[0] if each else {}
    return {at: codes for at, codes in first.items() if all(types.get(at) == codes for types in each)}


def _alone(row: Annotation, rows: Sequence[Annotation]) -> bool:
    return sum(other.rater.kind == row.rater.kind for other in rows) == 1


def _column(at: int, row: Annotation, item: Item, shows_names: bool) -> Column:
    letter, given = blinding.letter_of(at - 1), row.verdict or {}
    asked = [*VERDICTS.get(item.protocol, {}), "kind"]
    said = (
        {**given, "kind": words.kind_title(given["kind"], item.project.error_types)}
        if given.get("kind")
        else given
    )
    name = row.rater.name if shows_names else letter
    return Column(
        at, letter, name, row, [(question, said[question]) for question in asked if said.get(question)]
    )


def _rows(
    item: Item,
    pairs: Sequence[align.Pair],
    columns: Sequence[Column],
    machines: Sequence[Annotation],
    begun: Mapping[str, Any],
    named: Sequence[ErrorType],
) -> list[Row]:
    solution = item.solution
    shown = aligned(solution.parent.steps if solution.parent else [], solution.steps, pairs)
    return [_row(one, item, columns, machines, begun, named) for one in shown]


def _row(
    shown: Aligned,
    item: Item,
    columns: Sequence[Column],
    machines: Sequence[Annotation],
    begun: Mapping[str, Any],
    named: Sequence[ErrorType],
) -> Row:
    if shown.number is None:
        return Row(shown, None)
    at = shown.number - 1
    said = [_said(column.at, column.name, column.row, at, item) for column in columns]
    chosen = begun["labels"][at]
    types = (begun["error_types"] or {}).get(str(at), ())
    return Row(
        shown,
        at,
        said,
        [_said(0, str(row.rater), row, at, item) for row in machines],
        len({(one.label, one.codes if one.label == lab.WRONG else "") for one in said}) > 1,
        [Choice(*choice, choice[0] == chosen) for choice in CHOICES],
        [Chip(kind, kind.code in types) for kind in named],
    )


def _said(column: int, who: str, row: Annotation, at: int, item: Item) -> Said:
    label = row.labels[at] if at < row.n_steps else lab.UNJUDGED
    codes = (row.error_types or {}).get(str(at), [])
    titles = [words.kind_title(code, item.project.error_types) for code in codes]
    return Said(column, who, label, words.MARKS[label], titles, " ".join(sorted(codes)))
