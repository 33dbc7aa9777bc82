"""All data of Plumbline. No other app has models (design.md section 3)."""

from annotator.models.event import Event
from annotator.models.people import Invitation, Membership, Role, User
from annotator.models.problem import Injection, Problem, Solution
from annotator.models.project import BlindShows, Guideline, Project, Protocol
from annotator.models.rating import Annotation, FinishReason, Phase, Rater, RaterKind
from annotator.models.review import Assignment, AssignmentState, Decision, Item, Question
from annotator.models.transfer import Export, Import, TransferState

__all__ = [
    "Annotation", "Assignment", "AssignmentState", "BlindShows", "Decision", "Event", "Export", "FinishReason",
    "Guideline", "Import", "Injection", "Invitation", "Item", "Membership", "Phase", "Problem", "Project",
    "Protocol", "Question", "Rater", "RaterKind", "Role", "Solution", "TransferState", "User",
]  # fmt: skip
