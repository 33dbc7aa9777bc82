"""Which annotations an export holds, each as the record that a format writes.

Read in chunks, in the order in which the solutions came in, so that memory stays flat and an untouched import
goes out as it came. One record for each solution and rater: the last word, so revealed rather than blind. A
judgement that is not submitted (or was reopened) is no last word; what an unfinished import wrote is not yet
there. What was taken down stays in, and what was retired, unless it is asked for: such rows say why.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from annotator import errors
from annotator.actions.import_rows import SIBLING_OF
from annotator.core import labels as lab
from annotator.formats import Format
from annotator.formats.records import ClaimRecord, ExportRecord, ProblemRecord, SolutionRecord
from annotator.models import (
    Annotation,
    AssignmentState,
    Import,
    Injection,
    Item,
    Membership,
    Phase,
    Problem,
    Project,
    Rater,
    RaterKind,
    Solution,
    TransferState,
    Use,
)  # fmt: skip

CHUNK = 500
LAST_WORD = [
    Phase.MACHINE,
    Phase.BLIND,
    Phase.REVEALED,
    Phase.ADJUDICATION,
]  # a later one stands for an earlier

MADE_WITH_IT = (RaterKind.SOURCE, RaterKind.INJECTOR)
SOLUTIONS = "solutions"  # each that came in, once, whoever has labelled it
TAKEN_DOWN, RETIRED = "taken down", "retired"


class Row(NamedTuple):
    """An annotation on its way out; `gone` says why it stays in after all, or "". `foreign_format`: the
    format that its solution came in, or ""."""

    record: ExportRecord
    gone: str
    foreign_format: str


class Choice(NamedTuple):
    """Something that can be exported, and how many annotations that is."""

    which: str
    n: int


def check_which(project: Project, which: str, fmt: Format) -> None:
    """Raise Invalid for anything but gold, all, or KIND:NAME of a rater of this project; or solutions, for a
    format without labels."""
    if which == SOLUTIONS and fmt.says.labels:
        message = (
            f"{fmt.name} holds labels: choose gold, all, or a rater. Solutions alone go out as best_of_n."
        )
        raise errors.Invalid(message, field="which")
    if which in ("gold", "all", SOLUTIONS):
        return
    kind, _, name = which.partition(":")
    labelled = Annotation.objects.filter(solution__project=project, rater__kind=kind, rater__name=name)
    member = Membership.objects.filter(project=project, rater__kind=kind, rater__name=name)
    if not member.exists() and not labelled.exists():
        raise errors.Invalid(
            f"Choose gold, all, or a rater as KIND:NAME: there is no {which!r} here.", field="which"
        )


def count(project: Project, which: str, min_raters: int = 1) -> int:
    """How many rows there are, those that stay in among them."""
    if which == SOLUTIONS:
        return _came(finished_solutions(project)).count()
    return _count(_chosen(project, which, min_raters), finished_solutions(project))


def _count(chosen: QuerySet[Annotation], solutions: QuerySet[Solution]) -> int:
    return chosen.filter(solution__in=solutions).values("solution", "rater").distinct().count()


def choices(project: Project, min_raters: int = 1) -> list[Choice]:
    """Gold, all, each rater that has labelled in the project, and solutions; with what is not retired."""
    solutions = present(project)
    words = _chosen(project, "all", min_raters).filter(solution__in=solutions)
    by_rater = words.order_by().values_list("rater__kind", "rater__name", "rater")
    raters: dict[str, int] = {}
    for kind, name, _, n in by_rater.annotate(n=Count("solution", distinct=True)):
        raters[f"{kind}:{name}"] = raters.get(f"{kind}:{name}", 0) + n
    return [
        Choice("gold", _count(_chosen(project, "gold", min_raters), solutions)),
        Choice("all", sum(raters.values())),
        *(Choice(*pair) for pair in sorted(raters.items())),
        Choice(SOLUTIONS, _came(solutions).count()),
    ]


def rows(
    project: Project, which: str, min_raters: int = 1, *, retired: bool = False, truth: bool = False
) -> Iterator[Row]:
    """truth: each row is to hold the labels that it is compared with."""
    gone, raters, chosen = _Gone(retired), Raters(), _chosen(project, which, min_raters)
    for chunk in _chunks(project, which):
        if which == SOLUTIONS:
            yield from _bare_rows(chunk, gone)
            continue
        words = _last_words(chosen.filter(solution__in=chunk))
        raters.know(words)
        solutions = loaded({word.solution_id for word in words})
        why = gone.among(solutions)
        truths = truths_of(solutions) if truth else {}
        for word in words:
            pk = word.solution_id
            yield as_row(word, solutions[pk], why.get(pk, ""), truths.get(pk, ""))


def _chunks(project: Project, which: str) -> Iterator[list[int]]:
    """Solutions by id, as many at a time as fit in memory."""
    found = finished_solutions(project)
    ids = (_came(found) if which == SOLUTIONS else found).order_by("pk").values_list("pk", flat=True)
    last = 0
    # Plain ranges of ids: asked for only those with such an annotation, PostgreSQL reads all for every chunk.
    while chunk := list(ids.filter(pk__gt=last)[:CHUNK]):
        last = chunk[-1]
        yield chunk


class Raters:
    """The raters met so far, so that each is read once and not with each of its annotations."""

    def __init__(self) -> None:
        self._known: dict[int, Rater] = {}

    def know(self, words: Iterable[Annotation]) -> None:
        new = {word.rater_id for word in words} - self._known.keys()
        if new:
            self._known |= Rater.objects.in_bulk(list(new))
        for word in words:
            word.rater = self._known[word.rater_id]


class _Gone:
    """Why solutions stay in. A retired one takes along its siblings, which come after it and have no items."""

    def __init__(self, with_retired: bool) -> None:
        self._with_retired = with_retired
        self._retired_id = ""

    def among(self, solutions: Mapping[int, Solution]) -> dict[int, str]:
        retired = set() if self._with_retired else retired_among(solutions)
        found = {}
        for pk, solution in sorted(solutions.items()):
            if is_taken_down(solution.problem):
                found[pk] = TAKEN_DOWN
            elif pk in retired:
                found[pk], self._retired_id = RETIRED, solution.foreign_id
            elif self._retired_id and solution.meta.get(SIBLING_OF) == self._retired_id:
                found[pk] = RETIRED
        return found


def is_taken_down(problem: Problem) -> bool:
    return bool(problem.taken_down_at or (problem.parent and problem.parent.taken_down_at))


def retired_among(ids: Collection[int]) -> set[int]:
    """Those with a retired item and no other."""
    items = Item.objects.filter(solution__in=ids)
    retired = set(items.filter(retired=True).values_list("solution_id", flat=True))
    if not retired:
        return retired
    return retired - set(items.filter(retired=False).values_list("solution_id", flat=True))


def truths_of(solutions: Mapping[int, Solution]) -> dict[int, str]:
    """What came with each solution; where nothing did, what people settled on."""
    settled = Item.objects.filter(solution__in=solutions).exclude(gold=None)
    found = dict(settled.values_list("solution_id", "gold__labels"))
    came = Annotation.objects.filter(solution__in=solutions, superseded_at=None, rater__kind__in=MADE_WITH_IT)
    for pk, name, labels in came.values_list("solution_id", "rater__name", "labels"):
        if name == solutions[pk].foreign_format:
            found[pk] = labels
    return found


def finished_solutions(project: Project) -> QuerySet[Solution]:
    return Solution.objects.filter(project=project).exclude(source_import__in=_unfinished(project))


def in_full(project: Project, found: QuerySet[Annotation]) -> QuerySet[Annotation]:
    """Without the labels that an unfinished import has written for solutions that were there before it."""
    unfinished = list(_unfinished(project).values_list("pk", flat=True))  # usually none
    return found.exclude(source_import__in=unfinished) if unfinished else found


def _unfinished(project: Project) -> QuerySet[Import]:
    return Import.objects.filter(project=project).exclude(state=TransferState.COMPLETE).order_by()


def _came(solutions: QuerySet[Solution]) -> QuerySet[Solution]:
    """Those that were records, and not what a record's solution was made from or what a reviewer proposed."""
    return solutions.exclude(foreign_format="")


def present(project: Project) -> QuerySet[Solution]:
    """What is still worked with: neither taken down nor retired, nor half imported."""
    items = Item.objects.filter(solution=OuterRef("pk"))
    retired = Exists(items.filter(retired=True)) & ~Exists(items.filter(retired=False))
    return finished_solutions(project).filter(
        ~retired, problem__taken_down_at=None, problem__parent__taken_down_at=None
    )


def _bare_rows(ids: list[int], gone: _Gone) -> Iterator[Row]:
    solutions = loaded(ids)
    why = gone.among(solutions)
    for pk, solution in sorted(solutions.items()):
        problem, changed = problems_of(solution)
        record = ExportRecord(
            problem=problem, changed_problem=changed, original=None, solution=_solution(solution), claim=None,
            labels=lab.UNJUDGED * solution.n_steps, extra=solution.extra,
        )  # fmt: skip
        yield Row(record, why.get(pk, ""), solution.foreign_format)


def loaded(ids: Iterable[int]) -> dict[int, Solution]:
    """With what a record says of them; alignments are long and in no record."""
    found = Solution.objects.select_related("problem__parent", "parent", "injection")
    return found.defer("injection__alignment").in_bulk(list(ids))


def _chosen(project: Project, which: str, min_raters: int) -> QuerySet[Annotation]:
    """The annotations asked for, of all projects, but of this one none that an unfinished import has written;
    `min_raters` above 1 wants that many submitted reviews."""
    done = Q(assignment__state=AssignmentState.SUBMITTED, assignment__purpose=Use.WORK)
    final = Q(assignment=None) | done
    chosen = in_full(project, Annotation.objects.filter(final, superseded_at=None))
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
    for row in chosen.order_by("solution_id", "rater_id", "id"):
        before = last.get((row.solution_id, row.rater_id))
        if before is None or rank(row) > rank(before):
            last[row.solution_id, row.rater_id] = row
    return list(last.values())


def rank(row: Annotation) -> int:
    return LAST_WORD.index(Phase(row.phase))


def as_row(annotation: Annotation, solution: Solution, gone: str, truth: str) -> Row:
    problem, changed = problems_of(solution)
    rater, original = annotation.rater, solution.parent
    is_source = rater.kind in MADE_WITH_IT and rater.name == solution.foreign_format
    record = ExportRecord(
        problem=problem, changed_problem=changed, original=_solution(original) if original else None,
        solution=_solution(solution), claim=_claim(solution), labels=annotation.labels,
        error_types=_error_types(annotation), note=annotation.note, extra=solution.extra, is_source=is_source,
        rater=str(rater), made_at=_made_at(annotation), duration_ms=annotation.duration_ms,
        finish_reason=annotation.finish_reason, scores=_numbers(annotation.scores),
        redundancy_labels=annotation.redundancy_labels or None,
        redundancy_scores=_numbers(annotation.redundancy_scores), is_parsed=annotation.is_parsed,
        said=annotation.extra, truth=truth,
    )  # fmt: skip
    return Row(record, gone, solution.foreign_format)


def _numbers(values: list[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values)


def _made_at(annotation: Annotation) -> str:
    """Labels that came in with the solution were made before we know of them."""
    return "" if annotation.rater.kind in MADE_WITH_IT else annotation.created_at.isoformat()


def problems_of(solution: Solution) -> tuple[ProblemRecord, ProblemRecord | None]:
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
