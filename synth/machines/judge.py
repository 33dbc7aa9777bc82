"""The judge on a project: where is the first error?"""

from typing import Any

from annotator.actions import machine_rows
from annotator.actions.machine_rows import Judged as Row
from annotator.core.labels import UNJUDGED
from annotator.models import RaterKind, Run, Unit
from synth.machines import judging
from synth.machines.machine import Machine, Stored, how_of
from synth.methods import judge
from synth.methods.asks import Steps


def begin(run: Run, unit: Unit) -> Steps[Any]:
    how = how_of(judge.JudgeHow, run.params)
    return judge.judge(judging.question_of(unit), judging.solution_of(unit).steps, how)


def store(run: Run, unit: Unit, outcome: judge.Judged | judge.Unparsed) -> Stored:
    solution = judging.solution_of(unit)
    assert run.rater  # noqa: S101  (a judge's run has one)
    if isinstance(outcome, judge.Unparsed):
        nothing = Row(UNJUDGED * solution.n_steps, is_parsed=False)
        machine_rows.annotate(unit, run.rater, solution, nothing)
        return judging.unparsed(outcome.reasons, outcome.raw)
    said = "\n\n".join(f"Step {n}. {text}" for n, text in enumerate(outcome.analyses, 1))
    machine_rows.annotate(unit, run.rater, solution, Row(outcome.labels, note=said))
    evidence = {
        "first_error": outcome.first_error,
        "analyses": list(outcome.analyses),
        "repaired": outcome.repaired,
    }
    return Stored("error found" if outcome.first_error >= 0 else "no error", evidence)


MACHINE = Machine(
    method="judge",
    about="Reads each solution step by step and stops at the first error.",
    how=judge.JudgeHow,
    needs_endpoint=True,
    rater_kind=RaterKind.JUDGE,
    choices=judging.CHOICES,
    spec=lambda params: judge.spec(how_of(judge.JudgeHow, params), params["model"]),
    expect=judging.expect_all,
    plan=judging.plan_all,
    begin=begin,
    most_calls=lambda params, unit: 2,
    store=store,
)
