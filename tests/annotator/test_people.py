"""Members, roles and invitations."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotator import errors, queue
from annotator.actions import people, review
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Event,
    Invitation,
    Item,
    Membership,
    Project,
    Rater,
    Role,
    User,
)  # fmt: skip
from annotator.policies import Operator
from tests import factories
from tests.annotator import reviewed

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    return factories.project()


@pytest.fixture
def owner(project: Project) -> Membership:
    return factories.member(project, "owner", Role.OWNER)


@pytest.fixture
def lead(project: Project) -> Membership:
    return factories.member(project, "lead", Role.LEAD)


@pytest.fixture
def bob(project: Project) -> Membership:
    return factories.member(project, "bob")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def people_page(project: Project) -> str:
    return reverse("people", args=[project.slug])


# --- Members --------------------------------------------------------------------------------------


def test_a_person_is_one_rater_in_all_their_projects(project: Project, owner: Membership) -> None:
    dana = User.objects.create_user("dana")
    first = people.add_member(by=owner, project=project, user=dana, role="reviewer")
    second = people.add_member(by=Operator(), project=factories.project(), user=dana, role="lead")
    assert first.rater == second.rater
    assert (first.rater.kind, first.rater.name, first.rater.user) == ("reviewer", "dana", dana)
    assert Event.objects.filter(project=project, verb="add_member", actor=owner.user).exists()


def test_nobody_is_twice_in_a_project(project: Project, owner: Membership, bob: Membership) -> None:
    with pytest.raises(errors.Conflict, match="already in"):
        people.add_member(by=owner, project=project, user=bob.user, role="lead")


def test_a_closed_account_cannot_be_added(project: Project, owner: Membership) -> None:
    gone = User.objects.create_user("gone", is_active=False)
    with pytest.raises(errors.Conflict, match="closed"):
        people.add_member(by=owner, project=project, user=gone, role="reviewer")


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.LEAD])
def test_only_an_owner_adds_changes_and_removes(project: Project, bob: Membership, role: Role) -> None:
    by = factories.member(project, "somebody", role)
    with pytest.raises(errors.Forbidden):
        people.add_member(by=by, project=project, user=User.objects.create_user("new"), role="reviewer")
    with pytest.raises(errors.Forbidden):
        people.change_role(by=by, membership=bob, role="lead")
    with pytest.raises(errors.Forbidden):
        people.change_role(by=by, membership=by, role="owner")
    with pytest.raises(errors.Forbidden):
        people.remove_member(by=by, membership=bob)


def test_an_owner_of_one_project_is_nobody_in_another(bob: Membership) -> None:
    stranger = factories.member(factories.project(), "stranger", Role.OWNER)
    with pytest.raises(errors.Missing):
        people.change_role(by=stranger, membership=bob, role="owner")
    with pytest.raises(errors.Missing):
        people.remove_member(by=stranger, membership=bob)
    with pytest.raises(errors.Missing):
        people.invite(by=stranger, project=bob.project, role="reviewer")


def test_a_role_is_changed_and_recorded(owner: Membership, bob: Membership) -> None:
    people.change_role(by=owner, membership=bob, role="lead")
    bob.refresh_from_db()
    assert bob.role == Role.LEAD
    event = Event.objects.get(verb="change_role")
    assert event.data == {"user": bob.user_id, "role": "lead", "was": "reviewer"}


def test_a_role_that_there_is_not_is_refused(owner: Membership, bob: Membership) -> None:
    with pytest.raises(errors.Invalid, match="choose reviewer, lead or owner"):
        people.change_role(by=owner, membership=bob, role="admin")


def test_the_last_owner_stays_owner(owner: Membership, bob: Membership) -> None:
    with pytest.raises(errors.Conflict, match="only owner"):
        people.change_role(by=owner, membership=owner, role="reviewer")
    with pytest.raises(errors.Conflict, match="only owner"):
        people.remove_member(by=owner, membership=owner)
    people.change_role(by=owner, membership=bob, role="owner")
    people.change_role(by=owner, membership=owner, role="reviewer")
    owner.refresh_from_db()
    assert owner.role == Role.REVIEWER


# --- Leaving --------------------------------------------------------------------------------------


def item_of(project: Project) -> Item:
    return factories.injected_item(project, wanted=1)


def test_an_open_claim_goes_back_and_its_draft_stays(owner: Membership, bob: Membership) -> None:
    item = item_of(bob.project)
    claimed = queue.claim(by=bob)
    assert claimed
    n_steps = item.solution.n_steps
    review.save_draft(by=bob, assignment_id=claimed.pk, data={"labels": "-" * n_steps}, version=0)
    people.remove_member(by=owner, membership=bob)
    item.refresh_from_db()
    claimed.refresh_from_db()
    assert (item.open_slots, claimed.state) == (1, AssignmentState.EXPIRED)
    assert claimed.draft["labels"] == "-" * n_steps
    assert not Membership.objects.filter(pk=bob.pk).exists()
    again = people.add_member(by=owner, project=bob.project, user=bob.user, role="reviewer")
    assert queue.claim(by=again) == claimed


def test_what_was_committed_stays_and_its_slot_is_free_for_another(
    owner: Membership, bob: Membership
) -> None:
    item = item_of(bob.project)
    claimed = queue.claim(by=bob)
    assert claimed
    review.commit(by=bob, assignment_id=claimed.pk, data={"labels": "+" * item.solution.n_steps})
    people.remove_member(by=owner, membership=bob)
    item.refresh_from_db()
    assert item.open_slots == 1
    assert item.solution.annotations.filter(rater=bob.rater).count() == 1
    other = factories.member(bob.project, "other")
    taken = queue.claim(by=other)
    assert taken
    assert taken.item == item
    again = people.add_member(by=owner, project=bob.project, user=bob.user, role="reviewer")
    assert queue.claim(by=again) is None


def test_submitted_work_and_the_rater_stay(owner: Membership, bob: Membership) -> None:
    item = item_of(bob.project)
    claimed = queue.claim(by=bob)
    assert claimed
    labels = {"labels": "+" * item.solution.n_steps}
    review.commit(by=bob, assignment_id=claimed.pk, data=labels)
    verdict = {"claim": "reject", "original": "right"}
    review.submit(by=bob, assignment_id=claimed.pk, data=labels | {"verdict": verdict})
    people.remove_member(by=owner, membership=bob)
    item.refresh_from_db()
    claimed.refresh_from_db()
    assert (item.decision, item.open_slots, claimed.state) == ("agreed", 0, "submitted")
    assert Rater.objects.filter(user=bob.user).exists()


def test_a_surplus_claim_gives_no_slot_back(owner: Membership, bob: Membership) -> None:
    item = item_of(bob.project)
    claimed = queue.claim(by=bob)
    assert claimed
    past = timezone.now() - timedelta(hours=2)
    Assignment.objects.filter(pk=claimed.pk).update(lease_until=past)
    assert queue.claim(by=factories.member(bob.project, "other"))
    review.commit(by=bob, assignment_id=claimed.pk, data={"labels": "+" * item.solution.n_steps})
    people.remove_member(by=owner, membership=bob)
    item.refresh_from_db()
    assert item.open_slots == 0


def test_who_is_out_cannot_come_back_by_a_link_of_their_own(owner: Membership, bob: Membership) -> None:
    people.change_role(by=owner, membership=bob, role="owner")
    bob.refresh_from_db()
    _, token = people.invite(by=bob, project=bob.project, role="owner")
    people.remove_member(by=owner, membership=bob)
    with pytest.raises(errors.Missing):
        people.accept_invitation(token=token, user=bob.user)


def test_links_of_who_has_less_to_say_stop_working(owner: Membership, lead: Membership) -> None:
    _, token = people.invite(by=lead, project=lead.project, role="reviewer")
    people.change_role(by=owner, membership=lead, role="owner")
    assert people.find_invitation(token)
    people.change_role(by=owner, membership=lead, role="reviewer")
    with pytest.raises(errors.Missing):
        people.find_invitation(token)


# --- Invitations ----------------------------------------------------------------------------------


def test_only_the_digest_of_a_token_is_kept(lead: Membership) -> None:
    invitation, token = people.invite(by=lead, project=lead.project, role="reviewer", note=" Ada ")
    assert len(token) >= 43  # 32 bytes
    row = Invitation.objects.values().get(pk=invitation.pk)
    assert token not in str(row)
    assert (row["note"], len(row["token_digest"])) == ("Ada", 64)
    assert token not in str(list(Event.objects.values()))


def test_a_lead_invites_reviewers_and_an_owner_anyone(lead: Membership, owner: Membership) -> None:
    for role in ("lead", "owner"):
        with pytest.raises(errors.Forbidden):
            people.invite(by=lead, project=lead.project, role=role)
        assert people.invite(by=owner, project=owner.project, role=role)
    with pytest.raises(errors.Forbidden):
        people.invite(by=factories.member(lead.project), project=lead.project, role="reviewer")


@pytest.mark.parametrize("days", [0, -1, 91])
def test_an_invitation_works_for_a_bounded_time(lead: Membership, days: int) -> None:
    with pytest.raises(errors.Invalid, match="days"):
        people.invite(by=lead, project=lead.project, role="reviewer", days=days)


def test_an_invitation_works_once(lead: Membership) -> None:
    invitation, token = people.invite(by=lead, project=lead.project, role="reviewer")
    dana, eve = User.objects.create_user("dana"), User.objects.create_user("eve")
    member = people.accept_invitation(token=token, user=dana)
    invitation.refresh_from_db()
    assert (member.role, invitation.used_by) == ("reviewer", dana)
    with pytest.raises(errors.Missing):
        people.accept_invitation(token=token, user=eve)


def test_of_two_at_the_same_moment_one_comes_in(lead: Membership, monkeypatch: Any) -> None:
    """The second has looked before the first was through."""
    _, token = people.invite(by=lead, project=lead.project, role="reviewer")
    looked = people.find_invitation(token)
    people.accept_invitation(token=token, user=User.objects.create_user("dana"))
    monkeypatch.setattr(people, "find_invitation", lambda token: looked)
    with pytest.raises(errors.Missing):
        people.accept_invitation(token=token, user=User.objects.create_user("eve"))
    assert not Membership.objects.filter(user__username="eve").exists()


def test_who_is_in_already_does_not_use_a_link_up(lead: Membership, bob: Membership) -> None:
    invitation, token = people.invite(by=lead, project=lead.project, role="reviewer")
    with pytest.raises(errors.Conflict):
        people.accept_invitation(token=token, user=bob.user)
    invitation.refresh_from_db()
    assert invitation.is_open


def test_a_withdrawn_link_is_dead_and_a_used_one_stays_used(lead: Membership) -> None:
    invitation, token = people.invite(by=lead, project=lead.project, role="reviewer")
    people.revoke_invitation(by=lead, invitation=invitation)
    with pytest.raises(errors.Missing):
        people.find_invitation(token)
    used, token = people.invite(by=lead, project=lead.project, role="reviewer")
    people.accept_invitation(token=token, user=User.objects.create_user("dana"))
    people.revoke_invitation(by=lead, invitation=used)
    used.refresh_from_db()
    assert used.expires_at > timezone.now()


def test_a_lead_cannot_withdraw_what_only_an_owner_may_make(lead: Membership, owner: Membership) -> None:
    invitation, _ = people.invite(by=owner, project=owner.project, role="lead")
    with pytest.raises(errors.Forbidden):
        people.revoke_invitation(by=lead, invitation=invitation)


# --- The page -------------------------------------------------------------------------------------


def test_the_link_is_on_the_page_that_made_it_and_on_no_other(lead: Membership) -> None:
    client, page = signed_in(lead.user), people_page(lead.project)
    answer = client.post(page, {"do": "invite", "role": "reviewer", "note": "Ada", "days": "7"})
    link = answer.context["link"]
    assert link.startswith("http://testserver/join/")
    assert link in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    later = client.get(page).content.decode()
    assert link not in later
    assert "Ada" in later
    assert client.get(link).status_code == 200


def test_a_lead_is_offered_and_granted_the_reviewers_role_alone(lead: Membership) -> None:
    client, page = signed_in(lead.user), people_page(lead.project)
    assert 'value="owner"' not in client.get(page).content.decode()
    client.post(page, {"do": "invite", "role": "owner", "days": "7"})
    assert not Invitation.objects.exists()


def test_the_owner_changes_removes_and_makes_links_on_the_page(owner: Membership, bob: Membership) -> None:
    client, page = signed_in(owner.user), people_page(owner.project)
    assert "Remove from the project" in client.get(f"{page}?member={bob.pk}").content.decode()
    client.post(page, {"do": "role", "member": bob.pk, "role": "lead"})
    bob.refresh_from_db()
    assert bob.role == "lead"
    answer = client.post(page, {"do": "password-link", "member": bob.pk})
    assert "/set-password/" in answer.context["link"]
    assert client.post(page, {"do": "remove", "member": bob.pk}).status_code == 302
    assert not Membership.objects.filter(pk=bob.pk).exists()


def test_what_only_owners_do_is_refused_to_a_lead_on_the_page(lead: Membership, bob: Membership) -> None:
    client, page = signed_in(lead.user), people_page(lead.project)
    for do in ("role", "remove", "password-link"):
        assert client.post(page, {"do": do, "member": bob.pk, "role": "owner"}).status_code == 403
    assert "Remove from" not in client.get(f"{page}?member={bob.pk}").content.decode()
    bob.refresh_from_db()
    assert bob.role == "reviewer"


def test_rows_of_another_project_are_not_there(owner: Membership) -> None:
    client, page = signed_in(owner.user), people_page(owner.project)
    stranger = factories.member(factories.project(), "stranger", Role.OWNER)
    invitation, _ = people.invite(by=stranger, project=stranger.project, role="reviewer")
    for do in ("role", "remove", "password-link"):
        sent = {"do": do, "member": stranger.pk, "role": "reviewer"}
        assert client.post(page, sent).status_code == 404
    assert client.post(page, {"do": "revoke", "invitation": invitation.pk}).status_code == 404
    assert client.get(f"{page}?member={stranger.pk}").status_code == 404
    for nonsense in ("", "x", "-1", "９", "9" * 30):
        assert client.post(page, {"do": "remove", "member": nonsense}).status_code == 404


def test_a_refusal_is_said_on_the_page(owner: Membership) -> None:
    client, page = signed_in(owner.user), people_page(owner.project)
    sent = {"do": "remove", "member": owner.pk}
    assert "only owner" in client.post(page, sent, follow=True).content.decode()


def test_who_leaves_goes_home(owner: Membership, bob: Membership) -> None:
    people.change_role(by=owner, membership=bob, role="owner")
    answer = signed_in(bob.user).post(people_page(bob.project), {"do": "remove", "member": bob.pk})
    assert answer["Location"] == reverse("home")


def test_the_page_makes_as_many_queries_for_many_as_for_few(owner: Membership) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert signed_in(owner.user).get(people_page(owner.project)).status_code == 200
        return len(found)

    few = queries()
    for n in range(20):
        factories.member(owner.project)
        people.invite(by=owner, project=owner.project, role="reviewer", note=str(n))
    assert queries() == few


def test_a_lead_withdraws_an_invitation_on_the_page(lead: Membership) -> None:
    client, page = signed_in(lead.user), people_page(lead.project)
    invitation, token = people.invite(by=lead, project=lead.project, role="reviewer", note="Ada")
    client.post(page, {"do": "revoke", "invitation": invitation.pk})
    with pytest.raises(errors.Missing):
        people.find_invitation(token)
    assert "Withdraw the invitation" not in client.get(page).content.decode()


def test_a_form_that_the_page_has_not_is_refused(lead: Membership) -> None:
    answer = signed_in(lead.user).post(people_page(lead.project), {"do": "promote-me"})
    assert answer.status_code == 400


def test_the_same_role_again_and_a_member_who_is_gone(owner: Membership, bob: Membership) -> None:
    people.change_role(by=owner, membership=bob, role="reviewer")
    assert not Event.objects.exists()
    people.remove_member(by=owner, membership=Membership.objects.get(pk=bob.pk))
    with pytest.raises(errors.Missing, match="not in the project any more"):
        people.change_role(by=owner, membership=bob, role="lead")


# --- What somebody has in hand ----------------------------------------------------------------------


def test_a_lead_sees_what_somebody_has_in_hand_and_takes_the_claims_back(
    project: Project, lead: Membership, bob: Membership
) -> None:
    item = factories.injected_item(project, 0, wanted=1)
    claim = queue.claim(by=bob)
    assert claim
    review.save_draft(by=bob, assignment_id=claim.pk, data={"labels": "+......"}, version=0)
    client, page = signed_in(lead.user), people_page(project)
    (row,) = [row for row in client.get(page).context["members"] if row.member == bob]
    assert row.n_held == 1
    text = client.get(f"{page}?member={bob.pk}").content.decode()
    assert f"Item {item.pk}" in text
    assert "Remove from the project" not in text
    answer = client.post(page, {"do": "take-back", "member": bob.pk, "because": "On leave."}, follow=True)
    assert "1 back in the queue" in answer.content.decode()
    assert "Holds nothing just now" in answer.content.decode()
    claim.refresh_from_db()
    item.refresh_from_db()
    assert (claim.state, claim.draft["labels"]) == (AssignmentState.EXPIRED, "+......")
    assert item.open_slots == 1
    event = Event.objects.get(verb="take_back_claims")
    assert event.data == {"user": bob.user_id, "items": [item.pk], "because": "On leave."}
    again = queue.claim(by=bob)
    assert again
    assert again.pk == claim.pk


def test_what_is_committed_stays_with_its_reviewer(
    project: Project, lead: Membership, bob: Membership
) -> None:
    factories.injected_item(project, 0)
    claim = queue.claim(by=bob)
    assert claim
    review.commit(by=bob, assignment_id=claim.pk, data={"labels": "+" * 7})
    assert people.take_back_claims(by=lead, membership=bob, because="On leave.") == 0
    claim.refresh_from_db()
    assert claim.state == AssignmentState.COMMITTED
    assert not Event.objects.filter(verb="take_back_claims").exists()


def test_claims_are_locked_in_the_order_in_which_leases_run_out(owner: Membership, bob: Membership) -> None:
    """Or this and queue.expire_due could wait for each other."""
    for act in (
        lambda: people.take_back_claims(by=owner, membership=bob, because="Away"),
        lambda: people.remove_member(by=owner, membership=bob),
    ):
        with CaptureQueriesContext(connection) as found:
            act()
        reads = [
            q["sql"] for q in found if 'FROM "annotator_assignment"' in q["sql"] and "'claimed'" in q["sql"]
        ]
        assert '."lease_until" ASC, "annotator_assignment"."id" ASC' in reads[0]


def test_taking_back_wants_a_reason_and_a_lead(project: Project, lead: Membership, bob: Membership) -> None:
    with pytest.raises(errors.Incomplete):
        people.take_back_claims(by=lead, membership=bob, because=" ")
    with pytest.raises(errors.Forbidden):
        people.take_back_claims(by=bob, membership=lead, because="Mine.")
    stranger = factories.member(factories.project(), role=Role.OWNER)
    with pytest.raises(errors.Missing):
        people.take_back_claims(by=stranger, membership=bob, because="Mine.")


def test_who_was_removed_comes_back_with_their_work(
    project: Project, owner: Membership, bob: Membership
) -> None:
    for number in (0, 2):
        item = factories.plain_item(project, number, protocol="label_steps")
        labels = "+" * item.solution.n_steps
        done = reviewed.submitted(bob, item, labels)
        Annotation.objects.filter(assignment=done).update(duration_ms=1000)
    people.remove_member(by=owner, membership=bob)
    back = people.add_member(by=owner, project=project, user=bob.user, role="reviewer")
    back.refresh_from_db()
    assert back.rater_id == bob.rater_id
    assert (back.n_submitted, back.active_ms) == (2, 2000)
    assert back.last_active_at


def test_the_people_page_costs_the_same_for_many_who_hold_items(project: Project, lead: Membership) -> None:
    def queries() -> int:
        client = signed_in(lead.user)
        with CaptureQueriesContext(connection) as found:
            client.get(people_page(project))
        return len(found)

    few = queries()
    for n in range(6):
        factories.injected_item(project, n)
        assert queue.claim(by=factories.member(project))
    assert queries() == few
