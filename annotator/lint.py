"""What the checks find in a project's records (core.checks): rows in, findings out, in flat memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Exists, OuterRef, QuerySet

from annotator.core import checks
from annotator.core.checks import CODES, Finding
from annotator.models import Item, Project, Solution

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
    """An item with what was found in its solution: often nothing."""

    item: int
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


def read(project: Project, tick: Callable[[int, int], None] = lambda done, total: None) -> Iterator[Record]:
    """Yield a record for each solution of a project that has an item, by the id of its first item."""
    items = _items(project)
    total, done = items.count(), 0
    for chunk in _chunks(items):
        for item in chunk:
            yield Record(item.pk, item.solution.foreign_id, _findings(item))
        done += len(chunk)
        tick(done, total)


def _items(project: Project) -> QuerySet[Item]:
    """One item a solution, though a solution may have several, each of another protocol."""
    earlier = Item.objects.filter(solution=OuterRef("solution"), pk__lt=OuterRef("pk"))
    return Item.objects.filter(~Exists(earlier), project=project)


def _chunks(items: QuerySet[Item]) -> Iterator[Sequence[Item]]:
    """Chunks by id, each one query. Whether an id was used before is asked of the database, as it has an index
    and memory has not."""
    before = Solution.objects.filter(
        Exists(Item.objects.filter(solution=OuterRef("pk"))),
        project=OuterRef("project"), foreign_id=OuterRef("solution__foreign_id"), pk__lt=OuterRef("solution"),
    )  # fmt: skip
    rows = (
        items.annotate(is_repeated=Exists(before))
        .select_related("solution__problem", ORIGINAL)
        .defer(*UNREAD)
        .order_by("pk")
    )
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1].pk


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
