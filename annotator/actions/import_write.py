"""The second pass of an import: the good records become rows, batch by batch, and at last all at once items.

A batch and the count that says it is written are one transaction, so a killed import goes on exactly where it
was. Items appear only with completion: until then nobody can be given what may yet be removed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

from django.db import reset_queries, transaction
from django.utils import timezone

from annotator import errors, queue
from annotator.actions.bulk import prepare_connection, rare_collection
from annotator.actions.import_check import check
from annotator.actions.import_files import (
    Keys,
    files_of,
    fingerprint,
    forget_files,
    read,
    reader_named,
    reading_of,
)
from annotator.actions.import_items import make_items, tally_items
from annotator.actions.import_report import Report
from annotator.actions.import_rows import Alone, Keyed, Writer
from annotator.actions.transfers import Tick, batched, ring, working
from annotator.formats.records import FormatError, LoneProblem
from annotator.models import Event, Import, Project, TransferState


def begin(row: Import) -> None:
    """Say that a checked import is to be written. Raises Conflict while another of the project is unfinished:
    what two imports share must not vanish when one of them is removed."""
    with transaction.atomic():
        Project.objects.select_for_update(no_key=True).get(pk=row.project_id)
        mine = Import.objects.filter(project_id=row.project_id)
        other = mine.filter(state=TransferState.WRITING).exclude(pk=row.pk).first()
        if other:
            raise errors.Conflict(f"Import {other.pk} is unfinished: resume or remove it first.")
        if not mine.filter(pk=row.pk, state=TransferState.CHECKED).update(state=TransferState.WRITING):
            raise errors.Conflict("This import is not ready to be written.")
    row.state = TransferState.WRITING


def check_then_write(*, row: Import) -> Import:
    """What a worker does with a new import. One with errors waits until a person has looked at them."""
    begin_if_clean(check(row=row), "write_import")
    return row


def begin_if_clean(row: Import, task: str) -> None:
    """Call a worker to write what was checked, unless somebody is to look at it first."""
    clean = row.state == TransferState.CHECKED and not row.report["n_bad"]
    if clean and not row.options["dry_run"]:
        with working(row, [TransferState.CHECKED]):
            begin(row)
        ring(task, row.pk)


def write(*, row: Import, tick: Tick = lambda done, total: None) -> Import:
    """Write the good records, from where the last worker came to, then make the items.

    Raises Conflict, with what is written kept, when the files have changed or another worker has taken over.
    """
    with writing(row):
        _write_batches(row, tick)
        _complete(row)
    return row


@contextmanager
def writing(row: Import) -> Iterator[None]:
    """Hold an import that is being written. Raises Conflict when its files are not those that were checked."""
    with working(row, [TransferState.WRITING]):
        if fingerprint(files_of(row)) != row.report["files"]:
            raise errors.Conflict("The files have changed since the check: remove this import, start anew.")
        prepare_connection()
        with rare_collection():
            yield


def _write_batches(row: Import, tick: Tick) -> None:
    writer = Writer(row)
    for batch in batched(islice(_good(row), row.n_done, None)):
        _store(row, writer, batch)
        tick(row.n_done, row.n_total or 0)


def _good(row: Import) -> Iterator[Keyed | Alone]:
    """All good records of the files; also those written already are read, since equal ones are numbered."""
    keys = Keys(row.format)
    for record in read(reader_named(row.format, reading_of(row)), files_of(row)):
        if isinstance(record, FormatError):
            continue
        key, content = keys.of(record)
        yield Alone(record, key) if isinstance(record, LoneProblem) else Keyed(record, key, content)


def _store(row: Import, writer: Writer, batch: list[Keyed | Alone]) -> None:
    done = row.n_done + len(batch)
    with transaction.atomic():
        # First, so that of two workers the slower one waits here and then sees that it is too late.
        mine = Import.objects.filter(pk=row.pk, state=TransferState.WRITING, n_done=row.n_done)
        if not mine.update(n_done=done, beat_at=timezone.now()):
            raise errors.Conflict("Another worker has gone on with this import.")
        writer.store([one for one in batch if isinstance(one, Keyed)])
        alone = [one for one in batch if isinstance(one, Alone)]
        if alone:
            writer.store_alone(alone)
    row.n_done = done
    reset_queries()  # with DEBUG Django keeps the text of every statement


def _complete(row: Import) -> None:
    report = Report.from_json(row.report)
    tally_items(row, report)
    with transaction.atomic():
        locked = Import.objects.select_for_update(no_key=True, of=("self",))
        row = locked.select_related("project").get(pk=row.pk)
        if row.state != TransferState.WRITING:
            raise errors.Conflict("Another worker has completed this import.")
        made = make_items(row)
        row.report, row.state, row.finished_at = report.to_json(), TransferState.COMPLETE, timezone.now()
        row.save(update_fields=["report", "state", "finished_at"])
        queue.forget_frontiers(row.project)
        data = {"transfer": row.pk, "items": made, "known": report.n_known}
        Event.objects.create(project=row.project, actor=row.created_by, verb="import", data=data)
        transaction.on_commit(lambda: forget_files(row))
