"""What the injectors share, models and rules alike: a unit for each right solution and kind of error."""

from collections.abc import Iterator, Mapping
from typing import Any

from annotator import errors
from annotator.actions import machine_rows
from annotator.core.labels import ERROR_TYPES
from annotator.models import Injection, Project, Run, Solution, Unit
from annotator.runs import NewUnit
from synth.machines import subjects
from synth.machines.judging import solution_of
from synth.machines.machine import Expected, Planned, Stored
from synth.methods import injections
from synth.methods.injections import Injected, Rejected

CHOICES = (subjects.LABELLED, subjects.ANSWERED)
KINDS = tuple(kind.code for kind in ERROR_TYPES)


def kinds_in(allowed: tuple[str, ...]) -> Any:
    """Reads which kinds are asked for: a list, or a text with commas; nothing: all that are allowed."""

    def parse(given: Any) -> list[str]:
        asked = given.replace(",", " ").split() if isinstance(given, str) else _listed(given or allowed)
        unknown = [kind for kind in asked if kind not in allowed]
        if unknown or not asked:
            message = f"Choose from {', '.join(allowed)}; {', '.join(map(str, unknown)) or 'nothing'} is none of them."
            raise errors.Invalid(message, field="kinds")
        return [kind for kind in allowed if kind in asked]

    return parse


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def plan(run: Run, after: int) -> Iterator[Planned]:
    """Without what this very rater has made before of the same solution."""
    rows = subjects.right_ones(run.project, run.params["which"])
    for solution in subjects.in_order(rows, after):
        made = _made(run, solution)
        units = [
            NewUnit(f"solution:{solution.pk}/{kind}", solution.pk, solution.problem_id, kind)
            for kind in run.params["kinds"]
            if kind not in made
        ]
        yield solution.pk, units


def _made(run: Run, solution: Solution) -> set[str]:
    rows = Injection.objects.filter(parent=solution, rater=run.rater)
    return set(rows.values_list("error_type", flat=True)) if run.rater else set()


def expect(project: Project, params: Mapping[str, Any]) -> Expected:
    n = subjects.right_ones(project, params["which"]).count()
    every = subjects.present(project).filter(injection=None).count()
    return Expected(n * len(params["kinds"]), every - n, "solutions that nobody has found wholly right")


def store(run: Run, unit: Unit, outcome: Injected | Rejected) -> Stored:
    if isinstance(outcome, Rejected):
        reasons = [
            {"code": one.code, "position": one.position, "detail": one.detail} for one in outcome.reasons
        ]
        first = injections.title(outcome.reasons[0].code) if outcome.reasons else "rejected"
        return Stored(f"rejected: {first}"[:30], {"reasons": reasons, "raw": outcome.raw})
    assert run.rater  # noqa: S101  (an injector's run has one)
    parent = solution_of(unit)
    made = machine_rows.Injected(
        outcome.steps, outcome.error_type, outcome.claimed_changed, outcome.claimed_wrong, outcome.reason,
        question=outcome.question, meta=_meta(run, parent),
    )  # fmt: skip
    child = machine_rows.inject(unit, run.rater, parent, made)
    if (
        child.unit_id != unit.pk
    ):  # the very same was made before: the claim is kept here, and the labels beside its own
        return Stored("known before", {"solution": child.pk, "claim": _claim(outcome)})
    return Stored("stored", {"solution": child.pk, "repaired": outcome.repaired})


def _claim(outcome: Injected) -> dict[str, Any]:
    names = ("error_type", "claimed_changed", "claimed_wrong", "reason")
    return {name: getattr(outcome, name) for name in names}


def _meta(run: Run, parent: Solution) -> dict[str, Any]:
    source = parent.meta.get("source") or parent.problem.meta.get("source")
    return {"injector": str(run.rater)} | ({"source": source} if source else {})
