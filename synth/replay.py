"""The calls of one unit: which of its requests are answered already, and which number the next one gets."""

from collections import defaultdict, deque
from collections.abc import Iterable

from synth.calls import StoredCall
from synth.methods.asks import Reply


class Replay:
    """Answers a unit's requests from its stored calls, equal requests in the order they were made.

    By digest, not by number: a unit that was killed in the middle of a batch has gaps, and one whose answer check ran
    out of time may take another path the second time. What is stored is not sent again either way.
    """

    def __init__(self, calls: Iterable[StoredCall]) -> None:
        self._answers: dict[str, deque[Reply]] = defaultdict(deque)
        self._taken: set[int] = set()
        self._next = 0
        for call in sorted(calls, key=lambda call: call.n):
            self._taken.add(call.n)
            if not call.error:
                self._answers[call.digest].append(call.reply)

    def answer(self, digest: str) -> Reply | None:
        """The stored reply to a request, once; None where it is to be sent."""
        left = self._answers.get(digest)
        return left.popleft() if left else None

    def number(self) -> int:
        """The number of the next call: the lowest that no stored call of the unit has."""
        while self._next in self._taken:
            self._next += 1
        self._next += 1
        return self._next - 1
