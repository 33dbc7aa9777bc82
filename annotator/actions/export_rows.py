"""Which annotations an export holds, each as the record that a format writes.

Read in chunks, in the order in which the solutions came in, so that memory stays flat and an untouched import
goes out as it came. One record for each solution and rater: the last word, so revealed rather than blind. A
judgement that is not submitted (or was reopened) is no last word; what an unfinished import wrote is not yet
there.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotator import errors
from annotator.formats.records import ClaimRecord, ExportRecord, ProblemRecord, SolutionRecord
from annotator.models import (
    Annotation,
    AssignmentState,
    FinishReason,
    Import,
    Injection,
    Item,
    Membership,
    Phase,
    Problem,
    Project,
    RaterKind,
    Solution,
    TransferState,
)  # fmt: skip

CHUNK = 500
LAST_WORD = [
    Phase.MACHINE,
    Phase.BLIND,
    Phase.REVEALED,
    Phase.ADJUDICATION,
]  # a later one stands for an earlier

MADE_WITH_IT = (RaterKind.SOURCE, RaterKind.INJECTOR)


class Row(NamedTuple):
    """An annotation on its way out; `refusal` says why it states no labels, or "". `foreign_format`: the
    format that its solution came in, or ""."""

    record: ExportRecord
    refusal: str
    foreign_format: str


class Choice(NamedTuple):
    """Something that can be exported, and how many annotations that is."""

    which: str
    n: int


def check_which(project: Project, which: str) -> None:
    """Raise Invalid for anything but gold, all, or KIND:NAME of a rater of this project."""
    if which in ("gold", "all"):
        return
    kind, _, name = which.partition(":")
    labelled = Annotation.objects.filter(solution__project=project, rater__kind=kind, rater__name=name)
    member = Membership.objects.filter(project=project, rater__kind=kind, rater__name=name)
    if not member.exists() and not labelled.exists():
        raise errors.Invalid(
            f"Choose gold, all, or a rater as KIND:NAME: there is no {which!r} here.", field="which"
        )


def count(project: Project, which: str, min_raters: int = 1) -> int:
    chosen = _chosen(which, min_raters).filter(solution__in=_solutions(project))
    return chosen.values("solution", "rater").distinct().count()


def choices(project: Project, min_raters: int = 1) -> list[Choice]:
    """Gold, all, and each rater that has labelled in the project."""
    words = _chosen("all", min_raters).filter(solution__in=_solutions(project))
    by_rater = words.order_by().values_list("rater__kind", "rater__name", "rater")
    raters: dict[str, int] = {}
    for kind, name, _, n in by_rater.annotate(n=Count("solution", distinct=True)):
        raters[f"{kind}:{name}"] = raters.get(f"{kind}:{name}", 0) + n
    gold = Choice("gold", count(project, "gold", min_raters))
    return [gold, Choice("all", sum(raters.values())), *(Choice(*pair) for pair in sorted(raters.items()))]


def rows(project: Project, which: str, min_raters: int = 1) -> Iterator[Row]:
    chosen = _chosen(which, min_raters)
    ids = _solutions(project).order_by("pk").values_list("pk", flat=True)
    last = 0
    # Plain ranges of ids: asked for only those with such an annotation, PostgreSQL reads all for every chunk.
    while chunk := list(ids.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1]
        words = _last_words(chosen.filter(solution__in=chunk))
        solutions = _loaded({word.solution_id for word in words})
        for word in words:
            yield _row(word, solutions[word.solution_id])


def _solutions(project: Project) -> QuerySet[Solution]:
    unfinished = Import.objects.filter(project=project).exclude(state=TransferState.COMPLETE)
    return Solution.objects.filter(project=project).exclude(source_import__in=unfinished)


def _loaded(ids: Iterable[int]) -> dict[int, Solution]:
    return Solution.objects.select_related("problem__parent", "parent__problem", "injection").in_bulk(
        list(ids)
    )


def _chosen(which: str, min_raters: int) -> QuerySet[Annotation]:
    """The annotations asked for, of all projects; `min_raters` above 1 wants that many submitted reviews."""
    final = Q(assignment=None) | Q(assignment__state=AssignmentState.SUBMITTED)
    chosen = Annotation.objects.filter(final, superseded_at=None)
    if which == "gold":
        chosen = chosen.filter(Exists(Item.objects.filter(gold=OuterRef("pk"))))
    elif which != "all":
        kind, _, name = which.partition(":")
        chosen = chosen.filter(rater__kind=kind, rater__name=name)
    if min_raters > 1:
        reviewed = Item.objects.filter(solution=OuterRef("solution"), n_submitted__gte=min_raters)
        chosen = chosen.filter(Exists(reviewed))
    return chosen


def _last_words(chosen: QuerySet[Annotation]) -> list[Annotation]:
    last: dict[tuple[int, int], Annotation] = {}
    for row in chosen.select_related("rater").order_by("solution_id", "rater_id", "id"):
        before = last.get((row.solution_id, row.rater_id))
        if before is None or _rank(row) > _rank(before):
            last[row.solution_id, row.rater_id] = row
    return list(last.values())


def _rank(row: Annotation) -> int:
    return LAST_WORD.index(Phase(row.phase))


def _row(annotation: Annotation, solution: Solution) -> Row:
    problem, changed = _problems(solution)
    rater, original = annotation.rater, solution.parent
    is_source = rater.kind in MADE_WITH_IT and rater.name == solution.foreign_format
    record = ExportRecord(
        problem=problem, changed_problem=changed, original=_solution(original) if original else None,
        solution=_solution(solution), claim=_claim(solution), labels=annotation.labels,
        error_types=_error_types(annotation), note=annotation.note, extra=solution.extra, is_source=is_source,
        rater=str(rater), made_at=_made_at(annotation), duration_ms=annotation.duration_ms,
        finish_reason=annotation.finish_reason,
    )  # fmt: skip
    reason = annotation.finish_reason
    judged = not reason or FinishReason(reason).judges
    refusal = "" if judged else f"the reviewer gave no judgement: {FinishReason(reason).label}"
    return Row(record, refusal, solution.foreign_format)


def _made_at(annotation: Annotation) -> str:
    """Labels that came in with the solution were made before we know of them."""
    return "" if annotation.rater.kind in MADE_WITH_IT else annotation.created_at.isoformat()


def _problems(solution: Solution) -> tuple[ProblemRecord, ProblemRecord | None]:
    """The original question and, if the solution answers another wording of it, that one."""
    problem = solution.problem
    if problem.parent is None:
        return _problem(problem), None
    return _problem(problem.parent), _problem(problem)


def _problem(row: Problem) -> ProblemRecord:
    return ProblemRecord(row.text, row.answer, row.foreign_id, row.group, row.meta)


def _solution(row: Solution) -> SolutionRecord:
    return SolutionRecord(tuple(row.steps), row.foreign_id, row.meta)


def _claim(solution: Solution) -> ClaimRecord | None:
    found: Injection | None = getattr(solution, "injection", None)
    if found is None:
        return None
    changed, wrong = tuple(found.claimed_changed), tuple(found.claimed_wrong)
    return ClaimRecord(found.error_type, changed, wrong, found.reason)


def _error_types(annotation: Annotation) -> tuple[tuple[str, ...], ...] | None:
    if not annotation.error_types:
        return None
    return tuple(tuple(annotation.error_types.get(str(at), ())) for at in range(annotation.n_steps))
