"""The settings page's table of error types: rows of a plain form, as typed, with what is wrong at its row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.http import QueryDict

from annotator.actions.error_types import BadKind
from annotator.core import kinds
from annotator.models import Project

MOST_TYPED = 4000  # characters of one field; what a type may have is core.kinds' question


@dataclass
class KindRow:
    """One error type as it was typed; empty means that it is to go."""

    code: str = ""
    title: str = ""
    key: str = ""
    definition: str = ""
    error: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.code or self.title or self.definition)

    def as_kind(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in kinds.PARTS}


def of_project(project: Project) -> list[KindRow]:
    """The list in force, PRMBench's where the project has none: what a list of its own starts from."""
    types = kinds.error_types(project.error_types)
    return [KindRow(kind.code, kind.title, kind.key, kind.definition) for kind in types]


def typed(post: QueryDict) -> list[KindRow]:
    """The rows of a form; a column that came short counts as empty there."""
    columns = [[text.strip()[:MOST_TYPED] for text in post.getlist(f"kind-{name}")] for name in kinds.PARTS]
    n = min(max(map(len, columns)), 2 * kinds.MOST)
    return [KindRow(*(column[at] if at < len(column) else "" for column in columns)) for at in range(n)]


def pasted(text: str) -> list[KindRow]:
    """Rows of a pasted list. Raises core.kinds.BadKinds."""
    return from_kinds(kinds.read(text)[: 2 * kinds.MOST])


def from_kinds(found: Iterable[Mapping[str, str]]) -> list[KindRow]:
    return [KindRow(*(kind[name] for name in kinds.PARTS)) for kind in found]


def filled(rows: Iterable[KindRow]) -> list[KindRow]:
    return [row for row in rows if not row.is_empty]


def blame(rows: Iterable[KindRow], error: BadKind) -> bool:
    """Put what is wrong at its row; False where it is the list as a whole."""
    if error.at is None:
        return False
    filled(rows)[error.at].error = error.message.partition(": ")[2] or error.message
    return True
