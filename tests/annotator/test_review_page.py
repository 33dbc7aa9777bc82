"""The review pages without a browser: what they show in each phase, and what the plain form does."""

import json
from typing import Any

import pytest
from django.test import Client

from annotator import queue
from annotator.models import (
    Annotation,
    Assignment,
    BlindShows,
    Item,
    Membership,
    Project,
    Protocol,
    Question,
    Rater,
)
from annotator.views import pace
from tests import factories as make
from tests.made import MADE, Made

pytestmark = pytest.mark.django_db


class Desk:
    """A reviewer with an item in hand."""

    def __init__(self, item: Item, member: Membership | None = None) -> None:
        self.item, self.project = item, item.project
        self.member = member or make.member(item.project)
        self.client = signed_in(self.member)
        claimed = queue.claim(by=self.member)
        assert claimed
        self.assignment = claimed
        self.url = f"/p/{self.project.slug}/review/{claimed.pk}/"

    def html(self) -> str:
        response = self.client.get(self.url)
        assert response.status_code == 200
        return response.content.decode()

    def post(self, do: str, labels: str = "", **fields: Any) -> Any:
        self.assignment.refresh_from_db()
        n_steps = self.assignment.item.solution.n_steps
        hidden = {"version": self.assignment.draft_version, "n_steps": n_steps}
        data = {"do": do, **hidden, **labelled(labels), **fields}
        return self.client.post(self.url, {name.replace("__", "-"): value for name, value in data.items()})

    def draft(self) -> dict[str, Any]:
        self.assignment.refresh_from_db()
        return self.assignment.draft


def signed_in(member: Membership) -> Client:
    client = Client()
    client.force_login(member.user, "django.contrib.auth.backends.ModelBackend")
    return client


def labelled(labels: str) -> dict[str, str]:
    return {f"label-{i}": label for i, label in enumerate(labels) if label != "."}


@pytest.fixture
def desk() -> Desk:
    return Desk(make.injected_item(make.project(), 1))


VERDICT = {"verdict-claim": "accept", "verdict-original": "right", "verdict-kind": "counterfactual"}


# --- Blind, then revealed -----------------------------------------------------------------------------


def test_the_blind_page_holds_nothing_a_machine_said(desk: Desk) -> None:
    made = MADE[1]
    desk.item.solution.foreign_id = "counterfactual_own_1"
    desk.item.solution.save()
    other = Desk(desk.item)
    other.post("commit", "+-+?", note="what the other one wrote")
    html = desk.html()
    for secret in [
        made.reason,
        "own_1",
        "prmbench",
        "injector <",
        "claimed",
        "what the other one wrote",
        "verdict",
    ]:
        assert secret not in html, secret
    assert "accept</span>" not in html
    assert (
        html.count("counterfactual") == len(made.changed_steps) + 1
    )  # a chip a step, and the one of the key sheet
    assert "x + 3" in html  # the original, as this project shows it


def test_a_project_may_hide_the_original_while_blind() -> None:
    desk = Desk(make.injected_item(make.project(blind_shows=BlindShows.SOLUTION), 2))
    html = desk.html()
    assert "What changed" not in html
    assert "<ins>" not in html
    assert "at least ten" not in html
    desk.post("commit", "+++")
    assert "at least ten" in desk.html()


def test_the_commit_reveals_claim_reason_and_labels(desk: Desk) -> None:
    response = desk.post("commit", "++++")
    assert (response.status_code, response["Location"]) == (302, desk.url)
    html = desk.html()
    assert MADE[1].reason in html
    assert '<span class="said differs">injector <span aria-hidden="true">✗</span>' in html
    assert html.count('class="said"') == 3
    assert '<option value="counterfactual" selected>' in html
    assert 'value="submit"' in html


def test_labels_to_verify_are_revealed_by_rater() -> None:
    item = make.plain_item(make.project(protocol=Protocol.VERIFY_LABELS), 1)
    judge = Rater.objects.create(kind="judge", name="a judge")
    make.machine_labels(item.solution, judge, "+-..")
    desk = Desk(item)
    assert "judge <" not in desk.html()
    desk.post("commit", "++++")
    assert desk.html().count("A <span") == 4
    assert desk.post("submit", "++++").status_code == 302
    assert Annotation.objects.get(phase="revealed").labels == "++++"


def test_a_changed_question_is_shown_with_what_it_was() -> None:
    html = Desk(make.injected_item(make.project(), 2)).html()
    assert "<del>, and at $3 a box from ten boxes on</del>" in html


def test_moved_new_and_removed_steps_are_named() -> None:
    made = Made(
        "q", "1", ["a one", "b two", "zzz", "vvv", "end"], "circular",
        ["b two", "a one", "new thing here", "end", "and more"], [1], "",
    )  # fmt: skip
    html = Desk(make.injected_item(make.project(), made=made)).html()
    assert "moved, was" in html
    assert "was 3 · <del>zzz</del>" in html  # an unlike step stands in its place
    assert "removed, was 4" in html
    assert "new step" in html


# --- The plain form -----------------------------------------------------------------------------------


def test_the_plain_form_goes_all_the_way(desk: Desk) -> None:
    make.injected_item(desk.project, 3)
    assert desk.post("save", "+-", type__1=["counterfactual"]).status_code == 302
    assert desk.draft()["labels"] == "+-.."
    desk.post("commit", "+-++", type__1=["counterfactual", "deception"], note="see step 2")
    response = desk.post("submit", "+-++", **VERDICT)
    following = Assignment.objects.get(rater=desk.member.rater, state="claimed")
    assert response["Location"] == f"/p/{desk.project.slug}/review/{following.pk}/"
    blind = Annotation.objects.get(phase="blind")
    assert blind.error_types == {"1": ["counterfactual", "deception"]}
    assert blind.note == "see step 2"


def test_an_unfinished_commit_comes_again_with_what_was_entered(desk: Desk) -> None:
    response = desk.post("commit", "+.-.", note="kept", edit__0="Other words.")
    html = response.content.decode()
    assert response.status_code == 422
    assert '<a href="#s1">step 2</a> <a href="#s3">step 4</a>' in html
    assert html.count(" missing") >= 2
    assert 'name="label-2" value="-" aria-label="wrong" checked' in html
    assert "kept</textarea>" in html
    assert "Other words.</textarea>" in html
    assert 'class="step edited" id="s0"' in html


def test_a_missing_verdict_is_pointed_at(desk: Desk) -> None:
    desk.post("commit", "++++")
    response = desk.post("submit", "++++", **{"verdict-claim": "reject"})
    assert response.status_code == 422
    assert 'class="question missing" data-question="original"' in response.content.decode()


def test_a_second_submit_changes_nothing(desk: Desk) -> None:
    for _ in range(2):
        assert desk.post("commit", "++++").status_code == 302
    for _ in range(2):
        assert desk.post("submit", "++++", **VERDICT)["Location"] == f"/p/{desk.project.slug}/mine/"
    assert Annotation.objects.filter(rater=desk.member.rater).count() == 2
    desk.member.refresh_from_db()
    assert desk.member.n_submitted == 1


@pytest.mark.parametrize("do", ["bad_problem", "bad_split", "give_up"])
def test_an_early_end_needs_a_reason(desk: Desk, do: str) -> None:
    refused = desk.post(do, "+")
    assert refused.status_code == 422
    assert "Say in a few words" in refused.content.decode()
    assert desk.post(do, "+", why="It asks nothing.").status_code == 302
    stored = Annotation.objects.get(rater=desk.member.rater)
    assert (stored.finish_reason, stored.note, stored.labels) == (do, "It asks nothing.", "+...")


def test_skip_needs_a_reason_and_opens_the_next(desk: Desk) -> None:
    assert desk.post("skip").status_code == 422
    make.injected_item(desk.project, 3)
    assert "/review/" in desk.post("skip", skip_reason="not my field")["Location"]
    html = desk.html()
    assert "You gave this item back: not my field" in html
    assert "<fieldset disabled>" in html


def test_a_question_keeps_the_form_and_shows_under_my_work(desk: Desk) -> None:
    assert desk.post("ask", "+").status_code == 422
    assert desk.post("ask", "+-", question="Is 1 a prime here?").status_code == 302
    assert desk.draft()["labels"] == "+-.."
    Question.objects.update(answer="No.", answered_by=desk.member.user)
    mine = desk.client.get(f"/p/{desk.project.slug}/mine/").content.decode()
    assert "Is 1 a prime here?" in mine
    assert "No." in mine


def test_a_stale_save_is_refused_and_shows_what_was_entered(desk: Desk) -> None:
    desk.post("save", "++++")
    refused = desk.client.post(desk.url, {"do": "save", "version": "0", "n_steps": 4, **labelled("----")})
    assert refused.status_code == 409
    assert 'name="label-3" value="-" aria-label="wrong" checked' in refused.content.decode()
    assert desk.draft()["labels"] == "++++"
    assert desk.client.post(desk.url, {"do": "save", "version": "x"}).status_code == 400


def test_what_cannot_even_be_shown_gives_way_to_the_draft(desk: Desk) -> None:
    desk.post("save", "+")
    refused = desk.post("commit", "++++", verdict__claim="perhaps")
    assert refused.status_code == 400
    assert 'name="label-0" value="+" aria-label="right" checked' in refused.content.decode()
    assert desk.client.post(desk.url, {"do": "dance"}).status_code == 400


def test_line_breaks_of_a_browser_are_no_edit() -> None:
    made = Made("q", "1", ["a"], "circular", ["one\ntwo", "\nthree"], [1], "")
    desk = Desk(make.injected_item(make.project(), made=made))
    assert '<textarea name="edit-1">\n\nthree</textarea>' in desk.html()
    desk.post(
        "save",
        "++",
        edit__0="one\r\ntwo",
        edit__1="\r\nfour",
        insert__0=" ",
        **{"insert--1": "first"},
        delete__1="on",
    )
    assert desk.draft()["edit"] == {"1": "\nfour"}
    assert desk.draft()["insert"] == {"-1": "first"}
    assert desk.draft()["delete"] == [1]


def test_types_belong_to_wrong_steps_only(desk: Desk) -> None:
    desk.post(
        "save", "+-", type__0=["circular"], type__1=["circular"], duration_ms="1234", finish_reason="give_up"
    )
    assert desk.draft()["error_types"] == {"1": ["circular"]}
    assert desk.draft()["duration_ms"] == 1234
    assert desk.draft()["finish_reason"] == ""


def test_half_a_form_changes_nothing(desk: Desk) -> None:
    desk.post("save", "++++")
    assert desk.client.post(desk.url, {"do": "save", "version": "1"}).status_code == 400
    assert desk.draft()["labels"] == "++++"


def test_scripts_are_answered_in_json(desk: Desk) -> None:
    refused = desk.client.post(
        desk.url, {"do": "commit", "n_steps": 4}, headers={"Accept": "application/json"}
    )
    assert refused.status_code == 422
    assert refused.json()["positions"] == [0, 1, 2, 3]
    done = desk.client.post(
        desk.url, {"do": "commit", "n_steps": 4, **labelled("++++")}, headers={"Accept": "application/json"}
    )
    assert done.json() == {"next": desk.url}


# --- States -------------------------------------------------------------------------------------------


def test_another_reviewers_assignment_is_not_there(desk: Desk) -> None:
    other = signed_in(make.member(desk.project))
    assert other.get(desk.url).status_code == 404
    assert other.post(desk.url, {"do": "commit", **labelled("++++")}).status_code == 404
    elsewhere = make.project()
    assert other.get(desk.url.replace(desk.project.slug, elsewhere.slug)).status_code == 404


def test_submitted_work_is_read_only_until_reopened(desk: Desk) -> None:
    desk.post("commit", "++++")
    desk.post("submit", "++++", **VERDICT)
    html = desk.html()
    assert "<fieldset disabled>" in html
    assert 'value="reopen"' in html
    assert desk.post("reopen")["Location"] == desk.url
    assert "<fieldset disabled>" not in desk.html()
    desk.post("submit", "+-++", **VERDICT)
    Item.objects.update(decision="agreed")
    html = desk.html()
    assert 'value="reopen"' not in html
    assert "only a lead can change it now" in html


def test_a_claim_that_ran_out_can_still_be_finished(desk: Desk) -> None:
    desk.post("save", "++")
    Assignment.objects.update(state="expired")
    html = desk.html()
    assert "Your claim ran out" in html
    assert 'name="label-1" value="+" aria-label="right" checked' in html
    assert "the claim ran out" in desk.client.get(f"/p/{desk.project.slug}/mine/").content.decode()
    assert desk.post("commit", "++++").status_code == 302


def test_label_steps_stops_and_goes_on() -> None:
    project = make.project(protocol=Protocol.LABEL_STEPS)
    desk = Desk(make.plain_item(project, 1))
    assert "Submit" in desk.html()
    assert desk.post("submit", "+-")["Location"] == f"/p/{project.slug}/mine/"
    stored = Annotation.objects.get()
    assert (stored.labels, stored.finish_reason) == ("+-..", "found_error")


def test_check_solution_asks_its_questions_at_once() -> None:
    desk = Desk(make.plain_item(make.project(protocol=Protocol.CHECK_SOLUTION), 1))
    assert "Is it really a different solution?" in desk.html()
    assert desk.post("submit", "++++").status_code == 422
    answered = {"verdict-right": "yes", "verdict-different": "no", "verdict-answer": "right"}
    assert desk.post("submit", "++++", **answered).status_code == 302


def test_the_guidelines_say_when_they_changed(desk: Desk) -> None:
    assert '<span class="tag mid">new</span>' in desk.html()
    Membership.objects.update(guideline_read=1)
    assert '<span class="tag mid">' not in desk.html().split("<main")[0]


def test_keys_of_the_account_are_printed(desk: Desk) -> None:
    desk.member.user.keys = {"circular": "8"}
    desk.member.user.save()
    html = desk.html()
    assert "<kbd>8</kbd>circular" in html
    config = html.split('<script id="review-config" type="application/json">')[1].split("</script>")[0]
    assert ["circular", "8", "error type: circular"] in [kind[:3] for kind in json.loads(config)["types"]]


def test_nothing_left_says_so() -> None:
    project = make.project()
    client = signed_in(make.member(project))
    response = client.post(f"/p/{project.slug}/next/", follow=True)
    assert "Nothing is left for you" in response.content.decode()


# --- My work ------------------------------------------------------------------------------------------


def test_my_work_pages_through_what_was_sent() -> None:
    project = make.project(protocol=Protocol.LABEL_STEPS)
    member = make.member(project)
    client = signed_in(member)
    for number in range(33):
        desk = Desk(make.plain_item(project, number), member)
        desk.post("submit", "-" if number % 2 else "+" * 7)
    first = client.get(f"/p/{project.slug}/mine/").content.decode()
    assert first.count("/review/") == 30
    assert "wrong: step 1" in first
    older = first.split('href="?before=')[1].split('"')[0]
    second = client.get(f"/p/{project.slug}/mine/?before={older}").content.decode()
    assert second.count("/review/") == 3
    assert "Newest" in second
    assert client.get(f"/p/{project.slug}/mine/?before=rubbish").content.decode().count("/review/") == 30


def test_an_early_end_is_named_in_my_work(desk: Desk) -> None:
    desk.post("give_up", why="Too hard.")
    mine = desk.client.get(f"/p/{desk.project.slug}/mine/").content.decode()
    assert "gave up" in mine
    assert "can be reopened" in mine


def project_with(n: int) -> Project:
    project = make.project(overlap=1)
    for number in range(n):
        make.injected_item(project, number)
    return project


def test_the_pace_counts_what_is_left_for_me() -> None:
    member = make.member(project_with(4))
    assert pace.pace_of(member, holds_one=False) == pace.Pace(0, 4, "")
    queue.claim(by=member)
    member.n_submitted, member.active_ms = 3, 3 * 600_000
    assert pace.pace_of(member, holds_one=True) == pace.Pace(3, 7, "40 min")
    assert pace.in_words(250 * 60_000) == "4 h 10"
    assert pace.in_words(10) == ""


def test_a_kept_count_goes_down_with_my_own_work(settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "pace"}
    }
    member = make.member(project_with(4))
    assert pace.left_for(member) == 4
    Item.objects.filter(project=member.project).update(held=True)
    member.n_submitted += 1
    assert pace.left_for(member) == 3
