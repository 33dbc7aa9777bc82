"""What a lead or a command asks of imports: start, write, resume, remove. import_write.py does the work."""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from annotator import errors, policies
from annotator.actions import import_write
from annotator.actions.annotation_import_rows import take_back
from annotator.actions.import_files import File, check_reading, folder_of, forget_files, readable_named
from annotator.actions.import_items import NEEDS_ORIGINAL
from annotator.actions.projects import MAX_OVERLAP
from annotator.actions.record import record
from annotator.actions.transfers import awaits_map, is_held, is_stalled, ring
from annotator.formats import READABLE
from annotator.models import (
    Annotation,
    Finding,
    Import,
    ImportKind,
    Injection,
    Problem,
    Project,
    Protocol,
    Role,
    Solution,
    TransferState,
)
from annotator.policies import Actor

DEFAULT_PROTOCOL = dict.fromkeys(READABLE, Protocol.LABEL_STEPS) | {"prmbench": Protocol.VERIFY_INJECTION}
HAS_ORIGINALS = ("prmbench",)
UNFINISHED = (TransferState.WAITING, TransferState.CHECKING, TransferState.CHECKED, TransferState.WRITING)
ROWS_AT_ONCE = 1_000
LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{1,59}")
TO_BE_SAID = "problem=problem,steps=steps"  # for checking the other options; it is not kept


class Tasks(NamedTuple):
    """The tasks that work on an import, by name."""

    check: str
    write: str


TASKS: dict[str, Tasks] = {
    ImportKind.SOLUTIONS: Tasks("check_import", "write_import"),
    ImportKind.ANNOTATIONS: Tasks("check_annotations", "write_annotations"),
}


def read_options(
    *,
    format: str,
    protocol: str = "",
    overlap: int | None = None,
    strict: bool = False,
    dry_run: bool = False,
    licence: str = "",
    reading: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The options as an Import keeps them. Raises Invalid naming the field.

    licence: of the data, as a release's card is to state it (an SPDX id in lower case, such as apache-2.0).
    reading: what the format's reader is told (formats.readings). Both are kept only where there is such.
    """
    told = check_reading(format, reading or {})
    if protocol and protocol not in Protocol.values:
        raise errors.Invalid(f"There is no protocol {protocol!r}.", field="protocol")
    if protocol in NEEDS_ORIGINAL and format not in HAS_ORIGINALS:
        message = f"{Protocol(protocol).label} needs the solution before its change, which {format} has not."
        raise errors.Invalid(message, field="protocol")
    if overlap is not None and not 1 <= overlap <= MAX_OVERLAP:
        raise errors.Invalid(f"Choose a whole number from 1 to {MAX_OVERLAP}.", field="overlap")
    if licence and not LICENCE.fullmatch(licence):
        raise errors.Invalid(
            "Write a licence's short name, such as apache-2.0 or cc-by-4.0.", field="licence"
        )
    asked = {"protocol": protocol, "overlap": overlap, "strict": strict, "dry_run": dry_run}
    return asked | ({"licence": licence} if licence else {}) | ({"reading": told} if told else {})


@transaction.atomic
def start_upload(
    *, by: Actor, project: Project, format: str, uploads: "Sequence[UploadedFile[Any]]", **options: Any
) -> Import:
    """Keep the uploaded files under names of our own and have them checked; where things are in files that
    each group lays out as it likes is asked first (import_map.give_map)."""
    unsaid = bool(readable_named(format).told) and not options.get("reading")
    if unsaid:
        options["reading"] = {"map": TO_BE_SAID}
    row = _create(by, project, format, options)
    keep_uploads(row, uploads)
    if unsaid:
        row.options["reading"] = {}
        row.save(update_fields=["options"])
    else:
        ring("check_import", row.pk)
    return row


def keep_uploads(row: Import, uploads: "Sequence[UploadedFile[Any]]") -> None:
    """Store the files of a new import. Raises Invalid where there are none; a failure leaves no file behind."""
    if not uploads:
        raise errors.Invalid("Choose at least one file.", field="files")
    row.names = [Path(upload.name or "file").name for upload in uploads]
    try:
        row.paths = [_keep(row, n, upload) for n, upload in enumerate(uploads)]
    except BaseException:
        shutil.rmtree(folder_of(row), ignore_errors=True)
        raise
    row.save(update_fields=["names", "paths"])


@transaction.atomic
def open_import(*, by: Actor, project: Project, format: str, files: Iterable[File], **options: Any) -> Import:
    """The import of these files, for the caller to work on: an unfinished one with the same files and
    options, so that the same command goes on where it was, else a new one."""
    paths, names = map(list, zip(*files, strict=True))
    asked = read_options(format=format, **options)
    policies.check_at_least(by, Role.LEAD, project)
    for row in Import.objects.filter(project=project, format=format, state__in=UNFINISHED):
        if (row.paths, row.options) == (paths, asked):
            return _check_anew(row)
    row = _create(by, project, format, options)
    row.paths, row.names = paths, names
    row.save(update_fields=["paths", "names"])
    return row


@transaction.atomic
def write_good(*, by: Actor, row: Import) -> Import:
    """Write what a check found good."""
    policies.check_at_least(by, Role.LEAD, row.project)
    import_write.begin(row)
    ring(TASKS[row.kind].write, row.pk)
    return row


@transaction.atomic
def resume_import(*, by: Actor, row: Import) -> Import:
    """Call a worker for an import that lost its own."""
    policies.check_at_least(by, Role.LEAD, row.project)
    if not row.is_running:
        raise errors.Conflict(f"This import is {row.state}: there is nothing to resume.")
    if not can_resume(row):
        raise errors.Conflict("A worker is at it.")
    tasks = TASKS[row.kind]
    ring(tasks.write if row.state == TransferState.WRITING else tasks.check, row.pk)
    return row


def can_resume(row: Import) -> bool:
    """A worker that stopped by itself leaves its reason; one that was killed leaves an old beat."""
    return row.is_running and not is_held(row) and (bool(row.error) or is_stalled(row))


def can_remove(row: Import) -> bool:
    final = row.state in (TransferState.COMPLETE, TransferState.REMOVED)
    return not final and not is_held(row) and (not row.is_running or can_resume(row) or awaits_map(row))


@transaction.atomic
def remove_import(*, by: Actor, row: Import) -> Import:
    """Take an import that never completed away, with what it wrote and the files uploaded for it.

    What another import refers to stays: it is shared, and no item shows it by itself.
    """
    policies.check_at_least(by, Role.LEAD, row.project)
    row = Import.objects.select_for_update(no_key=True).get(pk=row.pk)
    if not can_remove(row):
        raise errors.Conflict(f"This import is {row.state} or being worked on: it cannot be removed.")
    _delete_rows(row)
    row.state, row.finished_at = TransferState.REMOVED, timezone.now()
    row.save(update_fields=["state", "finished_at"])
    record(by, "remove_import", row.project, transfer=row.pk, records=row.n_done)
    transaction.on_commit(lambda: forget_files(row))
    return row


def _create(by: Actor, project: Project, format: str, options: dict[str, Any]) -> Import:
    policies.check_at_least(by, Role.LEAD, project)
    return Import.objects.create(
        project=project, created_by=by.user, format=format, options=read_options(format=format, **options)
    )


def _check_anew(row: Import) -> Import:
    """What was checked, but of which nothing is written yet, may have been mended since."""
    if row.state == TransferState.CHECKED:
        row.state = TransferState.WAITING
        row.save(update_fields=["state"])
    return row


def _keep(row: Import, n: int, upload: "UploadedFile[Any]") -> str:
    folder_of(row).mkdir(parents=True, exist_ok=True)
    path = folder_of(row) / str(n)
    with path.open("wb") as file:
        for chunk in upload.chunks():
            file.write(chunk)
    return str(path)


def _delete_rows(row: Import) -> None:
    """Children before what they refer to."""
    if row.kind == ImportKind.ANNOTATIONS:
        take_back(row)
        return
    solutions = Solution.objects.filter(source_import=row)
    _delete(Finding.objects.filter(solution__source_import=row))
    _delete(Annotation.objects.filter(solution__source_import=row))
    _delete(Injection.objects.filter(child__source_import=row))
    referring = Solution.objects.filter(parent=OuterRef("pk"))
    _delete(solutions.exclude(parent=None))
    _delete(solutions.filter(~Exists(referring)))
    problems = Problem.objects.filter(source_import=row)
    used = Q(Exists(Solution.objects.filter(problem=OuterRef("pk")))) | Q(
        Exists(Problem.objects.filter(parent=OuterRef("pk")))
    )
    _delete(problems.exclude(parent=None).exclude(used))
    _delete(problems.exclude(used))


def _delete(rows: QuerySet[Any, Model]) -> None:
    """In pieces, since Django loads what it deletes."""
    while ids := list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE]):
        rows.model._default_manager.filter(pk__in=ids).delete()
