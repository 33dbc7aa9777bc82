"""The questions of a protocol on the review page, and what is computed to help with one of them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from annotator import blinding
from annotator.core import answers
from annotator.core.judgement import VERDICTS, Judgement
from annotator.errors import PlumblineError
from annotator.models import Assignment, Protocol

QUESTIONS: Final = {
    "claim": "Is the claim right?",
    "original": "Is the original solution right?",
    "right": "Is the solution right?",
    "different": "Is it really a different solution?",
    "answer": "Is the answer at the end right?",
}
ANSWERS: Final = {"fix": "needs fixing"}
ANSWER_KEYS: Final = {"yes": "right", "no": "wrong"}  # the key of an answer is that of the action so named
COMPARED: Final = {"same": "the same", "another": "another answer", "unknown": "cannot tell if the same"}


class Question(NamedTuple):
    name: str
    title: str
    answers: list[tuple[str, str, bool, str]]  # value, title, chosen, key
    missing: bool


class Ending(NamedTuple):
    """The answer at the end of the solution beside the reference answer, None where there is none, and in words
    what the computer makes of the two; `look` is its colour."""

    answer: str | None
    reference: str | None
    compared: str
    look: str


def questions_of(
    assignment: Assignment, judgement: Judgement, bound: Mapping[str, str], error: PlumblineError | None
) -> list[Question]:
    """The protocol's questions, once they can be answered: about a claim only after it is shown."""
    protocol = Protocol(assignment.item.protocol)
    if protocol.reveals and not blinding.is_revealed(assignment):
        return []
    return [
        Question(
            name,
            QUESTIONS[name],
            [_answer(value, judgement.verdict.get(name), bound) for value in values],
            missing=error is not None
            and error.field.startswith("verdict.")
            and name not in judgement.verdict,
        )
        for name, values in VERDICTS.get(protocol, {}).items()
    ]


def _answer(value: str, chosen: str | None, bound: Mapping[str, str]) -> tuple[str, str, bool, str]:
    return value, ANSWERS.get(value, value), value == chosen, bound[ANSWER_KEYS.get(value, value)]


def ending_of(assignment: Assignment) -> Ending | None:
    """For the protocol that asks about the answer; nothing of it is anybody's judgement."""
    if assignment.item.protocol != Protocol.CHECK_SOLUTION:
        return None
    solution = assignment.item.solution
    answer, reference = answers.final_answer(solution.steps), solution.problem.answer or None
    if answer is None or reference is None:
        return Ending(_maths(answer), _maths(reference), "", "quiet")
    compared = answers.compare(answer, reference)
    look = {"same": "ok", "another": "no", "unknown": "mid"}[compared]
    return Ending(_maths(answer), _maths(reference), COMPARED[compared], look)


def _maths(answer: str | None) -> str | None:
    r"""TeX that stood in \boxed{} has no delimiters of its own."""
    if answer is None or "\\" not in answer or any(mark in answer for mark in ("$", "\\(", "\\[")):
        return answer
    return f"${answer}$"
