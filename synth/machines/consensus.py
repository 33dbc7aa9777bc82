"""Consensus of a judge and rollouts: what both say is kept, and what they say apart goes to people first.

The filter of arXiv 2501.07301, section 3.3. Where one of them is unparsed or does not know, nothing is said.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from annotator import errors
from annotator.actions import machine_rows
from annotator.actions.findings import PRIORITY
from annotator.actions.machine_rows import Judged
from annotator.models import Annotation, Phase, Project, Protocol, Rater, RaterKind, Run, Solution, Unit
from annotator.runs import NewUnit
from synth.machines import judging, subjects
from synth.machines.machine import Expected, Machine, Planned, Stored
from synth.methods import consensus
from synth.methods.asks import Steps

MAX_DIGITS = 19  # fewer digits than this fit the id column
QUEUES = {"apart": "those they disagree on", "all": "all, those they disagree on first", "none": "none"}


def rater_id(field: str, kinds: tuple[str, ...]) -> Any:
    def parse(given: Any) -> int:
        rows = Rater.objects.filter(kind__in=kinds)
        is_pk = str(given).isascii() and str(given).isdecimal() and len(str(given)) < MAX_DIGITS
        found = rows.filter(pk=given).first() if is_pk else _spelt(rows, str(given or ""))
        if found is None:
            kind = " or ".join(kinds)
            raise errors.Invalid(
                f"Name a rater as KIND:NAME whose kind is {kind}, such as {kinds[0]}:my-model.", field=field
            )
        return int(found.pk)

    return parse


def _spelt(rows: QuerySet[Rater], given: str) -> Rater | None:
    """The newest of that name: a changed prompt is another rater."""
    kind, _, name = given.partition(":")
    return rows.filter(kind=kind, name=name).order_by("-pk").first()


def queued(given: Any) -> str:
    if (given or "all") not in tuple(QUEUES):
        raise errors.Invalid(f"Choose {', '.join(QUEUES)}.", field="queue")
    return str(given or "all")


def both(project: Project, params: Mapping[str, Any]) -> QuerySet[Solution]:
    """Solutions that both have judged."""
    rows = subjects.solutions(project, params["which"])
    return rows.filter(*(Exists(_said(params[name], OuterRef("pk"))) for name in ("judge", "rollouts")))


def _said(rater: int, solution: Any) -> QuerySet[Annotation]:
    return Annotation.objects.filter(
        solution=solution, rater=rater, phase=Phase.MACHINE, superseded_at__isnull=True
    )


def plan(run: Run, after: int) -> Iterator[Planned]:
    """All anew each time: what a rater says of a solution may have changed since."""
    for solution in subjects.in_order(both(run.project, run.params), after):
        band = consensus.band(solution.n_steps)
        yield (
            solution.pk,
            [NewUnit(f"solution:{solution.pk}", solution.pk, solution.problem_id, f"{band} steps")],
        )


def expect(project: Project, params: Mapping[str, Any], rater: Rater | None) -> Expected:
    n = both(project, params).count()
    without = subjects.solutions(project, params["which"]).count() - n
    return Expected(n, without, "that not both have judged")


def begin(run: Run, unit: Unit) -> Steps[tuple[int | None, int | None]]:
    return _firsts(*(_first(run.params[name], unit) for name in ("judge", "rollouts")))


def _firsts(a: int | None, b: int | None) -> Steps[tuple[int | None, int | None]]:
    """It asks for nothing: both have said all there is."""
    yield from ()
    return a, b


def _first(rater: int, unit: Unit) -> int | None:
    """A rater's first error; None where its reply could not be read."""
    found = _said(rater, unit.solution_id).values_list("is_parsed", "first_error").first()
    return found[1] if found and found[0] else None


def store(run: Run, unit: Unit, outcome: tuple[int | None, int | None]) -> Stored:
    assert run.rater  # noqa: S101
    solution, (a, b) = judging.solution_of(unit), outcome
    word = consensus.compare(a, b)
    labels = consensus.labels(a, b, solution.n_steps)
    if labels is not None:
        machine_rows.annotate(unit, run.rater, solution, Judged(labels))
    else:
        machine_rows.withdraw(run.rater, solution)
    wrong_answer = solution.meta.get("final_answer_correct") is False
    if wrong_answer and -1 in (a, b):
        machine_rows.note(
            solution, "none_but_wrong", "The final answer is wrong, and yet no step is said to be."
        )
    if word == "apart" and run.params["queue"] != "none":
        machine_rows.queue_up(solution, Protocol.VERIFY_LABELS, priority=PRIORITY)
    elif word == "kept" and run.params["queue"] == "all":
        machine_rows.queue_up(solution, Protocol.VERIFY_LABELS)
    return Stored(word.replace("_", " "), {"judge": a, "rollouts": b})


def spec(params: Mapping[str, Any]) -> dict[str, Any]:
    """Of whom: by digest, so that another prompt of the judge makes another consensus."""
    of = Rater.objects.in_bulk([params["judge"], params["rollouts"]])
    named = {name: f"{of[params[name]]} {of[params[name]].digest[:12]}" for name in ("judge", "rollouts")}
    return {"method": "consensus", **named}


MACHINE = Machine(
    method="consensus",
    about="Keeps what a judge and rollouts both say; what they say apart goes to people first.",
    how=None,
    needs_endpoint=False,
    rater_kind=RaterKind.CONSENSUS,
    choices=judging.CHOICES,
    spec=spec,
    expect=expect,
    plan=plan,
    begin=begin,
    most_calls=lambda params, unit: 0,
    store=store,
    more={
        "judge": rater_id("judge", (RaterKind.JUDGE, RaterKind.CRITIC)),
        "rollouts": rater_id("rollouts", (RaterKind.ROLLOUTS,)),
        "queue": queued,
    },
)
