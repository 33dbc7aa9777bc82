"""`manage.py pull PROJECT [--json|--csv]`: the pull of the machine."""

import csv
import json
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotator.management.commands.acceptance import rate_text
from annotator.management.shared import find_project
from annotator.reports import pull

SHAPE = """What reviewers' labels became once they had seen what machines said.

With --json: {project, n_reviews, settings: [setting]}. Reviewers of one setting saw the same; rates are compared
only within one. A setting:

  blind_shows, labels_first    what they saw at first; without labels_first there is nothing before the reveal
  n_reviews, n_decided         reviews, and those whose item is decided, not by this reviewer alone
  n_conflicted                 reviews of items in conflict: not counted against a decision yet
  rates                        {name: {value (0..1, null: undefined), n, why, interval: {low, high, why}}}, null
                               without labels_first; Wilson's 95 % intervals. Names:
      items, steps             reviews with a changed label; steps with one, of those judged before and after
      towards, away            steps moved to the machine, of those that differed; away, of those at one
      spoiled, mended          right turned wrong, of the right; wrong turned right, of the wrong
  by                           {rater | kind | source: {value: rates}}
  before, after                {as_machine, as_decided}: steps judged alike, before and at last
  spoiled_items, mended_items  ids of up to 50 items
"""


class Command(BaseCommand):
    help = SHAPE

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="write the whole report as JSON")
        form.add_argument("--csv", action="store_true", help="write a row for each rate as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        found = pull.read(find_project(options["project"]))
        if options["csv"]:
            csv.writer(self.stdout).writerows(pull.table(found))
        else:
            self.stdout.write(json.dumps(found, indent=2) if options["json"] else _text(found))


def _text(found: dict[str, Any]) -> str:
    lines = [f"{found['project']}: {found['n_reviews']} reviews with a reveal"]
    for setting in found["settings"]:
        first = "labels first" if setting["labels_first"] else "reveal from the beginning"
        lines.append(f"  {setting['blind_shows'] or '–'}, {first}: {setting['n_reviews']} reviews")
        for when in ("before", "after"):
            said = setting[when] or {}
            lines += [f"    {f'{name} {when}':18}{rate_text(rate)}" for name, rate in said.items()]
        lines += [f"    {name:18}{rate_text(rate)}" for name, rate in (setting["rates"] or {}).items()]
    return "\n".join(lines)
