"""Questions about items: reviewers see their own, leads all of them, the open ones first."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render

from annotator import policies
from annotator.actions.questions import answer_question
from annotator.errors import Invalid
from annotator.middleware import PageRequest
from annotator.models import Assignment, Membership, Question, Role
from annotator.views import paging


def questions(request: PageRequest, **_: object) -> HttpResponse:
    me = request.membership
    if request.method == "POST":
        return _answer(request)
    is_lead, answered = me.is_at_least(Role.LEAD), request.GET.get("state") == "answered"
    page = paging.page(request, _seen_by(me, answered), newest_first=answered or not is_lead)
    reviews = {} if is_lead else _reviews(me, page.rows)
    context = {
        "page": page,
        "rows": [(question, reviews.get(question.item_id)) for question in page.rows],
        "is_lead": is_lead,
        "has_numbers": policies.sees_numbers(me),
        "answered": answered,
    }
    return render(request, "annotator/questions.html", context)


def _seen_by(me: Membership, answered: bool) -> QuerySet[Question]:
    rows = Question.objects.filter(project=me.project).select_related("asked_by", "answered_by")
    if not me.is_at_least(Role.LEAD):
        return rows.filter(asked_by=me.user)
    return rows.filter(answered_at__isnull=not answered)


def _reviews(me: Membership, rows: list[Question]) -> dict[int, int]:
    """Item -> one's own assignment, where a reviewer reads the item again."""
    mine = Assignment.objects.filter(item__in=[q.item_id for q in rows], rater=me.rater_id)
    return dict(mine.values_list("item", "id"))


def _answer(request: PageRequest) -> HttpResponse:
    """From the questions' page or an item's; back to where it was written."""
    number = request.POST.get("question", "")
    if not (number.isascii() and number.isdecimal()):
        raise Invalid("Which question?", field="question")
    me = request.membership
    done = answer_question(
        by=me, project=me.project, question_id=int(number), text=request.POST.get("answer", "")
    )
    messages.success(request, "Answered.")
    if request.POST.get("from") == "item":
        return redirect("item", me.project.slug, done.item_id)
    return redirect("questions", me.project.slug)
