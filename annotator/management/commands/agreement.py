"""`manage.py agreement PROJECT`: how far raters agree, as text, JSON, CSV or HTML; and the diagnosis table."""

import csv
import json
from argparse import RawDescriptionHelpFormatter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import mark_safe

from annotator import reports
from annotator.management.shared import add_address, refusals
from annotator.models import Project
from annotator.reports import diagnosis, flat
from annotator.views import agreement_report

META = "meta:"
BY = {
    "kind": "kinds",
    "position": "positions",
    "guideline": "guidelines",
    "week": "weeks",
    "shows": "blind_shows",
}
STYLES = ("app", "pages", "agreement")

SHAPE = """\
Agreement of people with each other (blind), and with the injector or the source of the labels.

--json writes one object; the API serves the same. A statistic is {"value": number or null, "n": int, "why":
text, "interval": {"low", "high", "why"}}: value is null where it is undefined and why then says why; n is what
it was computed from. An interval is of 95 %, from 1,000 draws of whole problem groups.

  project                 its slug
  people                  by step: alpha (Krippendorff's, nominal; n steps judged by two), alpha_ordinal,
                          fleiss_kappa, gwet_ac1, percent (n pairs of judgements); by solution, n pairs of raters
                          of one solution: first_error (exact), first_error_near (at most one step apart),
                          wrong_steps (the same set; only where neither misses a step); solution (the same of
                          "any error, or none": alpha, fleiss_kappa, gwet_ac1, percent); confusion (pairs of
                          judgements, both ways; rows and columns - 0 +); n_solutions, n_steps, n_raters,
                          n_disagreeing (items)
  injector                kappa (Cohen's, pooled; n pairs of judgements), kappa_linear, kappa_quadratic, percent,
                          first_error, first_error_near, wrong_steps, solution (kappa, percent), confusion (rows:
                          people), n_solutions, n_steps, n_disagreeing
  n_annotations           blind annotations compared
  pairs                   [{"raters": [name, name], kappa, …}] every two people who share a solution
  reviewers               [{"rater": name, kappa, …}] each beside the injector or the source
  machines                names of the injectors and sources
  raters                  [{"rater": KIND:NAME, kappa, …}] people together beside each rater that is no reviewer:
                          injectors, sources, models, and whoever came in by import_annotations
  machine_pairs           [{"raters": [name, name], kappa, …}] every two raters of which one is no reviewer, of
                          the 12 of these with most in common with people; n_machines: how many there are
  kinds                   {error type, "" for none: {people, injector, n_annotations}}
  guidelines, weeks       {version: …}, {Monday: …}; a solution counts in the week of its last review
  positions               [{"from", "to": steps from 1, "to" null for the rest, people, injector}]
  meta, meta_keys         {value: {people, injector, n_annotations}} with --by meta:KEY; the keys there are
  blind_shows             {what blind reviewers saw: {people, injector, n_annotations}}; two people are
                          compared only where both saw the same
  n_set_aside             annotations without a judgement (bad problem, bad split, give up), not compared

Steps judged "unsure" or not judged are missing, never a disagreement.

--steps writes the diagnosis table instead, as CSV: one row a step, one column a rater.
"""


class Command(BaseCommand):
    help = SHAPE

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="write the whole report as JSON")
        how.add_argument("--csv", action="store_true", help="write it as CSV, one row a statistic")
        how.add_argument("--html", metavar="FILE", help="write it as one page that prints well")
        how.add_argument("--steps", action="store_true", help="write the diagnosis table, one row a step")
        parser.add_argument("--by", help=f"only this slice: {', '.join(BY)} or meta:KEY")
        parser.add_argument("--text", action="store_true", help="--steps: with the steps themselves")
        parser.add_argument("-o", "--output", metavar="FILE", help="--csv, --steps: write to this file")
        add_address(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        if options["steps"]:
            self._table(diagnosis.table(project, options["text"]), options["output"])
        elif options["html"]:
            with refusals():
                page = _page(project, options["by"], options["address"])
            Path(options["html"]).write_text(page, encoding="utf-8")
        else:
            self._numbers(project, options)

    def _numbers(self, project: Project, options: dict[str, Any]) -> None:
        found, by = _found(project, options["by"])
        if options["csv"]:
            self._table(flat.table(found, by), options["output"])
        elif options["json"]:
            key = "meta" if by == "meta" else BY.get(by)
            self.stdout.write(json.dumps({key: found[key]} if key else found, indent=2))
        else:
            self.stdout.write(_text(found, by))

    def _table(self, rows: Iterable[list[str]], output: str | None) -> None:
        if output is None:
            csv.writer(self.stdout).writerows(rows)
            return
        with Path(output).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)


def _found(project: Project, by: str | None) -> tuple[dict[str, Any], str]:
    """The report, and the name of its slice that is asked for, "" for all of it."""
    found = reports.agreement(project)
    if by is None or by in BY:
        return found, by or ""
    key = by.removeprefix(META)
    if key == by or key not in found["meta_keys"]:
        known = ", ".join([*BY, *(META + one for one in found["meta_keys"])])
        raise CommandError(f"--by {by}: there is no such slice. There are {known}.")
    return found | {"meta": reports.by_meta(project, key)}, "meta"


def _page(project: Project, by: str | None, address: str) -> str:
    paths = [finders.find(f"annotator/{name}.css") for name in STYLES]
    css = "\n".join(Path(path).read_text() for path in paths if path)
    context = agreement_report.context(project, by or "kind")
    styles = mark_safe(f"<style>{css}</style>")  # noqa: S308  # safe: style sheets of our own
    mine = {"styles": styles, "address": address, "at": timezone.now()}
    return render_to_string("annotator/agreement_file.html", context | mine)


def _text(found: dict[str, Any], by: str) -> str:
    lines = [f"{found['project']}: {found['n_annotations']} blind annotations"]
    lines += _sides("", found)
    if by == "position":
        for place in found["positions"]:
            lines += _sides(f"step {agreement_report.place_title(place)}, ", place)
    else:
        for value, sides in found["meta" if by == "meta" else BY[by or "kind"]].items():
            lines += _sides(f"{value or 'no ' + (by or 'kind')}, ", sides)
    for pair in (*found["pairs"], *found["machine_pairs"]) if not by else ():
        lines += _lines(" and ".join(pair["raters"]), pair, "kappa")
    for rater in found["raters"] if not by else ():
        lines += _lines(f"people with {rater['rater']}", rater, "kappa")
    return "\n".join(lines)


def _sides(title: str, sides: dict[str, Any]) -> list[str]:
    words = ("people", "injector") if title else ("people with each other", "people with the injector")
    return [
        *_lines(title + words[0], sides["people"], "alpha"),
        *_lines(title + words[1], sides["injector"], "kappa"),
    ]


def _lines(title: str, side: dict[str, Any], coefficient: str) -> list[str]:
    shown = [
        f"{name} {_number(side[name])}" for name in (coefficient, "percent", "first_error") if name in side
    ]
    count = f"{side['n_solutions']} solutions" if "n_solutions" in side else f"{side['n_steps']} steps"
    return [f"  {title} ({count}): " + ", ".join(shown)]


def _number(statistic: dict[str, Any]) -> str:
    if statistic["value"] is None:
        return f"– ({statistic['why']}) [n {statistic['n']}]"
    low, high = statistic["interval"]["low"], statistic["interval"]["high"]
    between = "" if low is None else f" ({low:.3f} to {high:.3f})"
    return f"{statistic['value']:.3f}{between} [n {statistic['n']}]"
