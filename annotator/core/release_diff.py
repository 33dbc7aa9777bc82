"""What changed from one release to the next: solutions by content, labels by step. Pure.

Solutions are matched by digest; of several with the same digest the first is matched with the first, and so on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

SHOWN: Final = 50  # ids and changes that are named; the rest is counted


class Labelled(NamedTuple):
    """A released solution, as far as it is compared. labels: one character a step.  error_types: 0-based
    position as text -> codes."""

    digest: str
    id: str
    split: str
    kind: str
    labels: str
    error_types: Mapping[str, list[str]]


@dataclass
class Diff:
    """From release a to release b. Counters map a name to solutions, or to steps where they say so.

    changes: "from to" labels -> steps.  positions: 0-based position -> steps with another label.
    relabelled_kinds: error type -> solutions with another label.  first: the first of what is counted, by id.
    """

    n_a: int = 0
    n_b: int = 0
    same: int = 0
    added: int = 0
    removed: int = 0
    relabelled: int = 0
    retyped: int = 0
    moved: int = 0
    added_kinds: Counter[str] = field(default_factory=Counter)
    removed_kinds: Counter[str] = field(default_factory=Counter)
    relabelled_kinds: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    positions: Counter[int] = field(default_factory=Counter)
    first: dict[str, list[Any]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        found = dict(vars(self))
        found["positions"] = {str(at): n for at, n in sorted(self.positions.items())}
        for name in ("added_kinds", "removed_kinds", "relabelled_kinds", "changes"):
            found[name] = dict(sorted(found[name].items()))
        return found

    def name(self, what: str, example: Any) -> None:
        named = self.first.setdefault(what, [])
        if len(named) < SHOWN:
            named.append(example)


def compare(before: Iterable[Labelled], after: Iterable[Labelled]) -> Diff:
    """Return what changed. `before` is held in memory, a few words a solution; `after` goes by."""
    diff, old = Diff(), _keyed(before)
    diff.n_a = len(old)
    met: Counter[str] = Counter()
    for new in after:
        key = new.digest, met[new.digest]
        met[new.digest] += 1
        diff.n_b += 1
        was = old.pop(key, None)
        if was is None:
            diff.added += 1
            diff.added_kinds[new.kind] += 1
            diff.name("added", new.id)
        else:
            _match(diff, was, new)
    for gone in old.values():
        diff.removed += 1
        diff.removed_kinds[gone.kind] += 1
        diff.name("removed", gone.id)
    return diff


def rule_changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the members of two rules that differ: name -> [a's, b's]."""
    names = dict.fromkeys((*a, *b))
    return {name: [a.get(name), b.get(name)] for name in names if a.get(name) != b.get(name)}


def _keyed(rows: Iterable[Labelled]) -> dict[tuple[str, int], Labelled]:
    met: Counter[str] = Counter()
    found = {}
    for row in rows:
        found[row.digest, met[row.digest]] = row
        met[row.digest] += 1
    return found


def _match(diff: Diff, was: Labelled, now: Labelled) -> None:
    pairs = zip(was.labels, now.labels, strict=True)  # of the same content, so of as many steps
    changed = [(at, one, other) for at, (one, other) in enumerate(pairs) if one != other]
    types = was.error_types != now.error_types
    diff.same += not changed and not types
    diff.moved += was.split != now.split
    diff.retyped += types
    if not changed:
        return
    diff.relabelled += 1
    diff.relabelled_kinds[now.kind] += 1
    diff.changes.update(f"{one} {other}" for _, one, other in changed)
    diff.positions.update(at for at, _, _ in changed)
    diff.name("relabelled", {"id": now.id, "kind": now.kind, "before": was.labels, "after": now.labels})
