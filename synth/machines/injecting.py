"""What the injectors share, models and rules alike: a unit for each right solution and kind of error."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from annotator import errors
from annotator.actions import machine_rows
from annotator.core.labels import ERROR_TYPES
from annotator.models import Injection, Project, Rater, Run, Solution, Unit
from annotator.runs import NewUnit
from synth.machines import subjects
from synth.machines.judging import solution_of
from synth.machines.machine import Expected, Planned, Stored, expected
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
    for chunk in subjects.in_chunks(rows, after):
        made = made_by(run.rater, chunk)
        for solution in chunk:
            units = [
                NewUnit(f"solution:{solution.pk}/{kind}", solution.pk, solution.problem_id, kind)
                for kind in run.params["kinds"]
                if (solution.pk, kind) not in made
            ]
            yield solution.pk, units


def made_by(rater: Rater | None, parents: Sequence[Solution]) -> set[tuple[int | None, str]]:
    """Of which of these solutions it has made which kinds before: (solution, kind)."""
    rows = Injection.objects.filter(parent__in=parents, rater=rater)
    return set(rows.values_list("parent", "error_type")) if rater else set()


def expect(
    project: Project, params: Mapping[str, Any], rater: Rater | None, not_right: str = "found wholly right"
) -> Expected:
    rows = subjects.right_ones(project, params["which"])
    n, every = rows.count(), subjects.whole(project).filter(injection=None).count()
    made = _n_made(rater, rows, params["kinds"]) if rater else 0
    return expected(
        n * len(params["kinds"]) - made,
        (every - n, f"solutions that nobody has {not_right}"),
        (made, "that it has made before"),
    )


def _n_made(rater: Rater, rows: QuerySet[Solution], kinds: Sequence[str]) -> int:
    parents = rows.order_by().values("pk")
    found = Injection.objects.filter(parent__in=parents, rater=rater, error_type__in=kinds)
    return found.order_by().values("parent", "error_type").distinct().count()


def store(run: Run, unit: Unit, outcome: Injected | Rejected) -> Stored:
    if isinstance(outcome, Rejected):
        reasons = [
            {"code": one.code, "position": one.position, "detail": one.detail} for one in outcome.reasons
        ]
        first = f": {outcome.reasons[0].code}" if outcome.reasons else ""
        return Stored(f"rejected{first}"[:30], {"reasons": reasons, "raw": outcome.raw})
    assert run.rater  # noqa: S101  (an injector's run has one)
    parent = solution_of(unit)
    made = machine_rows.Injected(
        outcome.steps, outcome.error_type, outcome.claimed_changed, outcome.claimed_wrong, outcome.reason,
        question=outcome.question, meta=_meta(run, parent),
    )  # fmt: skip
    child = machine_rows.inject(unit, run.rater, parent, made)
    evidence = {"solution": child.pk, "repaired": outcome.repaired, "remarks": _remarks(parent, outcome)}
    if child.unit_id != unit.pk:  # made before by another: its claim stands there, this one's here
        return Stored("known before", evidence | {"claim": _claim(outcome)})
    return Stored("stored", evidence)


def _remarks(parent: Solution, outcome: Injected) -> list[str]:
    """What is worth knowing and no reason to reject: another last step, another length, another question."""
    return [
        injections.title(one.code) for one in injections.remarks(parent.problem.text, parent.steps, outcome)
    ]


def _claim(outcome: Injected) -> dict[str, Any]:
    names = ("error_type", "claimed_changed", "claimed_wrong", "reason")
    return {name: getattr(outcome, name) for name in names}


def _meta(run: Run, parent: Solution) -> dict[str, Any]:
    source = parent.meta.get("source") or parent.problem.meta.get("source")
    return {"injector": str(run.rater)} | ({"source": source} if source else {})
