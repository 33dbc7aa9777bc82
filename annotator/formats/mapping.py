"""Where our words stand in a group's own records: maps, and records seen through them.

A place is a dotted path: names of members, 0-based places in lists; a backslash makes a dot or comma part of
a name.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from annotator.formats import fields, verbatim
from annotator.formats.decoding import RawRecord, fault
from annotator.formats.records import FormatError

NAME: Final = "jsonl"
WORDS: Final = (
    "problem", "answer", "response", "steps", "id", "group", "digest", "meta", "labels", "scores",
    "first_error", "rater",
)  # fmt: skip

Path = tuple[str, ...]

_FORM: Final = verbatim.Form(NAME, verbatim.LINES)
_TOKEN: Final = re.compile(r"\\.|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Map:
    """Where our words stand in a record. `meta` may have several places."""

    places: dict[str, Path]
    meta: tuple[Path, ...] = ()

    def __contains__(self, word: str) -> bool:
        return word in self.places


def parse_map(text: str) -> Map:
    """Return the map that a text such as `problem=question,steps=solution.steps` spells.

    Raises ValueError for an unknown or repeated word, a missing place, and words that exclude each other.
    """
    places: dict[str, Path] = {}
    meta: list[Path] = []
    for part in _parts(text, ","):
        name, equals, place = part.partition("=")
        word = name.strip()
        path = parse_place(place.strip())
        if word not in WORDS:
            raise ValueError(f"{word!r} is none of {', '.join(WORDS)}")
        if not equals or not all(path):
            raise ValueError(f"{word} needs a place, such as {word}=a.b")
        if word == "meta":
            meta.append(path)
        elif word in places:
            raise ValueError(f"{word} is mapped twice")
        else:
            places[word] = path
    if "response" in places and "steps" in places:
        raise ValueError("a solution is either response or steps, not both")
    return Map(places, tuple(meta))


def parse_place(text: str) -> Path:
    """Return the place that a text such as `question.text` spells."""
    return tuple(re.sub(r"\\(.)", r"\1", key) for key in _parts(text, "."))


def spelled(path: Path) -> str:
    """Return a place as a map spells it."""
    return ".".join(re.sub(r"([.,\\])", r"\\\1", name) for name in path)


def paths_of(value: Any, depth: int = 4) -> list[str]:
    """Return the places of a decoded record's values, in its order, as a map spells them: for a preview.

    Lists count as values; the first element's members are listed too where it is an object.
    """
    return [spelled(path) for path in _paths(value, (), depth) if all(path)]


class View:
    """A record seen through a map. Fields are known by their place, so that errors name that."""

    def __init__(self, raw: RawRecord, of: Map) -> None:
        self._whole, self._map = raw, of
        found = {spelled(path): value_at(raw.fields, path) for path in of.places.values()}
        there = {key: value for key, value in found.items() if value is not None}
        self.raw = RawRecord(raw.place, there, "")

    def key(self, word: str) -> str:
        """Return the place of a word, spelled as in the map; "" if it has none."""
        return spelled(self._map.places.get(word, ()))

    def has(self, word: str) -> bool:
        """Whether the record has a value for the word."""
        return word in self._map and self.key(word) in self.raw.fields

    def value(self, word: str) -> Any:
        return self.raw.fields.get(self.key(word))

    def fault(self, word: str, message: str) -> FormatError:
        return fault(self.raw.place, self.key(word), message)

    def text(self, word: str) -> str | None:
        """Return a text, or a number as text; None if the record or the map has none."""
        return fields.text_or_number(self.raw, self.key(word)) if self.has(word) else None

    def identifier(self, word: str, longest: int = fields.MAX_ID) -> str:
        """Return an id or name, "" if the record or the map has none."""
        found = self.text(word)
        if found is not None and not 0 < len(found.strip()) <= len(found) <= longest:
            raise self.fault(word, f"must have 1 to {longest} characters, and not only blanks")
        return found or ""

    def meta(self) -> dict[str, Any]:
        """Return what is to be kept of the record by name. Raises FormatError."""
        found: dict[str, Any] = {}
        for path in self._map.meta:
            value = value_at(self._whole.fields, path)
            verbatim.check_depth(self.raw, spelled(path), value)
            if not _is_finite(value):
                raise fault(self.raw.place, spelled(path), "is or holds too large a number")
            found |= value if isinstance(value, dict) else {} if value is None else {path[-1]: value}
        return found

    def extra(self) -> str:
        """Return the members that the map does not use, as `extra`."""
        used = {path[0] for path in (*self._map.places.values(), *self._map.meta)}
        return verbatim.others(_FORM, self._whole, used)


def value_at(value: Any, path: Sequence[str]) -> Any:
    """Return the part of a decoded record at a place, or None if there is none."""
    for name in path:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _parts(text: str, mark: str) -> list[str]:
    """Split at a mark that no backslash makes part of a name."""
    parts = [""]
    for token in _TOKEN.findall(text):
        if token == mark:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def _is_finite(value: Any) -> bool:
    """Whether a database can keep all numbers in a value: 1e999 is infinite to Python."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _paths(value: Any, before: Path, depth: int) -> Iterator[Path]:
    members: Iterable[tuple[str, Any]] = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        yield before
        members = [("0", value[0])] if value and isinstance(value[0], dict) else ()
    elif not isinstance(value, dict) or not depth:
        yield before
    for name, part in members if depth else ():
        yield from _paths(part, (*before, name), depth - 1)
