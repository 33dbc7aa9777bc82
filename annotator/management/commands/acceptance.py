"""`manage.py acceptance PROJECT [--sample ID] [--json|--csv]`: how good each kind is, by the samples of it."""

import csv
import json
from argparse import RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.management.shared import find_project
from annotator.models import Sample
from annotator.reports import acceptance

SHAPE = """How good each kind of a project is, by what people decided of the samples drawn by `manage.py queue`.

With --json: {project, bar, sample, samples, kinds: {error type, "" for none: part}} and, beside these, a part for
all kinds together. Samples: {id, share, per, seed, counts: {value: {drawn, of}}, by, at}. A part:

  n_of, n_drawn           items of the kind, and those in the sample
  n_decided               agreed or settled; n_no_judgement of them are no judgement (a bad problem, say)
  n_conflicted, n_open    in dispute, and waiting for reviewers; n_held of these are held
  rates                   {name: {value (0..1, null: undefined), n, why, interval: {low, high, why}}}; Wilson's
                          95 % intervals. Names:
      as_claimed          really wrong, or of other right solutions really right: what the bar is about
      really_wrong        some step is wrong, as decided
      differs             steps or question are not those of the original
      right_kind          the error is of the claimed kind, by all who said something of it, or by a lead
      accepted fixed rejected disputed   what all reviewers said of the claim, or that they differ
      original_right      the original was called right by all who answered
  under_bar               true, false, or null where there is no bar or no share; the share itself decides
  not_as_claimed          ids of up to 50 items of n_not_as_claimed
"""


class Command(BaseCommand):
    help = SHAPE

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--sample", type=int, metavar="ID", help="one sample alone; else all together")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="write the whole report as JSON")
        form.add_argument("--csv", action="store_true", help="write a row for each kind and rate as CSV")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        sample = None
        if options["sample"] is not None:
            sample = Sample.objects.filter(project=project, pk=options["sample"]).first()
            if sample is None:
                raise CommandError(f"--sample: {project.slug} has no sample {options['sample']}.")
        found = acceptance.read(project, sample)
        if options["csv"]:
            csv.writer(self.stdout).writerows(acceptance.table(found))
        else:
            self.stdout.write(json.dumps(found, indent=2) if options["json"] else _text(found))


def _text(found: dict[str, Any]) -> str:
    bar = "none" if found["bar"] is None else f"{100 * found['bar']:g} %"
    lines = [
        f"{found['project']}: {found['n_decided']} of {found['n_drawn']} drawn items decided, bar: {bar}"
    ]
    for kind, part in [*found["kinds"].items(), ("all", found)]:
        under = ", UNDER THE BAR" if part["under_bar"] else ""
        lines.append(f"  {kind or 'no kind'}: {part['n_decided']} of {part['n_drawn']} decided{under}")
        lines += [f"    {name:15}{rate_text(rate)}" for name, rate in part["rates"].items()]
    return "\n".join(lines)


def rate_text(rate: dict[str, Any]) -> str:
    """A share as one line: per cent, interval, n."""
    if rate["value"] is None:
        return f"– ({rate['why']})"
    low, high = rate["interval"]["low"], rate["interval"]["high"]
    return f"{100 * rate['value']:5.1f} % [{100 * low:.1f}, {100 * high:.1f}] n {rate['n']}"
