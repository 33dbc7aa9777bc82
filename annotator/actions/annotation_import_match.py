"""Which solutions of a project foreign judgements are of: by digest or foreign id, a batch at a time.

What is judged is a text. So an id or digest that several solutions with the same text share means all of them;
an id shared by different texts means none, unless a digest says which.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db.models import QuerySet

from annotator.core.labels import ERROR_TYPES
from annotator.formats import item_ids
from annotator.formats.decoding import fault, shown
from annotator.formats.judgements import Reader
from annotator.formats.records import AnnotationRecord, FormatError
from annotator.models import Import, Project, Solution, TransferState

REDUNDANCY = ERROR_TYPES[0].code  # PRMBench's correct items are the originals of these


class Target(NamedTuple):
    """A solution that a judgement may be of."""

    id: int
    digest: str
    n_steps: int


class Unknown(FormatError):
    """The record is of no solution of this project."""


class Matcher:
    """Finds the solutions of records. The number of queries for a batch is fixed."""

    def __init__(self, project: Project, reader: Reader) -> None:
        unfinished = Import.objects.filter(project=project).exclude(state=TransferState.COMPLETE)
        # What an unfinished import brought may yet be removed, so it is as if it were not there.
        self._here = Solution.objects.filter(project=project).exclude(source_import__in=unfinished)
        self._reader = reader

    def match(self, records: Sequence[AnnotationRecord]) -> list[list[Target] | FormatError]:
        """For each record its solutions, or why there are none. Never an empty list."""
        names = [_names(record) for record in records]
        by_id = self._by("foreign_id", {name for several in names for name in several})
        by_digest = self._by("digest", {record.digest for record in records if record.digest})
        originals = self._originals(name for several in names for name in several if name not in by_id)
        found = []
        for record, several in zip(records, names, strict=True):
            by_name = next((by_id[name] for name in several if name in by_id), [])
            by_name = by_name or next((originals[name] for name in several if name in originals), [])
            found.append(self._decide(record, by_name, by_digest.get(record.digest, [])))
        return found

    def _decide(
        self, record: AnnotationRecord, by_name: list[Target], by_digest: list[Target]
    ) -> list[Target] | FormatError:
        if record.digest and by_name and record.digest not in {target.digest for target in by_name}:
            message = f"is not that of the solution {shown(record.foreign_id)} here: its text is another"
            return fault(record.place, self._reader.digest, message)
        targets = by_digest or ([] if record.digest else by_name)
        if not targets:
            message = f"{shown(record.foreign_id or record.digest)} is not in this project"
            return Unknown(fault(record.place, self._reader.which(record), "").place, message)
        if len({target.digest for target in targets}) > 1:
            message = f"names {len(targets)} solutions with different texts: only a digest (format jsonl) says which"
            return fault(record.place, self._reader.id, message)
        named = {target.id for target in by_name}
        return [target for target in targets if target.id in named] or targets

    def _by(self, column: str, values: Iterable[str]) -> dict[str, list[Target]]:
        found: defaultdict[str, list[Target]] = defaultdict(list)
        rows = self._here.filter(**{f"{column}__in": list(values)}).order_by("pk")
        for value, pk, digest, n_steps in rows.values_list(column, "pk", "digest", "n_steps"):
            found[value].append(Target(pk, digest, n_steps))
        return dict(found)

    def _originals(self, names: Iterable[str]) -> dict[str, list[Target]]:
        """PRMBench's item "correct_7" is the original that problem 7's redundancy was put into. It goes by the
        name of whichever kind came in first; where that kind is not here, any original of the problem will do."""
        bases = {base: name for name in names if (base := item_ids.correct_base(name))}
        found: defaultdict[str, dict[bool, list[Target]]] = defaultdict(lambda: {True: [], False: []})
        for group, kind, pk, digest, n_steps in _injected(self._here, list(bases)):
            found[bases[group]][kind == REDUNDANCY].append(Target(pk, digest, n_steps))
        return {name: _once(of[True] or of[False]) for name, of in found.items()}


def _names(record: AnnotationRecord) -> tuple[str, ...]:
    return (record.foreign_id, *item_ids.other_names(record.foreign_id)) if record.foreign_id else ()


def _injected(here: QuerySet[Solution], groups: list[str]) -> Iterable[tuple[str, str, int, str, int]]:
    """Originals of injections, with what was put into them: no foreign record is about them by itself."""
    if not groups:
        return ()
    rows = here.filter(foreign_format="", problem__group__in=groups, injections__isnull=False)
    return rows.values_list("problem__group", "injections__error_type", "pk", "digest", "n_steps").distinct()


def _once(targets: list[Target]) -> list[Target]:
    return sorted(set(targets))
