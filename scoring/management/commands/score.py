"""`manage.py score PROJECT|FILE --model NAME|PATH`: the step scores of a reward model."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotator.errors import PlumblineError
from annotator.formats.records import FormatError
from annotator.management.progress import progress
from annotator.management.shared import find_project, refusals
from annotator.models import Run, RunState, Unit
from annotator.policies import Operator
from scoring import actions, files, installed, work
from scoring.actions import DTYPES, How

WAIT_S = 0.5


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
            "--threshold", type=float, help="of a file's labels; as the variant has it if left out"
        )
        parser.add_argument("--limit", type=int, metavar="N", help="the first N solutions only")
        parser.add_argument("--name", default="", help="what the rater is called; as its model if left out")
        parser.add_argument("--format", choices=list(files.READERS), help="of files; guessed if left out")
        parser.add_argument(
            "-o", "--output", help="for files: where result rows go; - or nothing: standard output"
        )

    def handle(self, *args: Any, what: list[str], **options: Any) -> None:
        if not options["model"]:
            raise CommandError(
                "Name a --model: one of the catalogue (`manage.py catalogue` lists them), or a folder."
            )
        how = How(options["device"], options["dtype"], options["token_budget"], options["device_map"])
        try:
            if all(Path(one).exists() for one in what):
                self._files([Path(one) for one in what], how, options)
            elif len(what) == 1:
                self._project(what[0], how, options)
            else:
                missing = next(one for one in what if not Path(one).exists())
                raise CommandError(f"{missing}: there is no such file.")
        except (PlumblineError, FormatError) as refusal:
            raise CommandError(str(refusal)) from refusal

    # --- A project -----------------------------------------------------------------------------------

    def _project(self, slug: str, how: How, options: dict[str, Any]) -> None:
        with refusals():
            run = actions.start_or_go_on(
                by=Operator(), project=find_project(slug), model=options["model"], variant=options["variant"],
                like=options["like"], how=how, name=options["name"], limit=options["limit"],
            )  # fmt: skip
        started = time.perf_counter()
        with progress("Batches") as tick:
            while run.is_open:
                if not work.work(run.drives, seconds=2):
                    time.sleep(WAIT_S)  # another worker is at it
                run.refresh_from_db()
                tick(run.n_done + run.n_failed, run.n_units)
        self._tell(run, time.perf_counter() - started)

    def _tell(self, run: Run, seconds: float) -> None:
        sums = {"solutions": 0, "tokens": 0, "too_long": 0, "refused": 0}
        for result in Unit.objects.filter(run=run).exclude(result="").values_list("result", flat=True):
            for name, n in json.loads(result).items():
                sums[name] += n
        speed = f", {sums['tokens'] / seconds:,.0f} tokens/s" if sums["tokens"] else ""
        self.stdout.write(
            f"Run {run.pk}: {sums['solutions']} solutions scored as {run.rater}, {sums['too_long']} too long, "
            f"{sums['refused']} refused; {sums['tokens']} tokens in {seconds:.1f} s{speed}."
        )
        for channel, (threshold, tuned_on) in actions.thresholds(run.params).items():
            self.stdout.write(f"Labels of {channel} are at {threshold} ({tuned_on}).")
        if run.state != RunState.COMPLETE:
            raise CommandError(f"The run is {run.state}. {run.because}")

    # --- Files ---------------------------------------------------------------------------------------

    def _files(self, paths: list[Path], how: How, options: dict[str, Any]) -> None:
        chosen = installed.find(options["model"], options["variant"], like=options["like"], any_folder=True)
        params = actions.parameters(chosen, how, options["limit"])
        kind = options["format"] or files.guess(paths[0])
        found = files.items(paths, kind)
        if options["limit"]:
            found = (item for item, _ in zip(found, range(options["limit"]), strict=False))
        model = work.model_of(params)
        judge = work.judge_at(model.spec, options["threshold"])
        rows = files.score(model, found, kind, judge, kept=work.kept())
        if options["output"] in (None, "-"):
            _write(rows, self.stdout)
        else:
            with Path(options["output"]).open("w", encoding="utf-8") as out:
                _write(rows, out)


def _write(rows: Iterator[list[str]], out: Any) -> None:
    with tqdm(desc="Solutions", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        for lines in rows:
            for line in lines:
                out.write(line)
            bar.update(len(lines))
