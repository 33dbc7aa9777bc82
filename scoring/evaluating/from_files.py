"""A result file held against a project's labels without bringing it in: what a rater that is not stored said."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from annotator.actions.annotation_import_match import Matcher, Target, Unknown
from annotator.actions.annotation_import_rows import judged
from annotator.formats import judgements, results
from annotator.formats.records import AnnotationRecord, FormatError
from annotator.models import Project, Rater, RaterKind
from scoring.evaluating.said import Said
from scoring.metrics.files import USUAL, is_of_toolkit

AT_ONCE = 500


class Given(NamedTuple):
    """rater: one that is in no database.  said: solution id -> its word; of several the first.  n_unknown: rows of no
    solution here.  bad: records that cannot be used."""

    rater: Rater
    said: dict[int, Said]
    n_unknown: int
    n_repeated: int
    bad: list[FormatError]


def read(project: Project, paths: Sequence[Path]) -> Given:
    """PRMBench's toolkit's rows, or ProcessBench's, found by id as an import finds them. Raises UnreadableFile."""
    rater = Rater(kind=RaterKind.PRM, name=paths[0].name if paths else "")
    said: dict[int, Said] = {}
    bad: list[FormatError] = []
    n_unknown = n_repeated = 0
    for path in paths:
        reader = judgements.reader(results.PRMBENCH if is_of_toolkit(path) else results.PROCESSBENCH)
        matcher = Matcher(project, reader)
        for some in _batches(path, reader, bad):
            for record, targets in zip(some, matcher.match(some), strict=True):
                if isinstance(targets, Unknown):
                    n_unknown += 1
                elif isinstance(targets, FormatError):
                    bad.append(targets)
                else:
                    new = [target for target in targets if target.id not in said]
                    n_repeated += not new
                    said |= {target.id: _said(record, target) for target in new}
    return Given(rater, said, n_unknown, n_repeated, bad)


def _batches(
    path: Path, reader: judgements.Reader, bad: list[FormatError]
) -> Iterator[list[AnnotationRecord]]:
    some: list[AnnotationRecord] = []
    with path.open("rb") as source:
        for record in reader.read(source, path.name):
            if isinstance(record, FormatError):
                bad.append(record)
                continue
            some.append(record)
            if len(some) == AT_ONCE:
                yield some
                some = []
    if some:
        yield some


def _said(record: AnnotationRecord, target: Target) -> Said:
    """As an import would store it; lists stay as long as they are."""
    columns = judged(record, "", target.id, target.n_steps, USUAL).columns
    labels = record.labels if record.labels is not None else columns["labels"]
    return Said(
        labels,
        record.is_parsed,
        columns["scores"],
        record.redundancy_labels or "",
        columns["redundancy_scores"],
        target.n_steps,
    )
