"""The exam: demonstrations with their gold, the way into its questions, and how the last attempt went."""

from typing import NamedTuple

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator import errors
from annotator.actions import exams
from annotator.core import accuracy
from annotator.middleware import PageRequest
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Item,
    Membership,
    Project,
    Role,
    Use,
)  # fmt: skip
from annotator.views import words
from annotator.views.words import MARKS, Mark

DEMONSTRATIONS_SHOWN = 20


def exam(request: PageRequest, project: str) -> HttpResponse:
    if request.method == "POST":
        return redirect(after_question(request))
    me = request.membership
    return render(request, "annotator/exam.html", _context(me, exams.last_result(me)))


def after_question(request: PageRequest) -> str:
    """Where the exam goes on: the next question, or the page with the result."""
    me = request.membership
    try:
        following = exams.go_on(by=me)
    except errors.Conflict as refused:
        messages.error(request, refused.message)
        following = None
    if following:
        return redirect("review", me.project.slug, following.pk).url
    return redirect("exam", me.project.slug).url


def _context(me: Membership, result: exams.Result | None) -> dict[str, object]:
    n = exams.questions(me).count()
    passed = me.exam_passed_at is not None
    return {
        "is_set": me.project.exam_pass is not None,
        "needed": percent(me.project.exam_pass),
        "n": n,
        "n_answered": 0 if passed else exams.answered(me),
        "attempts_left": max(0, exams.MAX_ATTEMPTS - me.exam_attempts),
        "passed": passed,
        "result": result,
        "result_needed": percent(result.needed if result else None),
        "patterns": [in_words(code, kind, me.project) for code, kind in result.patterns] if result else [],
        "shown": [_shown(item, me.project) for item in _demonstrations(me.project)],
        "is_lead": me.is_at_least(Role.LEAD),
        "rule": me.project.get_decision_rule_display(),
    }


class Progress(NamedTuple):
    """Where in the exam one is: the number of the question, from 1, and of how many."""

    number: int
    of: int


def exam_progress(me: Membership, held: Assignment) -> Progress | None:
    """None for what is no question of the exam."""
    if held.purpose != Use.EXAM:
        return None
    n, done = exams.questions(me).count(), exams.answered(me)
    return Progress(min(n, done + (held.state != AssignmentState.SUBMITTED)), n)


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:g} %"


def in_words(code: str, kind: str, project: Project) -> str:
    """A pattern as it is told to the one it is about."""
    title = words.kind_title(kind, project.error_types) if kind else ""
    return PATTERNS[code, bool(kind)].format(kind=title)


PATTERNS = {
    ("missed", True): "You often call steps right that are wrong: {kind}.",
    ("missed", False): "You often call steps right that are wrong.",
    ("false_alarm", False): "You often call steps wrong that are right.",
    ("misnamed", True): "You often find the wrong step, but not that it is of the kind: {kind}.",
}


class Step(NamedTuple):
    """A step with its gold label; `kinds` are titles."""

    number: int
    text: str
    mark: Mark
    kinds: list[str]


class Shown(NamedTuple):
    """A demonstration: the problem, its steps as they are to be labelled, and why."""

    problem: str
    answer: str | None
    steps: list[Step]
    why: str


def _demonstrations(project: Project) -> list[Item]:
    rows = exams.demonstrations(project).select_related("gold", "solution__problem")
    return list(rows.defer("solution__extra", "solution__meta")[:DEMONSTRATIONS_SHOWN])


def _shown(item: Item, project: Project) -> Shown:
    solution, gold = item.solution, item.gold
    assert gold is not None  # noqa: S101  (demonstrations are asked for by their gold)
    steps = [
        Step(at + 1, text, MARKS[gold.labels[at]], _kinds(gold, at, project))
        for at, text in enumerate(solution.steps)
    ]
    return Shown(solution.problem.text, solution.problem.answer, steps, gold.note)


def _kinds(gold: Annotation, at: int, project: Project) -> list[str]:
    codes = (gold.error_types or {}).get(str(at), [])
    return [words.kind_title(code, project.error_types) for code in codes]


def patterns_of(cases: list[accuracy.Case], project: Project) -> list[str]:
    """What somebody often gets wrong, in words that name no item and no count."""
    often = [one for one in accuracy.patterns(cases) if one.is_often]
    return [in_words(one.code, one.kind, project) for one in often]
