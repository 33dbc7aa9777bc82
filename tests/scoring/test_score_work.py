"""What the worker does for a run of a reward model: plan, score, store once, leave what is another's."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from django.db import transaction
from django.utils import timezone

from annotator import errors, runs
from annotator.actions import runs as acts
from annotator.models import Annotation, Item, Project, Run, RunState, Solution, Unit
from annotator.policies import Operator
from config.celery import app
from scoring import actions, installed, scorers, work
from scoring.actions import How
from scoring.prm import engine
from scoring.prm.engine import Scored, forward
from scoring.prm.spec import Channel, Decide, Head
from scoring.scorers import Scorer
from tests import factories as make
from tests.scoring.installing import QWEN

pytestmark = pytest.mark.django_db
SMALL = How(token_budget=120)  # two or three solutions a batch


@pytest.fixture
def project(models_dir: Path) -> Project:
    """Six solutions to be scored."""
    made: Project = make.project()
    for n in range(6):
        make.solution(made, f"What is 1 + {n}?", ["We add.", f"It is {n + 1}.", *["So it is."] * (n % 3)])
    return made


def start(project: Project, **how: Any) -> Run:
    return actions.start(by=Operator(), project=project, model=QWEN, how=SMALL, inline=True, **how)


def plan(run: Run) -> None:
    work._plan(run, "me", float("inf"))
    runs.let_go(run.drives, "me")


def finish(run: Run) -> Run:
    while work.work(run.drives):
        pass
    run.refresh_from_db()
    return run


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Solutions as they are computed, by id; one whose problem says `poison` cannot be."""
    real, seen = scorers.scorer_of, list[str]()

    def counting(params: dict[str, Any]) -> Scorer:
        spec, score = real(params)

        def counted(texts: Any) -> Iterator[list[Scored]]:
            some = list(texts)
            if any("poison" in problem for _, problem, _ in some):
                raise RuntimeError("device-side assert")
            for batch in score(some):
                seen.extend(one.key for one in batch)
                yield batch

        return Scorer(spec, counted)

    monkeypatch.setattr(scorers, "scorer_of", counting)
    return seen


def test_a_project_is_scored_in_batches_by_one_rater(project: Project) -> None:
    run = finish(start(project))
    assert (run.state, run.n_failed) == (RunState.COMPLETE, 0)
    assert run.n_done == run.n_units > 1
    rows = Annotation.objects.filter(rater=run.rater, superseded_at__isnull=True)
    assert rows.count() == 6
    for row in rows:
        assert row.scores is not None
        assert len(row.scores) == row.n_steps
        assert row.labels == "".join("+" if score > 0.5 else "-" for score in row.scores)
        assert (row.phase, row.is_parsed, row.unit.run_id) == ("machine", True, run.pk)
    sums = [json.loads(unit.result)["solutions"] for unit in Unit.objects.filter(run=run)]
    assert sum(sums) == 6


def test_units_are_the_same_however_the_windows_fall(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "PLANNED_AT_ONCE", 2)
    run = finish(start(project, limit=5))
    planned = [pk for params in run.units.values_list("params", flat=True) for pk in params["solutions"]]
    assert sorted(planned) == sorted(Solution.objects.order_by("pk").values_list("pk", flat=True)[:5])
    assert Annotation.objects.count() == 5


def test_what_is_stored_is_not_computed_again(project: Project, computed: list[str]) -> None:
    run = start(project)
    plan(run)
    first = runs.take(run, "me", 1)
    work._score_all(run, "me", first)
    done = set(computed)
    assert done
    finish(run)
    assert len(computed) == len(set(computed)) == 6
    again = finish(start(project))
    assert (again.state, again.n_units, len(computed)) == (RunState.COMPLETE, 0, 6)


def test_who_lost_a_batch_stores_nothing_of_it(project: Project) -> None:
    run = start(project)
    plan(run)
    mine = runs.take(run, "me", 1)
    Unit.objects.filter(pk=mine[0].pk).update(lease_owner="another")
    work._score_all(run, "me", mine)
    assert not Annotation.objects.exists()
    assert Unit.objects.get(pk=mine[0].pk).lease_owner == "another"


def test_a_batch_that_cannot_be_scored_fails_alone(project: Project, computed: list[str]) -> None:
    poisoned = make.solution(project, "poison", ["a", "b"])
    run = finish(start(project))
    assert (run.state, Annotation.objects.filter(solution=poisoned).count()) == (RunState.RUNNING, 0)
    bad = run.units.exclude(error="")
    assert [(unit.state, unit.attempts, poisoned.pk in unit.params["solutions"]) for unit in bad] == [
        ("waiting", 1, True)
    ]
    assert "device-side assert" in bad[0].error
    for _ in range(runs.MOST_ATTEMPTS):
        Unit.objects.update(due_at=None)
        finish(run)
    assert (run.state, run.n_failed, run.n_done) == (RunState.COMPLETE, 1, run.n_units - 1)


def test_a_batch_whose_solutions_are_gone_ends(project: Project) -> None:
    run = start(project)
    plan(run)
    Solution.objects.all().delete()
    run = finish(run)
    assert (run.state, run.n_failed) == (RunState.COMPLETE, 0)
    assert not Annotation.objects.exists()


def test_a_model_that_cannot_be_loaded_pauses_the_run(
    project: Project, models_dir: Path, tmp_path: Path, settings: Any
) -> None:
    broken = tmp_path / "models" / QWEN
    broken.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (broken / name).write_bytes((models_dir / QWEN / name).read_bytes())
    settings.MODELS_DIR = tmp_path / "models"
    run = finish(start(project))
    assert run.state == RunState.PAUSED
    assert QWEN in run.because
    assert "then go on" in run.because
    assert set(run.units.values_list("state", "attempts", "lease_owner")) == {("waiting", 0, "")}
    (broken / "model.safetensors").write_bytes((models_dir / QWEN / "model.safetensors").read_bytes())
    acts.resume(by=Operator(), run=run)
    assert finish(run).state == RunState.COMPLETE
    assert Annotation.objects.count() == 6


def out_of_memory(*_: Any, **__: Any) -> Any:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nGPU 0 has …")


def test_no_memory_for_the_model_pauses_the_run_and_holds_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "load", out_of_memory)
    run = finish(start(project))
    assert run.state == RunState.PAUSED
    assert run.because.startswith(
        f"{QWEN} cannot be loaded: OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB. "
    )
    assert set(run.units.values_list("state", "attempts", "lease_owner")) == {("waiting", 0, "")}
    monkeypatch.undo()
    acts.resume(by=Operator(), run=run)
    assert finish(run).state == RunState.COMPLETE


def test_a_worker_that_stops_gives_back_what_it_held(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(project)
    plan(run)

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "_score_all", stop)
    with pytest.raises(KeyboardInterrupt):
        work.work(run.drives)
    assert set(run.units.values_list("state", "attempts", "lease_owner")) == {("waiting", 0, "")}
    assert runs.hold(run.drives, "another")


@pytest.mark.parametrize("where", ["load", "score"])
def test_a_model_that_breaks_while_it_is_tried_fails_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    real = getattr(engine, where)

    def break_first(*args: Any, **named: Any) -> Any:
        monkeypatch.setattr(engine, where, real)
        return out_of_memory()

    monkeypatch.setattr(engine, where, break_first)
    run = actions.try_models(
        by=Operator(), project=project, problem="1 + 1?", steps=["It is 2."], models=[QWEN, f"{QWEN}:prmbench"]
    )  # fmt: skip
    assert finish(run).state == RunState.COMPLETE
    first, second = run.units.order_by("pk")
    assert (first.state, second.state) == ("failed", "done")
    assert "CUDA out of memory" in first.error


def test_too_long_and_unfit_solutions_are_marked(project: Project) -> None:
    long = make.solution(project, "Long?", ["word " * 6000])
    unfit = make.solution(project, "Unfit?", ["fine", "a mark <extra_0> inside"])
    run = finish(start(project))
    assert run.state == RunState.COMPLETE
    said = {row.solution_id: row for row in Annotation.objects.filter(solution__in=[long, unfit])}
    assert (said[long.pk].labels, said[long.pk].scores, said[long.pk].is_parsed) == (".", None, False)
    assert "Longer than the model reads" in said[long.pk].note
    assert (said[unfit.pk].labels, said[unfit.pk].is_parsed) == ("..", False)
    assert "(step 2)" in said[unfit.pk].note
    assert Annotation.objects.filter(is_parsed=True).count() == 6


def test_a_text_without_room_does_not_fail_its_batch(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = make.solution(project, "Large?", ["one", "word " * 40])
    real = forward._hidden

    def short(model: Any, net: Any, laid: Any) -> Any:
        if laid.ids.size > 200:
            raise MemoryError
        return real(model, net, laid)

    monkeypatch.setattr(forward, "_hidden", short)
    run = finish(actions.start(by=Operator(), project=project, model=QWEN, inline=True))
    assert (run.state, run.n_units, run.n_failed) == (RunState.COMPLETE, 1, 0)
    said = Annotation.objects.get(solution=large)
    assert (said.labels, said.scores, said.is_parsed) == ("..", None, False)
    assert "does not fit into memory" in said.note
    assert Annotation.objects.filter(is_parsed=True, scores__isnull=False).count() == 6
    assert json.loads(run.units.get().result)["refused"] == 1


def test_retired_and_taken_down_are_not_scored(project: Project) -> None:
    held, gone, *_ = Solution.objects.order_by("pk")
    make.queued(project, held, retired=True, held=True)
    gone.problem.taken_down_at = timezone.now()
    gone.problem.save()
    finish(start(project))
    assert not Annotation.objects.filter(solution__in=[held, gone]).exists()
    assert Annotation.objects.count() == 4
    assert Item.objects.count() == 1


def test_the_same_checkpoint_is_one_rater_and_another_variant_another(project: Project) -> None:
    first, again = start(project), start(project, limit=1)
    other = start(project, variant="prmbench")
    assert first.rater_id == again.rater_id != other.rater_id
    assert other.rater is not None
    assert other.rater.name == f"{QWEN} (prmbench)"


CHANGES: dict[str, dict[str, Any]] = {
    "kind": {"kind": "outcome"}, "coefficient": {"coefficient": 2.0}, "read": {"read": "last_of_step"},
    "head": {"head": Head(kind="linear", weights="score", outputs=2)},
    "template": {"after": ("",)},
    "channels": {"channels": {"validity": Channel(
        readout="pair_softmax", of=(0,), decide=Decide(rule="above", tuned_on="")
    )}},
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_a_mended_catalogue_makes_another_rater(models_dir: Path, what: str) -> None:
    chosen = installed.find(QWEN)
    other = chosen._replace(spec=chosen.spec.model_copy(update=CHANGES[what]))
    assert actions.spec_of(chosen) != actions.spec_of(other)


def test_another_threshold_or_note_is_the_same_rater(models_dir: Path) -> None:
    chosen = installed.find(QWEN)
    validity = chosen.spec.channels["validity"]
    decide = validity.decide.model_copy(update={"threshold": 0.3, "tuned_on": "mine"})
    other = chosen.spec.model_copy(
        update={"note": "new", "channels": {"validity": validity.model_copy(update={"decide": decide})}}
    )
    assert actions.spec_of(chosen) == actions.spec_of(chosen._replace(spec=other))


@pytest.mark.parametrize(
    "name", ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.json"]
)
def test_another_file_that_scores_hang_on_is_another_rater(
    models_dir: Path, tmp_path: Path, name: str
) -> None:
    folder = shutil.copytree(models_dir / QWEN, tmp_path / QWEN)
    chosen = installed.find(QWEN)._replace(
        folder=folder, reference=shutil.copytree(folder, tmp_path / "other")
    )
    first = actions.spec_of(chosen)
    assert actions.spec_of(chosen) == first
    for where in (folder, tmp_path / "other"):
        file = where / name
        told = bytearray(file.read_bytes() if file.is_file() else b"{}")
        told[len(told) // 2] ^= 1
        file.write_bytes(told)
        now = actions.spec_of(chosen)
        assert now != first
        first = now
    (folder / "README.md").write_text("new")
    assert actions.spec_of(chosen) == first


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"model": "no-such"}, "model"), ({"model": "reasoneval-34b"}, "model"), ({"variant": "no-such"}, "variant"),
        ({"how": How(device="tpu")}, "device"), ({"how": How(token_budget=0)}, "token_budget"),
        ({"limit": 0}, "limit"), ({"how": How(dtype="int8")}, "dtype"), ({"name": "a\nb"}, "name"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_with_its_field(
    project: Project, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(errors.Invalid) as refused:
        actions.start(by=Operator(), project=project, **{"model": QWEN, **given})
    assert refused.value.field == field
    assert not Run.objects.exists()


def test_a_page_cannot_name_a_folder(project: Project, models_dir: Path) -> None:
    with pytest.raises(errors.Invalid):
        actions.start(by=Operator(), project=project, model=str(models_dir / QWEN))


def test_the_task_goes_to_the_worker_that_keeps_models() -> None:
    """Not to the prefork children: CUDA does not survive a fork."""
    assert app.amqp.router.route({}, "scoring.drive")["queue"].name == "gpu"
    assert app.amqp.router.route({}, "synth.drive")["queue"].name == "celery"


@pytest.mark.django_db(transaction=True)
def test_leases_are_held_while_a_batch_takes_longer_than_they_last(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "HELD_FOR", timedelta(seconds=0.4))
    run = start(project)
    plan(run)
    runs.hold(run.drives, "me")
    held = runs.take(run, "me", 1)
    with work.beating(run, "me"):
        time.sleep(0.8)
        with transaction.atomic():
            assert runs.mine(held, "me") == {held[0].pk}
        assert not runs.hold(run.drives, "another")
        runs.take_back(Unit.objects.filter(run=run))
        with transaction.atomic():
            assert runs.mine(held, "me") == {held[0].pk}
