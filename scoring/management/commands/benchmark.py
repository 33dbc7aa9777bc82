"""`manage.py benchmark prmbench|processbench|best_of_n --data PATH… --predictions PATH [--json]`."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotator.formats.records import FormatError, UnreadableFile
from scoring.metrics import baselines, best_of_n, files, prmbench_report, processbench
from scoring.metrics.confusion import READINGS

DRAWS = 1_000
SHOWN = 10

SHAPE = """\
Score a result file exactly as the papers score it. Files alone: no project and no database.

  prmbench      --data PRMBench's files or their folder; --predictions result rows of its toolkit, bare or wrapped
  processbench  --data its subsets; --predictions its result files
  best_of_n     --data sets {id, question, responses, answer, labels}; --predictions rows of step scores, whose idx
                is the set's id, / and the place of the response, from 0

--json writes percentages; what is undefined is null:

  prmbench      {"overall": {"prm_score", "f1", "negative_f1", ...}, "kinds": {kind: ...}, "groups": {"S1", ...},
                 "intervals", "baselines", "reading", counts of what is absent, short, long, unparsed}
  processbench  {"f1", "error_accuracy", "correct_accuracy", "subsets": {...}, "interval", "wrong_process"}
  best_of_n     {"prm@n": {"product", ...}, "maj@n", "pass@n", "weighted_maj@n", "gain", "datasets": {...}}
"""


class Command(BaseCommand):
    help = SHAPE
    requires_system_checks = ()  # it needs no database and no server

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("benchmark", choices=list(BENCHMARKS))
        parser.add_argument(
            "--data", nargs="+", required=True, metavar="PATH", help="files, or folders of them"
        )
        parser.add_argument("--predictions", nargs="+", required=True, metavar="PATH")
        parser.add_argument(
            "--reading", choices=READINGS, default="reference",
            help="prmbench: as its evaluator counts, or strictly: what is missing or surplus is wrong",
        )  # fmt: skip
        parser.add_argument("--threshold", type=float, default=0.5, help="for rows with scores and no labels")
        parser.add_argument(
            "--redundancy-threshold", type=float, default=0.5,
            help="the same for redundancy; ReasonEval's was read at 0.15, critics' at 0",
        )  # fmt: skip
        parser.add_argument("--draws", type=int, default=DRAWS, help="for intervals; 0 for none")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = BENCHMARKS[options["benchmark"]](options)
        except FileNotFoundError as error:
            raise CommandError(f"{error}: there is no such file or folder") from error
        except UnreadableFile as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
        else:
            self.stdout.write(_table(report))


def _prmbench(options: dict[str, Any]) -> dict[str, Any]:
    items = _usable(files.prmbench_items(files.files_in(options["data"])))
    found = _usable(
        files.prmbench_predictions(
            files.files_in(options["predictions"]),
            (item.id for item in items.found),
            options["threshold"],
            options["redundancy_threshold"],
        )
    )
    reading = options["reading"]
    report = prmbench_report.evaluate(items.found, dict(found.found), reading, options["draws"])
    counts = {"n_repeated_items": items.n_repeated, "n_repeated_results": found.n_repeated}
    return report | counts | {"baselines": baselines.prmbench(items.found, reading)}


def _processbench(options: dict[str, Any]) -> dict[str, Any]:
    cases, rows = files.processbench_cases(
        files.files_in(options["data"]), files.files_in(options["predictions"])
    )
    _usable(cases), _usable(rows)
    report = processbench.evaluate(cases.found, options["draws"])
    known = {case.id for case in cases.found}
    counts = {
        "n_absent": len(known - {row.foreign_id for row in rows.found}),
        "n_unknown": sum(row.foreign_id not in known for row in rows.found),
        "n_repeated_results": rows.n_repeated,
    }
    return report | counts | {"wrong_process": processbench.wrong_process(cases.found)}


def _best_of_n(options: dict[str, Any]) -> dict[str, Any]:
    data, rows = files.questions(files.files_in(options["data"]), files.files_in(options["predictions"]))
    _usable(rows)
    counts = {"n_repeated_sets": data.n_repeated, "n_repeated_results": rows.n_repeated}
    return best_of_n.evaluate(_usable(data).found, options["draws"]) | counts


BENCHMARKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "prmbench": _prmbench, "processbench": _processbench, "best_of_n": _best_of_n,
}  # fmt: skip


def _usable(data: files.Data[Any]) -> files.Data[Any]:
    """The data; refuses a file with a record that cannot be used, since a number over the rest would mislead."""
    if data.bad:
        raise CommandError(_listed(data.bad))
    if not data.found:
        raise CommandError("There is no record in these files.")
    return data


def _listed(bad: list[FormatError]) -> str:
    more = f"\n… and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
    return "\n".join(str(error) for error in bad[:SHOWN]) + more


def _table(report: dict[str, Any], indent: int = 0) -> str:
    """Names and numbers, one a line; lists are for --json."""
    lines = []
    for name, value in report.items():
        if isinstance(value, dict):
            lines += [" " * indent + name, _table(value, indent + 2)]
        elif not isinstance(value, list):
            lines.append(f"{' ' * indent}{name:<{34 - indent}}{_shown(value):>10}")
    return "\n".join(line for line in lines if line)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
