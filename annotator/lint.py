"""What the checks find in a project's records (core.checks): as it is stored, or by checking the rows again; in
flat memory."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef, QuerySet

from annotator.core import checks
from annotator.core.checks import CODES, Finding
from annotator.models import Event, Import, ImportKind, Item, Project, Solution
from annotator.models import Finding as Row

T = TypeVar("T")
Tick = Callable[[int, int], None]  # told how many solutions are done, of how many

CHUNK = 500
# Long, and nothing that a check reads.
UNREAD = tuple(
    f"{row}__{field}"
    for row, fields in {
        "solution": ("extra", "meta"),
        "solution__problem": ("meta",),
        "solution__injection": ("alignment", "reason"),
        "solution__injection__parent": ("extra", "meta"),
        "solution__injection__parent__problem": ("meta",),
    }.items()
    for field in fields
)
ORIGINAL = "solution__injection__parent__problem"


class Record(NamedTuple):
    """A solution under review, with its first item and what was found in it: often nothing."""

    item: int
    solution: int
    foreign_id: str
    findings: list[Finding]


class Tally:
    """How many findings there are of each code, and in how many records."""

    def __init__(self, codes: Iterable[str] = CODES) -> None:
        self.n_solutions = 0
        self.codes = {code: {"findings": 0, "records": 0} for code in codes}

    def add(self, record: Record) -> None:
        self.n_solutions += 1
        for finding in record.findings:
            self.codes[finding.code]["findings"] += 1
        for code in {finding.code for finding in record.findings}:
            self.codes[code]["records"] += 1


def read(project: Project, tick: Tick = lambda done, total: None) -> Iterator[Record]:
    """Yield a record for each solution of a project that has an item, by the id of its first item, with the
    findings that are stored."""
    items = _items(project).order_by("pk").values_list("pk", "solution_id", "solution__foreign_id")
    for chunk in _chunks(items, lambda row: row[0], tick):
        found = _stored([solution for _, solution, _ in chunk])
        for item, solution, foreign_id in chunk:
            yield Record(item, solution, foreign_id, found.get(solution, []))


def check(project: Project, tick: Tick = lambda done, total: None) -> Iterator[list[Record]]:
    """Yield the same records in batches, checked now: what is stored is neither read nor changed."""
    for chunk in _chunks(_to_check(project), lambda item: item.pk, tick):
        yield [Record(item.pk, item.solution_id, item.solution.foreign_id, _findings(item)) for item in chunk]


def is_checked(project: Project) -> bool:
    """Whether what is stored is all there is to find. Imports of an older version stored nothing, and whoever
    queues a solution that no import brought need not either: then somebody has to check again."""
    rechecks = Event.objects.filter(project=project, verb="recheck_findings").order_by("-pk")
    last = rechecks.values_list("data__last", flat=True).first() or 0
    later = Item.objects.filter(project=project, pk__gt=last)
    imports = Import.objects.filter(kind=ImportKind.SOLUTIONS, report__has_key="findings")
    return not later.exclude(solution__source_import__in=imports).exists()


def _stored(solutions: list[int]) -> dict[int, list[Finding]]:
    found: dict[int, list[Finding]] = {}
    rows = Row.objects.filter(solution__in=solutions).order_by("pk")
    for solution, code, position, detail in rows.values_list("solution_id", "code", "position", "detail"):
        found.setdefault(solution, []).append(Finding(code, position, detail))
    return found


def _items(project: Project) -> QuerySet[Item]:
    """One item a solution, though a solution may have several, each of another protocol."""
    earlier = Item.objects.filter(solution=OuterRef("solution"), pk__lt=OuterRef("pk"))
    return Item.objects.filter(~Exists(earlier), project=project)


def _chunks(rows: QuerySet[Any, T], key: Callable[[T], int], tick: Tick) -> Iterator[list[T]]:
    """Chunks of items by id, each one query."""
    total, done, last = rows.count(), 0, 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = key(chunk[-1])
        done += len(chunk)
        tick(done, total)


def _to_check(project: Project) -> QuerySet[Item]:
    """Items with all that checks read. Whether an id was used before is asked of the database, as it has an
    index and memory has not."""
    before = Solution.objects.filter(
        Exists(Item.objects.filter(solution=OuterRef("pk"))),
        project=OuterRef("project"), foreign_id=OuterRef("solution__foreign_id"), pk__lt=OuterRef("solution"),
    )  # fmt: skip
    rows = _items(project).annotate(is_repeated=Exists(before))
    return rows.select_related("solution__problem", ORIGINAL).defer(*UNREAD).order_by("pk")


def _findings(item: Item) -> list[Finding]:
    solution = item.solution
    return checks.check(
        solution.steps,
        problem=solution.problem.text,
        answer=solution.problem.answer,
        injection=_injection(solution),
        foreign_id=solution.foreign_id,
        seen={solution.foreign_id} if item.is_repeated else (),  # type: ignore[attr-defined]
    )


def _injection(solution: Solution) -> checks.Injection | None:
    try:
        row = solution.injection
    except ObjectDoesNotExist:
        return None
    original = row.parent
    return checks.Injection(
        original.problem.text, original.steps, row.error_type, row.claimed_changed, row.claimed_wrong
    )
