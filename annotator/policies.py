"""Who may do what, in which state. `check_x` raises, `can_x` asks; ACCESS is the one URL × role matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from annotator import errors
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Decision,
    Event,
    Item,
    Membership,
    Phase,
    Project,
    Role,
    Use,
    User,
)


class Level(IntEnum):
    """The least a visitor must be. REVIEWER, LEAD and OWNER are roles in the URL's project."""

    PUBLIC = 0
    SIGNED_IN = 1
    REVIEWER = 2
    LEAD = 3
    OWNER = 4
    OPERATOR = 5  # a superuser: may make projects, belongs to none by itself


ROLE_OF = {Level.REVIEWER: Role.REVIEWER, Level.LEAD: Role.LEAD, Level.OWNER: Role.OWNER}

P, S, R, L, X = Level.PUBLIC, Level.SIGNED_IN, Level.REVIEWER, Level.LEAD, Level.OPERATOR

# URL name -> method -> least level. A URL that is not here answers nobody (a test walks them all).
ACCESS: dict[str, dict[str, Level]] = {
    "health": {"GET": P},
    "favicon": {"GET": P},
    "sign-in": {"GET": P, "POST": P},
    "sign-out": {"POST": S},
    "join": {"GET": P, "POST": P},
    "set-password": {"GET": P, "POST": P},
    "home": {"GET": S},
    "account": {"GET": S, "POST": S},
    "keys": {"GET": S, "POST": S},
    "tokens": {"GET": S, "POST": S},
    "new-project": {"GET": X, "POST": X},
    "project": {"GET": R},
    "settings": {"GET": L, "POST": L},
    "people": {"GET": L, "POST": L},
    "guidelines": {"GET": R, "POST": L},
    "next": {"POST": R},
    "review": {"GET": R, "POST": R},
    "mine": {"GET": R},
    "exam": {"GET": R, "POST": R},
    "practice": {"GET": L, "POST": L},
    "items": {"GET": L},
    "item": {"GET": L, "POST": L},
    "bulk": {"GET": L, "POST": L},
    "triage": {"GET": L},
    "take-down": {"GET": L, "POST": L},
    "adjudicate": {"GET": L},
    "adjudicate-item": {"GET": L, "POST": L},
    "differences": {"GET": R},
    "hours": {"GET": L},
    "reviewers": {"GET": L},
    "questions": {"GET": R, "POST": L},
    "imports": {"GET": L, "POST": L},
    "import": {"GET": L, "POST": L},
    "import-map": {"GET": L, "POST": L},
    "import-labels": {"GET": L, "POST": L},
    "exports": {"GET": L, "POST": L},
    "export": {"GET": L, "POST": L},
    "export-file": {"GET": L},
    "releases": {"GET": L, "POST": L},
    "release": {"GET": L, "POST": L},
    "release-file": {"GET": L},
    "release-tar": {"GET": L},
    "release-diff": {"GET": L},
    "acceptance": {"GET": L, "POST": L},
    "pull": {"GET": L},
    "agreement": {"GET": L},
    "diagnosis": {"GET": L},
    "runs": {"GET": L},
    "run": {"GET": L, "POST": L},
    "run-agreement": {"GET": L},
    "unit": {"GET": L},
    "machines": {"GET": L},
    "machine": {"GET": L, "POST": L},
    "evidence": {"GET": L},
    "score": {"GET": L, "POST": L},
    "try-models": {"GET": L, "POST": L},
    "tried": {"GET": L},
    "consensus": {"GET": L},
    "audit": {"GET": L},
    "audit-file": {"GET": L},
    "published": {"GET": S},
    "benchmarks": {"GET": L},
    "benchmark": {"GET": L},
    "benchmark-report": {"GET": L},
    "benchmark-misses": {"GET": L, "POST": L},
    "benchmark-compare": {"GET": L},
    "benchmark-moved": {"GET": L},
    "api:schema": {"GET": S},
    "api:docs": {"GET": S},
    "api:projects": {"GET": S},
    "api:claim": {"POST": R},
    "api:assignment": {"GET": R},
    "api:draft": {"PUT": R},
    "api:commit": {"POST": R},
    "api:reveal": {"GET": R},
    "api:submit": {"POST": R},
    "api:skip": {"POST": R},
    "api:reopen": {"POST": R},
    "api:items": {"GET": L},
    "api:item": {"GET": L},
    "api:adjudicate": {"POST": L},
    "api:reopen-decision": {"POST": L},
    "api:exports": {"GET": L, "POST": L},
    "api:export": {"GET": L},
    "api:export-file": {"GET": L},
    "api:runs": {"GET": L, "POST": L},
    "api:run": {"GET": L},
    "api:run-pause": {"POST": L},
    "api:run-resume": {"POST": L},
    "api:run-cancel": {"POST": L},
    "api:run-retry": {"POST": L},
    "api:agreement": {"GET": L},
    "api:reviewers": {"GET": L},
}


@dataclass(frozen=True)
class Operator:
    """Whoever may run commands on the machine: an owner everywhere, without an account."""

    user: None = None
    role: str = Role.OWNER

    def is_at_least(self, role: Role) -> bool:
        return True


Actor = Membership | Operator


def authorise(
    view_name: str, method: str, user: User | AnonymousUser, kwargs: dict[str, Any]
) -> Membership | None:
    """The visitor's membership where the URL names a project, else None; raises what refuses them."""
    methods = ACCESS.get(view_name)
    if methods is None:
        raise errors.Forbidden("This address has no declared permission.")
    if method == "OPTIONS" or (method == "HEAD" and "GET" in methods):
        method = "GET" if "GET" in methods else next(iter(methods))
    if method not in methods:
        raise errors.MethodRefused(f"{method} is not for this address.")
    return _check_level(methods[method], user, kwargs.get("project"))


def _check_level(level: Level, user: User | AnonymousUser, slug: str | None) -> Membership | None:
    if level == Level.PUBLIC:
        return None
    if not isinstance(user, User) or not user.is_active:
        raise errors.SignInNeeded("Please sign in.")
    if level == Level.OPERATOR and not user.is_superuser:
        raise errors.Forbidden("Only an operator of this server may do that.")
    if level not in ROLE_OF:
        return None
    membership = _membership(user, slug)
    if not membership.is_at_least(ROLE_OF[level]):
        raise errors.Forbidden(f"Only a {ROLE_OF[level].label} of {membership.project} may do that.")
    return membership


def _membership(user: User, slug: str | None) -> Membership:
    """Outsiders and unknown projects read the same answer."""
    found = (
        Membership.objects.select_related("project__guideline").filter(user=user, project__slug=slug).first()
    )
    if found is None:
        raise errors.Missing("There is no such project, or you are not in it.")
    found.user = user
    return found


def check_at_least(by: Actor, role: Role, project: Project) -> None:
    if isinstance(by, Membership) and by.project_id != project.pk:
        raise errors.Missing("There is no such project, or you are not in it.")
    if not by.is_at_least(role):
        raise errors.Forbidden(f"Only a {role.label} may do that.")


def check_may_create_project(by: Operator | User) -> None:
    if isinstance(by, User) and not (by.is_superuser and by.is_active):
        raise errors.Forbidden("Only an operator of this server may do that.")


def check_may_invite(by: Actor, role: Role, project: Project) -> None:
    """A lead lets reviewers in; whoever may do more than review is let in by an owner."""
    check_at_least(by, Role.LEAD if role == Role.REVIEWER else Role.OWNER, project)


def check_owner_remains(leaving: Membership) -> None:
    """A project without an owner could be set right only by the operator of the server."""
    others = Membership.objects.filter(project=leaving.project_id, role=Role.OWNER).exclude(pk=leaving.pk)
    if leaving.role == Role.OWNER and not others.exists():
        raise errors.Conflict(f"{leaving.user} is the only owner: make somebody else an owner first.")


def check_holds(by: Membership, assignment: Assignment) -> None:
    """Only whoever holds an assignment sees it: a lead reads the item's page instead, after it counts."""
    if assignment.rater_id != by.rater_id or assignment.project_id != by.project_id:
        raise errors.Missing("There is no such assignment, or it is not yours.")


TAKEN_DOWN = "The item was taken down."  # why an assignment of such an item was skipped
DRAFTABLE = (AssignmentState.CLAIMED, AssignmentState.COMMITTED, AssignmentState.EXPIRED)


def check_may_draft(assignment: Assignment) -> None:
    """A draft never touches a submitted annotation."""
    if assignment.skip_reason == TAKEN_DOWN:
        raise errors.Conflict("This item was taken down: there is nothing left to judge. Go on to the next.")
    if assignment.state not in DRAFTABLE:
        raise errors.Conflict(f"This item is {assignment.state}: its draft is closed.")


def check_may_reopen(assignment: Assignment, item: Item) -> None:
    if assignment.state != AssignmentState.SUBMITTED:
        raise errors.Conflict("Only submitted work can be reopened.")
    if item.retired:
        raise errors.Conflict("This item is out of the project's work: there is nothing left to change.")
    if assignment.purpose == Use.EXAM:
        raise errors.Conflict("An exam is answered once.")
    if not seems_open(assignment, item):
        raise errors.Conflict("This item is decided: only a lead can change it now.")
    seen = Q(actor__rater=assignment.rater_id, verb="look")
    if assignment.purpose == Use.WORK:  # who did the work is shown the decision: one taken back has been seen
        seen |= Q(verb="settle")
    if Event.objects.filter(seen, item=item).exists():
        raise errors.Conflict("You have seen what others said of this item: your judgement stands as it was.")


def seems_open(assignment: Assignment, item: Item) -> bool:
    """Whether its reviewer is told that an item is undecided. A probe was decided before: it goes by the work that
    its reviewer submitted next to it, so that neither saying nor refusing anything gives it away."""
    if assignment.purpose != Use.PROBE:
        return item.decision == Decision.INCOMPLETE
    return beside_probes([assignment.pk])[assignment.pk]


def beside_probes(assignment_ids: Sequence[int]) -> dict[int, bool]:
    """Probe -> whether the work of its reviewer next to it is undecided; one query. Without any work, what overlap
    there is says whether one submission would have decided it."""
    work = Assignment.objects.filter(
        project=OuterRef("project"), rater=OuterRef("rater"), purpose=Use.WORK,
        state=AssignmentState.SUBMITTED, submitted_at__isnull=False,
    )  # fmt: skip
    before = work.filter(submitted_at__lte=OuterRef("submitted_at")).order_by("-submitted_at", "-id")
    after = work.order_by("submitted_at", "id")
    rows = Assignment.objects.filter(pk__in=list(assignment_ids)).annotate(
        beside=Coalesce(
            Subquery(before.values("item__decision")[:1]), Subquery(after.values("item__decision")[:1])
        )
    )
    found = rows.order_by().values_list("pk", "beside", "project__overlap")
    return {pk: beside == Decision.INCOMPLETE if beside else overlap > 1 for pk, beside, overlap in found}


def sees_numbers(me: Membership) -> bool:
    """Whether a member is told the numbers of items. Work comes in their order and a probe does not: where there are
    probes, a number would give it away. Leads see which items are probes anyway."""
    return me.project.probe_rate == 0 or me.is_at_least(Role.LEAD)


def check_may_work(me: Membership) -> None:
    if me.paused_at:
        because = f": {me.paused_because}" if me.paused_because else "."
        raise errors.Paused(f"A lead has paused your work here{because}")


def check_may_begin(me: Membership) -> None:
    """Reviewers pass the project's exam, if it has one, before they get work. Leads set it, and take none."""
    if me.project.exam_pass is None or me.exam_passed_at or me.is_at_least(Role.LEAD):
        return
    if Item.objects.filter(project=me.project_id, use=Use.EXAM, retired=False).exists():
        raise errors.ExamNeeded("Take the exam first: you get work once you have passed it.")


def can_reopen(assignment: Assignment, item: Item) -> bool:
    try:
        check_may_reopen(assignment, item)
    except errors.Conflict:
        return False
    return True


def check_may_adjudicate(by: Membership, item: Item) -> bool:
    """Nobody settles what they judged themselves, unless no other lead could; returns whether it is so."""
    check_at_least(by, Role.LEAD, by.project)
    if item.project_id != by.project_id:
        raise errors.Missing("There is no such item in this project.")
    judged = judged_by_people(item)
    if by.rater_id not in judged:
        return False
    others = Membership.objects.filter(project=by.project_id, role__in=LEADING, user__is_active=True)
    if others.exclude(pk=by.pk).exclude(rater__in=judged).exists():
        raise errors.Forbidden("You judged this item yourself: another lead settles it.")
    return True


LEADING = (Role.LEAD, Role.OWNER)


def judged_by_people(item: Item) -> set[int]:
    """The raters whose own judgement of the item is stored, adjudications apart."""
    rows = Annotation.objects.filter(solution=item.solution_id, phase__in=[Phase.BLIND, Phase.REVEALED])
    return set(rows.values_list("rater", flat=True))


def check_may_make_password_link(by: Actor, target: User) -> None:
    """A link that sets a password is the account: who makes one owns everything the account reaches."""
    if isinstance(by, Operator):
        return
    check_at_least(by, Role.OWNER, by.project)
    owned = Membership.objects.filter(user=by.user, role=Role.OWNER).values("project")
    elsewhere = Membership.objects.filter(user=target).exclude(project__in=owned).exists()
    if target.is_superuser or elsewhere:
        raise errors.Forbidden("This account reaches beyond your projects: ask the operator of the server.")
