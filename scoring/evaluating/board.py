"""The leaderboard of a project: its raters, trivial ones, and the papers' rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from django.utils import timezone

from annotator.core.labels import NO_ERROR, WRONG
from annotator.models import Rater, RaterKind
from scoring.evaluating import apart, pages, places, profiles, rules
from scoring.evaluating.measure import Measuring, Report, asked_of, baselines_of, pks
from scoring.evaluating.said import CAME_WITH, Known, raters, words
from scoring.evaluating.truths import RELEASED, SAME, VERIFIED
from scoring.metrics import published
from scoring.metrics.prmbench import Item, ordered
from scoring.metrics.processbench import subsets_of

SIDES: Final = {"all": RELEASED, "released": SAME, "gold": VERIFIED}
SHOWN: Final = (
    "f1", "negative_f1", "correct_step_accuracy", "wrong_step_accuracy", "first_error_accuracy", "similarity"
)  # fmt: skip
MOVED: Final = ("n_items", "n_steps", "n_items_moved", "n_steps_moved", "to_right", "to_wrong")
Kept = Callable[[str, Callable[[], Any]], Any]  # a cache: a key, and what computes what it keeps


def measurable(by: Measuring, came: bool = False) -> list[Known]:
    """Raters with a word on something that is asked; n: of how many solutions. came: those whose labels came with
    the data, and not the others."""
    asked = {pk for side in (by.truth.released, by.truth.gold) for pk, _ in pks(asked_of(side))}
    found = []
    for known in raters(by.project):
        if (known.kind in CAME_WITH) == came:
            n = len(asked & _ids(by, known))
            found += [known._replace(n=n)] if n else []
    return found


def _ids(by: Measuring, known: Known) -> set[int]:
    rows = words(by.project, known.kind == RaterKind.REVIEWER).filter(rater=known.id)
    return set(rows.values_list("solution_id", flat=True))


def leaderboard(by: Measuring, kept: Kept) -> Report:
    """Every rater on every side; the raters' own rows are kept one by one, so that a new one costs only itself."""

    def of_this_truth(key: str, compute: Callable[[], Any]) -> Any:
        """Rows are ranked beside each other: all are held against one and the same truth."""
        return kept(f"{key}:{by.truth.stamp}", compute)

    known = of_this_truth("known", lambda: {"rows": measurable(by), "came": measurable(by, came=True)})
    rows = [of_this_truth(f"row:{one.id}", partial(row, by, one)) for one in known["rows"]]
    own = {"gold": VERIFIED}  # what came with the data is the other truth
    came = [of_this_truth(f"came:{one.id}", partial(row, by, one, own)) for one in known["came"]]
    trivial = partial(baselines_of, by.benchmark, by.truth.released or by.truth.gold, by.reading)
    for side in SIDES:
        _rank([one[side] for one in rows if one[side] and one["rater"]["kind"] != RaterKind.REVIEWER])
    reference = published_rows(by.benchmark)
    return {
        "benchmark": by.benchmark,
        "reading": by.reading,
        "n_items": len(asked_of(by.truth.released)),
        "n_gold": by.truth.n_gold,
        "n_under_review": by.truth.n_under_review,
        "n_left_out": by.truth.left_out,
        "kinds": parts_of(by),
        "rows": rows,
        "came": [found for found in came if found["gold"]],
        "baselines": of_this_truth("baselines", trivial),
        "published": reference["rows"],
        "source": reference["source"],
        "averages": reference["averages"],
        "people": reference["people"],
    }


def parts_of(by: Measuring) -> list[str]:
    """The kinds, subsets or datasets, in order."""
    everything = [*by.truth.released, *by.truth.gold]
    if by.benchmark == "prmbench":
        return ordered(item.kind for item in everything)
    if by.benchmark == "processbench":
        return subsets_of(everything)
    return list(dict.fromkeys(one.question.dataset for one in everything))


def row(by: Measuring, known: Known, sides: Mapping[str, str] = SIDES) -> Report:
    """One rater's cells, None on a side of which it said nothing, or that is not asked for."""
    rater = Rater.objects.get(pk=known.id)
    cells = dict.fromkeys(SIDES) | {name: _cell_on(by, rater, labels) for name, labels in sides.items()}
    now = timezone.now().isoformat(timespec="seconds")
    return {
        "rater": known._asdict(),
        **cells,
        "computed_at": now,
        "response": profiles.response(by.answers, by.words(rater, RELEASED), rules.aggregate(rater)),
    }


def _cell_on(by: Measuring, rater: Rater, labels: str) -> Report | None:
    said = by.words(rater, labels)
    asked = asked_of(by.truth.of(labels))
    return cell(by, by.brief(rater, said, labels)) if any(pk in said for pk, _ in pks(asked)) else None


def cell(by: Measuring, report: Report) -> Report:
    """One rater's numbers on one side, small."""
    return {"score": report["score"], "rank": None, **_CELLS[by.benchmark](report)}


def _of_prmbench(report: Report) -> Report:
    overall, read = report["overall"], report["readings"]
    return {
        "interval": _ends(report.get("intervals", {}).get("overall")),
        "parts": {code: values["prm_score"] for code, values in report["kinds"].items()},
        "groups": report["groups"],
        **{name: overall[name] for name in SHOWN},
        "reference": read["reference"]["overall"], "strict": read["strict"]["overall"], "differ": read["differ"],
        "n_items": overall["n_items"], "n_unparsed": report["n_unparsed"], "n_absent": report["n_absent"],
        "n_own": report["n_own"],
    }  # fmt: skip


def _of_processbench(report: Report) -> Report:
    return {
        "interval": _ends(report.get("interval")),
        "parts": {name: values["f1"] for name, values in report["subsets"].items()},
        "groups": {},
        "error_accuracy": report["error_accuracy"], "correct_accuracy": report["correct_accuracy"],
        "reference": report["f1"], "strict": None, "differ": False,
        "n_items": report["n_items"], "n_unparsed": report["n_unparsed"] - report["n_absent"],
        "n_absent": report["n_absent"], "n_own": report["n_own"],
    }  # fmt: skip


def _of_best_of_n(report: Report) -> Report:
    return {
        "interval": _ends(report.get("interval")),
        "parts": {name: values["prm@n"][report["headline"]] for name, values in report["datasets"].items()},
        "groups": {}, "headline": report["headline"],
        "reference": report["score"], "strict": None, "differ": False,
        "n_items": report["n_items"], "n_unparsed": 0, "n_absent": report["n_unscored"], "n_own": report["n_own"],
    }  # fmt: skip


_CELLS: Final[Mapping[str, Callable[[Report], Report]]] = {
    "prmbench": _of_prmbench, "processbench": _of_processbench, "best_of_n": _of_best_of_n,
}  # fmt: skip


def _ends(interval: Sequence[float | None] | None) -> list[float | None] | None:
    return None if interval is None or None in interval else list(interval)


def _rank(cells: Iterable[Report]) -> None:
    """Write into each cell its place from 1 on; equal scores share one, and what is undefined has none."""
    cells = list(cells)
    scores = [one["score"] for one in cells if one["score"] is not None]
    for one in cells:
        if one["score"] is not None:
            one["rank"] = 1 + sum(score > one["score"] for score in scores)


def published_rows(benchmark: str, table: str | None = None) -> Report:
    """The papers' rows: {"source", "tables", "rows", "averages", "people", "shots"}.

    table: of PRMBench's two, FIRST or LATER; none: all rows. averages: {"table", "kind", "n", "overall"} of each
    kind of model that has more than one row. people: the row of people, None without.
    """
    known = published.published(benchmark)
    rows = [dict(one) for one in (published.of_table(known.rows, table) if table else known.rows)]
    tables = sorted({name for one in known.rows for name in one.get("tables", ())})
    column = "f1" if benchmark == "processbench" else "overall"
    people = [one for one in rows if one["kind"] == "people"]
    return {
        "source": known.source,
        "tables": tables,
        "rows": rows,
        "averages": [one for name in tables or [""] for one in _averages(known.rows, name, column)],
        "people": people[0] if people else None,
        "shots": list(known.shots),
    }


def _averages(rows: Sequence[dict[str, Any]], table: str, column: str) -> list[Report]:
    some = published.of_table(rows, table) if table else list(rows)
    found = []
    for kind in dict.fromkeys(one["kind"] for one in some):
        n = sum(one["kind"] == kind and column in one for one in some)
        if n > 1:
            mean = published.average(some, kind, column)
            found.append({"table": table, "kind": kind, "n": n, "overall": mean})
    return found


def moved(by: Measuring, draws: int) -> Report:
    """How much of the released labels people changed, and how far that moves each rater."""
    gold = {entry.id: entry for entry in by.truth.gold} if by.benchmark != "best_of_n" else {}
    pairs = [(entry, gold[entry.id]) for entry in asked_of(by.truth.same) if entry.id in gold] if gold else []
    kinds: dict[str, dict[str, int]] = {}
    for released, verified in pairs:
        counted = kinds.setdefault(pages.kind_of(released), dict.fromkeys(MOVED, 0))
        for name, n in _moved_in(released, verified).items():
            counted[name] += n
    # People made gold: only machines are moved by it.
    machines = [known for known in measurable(by) if known.kind != RaterKind.REVIEWER] if pairs else []
    rows = [_moved_row(by, known, draws) for known in machines]
    rows = [one for one in rows if one["released"] is not None or one["gold"] is not None]
    for side in ("released", "gold"):
        cells: list[Report] = [{"score": one[side], "rank": None} for one in rows]
        _rank(cells)
        for one, cell in zip(rows, cells, strict=True):
            one[f"rank_{side}"] = cell["rank"]
    totals = {name: sum(counted[name] for counted in kinds.values()) for name in MOVED}
    order = [kind for kind in parts_of(by) if kind in kinds]
    return {
        "benchmark": by.benchmark,
        "reading": by.reading,
        **totals,
        "n_under_review": by.truth.n_under_review,
        "kinds": {k: kinds[k] for k in order},
        "raters": rows,
    }


def _moved_in(released: Any, gold: Any) -> dict[str, int]:
    found = list(places.moved(released, gold))
    if isinstance(released, Item):
        to_wrong = sum(place.what[1] == WRONG for place in found)
        n_steps = released.n_steps - len(released.unknown)
    else:
        to_wrong, n_steps = sum(released.label == NO_ERROR for _ in found), 1
    return dict(
        zip(MOVED, (1, n_steps, int(bool(found)), len(found), len(found) - to_wrong, to_wrong), strict=True)
    )


def _moved_row(by: Measuring, known: Known, draws: int) -> Report:
    rater = Rater.objects.get(pk=known.id)
    found = apart.moved_by(by, apart.side(by.project, rater), draws)
    told = {name: found[name] for name in ("difference", "interval", "p")}
    return {"rater": known._asdict(), "released": found["b"], "gold": found["a"], **told}
