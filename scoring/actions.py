"""Start scoring a project by a reward model, or try models on one solution: the one way, for pages and commands."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction

from annotator import errors, policies
from annotator import runs as units
from annotator.actions import machine_rows
from annotator.actions import runs as acts
from annotator.core.digest import digest
from annotator.models import Project, Rater, RaterKind, Role, Run, RunState
from annotator.policies import Actor
from annotator.runs import NewUnit
from scoring import installed, solutions
from scoring.installed import Chosen
from scoring.prm import remote

TASK = "scoring.drive"
SCORE, TRY = "score", "try"
DEVICES = ("auto", "cpu", "cuda")
DTYPES = ("auto", "float32", "bfloat16", "float16")
BUDGET, MOST_BUDGET = 16_384, 1_048_576
MOST_TRIED, MOST_STEPS, MOST_LETTERS = 6, 200, 100_000


class How(NamedTuple):
    """How a model is run. device_map: "auto" spreads it over all cards; None: on one device. server: the address of a
    vLLM pooling server that has it loaded, as `served_as`; of commands, never of pages."""

    device: str = "auto"
    dtype: str = "auto"
    token_budget: int = BUDGET
    device_map: str | None = None
    server: str = ""
    served_as: str = ""


USUAL = How()


@transaction.atomic
def start(
    *, by: Actor, project: Project, model: str, variant: str = "", like: str = "", how: How = USUAL,
    name: str = "", limit: int | None = None, any_folder: bool = False, inline: bool = False,
) -> Run:  # fmt: skip
    """Start a run that scores every solution this very model has not scored. Raises Invalid with the field.

    any_folder: the model may be a path (of commands, never of pages).
    """
    policies.check_at_least(by, Role.LEAD, project)
    chosen = installed.find(model, variant, like=like, any_folder=any_folder)
    params = parameters(chosen, how, limit)
    rater = _rater(chosen, name)
    return acts.start(
        by=by, project=project, method=SCORE, params=params, task=TASK, rater=rater, inline=inline
    )


class Estimate(NamedTuple):
    """n_all: solutions that are judged here; n_left: those of them that this very model has not scored."""

    chosen: Chosen
    n_all: int
    n_left: int


def estimate(
    *, by: Actor, project: Project, model: str, variant: str = "", how: How = USUAL, name: str = "",
    limit: int | None = None,
) -> Estimate:  # fmt: skip
    """What `start` would do with the same; changes nothing. Raises Invalid with the field."""
    policies.check_at_least(by, Role.LEAD, project)
    chosen = installed.find(model, variant)
    parameters(chosen, how, limit)
    known = Rater.objects.filter(
        kind=RaterKind.PRM, name=_name(name, chosen), digest=digest(spec_of(chosen))
    ).first()
    n_left = solutions.to_score(project, known).count()
    most = n_left if limit is None else min(limit, n_left)
    return Estimate(chosen, solutions.to_score(project).count(), most)


@transaction.atomic
def start_or_go_on(
    *,
    by: Actor,
    project: Project,
    model: str,
    variant: str,
    like: str,
    how: How,
    name: str,
    limit: int | None,
) -> Run:
    """For commands: an unfinished run of the same model goes on, else one is started."""
    chosen = installed.find(model, variant, like=like, any_folder=True)
    params, rater = parameters(chosen, how, limit), _rater(chosen, name)
    open_states = [RunState.PLANNING, RunState.RUNNING, RunState.PAUSED]
    rows = Run.objects.filter(project=project, method=SCORE, rater=rater, state__in=open_states)
    rows = rows.select_related("project", "rater")
    for run in rows.order_by("-pk"):
        if run.params == params:
            return acts.resume(by=by, run=run) if run.state == RunState.PAUSED else run
    return start(
        by=by, project=project, model=model, variant=variant, like=like, how=how, name=name, limit=limit,
        any_folder=True, inline=True,
    )  # fmt: skip


@transaction.atomic
def try_models(
    *, by: Actor, project: Project, problem: str, steps: Sequence[str], models: Sequence[str]
) -> Run:
    """Score one pasted solution by some models; nothing of it becomes an annotation. A unit a model."""
    policies.check_at_least(by, Role.LEAD, project)
    _check_pasted(problem, steps)
    if not models or len(models) > MOST_TRIED:
        raise errors.Invalid(f"Choose one to {MOST_TRIED} models.", field="models")
    chosen = [_named(name) for name in models]
    pasted = {"problem": problem, "steps": list(steps)}
    run = acts.start(by=by, project=project, method=TRY, params=pasted, task=TASK)
    made = [NewUnit(f"{c.entry.name}:{c.spec.variant}", params=parameters(c, USUAL, None)) for c in chosen]
    units.plan(run, made, before=0, reached=None)
    run.refresh_from_db()
    return run


def _rater(chosen: Chosen, name: str) -> Rater:
    return machine_rows.rater_of(RaterKind.PRM, _name(name, chosen), spec_of(chosen))


def _named(spelt: str) -> Chosen:
    """MODEL or MODEL:VARIANT."""
    model, _, variant = spelt.partition(":")
    return installed.find(model, variant)


def _check_pasted(problem: str, steps: Sequence[str]) -> None:
    if not problem.strip():
        raise errors.Invalid("Paste the problem.", field="problem")
    if not steps:
        raise errors.Invalid("Paste the solution, an empty line between steps.", field="solution")
    if len(steps) > MOST_STEPS or sum(map(len, steps)) + len(problem) > MOST_LETTERS:
        raise errors.Invalid(f"At most {MOST_STEPS} steps and {MOST_LETTERS} characters.", field="solution")


def parameters(chosen: Chosen, how: How, limit: int | None) -> dict[str, Any]:
    """What the worker needs to find and run the model again. Raises Invalid with the field."""
    for field, value, allowed in (
        ("device", how.device.partition(":")[0], DEVICES),
        ("dtype", how.dtype, DTYPES),
    ):
        if value not in allowed:
            raise errors.Invalid(f"Choose {', '.join(allowed)}.", field=field)
    if not 1 <= how.token_budget <= MOST_BUDGET:
        raise errors.Invalid(f"Choose a number from 1 to {MOST_BUDGET}.", field="token_budget")
    if limit is not None and limit < 1:
        raise errors.Invalid("Name a whole number from 1 on.", field="limit")
    if how.server and not how.server.startswith(("http://", "https://")):
        raise errors.Invalid("Name an address that begins with http:// or https://.", field="server")
    if how.server:
        remote.check(chosen.spec)
        how = how._replace(served_as=how.served_as or chosen.entry.hub or chosen.entry.name)
    reference = str(chosen.reference) if chosen.reference else None
    return {
        "model": chosen.entry.name, "variant": chosen.spec.variant, "folder": str(chosen.folder),
        "reference": reference, "limit": limit, **how._asdict(),
    }  # fmt: skip


def spec_of(chosen: Chosen) -> dict[str, Any]:
    """What makes one rater: the model, the very texts it is given, and how scores are read. Not a threshold, nor where
    it runs. What is mended in the catalogue makes another: its scores are others'."""
    reference = {"reference": installed.fingerprint(chosen.reference)} if chosen.reference else {}
    return {
        "model": chosen.entry.hub or chosen.entry.name, "variant": chosen.spec.variant,
        "template": chosen.spec.digest, "reading": chosen.spec.reading,
        "weights": installed.fingerprint(chosen.folder), **reference,
    }  # fmt: skip


def _name(asked: str, chosen: Chosen) -> str:
    """As asked for, else the model, with its variant where that is not the usual one."""
    usual = chosen.spec.variant == chosen.entry.default
    own = chosen.folder.name if chosen.folder.name != chosen.entry.name else chosen.entry.name
    name = asked or (own if usual else f"{own} ({chosen.spec.variant})")
    if len(name) > 150 or not name.isprintable():
        raise errors.Invalid("Choose a name of at most 150 characters.", field="name")
    return name


def thresholds(params: Mapping[str, Any]) -> dict[str, tuple[float, str]]:
    """Channel -> the threshold of its labels, and what that was tuned on."""
    spec = installed.entries()[params["model"]].variant(params["variant"])
    return {
        name: (channel.decide.threshold, channel.decide.tuned_on) for name, channel in spec.channels.items()
    }
