"""The first pass of an import: read and check everything, write nothing but the report."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotator import errors
from annotator.actions.import_files import (
    File,
    Keys,
    files_of,
    fingerprint,
    read,
    reader_named,
    reading_of,
    total_size,
)
from annotator.actions.import_known import count_known
from annotator.actions.import_report import Report
from annotator.actions.transfers import BATCH, Pulse, Tick, awaits_map, beat, working
from annotator.formats.records import FormatError, ImportRecord, LabelRecord, LoneProblem, UnreadableFile
from annotator.models import Import, Project, TransferState

NOTHING: Mapping[str, Any] = {}


def survey(
    *,
    fmt: str,
    files: Sequence[File],
    project: Project | None,
    tick: Tick,
    reading: Mapping[str, Any] = NOTHING,
) -> Report:
    """Read all files and say what is in them. `tick` is told the bytes read, and of how many.

    reading: what the format's reader is told. Raises Invalid where it cannot be.
    """
    one = reader_named(fmt, reading)
    survey = _Survey(fmt, project)
    size = total_size(files)
    try:
        for record in read(one, files, lambda done: tick(done, size)):
            survey.add(record)
    except UnreadableFile as error:
        survey.report.stop(error)
    return survey.finish()


class _Survey:
    """A report in the making; what is there already is asked for in batches."""

    def __init__(self, fmt: str, project: Project | None) -> None:
        self.report = Report()
        self._keys, self._project = Keys(fmt), project
        self._waiting: list[tuple[str, tuple[LabelRecord, ...] | None]] = []  # None: a problem alone

    def add(self, record: ImportRecord | LoneProblem | FormatError) -> None:
        if isinstance(record, FormatError):
            self.report.add_bad(record)
            return
        self.report.add_good(record)
        labels = None if isinstance(record, LoneProblem) else record.labels
        self._waiting.append((self._keys.of(record)[0], labels))
        if len(self._waiting) == BATCH:
            self._ask()

    def finish(self) -> Report:
        self._ask()
        self.report.n_repeated = self._keys.n_repeated
        return self.report

    def _ask(self) -> None:
        if self._project and self._waiting:
            known, differ = count_known(self._project, self._waiting)
            self.report.n_known += known
            self.report.n_differ += differ
        self._waiting.clear()


def check(*, row: Import, tick: Tick = lambda done, total: None) -> Import:
    """Check the files of a new import. It ends checked, or failed where nothing of it may be written."""
    if awaits_map(row):
        raise errors.Conflict("Nobody has said yet where things are in these files.")
    with working(row, [TransferState.WAITING, TransferState.CHECKING]):
        beat(row, state=TransferState.CHECKING)
        files, marks = files_of(row), fingerprint(files_of(row))
        report = survey(
            fmt=row.format, files=files, project=row.project, tick=reporting(row, tick),
            reading=reading_of(row),
        )  # fmt: skip
        _keep(row, report, marks)
    return row


def _keep(row: Import, report: Report, marks: list[list[int | None]]) -> None:
    refusal = report.refusal(row.options["strict"])
    beat(
        row, n_total=report.n_good, report=report.to_json() | {"files": marks}, error=refusal,
        state=TransferState.FAILED if refusal else TransferState.CHECKED,
    )  # fmt: skip


def reporting(row: Import, tick: Tick) -> Tick:
    """A tick that also says on the row how far the check is, now and then."""
    pulse = Pulse()

    def both(done: int, total: int) -> None:
        if pulse.is_due():
            beat(row, report={"read": done, "size": total})
            tick(done, total)

    return both
