"""What of a batch of foreign records is in a project already, and whether with the same labels.

A known record is not written again, so labels that differ would vanish without a word: they are counted.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from annotator.formats.records import LabelRecord
from annotator.models import Annotation, Phase, Problem, Project, RaterKind, Solution


class Labelled(NamedTuple):
    """Whose labels, and what they are."""

    kind: str
    name: str
    labels: str
    scores: tuple[float, ...] | None


def count_known(
    project: Project, batch: Sequence[tuple[str, tuple[LabelRecord, ...] | None]]
) -> tuple[int, int]:
    """How many records are there, and how many of these bring labels that are not. At most three queries.

    batch: the key of each record's solution with its labels, or of a lone problem with None.
    """
    solutions = [key for key, labels in batch if labels is not None]
    there = _keys_of_solutions(project, solutions) if solutions else {}
    alone = [key for key, labels in batch if labels is None]
    n = _count_problems(project, alone) if alone else 0
    return len(there) + n, _count_new(there, batch) if there else 0


def _keys_of_solutions(project: Project, keys: Collection[str]) -> dict[str, int]:
    rows = Solution.objects.filter(project=project, key__in=keys)
    return dict(rows.values_list("key", "pk"))


def _count_problems(project: Project, keys: Sequence[str]) -> int:
    there = set(Problem.objects.filter(project=project, key__in=keys).values_list("key", flat=True))
    return sum(key in there for key in keys)


def _count_new(there: dict[str, int], batch: Sequence[tuple[str, tuple[LabelRecord, ...] | None]]) -> int:
    stored = _stored(there.values())
    bring = ((there[key], labels) for key, labels in batch if labels and key in there)
    return sum(any((pk, _labelled(label)) not in stored for label in labels) for pk, labels in bring)


def _stored(solutions: Collection[int]) -> set[tuple[int, Labelled]]:
    """All judgements that came with data for these solutions, replaced ones too: those are there as well."""
    rows = Annotation.objects.filter(
        solution__in=list(solutions),
        phase=Phase.MACHINE,
        rater__kind__in=(RaterKind.SOURCE, RaterKind.INJECTOR),
    )
    columns = ("solution_id", "rater__kind", "rater__name", "labels", "scores")
    return {
        (pk, Labelled(kind, name, labels, tuple(scores) if scores is not None else None))
        for pk, kind, name, labels, scores in rows.values_list(*columns)
    }


def _labelled(label: LabelRecord) -> Labelled:
    return Labelled(label.kind, label.name, label.labels, label.scores)
