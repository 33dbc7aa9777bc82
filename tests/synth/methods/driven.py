"""Drives a method from a list of replies, as a test writes them."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from synth.methods.asks import Ask, Check, Outcome, Reply, Steps, Verdict

T = TypeVar("T")


def drive(
    method: Steps[Outcome],
    replies: Iterable[str | Reply],
    verdict: Callable[[Check], Verdict] = lambda one: "right" if one.gold == one.answer else "wrong",
) -> tuple[Outcome, list[Ask]]:
    """Return a method's outcome and what it asked. More asks than replies fail the test; so do replies left over."""
    said, asked = iter(replies), []
    try:
        batch = next(method)
        while True:
            answers: list[Reply | Verdict] = []
            for one in batch:
                if isinstance(one, Check):
                    answers.append(verdict(one))
                else:
                    asked.append(one)
                    text = next(said)
                    answers.append(text if isinstance(text, Reply) else Reply(text))
            batch = method.send(answers)
    except StopIteration as end:
        left = list(said)
        assert left == [], f"{len(left)} replies were not asked for"
        return end.value, asked
