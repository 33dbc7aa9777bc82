"""Decisions by a project's rule, and settling what reviewers differ on: action, page and API."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotator import errors, queue, tasks
from annotator.actions import adjudicate as acts
from annotator.actions import adjudication_queue, redecide, review
from annotator.actions import items as item_acts
from annotator.actions.integrity import check_items
from annotator.actions.projects import change_settings
from annotator.models import (
    Annotation,
    Assignment,
    Decision,
    Event,
    Item,
    Membership,
    Phase,
    Project,
    Role,
    Use,
)
from annotator.policies import Operator
from tests import factories as make
from tests.annotator.reviewed import submitted
from tests.api.conftest import Call
from tests.api.conftest import call as call

pytestmark = pytest.mark.django_db

WHY = {"cause": "guideline_gap", "reason": "Step 2 follows from the factoring."}


def signed_in(me: Membership) -> Client:
    client = Client()
    client.force_login(me.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


class World:
    """An item of four steps that Alice and Bob judged; by default they differ at step 2."""

    def __init__(self, first: str = "+-++", second: str = "++++", **project: Any) -> None:
        self.project = make.project(**{"protocol": "label_steps", "label_after_error": True, **project})
        self.item = make.plain_item(self.project, 1)
        self.alice, self.bob = make.member(self.project, "alice"), make.member(self.project, "bob")
        self.lead = make.member(self.project, "lead", Role.LEAD)
        submitted(
            self.alice, self.item, first, error_types={"1": ["counterfactual"]} if first[1] == "-" else {}
        )
        submitted(self.bob, self.item, second)
        self.item.refresh_from_db()

    def seen(self) -> str:
        return acts.seen_version(Item.objects.get(pk=self.item.pk))

    def settle(self, labels: str = "+-++", by: Membership | None = None, **values: Any) -> Item:
        said = {"labels": labels, "seen": self.seen(), **WHY, **values}
        return acts.settle(by=by or self.lead, item_id=self.item.pk, **said)


def differences_of(project: Project) -> list[Any]:
    return list(check_items(by=Operator(), project=project))


# --- The rule -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "rule", "decision"),
    [
        ("+-++", "+-0+", "labels", "conflicted"),
        ("+-++", "+-0+", "wrong_steps", "agreed"),
        ("+-+-", "+-++", "wrong_steps", "conflicted"),
        ("+-+-", "+-++", "first_error", "agreed"),
        ("+-++", "+-++", "labels", "agreed"),
        ("+-++", "+-++", "error_types", "conflicted"),  # only one of them says of which type
    ],
)
def test_the_projects_rule_decides(first: str, second: str, rule: str, decision: str) -> None:
    world = World(first, second, decision_rule=rule)
    assert world.item.decision == decision
    assert differences_of(world.project) == []


def test_of_those_that_agree_gold_judges_most_steps_then_is_oldest() -> None:
    world = World("+-..", "+-+-", decision_rule="first_error", label_after_error=False)
    assert world.item.gold
    assert (world.item.gold.labels, world.item.gold.rater) == ("+-+-", world.bob.rater)
    same = World("+-+-", "+-++", decision_rule="first_error")
    assert same.item.gold
    assert same.item.gold.labels == "+-+-"


def test_another_rule_decides_anew_and_back() -> None:
    world = World("+-+-", "+-++")
    other = World("+-+-", "+-++")
    assert world.item.decision == "conflicted"
    page, client = reverse("settings", args=[world.project.slug]), signed_in(world.lead)
    form = client.get(page).context["form"].initial | {"do": "save", "decision_rule": "first_error"}
    sent = {name: value for name, value in form.items() if value is not None and value is not False}
    assert client.post(page, sent).status_code == 302
    world.item.refresh_from_db()
    assert (world.item.decision, world.item.gold and world.item.gold.labels) == ("agreed", "+-+-")
    assert Event.objects.get(verb="change_settings").data["changed"]["decision_rule"] == "first_error"
    other.item.refresh_from_db()
    assert other.item.decision == "conflicted"  # of another project
    change_settings(by=world.lead, project=world.project, decision_rule="labels")
    world.item.refresh_from_db()
    assert (world.item.decision, world.item.gold) == ("conflicted", None)
    assert differences_of(world.project) == []


def test_another_rule_leaves_what_a_lead_settled() -> None:
    world = World("+-+-", "+-++")
    gold = world.settle("++++").gold
    change_settings(by=world.lead, project=world.project, decision_rule="first_error")
    world.item.refresh_from_db()
    assert (world.item.decision, world.item.gold) == ("settled", gold)


def test_many_items_are_decided_by_a_worker_that_goes_on_where_it_stopped(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(redecide, "AT_ONCE", 0)
    rung: list[tuple[str, list[int]]] = []
    monkeypatch.setattr("celery.Celery.send_task", lambda self, name, args: rung.append((name, args)))
    world = World("+-+-", "+-++")
    with django_capture_on_commit_callbacks(execute=True):
        change_settings(by=world.lead, project=world.project, decision_rule="first_error")
    assert rung == [("annotator.redecide", [world.project.pk])]
    world.item.refresh_from_db()
    assert world.item.decision == "conflicted"
    assert redecide.work(world.project, 0, timedelta(seconds=-1)) == 0  # out of time before the first batch
    assert redecide.work(world.project, world.item.pk) is None  # it stands before where this one goes on
    world.item.refresh_from_db()
    assert world.item.decision == "conflicted"
    tasks.redecide(world.project.pk)
    world.item.refresh_from_db()
    assert world.item.decision == "agreed"


def test_only_work_on_the_items_own_solution_decides() -> None:
    world = World("+-++", "+-++")
    Assignment.objects.filter(rater=world.bob.rater).update(purpose=Use.PROBE)
    found = {d.field: d.computed for d in differences_of(world.project)}
    assert (found["decision"], found["n_submitted"], found["gold_id"]) == ("incomplete", 1, None)


# --- Settling -------------------------------------------------------------------------------------


def test_a_settled_item_has_the_leads_labels_and_everybodys_stay() -> None:
    world = World()
    before = list(Annotation.objects.order_by("id").values())
    item = world.settle("+-++", error_types={"1": ["counterfactual"], "2": ["circular"]})
    assert item.gold
    made = item.gold
    assert (item.decision, made.phase, made.labels, made.first_error) == (
        "settled",
        "adjudication",
        "+-++",
        1,
    )
    assert made.error_types == {"1": ["counterfactual"]}  # a step that is not wrong has no type
    assert (made.verdict, made.note) == ({"cause": "guideline_gap"}, WHY["reason"])
    assert (made.rater, made.guideline) == (world.lead.rater, world.project.guideline)
    assert list(Annotation.objects.exclude(pk=made.pk).order_by("id").values()) == before
    event = Event.objects.get(verb="settle")
    assert (event.item, event.actor, event.data["cause"]) == (item, world.lead.user, "guideline_gap")
    assert differences_of(world.project) == []


def test_who_settles_gets_no_slot_on_the_item() -> None:
    world = World()
    world.settle()
    assert Assignment.objects.get(item=world.item, rater=world.lead.rater).state == "barred"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"cause": ""}, "cause"), ({"cause": "because"}, "cause"), ({"reason": "  "}, "reason"),
        ({"reason": "x" * 4001}, "reason"), ({"labels": "+-"}, "labels"), ({"labels": "+x++"}, "labels"),
        ({"labels": "+.++"}, "labels"), ({"labels": None}, "labels"),
        ({"error_types": {"1": ["nonsense"]}}, "error_types[1]"), ({"error_types": {"9": []}}, "error_types"),
        ({"seen": "conflicted-0-2-2"}, "seen"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_decision_is_refused_by_field(values: dict[str, Any], field: str) -> None:
    world = World()
    with pytest.raises(errors.PlumblineError) as refused:
        world.settle(**values)
    assert refused.value.field == field
    assert not Annotation.objects.filter(phase=Phase.ADJUDICATION).exists()
    world.item.refresh_from_db()
    assert world.item.decision == "conflicted"


def test_a_broken_problem_is_settled_without_gold() -> None:
    world = World()
    item = world.settle("....", cause="broken_problem")
    assert (item.decision, item.gold) == ("settled", None)
    settled = acts.adjudication_of(item)
    assert settled
    assert settled.finish_reason == "bad_problem"
    assert acts.cause_counts(world.project) == {
        "ambiguous": 0, "guideline_gap": 0, "reviewer_error": 0, "broken_problem": 1,
    }  # fmt: skip
    assert differences_of(world.project) == []


def test_where_labelling_stops_at_the_first_error_so_does_a_decision() -> None:
    world = World("+-..", "++++", label_after_error=False)
    item = world.settle("+-..")
    assert item.gold
    assert item.gold.finish_reason == "found_error"


def test_an_agreed_item_may_be_settled_otherwise_and_an_unfinished_one_may_not() -> None:
    world = World("+-++", "+-++")
    assert world.settle("++++").decision == "settled"
    unfinished = World("+-++", "++++", overlap=3)
    with pytest.raises(errors.Conflict, match="waits for reviewers"):
        unfinished.settle()


def test_reopening_is_an_event_and_nothing_is_overwritten() -> None:
    world = World()
    made = world.settle().gold
    assert made
    item = acts.reopen_decision(
        by=world.lead, project=world.project, item_id=world.item.pk, because="I misread step 2."
    )
    made.refresh_from_db()
    assert (item.decision, item.gold, made.labels) == ("conflicted", None, "+-++")
    assert made.superseded_at
    assert Event.objects.get(verb="reopen_decision").data["because"] == "I misread step 2."
    again = world.settle("++++")
    assert again.gold
    assert again.gold.labels == "++++"
    assert Annotation.objects.filter(phase=Phase.ADJUDICATION).count() == 2
    assert differences_of(world.project) == []
    with pytest.raises(errors.Incomplete):
        acts.reopen_decision(by=world.lead, project=world.project, item_id=world.item.pk, because=" ")


def test_one_lead_settles_a_solution_under_one_protocol() -> None:
    """A rater has one word on a solution in each phase: a second would replace the first item's gold."""
    world = World()
    gold = world.settle().gold
    other = make.queued(world.project, world.item.solution, protocol="check_solution", decision="conflicted")
    said = {"labels": "++++", "seen": acts.seen_version(other), **WHY}
    with pytest.raises(errors.Conflict, match="another lead"):
        acts.settle(by=world.lead, item_id=other.pk, **said)
    assert acts.settle(by=make.member(world.project, "second", Role.LEAD), item_id=other.pk, **said).gold
    world.item.refresh_from_db()
    assert world.item.gold == gold
    assert acts.adjudication_of(world.item) == gold


def test_only_what_is_settled_can_be_reopened() -> None:
    world = World()
    with pytest.raises(errors.Conflict, match="only what was settled"):
        acts.reopen_decision(by=world.lead, project=world.project, item_id=world.item.pk, because="x")


def test_a_submission_since_the_page_was_made_refuses_the_decision() -> None:
    world = World()
    seen = world.seen()
    item_acts.set_wanted(by=world.lead, project=world.project, item_id=world.item.pk, n=3, because="see")
    submitted(make.member(world.project), world.item, "++++")
    with pytest.raises(errors.Conflict, match="since you opened"):
        world.settle(seen=seen)
    assert world.settle().decision == "settled"


def test_the_second_lead_is_told_that_it_is_settled() -> None:
    world = World()
    seen = world.seen()
    world.settle()
    with pytest.raises(errors.Conflict, match="settled this item"):
        world.settle(by=make.member(world.project, "other", Role.OWNER), seen=seen)
    assert Annotation.objects.filter(phase=Phase.ADJUDICATION).count() == 1


def test_one_more_reviewer_opens_the_item_again() -> None:
    world = World()
    item = acts.one_more(by=world.lead, item_id=world.item.pk, because="Close call", seen=world.seen())
    assert (item.decision, item.wanted, item.open_slots) == ("incomplete", 3, 1)
    carol = make.member(world.project)
    submitted(carol, world.item, "++++")
    world.item.refresh_from_db()
    assert world.item.decision == "conflicted"


def test_who_has_seen_a_decision_that_was_taken_back_keeps_what_they_said() -> None:
    world = World()
    world.settle()
    acts.reopen_decision(by=world.lead, project=world.project, item_id=world.item.pk, because="once more")
    acts.one_more(by=world.lead, item_id=world.item.pk, because="once more", seen=world.seen())
    mine = Assignment.objects.get(item=world.item, rater=world.alice.rater)
    with pytest.raises(errors.Conflict, match="seen what others said"):
        review.reopen(by=world.alice, assignment_id=mine.pk)


# --- Who may --------------------------------------------------------------------------------------


def test_reviewers_do_not_settle() -> None:
    world = World()
    with pytest.raises(errors.Forbidden):
        world.settle(by=world.alice)


def test_nobody_settles_what_they_judged_while_another_lead_can() -> None:
    world = World()
    Membership.objects.filter(pk=world.alice.pk).update(role=Role.LEAD)
    world.alice.refresh_from_db()
    with pytest.raises(errors.Forbidden, match="judged this item yourself"):
        world.settle(by=world.alice)
    assert adjudication_queue.next_item(world.alice) is None
    assert adjudication_queue.next_item(world.lead) == world.item
    Membership.objects.filter(pk=world.lead.pk).delete()  # alone now: it may be settled, and it shows
    assert adjudication_queue.next_item(world.alice) == world.item
    item = world.settle(by=world.alice)
    assert item.gold
    assert item.gold.verdict == {"cause": "guideline_gap", "own_label": True}
    assert Event.objects.get(verb="settle").data["own_label"] is True


def test_a_lead_of_another_project_finds_nothing() -> None:
    world, other = World(), make.member(make.project(), "stranger", Role.OWNER)
    with pytest.raises(errors.Missing):
        acts.settle(by=other, item_id=world.item.pk, labels="++++", seen="", **WHY)
    with pytest.raises(errors.Missing):
        acts.one_more(by=other, item_id=world.item.pk, because="x", seen="")


# --- The queue of disputed items ------------------------------------------------------------------


def disputed(project: Project, *reviewers: Membership, n: int = 3, **values: Any) -> list[Item]:
    items = [make.plain_item(project, number, **values) for number in range(n)]
    for item in items:
        for me, labels in zip(reviewers, ("+", "-"), strict=True):
            submitted(me, item, labels * item.solution.n_steps)
    return items


def test_two_leads_are_given_different_items_by_priority_then_age() -> None:
    world = World()
    items = disputed(world.project, world.alice, world.bob)
    Item.objects.filter(pk=items[2].pk).update(priority=5)
    other = make.member(world.project, "other", Role.LEAD)
    first, second = signed_in(world.lead), signed_in(other)
    page = reverse("adjudicate", args=[world.project.slug]) + "?next=1"

    def opened(client: Client, query: str = "") -> int:
        response = client.get(page + query, follow=True)
        return int(response.context["page"].item.pk)

    assert opened(first) == items[2].pk
    assert opened(second) == world.item.pk
    assert opened(first) == items[2].pk  # one's own stays
    assert opened(first, f"&after={items[2].pk}") == items[0].pk
    assert opened(second, f"&after={world.item.pk}") == items[1].pk
    assert second.get(page + f"&after={items[1].pk}").url == page.removesuffix("?next=1")
    assert opened(second) == items[2].pk  # passed over by the other, and free again


def test_held_and_retired_items_and_exams_do_not_wait() -> None:
    world = World()
    item_acts.hold(by=world.lead, project=world.project, item_id=world.item.pk, because="later")
    assert adjudication_queue.next_item(world.lead) is None
    page = signed_in(world.lead).get(reverse("adjudicate", args=[world.project.slug]))
    assert (page.context["n_waiting"], page.context["n_held"]) == (0, 1)


def test_by_kind() -> None:
    world = World()
    (circular,) = disputed(world.project, world.alice, world.bob, n=1, error_type="circular")
    assert adjudication_queue.next_item(world.lead, "circular") == circular
    assert adjudication_queue.next_item(world.lead, "") == world.item
    page = signed_in(world.lead).get(reverse("adjudicate", args=[world.project.slug])).content.decode()
    assert "circular" in page
    assert "?next=1&amp;kind=none" in page


# --- The page -------------------------------------------------------------------------------------


def test_the_page_is_anonymous_until_names_are_asked_for() -> None:
    world = World()
    client, page = signed_in(world.lead), reverse("adjudicate-item", args=[world.project.slug, world.item.pk])
    shown = client.get(page)
    text = shown.content.decode()
    assert "alice" not in text
    assert "bob" not in text
    assert [column.name for column in shown.context["page"].columns] == ["A", "B"]
    assert [row.differs for row in shown.context["page"].rows] == [False, True, False, False]
    assert shown.context["page"].entered["labels"] == "+.++"
    again = client.get(page).context["page"].columns
    assert [c.row.pk for c in again] == [c.row.pk for c in shown.context["page"].columns]
    named = client.get(page + "?names=1")
    assert {column.name for column in named.context["page"].columns} == {"alice", "bob"}
    sent = {"do": "settle", "n_steps": "4", "seen": world.seen(), **WHY}
    labels = {f"label-{at}": label for at, label in enumerate("+-++")}
    assert client.post(page + "?names=1", sent | labels).status_code == 302
    assert Event.objects.get(verb="settle").data["names"] is True


def test_a_column_or_a_cell_is_taken_over_without_javascript() -> None:
    world = World("+--+", "++++")
    client, page = signed_in(world.lead), reverse("adjudicate-item", args=[world.project.slug, world.item.pk])
    columns = client.get(page).context["page"].columns
    alice = next(column.at for column in columns if column.row.rater == world.alice.rater)
    sent = {"n_steps": "4", "seen": world.seen(), "label-0": "+", "label-3": "+", "reason": "so far"}
    taken = client.post(page, sent | {"adopt": f"{alice}.1"}).context["page"].entered
    assert (taken["labels"], taken["error_types"]["1"]) == ("+-.+", ["counterfactual"])
    assert taken["bulk"] == []  # each by an act of its own
    whole = client.post(page, sent | {"adopt": str(3 - alice)}).context["page"].entered
    assert whole["bulk"] == [0, 1, 2, 3]
    assert (whole["labels"], whole["reason"]) == ("++++", "so far")
    assert not Annotation.objects.filter(phase=Phase.ADJUDICATION).exists()


def test_what_a_lead_never_touched_is_bulk_and_verifies_nothing() -> None:
    world = World()
    client, page = signed_in(world.lead), reverse("adjudicate-item", args=[world.project.slug, world.item.pk])
    shown = client.get(page).context["page"]
    assert shown.bulk == "0+,2+,3+"  # begun with what both say
    sent = {"do": "settle", "n_steps": "4", "seen": world.seen(), "bulk": shown.bulk, **WHY}
    labels = {f"label-{at}": label for at, label in enumerate("+-0+")}  # step 3 is changed by hand
    assert client.post(page, sent | labels).status_code == 302
    assert Annotation.objects.get(phase=Phase.ADJUDICATION).bulk == [0, 3]


def test_a_refusal_keeps_what_was_typed() -> None:
    world = World()
    client, page = signed_in(world.lead), reverse("adjudicate-item", args=[world.project.slug, world.item.pk])
    sent = {"do": "settle", "n_steps": "4", "seen": world.seen(), "label-0": "0", "reason": "Because <b>"}
    refused = client.post(page, sent)
    assert refused.status_code == 422
    assert "Say why the reviewers differ." in refused.content.decode()
    assert refused.context["page"].entered["labels"] == "0..."
    assert "Because &lt;b&gt;" in refused.content.decode()
    incomplete = client.post(page, sent | {"cause": "ambiguous"})
    assert incomplete.context["missing"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("do", "decision", "held"), [("more", "incomplete", False), ("hold", "conflicted", True)]
)
def test_the_page_asks_one_more_or_holds_for_a_reason(do: str, decision: str, held: bool) -> None:
    world = World()
    client, page = signed_in(world.lead), reverse("adjudicate-item", args=[world.project.slug, world.item.pk])
    assert client.post(page, {"do": do, "n_steps": "4", "seen": world.seen()}).status_code == 422
    sent = {"do": do, "n_steps": "4", "seen": world.seen(), "reason": "Look again"}
    assert client.post(page, sent).status_code == 302
    world.item.refresh_from_db()
    assert (world.item.decision, world.item.held) == (decision, held)


def test_the_item_page_shows_the_decision_and_reopens_it() -> None:
    world = World()
    world.settle()
    client, page = signed_in(world.lead), reverse("item", args=[world.project.slug, world.item.pk])
    text = client.get(page).content.decode()
    assert "The guidelines do not say" in text
    assert "follows from the factoring" in text
    assert client.post(page, {"do": "reopen-decision", "because": "I misread it"}).status_code == 302
    world.item.refresh_from_db()
    assert world.item.decision == "conflicted"
    assert (
        reverse("adjudicate-item", args=[world.project.slug, world.item.pk])
        in client.get(page).content.decode()
    )


def test_items_are_found_by_cause() -> None:
    world = World()
    world.settle()
    broken = make.plain_item(world.project, 1)
    submitted(world.alice, broken, "++++")
    submitted(world.bob, broken, "+-++")
    broken.refresh_from_db()
    acts.settle(
        by=world.lead, item_id=broken.pk, labels="....", cause="broken_problem", reason="no",
        seen=acts.seen_version(broken),
    )  # fmt: skip
    client, page = signed_in(world.lead), reverse("items", args=[world.project.slug])
    for cause, expected in (("guideline_gap", [world.item]), ("broken_problem", [broken]), ("ambiguous", [])):
        assert client.get(page, {"cause": cause}).context["page"].rows == expected


# --- The API --------------------------------------------------------------------------------------


def test_the_api_settles_and_reopens(call: Call) -> None:
    world = World()
    path = f"items/{world.item.pk}"
    shown = call(world.lead, "GET", path).json()
    assert (shown["decision"], shown["adjudication"], shown["seen"]) == ("conflicted", None, world.seen())
    body = {"labels": list("+-++"), "seen": shown["seen"], **WHY}
    refused = call(world.lead, "POST", f"{path}/adjudicate", body | {"cause": "x"})
    assert (refused.status_code, refused.json()["field"]) == (422, "cause")
    assert call(world.lead, "POST", f"{path}/adjudicate", body | {"extra": 1}).status_code == 400
    assert call(world.alice, "POST", f"{path}/adjudicate", body).status_code == 403
    assert call(world.lead, "POST", f"{path}/adjudicate", body).json()["decision"] == "settled"
    assert call(world.lead, "POST", f"{path}/adjudicate", body).status_code == 409
    made = call(world.lead, "GET", path).json()["adjudication"]
    assert (made["labels"], made["cause"], made["own_label"]) == (list("+-++"), "guideline_gap", False)
    again = call(world.lead, "POST", f"{path}/reopen-decision", {"because": "misread"})
    assert again.json()["decision"] == "conflicted"


def test_check_integrity_finds_nothing_after_all_this(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.settle()
    call_command("check_integrity", world.project.slug)
    assert queue.claim(by=world.alice) is None


def test_what_comes_in_late_leaves_a_settlement_as_it_is() -> None:
    of = make.project(protocol="label_steps", label_after_error=True, overlap=2)
    item, (slow, one, other) = make.plain_item(of, 1), [make.member(of) for _ in range(3)]
    n = item.solution.n_steps
    late = queue.claim(by=slow)
    assert late is not None
    Assignment.objects.filter(pk=late.pk).update(lease_until=timezone.now() - timedelta(hours=1))
    queue.expire_due(of, timezone.now())
    for me, labels in ((one, "-"), (other, "+")):
        submitted(me, item, labels + "+" * (n - 1))
    item.refresh_from_db()
    lead = make.member(of, role=Role.LEAD)
    acts.settle(
        by=lead, item_id=item.pk, labels="-" + "+" * (n - 1), cause="ambiguous", reason="So it is.",
        seen=acts.seen_version(item),
    )  # fmt: skip
    item.refresh_from_db()
    gold = item.gold_id
    sent = review.submit(by=slow, assignment_id=late.pk, data={"labels": "+" * n})
    item.refresh_from_db()
    assert sent.surplus
    assert (item.decision, item.gold_id) == (Decision.SETTLED, gold)
    acts.reopen_decision(by=lead, project=of, item_id=item.pk, because="Another look.")
    item.refresh_from_db()
    assert item.decision == Decision.CONFLICTED
