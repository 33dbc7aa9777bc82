"""What stands behind a machine's word on one item: which model and prompt, what it drew, where that failed, what it
wrote. Read from the stored results and calls of the units that judged or made the item's solution. Reads only."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import Q

from annotator.core.labels import NO_ERROR, UNKNOWN
from annotator.models import Item, Unit, UnitState
from synth.machines import MACHINES

MOST = 50  # units of one item
SHOWN = ("model", "prompt", "prompt_digest", "temperature", "top_p", "n", "early_stop", "examples", "asks")


class Rolled(NamedTuple):
    """One prefix of rollouts. number: the last step of it, 1-based.  drawn: what came out, in order."""

    number: int
    k: int
    drawn: int
    planned: int
    stopped: bool
    holds_answer: bool
    draws: list[Mapping[str, Any]]

    @property
    def share(self) -> str:
        return f"{self.k} of {self.drawn}"


class Evidence(NamedTuple):
    """A unit as the page shows it. said: in a sentence; rolled, analyses, reasons, raw: empty where there are none."""

    unit: Unit
    title: str
    about: list[tuple[str, str]]
    said: str
    rolled: list[Rolled]
    analyses: list[tuple[int, str]]
    reasons: list[str]
    raw: str


def of_item(item: Item) -> list[Evidence]:
    """Everything that is stored, oldest first."""
    made_by = Q(pk=item.solution.unit_id) if item.solution.unit_id else Q()
    rows = Unit.objects.filter(
        Q(solution=item.solution_id) | made_by if made_by else Q(solution=item.solution_id)
    )
    ended = rows.filter(run__project=item.project_id, state=UnitState.DONE).exclude(run__method="score")
    return [_evidence(unit) for unit in ended.select_related("run__rater").order_by("pk")[:MOST]]


def _evidence(unit: Unit) -> Evidence:
    found: dict[str, Any] = json.loads(unit.result) if unit.result else {}
    machine = MACHINES.get(unit.run.method)
    return Evidence(
        unit=unit, title=machine.title if machine else unit.run.method, about=list(_about(unit)),
        said=_said(unit, found), rolled=[_rolled(row) for row in found.get("prefixes", [])],
        analyses=list(enumerate(found.get("analyses", []), 1)), reasons=_reasons(found), raw=found.get("raw", ""),
    )  # fmt: skip


def _about(unit: Unit) -> Iterator[tuple[str, str]]:
    spec = unit.run.rater.spec if unit.run.rater else unit.run.params
    yield "rater", str(unit.run.rater or unit.run.params.get("model", unit.run.method))
    for name in SHOWN:
        if spec.get(name) is not None:
            value = spec[name]
            yield name.replace("_", " "), value[:12] if name == "prompt_digest" else str(value)


def _said(unit: Unit, found: Mapping[str, Any]) -> str:
    if "judge" in found and "rollouts" in found:
        judge, rollouts = (named(found[name]) for name in ("judge", "rollouts"))
        return f"The judge says: {judge}. Rollouts say: {rollouts}. {unit.outcome.capitalize()}."
    said = (
        f"First error: {named(found['first_error'])}."
        if "first_error" in found
        else f"{unit.outcome.capitalize()}."
    )
    votes = ", ".join(f"{named(first)} ({n})" for first, n in found.get("votes", []))
    read = f" Votes: {votes}." if len(found.get("votes", [])) > 1 else ""
    return said + read + (" It was asked once more to mend its reply." if found.get("repaired") else "")


def named(first: int | None) -> str:
    """A first error in words; steps count from 1."""
    if first is None:
        return "what it wrote could not be read"
    return {NO_ERROR: "none", UNKNOWN: "unknown"}.get(first, f"step {first + 1}")


def _rolled(row: Mapping[str, Any]) -> Rolled:
    return Rolled(
        row["position"] + 1, row["k"], row["drawn"], row["planned"], row["stopped"], row["holds_answer"],
        row["draws"],
    )  # fmt: skip


def _reasons(found: Mapping[str, Any]) -> list[str]:
    """Why something was rejected or not read: sentences, or codes with their details."""
    return [
        one if isinstance(one, str) else f"{one['code']} {one['detail']}".strip()
        for one in found.get("reasons", [])
    ]
