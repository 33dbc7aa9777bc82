"""What the reveal does to reviewers' labels in a project (core.pull): read from annotations, kept within a setting.

A setting is what reviewers saw: `blind_shows`, and whether they labelled first. Where they did not, there is
nothing before the reveal, and only how their labels stand to machine and decision can be said.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import F

from annotator.caching import self_tuned
from annotator.core import pull
from annotator.core.acceptance import Rate
from annotator.core.pull import RATES, Pair, Tally
from annotator.core.spreadsheet import harmless
from annotator.models import (
    Annotation,
    AssignmentState,
    Decision,
    Event,
    FinishReason,
    Phase,
    Project,
    Rater,
    RaterKind,
    Use,
)  # fmt: skip

ALWAYS_FRESH_S: Final = 0.2
CHUNK: Final = 5_000
MOST_LINKED: Final = 50
COLUMNS: Final = ("blind_shows", "labels_first", "by", "value", "rate", "share", "low", "high", "n", "why")
JUDGED: Final = [reason for reason in FinishReason if reason.judges]


class Said(NamedTuple):
    """One annotation of a review, as read."""

    assignment: int
    item: int
    solution: int
    kind: str
    rater: int
    phase: str
    labels: str
    blind_shows: str
    labels_first: bool
    at: datetime
    decision: str
    n_submitted: int
    gold: str | None
    gold_rater: int | None
    gold_phase: str | None


class Review(NamedTuple):
    """One finished review; `before` is "" where its reviewer did not label first. `machines`: rater -> labels
    that the reveal showed. `decision`: as decided by others, else ""."""

    last: Said
    before: str
    machines: dict[int, str]
    decision: str

    def pair(self, machine: str) -> Pair:
        return Pair(self.before, self.last.labels, machine, self.decision)


def current(project: Project) -> dict[str, Any]:
    """`read`, kept while nothing happens in the project."""
    newest = Event.objects.filter(project=project).order_by("-id").values_list("id", flat=True).first()
    return self_tuned(
        f"pull:{project.pk}", lambda: read(project), stamp=newest, always_fresh_s=ALWAYS_FRESH_S
    )


def read(project: Project) -> dict[str, Any]:
    """The report as JSON values; `manage.py pull --help` has its shape."""
    reviews, settings = list(_reviews(project)), defaultdict(list)
    for review in reviews:
        settings[review.last.blind_shows, review.last.labels_first].append(review)
    names = _names({one.last.rater for one in reviews} | {pk for one in reviews for pk in one.machines})
    return {
        "project": project.slug,
        "n_reviews": len(reviews),
        "settings": [
            {"blind_shows": shows, "labels_first": first} | _setting(settings[shows, first], names)
            for shows, first in sorted(settings, key=lambda one: (not one[1], one[0]))
        ],
    }


def _setting(reviews: Sequence[Review], names: dict[int, str]) -> dict[str, Any]:
    pairs = [review.pair(pull.together(list(review.machines.values()))) for review in reviews]
    found: dict[str, Any] = {
        "n_reviews": len(reviews),
        "n_decided": sum(bool(review.decision) for review in reviews),
        "n_conflicted": sum(review.last.decision == Decision.CONFLICTED for review in reviews),
        "after": _standing(pairs, lambda pair: pair.after),
    }
    if not reviews[0].last.labels_first:
        return found | {"before": None, "rates": None, "by": {}, "spoiled_items": [], "mended_items": []}
    tallies = [pull.tally(pair) for pair in pairs]
    return found | {
        "before": _standing(pairs, lambda pair: pair.before),
        "rates": _rates(tallies),
        "by": {
            "rater": _by(tallies, [names[review.last.rater] for review in reviews]),
            "kind": _by(tallies, [review.last.kind for review in reviews]),
            "source": _by_source(reviews, names),
        },
        "spoiled_items": _items(reviews, tallies, "spoiled"),
        "mended_items": _items(reviews, tallies, "mended"),
    }


def _standing(pairs: Sequence[Pair], labels: Callable[[Pair], str]) -> dict[str, Any]:
    """How labels stand to what machines say together, and to the decision of others."""
    return {
        "as_machine": _json(pull.standing((labels(pair), pair.machine) for pair in pairs)),
        "as_decided": _json(pull.standing((labels(pair), pair.decision) for pair in pairs)),
    }


def _rates(tallies: Sequence[Tally]) -> dict[str, Any]:
    return {name: _json(rate) for name, rate in pull.rates_of(tallies).items()}


def _by(tallies: Sequence[Tally], values: Sequence[str]) -> dict[str, Any]:
    of: defaultdict[str, list[Tally]] = defaultdict(list)
    for value, one in zip(values, tallies, strict=True):
        of[value].append(one)
    return {value: _rates(some) for value, some in sorted(of.items())}


def _by_source(reviews: Sequence[Review], names: dict[int, str]) -> dict[str, Any]:
    """Each machine for itself, whatever the others said."""
    said = [(review.pair(labels), pk) for review in reviews for pk, labels in review.machines.items()]
    return _by([pull.tally(pair) for pair, _ in said], [names[pk] for _, pk in said])


def _items(reviews: Sequence[Review], tallies: Sequence[Tally], rate: str) -> list[int]:
    """Ids of items, ascending, with a step that the rate counts."""
    at = RATES.index(rate)
    ids = {review.last.item for review, one in zip(reviews, tallies, strict=True) if one[at]}
    return sorted(ids)[:MOST_LINKED]


def _json(rate: Rate) -> dict[str, Any]:
    return rate._asdict() | {"interval": rate.interval._asdict()}


def _reviews(project: Project) -> Iterator[Review]:
    """Every submitted review of work that a reveal belongs to, with a judgement at its end."""
    before: dict[int, Said] = {}
    after: dict[int, Said] = {}
    for said in _said(project):
        (after if said.phase == Phase.REVEALED else before)[said.assignment] = said
    machines = _machines(project) if after else {}
    for assignment, last in after.items():
        blind = before.get(assignment)
        if last.labels_first and blind is None:
            continue  # its blind judgement ended without one
        shown = {pk: labels for pk, labels, at in machines.get(last.solution, ()) if at <= last.at}
        yield Review(last, blind.labels if blind else "", shown, _decided(last))


def _said(project: Project) -> Iterator[Said]:
    rows = Annotation.objects.filter(
        assignment__project=project, assignment__state=AssignmentState.SUBMITTED,
        assignment__purpose=Use.WORK, solution=F("assignment__item__solution"),
        phase__in=[Phase.BLIND, Phase.REVEALED], finish_reason__in=JUDGED, superseded_at__isnull=True,
    ).order_by("id")  # fmt: skip
    item = "assignment__item__"
    fields = (
        "assignment", "assignment__item", "solution", f"{item}error_type", "rater", "phase", "labels",
        "blind_shows", "labels_first", "created_at", f"{item}decision", f"{item}n_submitted",
        f"{item}gold__labels", f"{item}gold__rater", f"{item}gold__phase",
    )  # fmt: skip
    return (Said(*row) for row in rows.values_list(*fields).iterator(CHUNK))


def _decided(said: Said) -> str:
    """The decision, where it does not rest on this reviewer alone: another's adjudication, or agreement."""
    if said.gold is None:
        return ""
    if said.decision == Decision.SETTLED or said.gold_phase == Phase.ADJUDICATION:
        return said.gold if said.gold_rater != said.rater else ""
    return said.gold if said.n_submitted > 1 or said.gold_rater != said.rater else ""


def _machines(project: Project) -> dict[int, list[tuple[int, str, datetime]]]:
    """Solution -> (rater, labels, since when) of every machine."""
    found: defaultdict[int, list[tuple[int, str, datetime]]] = defaultdict(list)
    rows = Annotation.objects.filter(
        solution__project=project, phase=Phase.MACHINE, superseded_at__isnull=True, is_parsed=True
    ).exclude(rater__kind=RaterKind.REVIEWER)
    fields = rows.order_by("id").values_list("solution", "rater", "labels", "created_at")
    for solution, rater, labels, at in fields.iterator(CHUNK):
        found[solution].append((rater, labels, at))
    return found


def _names(raters: set[int]) -> dict[int, str]:
    """Reviewers by name, machines as KIND:NAME with the beginning of their digest where two have one name."""
    rows = list(Rater.objects.filter(pk__in=raters).order_by("pk"))
    written = [row.name if row.kind == RaterKind.REVIEWER else str(row) for row in rows]
    return {
        row.pk: name if written.count(name) == 1 else f"{name} {row.digest[:7] or row.pk}"
        for row, name in zip(rows, written, strict=True)
    }


def table(found: dict[str, Any]) -> Iterator[list[Any]]:
    """What `read` returned as rows under COLUMNS."""
    yield list(COLUMNS)
    for setting in found["settings"]:
        shared = [setting["blind_shows"], setting["labels_first"]]
        for when in ("before", "after"):
            for name, rate in (setting[when] or {}).items():
                yield [*shared, when, "", name, *_cells(rate)]
        for name, rate in (setting["rates"] or {}).items():
            yield [*shared, "", "", name, *_cells(rate)]
        for by, values in setting["by"].items():
            for value, rates in values.items():
                for name, rate in rates.items():
                    yield [*shared, by, harmless(value), name, *_cells(rate)]


def _cells(rate: dict[str, Any]) -> list[Any]:
    return [rate["value"], rate["interval"]["low"], rate["interval"]["high"], rate["n"], rate["why"]]
