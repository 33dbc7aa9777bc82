"""Where the decision and a reviewer differ: read only, once an item is decided, of their work alone.

Who decided and who else judged is not said. Probes and exams are never here. A page looks at a bounded number of
submissions, as my_history does, and patterns are counted over the latest ones.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from annotator import blinding
from annotator.caching import self_tuned
from annotator.core.decision import differing
from annotator.middleware import PageRequest
from annotator.models import Assignment, Membership
from annotator.views import my_history, words

PER_PAGE: Final = 20
CHUNK: Final = 500  # decided submissions that one page looks at
COUNTED: Final = 2_000  # the latest decided submissions, over which patterns are counted


class Step(NamedTuple):
    """A step, from 1, that one judged otherwise than it was decided."""

    number: int
    text: str
    mine: words.Mark
    gold: words.Mark
    types: list[str]


@dataclass(frozen=True)
class Line:
    assignment: Assignment
    problem: str
    steps: list[Step]
    reason: str


class Pattern(NamedTuple):
    n: int
    text: str


def differences(request: PageRequest, project: str) -> HttpResponse:
    me = request.membership
    lines, before = page_of(me, request.GET.get("before", ""))
    context = {
        "lines": lines,
        "older": urlencode({"before": before}) if before else "",
        "is_first": "before" not in request.GET,
        "patterns": self_tuned(f"patterns:{me.pk}", lambda: patterns(me)),
        "counted": COUNTED,
    }
    return render(request, "annotator/differences.html", context)


def page_of(me: Membership, before: str) -> tuple[list[Line], str]:
    """A page, newest first, and where the next goes on ("" on the last)."""
    rows = my_history.before_mark(blinding.decided(me), before)
    chunk = list(rows.only("pk", "submitted_at")[: CHUNK + 1])
    looked_at = chunk[:CHUNK]
    differ = dict(_differing([row.pk for row in looked_at]))
    hits = [row for row in looked_at if row.pk in differ]
    more = my_history.mark(looked_at[-1]) if len(chunk) > CHUNK else ""
    shown = hits[:PER_PAGE]
    return _lines(me, shown, differ), my_history.mark(shown[-1]) if len(hits) > PER_PAGE else more


def patterns(me: Membership) -> list[Pattern]:
    """How often one said what, and it was decided otherwise; the most frequent first."""
    keys = list(blinding.decided(me).values_list("pk", flat=True)[:COUNTED])
    said = Counter(
        (words.MARKS[mine[at]].word, words.MARKS[gold[at]].word)
        for _, (mine, gold, steps) in _differing(keys)
        for at in steps
    )
    return [
        Pattern(
            n,
            f"you were unsure of what was {gold}"
            if mine == "unsure"
            else f"you called {mine} what was {gold}",
        )
        for (mine, gold), n in said.most_common()
    ]


def _differing(keys: Sequence[int]) -> Iterator[tuple[int, tuple[str, str, list[int]]]]:
    """Assignment -> own labels, the decided ones, where they differ; only where they do."""
    decided = dict(Assignment.objects.filter(pk__in=keys).values_list("pk", "item__gold__labels"))
    own = {
        row.assignment_id: row
        for row in my_history.last_words(keys).only("assignment", "labels")
        if row.assignment_id
    }
    for pk in keys:
        if pk in own and decided.get(pk) and (steps := differing(own[pk].labels, decided[pk])):
            yield pk, (own[pk].labels, decided[pk], steps)


def _lines(me: Membership, shown: Sequence[Assignment], differ: dict[int, Any]) -> list[Line]:
    keys = [row.pk for row in shown]
    whole = Assignment.objects.select_related("item__solution__problem", "item__gold").filter(pk__in=keys)
    found = {row.pk: row for row in whole}
    return [_line(me, found[key], *differ[key]) for key in keys if key in found and found[key].item.gold]


def _line(me: Membership, row: Assignment, mine: str, gold: str, steps: Sequence[int]) -> Line:
    solution, decided = row.item.solution, row.item.gold
    types = (decided.error_types or {}) if decided else {}
    own = me.project.error_types
    return Line(
        row,
        solution.problem.text,
        [
            Step(
                at + 1, solution.steps[at], words.MARKS[mine[at]], words.MARKS[gold[at]],
                [words.kind_title(code, own) for code in types.get(str(at), [])],
            )
            for at in steps
        ],
        blinding.reason_of(decided),
    )  # fmt: skip
