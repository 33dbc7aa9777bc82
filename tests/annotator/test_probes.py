"""Probes: given unseen, outside slots, decisions and reports, and told from work by nobody who is measured."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from annotator import errors, policies, queue, reports
from annotator.actions import assigning, export_rows, items, people, probes, review
from annotator.actions.integrity import check_items
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
)
from annotator.views import pace, progress
from tests import crowd, factories

pytestmark = pytest.mark.django_db


class Always(Random):
    """Draws that always fall on a probe."""

    def random(self) -> float:
        return 0.0


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "_chance", Always(1))


@pytest.fixture
def project() -> Project:
    made, _ = crowd.crowd(0, overlap=2)
    Project.objects.filter(pk=made.pk).update(probe_rate=0.2)
    made.refresh_from_db()
    return made


@pytest.fixture
def me(project: Project) -> Membership:
    return crowd.join(project, "me")


@pytest.fixture
def lead(project: Project) -> Membership:
    return factories.member(project, "lead", Role.LEAD)


def settle(item: Item, labels: str = "+++") -> Item:
    """Decided by somebody else, with gold."""
    judge = factories.member(item.project)
    gold = Annotation.objects.create(
        solution=item.solution, rater=judge.rater, phase=Phase.ADJUDICATION, labels=labels, n_steps=3,
        first_error=labels.find("-"), finish_reason="solution",
    )  # fmt: skip
    item.decision, item.gold, item.open_slots = Decision.SETTLED, gold, 0
    item.save()
    for _ in range(item.wanted):
        rater = factories.member(item.project).rater
        Assignment.objects.create(
            project=item.project, item=item, rater=rater, state=AssignmentState.SUBMITTED
        )
    return item


def made_probes(project: Project, n: int) -> list[Item]:
    made = [settle(item) for item in crowd.plain_items(project, n, priority=-9)]
    Item.objects.filter(pk__in=[item.pk for item in made]).update(is_probe=True)
    return made


def do(me: Membership, labels: str = "+++") -> Assignment:
    assignment = queue.claim(by=me)
    assert assignment
    return review.submit(by=me, assignment_id=assignment.pk, data={"labels": labels, "duration_ms": 0})


def test_a_claim_that_falls_on_a_probe_uses_no_slot(project: Project, me: Membership) -> None:
    (probe,), work = made_probes(project, 1), crowd.plain_items(project, 2)
    assignment = queue.claim(by=me)
    assert assignment
    assert (assignment.item_id, assignment.purpose) == (probe.pk, Use.PROBE)
    assert assignment.lease_until
    assert set(Item.objects.filter(pk__in=[i.pk for i in work]).values_list("open_slots", flat=True)) == {2}
    assert list(check_items(by=policies.Operator(), project=project)) == []


def test_a_probe_changes_nothing_of_its_item(project: Project, me: Membership) -> None:
    (probe,), _ = made_probes(project, 1), crowd.plain_items(project, 1)
    before = Item.objects.filter(pk=probe.pk).values().get()
    assert do(me, "-++").purpose == Use.PROBE
    assert Item.objects.filter(pk=probe.pk).values().get() == before
    assert list(check_items(by=policies.Operator(), project=project)) == []
    me.refresh_from_db()
    assert me.n_submitted == 1


def test_after_a_probe_comes_the_work_that_would_have_come(project: Project, me: Membership) -> None:
    made_probes(project, 1)
    (work,) = crowd.plain_items(project, 1)
    do(me)
    assert do(me).item_id == work.pk


def test_probes_stop_when_the_work_does(project: Project, me: Membership) -> None:
    made_probes(project, 3)
    assert queue.claim(by=me) is None


def test_nobody_gets_a_probe_that_they_had(project: Project, me: Membership) -> None:
    had, skipped, said, fresh = made_probes(project, 4)
    crowd.plain_items(project, 5)
    states = {had: AssignmentState.SUBMITTED, skipped: AssignmentState.EXPIRED}
    for item, state in states.items():
        Assignment.objects.create(project=project, item=item, rater=me.rater, state=state)
    Annotation.objects.filter(pk=said.gold.pk if said.gold else 0).update(rater=me.rater)
    assert [do(me).item_id == fresh.pk for _ in range(3)] == [True, False, False]


def test_whoever_looked_at_a_probe_is_never_given_it(
    project: Project, me: Membership, lead: Membership
) -> None:
    (probe,), _ = made_probes(project, 1), crowd.plain_items(project, 2)
    items.look(by=lead, item=probe)
    Membership.objects.filter(pk=lead.pk).update(role=Role.REVIEWER)
    lead.refresh_from_db()
    assert do(lead).purpose == Use.WORK


@pytest.mark.parametrize(
    "spoilt",
    [
        {"held": True},
        {"held": True, "retired": True},
        {"decision": Decision.INCOMPLETE},
        {"gold": None},
        {"is_probe": False},
    ],
)
def test_what_is_no_good_probe_any_more_is_not_given(
    project: Project, me: Membership, spoilt: dict[str, object]
) -> None:
    (probe,), _ = made_probes(project, 1), crowd.plain_items(project, 1)
    Item.objects.filter(pk=probe.pk).update(**spoilt)
    assert do(me).purpose == Use.WORK


def test_leads_get_none(project: Project, lead: Membership) -> None:
    made_probes(project, 1)
    crowd.plain_items(project, 1)
    assert do(lead).purpose == Use.WORK


def test_without_a_rate_there_are_none(
    project: Project, me: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "_chance", Random(1))
    made_probes(project, 20)
    crowd.plain_items(project, 60)
    me.project.probe_rate = 0.0
    assert {do(me).purpose for _ in range(20)} == {Use.WORK}
    me.project.probe_rate = 0.5
    assert {do(me).purpose for _ in range(20)} == {Use.WORK, Use.PROBE}


def test_a_probe_may_be_skipped_and_taken_back_and_leaves_no_trace_on_its_item(
    project: Project, me: Membership, lead: Membership
) -> None:
    made_probes(project, 2)
    crowd.plain_items(project, 3)
    before = list(Item.objects.order_by("pk").values())
    one = queue.claim(by=me)
    assert one
    review.skip(by=me, assignment_id=one.pk, reason="tired")
    two = queue.claim(by=me)
    assert two
    assert two.purpose == Use.PROBE
    assigning.take_back(by=lead, project=project, assignment_id=two.pk, because="away")
    after = list(Item.objects.order_by("pk").values())
    kept = [{name: value for name, value in row.items() if name != "opened_at"} for row in (*before, *after)]
    assert kept[: len(before)] == kept[len(before) :]


def test_a_probe_whose_claim_ran_out_can_still_be_finished(project: Project, me: Membership) -> None:
    made_probes(project, 1)
    crowd.plain_items(project, 1)
    mine = queue.claim(by=me)
    assert mine
    Assignment.objects.filter(pk=mine.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    queue.expire_due(project, timezone.now())
    sent = review.submit(by=me, assignment_id=mine.pk, data={"labels": "+++"})
    assert (sent.state, sent.surplus, sent.purpose) == (AssignmentState.SUBMITTED, False, Use.PROBE)
    assert list(check_items(by=policies.Operator(), project=project)) == []


def test_an_item_that_was_a_probe_becomes_work_when_it_is_undecided_again(
    project: Project, me: Membership
) -> None:
    """An expired claim of a probe comes to life as what the item is by then."""
    (probe,) = made_probes(project, 1)
    crowd.plain_items(project, 1)
    mine = queue.claim(by=me)
    assert mine
    Assignment.objects.filter(pk=mine.pk).update(state=AssignmentState.EXPIRED)
    Item.objects.filter(pk=probe.pk).update(
        decision="incomplete", gold=None, is_probe=False, wanted=4, open_slots=2, priority=9
    )
    queue.forget_frontiers(project)
    again = queue.claim(by=me)
    assert again
    assert (again.pk, again.purpose) == (mine.pk, Use.WORK)
    assert Item.objects.get(pk=probe.pk).open_slots == 1


def test_reopening_goes_by_the_work_beside_it(project: Project, me: Membership) -> None:
    made_probes(project, 2)
    crowd.plain_items(project, 2)
    first, second, work = do(me), do(me), do(me)
    assert [a.purpose for a in (first, second, work)] == [Use.PROBE, Use.PROBE, Use.WORK]
    assert can_reopen(first)
    assert can_reopen(second)
    assert can_reopen(work)
    Item.objects.filter(pk=work.item_id).update(decision="agreed")
    assert not can_reopen(first)
    assert not can_reopen(second)
    assert not can_reopen(work)
    Item.objects.filter(pk=work.item_id).update(decision="incomplete")
    before = Item.objects.filter(pk=second.item_id).values().get()
    assert review.reopen(by=me, assignment_id=second.pk).state == AssignmentState.CLAIMED
    assert Item.objects.filter(pk=second.item_id).values().get() == before
    assert do(me, "-++").pk == second.pk


def can_reopen(assignment: Assignment) -> bool:
    fresh = Assignment.objects.select_related("item", "project").get(pk=assignment.pk)
    return policies.can_reopen(fresh, fresh.item)


def test_where_one_submission_decides_a_lone_probe_looks_decided(me: Membership, project: Project) -> None:
    made_probes(project, 1)
    crowd.plain_items(project, 1)
    probe = do(me)
    assert can_reopen(probe)
    Project.objects.filter(pk=project.pk).update(overlap=1)
    assert not can_reopen(probe)


def test_a_list_of_own_work_asks_once_for_all_probes(project: Project, me: Membership) -> None:
    made_probes(project, 12)
    crowd.plain_items(project, 12)
    client = Client()
    client.force_login(me.user, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("mine", args=[project.slug])

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        return len(found)

    do(me)
    queries()
    few = queries()
    for _ in range(10):
        do(me)
    assert queries() <= few


def test_the_counts_a_reviewer_sees_do_not_tell(project: Project, me: Membership, settings: Any) -> None:
    """A count that stays where it was after a submission would say that it was a probe."""
    memory = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": memory, "LOCATION": "probes"}}
    cache.clear()
    made_probes(project, 2)
    crowd.plain_items(project, 4)
    me.refresh_from_db()
    seen = []
    for _ in range(5):
        me = Membership.objects.select_related("project").get(pk=me.pk)
        seen.append((pace.pace_of(me, holds_one=False), pace.open_for([me]), progress.shown_to(me)))
        do(me)
    done = [found.done for found, *_ in seen]
    assert done == [0, 1, 2, 3, 4]
    assert {found.total for found, *_ in seen} == {4}
    assert [n[project.pk] for _, n, _ in seen] == [4, 3, 2, 1, 1]
    assert len({str(counts) for *_, counts in seen}) == 1


def test_probes_are_no_reviews_in_exports_and_agreement(project: Project, me: Membership) -> None:
    (probe,), (work,) = made_probes(project, 1), crowd.plain_items(project, 1)
    assert [do(me).item_id, do(me).item_id] == [probe.pk, work.pk]
    people_said = Annotation.objects.filter(rater=me.rater)
    assert people_said.count() == 2
    gold_goes_out_once = export_rows.count(project, "all")
    Assignment.objects.filter(item=probe).update(purpose=Use.WORK)
    assert export_rows.count(project, "all") == gold_goes_out_once + 1
    Assignment.objects.filter(item=probe).update(purpose=Use.PROBE)
    assert reports.agreement(project)["n_annotations"] == 1


def test_the_history_that_leads_read_names_them(project: Project, me: Membership) -> None:
    made_probes(project, 1)
    crowd.plain_items(project, 1)
    do(me)
    assert Event.objects.get(verb="submit").data["purpose"] == "probe"


def test_only_items_with_gold_become_probes(project: Project, lead: Membership) -> None:
    plain, gone, fit, exam = crowd.plain_items(project, 4)
    for item in (gone, fit, exam):
        settle(item)
    Item.objects.filter(pk=gone.pk).update(retired=True, held=True)
    Item.objects.filter(pk=exam.pk).update(use=Use.EXAM, held=True)
    ids = [plain.pk, gone.pk, fit.pk, exam.pk]
    done = probes.mark_probes(by=lead, project=project, item_ids=ids)
    assert done.n == 1
    assert done.skipped == {"are retired": 1, "are part of the exam": 1, "have no gold": 1}
    assert list(Item.objects.filter(is_probe=True).values_list("pk", flat=True)) == [fit.pk]
    assert probes.mark_probes(by=lead, project=project, item_ids=ids).skipped["were probes already"] == 1
    assert probes.unmark_probes(by=lead, project=project, item_ids=ids).n == 1


def test_reviewers_mark_none(project: Project, me: Membership) -> None:
    with pytest.raises(errors.Forbidden):
        probes.mark_probes(by=me, project=project, item_ids=[1])


def test_a_claim_costs_the_same_with_few_probes_and_with_many(
    project: Project, me: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "PROBES_LOOKED_AT", 5)

    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            assert queue.claim(by=me)
        assignment = queue.claim(by=me)
        assert assignment
        review.submit(by=me, assignment_id=assignment.pk, data={"labels": "+++"})
        return len(found)

    made_probes(project, 2)
    crowd.plain_items(project, 30)
    cost()
    few = cost()
    made_probes(project, 40)
    assert max(cost() for _ in range(10)) <= few + 1


def test_a_paused_reviewer_gets_nothing_and_finishes_nothing_that_went_back(
    project: Project, me: Membership, lead: Membership
) -> None:
    crowd.plain_items(project, 2)
    mine = queue.claim(by=me)
    assert mine
    review.save_draft(by=me, assignment_id=mine.pk, data={"labels": "+.."}, version=0)
    assert people.pause(by=lead, membership=me, because="Let us talk first.") == 1
    assert Item.objects.get(pk=mine.item_id).open_slots == 2
    with pytest.raises(errors.Paused, match="Let us talk first"):
        queue.claim(by=me)
    paused = Membership.objects.select_related("project").get(pk=me.pk)
    with pytest.raises(errors.Paused):
        review.submit(by=paused, assignment_id=mine.pk, data={"labels": "+++"})
    with pytest.raises(errors.Conflict, match="paused"):
        assigning.assign(by=lead, project=project, item_ids=[mine.item_id], to=paused)
    with pytest.raises(errors.Conflict, match="already"):
        people.pause(by=lead, membership=me, because="again")
    people.resume(by=lead, membership=me)
    again = queue.claim(by=Membership.objects.select_related("project").get(pk=me.pk))
    assert again
    again.refresh_from_db()
    assert again.draft["labels"] == "+.."
    assert list(Event.objects.filter(verb__in=["pause", "resume"]).values_list("verb", flat=True)) == [
        "pause", "resume",
    ]  # fmt: skip


def test_what_was_committed_stays_theirs_to_finish(lead: Membership, project: Project) -> None:
    of = factories.project(overlap=2)
    boss, me = factories.member(of, "boss", Role.LEAD), factories.member(of, "worker")
    item = factories.injected_item(of, 0)
    mine = queue.claim(by=me)
    assert mine
    labels = "+" * item.solution.n_steps
    review.commit(by=me, assignment_id=mine.pk, data={"labels": labels})
    assert people.pause(by=boss, membership=me, because="a break") == 0
    paused = Membership.objects.select_related("project").get(pk=me.pk)
    data = {"labels": labels, "verdict": {"claim": "reject", "original": "right"}}
    assert review.submit(by=paused, assignment_id=mine.pk, data=data).state == AssignmentState.SUBMITTED


@pytest.fixture
def client_of(me: Membership) -> Client:
    client = Client()
    client.force_login(me.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_paused_read_why_instead_of_an_error(
    project: Project, me: Membership, lead: Membership, client_of: Client
) -> None:
    crowd.plain_items(project, 1)
    people.pause(by=lead, membership=me, because="Let us <talk>.")
    answer = client_of.post(reverse("next", args=[project.slug]), follow=True)
    assert answer.status_code == 200
    assert "Let us &lt;talk&gt;." in answer.content.decode()
    api = client_of.post(reverse("api:claim", args=[project.slug]))
    assert (api.status_code, api.json()["code"]) == (409, "paused")
    for page in ("project", "mine"):
        text = client_of.get(reverse(page, args=[project.slug])).content.decode()
        assert "Let us &lt;talk&gt;." in text
        assert "Next item" not in text


@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_a_number_is_told_only_where_it_cannot_give_a_probe_away(
    project: Project, me: Membership, client_of: Client, rate: float
) -> None:
    """Work comes in the order of its numbers, a probe from anywhere."""
    crowd.plain_items(project, 2)
    Project.objects.filter(pk=project.pk).update(probe_rate=rate)
    mine = queue.claim(by=Membership.objects.select_related("project").get(pk=me.pk))
    assert mine
    review.ask(by=me, assignment_id=mine.pk, text="Why?")
    number = f"item {mine.item_id}"
    for page in ("home", "project", "questions"):
        of = [] if page == "home" else [project.slug]
        assert (number in client_of.get(reverse(page, args=of)).content.decode()) is (rate == 0), page
    own = client_of.get(reverse("mine", args=[project.slug]))
    assert ("item" in own.context["page"].form.fields) is (rate == 0)
    shown = client_of.get(reverse("api:assignment", args=[project.slug, mine.pk])).json()["item"]
    assert shown == (mine.item_id if rate == 0 else None)
