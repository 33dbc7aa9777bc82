"""Monte Carlo estimation on a project: from which steps on does a model still come to the right answer?

Needs a reference answer; a solution without one is left out and counted.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from annotator.actions import machine_rows
from annotator.actions.machine_rows import Judged
from annotator.models import Project, Rater, RaterKind, Run, Solution, Unit
from synth.machines import judging, subjects
from synth.machines.machine import Expected, Machine, Planned, Stored, how_of
from synth.methods import estimates, rollouts
from synth.methods.asks import Steps
from synth.methods.estimates import Estimate
from synth.methods.settings import spec


def answered(project: Project, which: str) -> QuerySet[Solution]:
    rows = subjects.solutions(project, which)
    return rows.exclude(problem__answer=None).exclude(problem__answer__regex=r"^\s*$")


def plan(run: Run, after: int) -> Iterator[Planned]:
    return judging.plan(answered(run.project, run.params["which"]), run.rater, after)


def expect(project: Project, params: Mapping[str, Any], rater: Rater | None) -> Expected:
    rows = answered(project, params["which"])
    without = subjects.solutions(project, params["which"]).count() - rows.count()
    return judging.expect(rows, rater, (without, "without a reference answer"))


def begin(run: Run, unit: Unit) -> Steps[Estimate]:
    solution = judging.solution_of(unit)
    answer = solution.problem.answer or ""
    return rollouts.rollouts(
        solution.problem.text, solution.steps, answer, how_of(rollouts.RolloutHow, run.params)
    )


def store(run: Run, unit: Unit, outcome: Estimate) -> Stored:
    """The hard labels, and the shares as scores where they are known of every step that was labelled."""
    assert run.rater  # noqa: S101
    labels, shares = estimates.labels(outcome), estimates.soft(outcome)
    known = all(share is not None for share in shares)
    scores = [share for share in shares if share is not None] if known else None
    machine_rows.annotate(unit, run.rater, judging.solution_of(unit), Judged(labels, scores))
    first = estimates.first_error(outcome)
    word = "error found" if first >= 0 else "no error" if first == -1 else "unknown"
    return Stored(word, estimates.dump(outcome) | {"first_error": first})


def most_calls(params: Mapping[str, Any], unit: Unit) -> int:
    return rollouts.most_draws(judging.solution_of(unit).steps, how_of(rollouts.RolloutHow, params))


MACHINE = Machine(
    method="rollout",
    about="Goes on from each step to a final answer several times: a step from which none is right is wrong.",
    how=rollouts.RolloutHow,
    needs_endpoint=True,
    rater_kind=RaterKind.ROLLOUTS,
    choices=judging.CHOICES,
    spec=lambda params: spec(how_of(rollouts.RolloutHow, params), params["model"]),
    expect=expect,
    plan=plan,
    begin=begin,
    most_calls=most_calls,
    store=store,
)
