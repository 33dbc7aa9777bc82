"""`manage.py reviewers PROJECT [--json]`: how right reviewers are on probes, and signs of haste."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand

from annotator.management.shared import find_project
from annotator.measured import reviewers

SHAPE = """\
How right each reviewer is on probes and in the exam, beside gold as it is now, and signs of haste.

--json writes one object; the API serves the same. A share is {"value": 0..1 or null, "right", "n", "low", "high",
"why"}: low and high are the ends of Wilson's 95 % interval, null where n is 0.

  rule             what an item is right by: the project's decision rule
  all, reviewers[].probes, reviewers[].exam
                   items, steps (shares), kinds {error type of the item: share of items}, weeks {Monday: share of
                   items}, patterns [{code, kind, n, chances, often}], wrong (ids of the last items that were wrong)
  reviewers[]      name, role, member, rater, n_submitted, paused (the reason, or null), exam_attempts,
                   exam_passed_at, ms_a_step (median over the last 200 items), warnings
  warnings[]       {"code": "fast", ms, usual_ms, items}: under a third of the project's median time a step
                   {"code": "straight_line", wrong (0-based steps), length, usual, items}: one answer so often in a
                   row that chance would hardly give it
"""


class Command(BaseCommand):
    help = SHAPE

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--json", action="store_true", help="write the whole report as JSON")

    def handle(self, *args: Any, project: str, **options: Any) -> None:
        found = reviewers.report(find_project(project))
        self.stdout.write(json.dumps(found, indent=2) if options["json"] else _text(found))


def _text(found: dict[str, Any]) -> str:
    lines = [f"all: items {_share(found['all']['items'])}, steps {_share(found['all']['steps'])}"]
    for one in found["reviewers"]:
        exam = f", exam {_share(one['exam']['items'])}" if one["exam"]["items"]["n"] else ""
        signs = "".join(f", {sign['code'].replace('_', ' ')}" for sign in one["warnings"])
        paused = ", paused" if one["paused"] else ""
        probes = one["probes"]
        lines.append(
            f"{one['name']}: items {_share(probes['items'])}, steps {_share(probes['steps'])}{exam}{signs}{paused}"
        )
    return "\n".join(lines)


def _share(share: dict[str, Any]) -> str:
    if share["value"] is None:
        return f"– ({share['why']})"
    value, low, high = (f"{100 * share[name]:.0f}" for name in ("value", "low", "high"))
    return f"{value} % ({low}–{high}, n {share['n']})"
