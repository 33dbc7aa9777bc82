"""One solution of a release as Plumbline's own record: a JSON object whose members are core.record_columns'.

No times and no row ids, so that the same data give the same bytes.
"""

import json
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from annotator.actions.release_select import Candidate
from annotator.core import labels as lab
from annotator.core import verified
from annotator.core.release_rule import GOLD
from annotator.formats import FORMATS
from annotator.models import Annotation, Protocol, Rater, RaterKind

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_sorted = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Anonymous:
    """Names for people that stay the same within one release and say nothing outside it, by first appearance:
    r1, r2, … for reviewers, s1, s2, … for whom a file that came in named as the source of its labels."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._sources: dict[str, str] = {}

    def name(self, rater: Rater) -> str:
        return self.of(rater.name)

    def of(self, username: str) -> str:
        return self._names.setdefault(username, f"r{len(self._names) + 1}")

    def public(self, which: str) -> str:
        """A rater or choice of a rule, with people by these names."""
        kind, _, name = which.partition(":")
        if kind == RaterKind.REVIEWER and name:
            return f"{kind}:{self.of(name)}"
        if kind == RaterKind.SOURCE and name and name not in FORMATS:  # a format's own name is a data set's
            return f"{kind}:{self._sources.setdefault(name, f's{len(self._sources) + 1}')}"
        return which

    def in_order(self, words: Iterable[Annotation]) -> list[Annotation]:
        """People's words by name; who is new comes after, in an order that their words and names make."""
        known = self._names

        def place(word: Annotation) -> tuple[int, str, str, str]:
            number = int(known.get(word.rater.name, "r0")[1:]) or len(known) + 1
            return number, word.labels, _sorted(word.error_types or {}), word.rater.name

        return sorted(words, key=place)


def record(found: Candidate, split: str, people: Anonymous, chosen_by_gold: bool) -> dict[str, Any]:
    """The record of a candidate that stays in. chosen_by_gold: its labels are the item's gold."""
    solution, chosen = found.solution, found.chosen
    assert chosen  # noqa: S101  (what stays in has labels)
    problem, item = solution.problem, found.item
    words = people.in_order(found.people)
    first = lab.first_error(chosen.labels)
    return {
        "id": solution.foreign_id,
        "digest": solution.digest,
        "split": split,
        "group": problem.group,
        "kind": found.kind,
        "protocol": item.protocol if item else "",
        "problem": problem.text,
        "answer": problem.answer,
        "original_problem": problem.parent.text if problem.parent else None,
        "original_steps": solution.parent.steps if solution.parent else None,
        "steps": solution.steps,
        "labels": list(chosen.labels),
        "labels_from": GOLD if chosen_by_gold else people.public(str(chosen.rater)),
        "decision": str(item.decision) if item else "",
        "error_types": error_types(chosen),
        "has_error": None if first == lab.UNKNOWN else first != lab.NO_ERROR,
        "first_error": first if first >= 0 else None,
        "verified": list(found.human),
        "steps_verified": verified.is_whole(chosen.labels, found.human),
        "solution_verified": is_solution_verified(found),
        "raters": [_person(word, people) for word in words],
        "n_raters": len(words),
        "agreement": agreement([word.labels for word in words]),
        "guidelines": guidelines(words),
        "machine_labels": [_machine(word, people) for word in sorted(found.machines, key=_machine_place)],
        "findings": list(found.findings),
        "format": solution.foreign_format,
        "problem_meta": _sorted(problem.meta),
        "solution_meta": _sorted(solution.meta),
    }


def agreement(rows: Sequence[str]) -> float | None:
    """Return the share of pairs of raters that gave a step the same label, over steps that both judged; None
    where no two judged the same step. Unsure is not judged."""
    same = both = 0
    for one, other in combinations(rows, 2):
        for a, b in zip(one, other, strict=True):
            if a not in (lab.UNJUDGED, lab.UNSURE) and b not in (lab.UNJUDGED, lab.UNSURE):
                both += 1
                same += a == b
    return round(same / both, 6) if both else None


def is_solution_verified(found: Candidate) -> bool:
    """Whether a person has judged the solution as a whole, where that was the question."""
    is_asked = found.item is not None and found.item.protocol == Protocol.CHECK_SOLUTION
    words = (*found.people, *([found.chosen] if found.chosen else ()))
    return is_asked and any(verified.of_solution(word.verdict) for word in words)


def guidelines(words: Iterable[Annotation]) -> list[int]:
    return sorted({word.guideline.version for word in words if word.guideline})


def error_types(word: Annotation) -> list[list[str]]:
    types = word.error_types or {}
    return [sorted(types.get(str(at), ())) for at in range(word.n_steps)]


def _person(word: Annotation, people: Anonymous) -> dict[str, Any]:
    return {
        "rater": people.name(word.rater),
        "labels": list(word.labels),
        "error_types": error_types(word),
        "finish_reason": word.finish_reason,
        "verdict": _sorted(word.verdict) if word.verdict else "",
        "phase": str(word.phase),
        "guideline": word.guideline.version if word.guideline else None,
        "blind_shows": word.blind_shows,
        "labels_first": word.labels_first,
    }


def _machine(word: Annotation, people: Anonymous) -> dict[str, Any]:
    return {
        "rater": people.public(str(word.rater)),
        "spec": word.rater.digest,
        "labels": list(word.labels),
        "scores": word.scores,
        "redundancy_labels": list(word.redundancy_labels) or None,
        "error_types": error_types(word),
    }


def _machine_place(word: Annotation) -> tuple[str, str, str]:
    return word.rater.kind, word.rater.name, word.rater.digest
