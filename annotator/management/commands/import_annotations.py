"""Bring in labels made elsewhere: `manage.py import_annotations PROJECT PATH… --rater KIND:NAME`."""

import json
import time
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator import errors
from annotator.actions import annotation_import as acts
from annotator.actions import import_write
from annotator.actions.annotation_import_report import JudgementReport
from annotator.actions.import_files import File, find_files
from annotator.actions.transfers import wait_until_quiet
from annotator.formats import judgements, mapping
from annotator.formats.records import Place
from annotator.management.progress import progress
from annotator.management.shared import find_project
from annotator.models import Import, Project, TransferState
from annotator.policies import Operator

OPTIONS = (
    "rater", "map", "zero", "threshold", "trust_verified", "neutral_button", "strict", "dry_run"
)  # fmt: skip
HELP = """\
Bring in labels or scores that another model, tool or person gave to solutions of a project, as a rater's.

A line of the file is a JSON object (format jsonl, the default):

  {"id": "circular_prm_test_p1_7", "scores": [0.98, 0.91, 0.12]}
  {"digest": "3f6c…", "labels": "++-."}         + right, 0 neutral, - wrong, ? unsure, . not judged
  {"id": "gsm8k-7", "labels": [true, true, false]}
  {"id": "gsm8k-7", "first_error": 2}           0-based, -1 for none

Other names: --map id=uid,scores=output.step_scores. All files are checked first; the good records are written
then. What is there already is not written twice, and a judgement that differs from the rater's earlier one takes
its place. Given again after an interruption, the same command goes on. docs/annotations-in.md says more.

--json writes one object: records, good, bad, unknown (of solutions not in the project), judgements, short, long,
unparsed, new, same, replaced, raters {KIND:NAME: judgements}, errors and unknown_records [{file, line, field,
message}, the first 200], refusal (text, "" for none), import (its number; null with --dry-run).
"""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("project", help="the project's slug, as in its address")
        add("paths", nargs="+", metavar="path", help="files (.gz too), folders or patterns")
        add("--rater", required=True, metavar="KIND:NAME", help=f"who labelled; KIND is one of {_kinds()}")
        add("--format", choices=judgements.NAMES, default=mapping.NAME, help="default: jsonl")
        add(
            "--map", default="", metavar="WORD=PLACE,…", help=f"where {_words()} are; default: by these names"
        )
        add("--zero", choices=["neutral", "wrong"], default="", help="what 0 means in a list of labels")
        add("--threshold", type=float, default=0.5, help="scores above it are right; default: 0.5")
        add("--trust-verified", action="store_true", help="potato: count what is marked as verified")
        add("--neutral-button", action="store_true", help="potato: there was one, so 0 is a judgement")
        add("--strict", action="store_true", help="write nothing if any record is bad or of no solution here")
        add("--dry-run", action="store_true", help="check only; write nothing at all")
        add("--json", action="store_true", help="write the report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._run(find_files(options["paths"]), find_project(options["project"]), options)
        except errors.PlumblineError as error:
            field = f"--{error.field.replace('_', '-')}: " if error.field in OPTIONS else ""
            raise CommandError(f"{field}{error.message}") from error

    def _run(self, files: list[File], project: Project, options: dict[str, Any]) -> None:
        asked, fmt = {name: options[name] for name in OPTIONS}, options["format"]
        read = acts.read_options(format=fmt, **asked)
        if options["dry_run"]:
            with progress("Checking") as tick:
                report = acts.survey(project=project, format=fmt, options=read, files=files, tick=tick)
            self._show(report, options, report.refusal(options["strict"]), None)
            return
        row = acts.open_import(by=Operator(), project=project, format=fmt, files=files, **asked)
        wait_until_quiet(row)
        self._import(row, options)

    def _import(self, row: Import, options: dict[str, Any]) -> None:
        started = time.perf_counter()
        if row.state in (TransferState.WAITING, TransferState.CHECKING):
            with progress("Checking") as tick:
                acts.check(row=row, tick=tick)
        if row.state == TransferState.FAILED:
            self._show(JudgementReport.from_json(row.report), options, row.error, row.pk)
        if row.state == TransferState.CHECKED:
            import_write.begin(row)
        if row.n_done:
            self.stderr.write(f"Going on after {row.n_done} of {row.n_total} records.")
        with progress("Writing") as tick:
            acts.write(row=row, tick=tick)
        self._show(JudgementReport.from_json(row.report), options, "", row.pk)
        if not options["json"]:
            self.stdout.write(f"Done in {time.perf_counter() - started:.1f} s.")

    def _show(self, report: JudgementReport, options: dict[str, Any], refusal: str, pk: int | None) -> None:
        """Raises CommandError where nothing was written."""
        if options["json"]:
            self.stdout.write(json.dumps(as_json(report) | {"refusal": refusal, "import": pk}, indent=2))
        else:
            self._show_listed(report.errors, report.n_bad, "bad records")
            self._show_listed(report.unknown, report.n_unknown, "records of solutions that are not here")
            self.stdout.write(_text(report, bool(refusal or options["dry_run"])))
        if refusal:
            raise CommandError(refusal)

    def _show_listed(self, listed: list[dict[str, Any]], n: int, what: str) -> None:
        for error in listed:
            place = Place(error["file"], error["line"], error["field"])
            self.stderr.write(f"{place}: {error['message']}")
        if n > len(listed):
            self.stderr.write(f"… and {n - len(listed)} more {what}.")


def as_json(report: JudgementReport) -> dict[str, Any]:
    counts = {
        key.removeprefix("n_"): value for key, value in report.to_json().items() if key.startswith("n_")
    }
    listed = {"errors": report.errors, "unknown_records": report.unknown}
    return counts | {"raters": report.raters} | listed


def _text(report: JudgementReport, only_checked: bool) -> str:
    lines = [
        f"{report.n_records} records: {report.n_good} good, {report.n_bad} bad, {report.n_unknown} of solutions "
        "that are not in this project.",
        f"{'Would write' if only_checked else 'Written'}: {report.n_new} new, {report.n_replaced} in place of "
        f"an earlier judgement; {report.n_same} are there already.",
    ]
    if report.n_gone:
        lines.append(
            f"{report.n_gone} no longer fitted a solution when they were to be written: import again."
        )
    if report.n_short or report.n_long or report.n_unparsed:
        lines.append(
            f"{report.n_short} shorter than the solution (the rest is not judged), {report.n_long} longer (cut), "
            f"{report.n_unparsed} without a readable reply."
        )
    return "\n".join([*lines, *(f"  {rater}: {n}" for rater, n in sorted(report.raters.items()))])


def _kinds() -> str:
    return ", ".join(acts.KINDS)


def _words() -> str:
    return ", ".join(judgements.WORDS)
