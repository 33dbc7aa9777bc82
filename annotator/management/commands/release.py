"""Releases: `manage.py release PROJECT --rule FILE|JSON -o DIR` writes one, `--diff A B` compares two."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator import errors
from annotator.actions import release_compare, releases
from annotator.actions.release_files import Counts, plain_counts
from annotator.management.progress import progress
from annotator.management.shared import find_project, refusals
from annotator.models import Project, Release
from annotator.policies import Operator


class Command(BaseCommand):
    help = "Write a release: frozen, content-addressed, with its cards. Or count it first, or compare two."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug, as in its address")
        parser.add_argument(
            "--rule", metavar="FILE|JSON", help='what goes in, as JSON or a file of it; {"which": "gold"}'
        )
        parser.add_argument("-o", "--output", metavar="DIR", help="a folder that is not there yet")
        parser.add_argument("--name", default="", help="as it is cited; the next free one: 1.0, 1.1, …")
        parser.add_argument("--note", default="", help="a sentence for its readers")
        parser.add_argument("--count", action="store_true", help="only say what the rule would release")
        parser.add_argument("--diff", nargs=2, metavar=("A", "B"), help="what changed between two releases")
        parser.add_argument("--json", action="store_true", help="print the manifest, the counts or the diff")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        try:
            with refusals():
                self._act(project, options)
        except OSError as error:
            raise CommandError(f"Cannot write {options['output']}: {error.strerror}") from error

    def _act(self, project: Project, options: dict[str, Any]) -> None:
        if options["diff"]:
            self._compare(project, *options["diff"], as_json=options["json"])
            return
        if options["rule"] is None:
            raise CommandError("Say what goes in: --rule FILE|JSON.")
        rule = _read(options["rule"])
        if options["count"]:
            counts = releases.count(by=Operator(), project=project, rule=rule)
            self._print(plain_counts(counts)) if options["json"] else self._report(counts)
            return
        if not options["output"]:
            raise CommandError("Say where to: -o DIR.")
        with progress("Releasing") as tick:
            row = releases.release_to(
                by=Operator(), project=project, rule=rule, folder=Path(options["output"]), name=options["name"],
                note=options["note"], tick=tick,
            )  # fmt: skip
        self._done(row, options)

    def _done(self, row: Release, options: dict[str, Any]) -> None:
        if options["json"]:
            self._print(row.report)
            return
        done = f"Release {row.name}: {row.n_records} solutions, sha256 {row.digest}, in {options['output']}"
        self.stdout.write(done, self.style.SUCCESS)
        for why, seen in row.report["counts"]["left_out"].items():
            self.stdout.write(f"Left out {seen['n']}: {why}")
        for name, left_out in row.report["format_left_out"].items():
            for why, seen in left_out.items():
                self.stdout.write(f"Not in {name} {seen['n']}: {why}")

    def _report(self, counts: Counts) -> None:
        self.stdout.write(
            f"{counts.solutions} solutions, {counts.steps} steps, {counts.groups} problem groups"
        )
        for title, found in (("error type", counts.kinds), ("split", counts.splits)):
            for name, n in sorted(found.items()):
                self.stdout.write(f"  {title} {name or 'none'}: {n}")
        for why, seen in counts.left_out.items():
            self.stdout.write(f"Left out {seen['n']}: {why}")

    def _compare(self, project: Project, a: str, b: str, *, as_json: bool) -> None:
        found = release_compare.diff(by=Operator(), project=project, a=a, b=b)
        if as_json:
            self._print(found)
            return
        self.stdout.write(f"{a}: {found['n_a']} solutions, {b}: {found['n_b']}")
        for what in ("same", "added", "removed", "relabelled", "retyped", "moved"):
            self.stdout.write(f"  {what}: {found[what]}")
        for change, n in found["changes"].items():
            self.stdout.write(f"  steps {change.replace(' ', ' -> ')}: {n}")
        for name, (was, now) in found["rule"].items():
            self.stdout.write(f"  rule {name}: {was} -> {now}")

    def _print(self, found: Any) -> None:
        self.stdout.write(json.dumps(found, ensure_ascii=False))


def _read(rule: str) -> Any:
    """The rule given as JSON, in a file, or (-) on standard input."""
    text = rule
    if not rule.lstrip().startswith("{"):
        try:
            text = sys.stdin.read() if rule == "-" else Path(rule).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise errors.Invalid(f"Cannot read {rule}: {error}", field="rule") from error
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise errors.Invalid(f"This is not JSON: {error}", field="rule") from error
