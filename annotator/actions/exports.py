"""Exports: asked for, written by a worker or a command, fetched. A file is whole or not there."""

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import reset_queries, transaction
from django.utils import timezone

from annotator import errors, policies
from annotator.actions import export_rows
from annotator.actions.bulk import prepare_connection
from annotator.actions.export_options import Chosen, choose
from annotator.actions.import_files import format_named
from annotator.actions.record import record
from annotator.actions.transfers import Pulse, Tick, beat, is_held, is_stalled, ring, working
from annotator.formats import WRITABLE, Format
from annotator.formats.records import ExportRecord
from annotator.models import Export, Project, Role, TransferState
from annotator.policies import Actor

IDS_SHOWN = 20


@dataclass
class Outcome:
    """What went out: `n` records; `left_out`: why -> {"n", "first": ids} of what the format cannot say."""

    n: int = 0
    n_bytes: int = 0
    sha256: str = ""
    left_out: dict[str, dict[str, Any]] = field(default_factory=dict)

    def leave_out(self, foreign_id: str, why: str) -> None:
        seen = self.left_out.setdefault(why, {"n": 0, "first": []})
        seen["n"] += 1
        if len(seen["first"]) < IDS_SHOWN:
            seen["first"].append(foreign_id)

    @property
    def n_left_out(self) -> int:
        return sum(int(seen["n"]) for seen in self.left_out.values())


@transaction.atomic
def start_export(
    *, by: Actor, project: Project, format: str, which: str, min_raters: int = 1,
    options: Mapping[str, Any] | None = None,
) -> Export:  # fmt: skip
    """Have a worker write the annotations of `which` in a format. options: those of export_options that are
    asked for; the others are as the format has them."""
    chosen = _check(by, project, format, which, min_raters, options)
    asked: dict[str, Any] = {"format": format, "which": which, "min_raters": min_raters}
    asked["options"] = dict(chosen.given)
    row = Export.objects.create(project=project, created_by=by.user, **asked)
    record(by, "export", project, transfer=row.pk, **asked)
    ring("write_export", row.pk)
    return row


def export_to(
    *, by: Actor, project: Project, format: str, which: str, min_raters: int, out: IO[bytes],
    options: Mapping[str, Any] | None = None, tick: Tick = lambda done, total: None,
) -> Outcome:  # fmt: skip
    """Write the annotations of `which` to `out`, and nothing but an event to the database."""
    chosen = _check(by, project, format, which, min_raters, options)
    outcome = _write(project, chosen, which, min_raters, out, tick)
    asked: dict[str, Any] = {"format": format, "which": which, "min_raters": min_raters}
    asked["options"] = dict(chosen.given)
    record(by, "export", project, **asked, n=outcome.n, sha256=outcome.sha256)
    return outcome


@transaction.atomic
def resume_export(*, by: Actor, row: Export) -> Export:
    """Call a worker for an export that lost its own. It begins anew: half a file is worth nothing."""
    policies.check_at_least(by, Role.LEAD, row.project)
    if not can_resume(row):
        raise errors.Conflict(f"This export is {row.state}, or a worker is at it.")
    ring("write_export", row.pk)
    return row


def can_resume(row: Export) -> bool:
    return row.is_running and not is_held(row) and (bool(row.error) or is_stalled(row))


def write(*, row: Export) -> Export:
    """What a worker does with an export. Of two that do it at once, one's file is kept."""
    with working(row, [TransferState.WAITING, TransferState.WRITING]):
        beat(row, state=TransferState.WRITING, n_done=0)
        folder = Path(settings.DATA_DIR) / "exports"
        folder.mkdir(parents=True, exist_ok=True)
        chosen = choose(format_written(row.format), row.options)
        path = folder / f"{row.pk}{chosen.format.suffix}"
        with replacing(path) as (out, put):
            outcome = _write(row.project, chosen, row.which, row.min_raters, out, _reporting(row))
            _complete(row, outcome, path, put)
    return row


def file_of(row: Export) -> Path:
    """Where the file lies. Raises Conflict before it is complete, Missing once it is gone."""
    if row.state != TransferState.COMPLETE:
        raise errors.Conflict("This export is not complete yet.")
    path = Path(row.path)
    if not path.is_file():
        raise errors.Missing("The file of this export is gone: export again.")
    return path


def download_name(row: Export) -> str:
    """A name that says what the file is, whatever its rater is called."""
    which = "".join(c if c.isalnum() or c in "-_." else "-" for c in row.which)
    return f"{row.project.slug}-{row.format}-{which}-{row.pk}{format_named(row.format).suffix}"


def format_written(name: str) -> Format:
    """Raises Invalid for a format that is not written."""
    if name not in WRITABLE:
        raise errors.Invalid(
            f"The format must be one of {', '.join(WRITABLE)}, not {name!r}.", field="format"
        )
    return format_named(name)


class replacing:
    """Open a file beside `path`; `put()` makes it `path` in one step. Left without `put`, no trace stays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")

    def __enter__(self) -> tuple[IO[bytes], Callable[[], None]]:
        self._file = self._beside.open("wb")
        return self._file, self._put

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._beside.unlink(missing_ok=True)

    def _put(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._beside.replace(self._path)


def _check(
    by: Actor, project: Project, format: str, which: str, min_raters: int, options: Mapping[str, Any] | None
) -> Chosen:
    policies.check_at_least(by, Role.LEAD, project)
    fmt = format_written(format)
    export_rows.check_which(project, which, fmt)
    if min_raters < 1:
        raise errors.Invalid("Choose a whole number from 1.", field="min_raters")
    return choose(fmt, options)


def _write(
    project: Project, chosen: Chosen, which: str, min_raters: int, out: IO[bytes], tick: Tick
) -> Outcome:
    prepare_connection()
    outcome, digest = Outcome(), hashlib.sha256()
    needs_truth = chosen.format.says.truth
    found = export_rows.rows(project, which, min_raters, retired=chosen.retired, truth=needs_truth)
    total = export_rows.count(project, which, min_raters)
    tick(0, total)
    assert chosen.format.write  # noqa: S101  (format_written lets no other through)
    for piece in chosen.format.write(_writable(found, chosen, outcome)):
        data = piece.encode()
        out.write(data)
        digest.update(data)
        outcome.n_bytes += len(data)
        tick(outcome.n + outcome.n_left_out, total)
    outcome.sha256 = digest.hexdigest()
    return outcome


def _writable(rows: Iterator[export_rows.Row], chosen: Chosen, outcome: Outcome) -> Iterator[ExportRecord]:
    """What the format can say; the rest is counted, with the first ids."""
    refusal = chosen.format.refusal or (lambda row: None)
    for n, (came, gone, foreign_format) in enumerate(rows):
        if not n % export_rows.CHUNK:
            reset_queries()  # with DEBUG Django keeps the text of every statement
        why = gone or chosen.silence(came)
        row = came if why else chosen.fitted(came, foreign_format)
        refused = None if why else refusal(row)
        if why or refused:
            outcome.leave_out(row.solution.foreign_id, why or (refused.message if refused else ""))
            continue
        outcome.n += 1
        yield row


def _reporting(row: Export) -> Tick:
    pulse = Pulse()

    def tick(done: int, total: int) -> None:
        if pulse.is_due():
            beat(row, n_done=done, n_total=total)

    return tick


def _complete(row: Export, outcome: Outcome, path: Path, put: Callable[[], None]) -> None:
    """The file takes its place in the same transaction as its digest."""
    with transaction.atomic():
        done = Export.objects.filter(pk=row.pk, state=TransferState.WRITING).update(
            state=TransferState.COMPLETE, n_done=outcome.n, n_total=outcome.n + outcome.n_left_out,
            path=str(path), n_bytes=outcome.n_bytes, sha256=outcome.sha256,
            report={"left_out": outcome.left_out}, finished_at=timezone.now(),
        )  # fmt: skip
        if not done:
            raise errors.Conflict("Another worker has completed this export.")
        put()
