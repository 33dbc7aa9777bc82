"""How right somebody is, against gold: items, steps, and patterns in what they get wrong. Pure.

An item is right where the project's rule means the same of both (core.decision.meaning). A step is compared where
gold and the reviewer both judged it; unsure and not judged are missing, never wrong.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from annotator.core import labels as lab
from annotator.core.decision import JUDGES, Rule, meaning
from annotator.core.decision import Final as LastWord
from annotator.core.intervals import Interval, wilson

FEWEST_ITEMS: Final = 3  # that a pattern shows in before anybody is told: fewer would name an item
OFTEN: Final = 0.3  # of the chances to do so
JUDGED: Final = frozenset({lab.RIGHT, lab.NEUTRAL, lab.WRONG})


class Case(NamedTuple):
    """One judgement of an item with gold. `kind`: the error type of the item, "" for none; `day`: of submission."""

    item: int
    kind: str
    day: date
    gold: LastWord
    said: LastWord


class Share(NamedTuple):
    """`right` of `n`, with Wilson's interval; value and ends are None where n is 0."""

    right: int
    n: int

    @property
    def value(self) -> float | None:
        return self.right / self.n if self.n else None

    @property
    def interval(self) -> Interval:
        return wilson(self.right, self.n)

    def to_json(self) -> dict[str, object]:
        low, high, why = self.interval
        return {"value": self.value, "right": self.right, "n": self.n, "low": low, "high": high, "why": why}


class Pattern(NamedTuple):
    """Something got wrong again and again: `n` times of `chances`, in so many `items`. `kind` is an error type
    where it is about one.

    code  missed      called right a step that is wrong, of that kind
          false_alarm called wrong a step that is right
          misnamed    found the step of that kind, and named another kind
    """

    code: str
    kind: str
    n: int
    chances: int
    items: int

    @property
    def is_often(self) -> bool:
        return self.items >= FEWEST_ITEMS and self.n >= OFTEN * self.chances


def is_right(case: Case, rule: Rule) -> bool | None:
    """Whether both mean the same; None where gold is a question, with which nothing can agree."""
    truth = meaning(case.gold, rule)
    return None if truth is None else meaning(case.said, rule) == truth


def items_right(cases: Iterable[Case], rule: Rule) -> Share:
    found = [right for case in cases if (right := is_right(case, rule)) is not None]
    return Share(sum(found), len(found))


def steps_right(cases: Iterable[Case], rule: Rule) -> Share:
    """Steps with the same label; but for the rule of labels, right and neutral count as one."""
    right = n = 0
    for case in cases:
        for truth, said in _steps(case):
            n += 1
            right += truth == said if rule == "labels" else (truth == lab.WRONG) == (said == lab.WRONG)
    return Share(right, n)


def by_kind(cases: Sequence[Case], rule: Rule) -> dict[str, Share]:
    """Error type of the item -> its share of items right."""
    return {
        kind: items_right([case for case in cases if case.kind == kind], rule)
        for kind in sorted({case.kind for case in cases})
    }


def by_week(cases: Sequence[Case], rule: Rule) -> dict[date, Share]:
    """Monday of the week -> its share of items right, in order."""
    weeks = {monday(case.day) for case in cases}
    return {
        week: items_right([case for case in cases if monday(case.day) == week], rule)
        for week in sorted(weeks)
    }


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def patterns(cases: Iterable[Case]) -> list[Pattern]:
    """All patterns with at least one case, the most frequent first."""
    cases_of: Counter[tuple[str, str]] = Counter()
    chances: Counter[tuple[str, str]] = Counter()
    items: Counter[tuple[str, str]] = Counter()
    for case in cases:
        if case.gold.finish_reason in JUDGES and case.said.finish_reason in JUDGES:
            here: Counter[tuple[str, str]] = Counter()
            _count(case, here, chances)
            cases_of.update(here)
            items.update(here.keys())
    found = [
        Pattern(code, kind, n, chances[code, kind], items[code, kind]) for (code, kind), n in cases_of.items()
    ]
    return sorted(found, key=lambda one: (-one.n, one.code, one.kind))


def _count(case: Case, cases_of: Counter[tuple[str, str]], chances: Counter[tuple[str, str]]) -> None:
    for at, (truth, said) in enumerate(zip(case.gold.labels, case.said.labels, strict=True)):
        if truth not in JUDGED or said not in JUDGED:
            continue
        if truth != lab.WRONG:
            chances["false_alarm", ""] += 1
            cases_of["false_alarm", ""] += said == lab.WRONG
            continue
        kinds = _types(case.gold, at) or ({case.kind} if case.kind else {""})
        for kind in kinds:
            chances["missed", kind] += 1
            cases_of["missed", kind] += said != lab.WRONG
        named = _types(case.said, at)
        if said == lab.WRONG and named:
            for kind in kinds - {""}:
                chances["misnamed", kind] += 1
                cases_of["misnamed", kind] += kind not in named
    for key in [key for key, n in cases_of.items() if not n]:
        del cases_of[key]


def _types(word: LastWord, at: int) -> frozenset[str]:
    return word.error_types[at] if at < len(word.error_types) else frozenset()


def _steps(case: Case) -> list[tuple[str, str]]:
    """(gold, said) of the steps that both judged."""
    if case.said.finish_reason not in JUDGES or case.gold.finish_reason not in JUDGES:
        return []
    pairs = zip(case.gold.labels, case.said.labels, strict=True)
    return [(truth, said) for truth, said in pairs if truth in JUDGED and said in JUDGED]
