"""The judgements in the files of an import, batch by batch, each with its solutions or its error.

Both passes read alike, so that the second finds what the first has checked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from annotator import errors
from annotator.actions.annotation_import_match import Matcher, Target
from annotator.actions.annotation_import_rows import Judged, judged
from annotator.actions.import_files import File
from annotator.actions.transfers import batched
from annotator.formats import FORMATS, fields, judgements
from annotator.formats.decoding import fault, shown
from annotator.formats.judgements import Reader
from annotator.formats.records import AnnotationRecord, FormatError, Place, UnreadableFile
from annotator.models import Project, RaterKind

CAME_WITH_DATA = (RaterKind.SOURCE, RaterKind.INJECTOR)
LINE_BITS = 40
FLAGS = ("map", "zero", "trust_verified", "neutral_button")

At = Callable[[int], None]


class Batch(NamedTuple):
    """Some records in their order: what each says of which solutions, or why it cannot be used."""

    records: list[list[Judged] | FormatError]

    @property
    def judgements(self) -> list[Judged]:
        return [one for found in self.records if isinstance(found, list) for one in found]


def reader_of(format: str, options: dict[str, Any]) -> Reader:
    """Raises Invalid naming the field."""
    if format not in judgements.NAMES:
        message = f"The format must be one of {', '.join(judgements.NAMES)}, not {format!r}."
        raise errors.Invalid(message, field="format")
    try:
        return judgements.reader(format, **{name: options[name] for name in FLAGS})
    except ValueError as error:
        raise errors.Invalid(f"The map cannot be used: {error}.", field="map") from error


def check_name(kind: str, name: str) -> str:
    """Why a rater of that kind may not be called so, or ""."""
    if not name.strip() or len(name) > fields.MAX_RATER or not name.isprintable():
        return f"must have 1 to {fields.MAX_RATER} printable characters, and not only blanks"
    if kind in CAME_WITH_DATA and name in FORMATS:
        return f"is that of whoever labelled the {name} files themselves: choose another"
    return ""


class Judgements:
    """The judgements of an import's files."""

    def __init__(
        self, *, project: Project, format: str, options: dict[str, Any], files: Sequence[File]
    ) -> None:
        self._reader, self._files, self._options = reader_of(format, options), files, options
        self._matcher = Matcher(project, self._reader)
        # Rater -> solution -> number of file and line, in one number: of a million records no more is kept.
        self._seen: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._numbers = {file.name: number for number, file in enumerate(files)}
        self._kind, _, self._name = options["rater"].partition(":")
        self._by_record = not self._name or judgements.maps_rater(options["map"])

    def batches(self, at: At = lambda done: None) -> Iterator[Batch]:
        """All records of all files; `at` is told the bytes read so far. Raises UnreadableFile."""
        for some in batched(self._records(at)):
            yield Batch(self._resolved(some))

    def _records(self, at: At) -> Iterator[AnnotationRecord | FormatError]:
        before = 0
        for file in self._files:
            try:
                source = Path(file.path).open("rb")  # noqa: SIM115
            except OSError as error:
                raise UnreadableFile(Place(file.name, 0), f"cannot be read: {error.strerror}") from error
            with source:
                for record in self._reader.read(source, file.name):
                    at(before + source.tell())
                    yield record
                before += source.tell()

    def _resolved(self, some: list[AnnotationRecord | FormatError]) -> list[list[Judged] | FormatError]:
        good = [record for record in some if isinstance(record, AnnotationRecord)]
        targets = iter(self._matcher.match(good))
        found: list[list[Judged] | FormatError] = []
        for record in some:
            if isinstance(record, FormatError):
                found.append(record)
                continue
            try:
                found.append(self._judged(record, next(targets)))
            except FormatError as error:
                found.append(error)
        return found

    def _judged(self, record: AnnotationRecord, targets: list[Target] | FormatError) -> list[Judged]:
        """Raises FormatError."""
        if isinstance(targets, FormatError):
            raise targets
        rater, threshold = self._rater(record), self._options["threshold"]
        for target in targets:
            self._check_first_error(record, target)
            self._check_once(record, target, rater)
        return [judged(record, rater, target.id, target.n_steps, threshold) for target in targets]

    def _rater(self, record: AnnotationRecord) -> str:
        name = (self._by_record and record.annotator.removeprefix(f"{self._kind}:")) or self._name
        if not name:
            raise fault(record.place, self._reader.rater, "is missing: give --rater a name, as KIND:NAME")
        refusal = check_name(self._kind, name)
        if refusal:
            raise fault(record.place, self._reader.rater, refusal)
        return f"{self._kind}:{name}"

    def _check_first_error(self, record: AnnotationRecord, target: Target) -> None:
        first = record.first_error
        if first is not None and first >= target.n_steps:
            message = f"must be -1 or the 0-based place of one of {target.n_steps} steps, not {first}"
            raise fault(record.place, self._reader.first_error, message)

    def _check_once(self, record: AnnotationRecord, target: Target, rater: str) -> None:
        """A rater has one judgement of a solution: of two in the same files nobody knows which holds."""
        seen = self._seen[rater]
        if target.id not in seen:
            seen[target.id] = self._numbers[record.place.file] << LINE_BITS | record.place.line
            return
        file, line = self._files[seen[target.id] >> LINE_BITS].name, seen[target.id] % (1 << LINE_BITS)
        message = f"is judged by {shown(rater)[1:-1]} at {file}, line {line} already: the first one counts"
        raise fault(record.place, self._reader.which(record), message)
