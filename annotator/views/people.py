"""Members and invitations of a project. Links are shown once, in the answer to the POST that made them."""

from collections.abc import Callable
from typing import NamedTuple

from django.contrib import messages
from django.db.models import Count, F
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from annotator import errors
from annotator.actions import account, exams
from annotator.actions import people as acts
from annotator.forms import InviteForm, refusals_in
from annotator.middleware import PageRequest
from annotator.models import Assignment, Invitation, Membership, Project, Role
from annotator.models.review import OPEN_STATES
from annotator.views import words

INVITATIONS_SHOWN = 50
HELD_SHOWN = 20


@never_cache
def people(request: PageRequest, project: str) -> HttpResponse:
    if request.method != "POST":
        return _page(request, InviteForm(by=request.membership), chosen=_chosen(request))
    step = STEPS.get(request.POST.get("do", ""))
    if step is None:
        raise errors.Invalid("Choose what to do on the people page.")
    try:
        return step(request)
    except (errors.Conflict, errors.Invalid) as error:
        messages.error(request, error.message)
        return redirect("people", project)


def _invite(request: PageRequest) -> HttpResponse:
    by, link = request.membership, ""
    form = InviteForm(request.POST, by=by)
    if form.is_valid():
        with refusals_in(form):
            _, token = acts.invite(by=by, project=by.project, **form.cleaned_data)
            link = request.build_absolute_uri(reverse("join", args=[token]))
            form = InviteForm(by=by)
    return _page(request, form, link=link, link_title="The invitation link")


def _revoke(request: PageRequest) -> HttpResponse:
    by = request.membership
    invitation = Invitation.objects.filter(project=by.project, pk=_id(request, "invitation")).first()
    if invitation is None:
        raise errors.Missing("There is no such invitation in this project.")
    acts.revoke_invitation(by=by, invitation=invitation)
    messages.success(request, "The invitation is withdrawn.")
    return redirect("people", by.project.slug)


def _change_role(request: PageRequest) -> HttpResponse:
    member = _member(request)
    acts.change_role(by=request.membership, membership=member, role=request.POST.get("role", ""))
    messages.success(request, f"{member.user} has a new role.")
    return redirect("people", request.membership.project.slug)


def _take_back(request: PageRequest) -> HttpResponse:
    member = _member(request)
    n = acts.take_back_claims(
        by=request.membership, membership=member, because=request.POST.get("because", "")
    )
    messages.success(request, f"{n} back in the queue." if n else f"{member.user} holds no claim.")
    return redirect(f"{reverse('people', args=[member.project.slug])}?member={member.pk}")


def _remove(request: PageRequest) -> HttpResponse:
    """Who took themselves out has no people page to go back to."""
    member = _member(request)
    acts.remove_member(by=request.membership, membership=member)
    messages.success(request, f"{member.user} is not in the project any more.")
    if member.user_id == request.user.pk:
        return redirect("home")
    return redirect("people", request.membership.project.slug)


def _password_link(request: PageRequest) -> HttpResponse:
    member = _member(request)
    path = account.make_password_link(by=request.membership, user=member.user)
    title = f"The link with which {member.user} chooses a new password"
    return _page(
        request, InviteForm(by=request.membership), link=request.build_absolute_uri(path), link_title=title
    )


def _pause(request: PageRequest) -> HttpResponse:
    member = _member(request)
    n = acts.pause(by=request.membership, membership=member, because=request.POST.get("because", ""))
    messages.success(request, f"{member.user} is paused; {n} back in the queue.")
    return _back_to(member)


def _resume(request: PageRequest) -> HttpResponse:
    member = acts.resume(by=request.membership, membership=_member(request))
    messages.success(request, f"{member.user} may work again.")
    return _back_to(member)


def _let_in(request: PageRequest) -> HttpResponse:
    because = request.POST.get("because", "")
    member = exams.let_in(by=request.membership, membership=_member(request), because=because)
    messages.success(request, f"{member.user} may work without the exam.")
    return _back_to(member)


def _attempts(request: PageRequest) -> HttpResponse:
    member = exams.set_attempts_back(by=request.membership, membership=_member(request))
    messages.success(request, f"{member.user} has all attempts again.")
    return _back_to(member)


def _back_to(member: Membership) -> HttpResponse:
    return redirect(f"{reverse('people', args=[member.project.slug])}?member={member.pk}")


STEPS: dict[str, Callable[[PageRequest], HttpResponse]] = {
    "invite": _invite,
    "revoke": _revoke,
    "role": _change_role,
    "take-back": _take_back,
    "pause": _pause,
    "resume": _resume,
    "let-in": _let_in,
    "attempts": _attempts,
    "remove": _remove,
    "password-link": _password_link,
}


def _page(
    request: PageRequest,
    form: InviteForm,
    *,
    link: str = "",
    link_title: str = "",
    chosen: Membership | None = None,
) -> HttpResponse:
    project = request.membership.project
    invitations = Invitation.objects.filter(project=project).select_related("created_by", "used_by")
    context = {
        "members": _rows(project),
        "held": _held(chosen) if chosen else [],
        "invitations": invitations[:INVITATIONS_SHOWN],
        "form": form,
        "link": link,
        "link_title": link_title,
        "chosen": chosen,
        "roles": Role.choices,
        "is_owner": request.membership.is_at_least(Role.OWNER),
    }
    return render(request, "annotator/people.html", context)


class Row(NamedTuple):
    """A member and how many items they hold."""

    member: Membership
    n_held: int
    active: str


def _rows(project: Project) -> list[Row]:
    open_ = Assignment.objects.filter(project=project, state__in=OPEN_STATES).order_by()
    held = dict(open_.values_list("rater").annotate(n=Count("pk")))
    members = Membership.objects.filter(project=project).select_related("user").order_by("user__username")
    return [
        Row(member, held.get(member.rater_id, 0), words.duration(member.active_ms or None))
        for member in members
    ]


def _held(member: Membership) -> list[Assignment]:
    """The first of what a member has in hand, what was begun first before what waits."""
    rows = Assignment.objects.filter(
        project=member.project_id, rater=member.rater_id, state__in=OPEN_STATES
    ).defer("draft")
    return list(rows.order_by(F("claimed_at").asc(nulls_last=True), "id")[:HELD_SHOWN])


def _chosen(request: PageRequest) -> Membership | None:
    """The member that the page is to show by themselves."""
    return _member(request) if "member" in request.GET else None


def _member(request: PageRequest) -> Membership:
    rows = Membership.objects.select_related("project", "user")
    found = rows.filter(project=request.membership.project, pk=_id(request, "member")).first()
    if found is None:
        raise errors.Missing("This person is not in the project.")
    return found


def _id(request: PageRequest, name: str) -> int:
    """The row that a form names; 0, which no row has, for what is no number."""
    value = request.POST.get(name, request.GET.get(name, ""))
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else 0
