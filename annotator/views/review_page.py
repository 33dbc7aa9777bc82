"""What the review page shows, as plain values: no request, no HTML.

Whether something may be shown is decided in blinding.py alone; here it is only arranged.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from annotator import blinding, policies
from annotator.actions.review import read_judgement
from annotator.core import align, keys
from annotator.core import labels as lab
from annotator.core.judgement import VERDICTS, Judgement
from annotator.errors import Incomplete, PlumblineError
from annotator.models import Annotation, Assignment, AssignmentState, Injection, Membership, Protocol
from annotator.views.pace import Pace, pace_of

Piece = tuple[str, str]  # "equal", "insert" or "delete", and the text: as core.align.word_diff has them

KINDS: Final = {kind.code: kind for kind in lab.ERROR_TYPES}
WORDS: Final = {"+": "right", "0": "neutral", "-": "wrong", "?": "unsure", ".": "not judged"}
GLYPHS: Final = {"+": "✓", "0": "–", "-": "✗", "?": "?", ".": "·"}

TASKS: Final = {
    Protocol.VERIFY_INJECTION: "Is each step right? Mark what is wrong and why. "
    "What the injector claims appears once you commit.",
    Protocol.VERIFY_LABELS: "Is each step right? Mark what is wrong and why. "
    "The labels you check appear once you commit.",
    Protocol.LABEL_STEPS: "Judge the steps in order and stop at the first one that is wrong.",
    Protocol.CHECK_SOLUTION: "Is each step right? Then say whether the solution is right "
    "and really another one.",
}  # fmt: skip
REVEALED_TASK: Final = (
    "Compare with what you committed. You may still change your labels; both judgements are kept."
)

QUESTIONS: Final = {
    "claim": "Is the claim right?",
    "original": "Is the original solution right?",
    "right": "Is the solution right?",
    "different": "Is it really a different solution?",
}
ANSWERS: Final = {"fix": "needs fixing"}
ANSWER_KEYS: Final = {"yes": "right", "no": "wrong"}  # the key of an answer is that of the action so named


class Question(NamedTuple):
    name: str
    title: str
    answers: list[tuple[str, str, bool, str]]  # value, title, chosen, key
    missing: bool


class Said(NamedTuple):
    """One machine's labels."""

    who: str
    labels: str


@dataclass(frozen=True)
class Row:
    """One step, or (position None) a step of the original that was removed before the next row.

    `was` is its 0-based place in the original where that is worth saying, `was_pieces` its wording there.
    """

    position: int | None
    pieces: list[Piece]
    was: int | None = None
    was_pieces: list[Piece] = field(default_factory=list)
    tag: str = ""


class Claim(NamedTuple):
    """What the injector claimed, verbatim; `wrong` and `changed` count from 1, as it wrote them."""

    kind: lab.ErrorType | None
    code: str
    reason: str
    wrong: str
    changed: str


@dataclass(frozen=True)
class Page:
    assignment: Assignment
    judgement: Judgement
    rows: list[Row]
    phase: str  # "blind", "revealed" or "done"
    task: str
    question: list[Piece]
    original_question: list[Piece]
    original: blinding.Original | None
    what_changed: str
    claim: Claim | None
    said: list[Said]
    questions: list[Question]
    pace: Pace
    missing: Collection[int]
    error: PlumblineError | None
    can_reopen: bool
    keys: Mapping[str, str]

    @property
    def commit_key(self) -> str:
        return "↵" if self.keys["commit"] == "Enter" else self.keys["commit"]

    @property
    def protocol(self) -> Protocol:
        return Protocol(self.assignment.item.protocol)

    @property
    def steps(self) -> list[str]:
        steps: list[str] = self.assignment.item.solution.steps
        return steps

    @property
    def stops(self) -> bool:
        return self.protocol == Protocol.LABEL_STEPS

    @property
    def read_only(self) -> bool:
        return self.phase == "done"

    @property
    def ran_out(self) -> bool:
        return self.assignment.state == AssignmentState.EXPIRED

    @property
    def kinds(self) -> Sequence[lab.ErrorType]:
        return lab.ERROR_TYPES

    @property
    def chosen_kind(self) -> str:
        return self.judgement.verdict.get("kind") or (self.claim.code if self.claim else "")


def build(
    assignment: Assignment,
    by: Membership,
    entered: Mapping[str, Any] | None = None,
    error: PlumblineError | None = None,
) -> Page:
    """The page of an assignment; `entered` stands instead of the draft, with the `error` that refused it."""
    phase, original = _phase(assignment), blinding.original(assignment)
    bound = keys_in_force(json.dumps(by.user.keys, sort_keys=True))
    judgement = read_judgement(assignment.draft if entered is None else entered, assignment)
    revealed = blinding.reveal(assignment) if blinding.is_revealed(assignment) else None
    pairs = align.beside(align.load(original.alignment)) if original else []
    problem = assignment.item.solution.problem
    was = original.solution.problem.text if original else problem.text
    diff = align.word_diff(was, problem.text) if was != problem.text else [("equal", problem.text)]
    return Page(
        assignment=assignment,
        judgement=judgement,
        rows=rows_of(assignment.item.solution.steps, original.solution.steps if original else [], pairs),
        phase=phase,
        task=REVEALED_TASK if phase == "revealed" else TASKS[Protocol(assignment.item.protocol)],
        question=[piece for piece in diff if piece[0] != "delete"],
        original_question=[piece for piece in diff if piece[0] != "insert"] if len(diff) > 1 else [],
        original=original,
        what_changed=align.describe(pairs) if pairs else "",
        claim=claim_of(revealed.injection) if revealed and revealed.injection else None,
        said=said_by(revealed.annotations) if revealed else [],
        questions=questions_of(assignment, judgement, bound, error),
        pace=pace_of(by, holds_one=phase != "done"),
        missing=error.positions if isinstance(error, Incomplete) else (),
        error=error,
        can_reopen=policies.can_reopen(assignment, assignment.item),
        keys=bound,
    )


def _phase(assignment: Assignment) -> str:
    if assignment.state in (AssignmentState.CLAIMED, AssignmentState.EXPIRED):
        return "blind"
    return "revealed" if assignment.state == AssignmentState.COMMITTED else "done"


def rows_of(steps: Sequence[str], old: Sequence[str], pairs: Sequence[align.Pair]) -> list[Row]:
    """The steps with what became of each; without an alignment, the steps alone."""
    if not pairs:
        return [Row(i, [("equal", step)]) for i, step in enumerate(steps)]
    return [_row(pair, steps, old) for pair in pairs]


def _row(pair: align.Pair, steps: Sequence[str], old: Sequence[str]) -> Row:
    op, was, now = pair
    if now is None:
        return Row(None, [("delete", old[was or 0])], was, tag="removed")
    if was is None:
        return Row(now, [("insert", steps[now])], tag="new step")
    if op is align.Op.MOVED:
        return Row(now, [("equal", steps[now])], tag=f"moved, was {was + 1}")
    diff = align.pieces(op, old[was], steps[now])
    if op is align.Op.EQUAL:
        return Row(now, diff)
    before = [piece for piece in diff if piece[0] != "insert"]
    return Row(now, [piece for piece in diff if piece[0] != "delete"], was, before)


def claim_of(injection: Injection) -> Claim:
    return Claim(
        KINDS.get(injection.error_type),
        injection.error_type,
        injection.reason,
        ", ".join(str(step) for step in injection.claimed_wrong),
        ", ".join(str(step) for step in injection.claimed_changed),
    )


def said_by(annotations: Sequence[Annotation]) -> list[Said]:
    """Named by kind; by name where two are of one kind."""
    kinds = [annotation.rater.kind for annotation in annotations]
    return [
        Said(kind if kinds.count(kind) == 1 else annotation.rater.name, annotation.labels)
        for kind, annotation in zip(kinds, annotations, strict=True)
    ]


def questions_of(
    assignment: Assignment, judgement: Judgement, bound: Mapping[str, str], error: PlumblineError | None
) -> list[Question]:
    """The protocol's questions, once they can be answered: about a claim only after it is shown."""
    protocol = Protocol(assignment.item.protocol)
    if protocol.reveals and not blinding.is_revealed(assignment):
        return []
    return [
        Question(
            name,
            QUESTIONS[name],
            [_answer(value, judgement.verdict.get(name), bound) for value in answers],
            missing=error is not None
            and error.field.startswith("verdict.")
            and name not in judgement.verdict,
        )
        for name, answers in VERDICTS.get(protocol, {}).items()
    ]


def _answer(value: str, chosen: str | None, bound: Mapping[str, str]) -> tuple[str, str, bool, str]:
    return value, ANSWERS.get(value, value), value == chosen, bound[ANSWER_KEYS.get(value, value)]


@lru_cache(maxsize=256)
def keys_in_force(chosen: str) -> Mapping[str, str]:
    """`chosen` is a user's mapping as JSON: few people change it, and checking it costs as much as a step."""
    return keys.in_force(json.loads(chosen))
