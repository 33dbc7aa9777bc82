"""Rules put errors into correct solutions, without a model; honest about the kinds they cannot do."""

from collections.abc import Mapping
from typing import Any

from annotator import errors
from annotator.models import RaterKind, Run, Unit
from synth.machines import injecting
from synth.machines.injecting import store as store_injection
from synth.machines.judging import question_of, solution_of
from synth.machines.machine import Machine, Stored
from synth.methods import rules
from synth.methods.asks import Steps
from synth.methods.injections import Injected


def seed(given: Any) -> int:
    text = str(given if given is not None else 0)
    if not text.isdecimal() or len(text) > 10 or int(text) >= 2**31:
        raise errors.Invalid("Name a whole number from 0 on.", field="seed")
    return int(text)


def begin(run: Run, unit: Unit) -> Steps[Injected | None]:
    steps = solution_of(unit).steps
    return _made(rules.inject(question_of(unit), steps, unit.kind, run.params["seed"]))


def _made(outcome: Injected | None) -> Steps[Injected | None]:
    """It asks for nothing."""
    yield from ()
    return outcome


def store(run: Run, unit: Unit, outcome: Injected | None) -> Stored:
    if outcome is None:
        return Stored("does not fit", {})
    return store_injection(run, unit, outcome)


def spec(params: Mapping[str, Any]) -> dict[str, Any]:
    return rules.spec()  # a seed says which draw, not who draws


MACHINE = Machine(
    method="rules",
    about="Puts arithmetic slips, turned signs, repeated steps and the like into correct solutions. Needs no model.",
    how=None,
    needs_endpoint=False,
    rater_kind=RaterKind.INJECTOR,
    choices=injecting.CHOICES,
    spec=spec,
    expect=injecting.expect,
    plan=injecting.plan,
    begin=begin,
    most_calls=lambda params, unit: 0,
    store=store,
    more={"kinds": injecting.kinds_in(tuple(rules.KINDS)), "seed": seed},
)
