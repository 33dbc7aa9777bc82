"""One rater's report on a benchmark: scores by kind, where in the solution, how its scores behave, what it missed."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.http import HttpResponseBase
from django.shortcuts import render

from annotator.middleware import PageRequest
from annotator.models import Rater
from scoring import evaluations
from scoring.views import bands, misses, profiles
from scoring.views.asked import LABELS, Asked, asked, csv_file, json, part_title, rater, shared

SIDES = (("released", "released", "disc"), ("gold", "gold", "box"))
NUMBERS = (
    "f1", "negative_f1", "error_accuracy", "correct_accuracy", "correct_step_accuracy", "wrong_step_accuracy",
)  # fmt: skip


class Part(NamedTuple):
    """One kind of error, or subset. values: of the side that the page is about; n_missed: items."""

    code: str
    title: str
    values: Mapping[str, Any]
    band: bands.Band
    other: float | None
    n_missed: int
    n_missed_steps: int


def report(request: PageRequest, benchmark: str, rater_id: int, **_: object) -> HttpResponseBase:
    """`?against=released|gold|both`, `?threshold=0.5`, `?reading=strict`; `?format=json` or `csv`."""
    asking = asked(
        request.membership.project, benchmark, request.GET, labels=default_labels(request, benchmark)
    )
    who = rater(asking.project, rater_id)
    found = evaluate(asking, who)
    if asking.format == "json":
        main = found["released"] if found["labels"] == "both" else found
        return json(found | {"sweep": profiles.sweep(asking, who, main["profile"])[0]})
    if asking.format == "csv":
        return csv_file(table(found), f"{asking.project.slug}-{benchmark}-{who.pk}.csv")
    return render(request, "scoring/report.html", context(asking, who, found))


def default_labels(request: PageRequest, benchmark: str) -> str:
    """Both where there is gold; else what came with the data."""
    if benchmark not in evaluations.BENCHMARKS or benchmark == "best_of_n":
        return "released"
    counted = evaluations.counts(request.membership.project, benchmark)
    return "both" if counted["n_gold"] else "released"


def evaluate(asking: Asked, who: Rater) -> dict[str, Any]:
    return evaluations.evaluate(
        asking.project, asking.benchmark, who,
        labels=asking.labels, threshold=asking.threshold, reading=asking.reading,
    )  # fmt: skip


def sides_of(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """released, gold -> the evaluation; of `both` the two over the same items."""
    if found["labels"] == "both":
        return {"released": found["released"], "gold": found["gold"]}
    return {found["labels"]: found}


def context(asking: Asked, who: Rater, found: dict[str, Any]) -> dict[str, Any]:
    sides = sides_of(found)
    main = sides.get("gold") or sides["released"]
    counted = misses.counted(asking, who)
    parts = _parts(asking, sides, counted)
    return shared(asking) | {
        "rater": who, "can_cut": evaluations.can_cut(who),
        "found": found, "sides": sides, "main": main, "is_both": len(sides) > 1,
        "main_title": LABELS[misses.one_side(asking.labels)],
        "side": misses.one_side(asking.labels),
        "known": _known(asking, who),
        "parts": parts,
        "scale": _scale(sides, parts),
        "key": [(look, name) for code, name, look in SIDES if code in sides],
        "beside": beside(asking, found, sides),
        "missed": misses.first_page(asking, who, limit=misses.SHOWN),
        "n_missed": sum(one["n_items"] for one in counted.values()),
        **profiles.context(asking, who, found, sides, main),
    }  # fmt: skip


def _known(asking: Asked, who: Rater) -> evaluations.Known | None:
    found = evaluations.raters(asking.project, asking.benchmark)
    return next((one for one in found if one.id == who.pk), None)


def parts_of(side: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Kinds, subsets or data sets: code -> values."""
    for name in ("kinds", "subsets", "datasets"):
        if name in side:
            found: Mapping[str, Mapping[str, Any]] = side[name]
            return found
    return {}


def score_of(values: Mapping[str, Any]) -> float | None:
    for name in ("prm_score", "f1"):
        if name in values:
            score: float | None = values[name]
            return score
    best = values.get("prm@n")
    return best.get(values["headline"]) if best else None


def _parts(
    asking: Asked, sides: Mapping[str, Mapping[str, Any]], counted: Mapping[str, Mapping[str, int]]
) -> list[Part]:
    main = sides.get("gold") or sides["released"]
    scale = _scale(sides, [])
    rows = []
    for code, values in parts_of(main).items():
        drawn = [
            bands.mark(bands.Value(name, score, _interval(side, code)), look, scale)
            for side_code, name, look in SIDES
            if (side := sides.get(side_code))
            and (score := score_of(parts_of(side).get(code, {}))) is not None
        ]
        title = part_title(asking.project, asking.benchmark, code)
        band = bands.Band(
            drawn, scale.ticks, f"{title}: " + ("; ".join(m.title for m in drawn) or "undefined")
        )
        other = score_of(parts_of(sides["released"]).get(code, {})) if len(sides) > 1 else None
        missed = counted.get(code, {})
        rows.append(
            Part(code, title, values, band, other, missed.get("n_items", 0), missed.get("n_steps", 0))
        )
    return rows


def _interval(side: Mapping[str, Any], code: str) -> Any:
    return (side.get("intervals") or {}).get(code)


def _scale(sides: Mapping[str, Mapping[str, Any]], parts: object) -> bands.Scale:
    values: list[float | None] = []
    for side in sides.values():
        for code, one in parts_of(side).items():
            values += [score_of(one), *(_interval(side, code) or ())]
    return bands.scale_of(values)


def interval_of(side: Mapping[str, Any]) -> Any:
    """Of the overall score."""
    if "intervals" in side:
        return side["intervals"].get("overall")
    return side.get("interval")


class Beside(NamedTuple):
    name: str
    value: float | None
    band: bands.Band
    is_own: bool


def beside(asking: Asked, found: dict[str, Any], sides: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The rater on each side, and what needs no model, on one line each."""
    own = [
        (name, score_of_whole(sides[code]), interval_of(sides[code]), look)
        for code, name, look in SIDES
        if code in sides
    ]
    if found["labels"] == "both":
        whole = found["released_all"]
        own.insert(0, ("released, all items", score_of_whole(whole), interval_of(whole), "wedge"))
    main = sides.get("gold") or sides["released"]
    others = [(name, one["overall"], None, "line") for name, one in (main.get("baselines") or {}).items()]
    scale = bands.scale_of(
        value for _, score, between, _ in (*own, *others) for value in (score, *(between or ()))
    )
    rows = [
        Beside(name, score, _alone(name, score, between, look, scale), look != "line")
        for name, score, between, look in (*own, *others)
    ]
    return {"rows": rows, "scale": scale}


def score_of_whole(side: Mapping[str, Any]) -> float | None:
    score: float | None = side.get("score")
    return score


def _alone(name: str, score: float | None, between: Any, look: str, scale: bands.Scale) -> bands.Band:
    value = bands.Value(name, score, between)
    drawn = [] if score is None else [bands.mark(value, look, scale)]
    return bands.Band(drawn, scale.ticks, bands.in_words(value))


def table(found: dict[str, Any]) -> Iterator[list[Any]]:
    """One line a part and side, the whole first."""
    sides = sides_of(found) | (
        {"released, all items": found["released_all"]} if found["labels"] == "both" else {}
    )
    yield ["labels", "part", "score", "low", "high", *NUMBERS]
    for name, side in sides.items():
        low, high = interval_of(side) or (None, None)
        whole = side.get("overall") or side
        yield [name, "overall", score_of_whole(side), low, high, *(whole.get(number) for number in NUMBERS)]
        for code, values in parts_of(side).items():
            low, high = _interval(side, code) or (None, None)
            yield [name, code, score_of(values), low, high, *(values.get(number) for number in NUMBERS)]
