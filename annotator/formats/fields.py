"""Checks of one record's known fields. Each returns the field's value or raises FormatError at its place."""

import hashlib
import json
import math
import re
import unicodedata
from typing import Any, Final, TypeVar

from annotator.formats.decoding import RawRecord, fault, shown

T = TypeVar("T")

MAX_ID: Final = 200  # what a column for ids holds
MAX_RATER: Final = 150  # and what one for raters' names holds
_NUMBERED: Final = re.compile(r"(.+)[_-]\d+", re.DOTALL)


def text(raw: RawRecord, key: str) -> str:
    """Return a required text, blank or not."""
    value = raw.fields.get(key)
    if type(value) is not str:
        raise _fault(raw, key, key, value, "must be text")
    return value


def filled(raw: RawRecord, key: str) -> str:
    """Return a required text that is more than blanks."""
    value = text(raw, key)
    if not value or value.isspace():
        raise fault(raw.place, key, "must not be empty")
    return value


def identifier(raw: RawRecord, key: str) -> str:
    """Return a required id: a filled text of at most MAX_ID characters."""
    value = filled(raw, key)
    if len(value) > MAX_ID:
        raise fault(raw.place, key, f"must have at most {MAX_ID} characters, not {len(value)}")
    return value


def text_or_number(raw: RawRecord, key: str) -> str | None:
    """Return a text, or a number as JSON spells it, or None if it is missing or null."""
    value = raw.fields.get(key)
    if value is None or type(value) is str:
        return value
    if type(value) not in (int, float):
        raise _fault(raw, key, key, value, "must be text, a number or null")
    _number(raw, key, value)
    return json.dumps(value)


def steps(raw: RawRecord, key: str) -> tuple[str, ...]:
    """Return a required list of at least one text. Released data has empty steps, so they pass."""
    value = raw.fields.get(key)
    if type(value) is not list:
        raise _fault(raw, key, key, value, "must be a list of texts")
    if not value:
        raise fault(raw.place, key, "must have at least one step")
    for position, step in enumerate(value):
        if type(step) is not str:
            raise _fault(raw, key, f"{key}[{position}]", step, "must be text")
    return tuple(value)


def whole_numbers(raw: RawRecord, key: str) -> tuple[int, ...]:
    """Return a required list of whole numbers: 2.0 and true are none."""
    value = raw.fields.get(key)
    if type(value) is not list:
        raise _fault(raw, key, key, value, "must be a list of whole numbers")
    for position, number in enumerate(value):
        if type(number) is not int:
            raise _fault(raw, key, f"{key}[{position}]", number, "must be a whole number")
    return tuple(value)


def whole_number(raw: RawRecord, key: str) -> int:
    """Return a required whole number."""
    value = raw.fields.get(key)
    if type(value) is not int:
        raise _fault(raw, key, key, value, "must be a whole number")
    return value


def optional(raw: RawRecord, key: str, kind: type[T], name: str) -> T | None:
    """Return a value of that very type (`name` is it in words), or None if it is missing or null."""
    value = raw.fields.get(key)
    if value is not None and type(value) is not kind:
        raise _fault(raw, key, key, value, f"must be {name} or null")
    return value


def number(raw: RawRecord, key: str) -> float | int | None:
    """Return a number as it stands (2 stays whole), or None if it is missing or null. true is none."""
    value = raw.fields.get(key)
    if value is not None:
        _number(raw, key, value)
    return value


def numbers(raw: RawRecord, key: str) -> tuple[float, ...]:
    """Return a required list of numbers."""
    value = raw.fields.get(key)
    if type(value) is not list:
        raise _fault(raw, key, key, value, "must be a list of numbers")
    if set(map(type, value)) == {float} and all(map(math.isfinite, value)):
        return tuple(value)  # the usual case; no look at each
    return tuple(_number(raw, f"{key}[{position}]", number) for position, number in enumerate(value))


def inner(raw: RawRecord, key: str) -> RawRecord:
    """Return a required object as a record, so that its fields are checked, and named, as a record's are."""
    value = raw.fields.get(key)
    if type(value) is not dict:
        raise _fault(raw, key, key, value, "must be an object")
    return RawRecord(fault(raw.place, key, "").place, value, "")


def objects(raw: RawRecord, key: str) -> list[RawRecord]:
    """Return a required list of objects as records; null is an empty list."""
    value = raw.fields.get(key)
    if value is None and key in raw.fields:
        return []
    if type(value) is not list:
        raise _fault(raw, key, key, value, "must be a list of objects")
    return [_object(raw, f"{key}[{position}]", part) for position, part in enumerate(value)]


def group_of(problem: str) -> str:
    """Return the group of a problem without an id: the same for texts that differ only in blanks."""
    even = " ".join(unicodedata.normalize("NFC", problem).split())
    return f"problem-{hashlib.sha256(even.encode()).hexdigest()[:16]}"


def id_of(name: str, *parts: Any) -> str:
    """Return an id for a record without one: a digest of JSON values, `name-` and 16 hexadecimal digits."""
    return f"{name}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}"


def source_of(foreign_id: str, otherwise: str) -> str:
    """Return the part of a benchmark that an id such as `prm_test_p1_7` or `gsm8k-7` names, if it does."""
    numbered = _NUMBERED.fullmatch(foreign_id)
    return numbered[1] if numbered else otherwise


def _number(raw: RawRecord, path: str, value: Any) -> float:
    if type(value) not in (int, float):
        raise fault(raw.place, path, f"must be a number, not {shown(value)}")
    try:
        real = float(value)
    except OverflowError:
        real = math.inf
    if not math.isfinite(real):
        raise fault(raw.place, path, "is too large a number")
    return real


def _object(raw: RawRecord, path: str, value: Any) -> RawRecord:
    if type(value) is not dict:
        raise fault(raw.place, path, f"must be an object, not {shown(value)}")
    return RawRecord(fault(raw.place, path, "").place, value, "")


def _fault(raw: RawRecord, key: str, path: str, value: Any, message: str) -> Exception:
    if key not in raw.fields:
        return fault(raw.place, path, "is missing")
    return fault(raw.place, path, f"{message}, not {shown(value)}")
