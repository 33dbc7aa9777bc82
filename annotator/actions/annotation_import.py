"""Labels made elsewhere come in as raters: ask for an import of annotations, check it, write it.

The first pass reads and checks everything and writes nothing but the report. The second writes batch by batch,
each with the count that says so in one transaction, so a killed import goes on exactly where it was.
imports.py resumes and removes these as it does the others.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import reset_queries, transaction
from django.utils import timezone

from annotator import errors, policies
from annotator.actions import import_write, imports
from annotator.actions.annotation_import_match import Unknown
from annotator.actions.annotation_import_read import Batch, Judgements, check_name, reader_of
from annotator.actions.annotation_import_report import JudgementReport
from annotator.actions.annotation_import_rows import compare, raters_by_name, store
from annotator.actions.import_check import reporting
from annotator.actions.import_files import File, files_of, fingerprint, forget_files, total_size
from annotator.actions.transfers import Tick, beat, ring, working
from annotator.formats.records import FormatError, UnreadableFile
from annotator.models import Event, Import, ImportKind, Project, RaterKind, Role, TransferState
from annotator.policies import Actor

KINDS = [kind for kind in RaterKind if kind != RaterKind.REVIEWER]
ZEROS = ("", "neutral", "wrong")


def read_options(
    *,
    format: str,
    rater: str,
    map: str = "",
    zero: str = "",
    threshold: float = 0.5,
    trust_verified: bool = False,
    neutral_button: bool = False,
    strict: bool = False,
    dry_run: bool = False,
) -> dict[str, Any]:
    """The options as an Import keeps them. rater: KIND:NAME, or KIND alone where every record names its own.

    Raises Invalid naming the field.
    """
    _check_rater(rater)
    if zero not in ZEROS:
        raise errors.Invalid("0 means neutral or wrong.", field="zero")
    if not math.isfinite(threshold):
        raise errors.Invalid("The threshold must be a number.", field="threshold")
    options = {
        "rater": rater.removesuffix(":"), "map": map, "zero": zero, "threshold": threshold,
        "trust_verified": trust_verified, "neutral_button": neutral_button, "strict": strict,
        "dry_run": dry_run,
    }  # fmt: skip
    reader_of(format, options)
    return options


def _check_rater(rater: str) -> None:
    kind, _, name = rater.partition(":")
    if kind == RaterKind.REVIEWER:
        message = (
            "Reviewers label here, with an account of their own. What a person has labelled elsewhere comes in "
            f"as kind source: source:{name or 'NAME'}."
        )
        raise errors.Invalid(message, field="rater")
    if kind not in KINDS:
        message = f"Name the rater as KIND:NAME, such as prm:my-model. KIND is one of {', '.join(KINDS)}."
        raise errors.Invalid(message, field="rater")
    refusal = check_name(kind, name) if name else ""
    if refusal:
        raise errors.Invalid(f"The rater's name {refusal}.", field="rater")


@transaction.atomic
def start_upload(
    *, by: Actor, project: Project, format: str, uploads: "Sequence[UploadedFile[Any]]", **options: Any
) -> Import:
    """Keep the uploaded files and have them checked."""
    row = _create(by, project, format, read_options(format=format, **options))
    imports.keep_uploads(row, uploads)
    ring("check_annotations", row.pk)
    return row


@transaction.atomic
def open_import(*, by: Actor, project: Project, format: str, files: Iterable[File], **options: Any) -> Import:
    """The import of these files, for the caller to work on: an unfinished one with the same files and options,
    so that the same command goes on where it was, else a new one."""
    paths, names = map(list, zip(*files, strict=True))
    asked = read_options(format=format, **options)
    policies.check_at_least(by, Role.LEAD, project)
    mine = Import.objects.filter(project=project, format=format, kind=ImportKind.ANNOTATIONS)
    for row in mine.filter(state__in=imports.UNFINISHED):
        if (row.paths, row.options) == (paths, asked):
            return _check_anew(row)
    row = _create(by, project, format, asked)
    row.paths, row.names = paths, names
    row.save(update_fields=["paths", "names"])
    return row


def _create(by: Actor, project: Project, format: str, options: dict[str, Any]) -> Import:
    policies.check_at_least(by, Role.LEAD, project)
    return Import.objects.create(
        project=project, created_by=by.user, kind=ImportKind.ANNOTATIONS, format=format, options=options
    )


def _check_anew(row: Import) -> Import:
    """Of what was checked but not begun, files and project may have changed since."""
    if row.state == TransferState.CHECKED:
        row.state = TransferState.WAITING
        row.save(update_fields=["state"])
    return row


# ---- the first pass


def survey(
    *, project: Project, format: str, options: dict[str, Any], files: Sequence[File], tick: Tick
) -> JudgementReport:
    """Read all files and say what is in them and what writing them would do. `tick` is told the bytes read."""
    report, size = JudgementReport(), total_size(files)
    found = Judgements(project=project, format=format, options=options, files=files)
    try:
        for batch in found.batches(lambda done: tick(done, size)):
            _note(report, batch)
            raters = raters_by_name(sorted({one.rater for one in batch.judgements}), make=False)
            report.add_counts(compare(batch.judgements, raters))
            reset_queries()  # with DEBUG Django keeps the text of every statement
    except UnreadableFile as error:
        report.stop(error)
    return report


def _note(report: JudgementReport, batch: Batch) -> None:
    report.n_records += len(batch.records)
    for found in batch.records:
        if isinstance(found, Unknown):
            report.add_unknown(found)
        elif isinstance(found, FormatError):
            report.add_bad(found)
        else:
            report.add_good(found)


def check(*, row: Import, tick: Tick = lambda done, total: None) -> Import:
    """Check the files of a new import. It ends checked, or failed where nothing of it may be written."""
    with working(row, [TransferState.WAITING, TransferState.CHECKING]):
        beat(row, state=TransferState.CHECKING)
        files, marks = files_of(row), fingerprint(files_of(row))
        report = survey(
            project=row.project,
            format=row.format,
            options=row.options,
            files=files,
            tick=reporting(row, tick),
        )
        refusal = report.refusal(row.options["strict"])
        beat(
            row, n_total=report.n_records, report=report.to_json() | {"files": marks}, error=refusal,
            state=TransferState.FAILED if refusal else TransferState.CHECKED,
        )  # fmt: skip
    return row


def check_then_write(*, row: Import) -> Import:
    """What a worker does with a new import. One with errors waits until a person has looked at them."""
    import_write.begin_if_clean(check(row=row), "write_annotations")
    return row


# ---- the second pass


def write(*, row: Import, tick: Tick = lambda done, total: None) -> Import:
    """Write the good records, from where the last worker came to.

    Raises Conflict, with what is written kept, when the files have changed or another worker has taken over.
    """
    with import_write.writing(row):
        _write_batches(row, tick)
        _complete(row)
    return row


def _write_batches(row: Import, tick: Tick) -> None:
    """From the first record on even where some are written: what an earlier one has judged must be known."""
    found = Judgements(project=row.project, format=row.format, options=row.options, files=files_of(row))
    report, at = JudgementReport.from_json(row.report), 0
    if not row.n_done:
        report.forget_counts()
    for batch in found.batches():
        at += len(batch.records)
        if at > row.n_done:
            _store(row, report, batch)
            tick(row.n_done, row.n_total or 0)


def _store(row: Import, report: JudgementReport, batch: Batch) -> None:
    done = row.n_done + len(batch.records)
    with transaction.atomic():
        # First, so that of two workers the slower one waits here and then sees that it is too late.
        mine = Import.objects.filter(pk=row.pk, state=TransferState.WRITING, n_done=row.n_done)
        if not mine.update(n_done=done, beat_at=timezone.now()):
            raise errors.Conflict("Another worker has gone on with this import.")
        raters = raters_by_name(sorted({one.rater for one in batch.judgements}), make=True)
        report.add_counts(store(row, batch.judgements, raters))
        row.report |= report.to_json()
        mine.model.objects.filter(pk=row.pk).update(report=row.report)
    row.n_done = done
    reset_queries()


def _complete(row: Import) -> None:
    report = JudgementReport.from_json(row.report)
    report.n_gone = report.n_judgements - report.n_new - report.n_same - report.n_replaced
    with transaction.atomic():
        done = Import.objects.filter(pk=row.pk, state=TransferState.WRITING).update(
            state=TransferState.COMPLETE, report=row.report | report.to_json(), finished_at=timezone.now()
        )
        if not done:
            raise errors.Conflict("Another worker has completed this import.")
        data = {"transfer": row.pk, "new": report.n_new, "replaced": report.n_replaced, "same": report.n_same}
        Event.objects.create(
            project=row.project, actor=row.created_by, verb="import_annotations",
            data=data | {"raters": list(report.raters)},
        )  # fmt: skip
        transaction.on_commit(lambda: forget_files(row))
