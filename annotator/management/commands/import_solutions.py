"""Import foreign files: `manage.py import_solutions PROJECT PATH… --format FORMAT`."""

import time
from argparse import _ArgumentGroup
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator import errors
from annotator.actions import import_check, import_write, imports
from annotator.actions.import_files import File, find_files
from annotator.actions.import_report import Report
from annotator.actions.projects import create_project
from annotator.actions.transfers import wait_until_quiet
from annotator.formats import READABLE
from annotator.formats.readings import ZEROS
from annotator.formats.records import Place
from annotator.formats.splitting import SPLITS
from annotator.management.progress import progress
from annotator.models import Import, Project, Protocol, TransferState
from annotator.policies import Operator

DEFAULT_OVERLAP = 2
OPTIONS = ("protocol", "overlap", "strict", "dry_run", "licence")
READING = ("map", "split", "zero", "threshold", "control", "first")


class Command(BaseCommand):
    help = (
        "Import solutions with their labels. All files are checked first, then the good records are written; "
        "items appear only when all are. Given again after an interruption, the same command goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug, as in its address")
        parser.add_argument("paths", nargs="+", metavar="path", help="files (.gz too), folders or patterns")
        parser.add_argument("--format", required=True, choices=READABLE)
        parser.add_argument("--create", action="store_true", help="make the project if there is none")
        parser.add_argument("--protocol", choices=Protocol.values, default="", help="default: the project's")
        parser.add_argument("--overlap", type=int, help="reviewers for each item; default: the project's")
        parser.add_argument(
            "--licence", default="", help="of the data, such as apache-2.0; releases state it"
        )
        parser.add_argument("--strict", action="store_true", help="write nothing if any record is bad")
        parser.add_argument("--dry-run", action="store_true", help="check only; write nothing at all")
        _add_reading(parser.add_argument_group("for jsonl and label_studio: what is where (docs/formats.md)"))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._run(find_files(options["paths"]), options)
        except errors.PlumblineError as error:
            raise CommandError(error.message) from error

    def _run(self, files: list[File], options: dict[str, Any]) -> None:
        asked = {name: options[name] for name in OPTIONS}
        asked["reading"] = {name: options[name] for name in READING if options[name] is not None}
        imports.read_options(format=options["format"], **asked)
        project = _find_project(options)
        if options["dry_run"]:
            return self._dry_run(files, project, options, asked["reading"])
        project = project or _make_project(options)
        row = imports.open_import(
            by=Operator(), project=project, format=options["format"], files=files, **asked
        )
        wait_until_quiet(row)
        return self._import(row)

    def _dry_run(
        self, files: list[File], project: Project | None, options: dict[str, Any], reading: dict[str, Any]
    ) -> None:
        with progress("Checking") as tick:
            report = import_check.survey(
                fmt=options["format"], files=files, project=project, tick=tick, reading=reading
            )
        self._show_check(report, len(files))
        self._show_kinds(report)
        refusal = report.refusal(options["strict"])
        if refusal:
            raise CommandError(refusal)

    def _import(self, row: Import) -> None:
        started = time.perf_counter()
        self._check(row)
        checked = time.perf_counter()
        self._write(row)
        written = time.perf_counter()
        report = Report.from_json(row.report)
        self.stdout.write(f"Written: {report.n_good - report.n_known} new, {report.n_known} already there.")
        self._show_kinds(report)
        self.stdout.write(f"Checked in {checked - started:.1f} s, written in {written - checked:.1f} s.")

    def _check(self, row: Import) -> None:
        if row.state in (TransferState.WAITING, TransferState.CHECKING):
            with progress("Checking") as tick:
                import_check.check(row=row, tick=tick)
        self._show_check(Report.from_json(row.report), len(row.paths))
        if row.state == TransferState.FAILED:
            raise CommandError(row.error)

    def _write(self, row: Import) -> None:
        if row.state == TransferState.CHECKED:
            import_write.begin(row)
        if row.n_done:
            self.stdout.write(f"Going on after {row.n_done} of {row.n_total} records.")
        with progress("Writing") as tick:
            import_write.write(row=row, tick=tick)

    def _show_check(self, report: Report, n_files: int) -> None:
        for error in report.errors:
            place = Place(error["file"], error["line"], error["field"])
            self.stderr.write(f"{place}: {error['message']}")
        hidden = report.n_bad - len(report.errors)
        if hidden > 0:
            self.stderr.write(f"… and {hidden} more bad records.")
        self.stdout.write(
            f"{n_files} file{'s' * (n_files != 1)}, {report.n_records} records: {report.n_good} good, "
            f"{report.n_bad} bad, {report.n_known} already there, {report.n_repeated} repeated."
        )
        if report.n_problems:
            self.stdout.write(
                f"{report.n_problems} problems: they come without solutions, so no items are made."
            )
        if report.n_differ:
            self.stdout.write(
                f"{report.n_differ} of those already there bring labels that are not there. Known solutions are "
                "not written again; to add such labels, use import_annotations."
            )

    def _show_kinds(self, report: Report) -> None:
        rows = [
            (kind or "(no injected error)", tally.items, *(_shown(mean) for mean in tally.means.values()))
            for kind, tally in sorted(report.kinds.items())
        ]
        head = ("kind", "items", "steps", "wrong", "first error", "question")
        for row in [head, *rows] if rows else []:
            self.stdout.write(f"{row[0]:<22}" + "".join(f"{cell:>13}" for cell in row[1:]))


def _add_reading(group: _ArgumentGroup) -> None:
    group.add_argument(
        "--map",
        help="problem=PLACE,answer=…,response=…|steps=…,id=…,group=…,meta=…,labels=…,scores=…,first_error=…,rater=…",
    )
    group.add_argument("--split", choices=SPLITS, help="how a response becomes steps; default: none")
    group.add_argument("--zero", choices=ZEROS, help="what 0 means among labels")
    group.add_argument(
        "--threshold", type=float, help="a step with only a score is right above it; default: 0.5"
    )
    group.add_argument("--control", help="label_studio: how the names of controls that label steps begin")
    group.add_argument("--first", type=int, choices=(0, 1), help="label_studio: the first step's number")


def _find_project(options: dict[str, Any]) -> Project | None:
    project = Project.objects.filter(slug=options["project"]).first()
    if project is None and not options["create"]:
        raise errors.Missing(f"There is no project {options['project']!r}. Add --create to make it.")
    return project


def _make_project(options: dict[str, Any]) -> Project:
    protocol = options["protocol"] or imports.DEFAULT_PROTOCOL[options["format"]]
    overlap = DEFAULT_OVERLAP if options["overlap"] is None else options["overlap"]
    slug = options["project"]
    return create_project(by=Operator(), slug=slug, name=slug, protocol=protocol, overlap=overlap)


def _shown(mean: float | None) -> str:
    return "–" if mean is None else f"{mean:.1f}"
