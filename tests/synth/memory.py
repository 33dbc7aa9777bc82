"""A storage in memory that counts, for tests of the driver."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from synth.calls import Ended, Failure, Job, StoredCall
from synth.methods.asks import Steps

Method = Callable[[Any], Steps[Any]]


class Memory:
    """Units are any values; `method(unit)` begins one. What an earlier process stored is given as `calls`."""

    def __init__(self, units: Sequence[Any], method: Method, calls: Sequence[StoredCall] = ()) -> None:
        self.due, self.method = list(units), method
        self.stored: dict[tuple[Any, int], StoredCall] = {(call.unit, call.n): call for call in calls}
        self.ends: dict[Any, Any] = {}
        self.given_back: list[Any] = []
        self.commits: Counter[str] = Counter()
        self.known: dict[tuple[Any, str], StoredCall] = {}
        self.go_on = True
        self.closed = False

    def take(self, n: int) -> list[Job]:
        units, self.due = self.due[:n], self.due[n:]
        return [Job(unit, self.method(unit), self.calls_of(unit), self.scope_of(unit)) for unit in units]

    def calls_of(self, unit: Any) -> list[StoredCall]:
        return [call for call in self.stored.values() if call.unit == unit]

    def recall(self, wanted: Sequence[tuple[Any, str]]) -> Mapping[tuple[Any, str], StoredCall]:
        return {one: self.known[one] for one in wanted if one in self.known}

    def scope_of(self, unit: Any) -> Any:
        return None

    def keep(self, calls: Sequence[StoredCall]) -> bool:
        self.commits["keep"] += 1
        for call in calls:
            assert (call.unit, call.n) not in self.stored, f"call {call.n} of {call.unit} was stored before"
            self.stored[call.unit, call.n] = call
        return self.go_on

    def finish(self, ended: Sequence[Ended]) -> None:
        self.commits["finish"] += 1
        for one in ended:
            assert one.unit not in self.ends, f"{one.unit} ended twice"
        self.ends |= {one.unit: one.result for one in ended}

    def beat(self, units: Sequence[Any]) -> bool:
        self.commits["beat"] += 1
        return self.go_on

    def give_back(self, units: Sequence[Any]) -> None:
        self.given_back += units

    def close(self) -> None:
        self.closed = True

    @property
    def failures(self) -> dict[Any, Failure]:
        return {unit: result for unit, result in self.ends.items() if isinstance(result, Failure)}
