"""Foreign files as a stream of JSON objects with their places: JSON lines, or one JSON list.

Memory stays flat: neither a file nor a list is ever held whole. A byte order mark is skipped, and a
name ending in .gz means gzip. A bad record comes as a FormatError *in* the stream, so that a reader can
go on and report them all (the first fault of each); a file that cannot be read on raises UnreadableFile.

Stricter than JSON: an object may not name a field twice; NaN and Infinity are no numbers; NUL and lone
surrogates are no text (no database could store them).
"""

import codecs
import gzip
import itertools
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, TypeVar

from annotator.formats.decoding import Decoder, RawRecord, unbearable
from annotator.formats.records import FormatError, Place, UnreadableFile

T = TypeVar("T")

Source = str | os.PathLike[str] | IO[bytes]

CHUNK: Final = 1 << 18
MAX_RECORD: Final = 1 << 24  # a longer record is no record, and must not fill the memory
_SPACE = re.compile(r"[ \t\r\n]*")
# How far from the end a fault may lie that more text could mend: the longest token but a string.
_TOKEN: Final = 16


def read_records(source: Source, name: str) -> Iterator[RawRecord | FormatError]:
    """Yield the objects of a file of either kind; it is a list if its first character is `[`.

    source: a path or a binary file (left open). name: what places call the file; also tells gzip.
    Raises UnreadableFile.
    """
    with _chunks(source, name) as chunks:
        head = b""
        for chunk in chunks:
            head += chunk
            if head.strip() or len(head) > MAX_RECORD:
                break
        read = _list_records if head.lstrip().startswith(b"[") else _line_records
        yield from read(itertools.chain([head], chunks), name)


def read_jsonl(source: Source, name: str) -> Iterator[RawRecord | FormatError]:
    """Yield the objects of JSON lines; blank lines are skipped. Raises UnreadableFile."""
    with _chunks(source, name) as chunks:
        yield from _line_records(chunks, name)


def read_json_list(source: Source, name: str) -> Iterator[RawRecord | FormatError]:
    """Yield the objects of one JSON list. Raises UnreadableFile, also where a record is broken: where the
    next one would begin cannot be known."""
    with _chunks(source, name) as chunks:
        yield from _list_records(chunks, name)


def convert(
    records: Iterator[RawRecord | FormatError], one: Callable[[RawRecord], T]
) -> Iterator[T | FormatError]:
    """Yield `one(record)` for each, and the FormatErrors, its own included, in their place."""
    return convert_each(records, lambda record: (one(record),))


def convert_each(
    records: Iterator[RawRecord | FormatError], several: Callable[[RawRecord], Iterable[T]]
) -> Iterator[T | FormatError]:
    """Yield all that each record becomes: all of `several(record)`, or its FormatError alone."""
    for record in records:
        if isinstance(record, FormatError):
            yield record
            continue
        try:
            converted: Iterable[T | FormatError] = tuple(several(record))
        except FormatError as error:
            converted = (error,)
        yield from converted


@contextmanager
def _chunks(source: Source, name: str) -> Iterator[Iterator[bytes]]:
    """Open what needs opening, and tell of a file that cannot be read with its name."""
    try:
        with _opened(source, name) as file:
            yield _without_mark(file)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFile(Place(name, 0), f"is broken gzip: {error}") from error
    except OSError as error:
        raise UnreadableFile(Place(name, 0), f"cannot be read: {error.strerror or error}") from error


@contextmanager
def _opened(source: Source, name: str) -> Iterator[IO[bytes]]:
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as file, _opened(file, name) as opened:
            yield opened
    elif name.lower().endswith(".gz"):
        with gzip.GzipFile(fileobj=source, mode="rb") as unpacked:
            yield unpacked  # type: ignore[misc]  # GzipFile reads as a binary file does
    else:
        yield source


def _without_mark(file: IO[bytes]) -> Iterator[bytes]:
    head = file.read(CHUNK)
    yield head.removeprefix(codecs.BOM_UTF8)
    while chunk := file.read(CHUNK):
        yield chunk


# ---- JSON lines


def _line_records(chunks: Iterator[bytes], name: str) -> Iterator[RawRecord | FormatError]:
    decoder = Decoder()
    for number, line in _lines(chunks, name):
        place = Place(name, number)
        try:
            text = line.decode().strip(" \t\r\n")
        except UnicodeDecodeError as error:
            message = f"is not UTF-8 (byte {error.start + 1} of the line)"
            raise UnreadableFile(place, message) from error
        if text:
            yield decoder.record(place, text)


def _lines(chunks: Iterator[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Number the lines from 1. Only b"\\n" ends a line: texts hold U+2028 and the like."""
    number, rest = 0, b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield number, line
        if len(rest) > MAX_RECORD:
            raise UnreadableFile(Place(name, number + 1), f"is longer than {MAX_RECORD} bytes")
    if rest:
        yield number + 1, rest


# ---- one JSON list


def _list_records(chunks: Iterator[bytes], name: str) -> Iterator[RawRecord | FormatError]:
    text = _Text(_decoded(chunks, name), name)
    if text.next() != "[":
        raise text.unreadable("must be a JSON list")
    text.skip(1)
    if text.next() == "]":
        text.skip(1)
    else:
        yield from _elements(text)
    if text.next():
        raise text.unreadable("goes on after its list has ended")


def _elements(text: "_Text") -> Iterator[RawRecord | FormatError]:
    """Yield the list's elements, from the first to past its closing bracket."""
    mark = ","
    while mark == ",":
        text.next()
        yield text.record()
        mark = text.next()
        if mark not in (",", "]"):
            raise text.unreadable("must have ',' or ']' here" if mark else "ends before its list does")
        text.skip(1)


def _decoded(chunks: Iterator[bytes], name: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    for chunk in itertools.chain(chunks, [b""]):
        try:
            yield decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line += error.object.count(b"\n", 0, error.start)
            raise UnreadableFile(Place(name, line), "is not UTF-8") from error
        line += chunk.count(b"\n")


class _Text:
    """A window that moves over a long text: what lies behind `_at` is dropped when more is read."""

    def __init__(self, pieces: Iterator[str], name: str) -> None:
        self._pieces, self._name = pieces, name
        self._window, self._at, self._line = "", 0, 1
        self._ended = False
        self._decoder = Decoder()

    def next(self) -> str:
        """Move past blanks to the next character and return it, or "" at the end."""
        while True:
            space = _SPACE.match(self._window, self._at)
            self.skip(space.end() - self._at if space else 0)
            if self._at < len(self._window):
                return self._window[self._at]
            if self._ended:
                return ""
            self._read()

    def skip(self, n: int) -> None:
        self._line += self._window.count("\n", self._at, self._at + n)
        self._at += n

    def record(self) -> RawRecord | FormatError:
        """Read the value that starts here and move past it."""
        value, end = self._value()
        place, text = Place(self._name, self._line), self._window[self._at : end]
        self.skip(end - self._at)
        return self._decoder.checked(place, value, text)

    def unreadable(self, message: str) -> UnreadableFile:
        return UnreadableFile(Place(self._name, self._line), message)

    def _value(self) -> tuple[Any, int]:
        while True:
            try:
                value, end = self._decoder.value(self._window, self._at)
                # A number at the window's end may have been cut short.
                if end < len(self._window) or self._ended:
                    return value, end
            except json.JSONDecodeError as error:
                if self._ended or self._is_broken(error):
                    raise self.unreadable(f"holds a record that is not JSON: {error.msg}") from error
            except (ValueError, RecursionError) as error:
                raise self.unreadable(f"holds a record that {unbearable(error)}") from error
            self._read()

    def _is_broken(self, error: json.JSONDecodeError) -> bool:
        """Whether no further text could make JSON of it."""
        cut = error.msg.startswith("Unterminated string") or error.pos + _TOKEN > len(self._window)
        return not cut

    def _read(self) -> None:
        if len(self._window) - self._at > MAX_RECORD:
            raise self.unreadable(f"holds a record longer than {MAX_RECORD} characters")
        piece = next(self._pieces, None)
        self._ended = piece is None
        self._window = self._window[self._at :] + (piece or "")
        self._at = 0
