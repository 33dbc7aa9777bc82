"""The files of an import: found, read record by record, and known again by size and time."""

import glob
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from django.conf import settings

from annotator import errors
from annotator.core.digest import digest, solution_digest
from annotator.formats import FORMATS, READABLE, BadReading, Format, Read, reader
from annotator.formats.reading import Source
from annotator.formats.readings import complete
from annotator.formats.records import ImportRecord, LoneProblem, Place, ProblemRecord, UnreadableFile
from annotator.models import Import

T = TypeVar("T")

ENDINGS = (".jsonl", ".json", ".jsonl.gz", ".json.gz")


class File(NamedTuple):
    """Where a file lies, and what people call it (which also says whether it is gzip)."""

    path: str
    name: str


def find_files(given: Iterable[str]) -> list[File]:
    """The files named, those that a pattern matches, and those with a known ending in a folder, in order."""
    found = [file for one in given for file in _found(one)]
    if not found:
        raise errors.Invalid("There is no file to read.", field="paths")
    return found


def _found(given: str) -> Iterator[File]:
    path = Path(given)
    if path.is_dir():
        inside = sorted(p for p in path.iterdir() if p.name.lower().endswith(ENDINGS) and p.is_file())
    elif not path.exists() and glob.has_magic(given):
        inside = [Path(match) for match in sorted(glob.glob(given))]  # noqa: PTH207  (a pattern may begin anywhere)
    else:
        inside = [path]
    for one in inside:
        yield File(str(one.resolve()), str(one))


def files_of(row: Import) -> list[File]:
    return [File(path, name) for path, name in zip(row.paths, row.names, strict=True)]


def format_named(name: str) -> Format:
    if name not in FORMATS:
        raise errors.Invalid(f"The format must be one of {', '.join(FORMATS)}, not {name!r}.", field="format")
    return FORMATS[name]


def readable_named(name: str) -> Format:
    """The format of files that hold solutions or problems."""
    if name not in READABLE:
        raise errors.Invalid(
            f"The format must be one of {', '.join(READABLE)}, not {name!r}.", field="format"
        )
    return FORMATS[name]


def reader_named(name: str, reading: Mapping[str, Any]) -> Read:
    """What reads the format's files, told so much. Raises Invalid naming the format or what was told wrongly."""
    readable_named(name)
    try:
        return reader(name, reading)
    except BadReading as error:
        raise errors.Invalid(error.message, field=error.field) from error


def check_reading(name: str, reading: Mapping[str, Any]) -> dict[str, Any]:
    """The reading as an Import keeps it, {} for formats whose reader is told nothing. Raises Invalid."""
    fmt = readable_named(name)
    try:
        return complete(fmt.name, fmt.told, reading)
    except BadReading as error:
        raise errors.Invalid(error.message, field=error.field) from error


def reading_of(row: Import) -> dict[str, Any]:
    """What the reader of its files is told; {} where its format needs nothing, or it is yet to be said."""
    return dict(row.options.get("reading") or {})


def read(
    one: Callable[[Source, str], Iterator[T]],
    files: Sequence[File],
    at: Callable[[int], None] = lambda done: None,
) -> Generator[T, None, None]:
    """What `one` reads of all files, in order; `at` is told the bytes read so far. Raises UnreadableFile."""
    before = 0
    for file in files:
        try:
            source = Path(file.path).open("rb")  # noqa: SIM115
        except OSError as error:
            raise UnreadableFile(Place(file.name, 0), f"cannot be read: {error.strerror}") from error
        with source:
            for record in one(source, file.name):
                at(before + source.tell())
                yield record
            before += source.tell()


def total_size(files: Sequence[File]) -> int:
    return sum(Path(file.path).stat().st_size for file in files if Path(file.path).is_file())


def fingerprint(files: Sequence[File]) -> list[list[Any]]:
    """What tells whether a file has changed between two passes. A missing file is None."""
    stats = [Path(file.path).stat() if Path(file.path).is_file() else None for file in files]
    return [[stat.st_size, stat.st_mtime_ns] if stat else [None, None] for stat in stats]


class Keys:
    """The identity of each record within a project. Equal records of one import are numbered, so that they
    stay apart; the same file read again gives the same keys, and so nothing new."""

    def __init__(self, fmt: str) -> None:
        self._format = fmt
        self._seen: dict[bytes, int] = {}
        self.n_repeated = 0

    def of(self, record: ImportRecord | LoneProblem) -> tuple[str, str]:
        """The solution's key and its content digest; a lone problem's key and ""."""
        if isinstance(record, LoneProblem):
            return problem_key(record.problem, ""), ""
        question = record.changed_problem or record.problem
        content = solution_digest(question.text, record.solution.steps)
        first = digest("record", self._format, record.foreign_id, content, 0)
        short = bytes.fromhex(first[:32])
        n = self._seen.get(short, 0)
        self._seen[short] = n + 1
        if not n:
            return first, content
        self.n_repeated += 1
        return digest("record", self._format, record.foreign_id, content, n), content


def problem_key(record: ProblemRecord, parent: str) -> str:
    """A problem's identity within a project; parent: the key of the one it was made from, or ""."""
    return digest(record.group, record.text, record.answer, record.meta, parent)


def forget_files(row: Import) -> None:
    """Delete what was uploaded for an import; files named by a command are not ours."""
    shutil.rmtree(folder_of(row), ignore_errors=True)


def folder_of(row: Import) -> Path:
    return Path(settings.DATA_DIR) / "imports" / str(row.pk)
