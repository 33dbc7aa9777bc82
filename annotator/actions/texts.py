"""Sentences that people send with what they do: a reason, a question."""

from annotator import errors
from annotator.core import judgement as judging


def worded(text: str, field: str, most: int) -> str:
    """The text as it is stored, at most `most` characters. Raises Invalid for what a database cannot hold."""
    if not judging.storable(text):
        raise errors.Invalid("This text holds a character that cannot be stored.", field=field)
    return text.strip()[:most]
