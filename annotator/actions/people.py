"""Who is in a project: members and the invitations that let people in."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from annotator import errors, policies, queue
from annotator.actions.record import record
from annotator.actions.texts import worded
from annotator.models import (
    Assignment,
    AssignmentState,
    Invitation,
    Membership,
    Project,
    Rater,
    RaterKind,
    Role,
    User,
)  # fmt: skip
from annotator.models.review import OPEN_STATES
from annotator.policies import Actor

MAX_DAYS = 90
CLOSED = "This link has been used, has run out or was withdrawn: ask whoever sent it to you for a new one."


@transaction.atomic
def add_member(*, by: Actor, project: Project, user: User, role: str) -> Membership:
    policies.check_at_least(by, Role.OWNER, project)
    member = join_project(project=project, user=user, role=_role(role))
    record(by, "add_member", project, user=user.pk, role=role)
    return member


def join_project(*, project: Project, user: User, role: Role) -> Membership:
    """The membership and, the first time, the rater. The caller checks who lets them in, and records it."""
    if not user.is_active:
        raise errors.Conflict(f"The account {user} is closed.")
    rater, _ = Rater.objects.get_or_create(
        kind=RaterKind.REVIEWER, user=user, defaults={"name": user.get_username()}
    )
    member, is_new = Membership.objects.get_or_create(
        project=project, user=user, defaults={"rater": rater, "role": role}
    )
    if not is_new:
        raise errors.Conflict(f"{user} is already in {project}, as {member.role}.")
    _count_again(member)
    return member


def _count_again(member: Membership) -> None:
    """Who comes back finds what they submitted before; their counters went with the membership."""
    done = Assignment.objects.filter(
        project=member.project, rater=member.rater_id, state=AssignmentState.SUBMITTED
    ).order_by()
    took = done.annotate(ms=Max("annotations__duration_ms"))
    found = took.aggregate(n=Count("pk"), active_ms=Sum("ms"), last=Max("submitted_at"))
    if found["n"]:
        member.n_submitted, member.active_ms = found["n"], found["active_ms"] or 0
        member.last_active_at = found["last"]
        member.save(update_fields=["n_submitted", "active_ms", "last_active_at"])


@transaction.atomic
def change_role(*, by: Actor, membership: Membership, role: str) -> Membership:
    """Give a member another role. With less to say, the links they made stop working."""
    policies.check_at_least(by, Role.OWNER, membership.project)
    new = _role(role)
    member = _lock(membership)
    was = Role(member.role)
    if new == was:
        return member
    policies.check_owner_remains(member)
    member.role = new
    member.save(update_fields=["role"])
    if not new.at_least(was):
        _withdraw_all(member)
    record(by, "change_role", member.project, user=member.user_id, role=new, was=was)
    return member


@transaction.atomic
def remove_member(*, by: Actor, membership: Membership) -> None:
    """Take somebody out. What they submitted stays and counts; what they held goes back to the queue."""
    policies.check_at_least(by, Role.OWNER, membership.project)
    member = _lock(membership)
    policies.check_owner_remains(member)
    given_back = _give_back(member)
    _withdraw_all(member)
    record(by, "remove_member", member.project, user=member.user_id, role=member.role, items=given_back)
    member.delete()


@transaction.atomic
def take_back_claims(*, by: Actor, membership: Membership, because: str) -> int:
    """Give everything a member has claimed or was assigned back to the queue; returns how many. Drafts stay, and
    so does what they have committed: that is used up, and the item's page can close it."""
    policies.check_at_least(by, Role.LEAD, membership.project)
    if not because.strip():
        raise errors.Incomplete("Say why you take it back: they will ask.", field="because")
    member = _lock(membership)
    items = _take_claims(member)
    if items:
        reason = worded(because, "because", 300)
        record(by, "take_back_claims", member.project, user=member.user_id, items=items, because=reason)
    return len(items)


@transaction.atomic
def pause(*, by: Actor, membership: Membership, because: str) -> int:
    """Give a member no work until they are resumed; they read the reason. What they have claimed goes back to the
    queue, drafts stay, and what is committed is theirs to finish. Returns how many went back."""
    policies.check_at_least(by, Role.LEAD, membership.project)
    if not because.strip():
        raise errors.Incomplete("Say why: they read it.", field="because")
    member = _lock(membership)
    if member.paused_at:
        raise errors.Conflict(f"{member.user} is paused already: {member.paused_because}")
    member.paused_at, member.paused_because = timezone.now(), worded(because, "because", 300)
    member.save(update_fields=["paused_at", "paused_because"])
    items = _take_claims(member)
    record(by, "pause", member.project, user=member.user_id, because=member.paused_because, items=items)
    return len(items)


@transaction.atomic
def resume(*, by: Actor, membership: Membership) -> Membership:
    """Let a paused member work again."""
    policies.check_at_least(by, Role.LEAD, membership.project)
    member = _lock(membership)
    if member.paused_at:
        member.paused_at, member.paused_because = None, ""
        member.save(update_fields=["paused_at", "paused_because"])
        record(by, "resume", member.project, user=member.user_id)
    return member


def _take_claims(member: Membership) -> list[int]:
    """Expire what a locked member has claimed and not committed; the item ids, whose slots are given back."""
    held = Assignment.objects.filter(
        project=member.project, rater=member.rater_id, state=AssignmentState.CLAIMED, reopened=False
    )
    in_order = held.order_by("lease_until", "id")  # as queue.expire_due, or the two could wait for each other
    rows = dict(in_order.select_for_update(no_key=True).values_list("pk", "item_id"))
    Assignment.objects.filter(pk__in=rows).update(
        state=AssignmentState.EXPIRED, assigned=False, lease_until=None
    )
    queue.give_back(rows.values(), timezone.now())
    return sorted(rows.values())


@transaction.atomic
def invite(
    *, by: Actor, project: Project, role: str, note: str = "", days: int = 14
) -> tuple[Invitation, str]:
    """An invitation and its token, which exists only here and in the link: the database keeps its digest."""
    policies.check_may_invite(by, _role(role), project)
    if not 1 <= days <= MAX_DAYS:
        raise errors.Invalid(f"Choose from 1 to {MAX_DAYS} days.", field="days")
    token = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        project=project, role=role, note=note.strip()[:120], token_digest=_digest(token), created_by=by.user,
        expires_at=timezone.now() + timedelta(days=days),
    )  # fmt: skip
    record(by, "invite", project, invitation=invitation.pk, role=role, note=invitation.note)
    return invitation, token


@transaction.atomic
def revoke_invitation(*, by: Actor, invitation: Invitation) -> None:
    """The link stops working at once; one that was used stays as it is."""
    policies.check_may_invite(by, Role(invitation.role), invitation.project)
    now = timezone.now()
    open_ = Invitation.objects.filter(pk=invitation.pk, used_at__isnull=True, expires_at__gt=now)
    if open_.update(expires_at=now):
        record(by, "revoke_invitation", invitation.project, invitation=invitation.pk)


def find_invitation(token: str) -> Invitation:
    """The open invitation of a link; Missing, in the same words, for whatever else a link may be."""
    found = Invitation.objects.select_related("project").filter(token_digest=_digest(token)).first()
    if found is None or not found.is_open:
        raise errors.Missing(CLOSED)
    return found


@transaction.atomic
def accept_invitation(*, token: str, user: User) -> Membership:
    """Come in by a link, which works once: of two at the same moment the database lets one through."""
    invitation = find_invitation(token)
    now = timezone.now()
    mine = Invitation.objects.filter(pk=invitation.pk, used_at__isnull=True, expires_at__gt=now)
    if not mine.update(used_at=now, used_by=user):
        raise errors.Missing(CLOSED)
    member = join_project(project=invitation.project, user=user, role=Role(invitation.role))
    record(member, "accept_invitation", member.project, invitation=invitation.pk, role=member.role)
    return member


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise errors.Invalid(f"{role}: choose reviewer, lead or owner.", field="role") from None


def _lock(membership: Membership) -> Membership:
    """The member, and every owner, so that two cannot both step down at once. Not the project: whoever gives
    items back locks it last (queue.py)."""
    rows = Membership.objects.select_related("project", "user").select_for_update(of=("self",))
    wanted = Q(role=Role.OWNER) | Q(pk=membership.pk)
    locked = rows.filter(wanted, project=membership.project_id).order_by("pk")
    found = next((row for row in locked if row.pk == membership.pk), None)
    if found is None:
        raise errors.Missing("This person is not in the project any more.")
    return found


def _withdraw_all(member: Membership) -> None:
    """Or who was taken out could come back by a link of their own."""
    now = timezone.now()
    theirs = Invitation.objects.filter(project=member.project, created_by=member.user, used_at__isnull=True)
    theirs.filter(expires_at__gt=now).update(expires_at=now)


def _give_back(member: Membership) -> list[int]:
    """Return the slots of what the member held, and the item ids. A claim expires with its draft; what was
    committed already is closed, because its annotation stays and another cannot be made in its place."""
    held = Assignment.objects.filter(project=member.project, rater=member.rater_id, state__in=OPEN_STATES)
    in_order = held.order_by("lease_until", "id")  # as queue.expire_due, or the two could wait for each other
    rows = list(in_order.select_for_update(no_key=True))
    claims = [row.pk for row in rows if row.state == AssignmentState.CLAIMED and not row.reopened]
    Assignment.objects.filter(pk__in=claims).update(state=AssignmentState.EXPIRED, assigned=False)
    Assignment.objects.filter(pk__in=[row.pk for row in rows if row.pk not in claims]).update(
        state=AssignmentState.SKIPPED, skip_reason="left the project"
    )
    item_ids = [row.item_id for row in rows if not row.surplus]
    queue.give_back(item_ids, timezone.now())
    return item_ids
