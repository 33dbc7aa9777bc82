"""The ids of PRMBench's items, as its toolkit's results name them: kind and base id, or "correct" and base id."""

from typing import Final

from annotator.formats import results
from annotator.formats.prmbench import CODES

CORRECT: Final = f"{results.CORRECT}_"


def other_names(idx: str) -> tuple[str, ...]:
    """Return what else the item of this id may be called, best first.

    Run on the copy on Hugging Face, whose `idx` begins with the kind, the toolkit writes "circular_circular_7"
    and "correct_redundency_7".
    """
    if idx.startswith(CORRECT):
        rest = idx.removeprefix(CORRECT)
        return tuple(CORRECT + rest.removeprefix(f"{kind}_") for kind in CODES if rest.startswith(f"{kind}_"))
    return tuple(idx.removeprefix(f"{kind}_") for kind in CODES if idx.startswith(f"{kind}_{kind}_"))


def correct_base(idx: str) -> str | None:
    """Return the base problem's id if the item is its original solution; None for others."""
    return idx.removeprefix(CORRECT) if idx.startswith(CORRECT) else None
