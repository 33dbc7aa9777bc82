"""Two raters beside each other: how far apart they score, how their labels differ, and on which items."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.http import HttpResponseBase
from django.shortcuts import render

from annotator import errors
from annotator.middleware import PageRequest
from annotator.models import Rater
from annotator.views import words
from scoring import evaluations
from scoring.views import bands, misses
from scoring.views.asked import Asked, asked, csv_file, json, part_title, shared

PAGE = 20
SIGNIFICANT = 0.05


class Difference(NamedTuple):
    """a less b. is_sure: the interval leaves 0 out."""

    code: str
    title: str
    of: Mapping[str, Any]
    band: bands.Band
    is_sure: bool

    @property
    def p(self) -> str:
        p = self.of["p"]
        return "–" if p is None else "< 0.001" if p < 0.001 else f"{p:.3f}"


def compare(request: PageRequest, benchmark: str, **_: object) -> HttpResponseBase:
    """`?a=ID&b=ID&against=released|gold&kind=…`; `?format=json|csv`. Without raters: a form to choose them."""
    asking = asked(request.membership.project, benchmark, request.GET, labels="released")
    side = misses.one_side(asking.labels)
    known = evaluations.raters(asking.project, benchmark)
    a, b = (_chosen(asking, request.GET.get(name) or "", name) for name in ("a", "b"))
    context = shared(asking) | {"known": known, "a": a, "b": b, "side": side, "is_chosen": a and b}
    if a is None or b is None:
        return render(request, "scoring/compare.html", context)
    if a.pk == b.pk:
        raise errors.Invalid("Choose two different raters.", field="b")
    found = evaluations.compare(asking.project, benchmark, a, b, labels=side, reading=asking.reading)
    if asking.format == "json":
        return json(found)
    if asking.format == "csv":
        return csv_file(table(found), f"{asking.project.slug}-{benchmark}-{a.pk}-{b.pk}.csv")
    return render(request, "scoring/compare.html", context | _said(request, asking, found, a, b, side))


def _chosen(asking: Asked, spelled: str, field: str) -> Rater | None:
    if not spelled:
        return None
    try:
        return evaluations.find_rater(asking.project, spelled)
    except errors.Invalid as error:
        raise errors.Invalid(str(error), field=field) from None


def _said(
    request: PageRequest, asking: Asked, found: Mapping[str, Any], a: Rater, b: Rater, side: str
) -> dict[str, Any]:
    kind = request.GET.get("kind") or None
    differences = [("overall", "all", found["overall"])] + [
        (code, part_title(asking.project, asking.benchmark, code), one)
        for code, one in found["parts"].items()
    ]
    scale = _scale(one for _, _, one in differences)
    apart, after = _apart(asking, a, b, side, kind, request.GET.get("after") or None)
    said = [(one, _sayings(one.a, one.b, one.truth)) for one in apart]
    again = {"a": a.pk, "b": b.pk, "against": side, "threshold": None}
    query = asking.query(**again)
    return {
        "found": found, "rater": a,
        "differences": [_difference(code, title, one, scale) for code, title, one in differences],
        "scale": scale, "sentence": sentence(found),
        "confusion": confusion(evaluations.confusion(asking.project, a, b)),
        "rows": misses.rows_of(asking, said), "kind": kind, "third": side,
        "kinds": [(code, part_title(asking.project, asking.benchmark, code)) for code in found["parts"]],
        "query": query, "is_first": not request.GET.get("after"),
        "next_query": asking.query(**again, kind=kind, after=after) if after else None,
    }  # fmt: skip


def _apart(
    asking: Asked, a: Rater, b: Rater, side: str, kind: str | None, after: str | None
) -> tuple[list[Any], str | None]:
    """A page of steps on which the two differ; none of Best-of-N, which asks for no step."""
    if asking.benchmark == "best_of_n":
        return [], None
    rows, following = evaluations.disagreements(
        asking.project, asking.benchmark, a, b, labels=side, kind=kind, after=after, limit=PAGE
    )
    return list(rows), following


def _sayings(a: str, b: str, truth: str | None) -> tuple[str, ...]:
    return (a, b) if truth is None else (a, b, truth)


def _scale(found: Iterator[Mapping[str, Any]]) -> bands.Scale:
    """As far to the left as to the right of 0."""
    values = [abs(v) for one in found for v in (one["difference"], *(one["interval"] or ())) if v is not None]
    most = bands.scale_of(values, most=100, step=5).high if values else 10.0
    return bands.Scale(-most, most)


def _difference(code: str, title: str, one: Mapping[str, Any], scale: bands.Scale) -> Difference:
    low, high = one["interval"] or (None, None)
    value = bands.Value(title, one["difference"], one["interval"])
    drawn = (
        []
        if one["difference"] is None
        else [bands.mark(value, "disc" if code != "overall" else "box", scale)]
    )
    is_sure = low is not None and high is not None and (low > 0 or high < 0)
    return Difference(code, title, one, bands.Band(drawn, scale.ticks, bands.in_words(value)), is_sure)


def sentence(found: Mapping[str, Any]) -> str:
    """What came out, in words."""
    whole = found["overall"]
    if whole["difference"] is None:
        return "The difference is undefined: there is too little that both have judged."
    ahead, behind = (found["a"], found["b"]) if whole["difference"] >= 0 else (found["b"], found["a"])
    by = abs(whole["difference"])
    if whole["p"] is None or whole["interval"] is None:
        return f"{ahead} is {by:.1f} points ahead of {behind}; there is too little to say whether that is chance."
    if whole["p"] < SIGNIFICANT:
        return f"{ahead} is ahead of {behind} by {by:.1f} points, and that is hardly chance."
    return f"{ahead} is {by:.1f} points ahead of {behind}, which may well be chance."


class Confusion(NamedTuple):
    marks: list[words.Mark]
    rows: list[tuple[words.Mark, list[tuple[int, float | None]]]]
    n_solutions: int
    n_steps: int
    first_error: float | None


def confusion(found: Mapping[str, Any]) -> Confusion | None:
    """Which labels the two gave the same steps; rows are the first rater's. None where they share no step."""
    table, marks = found["table"], found["marks"]
    if not found["n_steps"]:
        return None
    used = [n for n in range(len(marks)) if any(table[n]) or any(line[n] for line in table)]
    rows = [
        (
            words.MARKS[marks[a]],
            [(table[a][b], 100 * table[a][b] / sum(table[a]) if sum(table[a]) else None) for b in used],
        )
        for a in used
    ]
    heads = [words.MARKS[marks[n]] for n in used]
    return Confusion(heads, rows, found["n_solutions"], found["n_steps"], found["first_error"])


def table(found: Mapping[str, Any]) -> Iterator[list[Any]]:
    yield ["part", found["a"], found["b"], "difference", "low", "high", "p", "n"]
    for name, one in {"overall": found["overall"], **found["parts"]}.items():
        low, high = one["interval"] or (None, None)
        yield [name, one["a"], one["b"], one["difference"], low, high, one["p"], one["n"]]
