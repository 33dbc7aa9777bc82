"""N solutions of each problem: a Best-of-N set, its final answers checked where the answer is known."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotator.actions import machine_rows
from annotator.models import Problem, Project, Rater, Run, Unit
from annotator.runs import NewUnit
from synth.machines import subjects
from synth.machines.machine import Expected, Machine, Planned, Stored, how_of
from synth.methods import sample
from synth.methods.asks import Steps


def plan(run: Run, after: int) -> Iterator[Planned]:
    for problem in subjects.in_order(subjects.problems(run.project), after):
        yield (
            problem.pk,
            [NewUnit(f"problem:{problem.pk}", None, problem.pk, str(problem.meta.get("source", ""))[:40])],
        )


def expect(project: Project, params: Mapping[str, Any], rater: Rater | None) -> Expected:
    """All: each run draws a set of its own."""
    return Expected(subjects.problems(project).count(), 0)


def problem_of(unit: Unit) -> Problem:
    if unit.problem is None:
        raise ValueError(f"the unit {unit.key} has no problem")
    return unit.problem


def begin(run: Run, unit: Unit) -> Steps[Any]:
    problem = problem_of(unit)
    return sample.sample(problem.text, problem.answer, how_of(sample.SampleHow, run.params))


def store(run: Run, unit: Unit, outcome: sample.Sampled) -> Stored:
    """A solution for each draw that has steps; equal draws of one set stay apart by their place."""
    problem, places = problem_of(unit), []
    for draw in outcome.draws:
        if draw.steps:
            solution = machine_rows.sample(
                unit, problem, draw.steps, place=draw.n, response=draw.raw, meta=_meta(run, draw)
            )
            places.append(solution.pk)
    counts = {
        word: sum(draw.verdict == word for draw in outcome.draws) for word in ("right", "wrong", "undecided")
    }
    evidence = counts | {"solutions": places, "empty": len(outcome.draws) - len(places)}
    return Stored("stored" if places else "empty", evidence)


def _meta(run: Run, draw: sample.Draw) -> dict[str, Any]:
    known = {"right": True, "wrong": False}
    meta: dict[str, Any] = {"generator": run.params["model"], "seed": draw.seed}
    if draw.verdict in known:
        meta["final_answer_correct"] = known[draw.verdict]
    return meta | {"finish_reason": draw.finish_reason}


MACHINE = Machine(
    method="sample",
    about="Draws several solutions of each problem and checks their final answers.",
    how=sample.SampleHow,
    needs_endpoint=True,
    rater_kind="",
    choices=(),
    spec=lambda params: sample.spec(how_of(sample.SampleHow, params), params["model"]),
    expect=expect,
    plan=plan,
    begin=begin,
    most_calls=lambda params, unit: int(params["how"]["n"]),
    store=store,
)
