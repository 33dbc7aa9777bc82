"""The end of an import: all its items in one statement, so that others wait a moment only."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import Case, CharField, Exists, F, Field, Model, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Length
from django.db.models.query import QuerySet

from annotator.actions import findings
from annotator.actions.import_report import Report
from annotator.actions.import_rows import SIBLING_OF
from annotator.core.labels import MULTI_SOLUTIONS, UNJUDGED
from annotator.models import Finding, Import, Item, Problem, Protocol, Solution

NEEDS_ORIGINAL = (Protocol.VERIFY_INJECTION, Protocol.CHECK_SOLUTION)
CHUNK = 2_000


def make_items(row: Import) -> int:
    """One item for each solution that came in and is no sibling; return how many. Django has no INSERT … SELECT,
    so it is put together here from a SELECT of Django's own."""
    kind = Coalesce("injection__error_type", Value(""))
    chosen: dict[str, Combinable] = {
        "solution_id": F("pk"), "error_type": kind, "protocol": protocol_of(row), "priority": _priority(),
    }  # fmt: skip
    fields = [field for field in Item._meta.local_concrete_fields if not field.primary_key]
    template = _template(row)
    values = [chosen.get(field.attname, _constant(field, template)) for field in fields]
    sql, params = _to_review(row).values_list(*values).query.sql_with_params()
    columns = ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)
    table = connection.ops.quote_name(Item._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({columns}) {sql}", params)
        return int(cursor.rowcount)


def protocol_of(row: Import) -> Combinable:
    """The protocol asked for; else the project's, as far as it fits the kind of the solution."""
    if row.options["protocol"]:
        return Value(row.options["protocol"])
    usual = row.project.protocol
    alone = Protocol.LABEL_STEPS if usual in NEEDS_ORIGINAL else usual
    return Case(
        When(injection__error_type=MULTI_SOLUTIONS, then=Value(Protocol.CHECK_SOLUTION.value)),
        When(injection__isnull=True, then=Value(str(alone))),
        default=Value(usual),
        output_field=CharField(),
    )


def _priority() -> Combinable:
    """Doubtful records come first."""
    return Case(When(Exists(findings.raising()), then=Value(findings.PRIORITY)), default=Value(0))


def tally_items(row: Import, report: Report) -> None:
    """Set the report's sums to those of the items to be made: what was there already does not count."""
    report.kinds.clear()
    for kind, labels, question in _labels(row):
        report.tally(kind or "").add(labels, question)
    alone = Problem.objects.filter(source_import=row).count() if report.n_problems else 0
    report.n_known = report.n_good - _incoming(row).count() - alone
    report.findings = findings.counts(Finding.objects.filter(solution__source_import=row))


def _labels(row: Import) -> Iterator[tuple[str | None, str, int]]:
    """Of each solution the first annotation that came with it; without one no step is judged."""
    columns = ("pk", "injection__error_type", "annotations__labels", Length("problem__text"), "n_steps")
    rows = _to_review(row).order_by("pk", "annotations__pk").values_list(*columns)
    before = 0
    for pk, kind, labels, question, n_steps in rows.iterator(chunk_size=CHUNK):
        if pk != before:
            yield kind, labels or UNJUDGED * n_steps, question
        before = pk


def _incoming(row: Import) -> QuerySet[Solution]:
    """Originals have no format: no foreign record is about them."""
    return Solution.objects.filter(source_import=row).exclude(foreign_format="").order_by("pk")


def _to_review(row: Import) -> QuerySet[Solution]:
    """All but siblings: a piece of the main solution with another last step, kept for exports alone. Their meta
    tells them apart, so that no column is there for the sake of one format."""
    return _incoming(row).filter(~Q(meta__has_key=SIBLING_OF))


def _constant(field: "Field[Any, Any]", template: Model) -> Value:
    return Value(field.pre_save(template, add=True), output_field=field)


def _template(row: Import) -> Model:
    overlap = row.options["overlap"] or row.project.overlap
    return Item(project_id=row.project_id, wanted=overlap, open_slots=overlap)
