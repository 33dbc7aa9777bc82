"""Making projects and changing their settings, by page and by command."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotator import errors
from annotator.actions.projects import change_settings, create_project
from annotator.models import Event, Membership, Project, Role, User
from annotator.policies import Operator
from tests import factories

pytestmark = pytest.mark.django_db

GOOD = {"slug": "prm", "name": "PRM", "protocol": "verify_injection", "overlap": 2}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_superuser_who_makes_a_project_owns_it() -> None:
    operator = User.objects.create_superuser("operator")
    project = create_project(by=operator, **GOOD)
    assert Membership.objects.get(project=project).role == Role.OWNER
    assert Event.objects.get(project=project).actor == operator


def test_a_command_makes_a_project_without_members() -> None:
    project = create_project(by=Operator(), **GOOD)
    assert not project.memberships.exists()


def test_nobody_else_makes_projects() -> None:
    with pytest.raises(errors.Forbidden):
        create_project(by=User.objects.create_user("bob"), **GOOD)
    closed = User.objects.create_superuser("closed", is_active=False)
    with pytest.raises(errors.Forbidden):
        create_project(by=closed, **GOOD)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", ""), ("slug", "a/b"), ("slug", "../x"), ("slug", "a" * 81), ("name", ""),
        ("protocol", "guess"), ("overlap", 0), ("overlap", 21), ("overlap", -1), ("overlap", True),
        ("lease_minutes", 0), ("lease_minutes", 1441), ("blind_shows", "everything"),
    ],
)  # fmt: skip
def test_what_no_project_may_have_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(errors.Invalid) as refused:
        create_project(by=Operator(), **{**GOOD, field: value})  # type: ignore[arg-type]
    assert refused.value.field == field
    assert not Project.objects.exists()


def test_an_address_is_taken_once() -> None:
    create_project(by=Operator(), **GOOD)
    with pytest.raises(errors.PlumblineError) as refused:
        create_project(by=Operator(), **GOOD)
    assert refused.value.field == "slug"


def test_a_lead_changes_settings_and_it_is_recorded_with_what_was() -> None:
    lead = factories.member(factories.project(), role=Role.LEAD)
    item = factories.plain_item(lead.project)
    changed = change_settings(by=lead, project=lead.project, overlap=3, name="PRMBench check")
    assert changed.overlap == 3
    event = Event.objects.get(verb="change_settings")
    assert event.data == {"changed": {"overlap": 3}, "was": {"overlap": 2}}
    item.refresh_from_db()
    assert item.wanted == 2


def test_settings_that_stay_the_same_leave_no_event() -> None:
    lead = factories.member(factories.project(), role=Role.LEAD)
    change_settings(by=lead, project=lead.project, overlap=2)
    assert not Event.objects.exists()


def test_a_reviewer_changes_nothing_and_nobody_what_is_no_setting() -> None:
    project = factories.project()
    with pytest.raises(errors.Forbidden):
        change_settings(by=factories.member(project), project=project, overlap=1)
    for field in ("slug", "id", "guideline_id", "memberships"):
        with pytest.raises(errors.Invalid):
            change_settings(by=Operator(), project=project, **{field: 1})


def test_the_page_makes_a_project_and_says_what_is_wrong() -> None:
    client = signed_in(User.objects.create_superuser("operator"))
    sent = {**GOOD, "blind_shows": "diff", "lease_minutes": "60"}
    refused = client.post(reverse("new-project"), sent | {"overlap": "0", "slug": "a b"})
    assert set(refused.context["form"].errors) == {"overlap", "slug"}
    made = client.post(reverse("new-project"), sent)
    assert made["Location"] == reverse("project", args=["prm"])
    again = client.post(reverse("new-project"), sent)
    assert "slug" in again.context["form"].errors


def test_the_settings_page_shows_and_changes_what_there_is() -> None:
    lead = factories.member(factories.project(overlap=4), role=Role.LEAD)
    client, page = signed_in(lead.user), reverse("settings", args=[lead.project.slug])
    assert client.get(page).context["form"].initial["overlap"] == 4
    sent = {
        "name": "New", "protocol": "label_steps", "overlap": "1", "blind_shows": "solution",
        "lease_minutes": "30",
    }  # fmt: skip
    assert client.post(page, sent)["Location"] == page
    lead.project.refresh_from_db()
    found = lead.project
    assert (found.name, found.protocol, found.overlap) == ("New", "label_steps", 1)
    assert (found.blind_shows, found.lease_minutes) == ("solution", 30)
    assert "overlap" in client.post(page, sent | {"overlap": "99"}).context["form"].errors


def command(*args: str, **options: object) -> str:
    out = StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


def test_commands_make_a_project_and_let_people_in() -> None:
    command("create_project", "prm", name="PRM", overlap=1)
    link = command("invite", "prm", role="owner", address="https://example.org/").strip()
    assert link.startswith("https://example.org/join/")
    path = link.removeprefix("https://example.org")
    words = "long enough words"
    Client().post(path, {"username": "ada", "password1": words, "password2": words})
    assert Membership.objects.get(user__username="ada").role == Role.OWNER
    User.objects.create_user("bob")
    assert "bob is in PRM as lead" in command("add_member", "prm", "bob", role="lead")
    assert "/set-password/" in command("password_link", "bob")


@pytest.mark.parametrize(
    "args",
    [
        ("create_project", "a b"), ("create_project", "check", "--overlap", "0"), ("invite", "none"),
        ("invite", "check", "--days", "0"), ("add_member", "check", "nobody"), ("password_link", "nobody"),
    ],
)  # fmt: skip
def test_a_command_says_in_one_line_what_is_wrong(args: tuple[str, ...]) -> None:
    factories.project(slug="check")
    with pytest.raises(CommandError) as refused:
        call_command(*args)
    assert "\n" not in str(refused.value)


def test_an_address_that_is_taken_at_the_same_moment_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    create_project(by=Operator(), **GOOD)
    monkeypatch.setattr(Project, "full_clean", lambda project: None)  # as if the other came just after it
    with pytest.raises(errors.Conflict, match="Another project"):
        create_project(by=Operator(), **GOOD)
