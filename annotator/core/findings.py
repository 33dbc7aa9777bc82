"""What a check can find in a solution or in a claim about it, and what a lead may do about each."""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Finding(NamedTuple):
    """code: a key of CODES.  position: 0-based, of a step of the solution; None: of the record as a whole.

    detail: what exactly, for people, so step numbers in it count from 1; "" where the code says it all.
    """

    code: str
    position: int | None
    detail: str


class Code(NamedTuple):
    """A kind of finding: what it is called, what it means, what to do about it, and whether an item that has
    it is to be reviewed before others."""

    title: str
    meaning: str
    advice: str
    raises_priority: bool


# In the order in which they are listed. Those that raise priority make the record itself doubtful; the others
# are common in released data and often harmless.
CODES: Final[Mapping[str, Code]] = {
    "wrong_out_of_range": Code(
        "Wrong step out of range",
        "The claim calls a step wrong that the solution does not have.",
        "Find the step that was meant; numbers after it may be off by one too.",
        True,
    ),
    "wrong_not_changed": Code(
        "Wrong but not changed",
        "The claim calls a step wrong without listing it among the changed ones.",
        "Check whether the step is wrong: it may only follow from an error before it.",
        True,
    ),
    "wrong_is_original": Code(
        "Wrong step as in the original",
        "A step that the claim calls wrong stands word for word in the original.",
        "Check the step numbers of the claim. But a repeated step can be redundant or circular, and a changed"
        " problem can make a right step wrong.",
        True,
    ),
    "no_op": Code(
        "Nothing changed",
        "The modified solution has the steps of the original.",
        "Reject the injection, unless the problem was changed.",
        True,
    ),
    "empty_step": Code(
        "Empty step",
        "A step has no text.",
        "Reject the solution or take the step out; labels would shift against the text.",
        True,
    ),
    "duplicate_id": Code(
        "Id used before",
        "An earlier record has the same id.",
        "Compare the two; tools that match results by id read only the first.",
        True,
    ),
    "changed_verbatim": Code(
        "Claimed changed, but is not",
        "A step that the claim lists as changed stands word for word in the original.",
        "Check the step numbers of the claim: what is called wrong may be off too.",
        True,
    ),
    "changed_unclaimed": Code(
        "Changed, but not claimed",
        "A step differs from every step of the original, and the claim does not list it.",
        "Nothing by itself: rewording is common. Look whether the step is still right.",
        False,
    ),
    "question_changed": Code(
        "Problem changed",
        "The problem differs from the original one, though an error of this kind does not change it.",
        "Judge the steps by the problem as shown. The reference answer may no longer hold.",
        False,
    ),
    "gives_away": Code(
        "Gives the error away",
        "A step says that it is wrong, in words that the original does not use.",
        "Reword the step or leave the record out of a benchmark: it can be spotted without mathematics.",
        False,
    ),
    "several_steps": Code(
        "Several steps in one",
        "A step holds blank lines or several numbered steps.",
        "One label has to do for all of it. Tools that join steps by blank lines will cut it apart.",
        False,
    ),
    "other_answer": Code(
        "Another answer",
        "The answer at the end is not the reference answer.",
        "Look for the first wrong step, or for a mistake in the reference.",
        False,
    ),
    "arithmetic": Code(
        "Arithmetic does not hold",
        "An equality between numbers in the step is false.",
        "Unless the step says so on purpose, it is wrong.",
        False,
    ),
    "none_but_wrong": Code(
        "No error found, but the answer is wrong",
        "The final answer is not the reference answer, and a machine says that no step is wrong.",
        "Look for the error, and whether the reference answer is right.",
        True,
    ),
}

BY_MACHINES: Final = (
    "none_but_wrong",
)  # said by runs, not by the checks: looking anew does not take them back
RAISING: Final = tuple(code for code, known in CODES.items() if known.raises_priority)


def explained(code: str) -> Code:
    """What a stored code means, also one that another version of the checks gave and this one does not know."""
    return CODES.get(code) or Code(code.replace("_", " ").capitalize(), "", "", False)
