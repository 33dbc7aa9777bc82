"""What the raters of a project said of its solutions: one query a rater, columns only."""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from annotator import errors
from annotator.actions import export_rows
from annotator.core.labels import NEUTRAL, RIGHT, UNJUDGED, UNKNOWN, WRONG, first_error
from annotator.formats import options
from annotator.models import Annotation, AssignmentState, FinishReason, Phase, Project, Rater, RaterKind, Use
from scoring.evaluating.truths import AT_ONCE, CHUNK, RELEASED, SAME
from scoring.metrics.prmbench import Prediction

CAME_WITH: Final = (RaterKind.INJECTOR, RaterKind.SOURCE)
JUDGED: Final = [reason for reason in FinishReason if reason.judges]
COLUMNS: Final = (
    "solution_id", "labels", "is_parsed", "scores", "redundancy_labels", "redundancy_scores", "extra", "n_steps",
)  # fmt: skip


class Known(NamedTuple):
    """A rater with predictions. name: KIND:NAME, of a person their name. n: solutions it labelled here."""

    id: int
    name: str
    kind: str
    has_scores: bool
    n: int


class Said(NamedTuple):
    """One rater's word on one solution of n_steps. labels: as the rater gave them, so maybe fewer or more than these.
    scores, redundancy_scores: a number a step, None without. redundancy: "" without."""

    labels: str
    is_parsed: bool
    scores: list[float] | None
    redundancy: str
    redundancy_scores: list[float] | None
    n_steps: int


def raters(project: Project) -> list[Known]:
    """Whoever said something in the project, machines first, by name; those whose labels came with the data too."""
    rows = (words(project, people) for people in (False, True))
    sums: dict[int, tuple[int, int]] = {}
    for some in rows:
        counted = (
            some.order_by().values_list("rater").annotate(Count("solution", distinct=True), Count("scores"))
        )
        sums |= {pk: (n, scored) for pk, n, scored in counted}
    found = [
        Known(rater.pk, name_of(rater), rater.kind, sums[rater.pk][1] > 0, sums[rater.pk][0])
        for rater in Rater.objects.filter(pk__in=sums)
    ]
    names = [known.name for known in found]
    told = [one if names.count(one.name) == 1 else one._replace(name=f"{one.name}@{one.id}") for one in found]
    return sorted(told, key=lambda one: (one.kind == RaterKind.REVIEWER, one.name, one.id))


def name_of(rater: Rater) -> str:
    return rater.name if rater.kind == RaterKind.REVIEWER else str(rater)


def find_rater(project: Project, spelled: str) -> Rater:
    """A rater of the project by its id, as KIND:NAME (a person as reviewer:NAME), or of several of one name as
    KIND:NAME@ID. A name may itself end so: it comes first. Raises Invalid."""
    found = [rater for rater in _spelled(spelled) if _says_something(project, rater)]
    if not found:
        raise errors.Invalid(f"There is no rater {spelled!r} with labels in this project.", field="rater")
    if len(found) > 1:
        several = ", ".join(f"{rater}@{rater.pk}" for rater in found)
        raise errors.Invalid(f"There are several of this name: choose one of {several}.", field="rater")
    return found[0]


def _spelled(spelled: str) -> list[Rater]:
    if _is_number(spelled):
        return _by_id(spelled)
    kind, _, rest = spelled.partition(":")
    named = list(Rater.objects.filter(kind=kind, name=rest))
    name, _, number = spelled.rpartition("@")
    if named or not _is_number(number):
        return named
    return [rater for rater in _by_id(number) if name in (f"{rater.kind}:{rater.name}", name_of(rater))]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _by_id(number: str) -> list[Rater]:
    return list(Rater.objects.filter(pk=min(int(number), 2**63 - 1)))


def _says_something(project: Project, rater: Rater) -> bool:
    return words(project, rater.kind == RaterKind.REVIEWER).filter(rater=rater).exists()


def words(project: Project, people: bool, blind: bool = False) -> QuerySet[Annotation]:
    """Current annotations that count. Of people: submitted work on the item's own solution, their last word on it;
    or, blind, what they said before they saw anybody's labels. It counts where it is a judgement."""
    if not people:
        rows = Annotation.objects.filter(solution__project=project, phase=Phase.MACHINE, superseded_at=None)
        return export_rows.in_full(project, rows)
    rows = Annotation.objects.filter(
        assignment__project=project, assignment__state=AssignmentState.SUBMITTED, assignment__purpose=Use.WORK,
        superseded_at=None, finish_reason__in=JUDGED, solution=F("assignment__item__solution"),
    )  # fmt: skip
    if blind:
        return rows.filter(phase=Phase.BLIND)
    later = Annotation.objects.filter(
        assignment=OuterRef("assignment"),
        solution=OuterRef("solution"),
        phase=Phase.REVEALED,
        superseded_at=None,
    )
    return rows.filter(Q(phase=Phase.REVEALED) | Q(phase=Phase.BLIND) & ~Exists(later))


def is_blind(labels: str) -> bool:
    """Whether people are held against these labels by what they said before they saw them; against gold, by their
    last word."""
    return labels in (RELEASED, SAME)


def load(
    project: Project, rater: Rater, solutions: Collection[int] | None = None, *, blind: bool = False
) -> dict[int, Said]:
    """Solution id -> the rater's last word, or a person's blind one. solutions: only of these, where they are few;
    else there may be others too."""
    rows = words(project, rater.kind == RaterKind.REVIEWER, blind).filter(rater=rater)
    if solutions is not None and len(solutions) <= AT_ONCE:
        rows = rows.filter(solution__in=solutions)
    found: dict[int, Said] = {}
    # Of several items of a solution the last word stands.
    for pk, labels, is_parsed, scores, axis, axis_scores, extra, n_steps in (
        rows.order_by("pk").values_list(*COLUMNS).iterator(CHUNK)
    ):
        told = json.loads(extra) if '"labels"' in extra or '"redundancy_labels"' in extra else {}
        found[pk] = Said(
            _text(told.get("labels"), labels), is_parsed, scores, _text(told.get("redundancy_labels"), axis),
            axis_scores, n_steps,
        )  # fmt: skip
    return found


def _text(given: Any, fitted: str) -> str:
    """The file's own list, where it was longer or shorter than the solution and so was fitted."""
    return given if isinstance(given, str) else fitted


class Cut(NamedTuple):
    """Where scores are cut into labels: above is right (or redundant). None: the labels as stored."""

    threshold: float | None = None
    redundancy: float | None = None


STORED: Final = Cut()


def prediction(said: Said, cut: Cut = STORED) -> Prediction:
    """As PRMBench's metrics take it. Missing labels at the end are as if they had not been sent."""
    labels, axis = said.labels, said.redundancy or None
    if cut.threshold is not None:
        labels = options.harden(said.scores, cut.threshold) if said.scores is not None else ""
    if cut.redundancy is not None and said.redundancy_scores is not None:
        axis = "".join(WRONG if score > cut.redundancy else RIGHT for score in said.redundancy_scores)
    is_parsed = said.is_parsed and (cut.threshold is None or said.scores is not None)
    return Prediction(labels.rstrip("."), axis, is_parsed)


def predictions(said: Mapping[int, Said], cut: Cut = STORED) -> dict[str, Prediction]:
    return {str(pk): prediction(one, cut) for pk, one in said.items()}


def first_of(said: Said | None, cut: Cut = STORED) -> int | None:
    """The first wrong step as the rater has it, NO_ERROR, or None where it says none for sure: nothing could be read,
    or its labels end too soon."""
    if said is None:
        return None
    found = prediction(said, cut)
    first = first_error(found.validity.ljust(said.n_steps, UNJUDGED)) if found.is_parsed else UNKNOWN
    return None if first == UNKNOWN else first


def step_scores(said: Said | None) -> list[float] | None:
    """A number a step: the rater's scores, or of labels alone 1 for right and neutral and 0 for all else."""
    if said is None or not said.is_parsed:
        return None
    if said.scores is not None:
        return said.scores or None
    return [float(label in (RIGHT, NEUTRAL)) for label in said.labels] or None
