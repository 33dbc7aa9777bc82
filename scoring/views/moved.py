"""What verification moved: where people's labels differ from the released ones, and what that does to each score."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import render

from annotator.blinding import undecided
from annotator.middleware import PageRequest
from scoring import evaluations
from scoring.views import bands, misses, plots
from scoring.views.asked import Asked, asked, csv_file, json, label_word, part_title, shared

PAGE = 25
AT_ONCE = 500  # solutions read at once for a file


def moved(request: PageRequest, benchmark: str, **_: object) -> HttpResponseBase:
    """`?reading=…&kind=…`; `?format=json|csv`, and with `of=steps` the steps as CSV."""
    asking = asked(request.membership.project, benchmark, request.GET)
    if asking.format == "csv" and request.GET.get("of") == "steps":
        return csv_file(steps(asking), f"{asking.project.slug}-{benchmark}-moved-steps.csv")
    found = evaluations.moved(asking.project, benchmark, reading=asking.reading)
    if asking.format == "json":
        return json(found)
    if asking.format == "csv":
        return csv_file(table(found), f"{asking.project.slug}-{benchmark}-moved.csv")
    return render(request, "scoring/moved.html", context(request, asking, found))


def context(request: PageRequest, asking: Asked, found: Mapping[str, Any]) -> dict[str, Any]:
    kind = request.GET.get("kind") or None
    steps, after = evaluations.moved_steps(
        asking.project, asking.benchmark, kind=kind, after=request.GET.get("after") or None, limit=PAGE
    )
    kinds = [
        (code, part_title(asking.project, asking.benchmark, code), one, _share(one))
        for code, one in found["kinds"].items()
    ]
    scale = bands.scale_of([share.value for *_, share in kinds], step=5)
    return shared(asking) | {
        "found": found,
        "kinds": [(code, title, one, _band(title, share, scale)) for code, title, one, share in kinds],
        "scale": scale,
        "slopes": slopes(found),
        "rows": misses.rows_of(asking, [(step, (step.released, step.gold)) for step in steps]),
        "kind": kind,
        "is_first": not request.GET.get("after"),
        "next_query": asking.query(kind=kind, after=after, against=None, threshold=None) if after else None,
    }


def _share(one: Mapping[str, Any]) -> bands.Value:
    share = 100 * one["n_steps_moved"] / one["n_steps"] if one["n_steps"] else None
    return bands.Value("steps with another label, %", share)


def _band(title: str, share: bands.Value, scale: bands.Scale) -> bands.Band:
    drawn = [] if share.value is None else [bands.mark(share, "disc", scale)]
    return bands.Band(drawn, scale.ticks, f"{title}: {bands.in_words(share)}")


def slopes(found: Mapping[str, Any]) -> plots.Slopes | None:
    rows = [
        (row["rater"]["name"].rpartition(":")[2], row["released"], row["gold"]) for row in found["raters"]
    ]
    drawn = plots.slopes("Place by released labels (left) and by gold (right)", rows)
    return drawn if drawn.lines else None


def table(found: Mapping[str, Any]) -> Iterator[list[Any]]:
    yield ["rater", "released", "gold", "difference", "low", "high", "p", "rank_released", "rank_gold"]
    for row in found["raters"]:
        low, high = row["interval"] or (None, None)
        own = (row["released"], row["gold"], row["difference"], low, high, row["p"])
        yield [row["rater"]["name"], *own, row["rank_released"], row["rank_gold"]]


def steps(asking: Asked) -> Iterator[list[Any]]:
    """Every step that moved, but of items that wait for a second look. Positions from 0."""
    yield ["item", "foreign_id", "kind", "position", "released", "gold"]
    after, pager = None, evaluations.all_moved(asking.project, asking.benchmark)
    while True:
        rows, after = pager(after, AT_ONCE)
        hidden = undecided({one.solution for one in rows})
        for one in rows:
            if one.solution in hidden:
                continue
            said = (label_word(asking.benchmark, label) for label in (one.released, one.gold))
            yield [one.item, one.foreign_id, one.kind, one.position, *said]
        if after is None:
            return
