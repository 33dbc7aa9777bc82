"""What a reviewer may see of an assignment in its phase: the one rule behind page and API (design.md section 5).

Before the commit: the problem, the steps and, if the project shows it, what changed. Kind, reason, claims and
anybody's labels only after it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import QuerySet

from annotator import errors
from annotator.core.digest import digest
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    BlindShows,
    Decision,
    Finding,
    Injection,
    Item,
    Membership,
    Phase,
    Solution,
    Use,
)
from annotator.models import Protocol as P

DECIDED = (Decision.AGREED, Decision.SETTLED)


@dataclass(frozen=True)
class Original:
    """The solution that was altered and core.align's pairs (0-based) from it to the one shown."""

    solution: Solution
    alignment: list[list[Any]]


class Source(NamedTuple):
    """A machine's labels and what it is called here: `name` with its kind, or a letter, as `is_named` says."""

    name: str
    is_named: bool
    annotation: Annotation


@dataclass(frozen=True)
class Reveal:
    """What machines said: the injection, if that is what it was, what each labelled, and what checks found
    (positions 0-based; what a code means is in core.findings.CODES)."""

    injection: Injection | None
    sources: list[Source]
    findings: list[Finding]


def is_revealed(assignment: Assignment) -> bool:
    """Whether the blind judgement is in, or none is asked for, so that the rest may be shown."""
    seen = assignment.state in (AssignmentState.COMMITTED, AssignmentState.SUBMITTED)
    return is_shown_early(assignment) or (seen and P(assignment.item.protocol).reveals)


def is_shown_early(assignment: Assignment) -> bool:
    """Whether what machines said is shown before anything is judged: then there is one judgement, and it is not
    blind. The project chooses so; exam and practice ask for labels first whatever it chooses."""
    if assignment.project.labels_first or assignment.purpose in (Use.EXAM, Use.DEMONSTRATION):
        return False
    is_open = assignment.state in (AssignmentState.CLAIMED, AssignmentState.EXPIRED)
    return is_open and P(assignment.item.protocol).reveals


def original(assignment: Assignment) -> Original | None:
    """What the shown solution was made from; None where there is none or the project hides it while blind."""
    solution = assignment.item.solution
    if solution.parent is None:
        return None
    hidden = assignment.project.blind_shows == BlindShows.SOLUTION and not is_revealed(assignment)
    if hidden and assignment.item.protocol != P.CHECK_SOLUTION:  # which asks whether the two really differ
        return None
    # The kind stands in the same row: while blind only the alignment is read, so that nothing else can slip out.
    pairs = Injection.objects.filter(child=solution).values_list("alignment", flat=True).first()
    return Original(solution.parent, pairs or [])


def reveal(assignment: Assignment) -> Reveal:
    """Raises Conflict before the blind commit, and where the protocol reveals nothing."""
    if not is_revealed(assignment):
        raise errors.Conflict("Commit your own judgement first: what the machine said is shown then.")
    solution = assignment.item.solution
    claims = Injection.objects.select_related("rater").filter(child=solution)
    injection = claims.first() if _names_machines(assignment) else None
    return Reveal(injection, _sources(assignment), list(findings(solution)))


def _names_machines(assignment: Assignment) -> bool:
    """Where labels are verified, who said what is told when the last word is in: a claim would tell it too."""
    return assignment.item.protocol != P.VERIFY_LABELS or assignment.state == AssignmentState.SUBMITTED


def _sources(assignment: Assignment) -> list[Source]:
    """Where labels are verified, machines stand in an order drawn for each assignment and are letters until the
    last word is in: neither place nor name tells which one it is."""
    rows = list(machine_annotations(assignment.item.solution).filter(is_parsed=True))
    if assignment.item.protocol != P.VERIFY_LABELS:
        return [Source(str(row.rater), True, row) for row in rows]
    drawn = sorted(rows, key=lambda row: digest("sources", assignment.pk, row.rater_id))
    is_named = _names_machines(assignment)
    return [
        Source(str(row.rater) if is_named else letter_of(at), is_named, row) for at, row in enumerate(drawn)
    ]


def letter_of(at: int) -> str:
    """A, B, … Z, then A2, B2, …"""
    turn, place = divmod(at, 26)
    return chr(ord("A") + place) + (str(turn + 1) if turn else "")


def machine_annotations(solution: Solution) -> QuerySet[Annotation]:
    rows = Annotation.objects.filter(solution=solution, phase=Phase.MACHINE, superseded_at__isnull=True)
    return rows.select_related("rater").order_by("rater_id")


def findings(solution: Solution) -> QuerySet[Finding]:
    """In the order in which the checks list them."""
    return Finding.objects.filter(solution=solution).order_by("pk")


def decided(by: Membership) -> QuerySet[Assignment]:
    """One's own work on items that are decided, newest first: the decision on them may be shown. What was given to
    measure somebody is no work, and looks undecided for good."""
    return Assignment.objects.filter(
        project=by.project_id, rater=by.rater_id, state=AssignmentState.SUBMITTED, purpose=Use.WORK,
        submitted_at__isnull=False, item__decision__in=DECIDED, item__gold__isnull=False,
    ).order_by("-submitted_at", "-id")  # fmt: skip


def decision_on(assignment: Assignment) -> Annotation | None:
    """What was decided on the item, for whoever did their work on it; None while it is not for them."""
    item = assignment.item
    is_done = assignment.state == AssignmentState.SUBMITTED and assignment.purpose == Use.WORK
    return item.gold if is_done and item.decision in DECIDED else None


def reason_of(decision: Annotation | None) -> str:
    """A lead's reason. Where reviewers agreed, the note is one reviewer's own and stays theirs."""
    return decision.note if decision and decision.phase == Phase.ADJUDICATION else ""


def undecided(solutions: Collection[int]) -> set[int]:
    """Those that are still under review, in whatever item: what anybody says of them is told on the item's page
    alone, where reading it costs the reader's slot."""
    open_items = Item.objects.filter(solution__in=solutions, retired=False).exclude(decision__in=DECIDED)
    return set(open_items.values_list("solution", flat=True))
