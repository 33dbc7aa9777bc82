"""Start a machine method on a project: the one way, for pages and commands; and what it would cost."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, NamedTuple

from django.db import transaction

from annotator import errors, policies
from annotator.actions import machine_rows
from annotator.actions import runs as acts
from annotator.core.digest import digest
from annotator.models import Project, Rater, Role, Run, RunState, Unit
from annotator.policies import Actor
from synth import endpoints
from synth.endpoints import Endpoint
from synth.machines import MACHINES
from synth.machines.machine import Expected, Machine, read, spec_of
from synth.methods.asks import Ask

TASK = "synth.drive"
LOOKED_AT = 20  # units whose first requests say how long requests are
LOOKED_THROUGH = 5_000  # solutions, most of them done before perhaps, in search of these
LETTERS_A_TOKEN = 3.5  # of English with formulas; an endpoint's own count is what is paid
TOKENS_A_REPLY = 600  # where no run of this method has shown what its replies take


@transaction.atomic
def start(
    *, by: Actor, project: Project, method: str, given: Mapping[str, Any], budget: float | None = None,
    inline: bool = False,
) -> Run:  # fmt: skip
    """Start a run of a method. given: its settings, `endpoint` among them where it asks a language model.

    Raises Invalid with the field. inline: the caller works on it (actions.runs.start).
    """
    policies.check_at_least(by, Role.LEAD, project)
    machine = named(method)
    params, endpoint = parameters(machine, given)
    rater = None
    if machine.rater_kind:
        name = name_of(given, endpoint.model if endpoint else method)
        rater = machine_rows.rater_of(machine.rater_kind, name, spec_of(machine, params))
    return acts.start(
        by=by, project=project, method=method, params=params, task=TASK, rater=rater, budget=budget, inline=inline,
        drives=f"endpoint:{endpoint.name}" if endpoint else "",
    )  # fmt: skip


@transaction.atomic
def start_or_go_on(
    *, by: Actor, project: Project, method: str, given: Mapping[str, Any], budget: float | None = None
) -> Run:
    """For commands: an unfinished run of the same method, parameters and rater goes on, else one is started. Another
    prompt, another endpoint behind the same name or another name of the rater is another run."""
    machine = named(method)
    params, endpoint = parameters(machine, given)
    rater = _known_rater(machine, given, params, endpoint)
    open_states = [RunState.PLANNING, RunState.RUNNING, RunState.PAUSED]
    rows = Run.objects.filter(project=project, method=method, state__in=open_states)
    for run in rows.select_related("project", "rater").order_by("-pk"):
        if run.params == params and run.rater == rater:
            return _gone_on(by, run, budget)
    return start(by=by, project=project, method=method, given=given, budget=budget, inline=True)


def _known_rater(
    machine: Machine, given: Mapping[str, Any], params: Mapping[str, Any], endpoint: Endpoint | None
) -> Rater | None:
    """The rater that a run of this would have, if there is one already."""
    if not machine.rater_kind:
        return None
    name = name_of(given, endpoint.model if endpoint else machine.method)
    rows = Rater.objects.filter(kind=machine.rater_kind, name=name, digest=digest(spec_of(machine, params)))
    return rows.first()


def _gone_on(by: Actor, run: Run, budget: float | None) -> Run:
    """The run, paused or not; a command that names no budget changes none."""
    if run.state != RunState.PAUSED:
        return run
    return acts.resume(by=by, run=run, budget=acts.KEEP if budget is None else budget)


def named(method: str) -> Machine:
    if method not in MACHINES:
        raise errors.Missing(f"There is no method {method[:40]}.")
    return MACHINES[method]


def parameters(machine: Machine, given: Mapping[str, Any]) -> tuple[dict[str, Any], Endpoint | None]:
    """The parameters as a run keeps them, and the endpoint they name. Where nobody is the rater they say themselves
    by which prompt and endpoint it works (`spec`, a digest): a run goes on with no other."""
    params = read(machine, given)
    if not machine.needs_endpoint:
        return params, None
    endpoint = endpoints.find(str(given.get("endpoint") or ""))
    endpoint.key()
    paid = {"currency": endpoint.currency} if endpoint.cost(1, 1) else {}
    which = {"endpoint_identity": endpoint.identity_digest()}
    params = {"endpoint": endpoint.name, "model": endpoint.model, **which, **paid, **params}
    return params if machine.rater_kind else params | {"spec": digest(spec_of(machine, params))}, endpoint


def name_of(given: Mapping[str, Any], usual: str) -> str:
    """What the rater is called: as asked for, else as its model, or its method."""
    name = str(given.get("name") or usual)
    if len(name) > 150 or not name.isprintable():
        raise errors.Invalid("Choose a name of at most 150 characters.", field="name")
    return name


class Estimate(NamedTuple):
    """What a run would be. calls: at the most.  tokens and cost: about; None where nobody is paid or asked."""

    expected: Expected
    n_units: int
    calls: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost: float | None
    currency: str = ""
    is_measured: bool = False


def estimate(*, by: Actor, project: Project, method: str, given: Mapping[str, Any]) -> Estimate:
    """Count what there is to do, and read the length of requests off the first few. Nothing is stored or sent."""
    policies.check_at_least(by, Role.LEAD, project)
    machine = named(method)
    params, endpoint = parameters(machine, given)
    rater = _known_rater(machine, given, params, endpoint)
    expected = machine.expect(project, params, rater)
    n_units = min(expected.n_units, params["limit"] or expected.n_units)
    if endpoint is None:
        return Estimate(expected, n_units, None, None, None, None)
    run = Run(project=project, method=method, params=params, rater=rater, state=RunState.PLANNING)
    return _priced(machine, run, endpoint, expected, n_units)


def _priced(machine: Machine, run: Run, endpoint: Endpoint, expected: Expected, n_units: int) -> Estimate:
    units, params = _first_units(machine, run) if n_units else [], run.params
    share = n_units / len(units) if units else 0
    calls = round(sum(machine.most_calls(params, unit) for unit in units) * share)
    letters = [length for unit in units for length in _lengths(machine, unit)]
    a_prompt = sum(letters) / len(letters) / LETTERS_A_TOKEN if letters else 0
    a_reply = _measured(run.project, machine.method, endpoint.model)
    prompt, completion = round(calls * a_prompt), round(calls * (a_reply or TOKENS_A_REPLY))
    cost = endpoint.cost(prompt, completion)
    return Estimate(
        expected, n_units, calls, prompt, completion, cost, endpoint.currency, a_reply is not None
    )


def _first_units(machine: Machine, run: Run) -> list[Unit]:
    """A few units as planning would make them; no row is written. Where what is new lies far back, the first of all
    stand for it: requests about them are as long."""
    units: list[Unit] = []
    for _, made in islice(machine.plan(run, 0), LOOKED_THROUGH):
        units += [Unit(run=run, **one._asdict()) for one in made]
        if len(units) >= LOOKED_AT:
            break
    if not units and run.rater:
        run.rater = None
        return _first_units(machine, run)
    return units[:LOOKED_AT]


def _lengths(machine: Machine, unit: Unit) -> list[int]:
    """Letters of each request of the unit's first batch."""
    steps = machine.begin(unit.run, unit)
    try:
        batch = next(steps)
    except StopIteration:
        return []
    finally:
        steps.close()
    return [sum(len(m["content"]) for m in one.messages) for one in batch if isinstance(one, Ask)]


def _measured(project: Project, method: str, model: str) -> float | None:
    """Tokens that a reply took in the last run of the method on this model, if there was one."""
    rows = Run.objects.filter(project=project, method=method, params__model=model, completion_tokens__gt=0)
    last = rows.order_by("-pk").first()
    return last.completion_tokens / last.n_calls if last and last.n_calls else None
