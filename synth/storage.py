"""Where driving.py finds its work and leaves it: the units and calls of the runs that share what is driven.

All functions are called on one thread, never two at once.
"""

import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q

from annotator import runs
from annotator.actions import runs as acts
from annotator.models import Call, Problem, Run, RunState, Unit
from synth.calls import Ended, Failure, Job, StoredCall
from synth.machines import MACHINES

log = logging.getLogger(__name__)
SEEN = (
    "unit", "n", "digest", "reply", "finish_reason", "prompt_tokens", "completion_tokens", "latency_ms", "error",
)  # fmt: skip


TAKEN_DOWN = "Its problem was taken down."


class RunStorage:
    """The running runs of `drives`, for the worker `owner`.

    why_not: why a run must not go on ("": it may), asked before anything of it is leased; such a run is paused.
    """

    def __init__(self, drives: str, owner: str, why_not: Callable[[Run], str] = lambda run: "") -> None:
        self._drives, self._owner, self._why_not = drives, owner, why_not
        self._runs: dict[int, Run] = {}
        self._turn = 0

    def take(self, n: int) -> list[Job]:
        """Lease up to n due units, another run first each time, so that a long one does not hold up the others."""
        running = [run for run in runs.to_drive(self._drives) if self._is_to_go_on(run)]
        self._runs |= {run.pk: run for run in running}
        self._turn += 1
        jobs: list[Job] = []
        for at in range(len(running)):
            run = running[(at + self._turn) % len(running)]
            if len(jobs) < n:
                jobs += self._begun(run, runs.take(run, self._owner, n - len(jobs)))
        return jobs

    def _is_to_go_on(self, run: Run) -> bool:
        if run.state != RunState.RUNNING or run.pk in self._runs:
            return run.state == RunState.RUNNING
        because = self._why_not(run)
        if because:
            acts.pause_for(run, because)
        return not because

    def _begun(self, run: Run, units: Sequence[Unit]) -> Iterable[Job]:
        before, gone = _calls_of(units), _taken_down(units)
        for unit in units:
            unit.run = run
            if unit.pk in gone:
                self._forget(unit)
                continue
            try:
                steps = MACHINES[run.method].begin(run, unit)
            except Exception as error:  # one unit that cannot be begun must not stop the others
                log.exception("Unit %s of run %s cannot be begun", unit.key, run.pk)
                runs.failed(unit, self._owner, error=f"It cannot be begun: {error}", again=False)
                continue
            yield Job(unit, steps, before.get(unit.pk, ()), run.project_id)

    def recall(self, wanted: Sequence[tuple[Any, str]]) -> Mapping[tuple[Any, str], StoredCall]:
        """What was answered before, in the unit's own project, to the very same request; not what was emptied since."""
        projects, digests = {project for project, _ in wanted}, {digest for _, digest in wanted}
        rows = Call.objects.filter(digest__in=digests, error="", unit__run__project__in=projects)
        seen = rows.exclude(reply="").order_by("-pk").values(*SEEN, project=F("unit__run__project"))
        found = {(row["project"], row["digest"]): row for row in seen}
        return {one: _stored(found[one]) for one in wanted if one in found}

    def keep(self, calls: Sequence[StoredCall]) -> bool:
        by_run: defaultdict[int, list[Call]] = defaultdict(list)
        for call in calls:
            by_run[call.unit.run_id].append(_row(call))
        with transaction.atomic():
            within_budget = [runs.keep_calls(self._runs[pk], rows) for pk, rows in by_run.items()]
        return all(within_budget)

    def finish(self, ended: Sequence[Ended]) -> None:
        """Store what is still this worker's, together; an exception of one leaves all as they were."""
        with transaction.atomic():
            mine = runs.mine([one.unit for one in ended], self._owner)
            if len(mine) < len(ended):
                log.info("%s units are not this worker's any more", len(ended) - len(mine))
            gone = _taken_down([one.unit for one in ended])
            for one in ended:
                if one.unit.pk in mine & gone:
                    self._forget(one.unit)
            held = [one for one in ended if one.unit.pk in mine - gone]
            runs.done_all([self._store(one) for one in held if not isinstance(one.result, Failure)])
            for one in held:
                if isinstance(one.result, Failure):
                    self._fail(one.unit, one.result)

    def _store(self, ended: Ended) -> tuple[Unit, str, str]:
        """Store what a unit made; the unit, its outcome and its result."""
        unit: Unit = ended.unit
        stored = MACHINES[unit.run.method].store(unit.run, unit, ended.result)
        return unit, stored.outcome, json.dumps(stored.result, ensure_ascii=False, separators=(",", ":"))

    def _fail(self, unit: Unit, failure: Failure) -> None:
        result = json.dumps({"raw": failure.raw}, ensure_ascii=False) if failure.raw else ""
        runs.failed(unit, self._owner, error=failure.message, again=failure.again, result=result)

    def _forget(self, unit: Unit) -> None:
        """Of a text that was taken down nothing is made, and nothing is kept of what came back about it since."""
        Call.objects.filter(unit=unit).update(reply="")
        runs.failed(unit, self._owner, error=TAKEN_DOWN, again=False)

    def beat(self, units: Sequence[Unit]) -> bool:
        """Hold on to all of it. False: a run of these was paused, or somebody else drives this by now."""
        pks = {unit.run_id for unit in units}
        for pk in pks:
            runs.renew(self._runs[pk], self._owner)
        is_ours = runs.hold(self._drives, self._owner)
        return is_ours and not Run.objects.filter(pk__in=pks).exclude(state=RunState.RUNNING).exists()

    def give_back(self, units: Sequence[Unit]) -> None:
        for pk in {unit.run_id for unit in units}:
            runs.give_back(self._runs[pk], self._owner)

    def close(self) -> None:
        connection.close()


def _taken_down(units: Sequence[Unit]) -> set[int]:
    """Which of these units are about a problem, or a version of one, that was emptied meanwhile; ids."""
    about = {unit.pk: unit.solution.problem_id if unit.solution else unit.problem_id for unit in units}
    rows = Problem.objects.filter(pk__in={problem for problem in about.values() if problem})
    emptied = rows.filter(Q(taken_down_at__isnull=False) | Q(parent__taken_down_at__isnull=False))
    gone = set(emptied.values_list("pk", flat=True))
    return {pk for pk, problem in about.items() if problem in gone}


def _calls_of(units: Sequence[Unit]) -> Mapping[int, list[StoredCall]]:
    found: defaultdict[int, list[StoredCall]] = defaultdict(list)
    by_pk = {unit.pk: unit for unit in units}
    rows = Call.objects.filter(unit__in=by_pk).order_by("unit", "n", "pk").values(*SEEN)
    for row in rows:
        found[row["unit"]].append(_stored(row, by_pk[row["unit"]]))
    return found


def _stored(row: Mapping[str, Any], unit: Unit | None = None) -> StoredCall:
    return StoredCall(
        unit or row["unit"], row["n"], row["digest"], row["reply"], row["finish_reason"], row["prompt_tokens"],
        row["completion_tokens"], row["latency_ms"], 0.0, row["error"],
    )  # fmt: skip


def _row(call: StoredCall) -> Call:
    return Call(
        unit=call.unit, n=call.n, digest=call.digest, reply=call.text, finish_reason=call.finish_reason[:30],
        prompt_tokens=call.prompt_tokens, completion_tokens=call.completion_tokens, cost=call.cost,
        latency_ms=call.latency_ms, error=call.error, reused=call.reused,
    )  # fmt: skip
