"""How a rater's step scores behave on a project, and what it is worth where only the final answer counts."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from annotator.core import labels as lab
from annotator.models import Project
from scoring.evaluating import asked as asking
from scoring.evaluating.asked import Asked
from scoring.evaluating.said import Cut, Said, first_of, step_scores
from scoring.evaluating.truths import Truth
from scoring.metrics import best_of_n, profile
from scoring.metrics.best_of_n import Question
from scoring.metrics.prmbench import CORRECT, Item, labels_of
from scoring.metrics.processbench import Case
from scoring.metrics.profile import Process, Scored


class Answers:
    """What a project knows of final answers, read once for all raters and only where somebody asks."""

    def __init__(self, project: Project, **known: Truth[Any]) -> None:
        self._project, self._known = project, known

    @cached_property
    def questions(self) -> list[Asked]:
        found: list[Asked] = self._of("best_of_n").released
        return found

    @cached_property
    def cases(self) -> Truth[Case]:
        return self._of("processbench")

    def _of(self, benchmark: str) -> Truth[Any]:
        return self._known.get(benchmark) or asking.truth(self._project, benchmark)


def questions_of(asked: Sequence[Asked], said: Mapping[int, Said]) -> list[Question]:
    """The questions with a rater's scores; of labels alone the number called right orders responses."""
    return [
        one.question._replace(
            responses=[
                response._replace(scores=step_scores(said.get(pk)))
                for pk, response in zip(one.solutions, one.question.responses, strict=True)
            ]
        )
        for one in asked
    ]


def step_profile(entries: Sequence[Any], said: Mapping[int, Said]) -> dict[str, Any] | None:
    """metrics.profile's of a rater; entries: items, cases or questions, with the labels that scores are held
    against."""
    return profile.profile(_scored(entries, said))


def _scored(entries: Sequence[Any], said: Mapping[int, Said]) -> Iterator[Scored]:
    for pk, labels in _labelled(entries):
        one = said.get(pk)
        if one is not None and one.is_parsed and one.scores:
            yield Scored(one.scores, labels)


def _labelled(entries: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """Solution id and the labels that are true of it, "" where nobody knows."""
    for entry in entries:
        if isinstance(entry, Item):
            if entry.kind != CORRECT:
                yield int(entry.id), labels_of(entry)
        elif isinstance(entry, Case):
            yield int(entry.id), lab.labels_from_first_error(entry.label, entry.n_steps)
        else:
            yield from ((pk, "") for pk in entry.solutions)


def inflation(
    answers: Answers, labels: str, said: Mapping[int, Said], cut: Cut, by: str = ""
) -> dict[str, Any] | None:
    """Right answers with a wrong process: among all, among those the rater picks, and how many it calls wrong. by:
    the aggregate that it picks by, "" for what its scores allow."""
    picked = _picked(answers.questions, said, by)
    return profile.inflation(
        Process(
            case.is_answer_right, case.label != lab.NO_ERROR, pk in picked, _calls_wrong(said.get(pk), cut)
        )
        for pk, case in ((int(case.id), case) for case in answers.cases.of(labels))
        if case.is_answer_right is not None
    )


def _picked(asked: Sequence[Asked], said: Mapping[int, Said], by: str) -> set[int]:
    """The solutions that a rater chooses by the headline's aggregate of their scores, one a question."""
    found, questions = set(), questions_of(asked, said)
    first = by or best_of_n.headline(questions)
    for one, question in zip(asked, questions, strict=True):
        at = best_of_n.pick(question.responses, first)
        if at is not None:
            found.add(one.solutions[at])
    return found


def _calls_wrong(said: Said | None, cut: Cut) -> bool | None:
    first = first_of(said, cut)
    return None if first is None else first != lab.NO_ERROR


def response(answers: Answers, said: Mapping[int, Said], by: str = "") -> dict[str, Any] | None:
    """What a rater is worth where only the final answer counts; None where it scored no answer that is known.

    prm@n, auc: of the headline's aggregate of the step scores, which `headline` names; auc: right answers against
    wrong ones. by: that aggregate, "" for what the scores allow.
    """
    asked = [one for one in answers.questions if any(pk in said for pk in one.solutions)]
    scored = list(_answered(answers, said))
    if not asked and not scored:
        return None
    first = by or ("product" if all(min(some) >= 0 and max(some) <= 1 for some, _ in scored) else "min")
    combine = best_of_n.AGGREGATES[first]
    pairs = [(combine(some), is_right) for some, is_right in scored]
    report = best_of_n.evaluate(questions_of(asked, said), by=first) if asked else {}
    scores, is_right = (np.array(side) for side in zip(*pairs, strict=True)) if pairs else (np.array([]),) * 2
    return {
        "n_questions": len(asked),
        "n_solutions": len(pairs),
        "headline": first,
        "prm@n": (report.get("prm@n") or {}).get(first),
        "maj@n": report.get("maj@n"),
        "pass@n": report.get("pass@n"),
        "auc": profile.auc(scores.astype(float), is_right.astype(bool)),
    }


def _answered(answers: Answers, said: Mapping[int, Said]) -> Iterator[tuple[list[float], bool]]:
    """The step scores and the answer of every solution that a rater scored and whose answer is known, each once."""
    known = {
        pk: one.is_right
        for asked in answers.questions
        for pk, one in zip(asked.solutions, asked.question.responses, strict=True)
    }
    cases = (*answers.cases.released, *answers.cases.gold)
    known |= {int(case.id): case.is_answer_right for case in cases if case.is_answer_right is not None}
    for pk, is_right in known.items():
        scores = step_scores(said.get(pk))
        if scores:
            yield scores, is_right
