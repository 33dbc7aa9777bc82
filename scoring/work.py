"""What the GPU worker, or a command, does for a run of a reward model: plan batches, score them, store each once.

A unit is a batch. Whoever dies in the middle leaves its batches leased; they come back when the lease ends, and what
was stored is not computed again. A model may take minutes to load and a CPU minutes for a batch: a thread holds the
leases meanwhile.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from time import monotonic
from typing import Any
from uuid import uuid4

from django.db import DatabaseError, connection, transaction

from annotator import errors, runs
from annotator.actions import machine_rows
from annotator.actions import runs as acts
from annotator.actions.machine_rows import Judged
from annotator.core.labels import UNJUDGED
from annotator.models import Run, RunState, Solution, Unit
from annotator.runs import NewUnit
from scoring import scorers, solutions
from scoring.actions import SCORE
from scoring.prm import engine, readout
from scoring.prm.engine import Scored
from scoring.prm.remote import ServerFailed
from scoring.prm.spec import Spec

log = logging.getLogger(__name__)
SECONDS = 50  # of one task
AT_ONCE = 4  # batches in hand: while one is stored the next is computed
PLANNED_AT_ONCE = 8_192  # solutions that are laid out together (engine.scoring.WINDOW)


def work(drives: str, *, seconds: float = SECONDS) -> bool:
    """Work on what is due; whether there is more to do now. False too where another worker is at it."""
    owner, until = uuid4().hex, monotonic() + seconds
    if not runs.hold(drives, owner):
        return False
    try:
        runs.take_back_of(drives)
        for run in runs.to_drive(drives):
            try:
                with beating(run, owner):
                    _work_on(run, owner, until)
            finally:  # whatever stopped it, nobody has to wait until the leases end
                runs.give_back(run, owner)
            acts.complete(run)
        return runs.has_due(drives)
    finally:
        runs.let_go(drives, owner)


@contextmanager
def beating(run: Run, owner: str) -> Iterator[None]:
    """Renew what this owner holds of a run until the block ends."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(runs.HELD_FOR.total_seconds() / 4):
            try:
                runs.hold(run.drives, owner)
                runs.renew(run, owner)
            except DatabaseError:
                log.exception("The leases of run %s were not renewed", run.pk)  # the next beat may do it
        connection.close()  # this thread's own

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _work_on(run: Run, owner: str, until: float) -> None:
    try:
        if run.method != SCORE:
            _try(run, owner)
            return
        _plan(run, owner, until)
        while (
            monotonic() < until and runs.hold(run.drives, owner) and (units := runs.take(run, owner, AT_ONCE))
        ):
            scorers.scorer_of(run.params)  # apart, so that what cannot be loaded fails no batch
            _score_all(run, owner, units)
    except errors.PlumblineError as refusal:
        log.warning("Run %s is paused: %s", run.pk, refusal.message)
        acts.pause_for(run, f"{refusal.message} Mend that, then go on.")


def _score_all(run: Run, owner: str, units: Sequence[Unit]) -> None:
    """Batches in one stream; where that fails, each by itself, so that one that cannot be scored fails alone."""
    try:
        _score(run, owner, units)
    except ServerFailed:
        raise
    except Exception as error:
        left = list(Unit.objects.filter(pk__in=[unit.pk for unit in units], lease_owner=owner).order_by("pk"))
        if len(units) > 1:
            for unit in left:
                _score_all(run, owner, [unit])
            return
        is_refusal = isinstance(error, errors.PlumblineError)  # what it says is as true the next time
        log.warning("A batch of run %s could not be scored", run.pk, exc_info=not is_refusal)
        for unit in left:
            _fail(unit, owner, error, again=not is_refusal)


def _fail(unit: Unit, owner: str, error: Exception, *, again: bool) -> None:
    said = str(error) if isinstance(error, errors.PlumblineError) else f"{type(error).__name__}: {error}"
    try:
        runs.failed(unit, owner, error=said[:1000], again=again)
    except runs.Lost as lost:
        log.info("%s", lost.message)


# --- Planning --------------------------------------------------------------------------------------------


def _plan(run: Run, owner: str, until: float) -> None:
    """Lay the solutions that are not scored yet into batches, a window at a time."""
    while run.state == RunState.PLANNING and monotonic() < until and runs.hold(run.drives, owner):
        before = run.planned_to or 0
        units, reached = _window(run, before)
        try:
            runs.plan(run, units, before=before, reached=reached)
        except errors.Conflict:
            return  # it was paused, or cancelled
        run.refresh_from_db()


def _window(run: Run, before: int) -> tuple[list[NewUnit], int | None]:
    """Batches of the next solutions, and up to which id they are; None: these are the last."""
    most = min(PLANNED_AT_ONCE, _left_of_limit(run))
    texts = list(solutions.texts(solutions.to_score(run.project, run.rater), before, most))
    is_last = len(texts) < PLANNED_AT_ONCE
    spec, tokens = scorers.writing(run.params)
    with closing(scorers.kept()) as ids:
        units = [
            NewUnit(f"batch:{one.name}", params={"solutions": [int(key) for key in one.keys]})
            for one in engine.plan(spec, tokens, texts, run.params["token_budget"], ids)
        ]
    return units, None if is_last else int(texts[-1][0])


def _left_of_limit(run: Run) -> int:
    """How many solutions may still be planned."""
    if run.params["limit"] is None:
        return PLANNED_AT_ONCE
    planned = Unit.objects.filter(run=run).values_list("params", flat=True)
    return max(0, int(run.params["limit"]) - sum(len(params["solutions"]) for params in planned))


# --- Scoring ---------------------------------------------------------------------------------------------


def _score(run: Run, owner: str, units: Sequence[Unit]) -> None:
    """Score some batches in one stream, and store each as soon as all of it is there."""
    scorer = scorers.scorer_of(run.params)
    of = {pk: unit for unit in units for pk in unit.params["solutions"]}
    texts = solutions.texts_of(list(of))
    there = {int(key) for key, _, _ in texts}
    left = {unit.pk: sum(pk in there for pk in unit.params["solutions"]) for unit in units}
    found: dict[int, list[Scored]] = {unit.pk: [] for unit in units}
    for unit in [unit for unit in units if not left[unit.pk]]:  # its solutions are gone
        _store(run, owner, unit, scorer.spec, found.pop(unit.pk))
    for batch in scorer.score(texts):
        for one in batch:
            found[of[int(one.key)].pk].append(one)
        for unit in [unit for unit in units if unit.pk in found and len(found[unit.pk]) == left[unit.pk]]:
            _store(run, owner, unit, scorer.spec, found.pop(unit.pk))


def _store(run: Run, owner: str, unit: Unit, spec: Spec, scored: Sequence[Scored]) -> None:
    """A batch: all its annotations and its end, or nothing."""
    assert run.rater  # noqa: S101  (a run that scores has one)
    rows = Solution.objects.in_bulk([int(one.key) for one in scored])
    judged = [(rows[int(one.key)], judgement(spec, one, rows[int(one.key)].n_steps)) for one in scored]
    counts = {
        "solutions": len(scored), "tokens": sum(one.n_tokens for one in scored),
        "too_long": sum(one.too_long for one in scored), "refused": sum(bool(one.refused) for one in scored),
    }  # fmt: skip
    try:
        with transaction.atomic():
            machine_rows.annotate_all(unit, run.rater, judged)
            runs.done(unit, owner, outcome="scored", result=json.dumps(counts))
    except runs.Lost as lost:
        log.info("%s", lost.message)


def judge_at(spec: Spec, threshold: float | None) -> Callable[[Scored, int], Judged]:
    """`judgement` at a threshold."""
    return lambda scored, n_steps: judgement(spec, scored, n_steps, threshold)


def judgement(spec: Spec, scored: Scored, n_steps: int, threshold: float | None = None) -> Judged:
    """Scores with the labels at a threshold, the variant's own for None; where there are none, why."""
    if not scored.channels:
        why = scored.refused or f"Longer than the model reads: {scored.n_tokens} tokens."
        at = "" if scored.position is None else f" (step {scored.position + 1})"
        return Judged(UNJUDGED * n_steps, note=why + at, is_parsed=False)
    redundancy = scored.channels.get("redundancy")
    return Judged(
        readout.labels(spec, scored.channels, threshold, n_steps=n_steps), scored.channels["validity"],
        readout.labels(spec, scored.channels, channel="redundancy", n_steps=n_steps) if redundancy else "",
        redundancy,
    )  # fmt: skip


# --- Trying ----------------------------------------------------------------------------------------------


def _try(run: Run, owner: str) -> None:
    """One pasted solution by several models; what stops one says nothing of the others."""
    text = ("pasted", run.params["problem"], run.params["steps"])
    for unit in runs.take(run, owner, AT_ONCE * 2):
        try:
            scorer = scorers.scorer_of(unit.params)
            ((scored,),) = scorer.score([text])
        except Exception as error:  # who waits for it on a page is told, and may try again
            log.warning(
                "%s could not be tried", unit.key, exc_info=not isinstance(error, errors.PlumblineError)
            )
            _fail(unit, owner, error, again=False)
            continue
        outcome = "scored" if scored.channels else "not scored"
        result = json.dumps(_tried(scorer.spec, scored, len(run.params["steps"])))
        try:
            runs.done(unit, owner, outcome=outcome, result=result)
        except runs.Lost as lost:
            log.info("%s", lost.message)


def _tried(spec: Spec, scored: Scored, n_steps: int) -> dict[str, Any]:
    """Scores and labels by channel, with the rule that made labels of scores; or why there are none."""
    said = judgement(spec, scored, n_steps)
    labels = {"validity": said.labels, "redundancy": said.redundancy_labels}
    channels = {
        name: {
            "scores": list(scores), "labels": labels[name],
            **spec.channels[name].decide.model_dump(include={"rule", "threshold", "tuned_on"}),
        }
        for name, scores in scored.channels.items()
    }  # fmt: skip
    return {"channels": channels, "n_tokens": scored.n_tokens, "note": said.note}
