"""What checks found in the solutions of a project, as stored: written by imports, and anew by a recheck."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from django.db import reset_queries, transaction
from django.db.models import Count, F, OuterRef, QuerySet

from annotator import lint, policies, queue
from annotator.actions.bulk import Table
from annotator.actions.record import record
from annotator.actions.transfers import Tick
from annotator.core.findings import BY_MACHINES, RAISING
from annotator.core.findings import Finding as Found
from annotator.models import Decision, Finding, Item, Project, Role, Solution
from annotator.policies import Actor

COLUMNS: Final = ("solution_id", "code", "position", "detail")
PRIORITY: Final = 10  # added to an item's, once, if something is found in its solution that makes it doubtful

Counts = dict[str, dict[str, int]]


def raising() -> QuerySet[Finding]:
    """The findings of an outer solution that raise the priority of its items."""
    return Finding.objects.filter(solution=OuterRef("pk"), code__in=RAISING)


def counts(rows: QuerySet[Finding]) -> Counts:
    """Code -> how many findings, in how many records; only codes that were found."""
    per_code = rows.order_by().values_list("code")
    found = per_code.annotate(findings=Count("pk"), records=Count("solution", distinct=True))
    return {code: {"findings": n, "records": of} for code, n, of in found}


def recheck_findings(*, by: Actor, project: Project, tick: Tick = lambda done, total: None) -> int:
    """Check every solution under review again and replace what is stored; return how many that is.

    A batch is one transaction, so what is stored is whole at any moment; killed, it is simply begun again.
    Open items in whose solution something doubtful is found for the first time move up in the queue.
    """
    policies.check_at_least(by, Role.LEAD, project)
    table = Table(Finding, COLUMNS, project_id=project.pk)
    n_solutions = n_findings = n_raised = last = 0
    for batch in lint.check(project, tick):
        with transaction.atomic():
            found = {one.solution: one.findings for one in batch}
            n_raised += _replace(table, project, found)
        n_solutions += len(batch)
        n_findings += sum(map(len, found.values()))
        last = batch[-1].item
        reset_queries()  # with DEBUG Django keeps the text of every statement
    record(
        by,
        "recheck_findings",
        project,
        solutions=n_solutions,
        findings=n_findings,
        raised=n_raised,
        last=last,
    )
    return n_solutions


def _replace(table: Table, project: Project, found: Mapping[int, list[Found]]) -> int:
    """Store what is found in some solutions instead of what was; return how many items are raised by it.
    The caller is in a transaction."""
    # Who checks the same solutions at this moment waits here, and then replaces what we write.
    list(
        Solution.objects.select_for_update(no_key=True).filter(pk__in=found).order_by("pk").values_list("pk")
    )
    stored = Finding.objects.filter(solution__in=list(found)).exclude(code__in=BY_MACHINES)
    doubtful = set(stored.filter(code__in=RAISING).values_list("solution", flat=True))
    stored.delete()
    table.insert(_rows(found))
    new = {pk for pk, findings in found.items() if any(finding.code in RAISING for finding in findings)}
    return _raise(project, new - doubtful)


def _rows(found: Mapping[int, Iterable[Found]]) -> Iterator[tuple[Any, ...]]:
    return ((solution, *finding) for solution, findings in found.items() for finding in findings)


def _raise(project: Project, solutions: set[int]) -> int:
    """Move the open items of these solutions up in the queue."""
    if not solutions:
        return 0
    queue.forget_frontiers(project)  # first: locks are taken in one order (queue.py), items last
    items = Item.objects.filter(project=project, solution__in=solutions, decision=Decision.INCOMPLETE)
    ids = [item.pk for item in queue.lock_items(items.filter(retired=False).values_list("pk", flat=True))]
    return Item.objects.filter(pk__in=ids).update(priority=F("priority") + PRIORITY)
