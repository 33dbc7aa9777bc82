"""`manage.py agreement PROJECT [--json]`: how far people agree with each other and with the injector."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator import reports
from annotator.models import Project

SHAPE = """\
Agreement of people with each other (blind), and with the injector or the source of the labels.

--json writes one object; the API serves the same. A statistic is {"value": number or null, "n": int, "why":
text}: value is null where it is undefined and why then says why; n is what it was computed from.

  project                 its slug
  people                  alpha (Krippendorff's, nominal, by step; n steps judged by two), percent (n pairs of
                          judgements), first_error (exact; n pairs of raters of one solution), n_solutions,
                          n_steps, n_raters, n_disagreeing (items)
  injector                kappa (Cohen's, pooled; n pairs of judgements), percent, first_error, n_solutions,
                          n_steps, n_disagreeing
  n_annotations           blind annotations compared
  pairs                   [{"raters": [name, name], kappa, percent, first_error, n_solutions, n_steps}]
  reviewers               [{"rater": name, kappa, percent, …}] each beside the injector or the source
  machines                names of the injectors and sources
  raters                  [{"rater": KIND:NAME, kappa, percent, …}] people together beside each rater that is no
                          reviewer: injectors, sources, models, and whoever came in by import_annotations
  kinds                   {error type, "" for none: {people, injector, n_annotations}}
  blind_shows             {what blind reviewers saw: {people, injector, n_annotations}}; two people are
                          compared only where both saw the same
  n_set_aside             annotations without a judgement (bad problem, bad split, give up), not compared

Steps judged "unsure" or not judged are missing, never a disagreement.
"""


class Command(BaseCommand):
    help = SHAPE

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--json", action="store_true", help="write the whole report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        found = reports.agreement(project)
        self.stdout.write(json.dumps(found, indent=2) if options["json"] else _text(found))


def _text(found: dict[str, Any]) -> str:
    lines = [f"{found['project']}: {found['n_annotations']} blind annotations"]
    lines += _lines("people with each other", found["people"], "alpha")
    lines += _lines("people with the injector", found["injector"], "kappa")
    for kind, sides in found["kinds"].items():
        lines += _lines(f"{kind or 'no kind'}, people", sides["people"], "alpha")
        lines += _lines(f"{kind or 'no kind'}, injector", sides["injector"], "kappa")
    for pair in found["pairs"]:
        lines += _lines(" and ".join(pair["raters"]), pair, "kappa")
    for rater in found["raters"]:
        lines += _lines(f"people with {rater['rater']}", rater, "kappa")
    return "\n".join(lines)


def _lines(title: str, side: dict[str, Any], coefficient: str) -> list[str]:
    shown = [f"{name} {_number(side[name])}" for name in (coefficient, "percent", "first_error")]
    return [f"  {title} ({side['n_solutions']} solutions): " + ", ".join(shown)]


def _number(statistic: dict[str, Any]) -> str:
    value = f"– ({statistic['why']})" if statistic["value"] is None else f"{statistic['value']:.3f}"
    return f"{value} [n {statistic['n']}]"
