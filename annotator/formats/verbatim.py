"""Records that go out as they came in: what of a record's JSON text nothing else can rebuild.

Most of a record is kept as data of our own. `keep` makes `extra`, a JSON text of the rest ("" when there
is no rest), and `restore` writes the record again from both. Its members, each only where needed:

    of       the format's name: a record may be written in another one, to which `extra` says nothing
    values   {field: value} of unknown fields, and of known ones that differ from what we would write
    spelled  {field: JSON text} where writing the value anew would spell it differently (1e5, 1.10, \\/)
    order    the fields' names, if neither the format's order nor that with the unknown ones at the end
    layout   one of the format's other layouts (escaped, without blanks)
    line     the whole text, if it is spaced like none of the layouts (JSON lines only)

So every record of a JSON lines file goes out byte for byte, and one of a JSON list if the list is laid
out as the format's own is; otherwise only its blanks differ.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from annotator.formats.decoding import RawRecord, fault

MAX_DEPTH: Final = 50  # of an unknown field; far below what Python's encoder can recurse
_SPACE = re.compile(r"[ \t\r\n]*")
_UNCHANGED: Final[frozenset[str]] = frozenset()
_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Encode = Callable[[Any], str]


def _line(ascii_only: bool, item: str, colon: str) -> Encode:
    return json.JSONEncoder(ensure_ascii=ascii_only, separators=(item, colon)).encode


def _element(ascii_only: bool) -> Encode:
    """An element of a list with indent 2: encoded in such a list, then taken out of it."""
    encode = json.JSONEncoder(ensure_ascii=ascii_only, indent=2).encode
    return lambda value: encode([value])[4:-2]


LINES: Final[Mapping[str, Encode]] = {
    "": _line(False, ", ", ": "),
    "ascii": _line(True, ", ", ": "),
    "tight": _line(False, ",", ":"),
    "ascii tight": _line(True, ",", ":"),
}
ELEMENTS: Final[Mapping[str, Encode]] = {"": _element(False), "ascii": _element(True)}


@dataclass(frozen=True, slots=True)
class Form:
    """How a format writes a record: its layouts by name, "" the usual one."""

    name: str
    layouts: Mapping[str, Encode]

    @property
    def is_lines(self) -> bool:
        return self.layouts is LINES


def keep(form: Form, raw: RawRecord, rebuilt: dict[str, Any], usual: tuple[str, ...]) -> str:
    """Return `extra` for a record of which `rebuilt` holds the values that we would write by ourselves.

    usual: the format's order of fields. Raises FormatError for an unknown field nested too deeply.
    """
    fields = raw.fields
    values = {key: fields[key] for key in fields if key not in rebuilt or rebuilt[key] != fields[key]}
    for key, value in values.items():
        check_depth(raw, key, value)
    extra: dict[str, Any] = {}
    if form.layouts[""](fields) != raw.text:
        extra = _spelling(form, raw)
    kept = {key: value for key, value in values.items() if key not in extra.get("spelled", {})}
    if kept:
        extra["values"] = kept
    if tuple(fields) != _order(usual, extra):
        extra["order"] = list(fields)
    return _dump({"of": form.name, **extra}) if extra else ""


def check_depth(raw: RawRecord, key: str, value: Any) -> None:
    """Raise FormatError for a value that is nested too deeply to be written again."""
    if _is_deep(value):
        raise fault(raw.place, key, f"is nested deeper than {MAX_DEPTH}")


def exact(raw: RawRecord, rebuilt: dict[str, Any]) -> dict[str, Any]:
    """Return those of `rebuilt` that would be written as the record has them, down to the order of inner
    fields and to 1 or 1.0. For `keep`, where fields hold objects. Raises FormatError as it does."""
    found = {}
    for key, value in raw.fields.items():
        check_depth(raw, key, value)
        if key in rebuilt and _dump(rebuilt[key]) == _dump(value):
            found[key] = value
    return found


def is_of(form: Form, extra: str) -> bool:
    """Whether `extra` says that the record came in this form, and differs from what we would write."""
    return extra.startswith(f'{{"of":"{form.name}"')


def kept_value(form: Form, extra: str, key: str) -> Any:
    """Return the value of a field that `extra` holds, or None if it holds none."""
    kept = json.loads(extra) if extra else {}
    if kept.get("of") != form.name:
        return None
    spelled = kept.get("spelled", {})
    return json.loads(spelled[key]) if key in spelled else kept.get("values", {}).get(key)


def others(form: Form, raw: RawRecord, known: Iterable[str]) -> str:
    """Return `extra` for a record that is never written back: its other fields, as values."""
    values = {key: value for key, value in raw.fields.items() if key not in frozenset(known)}
    for key, value in values.items():
        check_depth(raw, key, value)
    return _dump({"of": form.name, "values": values}) if values else ""


def restore(
    form: Form,
    extra: str,
    rebuilt: dict[str, Any],
    usual: tuple[str, ...],
    changed: frozenset[str] = _UNCHANGED,
) -> str:
    """Return the record's JSON text. `changed`: the fields of `rebuilt` that are no longer what came in."""
    kept = json.loads(extra) if extra else {}
    if kept.get("of") != form.name:
        kept = {}
    if "line" in kept and not changed:
        line: str = kept["line"]
        return line
    values = {**rebuilt, **kept.get("values", {}), **{key: rebuilt[key] for key in changed}}
    spelled = kept.get("spelled", {})
    order = kept.get("order") or _order(usual, kept)
    order = [*order, *(key for key in usual if key in changed and key not in order)]
    fields = {key: values.get(key) for key in order}
    return _encode(form.layouts[kept.get("layout", "")], fields, spelled, changed)


def _order(usual: tuple[str, ...], kept: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the usual fields, then what else was kept."""
    keys: Iterable[str] = [*usual, *kept.get("values", ()), *kept.get("spelled", ())]
    return tuple(dict.fromkeys(keys))


def _spelling(form: Form, raw: RawRecord) -> dict[str, Any]:
    """Return what of `extra` makes the text come out as it is: layout, spelled, line."""
    for name, encode in form.layouts.items():
        if encode(raw.fields) == raw.text:
            return {"layout": name}
    spelled = {
        key: text for key, text in member_texts(raw.text).items() if not _is_usual(raw.fields[key], text)
    }
    found: dict[str, Any] = {"spelled": spelled} if spelled else {}
    for name, encode in form.layouts.items():
        if _encode(encode, raw.fields, spelled) == raw.text:
            return found | ({"layout": name} if name else {})
    return found | ({"line": raw.text} if form.is_lines and "\n" not in raw.text else {})


def _is_usual(value: Any, text: str) -> bool:
    """Whether some layout spells the value so."""
    return any(text == encode(value) for encode in LINES.values()) or any(
        text == _indented(encode, value) for encode in ELEMENTS.values()
    )


def _indented(encode: Encode, value: Any) -> str:
    return encode({"": value})[len('{\n    "": ') : -len("\n  }")]


def _encode(
    encode: Encode, fields: dict[str, Any], spelled: Mapping[str, str], changed: frozenset[str] = _UNCHANGED
) -> str:
    """Encode, with the spelled fields' own texts put in.

    They stand in as texts with a NUL, which no record can hold, until all else is encoded.
    """
    marks = {key: f"\0{n}" for n, key in enumerate(spelled) if key in fields and key not in changed}
    text = encode({**fields, **marks})
    for key, mark in marks.items():
        text = text.replace(json.dumps(mark), spelled[key], 1)
    return text


def member_texts(text: str) -> dict[str, str]:
    """Return each member's value, by its name, as the JSON text of an object spells it.

    The text must be one correct JSON object.
    """
    decode = json.JSONDecoder().raw_decode
    texts: dict[str, str] = {}
    at = _skip(text, 1)
    while text[at] != "}":
        key, at = decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, at = decode(text, start)
        texts[key] = text[start:at]
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at] == "," else at
    return texts


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    return space.end() if space else at


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        parts = [part for part in level if isinstance(part, list | dict)]
        if not parts:
            return False
        level = [inner for part in parts for inner in (part.values() if isinstance(part, dict) else part)]
    return True
