"""The critic on a project: two scores for every step, or the first error."""

from typing import Any

from annotator.actions import machine_rows
from annotator.actions.machine_rows import Judged
from annotator.core.labels import UNJUDGED
from annotator.models import RaterKind, Run, Unit
from synth.machines import judging
from synth.machines.machine import Machine, Stored, how_of
from synth.methods import critic
from synth.methods.asks import Steps
from synth.methods.critic import CriticHow, Criticised, Unparsed


def begin(run: Run, unit: Unit) -> Steps[Any]:
    how = how_of(CriticHow, run.params)
    return critic.critic(judging.question_of(unit), judging.solution_of(unit).steps, how)


def store(run: Run, unit: Unit, outcome: Criticised | Unparsed) -> Stored:
    solution = judging.solution_of(unit)
    assert run.rater  # noqa: S101  (a critic's run has one)
    if isinstance(outcome, Unparsed):
        machine_rows.annotate(unit, run.rater, solution, Judged(UNJUDGED * solution.n_steps, is_parsed=False))
        return judging.unparsed(outcome.reasons, outcome.raw)
    said = Judged(outcome.labels, outcome.scores, outcome.redundancy_labels, outcome.redundancy_scores)
    machine_rows.annotate(unit, run.rater, solution, said)
    evidence = {
        "first_error": outcome.first_error, "votes": [list(vote) for vote in outcome.votes],
        "n_read": outcome.n_read, "repaired": outcome.repaired,
    }  # fmt: skip
    return Stored("error found" if outcome.first_error >= 0 else "no error", evidence)


MACHINE = Machine(
    method="critic",
    about="Grades every step of each solution, or names the first error; the mean or the most of several draws.",
    how=CriticHow,
    needs_endpoint=True,
    rater_kind=RaterKind.CRITIC,
    choices=judging.CHOICES,
    spec=lambda params: critic.spec(how_of(CriticHow, params), params["model"]),
    expect=judging.expect_all,
    plan=judging.plan_all,
    begin=begin,
    most_calls=lambda params, unit: int(params["how"]["n"]) + 1,
    store=store,
)
