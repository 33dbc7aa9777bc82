"""How far the raters of a project agree: rows in, plain numbers out; for page, API and command.

People are compared by what they said blind, once submitted; a review that ended without a judgement (bad
problem, bad split, give up) is set aside and counted. What a blind reviewer saw changes what they say, so two
people are compared only where both saw the same (`blind_shows`).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from django.db.models import F, QuerySet

from annotator.caching import self_tuned
from annotator.core import agreement as core
from annotator.core.agreement import MISSING, PairAgreement, Rating
from annotator.core.coefficients import Statistic
from annotator.models import (
    Annotation,
    AssignmentState,
    BlindShows,
    Event,
    FinishReason,
    ImportKind,
    Phase,
    Project,
    Rater,
    RaterKind,
)  # fmt: skip

JUDGED = [reason for reason in FinishReason if reason.judges]
MACHINES = (RaterKind.INJECTOR, RaterKind.SOURCE)
SHOWS = ("", *BlindShows.values)
ALWAYS_FRESH_S = 0.2
CHUNK = 5_000

Machine = dict[int, list[Rating]]


class Row(NamedTuple):
    """A person's blind annotation: its item, the item's kind, and what its rater saw."""

    item: int
    kind: str
    shows: str
    rating: Rating

    @property
    def unit(self) -> Rating:
        """The rating as one of (solution, what was seen), so that only those who saw the same make a pair."""
        return self.rating._replace(solution=self.rating.solution * len(SHOWS) + SHOWS.index(self.shows))


class Reading(NamedTuple):
    """`data`: see `agreement`. `people`, `injector`: kind -> ids, ascending, of the items where people
    disagree with each other, or with the injector or the source."""

    data: dict[str, Any]
    people: dict[str, list[int]]
    injector: dict[str, list[int]]

    def disagreeing(self, side: str, kind: str | None = None) -> list[int]:
        of_kind = self.people if side == "people" else self.injector
        return sorted(i for code, ids in of_kind.items() if kind in (None, code) for i in ids)


def agreement(project: Project) -> dict[str, Any]:
    """The agreement report as JSON values; `manage.py agreement --help` gives its shape."""
    return read(project).data


def current(project: Project) -> Reading:
    """`read`, kept while nothing happens in the project, and never for more than 2 % of the time."""
    newest = Event.objects.filter(project=project).order_by("-id").values_list("id", flat=True).first()
    key = f"agreement:{project.pk}"
    return self_tuned(key, lambda: read(project), stamp=newest, always_fresh_s=ALWAYS_FRESH_S)


def read(project: Project) -> Reading:
    """Stream the project's annotations once and compare them."""
    people = list(_people(project))
    machine, others = _machine(project, {row.rating.solution for row in people})
    names = _names([*(row.rating.rater for row in people), *(r.rater for rs in machine.values() for r in rs)])
    kinds = _by(people, "kind")
    data = {
        "project": project.slug,
        **_compared(people, machine),
        "pairs": _pairs(people, names),
        "reviewers": _reviewers(people, machine, names),
        "machines": sorted({names[r.rater] for ratings in machine.values() for r in ratings}),
        "raters": _raters(people, others),
        "kinds": {kind: _compared(rows, machine) for kind, rows in kinds.items()},
        "blind_shows": {shows: _compared(rows, machine) for shows, rows in _by(people, "shows").items()},
        "n_set_aside": _blind(project).exclude(finish_reason__in=JUDGED).count(),
    }
    return Reading(
        data,
        {kind: _people_disagree(rows) for kind, rows in kinds.items()},
        {kind: _injector_disagrees(rows, machine) for kind, rows in kinds.items()},
    )


def _blind(project: Project) -> QuerySet[Annotation]:
    """Current blind annotations that count: a submission taken back does not until it is sent again."""
    return Annotation.objects.filter(
        assignment__project=project, assignment__state=AssignmentState.SUBMITTED,
        phase=Phase.BLIND, superseded_at__isnull=True, solution=F("assignment__item__solution"),
    )  # fmt: skip


def _people(project: Project) -> Iterator[Row]:
    rows = _blind(project).filter(finish_reason__in=JUDGED).values_list(
        "assignment__item", "assignment__item__error_type", "blind_shows",
        "solution", "rater", "labels", "first_error",
    )  # fmt: skip
    for item, kind, shows, solution, rater, labels, first_error in rows.iterator(CHUNK):
        yield Row(item, kind, shows, Rating(solution, rater, labels, first_error))


def _machine(project: Project, wanted: set[int]) -> tuple[Machine, dict[int, list[Rating]]]:
    """Of the wanted solutions: solution -> what the injector or the source said that came with it; and what
    each rater said that is no reviewer, these among them."""
    came: Machine = defaultdict(list)
    by_rater: defaultdict[int, list[Rating]] = defaultdict(list)
    rows = Annotation.objects.filter(
        solution__project=project, phase=Phase.MACHINE, superseded_at__isnull=True
    ).values_list("solution", "rater", "labels", "first_error", "rater__kind", "source_import__kind")
    for solution, rater, labels, first_error, kind, brought in rows.iterator(CHUNK) if wanted else ():
        if solution in wanted:
            rating = Rating(solution, rater, labels, first_error)
            by_rater[rater].append(rating)
            if kind in MACHINES and brought != ImportKind.ANNOTATIONS:
                came[solution].append(rating)
    return came, by_rater


def _raters(people: Sequence[Row], by_rater: Mapping[int, list[Rating]]) -> list[dict[str, Any]]:
    """People together beside each machine and imported rater."""
    rows = Rater.objects.filter(pk__in=by_rater).order_by("kind", "name", "pk")
    found = []
    for rater in rows:
        said = by_rater[rater.pk]
        judged = {rating.solution for rating in said}
        same = [row.rating for row in people if row.rating.solution in judged]
        found.append({"rater": str(rater), **_pair(core.between(same, said))})
    return found


def _names(raters: Iterable[int]) -> dict[int, str]:
    return dict(Rater.objects.filter(pk__in=set(raters)).values_list("id", "name"))


def _by(rows: Iterable[Row], field: str) -> dict[str, list[Row]]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, field)].append(row)
    return dict(sorted(groups.items()))


def _compared(rows: Sequence[Row], machine: Machine) -> dict[str, Any]:
    within = core.summarise(row.unit for row in rows)
    return {
        "people": {
            "alpha": _statistic(within.alpha),
            "percent": _statistic(within.percent),
            "first_error": _statistic(within.first_error),
            "n_solutions": within.n_solutions,
            "n_steps": within.n_steps,
            "n_raters": within.n_raters,
            "n_disagreeing": len(_people_disagree(rows)),
        },
        "injector": {
            **_pair(_with_machine(rows, machine)),
            "n_disagreeing": len(_injector_disagrees(rows, machine)),
        },
        "n_annotations": len(rows),
    }


def _with_machine(rows: Iterable[Row], machine: Machine) -> PairAgreement:
    ratings = [row.rating for row in rows if row.rating.solution in machine]
    said = [rating for solution in {r.solution for r in ratings} for rating in machine[solution]]
    return core.between(ratings, said)


def _pairs(rows: Iterable[Row], names: dict[int, str]) -> list[dict[str, Any]]:
    """Every two people who share a solution. Only what they share is compared, so that many raters cost no
    more than their common work."""
    shared: defaultdict[tuple[int, int], list[tuple[Rating, Rating]]] = defaultdict(list)
    for ratings in _units(rows).values():
        for a, b in combinations(sorted(ratings, key=lambda rating: rating.rater), 2):
            shared[a.rater, b.rater].append((a, b))
    return [
        {"raters": [names[a], names[b]], **_pair(core.between(*zip(*both, strict=True)))}
        for (a, b), both in sorted(shared.items())
    ]


def _reviewers(rows: Iterable[Row], machine: Machine, names: dict[int, str]) -> list[dict[str, Any]]:
    """Every person beside the injector or the source."""
    of: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        of[row.rating.rater].append(row)
    return [
        {"rater": names[r], **_pair(_with_machine(of[r], machine))} for r in sorted(of, key=names.__getitem__)
    ]


def _units(rows: Iterable[Row]) -> dict[int, list[Rating]]:
    units: defaultdict[int, list[Rating]] = defaultdict(list)
    for row in rows:
        unit = row.unit
        units[unit.solution].append(unit)
    return units


def _people_disagree(rows: Sequence[Row]) -> list[int]:
    apart = {
        unit
        for unit, ratings in _units(rows).items()
        if any(_differ(a.labels, b.labels) for a, b in combinations(ratings, 2))
    }
    return sorted({row.item for row in rows if row.unit.solution in apart})


def _injector_disagrees(rows: Iterable[Row], machine: Machine) -> list[int]:
    apart = {
        row.item
        for row in rows
        if any(_differ(row.rating.labels, said.labels) for said in machine.get(row.rating.solution, ()))
    }
    return sorted(apart)


def _differ(a: str, b: str) -> bool:
    """Whether some step was judged by both, and differently."""
    return a != b and any(x != y and x not in MISSING and y not in MISSING for x, y in zip(a, b, strict=True))


def _pair(found: PairAgreement) -> dict[str, Any]:
    return {
        "kappa": _statistic(found.kappa),
        "percent": _statistic(found.percent),
        "first_error": _statistic(found.first_error_exact),
        "n_solutions": found.n_solutions,
        "n_steps": found.n_steps,
    }


def _statistic(found: Statistic) -> dict[str, Any]:
    return found._asdict()
