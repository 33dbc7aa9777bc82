"""The reviewer's loop through the API, with tokens, as another program would run it."""

import pytest
from django.core.management import call_command
from django.test import Client

from annotator.models import Annotation, Assignment, Finding, Injection, Item, Membership, Phase, Rater
from tests.annotator.foreign import DATA, imported
from tests.api.conftest import Call
from tests.crowd import crowd, injected_siblings, plain_items

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Membership:
    return crowd(1)[1][0]


def test_claim_draft_submit_and_next(alice: Membership, call: Call) -> None:
    plain_items(alice.project, 2)
    first = call(alice, "POST", "claim").json()
    assert (first["state"], first["protocol"], len(first["steps"])) == ("claimed", "label_steps", 3)
    path = f"assignments/{first['id']}"
    saved = call(alice, "PUT", f"{path}/draft", {"version": 0, "draft": {"labels": ["+", ".", "."]}})
    assert saved.json()["version"] == 1
    assert call(alice, "GET", path).json()["draft"]["labels"] == ["+", ".", "."]
    done = call(alice, "POST", f"{path}/submit", {"labels": "++-", "claim_next": True}).json()
    assert done["state"] == "submitted"
    assert call(alice, "GET", f"assignments/{done['next']}").json()["id"] == done["next"]
    assert Annotation.objects.get().labels == "++-"


def test_nothing_left_is_204(alice: Membership, call: Call) -> None:
    assert call(alice, "POST", "claim").status_code == 204


def test_a_stale_draft_changes_nothing(alice: Membership, call: Call) -> None:
    plain_items(alice.project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}/draft"
    assert call(alice, "PUT", path, {"version": 0, "draft": {"labels": "+.."}}).status_code == 200
    stale = call(alice, "PUT", path, {"version": 0, "draft": {"labels": "---"}})
    assert (stale.status_code, stale.json()["code"]) == (409, "conflict")
    assert Assignment.objects.get().draft["labels"] == "+.."


def test_an_incomplete_submission_names_the_steps(alice: Membership, call: Call) -> None:
    plain_items(alice.project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}/submit"
    refused = call(alice, "POST", path, {"labels": "+.."})
    assert refused.status_code == 422
    assert refused.json()["positions"] == [1, 2]
    assert not Annotation.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"version": "0", "draft": {}},
        {"version": 0, "draft": []},
        {"version": 0, "draft": {"labels": "x"}},
    ],
)
def test_a_bad_body_is_refused(alice: Membership, call: Call, body: object) -> None:
    plain_items(alice.project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}/draft"
    assert call(alice, "PUT", path, body).status_code == 400


def test_nothing_is_revealed_before_the_commit(alice: Membership, call: Call) -> None:
    (item,) = injected_siblings(alice.project, 1)
    Injection.objects.update(reason="SECRET-REASON", claimed_wrong=[2], claimed_changed=[2])
    machine = Rater.objects.get(kind="injector")
    Annotation.objects.create(
        solution=item.solution, rater=machine, phase=Phase.MACHINE, labels="+-+", n_steps=3, first_error=1
    )
    Finding.objects.create(
        project=alice.project,
        solution=item.solution,
        code="wrong_is_original",
        position=1,
        detail="SECRET step 2",
    )
    blind = call(alice, "POST", "claim")
    path = f"assignments/{blind.json()['id']}"
    assert call(alice, "GET", f"{path}/reveal").status_code == 409
    early = call(alice, "POST", f"{path}/submit", {"labels": "+-+", "verdict": {"claim": "accept"}})
    assert early.status_code == 409
    for answer in (blind, call(alice, "GET", path)):
        assert b"SECRET" not in answer.content
        assert b"circular" not in answer.content
        assert b"wrong_is_original" not in answer.content
    assert call(alice, "POST", f"{path}/commit", {"labels": "+++"}).json()["state"] == "committed"
    shown = call(alice, "GET", f"{path}/reveal").json()
    assert shown["injection"]["reason"] == "SECRET-REASON"
    assert shown["annotations"] == [
        {
            "rater": f"injector:{machine.name}", "labels": ["+", "-", "+"], "scores": None,
            "redundancy_labels": [],
        }
    ]  # fmt: skip
    (finding,) = shown["findings"]
    assert finding.pop("advice").startswith("Check the step numbers of the claim.")
    assert finding == {
        "code": "wrong_is_original", "position": 1, "detail": "SECRET step 2",
        "title": "Wrong step as in the original",
    }  # fmt: skip


def test_both_judgements_stay(alice: Membership, call: Call) -> None:
    injected_siblings(alice.project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}"
    call(alice, "POST", f"{path}/commit", {"labels": "+++"})
    verdict = {"claim": "accept", "original": "right"}
    call(alice, "POST", f"{path}/submit", {"labels": "+-+", "verdict": verdict})
    kept = dict(Annotation.objects.filter(rater=alice.rater).values_list("phase", "labels"))
    assert kept == {"blind": "+++", "revealed": "+-+"}


def test_skip_needs_a_reason_and_gives_the_slot_back(alice: Membership, call: Call) -> None:
    plain_items(alice.project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}/skip"
    assert call(alice, "POST", path, {"reason": " "}).status_code == 422
    assert call(alice, "POST", path, {"reason": "not my field"}).json()["state"] == "skipped"
    assert Item.objects.get().open_slots == 1
    assert call(alice, "POST", "claim").status_code == 204


@pytest.mark.parametrize("reason", ["a\0b", "a\ud800b"])
def test_a_reason_that_no_database_holds_is_refused(alice: Membership, call: Call, reason: str) -> None:
    plain_items(alice.project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}/skip"
    refused = call(alice, "POST", path, {"reason": reason})
    assert (refused.status_code, refused.json()["field"]) == (400, "skip_reason")
    assert Assignment.objects.get().state == "claimed"


@pytest.mark.parametrize(
    "draft", [{"a\ud800": 1}, {"error_types": {"0": ["\ud800"]}}, {"edit": {"\ud800": "x"}}]
)
def test_a_refusal_names_whatever_was_sent(alice: Membership, call: Call, draft: object) -> None:
    plain_items(alice.project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}/draft"
    refused = call(alice, "PUT", path, {"version": 0, "draft": draft})
    assert refused.status_code == 400
    assert "\\ud800" in refused.json()["message"]


def test_a_proposal_without_a_step_is_refused(alice: Membership, call: Call) -> None:
    plain_items(alice.project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}"
    said = {"labels": "+++", "delete": [0, 1, 2]}
    assert call(alice, "PUT", f"{path}/draft", {"version": 0, "draft": said}).status_code == 200
    refused = call(alice, "POST", f"{path}/submit", said)
    assert (refused.status_code, refused.json()["field"]) == (400, "delete")
    assert not Annotation.objects.exists()


def test_reopening_withdraws_until_sent_again(call: Call) -> None:
    project, (alice, _) = crowd(2, overlap=2)
    plain_items(project, 1)
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}"
    call(alice, "POST", f"{path}/submit", {"labels": "+++"})
    assert call(alice, "POST", f"{path}/reopen").json()["state"] == "claimed"
    assert Item.objects.get().n_submitted == 0
    call(alice, "POST", f"{path}/submit", {"labels": "+-."})
    current = Annotation.objects.filter(superseded_at__isnull=True).get()
    assert (current.labels, Annotation.objects.count(), Item.objects.get().n_submitted) == ("+-.", 2, 1)


def test_without_a_token_nothing() -> None:
    project, _ = crowd(1)
    assert Client().post(f"/api/v1/projects/{project.slug}/claim").status_code == 401


def test_the_schema_names_every_address(alice: Membership) -> None:
    client = Client()
    client.force_login(alice.user)
    schema = client.get("/api/v1/schema", headers={"Accept": "application/json"}).json()
    assert "/api/v1/projects/{project}/assignments/{assignment}/submit" in schema["paths"]
    assert client.get("/api/v1/docs").status_code == 200


def test_the_schema_is_valid_without_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn")
    assert "Warning" not in capsys.readouterr().err


def test_alternatives_are_listed_rated_and_refused_where_they_do_not_belong(
    alice: Membership, call: Call
) -> None:
    imported(alice.project, DATA / "prm800k.jsonl", format="prm800k", protocol="label_steps")
    claimed = call(alice, "POST", "claim").json()
    assert [(one["position"], one["text"]) for one in claimed["alternatives"]] == [
        (2, "So there must be $4$ trips."), (2, "Trips are made by ferry."), (2, "So $5$ trips."),
    ]  # fmt: skip
    path, first = f"assignments/{claimed['id']}", str(claimed["alternatives"][0]["id"])
    draft = {"labels": "0+-.", "alternatives": {first: "+"}, "bulk": [1]}
    assert call(alice, "PUT", f"{path}/draft", {"version": 0, "draft": draft}).status_code == 200
    kept = call(alice, "GET", path).json()["draft"]
    assert (kept["alternatives"], kept["bulk"]) == ({first: "+"}, [1])
    wrong = call(alice, "POST", f"{path}/submit", {**draft, "alternatives": {"1": "+"}})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "alternatives")
    assert call(alice, "POST", f"{path}/submit", draft).json()["state"] == "submitted"
    said = Annotation.objects.filter(rater=alice.rater).order_by("id").values_list("labels", "bulk")
    assert list(said) == [("0+-.", [1]), ("..+", None)]


def test_an_assignment_without_alternatives_lists_none(alice: Membership, call: Call) -> None:
    plain_items(alice.project, 1)
    assert call(alice, "POST", "claim").json()["alternatives"] == []


def test_machines_are_letters_until_the_submission(alice: Membership, call: Call) -> None:
    (item,) = plain_items(alice.project, 1)
    Item.objects.update(protocol="verify_labels")
    for kind in ("judge", "prm"):
        rater = Rater.objects.create(kind=kind, name=f"my {kind}")
        Annotation.objects.create(
            solution=item.solution, rater=rater, phase=Phase.MACHINE, labels="+-+", n_steps=3, first_error=1,
            scores=[1.0, 0.25, None],
        )  # fmt: skip
    path = f"assignments/{call(alice, 'POST', 'claim').json()['id']}"
    call(alice, "POST", f"{path}/commit", {"labels": "+++"})
    hidden = call(alice, "GET", f"{path}/reveal").json()["annotations"]
    assert [one["rater"] for one in hidden] == ["A", "B"]
    assert hidden[0]["scores"] == [1.0, 0.25, None]
    call(alice, "POST", f"{path}/submit", {"labels": "+++"})
    named = call(alice, "GET", f"{path}/reveal").json()["annotations"]
    assert {one["rater"] for one in named} == {"judge:my judge", "prm:my prm"}


def test_a_project_lists_the_error_types_that_may_be_named(alice: Membership, client: Client) -> None:
    alice.project.error_types = [{"code": "units", "title": "wrong unit", "key": "p", "definition": "d"}]
    alice.project.save()
    client.force_login(alice.user, "django.contrib.auth.backends.ModelBackend")
    (listed,) = client.get("/api/v1/projects").json()
    assert listed["error_types"] == [{"code": "units", "title": "wrong unit", "definition": "d"}]
    assert listed["label_after_error"] is False
