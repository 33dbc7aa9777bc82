"""The exam: what is asked, when it is passed, what is told afterwards, and who gets work."""

import pytest
from django.test import Client
from django.urls import reverse

from annotator import errors, policies, queue
from annotator.actions import assigning, bulk_items, exams, people, probes, review
from annotator.actions.integrity import check_items
from annotator.measured import reviewers
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Event,
    Item,
    Membership,
    Project,
    Role,
    Use,
)  # fmt: skip
from tests import crowd, factories
from tests.annotator.test_probes import settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def project() -> Project:
    """Two exam items of four that need a wrong second step, an exam that is passed with half, and some work."""
    made, _ = crowd.crowd(0, overlap=2)
    Project.objects.filter(pk=made.pk).update(exam_pass=0.75)
    made.refresh_from_db()
    lead = factories.member(made, "lead", Role.LEAD)
    asked = [settle(item, "+-+") for item in crowd.plain_items(made, 4)]
    probes.set_use(by=lead, project=made, item_ids=[item.pk for item in asked], use="exam")
    crowd.plain_items(made, 3)
    return made


@pytest.fixture
def me(project: Project) -> Membership:
    return crowd.join(project, "me")


@pytest.fixture
def lead(project: Project) -> Membership:
    return Membership.objects.get(project=project, role=Role.LEAD)


def again(me: Membership) -> Membership:
    return Membership.objects.select_related("project", "user").get(pk=me.pk)


def take(me: Membership, *answers: str) -> None:
    """One attempt."""
    for labels in answers:
        question = exams.go_on(by=again(me))
        assert question
        review.submit(by=again(me), assignment_id=question.pk, data={"labels": labels, "duration_ms": 0})
    assert exams.go_on(by=again(me)) is None


def test_nobody_works_before_they_pass(project: Project, me: Membership) -> None:
    with pytest.raises(errors.ExamNeeded):
        queue.claim(by=me)
    take(me, "+-+", "+-+", "+++", "+-+")
    passed = again(me)
    assert passed.exam_passed_at
    assert passed.exam_attempts == 1
    work = queue.claim(by=passed)
    assert work
    assert work.purpose == Use.WORK


def test_leads_need_no_exam(project: Project, lead: Membership) -> None:
    assert queue.claim(by=lead)


def test_an_exam_without_items_keeps_nobody_out(project: Project, me: Membership, lead: Membership) -> None:
    asked = list(Item.objects.filter(use=Use.EXAM).values_list("pk", flat=True))
    bulk_items.retire_items(by=lead, project=project, item_ids=asked, because="old")
    assert queue.claim(by=me)


def test_who_fails_may_try_again_and_what_they_said_before_is_kept(project: Project, me: Membership) -> None:
    take(me, "+++", "+++", "+++", "+-+")
    failed = again(me)
    assert (failed.exam_passed_at, failed.exam_attempts) == (None, 1)
    with pytest.raises(errors.ExamNeeded):
        queue.claim(by=failed)
    result = exams.last_result(failed)
    assert result
    assert (result.right, result.n, result.passed, result.patterns) == (1, 4, False, [["missed", ""]])
    question = exams.go_on(by=failed)
    assert question
    assert (question.draft, exams.answered(failed)) == ({}, 0)
    take(me, "+-+", "+-+", "+-+", "+-+")
    assert again(me).exam_passed_at
    said = Annotation.objects.filter(rater=me.rater)
    assert said.filter(superseded_at=None).count() == said.exclude(superseded_at=None).count() == 4
    assert list(check_items(by=policies.Operator(), project=project)) == []


def test_there_is_an_end_to_trying_unless_a_lead_says_otherwise(
    project: Project, me: Membership, lead: Membership
) -> None:
    for _ in range(exams.MAX_ATTEMPTS):
        take(me, "+++", "+++", "+++", "+++")
    with pytest.raises(errors.Conflict, match="ask a lead"):
        exams.go_on(by=again(me))
    exams.set_attempts_back(by=lead, membership=again(me))
    take(me, "+-+", "+-+", "+-+", "+-+")
    assert again(me).exam_passed_at
    with pytest.raises(errors.Conflict, match="passed"):
        exams.go_on(by=again(me))


def test_a_lead_may_let_somebody_in_with_a_reason(project: Project, me: Membership, lead: Membership) -> None:
    with pytest.raises(errors.Incomplete):
        exams.let_in(by=lead, membership=me, because=" ")
    with pytest.raises(errors.Forbidden):
        exams.let_in(by=me, membership=me, because="I am good")
    exams.let_in(by=lead, membership=me, because="taught us all")
    assert queue.claim(by=again(me))
    assert Event.objects.get(verb="let_in").data["because"] == "taught us all"


def test_an_exam_touches_no_item_and_cannot_be_skipped_or_answered_twice(
    project: Project, me: Membership
) -> None:
    before = list(Item.objects.order_by("pk").values())
    question = exams.go_on(by=me)
    assert question
    assert question.lease_until is None
    assert exams.go_on(by=me) == question
    with pytest.raises(errors.Conflict, match="skip"):
        review.skip(by=me, assignment_id=question.pk, reason="hard")
    review.save_draft(by=me, assignment_id=question.pk, data={"labels": "+.."}, version=0)
    assert Assignment.objects.get(pk=question.pk).lease_until is None
    review.submit(by=me, assignment_id=question.pk, data={"labels": "+-+"})
    with pytest.raises(errors.Conflict, match="once"):
        review.reopen(by=me, assignment_id=question.pk)
    assert list(Item.objects.order_by("pk").values()) == before


def test_nobody_is_asked_what_they_met_before(project: Project, me: Membership) -> None:
    first, second, *_ = Item.objects.filter(use=Use.EXAM).order_by("pk")
    Assignment.objects.create(project=project, item=first, rater=me.rater, state=AssignmentState.BARRED)
    Annotation.objects.filter(pk=second.gold_id).update(rater=me.rater)
    assert exams.questions(me).count() == 2


def test_who_met_them_all_is_sent_to_a_lead(project: Project, me: Membership) -> None:
    for item in Item.objects.filter(use=Use.EXAM):
        Assignment.objects.create(project=project, item=item, rater=me.rater, state=AssignmentState.BARRED)
    with pytest.raises(errors.Conflict, match="ask a lead"):
        exams.go_on(by=me)


def test_a_pause_stops_an_exam_and_it_goes_on_after(
    project: Project, me: Membership, lead: Membership
) -> None:
    question = exams.go_on(by=me)
    people.pause(by=lead, membership=me, because="later")
    with pytest.raises(errors.Paused):
        exams.go_on(by=again(me))
    people.resume(by=lead, membership=me)
    assert exams.go_on(by=again(me)) == question


def test_exam_items_leave_the_queue_and_come_back(project: Project, lead: Membership) -> None:
    item = Item.objects.filter(use=Use.EXAM).first()
    assert item
    assert item.held
    ids = [item.pk]
    skipped = bulk_items.release_items(by=lead, project=project, item_ids=ids, because="x").skipped
    assert skipped == {"are part of the exam": 1}
    probes.set_use(by=lead, project=project, item_ids=ids, use="work")
    item.refresh_from_db()
    assert (item.use, item.held) == (Use.WORK, False)


def test_a_retired_question_comes_back_into_the_exam(
    project: Project, me: Membership, lead: Membership
) -> None:
    ids = list(Item.objects.filter(use=Use.EXAM).values_list("pk", flat=True)[:1])
    bulk_items.retire_items(by=lead, project=project, item_ids=ids, because="old")
    assert exams.questions(me).count() == 3
    assert bulk_items.release_items(by=lead, project=project, item_ids=ids, because="new").n == 1
    assert exams.questions(me).count() == 4
    assert Item.objects.get(pk=ids[0]).held


def test_what_has_left_the_exam_is_not_marked(project: Project, me: Membership, lead: Membership) -> None:
    take(me, "+++", "+++", "+-+", "+-+")
    wrong = list(exams.questions(again(me)).values_list("pk", flat=True)[:2])
    bulk_items.retire_items(by=lead, project=project, item_ids=wrong[:1], because="old")
    probes.set_use(by=lead, project=project, item_ids=wrong[1:], use="work")
    take(me, "+-+", "+-+")
    result = exams.last_result(again(me))
    assert result
    assert (result.right, result.n, result.passed) == (2, 2, True)


def test_an_answer_sent_again_after_the_mark_is_none_of_the_next_attempt(
    project: Project, me: Membership
) -> None:
    take(me, "+++", "+++", "+++", "+++")
    last = Assignment.objects.filter(rater=me.rater).latest("submitted_at")
    with pytest.raises(errors.Conflict, match="not open any more"):
        review.submit(by=again(me), assignment_id=last.pk, data={"labels": "+-+"})
    assert exams.answered(again(me)) == 0


def test_a_failed_question_never_becomes_their_work(
    project: Project, me: Membership, lead: Membership
) -> None:
    take(me, "+++", "+++", "+++", "+++")
    ids = list(exams.questions(again(me)).values_list("pk", flat=True))
    probes.set_use(by=lead, project=project, item_ids=ids, use="work")
    exams.let_in(by=lead, membership=again(me), because="knows it")
    Item.objects.filter(pk__in=ids).update(open_slots=1)
    work = set(Item.objects.filter(open_slots__gt=0).values_list("pk", flat=True))
    done = assigning.assign(by=lead, project=project, item_ids=ids, to=again(me))
    assert done == (0, {"have been judged by them in an exam": len(ids)})
    given = set()
    while claimed := queue.claim(by=again(me)):
        given.add(claimed.item_id)
        review.submit(by=again(me), assignment_id=claimed.pk, data={"labels": "+-+"})
    assert given == work - set(ids)


def test_a_question_taken_back_is_asked_again(project: Project, me: Membership, lead: Membership) -> None:
    take(me, "+++", "+++", "+++", "+++")
    question = exams.go_on(by=again(me))
    assert question
    assert question.reopened
    taken = assigning.take_back(by=lead, project=project, assignment_id=question.pk, because="stuck")
    assert (taken.state, exams.answered(again(me))) == (AssignmentState.EXPIRED, 0)
    assert exams.go_on(by=again(me)) == question


def test_two_at_once_begin_no_fourth_attempt(project: Project, me: Membership) -> None:
    for _ in range(exams.MAX_ATTEMPTS - 1):
        take(me, "+++", "+++", "+++", "+++")
    stale = again(me)
    take(me, "+++", "+++", "+++", "+++")
    with pytest.raises(errors.Conflict, match="ask a lead"):
        exams.go_on(by=stale)


def test_the_report_has_the_exam_apart_from_the_probes(project: Project, me: Membership) -> None:
    take(me, "+-+", "+-+", "+++", "+++")
    found = next(one for one in reviewers.report(project)["reviewers"] if one["member"] == me.pk)
    assert (found["exam"]["items"]["right"], found["exam"]["items"]["n"]) == (2, 4)
    assert found["probes"]["items"]["n"] == 0
    assert found["exam_attempts"] == 1


def signed_in(who: Membership) -> Client:
    client = Client()
    client.force_login(who.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_the_course_of_an_exam_on_the_pages(project: Project, me: Membership, lead: Membership) -> None:
    """Without JavaScript: from the project page into the exam, through it, and to the result."""
    shown = settle(crowd.plain_items(project, 1)[0], "+-+")
    Annotation.objects.filter(pk=shown.gold_id).update(note="Because 1+1 is not 3.")
    probes.set_use(by=lead, project=project, item_ids=[shown.pk], use="demonstration")
    client, page = signed_in(me), reverse("exam", args=[project.slug])
    assert page in client.get(reverse("project", args=[project.slug])).content.decode()
    assert client.post(reverse("next", args=[project.slug])).url == page
    assert client.post(reverse("api:claim", args=[project.slug])).json()["code"] == "exam_needed"
    text = client.get(page).content.decode()
    assert "Because 1+1 is not 3." in text
    assert "Begin the exam" in text
    at = client.post(page).url
    for n in range(4):
        assert f"Exam: {n + 1} of 4" in client.get(at).content.decode()
        at = client.post(
            at, {"label-0": "+", "label-1": "+", "label-2": "+", "do": "submit", "version": 0, "n_steps": 3}
        ).url
    assert at == page
    text = client.get(page).content.decode()
    assert "Not passed: 0 of 4 right, 75 % needed." in text
    assert "You often call steps right that are wrong." in text
    assert "Try again" in text


def test_the_reviewers_page_links_every_number_to_items(
    project: Project, me: Membership, lead: Membership
) -> None:
    client, page = signed_in(lead), reverse("reviewers", args=[project.slug])
    assert "No probe is in yet." in client.get(page).content.decode()
    probe = settle(crowd.plain_items(project, 1)[0], "+-+")
    for n, member in enumerate((me, crowd.join(project, "other"))):
        mine = queue.give(member, probe, probe.created_at, Use.PROBE)
        labels = "+-+" if n else "+++"
        review.submit(by=member, assignment_id=mine.pk, data={"labels": labels, "duration_ms": 0})
    text = client.get(page).content.decode()
    assert "50 %" in text
    assert "9–91 %" in text
    mine = client.get(page, {"member": me.pk}).content.decode()
    assert reverse("item", args=[project.slug, probe.pk]) in mine
    assert client.get(page, {"member": 0}).status_code == 404
    assert client.get(page, {"format": "xml"}).status_code == 400
    assert client.get(page, {"format": "json"}).json()["all"]["items"]["right"] == 1
    api = client.get(reverse("api:reviewers", args=[project.slug]))
    assert api.json()["all"]["items"]["n"] == 2
