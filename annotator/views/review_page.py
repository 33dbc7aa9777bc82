"""What the review page shows, as plain values: no request, no HTML.

Whether something may be shown is decided in blinding.py alone; here it is only arranged.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, NamedTuple

from annotator import blinding, policies
from annotator.actions.alternatives import Alternative, alternatives_of
from annotator.actions.review import read_draft, read_judgement, stops_at_first_error
from annotator.core import align, keys, kinds
from annotator.core.decision import differing
from annotator.core.judgement import Judgement
from annotator.core.keys import KindKey
from annotator.errors import Incomplete, PlumblineError
from annotator.models import Assignment, AssignmentState, Membership, Protocol
from annotator.views import words
from annotator.views.pace import Pace, pace_of
from annotator.views.review_questions import Ending, Question, ending_of, questions_of
from annotator.views.review_reveal import Claim, Found, Said, claim_of, differ, found_in, said_by

Piece = tuple[str, str]  # "equal", "insert" or "delete", and the text: as core.align.word_diff has them

WORDS: Final = {"+": "right", "0": "neutral", "-": "wrong", "?": "unsure", ".": "not judged"}
GLYPHS: Final = {"+": "✓", "0": "–", "-": "✗", "?": "?", ".": "·"}

TASKS: Final = {
    Protocol.VERIFY_INJECTION: "Is each step right? Mark what is wrong and why. "
    "What the injector claims appears once you commit.",
    Protocol.VERIFY_LABELS: "Is each step right? Mark what is wrong and why. "
    "The labels you check appear once you commit.",
    Protocol.LABEL_STEPS: "Judge the steps in order and stop at the first one that is wrong.",
    Protocol.CHECK_SOLUTION: "Is each step right? Then say whether the solution is right, "
    "really another one, and has the right answer.",
}  # fmt: skip
TO_THE_END: Final = "Judge every step, also those after a wrong one."
OTHER_WAYS: Final = " Under a judged step you may also judge other ways to go on from the step before it."
REVEALED_TASK: Final = (
    "Compare with what you committed. You may still change your labels; both judgements are kept."
)


SHOWN_TASK: Final = "Is each step right? Mark what is wrong and why, whatever was said of it before."


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


class Decided(NamedTuple):
    """What was decided, where that is not what this reviewer said. `differs`: 0-based steps.  types: of a step, the
    titles of its error types.  reason: the lead's, "" where reviewers agreed."""

    labels: str
    differs: list[int]
    types: Mapping[int, list[str]]
    reason: str


@dataclass(frozen=True)
class Page:
    assignment: Assignment
    judgement: Judgement
    rows: list[Row]
    phase: str  # "blind", "shown" (revealed from the beginning), "revealed" or "done"
    task: str
    question: list[Piece]
    original_question: list[Piece]
    original: blinding.Original | None
    what_changed: str
    alternatives: Mapping[int, list[Alternative]]
    claim: Claim | None
    said: list[Said]
    found: list[Found]
    decided: Decided | None
    questions: list[Question]
    ending: Ending | None
    pace: Pace
    missing: Collection[int]
    error: PlumblineError | None
    can_reopen: bool
    keys: Mapping[str, str]
    kinds: Sequence[KindKey]

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
        return stops_at_first_error(self.assignment)

    @property
    def read_only(self) -> bool:
        return self.phase == "done"

    @property
    def is_last_word(self) -> bool:
        """Whether what is sent from this page is final; else a commit, and the reveal follows."""
        return self.phase != "blind" or not self.protocol.reveals

    @property
    def ran_out(self) -> bool:
        return self.assignment.state == AssignmentState.EXPIRED

    @property
    def taken_down(self) -> bool:
        return self.assignment.item.solution.problem.taken_down_at is not None

    @property
    def chosen_kind(self) -> str:
        """The claimed kind to begin with; "" where the project has no such kind."""
        code = self.judgement.verdict.get("kind") or (self.claim.code if self.claim else "")
        return code if code in {kind.code for kind in self.kinds} else ""

    @property
    def bulk(self) -> str:
        """The bulk steps with the label each was given, for the form: review_form.read says why."""
        drafted = self.judgement
        return ",".join(f"{i}{drafted.labels[i]}" for i in drafted.bulk)

    @property
    def n_differing(self) -> int:
        mine = self.judgement.labels
        return sum(any(differ(by.labels[i], mine[i]) for by in self.said) for i in range(len(mine)))

    @property
    def found_at_large(self) -> list[Found]:
        """What checks found in the record as a whole."""
        return [one for one in self.found if one.position is None]


def build(
    assignment: Assignment,
    by: Membership,
    entered: Mapping[str, Any] | None = None,
    error: PlumblineError | None = None,
) -> Page:
    """The page of an assignment; `entered` stands instead of the draft, with the `error` that refused it."""
    phase, original = _phase(assignment), blinding.original(assignment)
    bound = keys_in_force(json.dumps(by.user.keys, sort_keys=True))
    named = keys.kind_keys(bound, kinds.error_types(assignment.project.error_types))
    others = alternatives_of(assignment)
    judgement = (
        read_draft(assignment, others) if entered is None else read_judgement(entered, assignment, others)
    )
    revealed = blinding.reveal(assignment) if blinding.is_revealed(assignment) else None
    pairs = align.beside(align.load(original.alignment)) if original else []
    problem = assignment.item.solution.problem
    was = original.solution.problem.text if original else problem.text
    diff = align.word_diff(was, problem.text) if was != problem.text else [("equal", problem.text)]
    steps = [] if problem.taken_down_at else assignment.item.solution.steps
    return Page(
        assignment=assignment,
        judgement=judgement,
        rows=rows_of(steps, original.solution.steps if original else [], pairs if steps else []),
        phase=phase,
        task=_task(assignment, phase, has_alternatives=bool(others)),
        question=[piece for piece in diff if piece[0] != "delete"],
        original_question=[piece for piece in diff if piece[0] != "insert"] if len(diff) > 1 else [],
        original=original,
        what_changed=align.describe(pairs) if pairs else "",
        alternatives=_by_step(others),
        claim=claim_of(revealed.injection, named) if revealed and revealed.injection else None,
        said=said_by(revealed.sources) if revealed else [],
        found=found_in(revealed.findings) if revealed else [],
        decided=_decided(assignment, judgement),
        questions=questions_of(assignment, judgement, bound, error),
        ending=ending_of(assignment),
        pace=pace_of(by, holds_one=phase != "done"),
        missing=error.positions if isinstance(error, Incomplete) else (),
        error=error,
        can_reopen=policies.can_reopen(assignment, assignment.item),
        keys=bound,
        kinds=named,
    )


def _phase(assignment: Assignment) -> str:
    if assignment.item.solution.problem.taken_down_at:
        return "done"
    if assignment.state in (AssignmentState.CLAIMED, AssignmentState.EXPIRED):
        return "shown" if blinding.is_shown_early(assignment) else "blind"
    return "revealed" if assignment.state == AssignmentState.COMMITTED else "done"


def _task(assignment: Assignment, phase: str, *, has_alternatives: bool) -> str:
    protocol = Protocol(assignment.item.protocol)
    if phase == "revealed":
        return REVEALED_TASK
    if phase == "shown":
        return SHOWN_TASK
    to_the_end = protocol == Protocol.LABEL_STEPS and not stops_at_first_error(assignment)
    return (TO_THE_END if to_the_end else TASKS[protocol]) + (OTHER_WAYS if has_alternatives else "")


def _decided(assignment: Assignment, judgement: Judgement) -> Decided | None:
    """None also where the decision is the reviewer's own: whether an item is decided at all stays unsaid."""
    gold = blinding.decision_on(assignment)
    differs = differing(judgement.labels, gold.labels) if gold else []
    if gold is None or not differs:
        return None
    own = assignment.project.error_types
    types = {
        int(at): [words.kind_title(code, own) for code in codes]
        for at, codes in (gold.error_types or {}).items()
    }
    return Decided(gold.labels, differs, types, blinding.reason_of(gold))


def _by_step(others: Sequence[Alternative]) -> dict[int, list[Alternative]]:
    found: dict[int, list[Alternative]] = {}
    for one in others:
        found.setdefault(one.position, []).append(one)
    return found


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


@lru_cache(maxsize=256)
def keys_in_force(chosen: str) -> Mapping[str, str]:
    """`chosen` is a user's mapping as JSON: few people change it, and checking it costs as much as a step."""
    return keys.in_force(json.loads(chosen))
