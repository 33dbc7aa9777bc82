"""A language model puts errors into correct solutions, one of each kind asked for."""

from typing import Any

from annotator.models import RaterKind, Run, Unit
from synth.machines import injecting
from synth.machines.judging import question_of, solution_of
from synth.machines.machine import Machine, how_of
from synth.methods import inject
from synth.methods.asks import Steps
from synth.methods.inject import InjectHow


def begin(run: Run, unit: Unit) -> Steps[Any]:
    return inject.inject(question_of(unit), solution_of(unit).steps, unit.kind, how_of(InjectHow, run.params))


MACHINE = Machine(
    method="inject",
    about="Puts an error of each kind into correct solutions. What breaks the rules is repaired once, then rejected.",
    how=InjectHow,
    needs_endpoint=True,
    rater_kind=RaterKind.INJECTOR,
    choices=injecting.CHOICES,
    spec=lambda params: inject.spec(how_of(InjectHow, params), params["model"]),
    expect=injecting.expect,
    plan=injecting.plan,
    begin=begin,
    most_calls=lambda params, unit: 2,
    store=injecting.store,
    more={"kinds": injecting.kinds_in(injecting.KINDS)},
)
