"""How right reviewers are, with the items behind every number, and who might be looked at more closely."""

from typing import Any, NamedTuple

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render

from annotator import errors
from annotator.core import haste
from annotator.measured import reviewers as measuring
from annotator.middleware import PageRequest
from annotator.models import Project
from annotator.views import words

WIDTH = 100.0  # of a chart, in its own units


class Bar(NamedTuple):
    """A share and its interval as places on a chart 100 wide; `share` is as the report has it."""

    title: str
    share: dict[str, Any]

    @property
    def at(self) -> str:
        return f"{WIDTH * self.share['value']:.1f}"

    @property
    def low(self) -> str:
        return f"{WIDTH * self.share['low']:.1f}"

    @property
    def high(self) -> str:
        return f"{WIDTH * self.share['high']:.1f}"

    @property
    def percent(self) -> str:
        value = self.share["value"]
        return "–" if value is None else f"{100 * value:.0f} %"

    @property
    def between(self) -> str:
        low, high = self.share["low"], self.share["high"]
        return "" if low is None else f"{100 * low:.0f}–{100 * high:.0f} %"


class Warned(NamedTuple):
    """A sign of haste in words, and the items it shows in."""

    title: str
    says: str
    items: list[int]


class Told(NamedTuple):
    """A pattern in words, for leads: with its counts."""

    says: str
    n: int
    chances: int
    often: bool


class Row(NamedTuple):
    """One reviewer."""

    one: dict[str, Any]
    items: Bar
    steps: Bar
    exam: Bar
    warnings: list[Warned]


def reviewers(request: PageRequest, **_: object) -> HttpResponse:
    """`?member=` shows one in detail; `?format=json` gives the whole report."""
    project, written = request.membership.project, request.GET.get("format", "")
    found = measuring.current(project)
    if written == "json":
        return JsonResponse(found, json_dumps_params={"indent": 2})
    if written:
        raise errors.Invalid("Choose json.", field="format")
    rows = [_row(one) for one in found["reviewers"]]
    asked = request.GET.get("member", "")
    chosen = next((row for row in rows if str(row.one["member"]) == asked), None)
    if asked and chosen is None:
        raise errors.Missing("This person is not in the project.")
    context = {
        "found": found,
        "all": _row_of_all(found),
        "rows": rows,
        "chosen": chosen,
        "detail": _detail(chosen.one["probes"] if chosen else found["all"], project),
        "rule": project.get_decision_rule_display(),
        "rate": f"{100 * project.probe_rate:g} %",
        "n_probes": project.items.filter(is_probe=True).count(),
        "fast": f"{found['usual_ms_a_step'] * haste.FAST / 1000:.1f} s" if found["usual_ms_a_step"] else "",
        "run": haste.SHORTEST_RUN,
    }
    return render(request, "annotator/reviewers.html", context)


def _row(one: dict[str, Any]) -> Row:
    probes = one["probes"]
    return Row(
        one,
        Bar("items", probes["items"]),
        Bar("steps", probes["steps"]),
        Bar("exam", one["exam"]["items"]),
        [_warned(sign) for sign in one["warnings"]],
    )


def _row_of_all(found: dict[str, Any]) -> list[Bar]:
    return [Bar("items", found["all"]["items"]), Bar("steps", found["all"]["steps"])]


def _warned(sign: dict[str, Any]) -> Warned:
    if sign["code"] == "fast":
        says = f"{sign['ms'] / 1000:.1f} s a step; {sign['usual_ms'] / 1000:.1f} s is usual here."
        return Warned("very fast", says, sign["items"])
    steps = ", ".join(str(at + 1) for at in sign["wrong"])
    answer = f"wrong at {steps}" if steps else "no wrong step"
    says = f"“{answer}” {sign['length']} times in a row; others say that of {100 * sign['usual']:.0f} % of items."
    return Warned("one answer in a row", says, sign["items"])


class Week(NamedTuple):
    """One week in the chart: the Monday, its share, and its place from the left."""

    monday: str
    bar: Bar
    x: int

    @property
    def top(self) -> str:
        return f"{WIDTH - WIDTH * self.bar.share['high']:.1f}"

    @property
    def bottom(self) -> str:
        return f"{WIDTH - WIDTH * self.bar.share['low']:.1f}"

    @property
    def y(self) -> str:
        return f"{WIDTH - WIDTH * self.bar.share['value'] - 2:.1f}"


def _detail(measured: dict[str, Any], project: Project) -> dict[str, Any]:
    own = project.error_types
    weeks = [(monday, share) for monday, share in measured["weeks"].items() if share["n"]]
    return {
        "kinds": [Bar(words.kind_title(kind, own), share) for kind, share in measured["kinds"].items()],
        "weeks": [Week(monday, Bar(monday, share), 10 * at + 5) for at, (monday, share) in enumerate(weeks)],
        "chart_width": max(10, 10 * len(weeks)),
        "patterns": [_told(one, own) for one in measured["patterns"]],
        "wrong": measured["wrong"],
        "items": Bar("items", measured["items"]),
    }


PATTERNS = {
    "missed": "called right, though wrong",
    "false_alarm": "called wrong, though right",
    "misnamed": "found, but another kind named",
}


def _told(one: dict[str, Any], own: list[dict[str, str]]) -> Told:
    kind = f"{words.kind_title(one['kind'], own)}: " if one["kind"] else ""
    return Told(kind + PATTERNS[one["code"]], one["n"], one["chances"], one["often"])
