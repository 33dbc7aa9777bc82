"""Other right solutions of solved problems, PRMBench's ninth kind: people say whether each is right and differs."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotator.actions import machine_rows
from annotator.core.labels import MULTI_SOLUTIONS
from annotator.models import Project, Rater, RaterKind, Run, Unit
from annotator.runs import NewUnit
from synth.machines import injecting, subjects
from synth.machines.judging import question_of, solution_of
from synth.machines.machine import Expected, Machine, Planned, Stored, how_of
from synth.methods import alternatives
from synth.methods.alternatives import Alternatives, AlternativesHow
from synth.methods.asks import Steps


def plan(run: Run, after: int) -> Iterator[Planned]:
    """Without what this very rater has drawn for the same solution before."""
    for chunk in subjects.in_chunks(subjects.right_ones(run.project, run.params["which"]), after):
        made = injecting.made_by(run.rater, chunk)
        for solution in chunk:
            unit = NewUnit(f"solution:{solution.pk}", solution.pk, solution.problem_id, MULTI_SOLUTIONS)
            yield solution.pk, [] if (solution.pk, MULTI_SOLUTIONS) in made else [unit]


def expect(project: Project, params: Mapping[str, Any], rater: Rater | None) -> Expected:
    return injecting.expect(project, {**params, "kinds": [MULTI_SOLUTIONS]}, rater, "found right")


def begin(run: Run, unit: Unit) -> Steps[Alternatives]:
    solution = solution_of(unit)
    how = how_of(AlternativesHow, run.params)
    return alternatives.alternatives(question_of(unit), solution.steps, solution.problem.answer, how)


def store(run: Run, unit: Unit, outcome: Alternatives) -> Stored:
    assert run.rater  # noqa: S101
    parent, made = solution_of(unit), []
    for one in outcome.kept:
        row = machine_rows.Injected(
            one.draw.steps, MULTI_SOLUTIONS, question=None,
            meta={"generator": run.params["model"], "sample": one.draw.n, "likeness": round(one.likeness, 4)},
        )  # fmt: skip
        made.append(machine_rows.inject(unit, run.rater, parent, row).pk)
    dropped = [{"n": one.draw.n, "because": one.because, "likeness": one.likeness} for one in outcome.dropped]
    return Stored("stored" if made else "all dropped", {"solutions": made, "dropped": dropped})


MACHINE = Machine(
    method="alternatives",
    about="Draws other solutions of solved problems; wrong ones and near-copies are dropped.",
    how=AlternativesHow,
    needs_endpoint=True,
    rater_kind=RaterKind.INJECTOR,
    choices=injecting.CHOICES,
    spec=lambda params: alternatives.spec(how_of(AlternativesHow, params), params["model"]),
    expect=expect,
    plan=plan,
    begin=begin,
    most_calls=lambda params, unit: int(params["how"]["n"]),
    store=store,
)
