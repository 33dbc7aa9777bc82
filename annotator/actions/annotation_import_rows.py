"""Foreign judgements as annotations: what is stored of each, what is there already, and how it is taken back.

A judgement that differs from the rater's current one takes its place; the old one stays, superseded.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from annotator.core import labels as lab
from annotator.formats import options
from annotator.formats.records import AnnotationRecord
from annotator.models import Annotation, Import, Phase, Rater

ROWS_AT_ONCE = 1_000
SAME = (
    "labels", "scores", "redundancy_labels", "redundancy_scores", "is_parsed", "extra"
)  # fmt: skip

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Judged(NamedTuple):
    """A judgement of one solution: whose it is, the columns of its annotation, and by how many steps the file
    said more (above 0) or less (below 0) than the solution has."""

    solution: int
    rater: str
    columns: dict[str, Any]
    surplus: int


class Counts(NamedTuple):
    """Of a batch: judgements that are new, that are there already, and that take another's place."""

    new: int
    same: int
    replaced: int


def judged(record: AnnotationRecord, rater: str, solution: int, n_steps: int, threshold: float) -> Judged:
    """What a record says of a solution. One label a step: missing ones are '.', surplus ones are cut, and the
    file's own list stays in `extra`. Labels of scores alone are these at the threshold."""
    said = _labels(record, n_steps, threshold)
    redundant = record.redundancy_labels
    fitted = _fitted(said or "", n_steps)
    columns = {
        "labels": fitted, "n_steps": n_steps, "first_error": lab.first_error(fitted),
        "scores": _listed(record.scores), "redundancy_scores": _listed(record.redundancy_scores),
        "redundancy_labels": "" if redundant is None else _fitted(redundant, n_steps),
        "is_parsed": record.is_parsed, "extra": _extra(record, rater, n_steps, threshold),
    }  # fmt: skip
    return Judged(solution, rater, columns, 0 if said is None else len(said) - n_steps)


def _labels(record: AnnotationRecord, n_steps: int, threshold: float) -> str | None:
    """As many as the file says; None where it says nothing of any step."""
    if record.labels is not None:
        return record.labels
    if record.scores is not None:
        return options.harden(record.scores, threshold)
    if record.first_error is not None:
        return lab.labels_from_first_error(record.first_error, n_steps)
    return None


def _fitted(labels: str, n_steps: int) -> str:
    return labels[:n_steps].ljust(n_steps, lab.UNJUDGED)


def _listed(numbers: tuple[float, ...] | None) -> list[float] | None:
    """As the database gives them back, so that two can be compared."""
    return None if numbers is None else list(numbers)


def _extra(record: AnnotationRecord, rater: str, n_steps: int, threshold: float) -> str:
    """What the columns do not say: the file's other members, and its own lists where they were fitted."""
    kept = json.loads(record.extra) if record.extra else {}
    if record.labels is None and record.scores is not None:
        kept["threshold"] = threshold
    for name, text in (("labels", record.labels), ("redundancy_labels", record.redundancy_labels)):
        if text is not None and len(text) != n_steps:
            kept[name] = text
    if record.labels is not None and record.first_error not in (None, lab.first_error(record.labels)):
        kept["first_error"] = record.first_error
    if record.annotator and record.annotator not in (rater, rater.partition(":")[2]):
        kept["rater"] = record.annotator
    return _dump(kept) if kept else ""


def compare(batch: Sequence[Judged], raters: Mapping[str, int]) -> Counts:
    """Say what storing the batch would do, without doing it."""
    new, old = _differing(batch, raters)
    return Counts(len(new) - len(old), len(batch) - len(new), len(old))


def store(row: Import, batch: Sequence[Judged], raters: Mapping[str, int]) -> Counts:
    """Write what differs from what is there. The caller is in a transaction, and no two of a batch have the
    same solution and rater."""
    new, old = _differing(batch, raters)
    Annotation.objects.filter(pk__in=old).update(superseded_at=timezone.now())
    Annotation.objects.bulk_create(
        Annotation(
            solution_id=one.solution, rater_id=raters[one.rater], phase=Phase.MACHINE, source_import=row,
            **one.columns,
        )
        for one in new
    )  # fmt: skip
    return Counts(len(new) - len(old), len(batch) - len(new), len(old))


def _differing(batch: Sequence[Judged], raters: Mapping[str, int]) -> tuple[list[Judged], list[int]]:
    """The judgements to be written, and the ids of the annotations whose place they take."""
    current = _current(batch, raters)
    new, old = [], []
    for one in batch:
        there = current.get((one.solution, raters.get(one.rater, 0)))
        if there and all(there[name] == one.columns[name] for name in SAME):
            continue
        new.append(one)
        if there:
            old.append(there["pk"])
    return new, old


def _current(batch: Sequence[Judged], raters: Mapping[str, int]) -> dict[tuple[int, int], dict[str, Any]]:
    rows = Annotation.objects.filter(
        solution__in={one.solution for one in batch}, rater__in=set(raters.values()), phase=Phase.MACHINE,
        superseded_at=None,
    ).values("pk", "solution", "rater", *SAME)  # fmt: skip
    return {(there["solution"], there["rater"]): there for there in rows}


def raters_by_name(names: Sequence[str], make: bool) -> dict[str, int]:
    """KIND:NAME -> id; with `make`, those that are not there yet are made."""
    found = {}
    for full in names:
        kind, _, name = full.partition(":")
        if make:
            found[full] = Rater.objects.get_or_create(kind=kind, name=name, digest="")[0].pk
        elif there := Rater.objects.filter(kind=kind, name=name, digest="").first():
            found[full] = there.pk
    return found


def take_back(row: Import) -> None:
    """Delete what an import wrote. Where that was the rater's current judgement, the one before is so again."""
    before = Annotation.objects.filter(
        solution=OuterRef("solution"), rater=OuterRef("rater"), phase=Phase.MACHINE, pk__lt=OuterRef("pk")
    ).order_by("-pk")
    mine = Annotation.objects.filter(source_import=row).order_by("pk")
    found = mine.values_list("pk", "superseded_at", Subquery(before.values("pk")[:1]))
    while rows := list(found[:ROWS_AT_ONCE]):
        Annotation.objects.filter(pk__in=[pk for pk, _, _ in rows]).delete()
        again = [earlier for _, superseded, earlier in rows if superseded is None and earlier is not None]
        Annotation.objects.filter(pk__in=again).update(superseded_at=None)
