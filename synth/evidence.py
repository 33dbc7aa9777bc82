"""What stands behind a machine's word on one item: which model and prompt, what it drew, where that failed, what it
wrote. Read from the stored results and calls of the units that judged or made the item's solution. Reads only."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Q

from annotator.core import methods
from annotator.core.labels import NO_ERROR, UNKNOWN
from annotator.models import Item, Unit, UnitState
from annotator.views import run_figures, words
from synth.methods import injections

MOST = 50  # units of one item
INJECTORS = ("rules", "inject", "alternatives")
SHOWN = ("model", "prompt", "prompt_digest", "temperature", "top_p", "n", "early_stop", "examples", "asks")


class Rolled(NamedTuple):
    """One prefix of rollouts. number: the last step of it, 1-based, and its text.  drawn: what came out, in order."""

    number: int
    text: str
    k: int
    drawn: int
    planned: int
    stopped: bool
    holds_answer: bool
    draws: list[Mapping[str, Any]]

    @property
    def share(self) -> str:
        return f"{self.k} of {self.drawn}"

    @property
    def parts(self) -> list[tuple[str, float, float]]:
        """Look, x and width of the right, the wrong and the undecided, in hundredths of a bar."""
        wrong = sum(draw["verdict"] == "wrong" for draw in self.draws)
        found, at = list[tuple[str, float, float]](), 0.0
        for look, n in (("ok", self.k), ("no", wrong), ("quiet", len(self.draws) - self.k - wrong)):
            width = 100 * n / max(1, len(self.draws))
            found.append((look, at, width))
            at += width
        return found


class Evidence(NamedTuple):
    """A unit as the page shows it. said: in sentences; analyses: number, step and what was written of it; rolled,
    analyses, reasons, remarks, raw: empty where there are none. made: whether the item's solution is of this unit."""

    unit: Unit
    title: str
    about: list[tuple[str, str]]
    said: str
    rolled: list[Rolled]
    analyses: list[tuple[int, str, str]]
    reasons: list[str]
    remarks: list[str]
    raw: str
    made: bool


def of_item(item: Item) -> list[Evidence]:
    """Everything that is stored, oldest first."""
    made_by = Q(pk=item.solution.unit_id) if item.solution.unit_id else Q()
    rows = Unit.objects.filter(
        Q(solution=item.solution_id) | made_by if made_by else Q(solution=item.solution_id)
    )
    ended = rows.filter(run__project=item.project_id, state=UnitState.DONE).exclude(run__method="score")
    return [_evidence(unit, item) for unit in ended.select_related("run__rater").order_by("pk")[:MOST]]


def _evidence(unit: Unit, item: Item) -> Evidence:
    found: dict[str, Any] = json.loads(unit.result) if unit.result else {}
    steps, made = list(item.solution.steps), unit.pk == item.solution.unit_id
    analyses = found.get("analyses", [])
    return Evidence(
        unit=unit, title=methods.title(unit.run.method), about=list(_about(unit)),
        said=_made(unit, item, found) if made else _said(unit, found),
        rolled=[_rolled(row, steps) for row in found.get("prefixes", [])],
        analyses=[(n, step, text) for n, (step, text) in enumerate(zip(steps, analyses, strict=False), 1)],
        reasons=_reasons(found), remarks=found.get("remarks", []), raw=found.get("raw", ""), made=made,
    )  # fmt: skip


def _made(unit: Unit, item: Item, found: Mapping[str, Any]) -> str:
    """How the item's solution came to be."""
    meta = item.solution.meta
    if unit.run.method == "sample":
        drawn = ", ".join(
            f"{found[word]} {word}" for word in ("right", "wrong", "undecided") if found.get(word)
        )
        answer = {True: "right", False: "wrong"}.get(
            meta.get("final_answer_correct"), "not known to be right"
        )
        place = meta.get("sample", 0) + 1
        said = f"It made this solution: draw {place} of the problem, whose final answer is {answer}."
        return f"{said} All draws: {drawn}."
    repaired = " Its first reply broke the rules and was repaired." if found.get("repaired") else ""
    return f"It made this solution from another one. What it claims stands on the item's page.{repaired}"


def _about(unit: Unit) -> Iterator[tuple[str, str]]:
    params = unit.run.params
    spec = unit.run.rater.spec if unit.run.rater else params | params.get("how", {})
    yield "rater", str(unit.run.rater or params.get("model", unit.run.method))
    for name in SHOWN:
        if spec.get(name) is not None:
            value = spec[name]
            yield name.replace("_", " "), value[:12] if name == "prompt_digest" else str(value)


def _said(unit: Unit, found: Mapping[str, Any]) -> str:
    if "judge" in found and "rollouts" in found:
        judge, rollouts = (named(found[name]) for name in ("judge", "rollouts"))
        return f"The judge says: {judge}. Rollouts say: {rollouts}. {unit.outcome.capitalize()}."
    kind = f" ({words.kind_title(unit.kind)})" if unit.run.method in INJECTORS else ""
    said = f"{run_figures.in_words(unit.outcome).capitalize()}{kind}."
    if "first_error" in found:
        said = f"First error: {named(found['first_error'])}."
    votes = ", ".join(f"{named(first)} ({n})" for first, n in found.get("votes", []))
    read = f" Votes: {votes}." if len(found.get("votes", [])) > 1 else ""
    return said + read + (" It was asked once more to mend its reply." if found.get("repaired") else "")


def named(first: int | None) -> str:
    """A first error in words; steps count from 1."""
    if first is None:
        return "what it wrote could not be read"
    return {NO_ERROR: "none", UNKNOWN: "unknown"}.get(first, f"step {first + 1}")


def _rolled(row: Mapping[str, Any], steps: Sequence[str]) -> Rolled:
    return Rolled(
        row["position"] + 1, steps[row["position"]], row["k"], row["drawn"], row["planned"], row["stopped"],
        row["holds_answer"], row["draws"],
    )  # fmt: skip


def _reasons(found: Mapping[str, Any]) -> list[str]:
    """Why something was rejected or not read: sentences, or codes with their step and details."""
    return [one if isinstance(one, str) else _reason(one) for one in found.get("reasons", [])]


def _reason(one: Mapping[str, Any]) -> str:
    at = "" if one["position"] is None else f" (step {one['position'] + 1})"
    return f"{injections.title(one['code'])}{at}: {one['detail']}".removesuffix(": ")
