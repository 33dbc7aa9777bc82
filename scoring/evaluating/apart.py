"""One rater of a project beside another: how far their scores are apart, and where they say different things."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from annotator.core.labels import NEUTRAL, RIGHT, WRONG
from annotator.models import Project, Rater, RaterKind
from scoring.evaluating import rules
from scoring.evaluating.measure import Measuring, Report, asked_of, cases_of, pks
from scoring.evaluating.profiles import questions_of
from scoring.evaluating.said import (
    STORED,
    Cut,
    Said,
    first_of,
    is_blind,
    load,
    name_of,
    prediction,
    predictions,
)
from scoring.evaluating.truths import GOLD, RELEASED, SAME
from scoring.metrics import comparison
from scoring.metrics.comparison import OVERALL

MARKS: Final = WRONG + NEUTRAL + RIGHT


class Side(NamedTuple):
    """A rater, where its scores are cut, and what it said."""

    rater: Rater
    cut: Cut
    said: Mapping[int, Said]


def side(project: Project, rater: Rater, cut: Cut = STORED, labels: str = GOLD) -> Side:
    """labels: those that it is held against."""
    return Side(rater, cut, load(project, rater, blind=rater.kind == RaterKind.REVIEWER and is_blind(labels)))


def compare(by: Measuring, a: Side, b: Side, labels: str, draws: int) -> Report:
    """Both on what both labelled. labels: RELEASED, GOLD or SAME."""
    asked = by.truth.of(labels)
    mine, other = (_given(by.asked_of(one.rater, one.said, labels), one.said) for one in (a, b))
    both = [entry for entry in asked if id(entry) in mine and id(entry) in other]
    counted = {id(entry) for entry in asked_of(asked)}
    return {
        "a": name_of(a.rater),
        "b": name_of(b.rater),
        "labels": RELEASED if labels == SAME else labels,
        "reading": by.reading,
        "n_items": len(asked_of(both)),
        "n_only_a": len((mine - other) & counted),
        "n_only_b": len((other - mine) & counted),
        **differences(by, both, a, b, draws),
    }


def _given(asked: Collection[Any], said: Mapping[int, Said]) -> set[int]:
    return {id(entry) for pk, entry in pks(list(asked)) if pk in said}


def differences(by: Measuring, both: list[Any], a: Side, b: Side, draws: int) -> Report:
    """{"overall": D, "parts": {kind, subset or dataset: D}}."""
    if not asked_of(both):
        return {OVERALL: comparison.NOTHING, "parts": {}}
    if by.benchmark == "prmbench":
        told = [predictions(one.said, one.cut) for one in (a, b)]
        return comparison.prmbench(both, told[0], told[1], by.reading, draws)
    if by.benchmark == "processbench":
        cases = [cases_of(both, one.said, one.cut) for one in (a, b)]
        return comparison.of_processbench(cases[0], cases[1], draws)
    questions = [questions_of(both, one.said) for one in (a, b)]
    first = (rules.aggregate(a.rater), rules.aggregate(b.rater))
    return comparison.of_best_of_n(questions[0], questions[1], draws, first)


def moved_by(by: Measuring, one: Side, draws: int) -> Any:
    """How one rater's score moves from the released labels to gold, over the same solutions and steps: D with a
    for gold and b for released."""
    gold, released = (
        [entry for entry in by.truth.of(name) if int(entry.id) in one.said] for name in (GOLD, SAME)
    )
    there = {entry.id for entry in gold} & {entry.id for entry in released}
    sides = [[entry for entry in some if entry.id in there] for some in (gold, released)]
    if not asked_of(sides[0]):
        return comparison.NOTHING
    if by.benchmark == "prmbench":
        told = predictions(one.said, one.cut)
        return comparison.two_truths(sides[0], sides[1], told, by.reading, draws)[OVERALL]
    cases = [cases_of(some, one.said, one.cut) for some in sides]
    return comparison.of_processbench(cases[0], cases[1], draws)[OVERALL]


def confusion(a: Side, b: Side) -> Report:
    """Steps that both judge: {"marks", "table" (rows: a), "n_solutions", "n_steps", "first_error": how often both
    name the same first wrong step, in percent, None where never both name one}."""
    table = [[0] * len(MARKS) for _ in MARKS]
    shared = a.said.keys() & b.said.keys()
    firsts = []
    for pk in shared:
        one, other = prediction(a.said[pk], a.cut), prediction(b.said[pk], b.cut)
        for x, y in zip(one.validity, other.validity, strict=False):
            if x in MARKS and y in MARKS:
                table[MARKS.index(x)][MARKS.index(y)] += 1
        first, second = first_of(a.said[pk], a.cut), first_of(b.said[pk], b.cut)
        firsts += [first == second] if first is not None and second is not None else []
    return {
        "marks": MARKS,
        "table": table,
        "n_solutions": len(shared),
        "n_steps": sum(map(sum, table)),
        "first_error": 100 * sum(firsts) / len(firsts) if firsts else None,
    }
