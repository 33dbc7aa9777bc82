"""What methods share that label the steps of solutions that are here: a unit for each one they have not judged yet."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from annotator.actions import machine_rows
from annotator.models import Project, Rater, Run, Solution, Unit
from annotator.runs import NewUnit
from synth.machines import subjects
from synth.machines.machine import Expected, Planned, Stored, expected

CHOICES = (subjects.ALL, subjects.ITEMS, subjects.SAMPLES)
UNPARSED = "unparsed"


def plan(rows: QuerySet[Solution], rater: Rater | None, after: int) -> Iterator[Planned]:
    """A unit for each solution that this rater has not judged. rater: None while nothing is started yet."""
    wanted = machine_rows.unjudged(rows, rater) if rater else rows
    for solution in subjects.in_order(wanted, after):
        kind = str(solution.meta.get("source", ""))[:40]
        yield solution.pk, [NewUnit(f"solution:{solution.pk}", solution.pk, solution.problem_id, kind)]


def plan_all(run: Run, after: int) -> Iterator[Planned]:
    return plan(subjects.solutions(run.project, run.params["which"]), run.rater, after)


def expect_all(project: Project, params: Mapping[str, Any], rater: Rater | None) -> Expected:
    return expect(subjects.solutions(project, params["which"]), rater)


def expect(rows: QuerySet[Solution], rater: Rater | None, *left_out: tuple[int, str]) -> Expected:
    """left_out: what is none of these rows, and why."""
    n = rows.count()
    new = machine_rows.unjudged(rows, rater).count() if rater else n
    return expected(new, *left_out, (n - new, "that it has judged before"))


def solution_of(unit: Unit) -> Solution:
    """The unit's solution, its project and problem loaded."""
    if unit.solution is None:
        raise ValueError(f"the unit {unit.key} has no solution")
    return unit.solution


def question_of(unit: Unit) -> str:
    return solution_of(unit).problem.text


def unparsed(reasons: tuple[str, ...], raw: str) -> Stored:
    """A reply that could not be read is kept and counted, and says nothing of any step."""
    return Stored(UNPARSED, {"reasons": list(reasons), "raw": raw})
