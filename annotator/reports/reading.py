"""The agreement report of a project: rows in, plain numbers out."""

from collections.abc import Iterable
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from annotator.caching import self_tuned
from annotator.core import columns as cols
from annotator.core.coefficients import Ints
from annotator.core.columns import Facing
from annotator.models import Event, Project
from annotator.reports import slices
from annotator.reports.compared import Comparing
from annotator.reports.loading import NOT_A_PERSON, Loaded, load

ALWAYS_FRESH_S = 0.2
MOST_MACHINES = 12  # beside every other rater; people together stand beside each of them

Ids = list[int]


class Reading(NamedTuple):
    """`data`: see `agreement`. `people`, `injector`: kind -> ids, ascending, of the items where people
    disagree with each other, or with the injector or the source."""

    data: dict[str, Any]
    people: dict[str, Ids]
    injector: dict[str, Ids]

    def disagreeing(self, side: str, kind: str | None = None) -> Ids:
        of_kind = self.people if side == "people" else self.injector
        return sorted(i for code, ids in of_kind.items() if kind in (None, code) for i in ids)


class Sides(NamedTuple):
    """What some ratings of people are worth: in numbers, and the items behind them."""

    data: dict[str, Any]
    people: Ids
    injector: Ids


def agreement(project: Project) -> dict[str, Any]:
    """The agreement report as JSON values; `manage.py agreement --help` gives its shape."""
    return read(project).data


def current(project: Project) -> Reading:
    """`read`, kept while nothing happens in the project, and never for more than 2 % of the time."""
    return self_tuned(
        f"agreement:{project.pk}",
        lambda: read(project),
        stamp=_newest(project),
        always_fresh_s=ALWAYS_FRESH_S,
    )


def by_meta(project: Project, key: str) -> dict[str, Any]:
    """Value of a key of `meta` -> what `kinds` has of a kind. Not kept: see `current_by_meta`."""
    loaded = load(project)
    by = Comparing(loaded.columns)
    return {part.value: _sides(loaded, by, part.which).data for part in slices.by_meta(project, loaded, key)}


def current_by_meta(project: Project, key: str) -> dict[str, Any]:
    """`by_meta`, kept as `current` is."""
    name = f"agreement:{project.pk}:{key.encode().hex()[:180]}"
    return self_tuned(
        name, lambda: by_meta(project, key), stamp=_newest(project), always_fresh_s=ALWAYS_FRESH_S
    )


def _newest(project: Project) -> int | None:
    return Event.objects.filter(project=project).order_by("-id").values_list("id", flat=True).first()


def read(project: Project) -> Reading:
    """Stream the project's annotations once and compare them."""
    loaded = load(project)
    by = Comparing(loaded.columns)
    parts = {
        "kinds": slices.parts(loaded, loaded.kind, loaded.words["kind"]),
        "blind_shows": slices.parts(loaded, loaded.saw, loaded.words["saw"]),
        "guidelines": slices.parts(loaded, loaded.guideline, loaded.words["guideline"]),
        "weeks": slices.weeks(loaded),
    }
    whole = _sides(loaded, by, loaded.people)
    found = {
        name: {part.value: _part(loaded, by, part.which, whole) for part in some}
        for name, some in parts.items()
    }
    kinds = found["kinds"]
    data = {
        "project": project.slug,
        **whole.data,
        **_raters(loaded, by),
        **{name: {value: sides.data for value, sides in some.items()} for name, some in found.items()},
        "positions": _positions(loaded, by),
        "meta_keys": slices.meta_keys(loaded),
        "n_set_aside": loaded.n_set_aside,
    }
    return Reading(
        data,
        {kind: sides.people for kind, sides in kinds.items()},
        {kind: sides.injector for kind, sides in kinds.items()},
    )


def _part(loaded: Loaded, by: Comparing, which: Ints, whole: Sides) -> Sides:
    return whole if len(which) == len(loaded.people) else _sides(loaded, by, which)


def _sides(loaded: Loaded, by: Comparing, which: Ints) -> Sides:
    """Some people's ratings with each other, and with the labels that came with the data."""
    of, unit = loaded.columns, loaded.unit
    first, other = (which[side] for side in cols.within(unit[which]))
    faced = cols.facing(of, first, other)
    mine, came = cols.across(which, np.flatnonzero(loaded.came), of.solution)
    beside = cols.facing(of, mine, came)
    apart, differ = _apart(faced), _apart(beside)
    people = np.unique(loaded.item[np.concatenate([first[apart], other[apart]])])
    injector = np.unique(loaded.item[mine[differ]])
    data = {
        "people": by.among(which, unit, faced)
        | {"confusion": _both_ways(faced), "n_disagreeing": len(people)},
        "injector": by.between(beside) | {"n_disagreeing": len(injector)},
        "n_annotations": len(which),
    }
    return Sides(data, people.tolist(), injector.tolist())


def _both_ways(faced: Facing) -> list[list[int]]:
    """Pairs of judgements of one step, each counted from both sides: people are no first and second."""
    table = faced.confusion.sum(axis=0).reshape(3, 3)
    both: list[list[int]] = (table + table.T).tolist()
    return both


def _apart(faced: Facing) -> Ints:
    """Which pairs judged some step differently; bool (pairs,)."""
    same: Ints = faced.confusion[:, [0, 4, 8]].sum(axis=1)
    apart: Ints = faced.confusion.sum(axis=1) > same
    return apart


def _positions(loaded: Loaded, by: Comparing) -> list[dict[str, Any]]:
    """By where a step stands in its solution; `from` and `to` are 1-based, `to` is None for the open end."""
    of, people = loaded.columns, loaded.people
    table = cols.steps(of, people, loaded.unit)
    mine, came = cols.across(people, np.flatnonzero(loaded.came), of.solution)
    longest = int(of.n_steps[people].max(initial=0))
    return [
        {
            "from": at.start + 1,
            "to": at.stop,
            "people": by.among_at(table, at),
            "injector": by.between(cols.facing(of, mine, came, at), at_steps=True),
        }
        for at in slices.POSITIONS
        if at.start < longest
    ]


def _raters(loaded: Loaded, by: Comparing) -> dict[str, Any]:
    """Raters beside raters: every two people who share a unit, each beside the injector or the source, people
    together beside each machine, and every two raters of which at least one is a machine."""
    of, names, came = loaded.columns, loaded.names, np.flatnonzero(loaded.came)
    people, machines = (
        _by_rater(loaded, loaded.people),
        _by_rater(loaded, np.flatnonzero(loaded.item == NOT_A_PERSON)),
    )
    together = {rater: cols.across(loaded.people, said, of.solution) for rater, said in machines.items()}
    beside = {rater: both for rater, both in together.items() if len(both[0])}
    most = sorted(machines, key=lambda rater: -len(together[rater][0]))[:MOST_MACHINES]
    return {
        "pairs": _pairs(loaded, by),
        "reviewers": [
            {"rater": names[rater], **_between(by, *cols.across(said, came, of.solution))}
            for rater, said in sorted(people.items(), key=lambda one: names[one[0]])
        ],
        "machines": _came_names(loaded),
        "raters": [
            {"rater": names[rater], "rater_id": rater, **_between(by, *both)}
            for rater, both in sorted(beside.items(), key=lambda one: names[one[0]])
        ],
        "machine_pairs": _machine_pairs(loaded, by, people, {rater: machines[rater] for rater in most}),
        "n_machines": len(machines),
    }


def _between(by: Comparing, first: Ints, other: Ints) -> dict[str, Any]:
    return by.between(cols.facing(by.of, first, other))


def _by_rater(loaded: Loaded, which: Ints) -> dict[int, Ints]:
    raters = loaded.columns.rater[which]
    return {int(rater): which[raters == rater] for rater in np.unique(raters)}


def _came_names(loaded: Loaded) -> list[str]:
    """Of those whose labels came with a solution that somebody rated."""
    of = loaded.columns
    _, came = cols.across(loaded.people, np.flatnonzero(loaded.came), of.solution)
    return sorted(loaded.names[int(rater)].partition(":")[2] for rater in np.unique(of.rater[came]))


def _pairs(loaded: Loaded, by: Comparing) -> list[dict[str, Any]]:
    of, people = loaded.columns, loaded.people
    order = people[np.argsort(of.rater[people], kind="stable")]
    first, other = (order[side] for side in cols.within(loaded.unit[order]))
    both, index = np.unique(np.stack([of.rater[first], of.rater[other]]), axis=1, return_inverse=True)
    return [
        {
            "raters": [loaded.names[int(a)], loaded.names[int(b)]],
            **_between(by, first[index.ravel() == n], other[index.ravel() == n]),
        }
        for n, (a, b) in enumerate(both.T)
    ]


def _machine_pairs(
    loaded: Loaded, by: Comparing, people: dict[int, Ints], machines: dict[int, Ints]
) -> list[dict[str, Any]]:
    twos: Iterable[tuple[int, int]] = [
        *((a, b) for a in people for b in machines),
        *combinations(sorted(machines), 2),
    ]
    ratings, found = people | machines, []
    for a, b in twos:
        first, other = cols.across(ratings[a], ratings[b], loaded.columns.solution)
        if len(first):
            names = [loaded.names[a], loaded.names[b]]
            found.append({"raters": names, **_between(by, first, other)})
    return found
