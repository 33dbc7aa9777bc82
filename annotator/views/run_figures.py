"""Numbers of a run's page: how fast it is, what came of its units by kind, and which units those are."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from annotator.caching import self_tuned
from annotator.core import findings
from annotator.models import Run, RunState, Unit, UnitState
from annotator.views import words

RECENT = 300
LATELY = timedelta(minutes=2)
FAILED: Final = UnitState.FAILED.value
ALL: Final = "all"
# What is well, what is worth a look, what is of no use; anything else is told without a colour.
LOOKS: Final[Mapping[str, str]] = {
    "stored": "ok", "no error": "ok", "kept": "ok", "known before": "mid", "scored": "ok", "not scored": "mid",
    "error found": "mid", "apart": "mid", "unknown": "mid",
    "rejected": "no", "unparsed": "no", FAILED: "no",
}  # fmt: skip

HEAVY: Final = ("params", "result", "solution__steps", "solution__extra", "solution__meta", "problem__meta")

Counts = Sequence[tuple[str, str, int]]  # kind, outcome, units


class Pace(NamedTuple):
    """per_minute: units, of late. left: how long the rest takes at that pace; "–" where it is not known."""

    per_minute: float | None
    left: str


def pace(run: Run) -> Pace:
    """From the last units that ended: a run that was paused in between is not slower for it."""
    if run.state != RunState.RUNNING:
        return Pace(None, "–")
    since = timezone.now() - LATELY
    last = Unit.objects.filter(run=run, state=UnitState.DONE).order_by("-pk")
    ends = sorted(at for at in last.values_list("finished_at", flat=True)[:RECENT] if at and at > since)
    if len(ends) < 2 or ends[0] == ends[-1]:
        return Pace(None, "–")
    a_second = (len(ends) - 1) / (timezone.now() - ends[0]).total_seconds()
    return Pace(60 * a_second, words.duration(int(1000 * run.n_left / a_second)))


class Part(NamedTuple):
    """Units of one kind and outcome; x, width: of the kind's bar, in hundredths. query: what lists them."""

    outcome: str
    look: str
    n: int
    x: float
    width: float
    query: str


class Yield(NamedTuple):
    """What became of the units of a kind; in words for who does not see the bar."""

    title: str
    parts: list[Part]
    total: int

    @property
    def in_words(self) -> str:
        return ", ".join(f"{part.n} {part.outcome}" for part in self.parts if part.n)


class Reason(NamedTuple):
    """Why units of an outcome ended so. width: beside the most frequent reason, in hundredths."""

    title: str
    outcome: str
    n: int
    width: float
    query: str


class Yields(NamedTuple):
    """heads: every outcome with its look and its number of units; reasons: of those that say one."""

    heads: list[tuple[str, str, int]]
    rows: list[Yield]
    reasons: list[Reason]


def counts(run: Run) -> Counts:
    return self_tuned(f"yields:{run.pk}", lambda: _counted(Unit.objects.filter(run=run)))


def _counted(units: QuerySet[Unit]) -> Counts:
    ended = units.filter(state__in=[UnitState.DONE, UnitState.FAILED]).order_by()
    rows = ended.values_list("kind", "outcome", "state").annotate(n=Count("pk"))
    return [(kind, FAILED if state == FAILED else outcome, n) for kind, outcome, state, n in rows]


def yields(found: Counts, own: Iterable[Mapping[str, str]]) -> Yields:
    """own: the project's error types. An outcome is "rejected", or "rejected: no_op" where it says why."""
    by_kind: dict[str, Counter[str]] = {}
    for kind, outcome, n in sorted(found):
        by_kind.setdefault(kind, Counter())[_head(outcome)] += n
    total = sum(by_kind.values(), Counter[str]())
    heads = sorted(total, key=lambda head: (_order(head), -total[head], head))
    rows = [_yield(kind, said, heads, own) for kind, said in by_kind.items()]
    return Yields([(head, LOOKS.get(head, "quiet"), total[head]) for head in heads], rows, _reasons(found))


def _head(outcome: str) -> str:
    return outcome.partition(": ")[0]


def why_of(outcome: str) -> str:
    """What stands after the colon, as people read it; findings go by their codes."""
    code = outcome.partition(": ")[2]
    return findings.explained(code).title if code else ""


def in_words(outcome: str) -> str:
    """ "rejected: Wrong step out of range"."""
    return f"{_head(outcome)}: {why_of(outcome)}" if ": " in outcome else outcome


def _order(head: str) -> int:
    return ("ok", "mid", "quiet", "no").index(LOOKS.get(head, "quiet"))


def _yield(kind: str, said: Counter[str], heads: Sequence[str], own: Iterable[Mapping[str, str]]) -> Yield:
    parts, at, total = list[Part](), 0.0, said.total()
    for head in heads:
        width = 100 * said[head] / total
        query = urlencode({"outcome": head, "kind": kind})
        parts.append(Part(head, LOOKS.get(head, "quiet"), said[head], at, width, query))
        at += width
    return Yield(words.kind_title(kind, own) if kind else "all", parts, total)


def _reasons(found: Counts) -> list[Reason]:
    why: Counter[str] = Counter()
    for _, outcome, n in found:
        if ": " in outcome:
            why[outcome] += n
    most = max(why.values(), default=1)
    return [
        Reason(why_of(outcome), _head(outcome), n, 100 * n / most, urlencode({"outcome": outcome}))
        for outcome, n in why.most_common()
    ]


class Asked(NamedTuple):
    """Which units are listed: of one outcome (or reason), or all that are done; of one kind, "" for any."""

    outcome: str
    kind: str

    @property
    def in_words(self) -> str:
        return in_words(self.outcome)

    def rows(self, run: Run) -> QuerySet[Unit]:
        """Of one state, so that the index has them in their order."""
        rows = Unit.objects.filter(run=run, state=FAILED if self.outcome == FAILED else UnitState.DONE)
        if self.outcome not in (ALL, FAILED):
            rows = rows.filter(Q(outcome=self.outcome) | Q(outcome__startswith=f"{self.outcome}: "))
        if self.kind:
            rows = rows.filter(kind=self.kind)
        return rows.select_related("solution", "problem").defer(*HEAVY)


def asked(run: Run, given: Mapping[str, Any]) -> Asked:
    """From an address; what failed comes first where anything has."""
    usual = FAILED if run.n_failed else ALL
    outcome, kind = (str(given.get(name) or "")[:40] for name in ("outcome", "kind"))
    return Asked(outcome or usual, kind)
