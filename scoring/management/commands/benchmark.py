"""`manage.py benchmark prmbench|processbench|best_of_n`: score result files, or the raters of a project."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator.formats.records import UnreadableFile
from annotator.management.shared import find_project, refusals
from annotator.models import Project
from scoring import evaluations
from scoring.evaluating import from_files
from scoring.metrics import on_files
from scoring.metrics.confusion import READINGS
from scoring.metrics.files import Cut, files_in
from scoring.metrics.on_files import Unusable, Wanted

DRAWS = 1_000

SHAPE = """\
Score a result file exactly as the papers score it (files alone: no project and no database), or a rater of a project.

  --data PATH… --predictions PATH…
  prmbench      --data PRMBench's files or their folder; --predictions result rows of its toolkit, bare or wrapped
  processbench  --data its subsets; --predictions its result files, or the toolkit's rows about its solutions
  best_of_n     --data sets {id, question, responses, answer, labels}; --predictions rows of step scores, whose idx
                is the set's id, / and the place of the response, from 0

  --project SLUG --rater KIND:NAME, or --project SLUG --predictions PATH… (rows of its solutions, not brought in)
  the project's own solutions, held against the labels they came with (--labels released), those that people gave
  them (gold), or both: then released and gold are of the same solutions and steps, released_all is of all

--json writes percentages; what is undefined is null:

  prmbench      {"overall": {"prm_score", "f1", "negative_f1", ...}, "kinds": {kind: ...}, "groups": {"S1", ...},
                 "intervals", "readings", "baselines", "profile", "reading", counts of what is absent, short, ...}
  processbench  {"f1", "error_accuracy", "correct_accuracy", "subsets": {...}, "interval", "wrong_process",
                 "baselines", "profile"}
  best_of_n     {"headline": which of prm@n comes first, "prm@n": {"product", ...}, "maj@n", "pass@n", "gain",
                 "weighted_maj@n", "greedy", "datasets", "interval"}
  --against     "against": {"n_items", "overall": {"a", "b", "difference", "interval", "p", "n"}, "parts": {...}}:
                the first less the other, on what both labelled; n: problem groups
  --sweep       "sweep": a threshold chosen on one half of the problem groups and reported on the other; of
                processbench chosen on GSM8K and applied to all, as its paper does
  --shots       {"shots": {name: ...}, "differences": {name: as in against}}, each file beside the first
  --labels both {"gold": ..., "released": ..., "released_all": ..., "n_gold", "n_items"}

docs/benchmarks.md says what the numbers mean.
"""


class Command(BaseCommand):
    help = SHAPE
    requires_system_checks = ()  # on files it needs no database and no server

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("benchmark", choices=on_files.BENCHMARKS)
        parser.add_argument("--data", nargs="+", metavar="PATH", help="files, or folders of them")
        parser.add_argument("--predictions", nargs="+", metavar="PATH")
        parser.add_argument("--project", metavar="SLUG", help="instead of files: this project's solutions")
        parser.add_argument("--rater", metavar="KIND:NAME", help="whose labels of the project's solutions")
        parser.add_argument(
            "--labels",
            choices=evaluations.LABELS,
            default=evaluations.RELEASED,
            help="what is held to be true",
        )
        parser.add_argument(
            "--against", nargs="+", metavar="PATH|KIND:NAME", help="compare with this result file, or rater"
        )
        parser.add_argument("--sweep", action="store_true", help="choose a threshold from the scores")
        parser.add_argument(
            "--shots", nargs="+", metavar="NAME=PATH",
            help="prmbench: result files of one model by examples in its prompt, instead of --predictions",
        )  # fmt: skip
        parser.add_argument(
            "--reading", choices=READINGS, default="reference",
            help="prmbench: as its evaluator counts, or strictly: what is missing or surplus is wrong",
        )  # fmt: skip
        parser.add_argument(
            "--threshold", type=float,
            help="cut the scores here; without it rows with labels keep them, and others are cut at 0.5",
        )  # fmt: skip
        parser.add_argument(
            "--redundancy-threshold", type=float,
            help="the same for redundancy; ReasonEval's was read at 0.15, critics' at 0",
        )  # fmt: skip
        parser.add_argument("--draws", type=int, default=DRAWS, help="for intervals; 0 for none")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        report = _of_project(options) if options["project"] else _of_files(options)
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(_side_by_side(report) if "released_all" in report else _table(report))


def _check(options: dict[str, Any]) -> None:
    """Refuse what does not go together, with what to give instead."""
    if options["draws"] < 0:
        raise CommandError("--draws: give a number from 0 on.")
    if options["project"]:
        wrong = [f"--{name}" for name in ("data", "shots") if options[name]]
        if wrong:
            raise CommandError(f"{wrong[0]} is for files: leave it out, or --project.")
        if bool(options["rater"]) == bool(options["predictions"]):
            raise CommandError("--project needs --rater KIND:NAME, or --predictions PATH, and not both.")
        if options["predictions"] and (options["against"] or options["sweep"]):
            raise CommandError("--against and --sweep, in a project, are of its raters: --rater KIND:NAME.")
        if options["against"] and len(options["against"]) > 1:
            raise CommandError("--against: name one rater.")
        if options["labels"] == evaluations.BOTH and (options["against"] or options["sweep"]):
            raise CommandError("--against and --sweep need one side: --labels released or gold.")
        return
    if not options["data"]:
        raise CommandError("Give --data and --predictions, or --project and --rater.")
    if options["rater"] or options["labels"] != evaluations.RELEASED:
        raise CommandError("--rater, and labels that people gave, are of a project: give --project too.")
    if bool(options["predictions"]) == bool(options["shots"]):
        raise CommandError("Give --predictions, or --shots NAME=PATH, and not both.")
    if options["shots"] and options["benchmark"] != "prmbench":
        raise CommandError("--shots is for prmbench.")


def _of_files(options: dict[str, Any]) -> dict[str, Any]:
    cut = Cut(options["threshold"], options["redundancy_threshold"])
    wanted = Wanted(
        data=options["data"], predictions=options["predictions"] or (), against=options["against"] or (),
        shots=dict(map(_named, options["shots"] or ())), reading=options["reading"], cut=cut,
        draws=options["draws"], sweep=options["sweep"],
    )  # fmt: skip
    try:
        return on_files.report(options["benchmark"], wanted)
    except FileNotFoundError as error:
        raise CommandError(f"{error}: there is no such file or folder") from error
    except (UnreadableFile, Unusable) as error:
        raise CommandError(str(error)) from error


def _named(given: str) -> tuple[str, str]:
    name, equals, path = given.partition("=")
    if not (name and equals and path):
        raise CommandError(f"--shots {given}: write NAME=PATH, as 2=results.jsonl.")
    return name, path


def _of_project(options: dict[str, Any]) -> dict[str, Any]:
    project, benchmark = find_project(options["project"]), options["benchmark"]
    about = {"labels": options["labels"], "reading": options["reading"], "draws": options["draws"]}
    cuts = {"threshold": options["threshold"], "redundancy_threshold": options["redundancy_threshold"]}
    with refusals():
        if options["predictions"]:
            given = _given(project, options["predictions"])
            return evaluations.evaluate_file(project, benchmark, given, **cuts, **about)
        rater = evaluations.find_rater(project, options["rater"])
        report = evaluations.evaluate(project, benchmark, rater, **cuts, **about)
        if options["against"]:
            other = evaluations.find_rater(project, options["against"][0])
            thresholds = (options["threshold"], None)
            found = evaluations.compare(project, benchmark, rater, other, thresholds=thresholds, **about)
            report = report | {"against": found}
        if options["sweep"]:
            report = report | {"sweep": evaluations.sweep(project, benchmark, rater, **about)}
    return report


def _given(project: Project, paths: list[str]) -> from_files.Given:
    """A result file of the project's solutions. What is not usable is refused, as on files alone."""
    try:
        given = from_files.read(project, files_in(paths))
    except FileNotFoundError as error:
        raise CommandError(f"{error}: there is no such file or folder") from error
    except UnreadableFile as error:
        raise CommandError(str(error)) from error
    if given.bad:
        raise CommandError(on_files.listed(given.bad))
    if not given.said:
        raise CommandError("No row of these files is about a solution of the project.")
    return given


def _table(report: dict[str, Any], indent: int = 0) -> str:
    """Names and numbers, one a line; lists are for --json."""
    lines = []
    for name, value in report.items():
        if isinstance(value, dict):
            lines += [" " * indent + name, _table(value, indent + 2)]
        elif not isinstance(value, list):
            lines.append(f"{' ' * indent}{name:<{34 - indent}}{_shown(value):>10}")
    return "\n".join(line for line in lines if line)


def _side_by_side(report: dict[str, Any]) -> str:
    """The score and its parts by each truth, and what verification moves."""
    scores = {name: _scores(report[name]) for name in ("released_all", "released", "gold")}
    lines = [
        f"{report['n_gold']} of {report['n_items']} have gold; released and gold are of the same steps of these.",
        f"{'':34}{'released, all':>14}{'released':>12}{'gold':>12}{'moved':>10}",
    ]
    for name, whole in scores["released_all"].items():
        before, after = (scores[side].get(name) for side in ("released", "gold"))
        moved = None if before is None or after is None else f"{after - before:+.2f}"
        cells = f"{_shown(whole):>14}{_shown(before):>12}{_shown(after):>12}{_shown(moved):>10}"
        lines.append(f"{name:<34}{cells}")
    return "\n".join(lines)


def _scores(report: dict[str, Any]) -> dict[str, float | None]:
    parts = {name: values["prm_score"] for name, values in report.get("kinds", {}).items()}
    parts |= {name: values["f1"] for name, values in report.get("subsets", {}).items()}
    return {"score": report["score"], **parts}


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
