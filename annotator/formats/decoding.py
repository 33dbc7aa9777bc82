"""JSON objects, stricter than JSON: what the standard lets pass and we do not is refused with its place."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from annotator.formats.records import FormatError, Place

MAX_SHOWN: Final = 60
# Only an escape can bring these in: a raw one is refused by the JSON scanner or the UTF-8 decoder.
_SUSPECT = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")


class RawRecord(NamedTuple):
    """An object of the file: its place, its fields, and its JSON text as it stands there."""

    place: Place
    fields: dict[str, Any]
    text: str


class Decoder:
    """Decodes JSON, one value at a time."""

    def __init__(self) -> None:
        self._repeated: list[str] = []
        self._constants: list[str] = []
        hooked = json.JSONDecoder(object_pairs_hook=self._object, parse_constant=self._constant)
        self._decode = hooked.raw_decode

    def value(self, text: str, start: int = 0) -> tuple[Any, int]:
        """Return the value that starts there and where it ends. Raises ValueError, RecursionError."""
        self._repeated.clear()
        self._constants.clear()
        return self._decode(text, start)

    def record(self, place: Place, text: str) -> RawRecord | FormatError:
        """Return the object that is the whole of `text`, or what is wrong with it."""
        try:
            value, end = self.value(text)
        except json.JSONDecodeError as error:
            return FormatError(place, f"is not JSON: {error.msg} at character {error.pos + 1}")
        except (ValueError, RecursionError) as error:
            return FormatError(place, unbearable(error))
        if end != len(text):
            return FormatError(place, f"is not JSON: more text at character {end + 1}")
        return self.checked(place, value, text)

    def checked(self, place: Place, value: Any, text: str) -> RawRecord | FormatError:
        """Return the record, if the value just decoded from `text` is an object that we can keep."""
        if not isinstance(value, dict):
            return FormatError(place, f"must be a JSON object, not {shown(value)}")
        if self._repeated:
            return fault(place, self._repeated[0], "is given twice")
        if self._constants or _SUSPECT.search(text):
            found = _first_fault(value)
            if found:
                return fault(place, *found)
        return RawRecord(place, value, text)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            keys = [key for key, _ in pairs]
            self._repeated.append(next(key for at, key in enumerate(keys) if key in keys[:at]))
        return fields

    def _constant(self, name: str) -> "_NoNumber":
        self._constants.append(name)
        return _NoNumber(name)


class _NoNumber(str):
    """NaN, Infinity or -Infinity, so that its place can be found."""


def fault(place: Place, path: str, message: str) -> FormatError:
    """Return the error at one field of a record, or of the part of it that `place` names."""
    whole = f"{place.field}.{path}" if place.field and path else place.field or path
    return FormatError(Place(place.file, place.line, shortened(whole)), message)


def unbearable(error: Exception) -> str:
    """Say what is wrong with JSON that is correct but more than Python will decode."""
    return "is nested too deeply" if isinstance(error, RecursionError) else "holds a number that is too long"


def shortened(text: str) -> str:
    """Return the text as a message can show it: cut, and what cannot be printed escaped."""
    cut = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return cut if cut.isprintable() else repr(cut)[1:-1]


def shown(value: Any) -> str:
    """Name a JSON value in a message."""
    match value:
        case str():
            return f"'{shortened(value)}'"
        case dict():
            return "an object"
        case list():
            return "a list"
        case _:
            return shortened(json.dumps(value))


def _first_fault(value: dict[str, Any]) -> tuple[str, str] | None:
    try:
        return next(_faults(value, ""), None)
    except RecursionError as error:
        return "", unbearable(error)


def _faults(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield (path, message) of every text and number in a value that cannot be kept."""
    if isinstance(value, _NoNumber):
        yield path, f"must be a number, not {value}"
    elif isinstance(value, str):
        yield from _text_faults(value, path)
    elif isinstance(value, list):
        for position, part in enumerate(value):
            yield from _faults(part, f"{path}[{position}]")
    elif isinstance(value, dict):
        for key, part in value.items():
            inner = f"{path}.{key}" if path else key
            yield from _text_faults(key, inner)
            yield from _faults(part, inner)


def _text_faults(text: str, path: str) -> Iterator[tuple[str, str]]:
    if "\0" in text:
        yield path, "holds the character NUL"
    if surrogate := _SURROGATE.search(text):
        yield path, f"holds half of a character (the lone surrogate U+{ord(surrogate[0]):04X})"
