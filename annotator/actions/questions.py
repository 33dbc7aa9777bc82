"""Answers to reviewers' questions. Asking is a reviewer's write: actions/review.py."""

from django.db import transaction
from django.utils import timezone

from annotator import errors, policies
from annotator.actions.record import record
from annotator.actions.texts import worded
from annotator.models import Project, Question, Role
from annotator.policies import Actor

MAX_ANSWER = 4000


@transaction.atomic
def answer_question(*, by: Actor, project: Project, question_id: int, text: str) -> Question:
    """Answer, or answer anew; the history keeps every wording."""
    policies.check_at_least(by, Role.LEAD, project)
    if not text.strip():
        raise errors.Incomplete("Write the answer first.", field="answer")
    rows = Question.objects.select_for_update(of=("self",)).select_related("item")
    question = rows.filter(pk=question_id, project=project).first()
    if question is None:
        raise errors.Missing("There is no such question.")
    question.answer, question.answered_by = worded(text, "answer", MAX_ANSWER), by.user
    question.answered_at = timezone.now()
    question.save(update_fields=["answer", "answered_by", "answered_at"])
    record(by, "answer", project, item=question.item, question=question.pk, answer=question.answer)
    return question
