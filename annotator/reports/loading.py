"""A project's annotations as columns: what people said blind, and what every other rater said."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db.models import F, QuerySet
from django.utils import timezone

from annotator.core.coefficients import Ints
from annotator.core.columns import Columns, columns
from annotator.models import (
    Annotation,
    AssignmentState,
    FinishReason,
    ImportKind,
    Phase,
    Project,
    Rater,
    RaterKind,
    Use,
)  # fmt: skip

JUDGED = [reason for reason in FinishReason if reason.judges]
CAME_WITH = (RaterKind.INJECTOR, RaterKind.SOURCE)
CHUNK = 5_000
NOT_A_PERSON = -1


class Loaded(NamedTuple):
    """Ratings, people's first. `item`, `saw`, `kind`, `guideline`, `week`: int (ratings,), -1 of machines; the
    last four are places in the lists of `words`. `came`: bool (ratings,), what the injector or the source said
    that came with the data. `names`: rater id -> name; machines as KIND:NAME.
    """

    columns: Columns
    item: Ints
    saw: Ints
    kind: Ints
    guideline: Ints
    week: Ints
    came: Ints
    words: dict[str, list[str]]
    names: dict[int, str]
    n_set_aside: int

    @property
    def people(self) -> Ints:
        return np.flatnonzero(self.item != NOT_A_PERSON)

    @property
    def unit(self) -> Ints:
        """What is rated: a solution as shown. Two people are compared only where both saw the same."""
        return self.columns.solution * len(self.words["saw"]) + self.saw


def load(project: Project) -> Loaded:
    """Stream the project's current annotations once.

    Of people: blind, submitted, of work (never a probe or an exam), of the item's own solution, and made before
    any label was shown. Of machines: those that could be read.
    """
    rows = [*_people(project), *_machines(project)]
    said = list(zip(*rows, strict=True)) or [()] * len(_Row._fields)
    of = _Row(*said)  # now a column in each field
    words = {name: sorted(set(getattr(of, name)) - {None}) for name in ("saw", "kind", "guideline", "week")}
    places = {name: _places(getattr(of, name), words[name]) for name in words}
    return Loaded(
        columns(of.solution, of.rater, _numbered(of.group), of.labels, of.first_error),
        np.array(of.item, dtype=np.int64),
        **places,
        came=np.array(of.came, dtype=bool),
        words=words,
        names=names(set(of.rater)),
        n_set_aside=blind(project).exclude(finish_reason__in=JUDGED).count(),
    )


class _Row(NamedTuple):
    item: Any
    saw: Any
    kind: Any
    guideline: Any
    week: Any
    solution: Any
    rater: Any
    labels: Any
    first_error: Any
    group: Any
    came: Any


def blind(project: Project) -> QuerySet[Annotation]:
    """Current blind annotations that count: a submission taken back does not until it is sent again."""
    return Annotation.objects.filter(
        assignment__project=project, assignment__state=AssignmentState.SUBMITTED,
        assignment__purpose=Use.WORK, phase=Phase.BLIND, labels_first=True, superseded_at__isnull=True,
        solution=F("assignment__item__solution"),
    )  # fmt: skip


def _people(project: Project) -> Iterator[_Row]:
    rows = blind(project).filter(finish_reason__in=JUDGED).values_list(
        "assignment__item", "blind_shows", "assignment__item__error_type", "guideline__version", "created_at",
        "solution", "rater", "labels", "first_error", "solution__problem__group",
    )  # fmt: skip
    zone = timezone.get_current_timezone()
    for item, saw, kind, version, at, solution, rater, labels, first_error, group in rows.iterator(CHUNK):
        guideline = "" if version is None else f"{version:04}"
        week = monday(at.astimezone(zone))
        yield _Row(item, saw, kind, guideline, week, solution, rater, labels, first_error, group, False)


def monday(at: datetime) -> str:
    """The day on which the week of a moment begins, as 2026-11-16."""
    return str(at.date() - timedelta(days=at.weekday()))


def _machines(project: Project) -> Iterator[_Row]:
    rows = Annotation.objects.filter(
        solution__project=project, phase=Phase.MACHINE, superseded_at__isnull=True, is_parsed=True
    ).values_list(
        "solution", "rater", "labels", "first_error", "solution__problem__group",
        "rater__kind", "source_import__kind",
    )  # fmt: skip
    for solution, rater, labels, first_error, group, kind, brought in rows.iterator(CHUNK):
        came = kind in CAME_WITH and brought != ImportKind.ANNOTATIONS
        yield _Row(NOT_A_PERSON, None, None, None, None, solution, rater, labels, first_error, group, came)


def _places(values: Iterable[str | None], words: list[str]) -> Ints:
    place: dict[str | None, int] = {word: n for n, word in enumerate(words)} | {None: -1}
    return np.fromiter((place[value] for value in values), dtype=np.int64)


def _numbered(groups: Iterable[str]) -> list[int]:
    number: dict[str, int] = {}
    return [number.setdefault(group, len(number)) for group in groups]


def names(raters: set[int]) -> dict[int, str]:
    """People first, then by kind and name. Two machines of one name (two prompts, say) are told apart by the
    beginning of their digest."""
    rows = list(Rater.objects.filter(pk__in=raters).order_by("kind", "name", "pk"))
    rows.sort(key=lambda row: row.kind != RaterKind.REVIEWER)
    written = [row.name if row.kind == RaterKind.REVIEWER else str(row) for row in rows]
    return {
        row.pk: name if written.count(name) == 1 else f"{name} {row.digest[:7] or row.pk}"
        for row, name in zip(rows, written, strict=True)
    }
