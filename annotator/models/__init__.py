"""All data of Plumbline. No other app has models (design.md section 3)."""

from annotator.models.event import Event
from annotator.models.people import Invitation, Membership, Role, User
from annotator.models.problem import Finding, Injection, Problem, Solution
from annotator.models.project import BlindShows, DecisionRule, Guideline, Project, Protocol
from annotator.models.rating import Annotation, FinishReason, Phase, Rater, RaterKind
from annotator.models.release import Release
from annotator.models.review import Assignment, AssignmentState, Decision, Item, Question, Sample, Use
from annotator.models.run import OPEN_RUNS, Call, Lease, Run, RunState, Unit, UnitState
from annotator.models.transfer import Export, Import, ImportKind, TransferState

__all__ = [
    "OPEN_RUNS", "Annotation", "Assignment", "AssignmentState", "BlindShows", "Call", "Decision", "DecisionRule",
    "Event", "Export", "Finding", "FinishReason", "Guideline", "Import", "ImportKind", "Injection", "Invitation",
    "Item", "Lease", "Membership", "Phase", "Problem", "Project", "Protocol", "Question", "Rater",
    "RaterKind", "Release", "Role", "Run", "RunState", "Sample", "Solution", "TransferState", "Unit",
    "UnitState", "Use", "User",
]  # fmt: skip
