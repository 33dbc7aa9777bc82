"""What the commands of all methods share: options from the method's settings, work with a progress bar, a summary.

The command works itself and needs no worker. Where one is at the same endpoint already, it only watches. Given again
after an interruption, it goes on with the run it began.
"""

import json
import threading
import time
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Literal, get_args, get_origin

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.models import Count
from pydantic.fields import FieldInfo

from annotator.management.progress import progress
from annotator.management.shared import find_project, refusals
from annotator.models import Run, RunState
from annotator.policies import Operator
from synth import actions, endpoints, work
from synth.actions import Estimate
from synth.machines import MACHINES
from synth.machines.machine import Machine
from synth.machines.subjects import WHICH

LOOKED_S = 0.5
NONE = "none"


class MachineCommand(BaseCommand):
    """`method` is a key of MACHINES."""

    method: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.machine: Machine = MACHINES[self.method]
        self.help = self.machine.about
        super().__init__(*args, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="PROJECT")
        if self.machine.needs_endpoint:
            parser.add_argument(
                "--endpoint", help="its name in the endpoints file; may be left out if there is one"
            )
        if self.machine.rater_kind:
            parser.add_argument("--name", help="what the rater is called; as its model if left out")
        if self.machine.choices:
            words = "; ".join(f"{name}: {WHICH[name]}" for name in self.machine.choices)
            parser.add_argument("--which", choices=self.machine.choices, help=words)
        parser.add_argument("--limit", type=int, metavar="N", help="work on the first N units only")
        parser.add_argument(
            "--budget", type=float, help="pause when it has cost so much, in the endpoint's currency"
        )
        parser.add_argument("--estimate", action="store_true", help="say what it would be and cost, and stop")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")
        for name, field in (self.machine.how.model_fields if self.machine.how else {}).items():
            _add_setting(parser, name, field)
        for name in self.machine.more:
            parser.add_argument(f"--{name}")

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            project = find_project(options["project"])
            given = self._given(options)
            if options["estimate"]:
                found = actions.estimate(by=Operator(), project=project, method=self.method, given=given)
                self.stdout.write(_told(found))
                return
            run = actions.start_or_go_on(
                by=Operator(), project=project, method=self.method, given=given, budget=options["budget"]
            )
            self._work(run)
        self.stdout.write(json.dumps(summary(run), indent=2) if options["json"] else _written(run))
        if run.state != RunState.COMPLETE:
            raise CommandError(f"The run is {run.state}. {run.because}")

    def _given(self, options: Mapping[str, Any]) -> dict[str, Any]:
        names = {"which", "limit", "name", *self.machine.more}
        names |= set(self.machine.how.model_fields) if self.machine.how else set()
        given = {name: options[name] for name in names if options.get(name) is not None}
        given = {name: None if value == NONE else value for name, value in given.items()}
        if self.machine.needs_endpoint:
            given["endpoint"] = options["endpoint"] or _only_endpoint()
        return given

    def _work(self, run: Run) -> None:
        told = ""
        with _watched(run):
            while run.is_open:
                if not work.work(run.drives):
                    time.sleep(LOOKED_S)  # another worker is at it, or what failed waits to be tried again
                run.refresh_from_db()
                if run.is_open and run.because not in ("", told):  # the endpoint rests: for an hour perhaps
                    told = run.because
                    self.stderr.write(told)


def _add_setting(parser: ArgumentParser, name: str, field: FieldInfo) -> None:
    """A setting as an option; `none` leaves one out that may be left out."""
    flag, said = (
        f"--{name.replace('_', '-')}",
        f"{field.description or field.title} Default: {field.default}.",
    )
    kinds = [kind for kind in (get_args(field.annotation) or (field.annotation,)) if kind is not type(None)]
    said = said.replace("%", "%%")
    if get_origin(field.annotation) is Literal:
        parser.add_argument(flag, choices=get_args(field.annotation), help=said)
    elif field.annotation is bool:
        parser.add_argument(flag, action=BooleanOptionalAction, default=None, help=said)
    else:
        kind = next((kind for kind in (float, int) if kind in kinds), str)
        parser.add_argument(
            flag, type=lambda text: NONE if text == NONE else kind(text), metavar=kind.__name__, help=said
        )


def _only_endpoint() -> str:
    known = list(endpoints.load())
    return known[0] if len(known) == 1 else ""


@contextmanager
def _watched(run: Run) -> Iterator[None]:
    """A progress bar that follows the row, whoever works on it."""
    over = threading.Event()

    def follow() -> None:
        try:
            while not over.wait(LOOKED_S):
                now = Run.objects.filter(pk=run.pk).only("n_done", "n_failed", "n_units").first()
                if now:  # else it was started in a transaction that is still open
                    tick(now.n_done + now.n_failed, now.n_units)
        finally:
            connection.close()

    with progress(run.method) as tick:
        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def summary(run: Run) -> dict[str, Any]:
    outcomes = dict(run.units.exclude(outcome="").order_by().values_list("outcome").annotate(n=Count("pk")))
    return {
        "run": run.pk, "method": run.method, "rater": str(run.rater) if run.rater else None, "state": run.state,
        "because": run.because, "units": run.n_units, "done": run.n_done, "failed": run.n_failed,
        "outcomes": outcomes, "calls": run.n_calls, "prompt_tokens": run.prompt_tokens,
        "completion_tokens": run.completion_tokens, "cost": run.cost,
    }  # fmt: skip


def _written(run: Run) -> str:
    said = summary(run)
    outcomes = ", ".join(f"{n} {word}" for word, n in said["outcomes"].items())
    paid = (
        f" {run.n_calls} calls, {run.prompt_tokens} + {run.completion_tokens} tokens" if run.n_calls else ""
    )
    cost = f", cost {run.cost:.4f}" if run.cost else ""
    ended = f"{run.n_done} of {run.n_units} done, {run.n_failed} failed ({outcomes or 'nothing to do'})"
    return f"Run {run.pk}: {ended}.{paid}{cost}"


def _told(found: Estimate) -> str:
    left = (
        f" ({found.expected.n_left_out} left out: {found.expected.why_left_out})"
        if found.expected.n_left_out
        else ""
    )
    if found.calls is None:
        return f"{found.n_units} units{left}. It asks no model and costs nothing."
    guess = "as the last run's replies took" if found.is_measured else "a guess: nothing of it was run yet"
    return (
        f"{found.n_units} units{left}, at most {found.calls} calls; about {found.prompt_tokens} tokens read and "
        f"{found.completion_tokens} written ({guess}); about {found.cost:.2f} {found.currency}."
    )
