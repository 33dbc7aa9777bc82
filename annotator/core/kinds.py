"""The error types of a project: PRMBench's eight, or a list of the project's own.

A list of its own is kept as JSON: [{"code", "title", "key", "definition"}].
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from annotator.core.labels import ERROR_TYPES, ErrorType

MOST: Final = 20
PARTS: Final = ("code", "title", "key", "definition")
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST: Final = {"title": 40, "definition": 400}
# The eight as a list of one's own would begin with them.
PRMBENCH: Final = tuple(
    {"code": kind.code, "title": kind.title, "key": kind.key, "definition": kind.definition}
    for kind in ERROR_TYPES
)


class BadKinds(ValueError):
    """`at` is the 0-based place in the list, None for the list as a whole."""

    def __init__(self, at: int | None, message: str) -> None:
        super().__init__(message if at is None else f"error type {at + 1}: {message}")
        self.at = at


def error_types(own: Sequence[Mapping[str, str]]) -> tuple[ErrorType, ...]:
    """Return the error types that a reviewer may name, in order; `own` is a checked list, or empty."""
    return _made(json.dumps(list(own))) if own else ERROR_TYPES


@lru_cache(maxsize=256)
def _made(own: str) -> tuple[ErrorType, ...]:
    return tuple(
        ErrorType(kind["code"], kind["code"], "", kind["title"], kind["key"], kind["definition"])
        for kind in json.loads(own)
    )


def check(own: Any) -> list[dict[str, str]]:
    """Return a list of error types as it is stored. Raises BadKinds for what no project may have.

    Keys are single letters or digits; whether they collide with other keys is core.keys' question.
    """
    if not isinstance(own, list) or len(own) > MOST:
        raise BadKinds(None, f"write a list of at most {MOST} error types")
    checked = [_checked(at, kind) for at, kind in enumerate(own)]
    for name in ("code", "title", "key"):
        values = [kind[name] for kind in checked]
        for at, value in enumerate(values):
            if value and value in values[:at]:
                raise BadKinds(at, f"the {name} “{value}” is taken by another")
    return checked


def read(text: str) -> list[dict[str, str]]:
    """Read a list that somebody pasted: JSON as it is stored, or lines of code, title, key and definition
    with tabs between. Raises BadKinds naming the place; what a type may be is check()'s question."""
    if text.lstrip().startswith("["):
        return _read_json(text)
    lines = [line.split("\t") for line in text.splitlines() if line.strip()]
    for at, cells in enumerate(lines):
        if len(cells) not in (3, 4):
            raise BadKinds(
                at, f"needs code, title, key and definition with tabs between, not {len(cells)} cells"
            )
    return [dict(zip(PARTS, (cell.strip() for cell in [*cells, ""]), strict=False)) for cells in lines]


def _read_json(text: str) -> list[dict[str, str]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadKinds(None, f"this is not JSON: {error}") from None
    for at, kind in enumerate(found):
        if not isinstance(kind, dict):
            raise BadKinds(at, "must have a code, a title, a key and a definition")
    return [{name: str(kind.get(name, "")) for name in PARTS} for kind in found]


def _checked(at: int, kind: Any) -> dict[str, str]:
    if not isinstance(kind, Mapping):
        raise BadKinds(at, "must have a code, a title, a key and a definition")
    found = {name: str(kind.get(name, "")).strip() for name in PARTS}
    if not _CODE.fullmatch(found["code"]):
        raise BadKinds(
            at, "the code must be lower-case letters, digits and _, beginning with a letter, 40 at most"
        )
    if not found["title"]:
        raise BadKinds(at, "needs a title")
    for name, longest in _LONGEST.items():
        if len(found[name]) > longest:
            raise BadKinds(at, f"the {name} is longer than {longest} characters")
        if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in found[name]):
            raise BadKinds(at, f"the {name} holds a character that cannot be stored")
    found["key"] = found["key"].lower()
    if len(found["key"]) != 1 or not found["key"].isalnum():
        raise BadKinds(at, "the key must be one letter or digit")
    return found
