r"""A model's answer to a problem as steps, and the final answer in it."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from annotator.core import answers
from annotator.formats.splitting import Split, split
from synth.methods.replies import clean, without_thinking

_OPENS: Final = (("\\[", "\\]"), ("\\begin{", "\\end{"))
_HEADING: Final = re.compile(r"(?:#{1,6} [^\n]*|\*\*[^*\n]+\*\*:?)")
_HASHES: Final = re.compile(r"^#### *(\S[^\n]*?)\s*\Z", re.MULTILINE)  # as GSM8K ends a solution
_JOINED: Final = 50  # a formula that runs over more pieces than this was never closed


def steps_of(text: str, how: Split = "blank-line") -> tuple[str, ...]:
    """Return the steps of an answer, without what the model thought aloud; none if it has nothing but blanks.

    A displayed formula and a block of code are never cut, and a heading goes with what it heads. A text without
    blank lines is split at numbered lines if it has two or more.
    """
    said = clean(without_thinking(text))
    steps = _with_headings(_whole(split(said, how)))
    if how == "blank-line" and len(steps) == 1:
        numbered = split(said, "numbered")
        return numbered if len(numbered) > 1 else steps
    return steps


def answer_of(steps: Sequence[str]) -> str | None:
    r"""Return the final answer of a solution: in the last step that has one, by \boxed{}, a heading "Answer", "the
    answer is" or "####". None where there is none, or where the last step boxes several different ones."""
    for step in reversed(steps):
        found = answers.final_answer([step])
        if found is None and (hashes := _HASHES.search(step)):
            found = hashes[1]
        if found is not None or "\\boxed" in step:
            return found.strip() or None if found else None
    return None


def _whole(pieces: Sequence[str]) -> tuple[str, ...]:
    """Join pieces between which a displayed formula or a block of code runs on."""
    steps: list[str] = []
    at = 0
    while at < len(pieces):
        end = next(
            (
                end
                for end in range(at + 1, min(len(pieces), at + _JOINED) + 1)
                if not _is_open(pieces[at:end])
            ),
            0,
        )
        end = end or at + 1
        steps.append("\n\n".join(pieces[at:end]))
        at = end
    return tuple(steps)


def _is_open(pieces: Sequence[str]) -> bool:
    text = "\n".join(pieces)
    if text.count("$$") % 2 or text.count("```") % 2:
        return True
    return any(text.count(opening) > text.count(closing) for opening, closing in _OPENS)


def _with_headings(steps: Sequence[str]) -> tuple[str, ...]:
    """Join a heading that stands alone to the step that it heads."""
    joined: list[str] = []
    heads = ""
    for step, after in pairwise([*steps, ""]):
        if after and _HEADING.fullmatch(step):
            heads += step + "\n\n"
        else:
            joined.append(heads + step)
            heads = ""
    return tuple(joined)
