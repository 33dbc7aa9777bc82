"""`manage.py lint PROJECT [--json] [--code CODE] [--recheck]`: what checks find in the records of a project."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from django.core.management.base import BaseCommand

from annotator import lint
from annotator.actions.findings import recheck_findings
from annotator.core.checks import CODES
from annotator.management.progress import progress
from annotator.management.shared import find_project
from annotator.models import Project
from annotator.policies import Operator

SHAPE = """\
What checks found in the solutions of a project and in what is claimed about them. Findings are no failure.

They are stored when an import writes. --recheck looks again and replaces them; this is done unasked where an
older version imported, since it stored none. Open items that are found doubtful then come first in the queue.

--json writes one object, as it goes:

  project                 its slug
  findings                [{"code", "item": its id, "foreign_id", "position": of the step, from 0, or null for
                          the record as a whole, "detail": text; step numbers in it count from 1}]
  n_solutions             solutions checked
  codes                   {code: {"findings", "records"}}, those not found included
"""
WIDTH = 100


class Command(BaseCommand):
    help = SHAPE

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--json", action="store_true", help="write every finding, as JSON")
        parser.add_argument("--recheck", action="store_true", help="check anew, and store what is found")
        parser.add_argument(
            "--code", action="append", choices=list(CODES), metavar="CODE",
            help=f"only these findings; may be given again. One of: {', '.join(CODES)}",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        if options["recheck"] or not lint.is_checked(project):
            self._recheck(project, asked=options["recheck"])
        tally = lint.Tally([code for code in CODES if code in (options["code"] or CODES)])
        if options["json"]:
            self._json(project, tally)
        else:
            for _ in _records(project, tally):
                pass
            self._table(project, tally)

    def _recheck(self, project: Project, asked: bool) -> None:
        if not asked:
            self.stderr.write("Not all solutions were checked when they came in: checking them now.")
        with progress("Checking") as tick:
            n = recheck_findings(by=Operator(), project=project, tick=tick)
        self.stderr.write(f"{n} solutions checked, what was found is stored.")

    def _json(self, project: Project, tally: lint.Tally) -> None:
        self.stdout.write(f'{{"project": {json.dumps(project.slug)}, "findings": [', ending="")
        end = "\n"
        for record in _records(project, tally):
            for finding in record.findings:
                row = {"code": finding.code, "item": record.item, "foreign_id": record.foreign_id}
                row |= {"position": finding.position, "detail": finding.detail}
                self.stdout.write(end + json.dumps(row), ending="")
                end = ",\n"
        counts = {"n_solutions": tally.n_solutions, "codes": tally.codes}
        self.stdout.write("\n], " + json.dumps(counts)[1:])

    def _table(self, project: Project, tally: lint.Tally) -> None:
        self.stdout.write(f"{project.slug}: {tally.n_solutions} solutions checked")
        found = [code for code, counts in tally.codes.items() if counts["findings"]]
        if found:
            self.stdout.write(f"\n{'code':<20}{'':<36}{'findings':>10}{'records':>10}")
        for code in found:
            counts = tally.codes[code]
            self.stdout.write(
                f"{code:<20}{CODES[code].title:<36}{counts['findings']:>10}{counts['records']:>10}"
            )
            for line in wrap(CODES[code].advice, WIDTH - 4):
                self.stdout.write(f"    {line}")
        absent = [code for code in tally.codes if code not in found]
        if absent:
            self.stdout.write("")
            self.stdout.write("\n".join(wrap(f"Not found: {', '.join(absent)}.", WIDTH)))


def _records(project: Project, tally: lint.Tally) -> Iterator[lint.Record]:
    """The records with the findings that are asked for, counted as they pass."""
    with progress("Reading") as tick:
        for record in lint.read(project, tick):
            wanted = [finding for finding in record.findings if finding.code in tally.codes]
            record = record._replace(findings=wanted)
            tally.add(record)
            yield record
