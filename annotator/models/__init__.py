"""All data of Plumbline. No other app has models (design.md section 3)."""

from annotator.models.event import Event
from annotator.models.people import Invitation, Membership, Role, User
from annotator.models.problem import Finding, Injection, Problem, Solution
from annotator.models.project import BlindShows, DecisionRule, Guideline, Project, Protocol
from annotator.models.rating import Annotation, FinishReason, Phase, Rater, RaterKind
from annotator.models.release import Release
from annotator.models.review import Assignment, AssignmentState, Decision, Item, Question, Sample, Use
from annotator.models.transfer import Export, Import, ImportKind, TransferState

__all__ = [
    "Annotation", "Assignment", "AssignmentState", "BlindShows", "Decision", "DecisionRule", "Event", "Export",
    "Finding", "FinishReason", "Guideline", "Import", "ImportKind", "Injection", "Invitation", "Item", "Membership",
    "Phase", "Problem", "Project", "Protocol", "Question", "Rater", "RaterKind", "Release", "Role", "Sample",
    "Solution", "TransferState", "Use", "User",
]  # fmt: skip
