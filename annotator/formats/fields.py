"""Checks of one record's known fields. Each returns the field's value or raises FormatError at its place."""

import re
from typing import Any, Final, TypeVar

from annotator.formats.decoding import RawRecord, fault, shown

T = TypeVar("T")

MAX_ID: Final = 200  # what a column for ids holds
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


def source_of(foreign_id: str, otherwise: str) -> str:
    """Return the part of a benchmark that an id such as `prm_test_p1_7` or `gsm8k-7` names, if it does."""
    numbered = _NUMBERED.fullmatch(foreign_id)
    return numbered[1] if numbered else otherwise


def _fault(raw: RawRecord, key: str, path: str, value: Any, message: str) -> Exception:
    if key not in raw.fields:
        return fault(raw.place, path, "is missing")
    return fault(raw.place, path, f"{message}, not {shown(value)}")
