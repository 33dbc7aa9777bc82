"""What is mine to do, and two addresses that only machines open."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static

from annotator import policies
from annotator.core.labels import UNJUDGED
from annotator.middleware import PageRequest
from annotator.models import Assignment, Decision, Item, Membership, Project, Question, Role, User
from annotator.models.review import OPEN_STATES
from annotator.views import pace


@dataclass
class Card:
    """One of my projects. `begun`: where I stopped. `answered`, `waiting`: my questions. Then, for leads."""

    member: Membership
    open: int
    begun: Assignment | None
    answered: int
    waiting: int
    to_answer: int
    conflicted: int

    @property
    def project(self) -> Project:
        return self.member.project

    @property
    def unread_guideline(self) -> bool:
        guideline = self.project.guideline
        return guideline is not None and guideline.version > self.member.guideline_read

    @property
    def has_numbers(self) -> bool:
        return policies.sees_numbers(self.member)

    @property
    def n_judged(self) -> int:
        labels: str = (self.begun.draft if self.begun else {}).get("labels", "")
        return len(labels) - labels.count(UNJUDGED)


def home(request: PageRequest, **_: object) -> HttpResponse:
    memberships = Membership.objects.filter(user=request.user).select_related("project__guideline")
    cards = _cards(request.user, list(memberships.order_by("project__name", "id")))
    return render(request, "annotator/home.html", {"cards": cards})


def _cards(user: User, members: list[Membership]) -> list[Card]:
    """Six queries for any number of projects."""
    open_for, begun = pace.open_for(members), _begun(members)
    mine = Question.objects.filter(asked_by=user, project__in=[m.project_id for m in members])
    answered = _per_project(mine, Q(answered_at__isnull=False))
    waiting = _per_project(mine, Q(answered_at__isnull=True))
    led = [m.project_id for m in members if m.is_at_least(Role.LEAD)]
    to_answer = _per_project(Question.objects.filter(project__in=led), Q(answered_at__isnull=True))
    conflicts = _per_project(Item.objects.filter(project__in=led), Q(decision=Decision.CONFLICTED))
    return [
        Card(
            m, open_for.get(m.project_id, 0), begun.get(m.project_id), answered[m.project_id],
            waiting[m.project_id], to_answer[m.project_id], conflicts[m.project_id],
        )
        for m in members
    ]  # fmt: skip


def _begun(members: Iterable[Membership]) -> dict[int, Assignment]:
    raters = {m.rater_id for m in members}
    rows = Assignment.objects.filter(
        rater__in=raters, project__in=[m.project_id for m in members], state__in=OPEN_STATES
    )
    return {row.project_id: row for row in rows.order_by("-id")}


def _per_project(rows: QuerySet[Question] | QuerySet[Item], condition: Q) -> Counter[int]:
    return Counter(dict(rows.filter(condition).order_by().values_list("project").annotate(n=Count("id"))))


def health(request: HttpRequest, **_: object) -> HttpResponse:
    """For a load balancer: the server answers and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


def favicon(request: HttpRequest, **_: object) -> HttpResponse:
    return redirect(static("annotator/favicon.svg"), permanent=False)
