"""Projects where machines speak first: the reveal from the beginning, one judgement, recorded as not blind."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from annotator import blinding, errors, queue
from annotator.actions import projects, review
from annotator.models import Annotation, Assignment, Item, Membership, Project, Role
from annotator.policies import Operator
from tests import factories

pytestmark = pytest.mark.django_db

VERDICT = {"claim": "accept", "original": "right"}


@pytest.fixture
def world() -> tuple[Project, Item, Membership]:
    project = factories.project(overlap=1, labels_first=False, blind_shows="solution")
    return project, factories.injected_item(project, 0), factories.member(project)


def send(me: Membership, held: Assignment, labels: str = "++--+++", **said: Any) -> Assignment:
    data = {"labels": labels, "verdict": VERDICT, **said}
    return review.submit(by=me, assignment_id=held.pk, data=data)


def test_the_reveal_is_there_from_the_beginning_and_one_submission_is_all(client: Client, world: Any) -> None:
    project, item, me = world
    client.force_login(me.user)
    held = queue.claim(by=me)
    page = client.get(f"/p/{project.slug}/review/{held.pk}/").content.decode()
    assert "Steps 3 to 6 assume the answer" in page  # the injector's reason
    assert 'value="submit"' in page
    assert 'value="commit"' not in page
    assert 'data-phase="shown"' in page
    form = {
        "do": "submit",
        "version": "0",
        "n_steps": "7",
        "verdict-claim": "accept",
        "verdict-original": "right",
    }
    form |= {f"label-{at}": label for at, label in enumerate("++--+++")}
    answer = client.post(f"/p/{project.slug}/review/{held.pk}/", form)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    (said,) = Annotation.objects.filter(assignment=held)
    assert (said.phase, said.labels_first, said.labels) == ("revealed", False, "++--+++")
    item.refresh_from_db()
    assert (item.decision, item.open_slots, item.gold) == ("agreed", 0, said)


def test_there_is_nothing_to_commit_and_questions_have_to_be_answered(world: Any) -> None:
    _, _, me = world
    held = queue.claim(by=me)
    with pytest.raises(errors.Conflict, match="there is one judgement"):
        review.commit(by=me, assignment_id=held.pk, data={"labels": "++--+++"})
    with pytest.raises(errors.Incomplete, match="Not answered yet"):
        send(me, held, verdict={})
    with pytest.raises(errors.Incomplete, match="Not judged yet"):
        send(me, held, labels="++.....")
    assert not Annotation.objects.filter(assignment=held).exists()


def test_sent_twice_it_is_stored_once_and_taken_back_it_stays_not_blind(world: Any) -> None:
    project, item, me = world
    Item.objects.filter(pk=item.pk).update(wanted=2, open_slots=2)
    held = queue.claim(by=me)
    send(me, held)
    send(me, held, labels="+++++++")
    assert Annotation.objects.filter(assignment=held).count() == 1
    again = review.reopen(by=me, assignment_id=held.pk)
    assert again.state == "committed"
    projects.change_settings(by=Operator(), project=project, labels_first=True)
    me.refresh_from_db()
    send(me, held, labels="+++++++")
    rows = (
        Annotation.objects.filter(assignment=held)
        .order_by("pk")
        .values_list("phase", "labels_first", "labels")
    )
    assert list(rows) == [("revealed", False, "++--+++"), ("revealed", False, "+++++++")]


def test_ending_early_is_not_blind_either(world: Any) -> None:
    _, _, me = world
    held = queue.claim(by=me)
    send(me, held, labels=".......", finish_reason="bad_problem", note="It asks nothing.", verdict={})
    said = Annotation.objects.get(assignment=held)
    assert (said.phase, said.labels_first, said.finish_reason) == ("revealed", False, "bad_problem")


def test_late_work_takes_its_slot_again_or_is_surplus(world: Any) -> None:
    project, item, me = world
    held, other = queue.claim(by=me), factories.member(project)
    Assignment.objects.filter(pk=held.pk).update(state="expired")
    Item.objects.filter(pk=item.pk).update(open_slots=1)
    send(other, queue.claim(by=other))
    assert send(me, held).surplus


def test_labels_first_again_bars_who_has_seen_and_gives_their_items_to_others(world: Any) -> None:
    project, item, me = world
    held, done = queue.claim(by=me), factories.injected_item(project, 1)
    projects.change_settings(by=Operator(), project=project, labels_first=True)
    held.refresh_from_db()
    item.refresh_from_db()
    assert (held.state, item.open_slots) == ("barred", 1)
    me = Membership.objects.get(pk=me.pk)
    assert queue.claim(by=me).item_id == done.pk
    other = factories.member(Project.objects.get(pk=project.pk))
    assert queue.claim(by=other).item_id == item.pk
    with pytest.raises(errors.Conflict):
        send(me, held)


def test_barring_that_broke_off_goes_on_with_the_same_settings_and_spares_later_claims(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, item, me = world
    held = queue.claim(by=me)

    def _deadlock(*_: Any) -> None:
        raise OperationalError("deadlock detected")

    give_back = queue.give_back
    monkeypatch.setattr(queue, "give_back", _deadlock)
    with pytest.raises(OperationalError):
        projects.change_settings(by=Operator(), project=project, labels_first=True)
    monkeypatch.setattr(queue, "give_back", give_back)
    held.refresh_from_db()
    assert held.state == "claimed"
    factories.injected_item(project, 1)
    later = queue.claim(by=factories.member(Project.objects.get(pk=project.pk)))
    for _ in range(2):
        projects.change_settings(by=Operator(), project=project, labels_first=True)
    held.refresh_from_db()
    later.refresh_from_db()
    item.refresh_from_db()
    assert (held.state, later.state, item.open_slots) == ("barred", "claimed", 1)


def test_what_is_taken_back_later_is_not_barred_by_saving_settings(world: Any) -> None:
    project, item, me = world
    Project.objects.filter(pk=project.pk).update(labels_first=True)
    Item.objects.filter(pk=item.pk).update(wanted=2, open_slots=2)
    me = Membership.objects.get(pk=me.pk)
    held = queue.claim(by=me)
    ended = {"labels": ".......", "finish_reason": "bad_problem", "note": "It asks nothing."}
    review.submit(by=me, assignment_id=held.pk, data=ended)
    for first in (False, True):
        projects.change_settings(by=Operator(), project=project, labels_first=first)
    me = Membership.objects.get(pk=me.pk)
    review.reopen(by=me, assignment_id=held.pk)
    projects.change_settings(by=Operator(), project=project, labels_first=True)
    held.refresh_from_db()
    assert held.state == "claimed"


def test_without_labels_first_comes_the_other_way_nobody_loses_anything(world: Any) -> None:
    project, _, me = world
    Project.objects.filter(pk=project.pk).update(labels_first=True)
    me = Membership.objects.get(pk=me.pk)
    held = queue.claim(by=me)
    review.commit(by=me, assignment_id=held.pk, data={"labels": "+++++++"})
    projects.change_settings(by=Operator(), project=project, labels_first=False)
    me = Membership.objects.get(pk=me.pk)
    send(me, held)
    rows = Annotation.objects.filter(assignment=held).order_by("pk").values_list("phase", "labels_first")
    assert list(rows) == [("blind", True), ("revealed", True)]


@pytest.mark.parametrize("purpose", ["exam", "demonstration"])
def test_an_exam_asks_for_labels_first_whatever_the_project_does(world: Any, purpose: str) -> None:
    _, _, me = world
    held = queue.claim(by=me)
    held.purpose = purpose
    assert not blinding.is_revealed(held)
    with pytest.raises(errors.Conflict):
        blinding.reveal(held)


def test_protocols_without_a_reveal_are_as_ever(world: Any) -> None:
    _, item, me = world
    Item.objects.filter(pk=item.pk).update(protocol="label_steps")
    held = queue.claim(by=me)
    review.submit(by=me, assignment_id=held.pk, data={"labels": "++-...."})
    said = Annotation.objects.get(assignment=held)
    assert (said.phase, said.labels_first) == ("blind", True)


def test_the_same_by_the_api(client: Client, world: Any) -> None:
    project, _, me = world
    client.force_login(me.user)
    held = queue.claim(by=me)
    url = f"/api/v1/projects/{project.slug}/assignments/{held.pk}"
    assert client.get(f"{url}/reveal").json()["injection"]["error_type"] == "circular"
    sent = {"labels": list("++--+++"), "verdict": VERDICT}
    assert client.post(f"{url}/commit", sent, content_type="application/json").status_code == 409
    assert client.post(f"{url}/submit", sent, content_type="application/json").status_code == 200
    assert Annotation.objects.get(assignment=held).labels_first is False


def test_leads_choose_it_among_the_settings(client: Client, world: Any) -> None:
    project, *_ = world
    lead = factories.member(project, role=Role.LEAD)
    client.force_login(lead.user)
    page = client.get(f"/p/{project.slug}/settings/").content.decode()
    assert '<option value="False" selected>' in page
    form = {"do": "save", "name": "N", "protocol": project.protocol, "overlap": 1, "blind_shows": "diff"}
    form |= {"lease_minutes": 60}
    assert client.post(f"/p/{project.slug}/settings/", form).status_code == 302
    project.refresh_from_db()
    assert project.labels_first is False  # not sent, not changed
    client.post(f"/p/{project.slug}/settings/", form | {"labels_first": "True"})
    project.refresh_from_db()
    assert project.labels_first is True
