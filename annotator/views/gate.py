"""What keeps a member from getting work, for the pages that offer it."""

from typing import NamedTuple

from annotator import errors, policies
from annotator.models import Membership


class Gate(NamedTuple):
    """`message` says why nothing is given; `to_exam`: the exam is the way on."""

    message: str
    to_exam: bool


def gate_of(me: Membership) -> Gate | None:
    """None for who may go on."""
    try:
        policies.check_may_work(me)
        policies.check_may_begin(me)
    except (errors.Paused, errors.ExamNeeded) as refused:
        return Gate(refused.message, isinstance(refused, errors.ExamNeeded))
    return None
