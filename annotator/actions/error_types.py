"""A project's own error types: what a list may be, and which of its codes are in use."""

from typing import Any, Final

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from annotator import errors
from annotator.core import keys, kinds
from annotator.core.labels import ERROR_TYPES
from annotator.models import Annotation, Assignment, Injection, Project

_BUILT_IN: Final = frozenset(kind.code for kind in ERROR_TYPES)
# What a key does on the review screen by default. The eight leave theirs where a project has its own list.
TAKEN: Final = {b.key: b.title for action, b in keys.ACTIONS.items() if action not in _BUILT_IN}


class BadKind(errors.Invalid):
    """One error type of a list cannot be used; `at` is its 0-based place, None for the list as a whole."""

    def __init__(self, message: str, at: int | None) -> None:
        super().__init__(message, field="error_types")
        self.at = at


def checked(own: Any) -> list[dict[str, str]]:
    """The list as it is stored; none means PRMBench's eight. Raises BadKind naming the place."""
    try:
        found = kinds.check(own)
    except kinds.BadKinds as error:
        raise BadKind(f"{error}.", error.at) from None
    for at, kind in enumerate(found):
        if does := TAKEN.get(kind["key"]):
            raise BadKind(f"error type {at + 1}: the key “{kind['key']}” means “{does}”: choose another.", at)
    return found


def check_used_stay(project: Project, own: list[dict[str, str]]) -> None:
    """Raise Conflict, naming it, if a code would vanish that a claim, a judgement or a draft names: it could
    not be read, filtered or exported any more. Its title, key and definition are free."""
    stay = {kind.code for kind in kinds.error_types(own)}
    for kind in kinds.error_types(project.error_types):
        if kind.code not in stay and _is_used(project, kind.code):
            raise errors.Conflict(
                f"“{kind.code}” is in use in this project: give it another title or key, but keep its code.",
                field="error_types",
            )


def _is_used(project: Project, code: str) -> bool:
    """Any database can look for a text in JSON's text; codes have no character that JSON escapes."""
    if Injection.objects.filter(child__project=project, error_type=code).exists():
        return True
    named = Q(said__contains=f'"{code}"') | Q(verdict__kind=code)
    judged = Annotation.objects.filter(solution__project=project).annotate(said=_text("error_types"))
    if judged.filter(named).exists():
        return True
    drafts = Assignment.objects.filter(project=project).annotate(said=_text("draft"))
    return drafts.filter(said__contains=f'"{code}"').exists()


def _text(column: str) -> Cast:
    return Cast(column, TextField())
