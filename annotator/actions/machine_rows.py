"""What a unit of machine work becomes: annotations, solutions, injections, items to review.

Called inside the transaction that stores the unit's end (runs.done), so that a unit's rows are there exactly when it
is done. Everything is found by key first: the same product made twice is one row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from annotator import queue
from annotator.actions.bulk import Table
from annotator.actions.findings import COLUMNS as FINDING
from annotator.actions.findings import PRIORITY
from annotator.actions.import_files import problem_key
from annotator.core import align, checks
from annotator.core import labels as lab
from annotator.core.digest import digest, solution_digest
from annotator.core.findings import RAISING
from annotator.core.labels import MULTI_SOLUTIONS
from annotator.formats import best_of_n, prmbench
from annotator.formats.records import ProblemRecord
from annotator.models import (
    Annotation,
    Finding,
    Injection,
    Item,
    Phase,
    Problem,
    Protocol,
    Rater,
    Solution,
    Unit,
)  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """What a machine says of a solution. labels: one character a step; the rest as in models.Annotation."""

    labels: str
    scores: Sequence[float] | None = None
    redundancy_labels: str = ""
    redundancy_scores: Sequence[float] | None = None
    verdict: Mapping[str, Any] | None = None
    note: str = ""
    is_parsed: bool = True


@dataclass(frozen=True)
class Injected:
    """A corrupted copy of a solution, or (error type multi_solutions) another solution of the same problem.

    question: the changed question, None where it is as it was.  claimed_changed, claimed_wrong: 1-based, verbatim.
    """

    steps: Sequence[str]
    error_type: str
    claimed_changed: Sequence[int] = ()
    claimed_wrong: Sequence[int] = ()
    reason: str = ""
    question: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)


def rater_of(kind: str, name: str, spec: Mapping[str, Any]) -> Rater:
    """The rater of a machine and its spec: another model, prompt or temperature is another rater."""
    rater, _ = Rater.objects.get_or_create(
        kind=kind, name=name, digest=digest(spec), defaults={"spec": dict(spec)}
    )
    return rater


def annotate(unit: Unit, rater: Rater, solution: Solution, judged: Judged) -> Annotation:
    """Append a machine's annotation; its earlier one of the same solution is kept, superseded."""
    withdraw(rater, solution)
    made = _annotation(unit, rater, solution, judged)
    made.save()
    return made


def _annotation(unit: Unit, rater: Rater, solution: Solution, judged: Judged) -> Annotation:
    return Annotation(
        solution=solution, rater=rater, phase=Phase.MACHINE, unit=unit,
        labels=judged.labels, n_steps=solution.n_steps, first_error=lab.first_error(judged.labels),
        scores=_listed(judged.scores), redundancy_labels=judged.redundancy_labels,
        redundancy_scores=_listed(judged.redundancy_scores), verdict=judged.verdict, note=judged.note,
        is_parsed=judged.is_parsed,
    )  # fmt: skip


def annotate_all(unit: Unit, rater: Rater, judged: Sequence[tuple[Solution, Judged]]) -> None:
    """The same for a batch of solutions, in two statements."""
    Annotation.objects.filter(
        solution__in=[solution.pk for solution, _ in judged], rater=rater, phase=Phase.MACHINE,
        superseded_at__isnull=True,
    ).update(superseded_at=timezone.now())  # fmt: skip
    Annotation.objects.bulk_create(_annotation(unit, rater, solution, one) for solution, one in judged)


def unjudged(rows: QuerySet[Solution], rater: Rater) -> QuerySet[Solution]:
    """Those that this very rater has not judged: nothing is paid for twice."""
    said = Annotation.objects.filter(
        solution=OuterRef("pk"), rater=rater, phase=Phase.MACHINE, superseded_at__isnull=True
    )
    return rows.filter(~Exists(said))


def withdraw(rater: Rater, solution: Solution) -> None:
    """What a machine said of a solution before is said no more; it stays, superseded."""
    current = Annotation.objects.filter(
        solution=solution, rater=rater, phase=Phase.MACHINE, superseded_at__isnull=True
    )
    current.update(superseded_at=timezone.now())


def inject(unit: Unit, rater: Rater, parent: Solution, made: Injected) -> Solution:
    """Store a corrupted (or other) solution with its claim, the injector's labels, findings, and its item.

    Where another unit made the very same before, only the labels are added: its `unit` is then another's.
    """
    problem = _problem(parent, made)
    name = f"{prmbench.SPELLINGS[made.error_type]}_{parent.problem.group}"
    child, is_new = _solution(unit, problem, made.steps, parent=parent, name=name, made=made)
    if is_new:
        Injection.objects.create(
            child=child, parent=parent, error_type=made.error_type, rater=rater, reason=made.reason,
            claimed_changed=list(made.claimed_changed), claimed_wrong=list(made.claimed_wrong),
            alignment=align.dump(align.align(parent.steps, child.steps)),
        )  # fmt: skip
        findings = _find(child, problem, parent, made)
        protocol = (
            Protocol.CHECK_SOLUTION if made.error_type == MULTI_SOLUTIONS else Protocol.VERIFY_INJECTION
        )
        queue_up(child, protocol, made.error_type, PRIORITY if findings & set(RAISING) else 0)
    if is_new or not _has_judged(rater, child):
        annotate(unit, rater, child, Judged(_usable(made)))
    return child


def _has_judged(rater: Rater, solution: Solution) -> bool:
    said = Annotation.objects.filter(solution=solution, rater=rater, phase=Phase.MACHINE)
    return said.filter(superseded_at__isnull=True).exists()


def sample(
    unit: Unit, problem: Problem, steps: Sequence[str], *, place: int, response: str, meta: Mapping[str, Any]
) -> Solution:
    """Store a sampled solution, one response of a Best-of-N set; it is not queued by itself."""
    name = f"{problem.foreign_id or problem.group}.{unit.run_id}/{place}"  # each run draws a set of its own
    about = {"length": len(steps), "sample": place, "run": unit.run_id, **meta}
    child, is_new = _solution(
        unit, problem, steps, name=name, fmt=best_of_n.NAME, about=about, response=response
    )
    if is_new:
        _find(child, problem, None, None)
    return child


def queue_up(solution: Solution, protocol: str, kind: str = "", priority: int = 0) -> Item:
    """The solution's item of a protocol, made if there is none; one that is there may move up in the queue."""
    wanted = solution.project.overlap
    item, is_new = Item.objects.get_or_create(
        solution=solution, protocol=protocol,
        defaults={
            "project_id": solution.project_id, "error_type": kind, "wanted": wanted, "open_slots": wanted,
            "priority": priority,
        },
    )  # fmt: skip
    if not is_new and priority > item.priority:
        Item.objects.filter(pk=item.pk, priority=item.priority).update(priority=priority)
    if is_new or priority > item.priority:
        queue.reopen([item.pk], timezone.now())
    return item


def note(solution: Solution, code: str, detail: str, position: int | None = None) -> None:
    """Keep something a machine found (core.findings); where it means trouble its items move up, once."""
    _, is_new = Finding.objects.get_or_create(
        project_id=solution.project_id, solution=solution, code=code, position=position,
        defaults={"detail": detail},
    )  # fmt: skip
    if is_new and code in RAISING:
        items = Item.objects.filter(solution=solution, retired=False)
        items.update(priority=F("priority") + PRIORITY)
        queue.reopen(items.values_list("pk", flat=True), timezone.now())


def _problem(parent: Solution, made: Injected) -> Problem:
    """The parent's, or a child of it with the changed question. Its answer is not known."""
    of = parent.problem
    if made.question is None or made.question == of.text:
        return of
    record = ProblemRecord(made.question, None, "", of.group, of.meta)
    problem, _ = Problem.objects.get_or_create(
        project_id=of.project_id, key=problem_key(record, of.key),
        defaults={"parent": of, "group": of.group, "text": made.question, "meta": of.meta},
    )  # fmt: skip
    return problem


def _solution(
    unit: Unit, problem: Problem, steps: Sequence[str], *, name: str, parent: Solution | None = None,
    made: Injected | None = None, fmt: str = prmbench.NAME, about: Mapping[str, Any] | None = None,
    response: str = "",
) -> tuple[Solution, bool]:  # fmt: skip
    kind = made.error_type if made else ""
    key = digest(
        "made", problem.key, parent.key if parent else "", kind, list(steps),
        *((about["run"], about["sample"]) if about else ()),  # else a second run's set would lack what the first drew
    )  # fmt: skip
    meta = dict(about or {"length": len(steps), **(made.meta if made else {})})
    return Solution.objects.get_or_create(
        project_id=problem.project_id, key=key,
        defaults={
            "unit": unit, "problem": problem, "parent": parent, "steps": list(steps), "n_steps": len(steps),
            "digest": solution_digest(problem.text, steps), "foreign_id": name[:300], "foreign_format": fmt,
            "meta": meta, "extra": _extra(steps, response),
        },
    )  # fmt: skip


def _extra(steps: Sequence[str], response: str) -> str:
    return best_of_n.kept(steps, response) if response else ""


def _usable(made: Injected) -> str:
    wrong = [number - 1 for number in made.claimed_wrong if 1 <= number <= len(made.steps)]
    return lab.labels_from_wrong_steps(wrong, len(made.steps))


def _find(child: Solution, problem: Problem, parent: Solution | None, made: Injected | None) -> set[str]:
    """Store what checks find; the codes."""
    injection = None
    if parent and made:
        injection = checks.Injection(
            parent.problem.text, parent.steps, made.error_type, made.claimed_changed, made.claimed_wrong
        )
    found = checks.check(child.steps, problem=problem.text, answer=problem.answer, injection=injection)
    Table(Finding, FINDING, project_id=child.project_id).insert((child.pk, *one) for one in found)
    return {one.code for one in found}


def _listed(numbers: Sequence[float] | None) -> list[float] | None:
    return None if numbers is None else list(numbers)
