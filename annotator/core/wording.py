"""Findings in how steps are worded: words that give an injected error away, and several steps in one."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from annotator.core.findings import Finding

# What says of a step that it is wrong, by how it begins, as read in released injections. "Contradiction",
# "assume", "false" and "improper" stand in right solutions too, so of these only forms that do not.
_LEAKS: Final = (
    "error", "erroneous", "mistak", "wrong", "incorrect", "inaccura", "flawed", "faulty", "fallac",
    "falsely", "miscalculat", "miscount", "miscomput", "misappl", "misinterpret", "misread", "misrepresent",
    "mislead", "redundan", "superfluous", "unnecessar", "contradicts", "contradicting", "contradictory",
    "inconsisten", "decepti", "hallucinat", "counterfactual", "overconfiden", "confidently", "improperly",
    "unjustified", "unfounded", "overlook", "intentional", "circular reasoning", "circular logic",
    "circular argument", "missing condition", "missing information", "assume the answer",
    "assuming the answer", "assume the result", "assuming the result", "assume the solution",
    "assuming the solution", "assume the conclusion", "assuming the conclusion",
)  # fmt: skip
_WORD: Final = re.compile(rf"\b(?<!trial and )(?<!trial-and-)(?<!margin of )(?:{'|'.join(_LEAKS)})[a-z]*")

# The heading under which a last step gives the answer (PRM800K) begins no step of its own.
_ANSWER: Final = re.compile(r"\n[^\S\n]*(?:#+ *|\*\*)(?:final )?answer\b.*", re.IGNORECASE | re.DOTALL)
_BLANK_LINE: Final = re.compile(r"\n[^\S\n]*\n\s*")
_NUMBERED: Final = re.compile(
    r"^[ \t]*(?:\*\*)?(?:step +(\d+)[.:)]|(\d+)[.)] )", re.IGNORECASE | re.MULTILINE
)


def give_aways(steps: Sequence[str], original: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for each step that speaks of an error in words absent from all of `original`."""
    same = set(original)
    fresh = [(position, step.lower()) for position, step in enumerate(steps) if step not in same]
    text = "\n".join(step for _, step in fresh)
    leaks = [leak for leak in _LEAKS if leak in text]
    if not leaks:
        return
    known = "\n".join(original).lower()
    new = tuple(leak for leak in leaks if leak not in known)
    if not new:
        return
    for position, step in fresh:
        words = [word for word in _WORD.findall(step) if word.startswith(new)]
        if words:
            yield Finding("gives_away", position, ", ".join(dict.fromkeys(words)))


def several(step: str) -> str:
    """Say how a step holds blank lines, or two or more numbered steps in order; "" if it does not."""
    if "\n" not in step:
        return ""
    bare = _ANSWER.sub("", step).strip()
    paragraphs = len(_BLANK_LINE.findall(bare)) + 1
    if paragraphs > 1:
        return f"{paragraphs} paragraphs"
    return "several numbered steps" if _counts_up(bare) else ""


def _counts_up(step: str) -> bool:
    """Whether lines begin with two numbers that follow each other, the first line among them."""
    found = list(_NUMBERED.finditer(step))
    if len(found) < 2 or found[0].start():
        return False
    first, second = (int((match[1] or match[2])[:9]) for match in found[:2])
    return second == first + 1
