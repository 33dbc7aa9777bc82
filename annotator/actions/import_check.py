"""The first pass of an import: read and check everything, write nothing but the report."""

from collections.abc import Callable, Sequence

from annotator.actions.import_files import File, Keys, files_of, fingerprint, format_named, read, total_size
from annotator.actions.import_report import Report
from annotator.actions.transfers import BATCH, Pulse, Tick, beat, working
from annotator.formats.records import FormatError, ImportRecord, UnreadableFile
from annotator.models import Import, Project, Solution, TransferState

Known = Callable[[list[str]], int]


def survey(*, fmt: str, files: Sequence[File], project: Project | None, tick: Tick) -> Report:
    """Read all files and say what is in them. `tick` is told the bytes read, and of how many."""
    survey = _Survey(fmt, project)
    size = total_size(files)
    try:
        for record in read(format_named(fmt), files, lambda done: tick(done, size)):
            survey.add(record)
    except UnreadableFile as error:
        survey.report.stop(error)
    return survey.finish()


class _Survey:
    """A report in the making; which keys are there already is asked for in batches."""

    def __init__(self, fmt: str, project: Project | None) -> None:
        self.report = Report()
        self._keys, self._project = Keys(fmt), project
        self._waiting: list[str] = []

    def add(self, record: ImportRecord | FormatError) -> None:
        if isinstance(record, FormatError):
            self.report.add_bad(record)
            return
        self.report.add_good(record)
        self._waiting.append(self._keys.of(record)[0])
        if len(self._waiting) == BATCH:
            self._ask()

    def finish(self) -> Report:
        self._ask()
        self.report.n_repeated = self._keys.n_repeated
        return self.report

    def _ask(self) -> None:
        if self._project and self._waiting:
            there = Solution.objects.filter(project=self._project, key__in=self._waiting)
            self.report.n_known += there.count()
        self._waiting.clear()


def check(*, row: Import, tick: Tick = lambda done, total: None) -> Import:
    """Check the files of a new import. It ends checked, or failed where nothing of it may be written."""
    with working(row, [TransferState.WAITING, TransferState.CHECKING]):
        beat(row, state=TransferState.CHECKING)
        files, marks = files_of(row), fingerprint(files_of(row))
        report = survey(fmt=row.format, files=files, project=row.project, tick=_reporting(row, tick))
        _keep(row, report, marks)
    return row


def _keep(row: Import, report: Report, marks: list[list[int | None]]) -> None:
    refusal = report.refusal(row.options["strict"])
    beat(
        row, n_total=report.n_good, report=report.to_json() | {"files": marks}, error=refusal,
        state=TransferState.FAILED if refusal else TransferState.CHECKED,
    )  # fmt: skip


def _reporting(row: Import, tick: Tick) -> Tick:
    pulse = Pulse()

    def both(done: int, total: int) -> None:
        if pulse.is_due():
            beat(row, report={"read": done, "size": total})
            tick(done, total)

    return both
