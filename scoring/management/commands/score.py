"""`manage.py score PROJECT|FILE --model NAME|PATH`: the step scores of a reward model."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotator.formats.records import FormatError
from annotator.management.progress import progress
from annotator.management.shared import find_project, refusals
from annotator.models import Run, RunState, Unit
from annotator.policies import Operator
from scoring import actions, files, installed, scorers, work
from scoring.actions import DTYPES, How

WAIT_S = 0.5
ONLY_FILES = {"threshold": "--threshold", "format": "--format", "output": "-o"}


class Command(BaseCommand):
    help = (
        "Score a project's solutions by a process reward model: the model becomes a rater. Or score a benchmark's "
        "files: result rows come out, in PRMBench's and ProcessBench's shapes."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", nargs="+", metavar="PROJECT|FILE")
        parser.add_argument("--model", help="a name of the catalogue, or a folder of weights")
        parser.add_argument("--variant", default="", help="how it is read: card, prmbench, processbench, …")
        parser.add_argument(
            "--like", default="", help="for a folder: the model of the catalogue that it is like"
        )
        parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1")
        parser.add_argument("--device-map", choices=["auto"], help="spread a large model over all cards")
        parser.add_argument("--dtype", choices=DTYPES, default="auto")
        parser.add_argument(
            "--token-budget", type=int, default=actions.BUDGET, help="computed tokens of a batch"
        )
        parser.add_argument(
            "--server", default="", help="address of a vLLM pooling server that has it loaded"
        )
        parser.add_argument("--served-as", default="", help="what that server calls it")
        parser.add_argument("--limit", type=int, metavar="N", help="the first N solutions only")
        parser.add_argument("--name", default="", help="what the rater is called; as its model if left out")
        parser.add_argument(
            "--threshold", type=float, help="of a file's labels; as the variant has it if left out"
        )
        parser.add_argument("--format", choices=list(files.READERS), help="of files; guessed if left out")
        parser.add_argument(
            "-o", "--output", help="for files: where result rows go; - or nothing: standard output"
        )

    def handle(self, *args: Any, what: list[str], **options: Any) -> None:
        if not options["model"]:
            raise CommandError(
                "Name a --model: one of the catalogue (`manage.py catalogue` lists them), or a folder."
            )
        how = How(**{name: options[name] for name in How._fields})
        paths = [Path(one) for one in what]
        try:
            if all(path.is_file() for path in paths):
                self._files(paths, how, options)
            elif len(what) == 1 and paths[0].suffix not in (".json", ".jsonl"):
                self._project(what[0], how, options)
            else:
                raise CommandError(
                    f"{next(one for one in paths if not one.is_file())}: there is no such file."
                )
        except FormatError as refusal:
            raise CommandError(str(refusal)) from refusal

    # --- A project -----------------------------------------------------------------------------------

    def _project(self, slug: str, how: How, options: dict[str, Any]) -> None:
        if given := [option for name, option in ONLY_FILES.items() if options[name] is not None]:
            raise CommandError(
                f"{', '.join(given)}: for files only. A project keeps scores; `manage.py benchmark` and the Benchmarks "
                "pages read them at any threshold."
            )
        with refusals():
            run = actions.start_or_go_on(
                by=Operator(), project=find_project(slug), model=options["model"], variant=options["variant"],
                like=options["like"], how=how, name=options["name"], limit=options["limit"],
            )  # fmt: skip
        started = time.perf_counter()
        with progress("Batches") as tick:
            while run.is_open:
                if not work.work(run.drives, seconds=2):
                    time.sleep(WAIT_S)  # another worker is at it, or a batch that failed is tried again later
                run.refresh_from_db()
                tick(run.n_done + run.n_failed, run.n_units)
        self._tell(run, time.perf_counter() - started)

    def _tell(self, run: Run, seconds: float) -> None:
        sums = {"solutions": 0, "tokens": 0, "too_long": 0, "refused": 0}
        for result in Unit.objects.filter(run=run).exclude(result="").values_list("result", flat=True):
            for name, n in json.loads(result).items():
                sums[name] += n
        scored = sums["solutions"] - sums["too_long"] - sums["refused"]
        self.stdout.write(
            f"Run {run.pk}: {scored} solutions scored as {run.rater}, {sums['too_long']} too long, "
            f"{sums['refused']} refused; {sums['tokens']} tokens, {seconds:.1f} s."
        )
        for channel, (threshold, tuned_on) in actions.thresholds(run.params).items():
            self.stdout.write(f"Labels of {channel} are at {threshold} ({tuned_on}).")
        if run.state != RunState.COMPLETE:
            raise CommandError(f"The run is {run.state}. {run.because}")
        if run.n_failed:
            why = Unit.objects.filter(run=run).exclude(error="").values_list("error", flat=True).first()
            raise CommandError(f"{run.n_failed} of {run.n_units} batches failed. The first: {why}")

    # --- Files ---------------------------------------------------------------------------------------

    def _files(self, paths: list[Path], how: How, options: dict[str, Any]) -> None:
        if options["name"]:
            raise CommandError("--name: for projects only.")
        with refusals():
            chosen = installed.find(
                options["model"], options["variant"], like=options["like"], any_folder=True
            )
            params = actions.parameters(chosen, how, options["limit"])
            kind = options["format"] or files.guess(paths[0])
            found = islice(files.items(paths, kind), options["limit"])
            scorer = scorers.scorer_of(params)
            judge = work.judge_at(scorer.spec, options["threshold"])
            rows = files.score(scorer, found, kind, judge)
            if options["output"] in (None, "-"):
                _write(rows, self.stdout)
            else:
                _write_whole(rows, Path(options["output"]))


def _write_whole(rows: Iterator[list[str]], path: Path) -> None:
    """The file is there once all of it is: half of one would read as a benchmark of fewer items."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8") as out:
            _write(rows, out)
        part.replace(path)
    except OSError as refused:
        raise CommandError(f"{path}: {refused.strerror}") from refused
    finally:
        part.unlink(missing_ok=True)


def _write(rows: Iterator[list[str]], out: Any) -> None:
    with tqdm(desc="Solutions", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        for lines in rows:
            for line in lines:
                out.write(line)
            bar.update(len(lines))
