"""Files of judgements of solutions that are here already: one reader for each format, told what it needs.

jsonl                 a group's own JSON lines, by a map (annotator.formats.mapped)
prmbench_results      what PRMBench's toolkit writes, bare or wrapped (annotator.formats.results)
processbench_results  what ProcessBench's script writes (annotator.formats.results)
potato                Potato's process rewards (annotator.formats.potato)
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from annotator.formats import mapped, potato, results
from annotator.formats.decoding import RawRecord
from annotator.formats.mapping import NAME as JSONL
from annotator.formats.mapping import Map, View, parse_map
from annotator.formats.reading import Source
from annotator.formats.records import AnnotationRecord, FormatError, Place

Read = Callable[[Source, str], Iterator[AnnotationRecord | FormatError]]

NAMES: Final = (JSONL, results.PRMBENCH, results.PROCESSBENCH, potato.NAME)
WORDS: Final = ("id", "digest", "labels", "scores", "first_error", "rater")
NATURAL: Final = ",".join(f"{word}={word}" for word in WORDS)
_NATURAL_ID: Final = "id=id,digest=digest"


@dataclass(frozen=True, slots=True)
class Reader:
    """`read` yields a file's judgements; the others are the fields that errors found later name."""

    read: Read
    id: str
    rater: str = ""
    digest: str = ""
    first_error: str = ""

    def which(self, record: AnnotationRecord) -> str:
        """Return the field that says which solution a record is of."""
        return self.id if record.foreign_id else self.digest


def reader(
    name: str, *, map: str = "", zero: str = "", trust_verified: bool = False, neutral_button: bool = False
) -> Reader:
    """Return what reads files of a format. map, zero: for jsonl; the two flags for potato (see there).

    Raises ValueError for a map that cannot be.
    """
    if name == JSONL:
        return _mapped(map, zero)
    if name == results.PRMBENCH:
        return Reader(results.read_prmbench, "idx", "model_name")
    if name == results.PROCESSBENCH:
        return Reader(results.read_processbench, "id")
    read = partial(potato.read, trust_verified=trust_verified, neutral=neutral_button)
    return Reader(read, "instance_id", "annotator")


def maps_rater(map: str) -> bool:
    """Whether a map that somebody wrote says where the rater is. Raises ValueError."""
    return bool(map) and "rater" in parse_map(map)


def _mapped(text: str, zero: str) -> Reader:
    of = _parsed(text)
    of_zero: mapped.Zero | None = "neutral" if zero == "neutral" else "wrong" if zero == "wrong" else None
    mapped.read_annotations(io.BytesIO(), "", of)  # a map that lacks something is refused before any file

    def read(source: Source, name: str) -> Iterator[AnnotationRecord | FormatError]:
        return mapped.read_annotations(source, name, of, of_zero)

    place = View(RawRecord(Place("", 0), {}, ""), of).key
    return Reader(read, place("id"), place("rater"), place("digest"), place("first_error"))


def _parsed(text: str) -> Map:
    """The map; a map of judgements alone finds solutions by the usual names."""
    of = parse_map(text or NATURAL)
    for word in [*of.places, *(["meta"] if of.meta else [])]:
        if word not in WORDS:
            raise ValueError(f"{word} is not read here, only {', '.join(WORDS)}")
    if "id" in of or "digest" in of:
        return of
    return parse_map(f"{text},{_NATURAL_ID}")
