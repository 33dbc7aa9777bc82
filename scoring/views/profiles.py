"""How a rater behaves, as charts and sentences: position, bias, spread of its scores, thresholds."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from annotator import errors
from annotator.models import Rater
from scoring import evaluations
from scoring.views import bands, plots
from scoring.views.asked import Asked
from scoring.views.plots import Point

MOST_ROWS = 25  # of the table of thresholds
ENOUGH = 5  # wrong steps at a place
LEANS = 30  # points between right steps kept and wrong ones found that make a lean
UNIT = bands.Scale(0, 1)


def context(
    asking: Asked, who: Rater, found: dict[str, Any], sides: Mapping[str, Any], main: Mapping[str, Any]
) -> dict[str, Any]:
    profile = main.get("profile")
    at = asking.threshold
    return {
        "overall": main.get("overall"),
        "lean": lean(main.get("overall") or {}),
        "position": position(sides),
        "position_rows": _position_rows(sides),
        "profile": profile,
        "histogram": _histogram(profile, at),
        "histogram_rows": _histogram_rows(profile),
        "calibration": _calibration(profile),
        "readings_differ": _readings(main),
        "gaps": gaps(main),
        **_sweep(asking, who, profile),
    }


def lean(overall: Mapping[str, Any]) -> str:
    """Whether it calls too much right or too much wrong, in a sentence; "" where that cannot be said."""
    kept, found = overall.get("correct_step_accuracy"), overall.get("wrong_step_accuracy")
    if kept is None or found is None:
        return ""
    said = f"It keeps {kept:.1f} % of the right steps and finds {found:.1f} % of the wrong ones"
    if kept - found > LEANS:
        return f"{said}: it leans to calling steps right, and rewards too much."
    if found - kept > LEANS:
        return f"{said}: it leans to calling steps wrong, and punishes too much."
    return f"{said}: no strong lean to either side."


def position(sides: Mapping[str, Any]) -> plots.Plot | None:
    """How often wrong steps are found, by their place in the solution. Places with few wrong steps are only in the
    table: their curve would be noise."""
    there = [one for side in sides.values() for one in side.get("positions") or ()]
    enough = min(ENOUGH, max((one["n"] for one in there), default=0))
    places = sorted({one["step"] for one in there if one["n"] >= enough})
    if not places:
        return None
    series = [
        (name, [_place(name, one, places) for one in side.get("positions") or ()])
        for name, side in sides.items()
    ]
    across = bands.Scale(places[0] - 0.5, places[-1] + 0.5)
    ticks = plots.every([(float(step), str(step)) for step in places], 10)
    title = "Wrong steps that were found, in %, by their place in the solution"
    return plots.plot(title, series, across=across, up=bands.Scale(0, 100), ticks=ticks)


def _place(name: str, one: Mapping[str, Any], places: Sequence[int]) -> Point:
    said = f"{name}, step {one['step']}: {bands.number(one['accuracy'])} % of {one['n']} wrong steps found"
    return Point(one["step"], one["accuracy"] if one["step"] in places else None, said)


def _position_rows(sides: Mapping[str, Any]) -> list[tuple[int, list[Mapping[str, Any] | None]]]:
    by_side = [{one["step"]: one for one in side.get("positions") or ()} for side in sides.values()]
    steps = sorted({step for side in by_side for step in side})
    return [(step, [side.get(step) for side in by_side]) for step in steps]


def _histogram(profile: Mapping[str, Any] | None, at: float | None) -> plots.Histogram | None:
    spread = profile and profile.get("histograms")
    if not spread:
        return None
    title = "Scores of right and of wrong steps, each side to its own scale"
    return plots.histogram(title, spread["edges"], spread["right"], spread["wrong"], at)


def _histogram_rows(profile: Mapping[str, Any] | None) -> list[tuple[float, float, int, int]]:
    spread = profile and profile.get("histograms")
    if not spread:
        return []
    pairs = pairwise(spread["edges"])
    return [
        (low, high, right, wrong)
        for (low, high), right, wrong in zip(pairs, spread["right"], spread["wrong"], strict=True)
        if right or wrong
    ]


def _calibration(profile: Mapping[str, Any] | None) -> plots.Plot | None:
    found = profile and profile.get("calibration")
    if not found:
        return None
    points = [
        Point(
            one["score"], one["right"],
            f"mean score {one['score']:.2f}: {100 * one['right']:.1f} % of {one['n']:,} steps are right",
        )
        for one in found["bins"]
        if one["n"]
    ]  # fmt: skip
    title = "Share of right steps among those with about this score"
    up = bands.Scale(0, 1)
    return plots.plot(
        title, [("this rater", points)], across=UNIT, up=up, guide=(0, 0, 1, 1),
        ticks=[(n / 4, f"{n / 4:g}") for n in range(5)], rows=[(n / 4, f"{n / 4:g}") for n in range(5)],
    )  # fmt: skip


def _readings(main: Mapping[str, Any]) -> list[tuple[str, float | None, float | None]]:
    """What the two readings say where they differ: name, reference, strict."""
    both = main.get("readings")
    if not both or not both.get("differ"):
        return []
    rows = [("overall", both["reference"]["overall"], both["strict"]["overall"])]
    for code, value in both["reference"]["kinds"].items():
        other = both["strict"]["kinds"].get(code)
        if value != other:
            rows.append((code, value, other))
    return rows


def gaps(main: Mapping[str, Any]) -> list[str]:
    """What was not there, or not as it should be."""
    said = {
        "n_absent": "It did not judge {n} of the solutions asked for, originals included",
        "n_unparsed": "{n} of its replies could not be read",
        "n_short": "{n} items have fewer labels than steps",
        "n_long": "{n} items have more labels than steps",
        "n_own": "{n} items of which they made or agreed to the gold are left out against gold",
    }
    return [text.format(n=f"{main[name]:,}") for name, text in said.items() if main.get(name)]


def _sweep(asking: Asked, who: Rater, profile: Mapping[str, Any] | None) -> dict[str, Any]:
    """Where to cut the scores; nothing for a rater without scores."""
    found, refused = sweep(asking, who, profile)
    if found is None:
        return {"sweep": None, "sweep_refused": refused}
    curve = found.get("curve") or []
    few = curve[:: max(1, -(-len(curve) // MOST_ROWS))]
    return {
        "sweep": found, "sweep_plot": _sweep_plot(found), "sweep_labels": found["labels"],
        "sweep_rows": few, "n_thresholds": len(curve),
    }  # fmt: skip


def sweep(asking: Asked, who: Rater, profile: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, str]:
    """The sweep of a rater with scores, and against which labels; or None, and why there is none in a sentence."""
    if not profile or asking.benchmark == "best_of_n":
        return None, ""
    labels = "gold" if asking.labels == "gold" else "released"
    try:
        found = evaluations.sweep(
            asking.project, asking.benchmark, who, labels=labels, reading=asking.reading
        )
    except errors.Invalid as refusal:
        return None, str(refusal)
    return found | {"labels": labels}, ""


def _sweep_plot(found: Mapping[str, Any]) -> plots.Plot | None:
    curve = [
        one for one in found.get("curve") or () if one["chosen"] is not None or one["reported"] is not None
    ]
    if len(curve) < 2:
        return None
    values = [value for one in curve for value in (one["chosen"], one["reported"])]
    low, high = curve[0]["threshold"], curve[-1]["threshold"]
    series = [
        (
            name,
            [
                Point(
                    one["threshold"],
                    one[key],
                    f"{name}, threshold {one['threshold']:.3g}: {bands.number(one[key])}",
                )
                for one in curve
            ],
        )
        for name, key in (("half to choose on", "chosen"), ("half to report", "reported"))
    ]
    at = found["threshold"]
    up = bands.scale_of(values)
    ticks = [(low + (high - low) * n / 4, f"{low + (high - low) * n / 4:.2g}") for n in range(5)]
    return plots.plot(
        "PRMScore by threshold", series, across=bands.Scale(low, high), up=up, ticks=ticks,
        guide=(at, up.low, at, up.high),
    )  # fmt: skip
