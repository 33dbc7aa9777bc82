"""What runs need to know of a machine method: how it is set, what its units are, and what becomes of its outcomes."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from annotator import errors
from annotator.core import methods
from annotator.models import Project, Rater, Run, Unit
from annotator.runs import NewUnit
from synth.machines.subjects import WHICH
from synth.methods.asks import Steps
from synth.methods.settings import How

Planned = tuple[int, list[NewUnit]]  # an id and the units of it; ids ascend
H = TypeVar("H", bound=How)
MAX_LIMIT = 10_000_000


class Stored(NamedTuple):
    """What to count a unit's end as (a short code such as stored, rejected, unparsed), and its evidence."""

    outcome: str
    result: Mapping[str, Any]


class Expected(NamedTuple):
    """How much a run would be: units, and how much it leaves out and why."""

    n_units: int
    n_left_out: int
    why_left_out: str = ""


def expected(n_units: int, *left_out: tuple[int, str]) -> Expected:
    """left_out: how many, and why (which are ...); where there are several reasons each tells its number."""
    told = [(n, why) for n, why in left_out if n]
    why = told[0][1] if len(told) == 1 else ", ".join(f"{n} {why}" for n, why in told)
    return Expected(n_units, sum(n for n, _ in told), why)


class Machine(NamedTuple):
    """One method.

    how: its settings, as a pydantic model; None: it has none but a seed.  choices: which solutions it may be asked
    to work on; empty: there is no choice.  rater_kind: of who writes its annotations; "" where nobody does.
    spec: a run's parameters -> the rater's spec (spec_of adds the endpoint).  expect: counts before anything is
    planned, without what the rater, if there is one yet, has done before.
    plan: the run's units after an id.  begin: a unit -> its method's generator.  most_calls: of one unit.
    store: rows from its outcome, inside the caller's transaction.  read_more: further parameters of its own.
    """

    method: str
    about: str
    how: type[How] | None
    needs_endpoint: bool
    rater_kind: str
    choices: tuple[str, ...]
    spec: Callable[[Mapping[str, Any]], dict[str, Any]]
    expect: Callable[[Project, Mapping[str, Any], Rater | None], Expected]
    plan: Callable[[Run, int], Iterator[Planned]]
    begin: Callable[[Run, Unit], Steps[Any]]
    most_calls: Callable[[Mapping[str, Any], Unit], int]
    store: Callable[[Run, Unit, Any], Stored]
    more: Mapping[str, Callable[[Any], Any]] = {}

    @property
    def title(self) -> str:
        return methods.title(self.method)


def spec_of(machine: Machine, params: Mapping[str, Any]) -> dict[str, Any]:
    """All that makes a rater of a run's parameters: Rater.spec. The endpoint stands in it by digest: its address is
    not for everyone who reads what a rater is."""
    spec = machine.spec(params)
    return spec | {"endpoint": params["endpoint_identity"]} if machine.needs_endpoint else spec


def how_of(how: type[H], params: Mapping[str, Any]) -> H:
    """The settings among a run's parameters."""
    return how.model_validate(params["how"])


def names_of(machine: Machine) -> set[str]:
    """All that may be given to it."""
    own = set(machine.how.model_fields) if machine.how else set[str]()
    return (
        own
        | set(machine.more)
        | {"which", "limit"}
        | ({"name"} if machine.rater_kind else set())
        | ({"endpoint"} if machine.needs_endpoint else set())
    )


def read(machine: Machine, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a form or a command gave, as a run keeps it. Raises Invalid naming the field.

    given: `which`, `limit`, the fields of `how`, and what is in `more`; what is missing or None has its default.
    """
    params: dict[str, Any] = {
        "which": _which(machine, given.get("which")),
        "limit": _limit(given.get("limit")),
    }
    if machine.how:
        said = {name: given[name] for name in machine.how.model_fields if name in given}
        params["how"] = _checked(machine.how, said).model_dump(mode="json")
    return params | {name: parse(given.get(name)) for name, parse in machine.more.items()}


def _which(machine: Machine, which: Any) -> str:
    allowed = machine.choices or ("",)
    which = which or allowed[0]
    if which not in allowed:
        words = ", ".join(f"{name} ({WHICH.get(name, name)})" for name in allowed)
        raise errors.Invalid(f"Choose {words}.", field="which")
    return str(which)


def _limit(limit: Any) -> int | None:
    if limit is None:
        return None
    if not isinstance(limit, int) or not 1 <= limit <= MAX_LIMIT:
        raise errors.Invalid("Name a whole number from 1 on.", field="limit")
    return limit


def _checked(how: type[How], said: Mapping[str, Any]) -> How:
    try:
        return how.model_validate(dict(said))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "how"
        raise errors.Invalid(f"{first['msg'][:1].upper()}{first['msg'][1:]}.", field=field) from error
