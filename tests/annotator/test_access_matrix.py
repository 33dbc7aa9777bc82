"""Every URL × method × visitor, against a table written by hand; and what a blind reviewer's pages hold."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotator import queue
from annotator.actions import account, people, review
from annotator.actions.release_files import Counts, Manifest
from annotator.models import (
    Annotation,
    Assignment,
    Export,
    Import,
    Injection,
    Item,
    Membership,
    Project,
    Question,
    Rater,
    Release,
    Role,
    Solution,
    TransferState,
    User,
)  # fmt: skip
from annotator.policies import ACCESS
from tests import factories
from tests.made import Made

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH")
VISITORS = ("anonymous", "outsider", "reviewer", "other", "lead", "owner", "operator")

# One letter a visitor, in the order of VISITORS. `reviewer` holds the assignment of the URL, `other` reviews
# in the same project, `operator` is a superuser in no project.
#   a allowed   s sent to the sign-in (401 in the API)   h hidden: 404   f forbidden: 403
# A method that is not here is refused to everybody: 405.
ALL, SIGNED_IN, OPERATOR = "aaaaaaa", "saaaaaa", "sfffffa"
REVIEWERS, LEADS, HOLDER = "shaaaah", "shffaah", "shahhhh"
TABLE: dict[str, dict[str, str]] = {
    "health": {"GET": ALL},
    "favicon": {"GET": ALL},
    "sign-in": {"GET": ALL, "POST": ALL},
    "sign-out": {"POST": SIGNED_IN},
    "join": {"GET": ALL, "POST": ALL},
    "set-password": {"GET": ALL, "POST": ALL},
    "home": {"GET": SIGNED_IN},
    "account": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "keys": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "tokens": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "new-project": {"GET": OPERATOR, "POST": OPERATOR},
    "project": {"GET": REVIEWERS},
    "settings": {"GET": LEADS, "POST": LEADS},
    "people": {"GET": LEADS, "POST": LEADS},
    "guidelines": {"GET": REVIEWERS, "POST": LEADS},
    "questions": {"GET": REVIEWERS, "POST": LEADS},
    "next": {"POST": REVIEWERS},
    "review": {"GET": HOLDER, "POST": HOLDER},
    "mine": {"GET": REVIEWERS},
    "exam": {"GET": REVIEWERS, "POST": REVIEWERS},
    "practice": {"GET": LEADS, "POST": LEADS},
    "items": {"GET": LEADS},
    "item": {"GET": LEADS, "POST": LEADS},
    "bulk": {"GET": LEADS, "POST": LEADS},
    "triage": {"GET": LEADS},
    "take-down": {"GET": LEADS, "POST": LEADS},
    "adjudicate": {"GET": LEADS},
    "adjudicate-item": {"GET": LEADS, "POST": LEADS},
    "differences": {"GET": REVIEWERS},
    "hours": {"GET": LEADS},
    "imports": {"GET": LEADS, "POST": LEADS},
    "import": {"GET": LEADS, "POST": LEADS},
    "import-map": {"GET": LEADS, "POST": LEADS},
    "import-labels": {"GET": LEADS, "POST": LEADS},
    "exports": {"GET": LEADS, "POST": LEADS},
    "export": {"GET": LEADS, "POST": LEADS},
    "export-file": {"GET": LEADS},
    "releases": {"GET": LEADS, "POST": LEADS},
    "release": {"GET": LEADS, "POST": LEADS},
    "release-file": {"GET": LEADS},
    "release-tar": {"GET": LEADS},
    "release-diff": {"GET": LEADS},
    "reviewers": {"GET": LEADS},
    "acceptance": {"GET": LEADS, "POST": LEADS},
    "pull": {"GET": LEADS},
    "agreement": {"GET": LEADS},
    "diagnosis": {"GET": LEADS},
    "runs": {"GET": LEADS},
    "run": {"GET": LEADS, "POST": LEADS},
    "run-agreement": {"GET": LEADS},
    "unit": {"GET": LEADS},
    "machines": {"GET": LEADS},
    "machine": {"GET": LEADS, "POST": LEADS},
    "evidence": {"GET": LEADS},
    "score": {"GET": LEADS, "POST": LEADS},
    "try-models": {"GET": LEADS, "POST": LEADS},
    "tried": {"GET": LEADS},
    "consensus": {"GET": LEADS},
    "audit": {"GET": LEADS},
    "audit-file": {"GET": LEADS},
    "published": {"GET": SIGNED_IN},
    "benchmarks": {"GET": LEADS},
    "benchmark": {"GET": LEADS},
    "benchmark-report": {"GET": LEADS},
    "benchmark-misses": {"GET": LEADS, "POST": LEADS},
    "benchmark-compare": {"GET": LEADS},
    "benchmark-moved": {"GET": LEADS},
    "api:schema": {"GET": SIGNED_IN},
    "api:docs": {"GET": SIGNED_IN},
    "api:projects": {"GET": SIGNED_IN},
    "api:claim": {"POST": REVIEWERS},
    "api:assignment": {"GET": HOLDER},
    "api:draft": {"PUT": HOLDER},
    "api:commit": {"POST": HOLDER},
    "api:reveal": {"GET": HOLDER},
    "api:submit": {"POST": HOLDER},
    "api:skip": {"POST": HOLDER},
    "api:reopen": {"POST": HOLDER},
    "api:items": {"GET": LEADS},
    "api:item": {"GET": LEADS},
    "api:adjudicate": {"POST": LEADS},
    "api:reopen-decision": {"POST": LEADS},
    "api:exports": {"GET": LEADS, "POST": LEADS},
    "api:export": {"GET": LEADS},
    "api:export-file": {"GET": LEADS},
    "api:runs": {"GET": LEADS, "POST": LEADS},
    "api:run": {"GET": LEADS},
    "api:run-pause": {"POST": LEADS},
    "api:run-resume": {"POST": LEADS},
    "api:run-cancel": {"POST": LEADS},
    "api:run-retry": {"POST": LEADS},
    "api:agreement": {"GET": LEADS},
    "api:reviewers": {"GET": LEADS},
}


def _walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            space = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from _walk(pattern.url_patterns, space)
        else:
            yield f"{prefix}{pattern.name or pattern.pattern}", pattern


URLS = dict(_walk(get_resolver().url_patterns))


RELEASED = Manifest("check", "1.0", "d", {"which": "gold"}, Counts()).as_json()


class World:
    """A project with one of everything that a URL may name, and its visitors, all signed in."""

    def __init__(self, data_dir: Path) -> None:
        self.project = factories.project()
        self.item = factories.injected_item(self.project)
        roles = {
            "reviewer": Role.REVIEWER, "other": Role.REVIEWER, "lead": Role.LEAD, "owner": Role.OWNER,
        }  # fmt: skip
        members = {name: factories.member(self.project, name, role) for name, role in roles.items()}
        users = {name: member.user for name, member in members.items()}
        users["outsider"] = User.objects.create_user("outsider")
        users["operator"] = User.objects.create_superuser("operator")
        self.users = users
        _, self.token = people.invite(by=members["owner"], project=self.project, role="reviewer")
        assignment = queue.claim(by=members["reviewer"])
        assert assignment
        self.assignment = assignment
        self.transfers = _transfers(self.project, data_dir)
        self.run = factories.run(self.project)
        self.unit = factories.unit(self.run, solution=self.item.solution)
        self.cookies = {name: _session(user) for name, user in users.items()}
        users["reviewer"].refresh_from_db()  # signing in ends the links made before
        *_, self.uid, self.link, _ = account.make_password_link(
            by=members["owner"], user=users["reviewer"]
        ).split("/")

    def arguments(self, name: str) -> dict[str, Any]:
        """What the URL of this name needs, all of it there and of this project."""
        kind = _kind(name)
        known = {
            "project": self.project.slug, "assignment": self.assignment.pk, "item": self.item.pk,
            "transfer": self.transfers[kind], "token": self.link if name == "set-password" else self.token,
            "uid": self.uid, "file": "manifest.json", "benchmark": "prmbench",
            "rater_id": self.assignment.rater_id, "run": self.run.pk, "unit": self.unit.pk, "method": "judge",
        }  # fmt: skip
        return {argument: known[argument] for argument in URLS[name].pattern.converters}

    def ask(self, visitor: str, name: str, method: str, **instead: Any) -> HttpResponse:
        """One request, whose effects are taken back."""
        client = Client(raise_request_exception=False)
        if visitor in self.cookies:
            client.cookies["sessionid"] = self.cookies[visitor]
        path = reverse(name, kwargs=self.arguments(name) | instead)
        body: dict[str, Any] = {}
        if method != "GET" and name.startswith("api:"):
            body = {"data": '{"version": 0, "draft": {}}', "content_type": "application/json"}
        with transaction.atomic():
            response = client.generic(method, path, **body)
            transaction.set_rollback(True)
        if response.streaming:
            list(response.streaming_content)
        return response  # type: ignore[return-value]


def _kind(name: str) -> type[Import | Export | Release]:
    """What `transfer` is in the URL of this name."""
    return Import if name.startswith("import") else Release if name.startswith("release") else Export


def _transfers(project: Project, data_dir: Path) -> dict[type, int]:
    path = data_dir / "labels.jsonl"
    path.write_text("{}\n")
    export = Export.objects.create(
        project=project,
        format="prmbench",
        which="gold",
        state=TransferState.COMPLETE,
        path=str(path),
        n_bytes=3,
    )
    read = Import.objects.create(project=project, format="prmbench", state=TransferState.COMPLETE)
    (data_dir / "manifest.json").write_text("{}\n")
    release = Release.objects.create(
        project=project, name="1.0", state=TransferState.COMPLETE, path=str(data_dir), digest="d",
        report=RELEASED, n_records=0,
    )  # fmt: skip
    return {Export: export.pk, Import: read.pk, Release: release.pk}


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _session(user: User) -> str:
    return _client(user).cookies["sessionid"].value


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.DATA_DIR = tmp_path
    return World(tmp_path)


def _letter(response: HttpResponse, name: str) -> str:
    """What happened, as the table writes it; 'm' is 405 and '!' a failure of the server."""
    status = response.status_code
    sign_in = status == 302 and response["Location"].startswith("/sign-in/?next=")
    if status == 401 if name.startswith("api:") else sign_in:
        return "s"
    return {403: "f", 404: "h", 405: "m"}.get(status, "!" if status >= 500 or status == 401 else "a")


def test_every_url_has_a_declared_access_and_a_row_in_the_table() -> None:
    assert set(URLS) - set(ACCESS) == set()
    assert set(TABLE) == set(ACCESS)


@pytest.mark.parametrize("name", sorted(URLS))
def test_each_visitor_gets_what_the_table_says(name: str, world: World) -> None:
    found = {
        method: "".join(_letter(world.ask(visitor, name, method), name) for visitor in VISITORS)
        for method in METHODS
    }
    assert found == {method: TABLE[name].get(method, "mmmmmmm") for method in METHODS}


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(name for name in URLS if "project" in URLS[name].pattern.converters))
def test_a_project_that_is_not_there_looks_like_one_that_is_not_yours(name: str, world: World) -> None:
    for method in TABLE[name]:
        unknown = world.ask("owner", name, method, project="no-such-project")
        foreign = world.ask("outsider", name, method)
        assert (unknown.status_code, foreign.status_code) == (404, 404)
        assert "PRMBench check" not in foreign.content.decode()


@pytest.mark.parametrize(
    "name",
    sorted(n for n in URLS if {"assignment", "item", "transfer", "run"} & set(URLS[n].pattern.converters)),
)
def test_objects_of_another_project_are_not_there(name: str, world: World, tmp_path: Path) -> None:
    """Their owner is in both projects, so that only the project in the URL tells them apart."""
    elsewhere = factories.project()
    there = factories.injected_item(elsewhere)
    owner = world.users["owner"]
    for project in (elsewhere, world.project):
        if not Membership.objects.filter(project=project, user=owner).exists():
            factories.member(project, "owner", Role.OWNER)
    assignment = queue.claim(by=Membership.objects.get(project=elsewhere, user=owner))
    assert assignment
    kind, run = _kind(name), factories.run(elsewhere)
    foreign = {
        "assignment": assignment.pk, "item": there.pk, "transfer": _transfers(elsewhere, tmp_path)[kind],
        "run": run.pk, "unit": factories.unit(run).pk,
    }  # fmt: skip
    instead = {key: value for key, value in foreign.items() if key in URLS[name].pattern.converters}
    for method in TABLE[name]:
        assert world.ask("owner", name, method, **instead).status_code == 404
        assert world.ask("owner", name, method, project=elsewhere.slug, **instead).status_code != 404


@pytest.mark.once
@pytest.mark.parametrize("name", sorted(name for name in URLS if "POST" in TABLE[name]))
def test_a_post_from_another_site_is_refused(name: str, world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["sessionid"] = world.cookies["owner"]
    response = client.post(reverse(name, kwargs=world.arguments(name)))
    assert response.status_code == 403


# --- Blinding -------------------------------------------------------------------------------------

INJECTOR_LABELS, ALICE_LABELS = "+-0?+-.-+", "-+-+0+-?-"
MACHINE_MARKERS = ("zz-kind", "zz-reason", "zz-injector", "zz-note-machine", "908171", "908172")
PEOPLE_MARKERS = ("zz-note-alice", "zz-question-alice", "zz-skip-carol")
HIDDEN_ALWAYS = ("zz-extra", "zz-foreign")


def _spellings(labels: str) -> list[str]:
    """A label string as text, as JSON lists, and as the titles of a page would not happen to be."""
    return [labels, json.dumps(list(labels)), json.dumps(list(labels), separators=(",", ":"))]


@pytest.fixture
def blind() -> Iterator[tuple[Item, Membership]]:
    """An item that a machine, Alice and Carol have said something about, and Bob, who has not seen it."""
    project = factories.project(overlap=3)
    original = [f"{n}. Step {n} is so." for n in range(1, 10)]
    changed = [f"{n}. Step {n} is {'not ' * (n == 2)}so." for n in range(1, 10)]
    item = factories.injected_item(
        project, made=Made("Is it so?", "yes", original, "zz-kind", changed, [2], "zz-reason")
    )
    _machine_markers(item)
    _people_markers(project)
    return item, factories.member(project, "bob")


def _machine_markers(item: Item) -> None:
    Injection.objects.filter(child=item.solution).update(claimed_changed=[908171], claimed_wrong=[908172])
    Rater.objects.filter(kind="injector").update(name="zz-injector")
    Annotation.objects.filter(solution=item.solution).update(labels=INJECTOR_LABELS, note="zz-note-machine")
    Solution.objects.filter(pk=item.solution_id).update(
        foreign_id="zz-foreign-zz-kind", extra='{"classification": "zz-extra"}'
    )


def _people_markers(project: Project) -> None:
    alice, carol = factories.member(project, "alice"), factories.member(project, "carol")
    first, second = queue.claim(by=alice), queue.claim(by=carol)
    assert first
    assert second
    review.ask(by=alice, assignment_id=first.pk, text="zz-question-alice")
    data = {"labels": ALICE_LABELS, "note": "zz-note-alice"}
    review.commit(by=alice, assignment_id=first.pk, data=data)
    data |= {"verdict": {"claim": "reject", "original": "right"}}  # type: ignore[dict-item]
    review.submit(by=alice, assignment_id=first.pk, data=data)
    review.skip(by=carol, assignment_id=second.pk, reason="zz-skip-carol")


def _held(bob: Membership) -> Assignment:
    assignment = queue.claim(by=bob)
    assert assignment
    return assignment


def _answers(bob: Membership, assignment: Assignment) -> Iterator[tuple[str, str]]:
    """Everything that a reviewer can be shown: all their pages and API answers, refusals and fragments."""
    client = _client(bob.user)
    slug, pk = bob.project.slug, assignment.pk
    for name in sorted(set(URLS) & set(TABLE)):
        needs = set(URLS[name].pattern.converters)
        if TABLE[name].get("GET") in (SIGNED_IN, REVIEWERS, HOLDER) and needs <= {"project", "assignment"}:
            known = {"project": slug, "assignment": pk}
            path = reverse(name, kwargs={key: known[key] for key in needs})
            for headers in ({}, {"HX-Request": "true"}, {"Accept": "application/json"}):
                yield f"GET {name} {headers}", client.get(path, headers=headers).content.decode()
    page = reverse("review", args=[slug, pk])
    for do in ("save", "commit", "submit", "nothing"):
        for headers in ({}, {"Accept": "application/json"}):
            answer = client.post(page, {"do": do, "version": "0"}, headers=headers)
            yield f"POST review {do} {headers}", answer.content.decode()
    draft = {"version": 99, "draft": {"labels": "+" * 9}}
    path = reverse("api:draft", args=[slug, pk])
    yield "PUT draft", client.put(path, draft, content_type="application/json").content.decode()
    for name in ("claim", "commit", "submit"):
        path = reverse(f"api:{name}", args=[slug] if name == "claim" else [slug, pk])
        yield f"POST {name}", client.post(path, {}, content_type="application/json").content.decode()


@pytest.mark.parametrize("shows", ["diff", "solution"])
def test_a_blind_reviewer_reads_nothing_that_others_said(shows: str, blind: tuple[Item, Membership]) -> None:
    item, bob = blind
    Project.objects.filter(pk=item.project_id).update(blind_shows=shows)
    assignment = _held(Membership.objects.select_related("project").get(pk=bob.pk))
    markers = [*MACHINE_MARKERS, *PEOPLE_MARKERS, *HIDDEN_ALWAYS]
    markers += _spellings(INJECTOR_LABELS) + _spellings(ALICE_LABELS)
    answers = dict(_answers(bob, assignment))
    assert "Step 2 is not" in answers["GET review {}"]
    assert "Step 2 is not" in answers["GET api:assignment {}"]
    leaks = {(name, marker) for name, text in answers.items() for marker in markers if marker in text}
    assert leaks == set()


def test_a_blind_page_is_the_same_whatever_others_said(blind: tuple[Item, Membership]) -> None:
    """No mark, order or preset choice may depend on it either."""
    item, bob = blind
    assignment = _held(bob)
    client = _client(bob.user)
    paths = [reverse(name, args=[bob.project.slug, assignment.pk]) for name in ("review", "api:assignment")]
    before = [_without_secrets(client.get(path)) for path in paths]
    Annotation.objects.filter(solution=item.solution).update(labels="-" * 9, note="", first_error=0)
    Injection.objects.filter(child=item.solution).update(
        error_type="deception", reason="", claimed_changed=[1], claimed_wrong=[]
    )
    Item.objects.filter(pk=item.pk).update(error_type="deception", priority=9, n_submitted=0)
    Question.objects.all().delete()
    assert [_without_secrets(client.get(path)) for path in paths] == before


def _without_secrets(response: HttpResponse) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def test_after_the_commit_the_claim_is_shown_and_still_no_other_reviewer(
    blind: tuple[Item, Membership],
) -> None:
    """Also the proof that the markers above would be found."""
    _, bob = blind
    assignment = _held(bob)
    review.commit(by=bob, assignment_id=assignment.pk, data={"labels": "+" * 9})
    answers = dict(_answers(bob, assignment))
    for marker in (
        "zz-kind",
        "zz-reason",
        "908172",
        json.dumps(list(INJECTOR_LABELS), separators=(",", ":")),
    ):
        assert marker in answers["GET api:reveal {}"]
    assert "zz-reason" in answers["GET review {}"]
    markers = [*PEOPLE_MARKERS, *_spellings(ALICE_LABELS), *HIDDEN_ALWAYS]
    leaks = {(name, marker) for name, text in answers.items() for marker in markers if marker in text}
    assert leaks == set()


@pytest.mark.once
def test_no_page_looks_for_a_character_that_no_database_holds(client: Client) -> None:
    lead = factories.member(factories.project(), role=Role.LEAD)
    client.force_login(lead.user)
    for name in ("runs", "items", "agreement", "audit", "benchmarks"):
        assert client.get(reverse(name, args=[lead.project.slug]), {"kind": "a\0"}).status_code == 400, name
