"""Making projects and changing their settings, by page and by command."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotator import errors
from annotator.actions.error_types import BadKind
from annotator.actions.projects import change_settings, create_project
from annotator.core import kinds
from annotator.models import Event, Membership, Project, Role, User
from annotator.policies import Operator
from tests import factories
from tests.annotator import reviewed

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


# --- Error types of one's own ----------------------------------------------------------------------

OWN = [
    {"code": "algebra", "title": "algebra slip", "key": "h", "definition": "A wrong manipulation."},
    {"code": "units", "title": "units", "key": "5", "definition": ""},
]


@pytest.fixture
def lead() -> Membership:
    return factories.member(factories.project(), "lead", Role.LEAD)


def own(**changes: str) -> list[dict[str, str]]:
    """OWN with its first type changed."""
    return [OWN[0] | changes, OWN[1]]


def test_a_project_may_have_error_types_of_its_own(lead: Membership) -> None:
    change_settings(by=lead, project=lead.project, error_types=OWN)
    lead.project.refresh_from_db()
    assert lead.project.error_types == OWN
    change_settings(by=lead, project=lead.project, error_types=[])
    assert Event.objects.filter(verb="change_settings").count() == 2


@pytest.mark.parametrize(
    ("bad", "at", "says"),
    [
        (own(code="Algebra"), 0, "the code must be"), (own(title=" "), 0, "needs a title"),
        (own(key="hh"), 0, "one letter or digit"), (own(key="5"), 1, "the key “5” is taken"),
        (own(key="J"), 0, "the key “j” means “next step”"), (own(key="1"), 0, "means “label right”"),
        (own(code="units"), 1, "the code “units” is taken"), (own(definition="x" * 401), 0, "longer than"),
        (own(title="a\0"), 0, "cannot be stored"), (["algebra"], 0, "must have a code"),
        ([OWN[0]] * 21, None, "at most 20"), ("algebra", None, "write a list"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_used_is_refused_at_its_place(
    lead: Membership, bad: object, at: int | None, says: str
) -> None:
    with pytest.raises(BadKind) as refused:
        change_settings(by=lead, project=lead.project, error_types=bad)
    assert (refused.value.at, refused.value.field) == (at, "error_types")
    assert says in refused.value.message
    lead.project.refresh_from_db()
    assert lead.project.error_types == []


def test_the_keys_of_the_eight_are_free_for_a_list_of_ones_own(lead: Membership) -> None:
    change_settings(by=lead, project=lead.project, error_types=own(key="C"))
    lead.project.refresh_from_db()
    assert lead.project.error_types[0]["key"] == "c"


def test_a_code_in_use_does_not_vanish_but_may_be_retitled(lead: Membership) -> None:
    item = factories.injected_item(lead.project, 0)  # claims "circular"
    reviewed.submitted(factories.member(lead.project), item, "++-++++", error_types={"2": ["deception"]})
    claim = reviewed.claimed(factories.member(lead.project), factories.plain_item(lead.project, 1))
    claim.draft = {"labels": "-...", "error_types": {"0": ["confidence"]}}
    claim.save(update_fields=["draft"])
    for code in ("circular", "deception", "confidence"):
        rest = [dict(kind) for kind in kinds.PRMBENCH if kind["code"] != code]
        with pytest.raises(errors.Conflict, match=f"“{code}” is in use") as refused:
            change_settings(by=lead, project=lead.project, error_types=rest)
        assert refused.value.field == "error_types"
    kept = [
        {"code": code, "title": f"my {code}", "key": key, "definition": ""}
        for code, key in (("circular", "c"), ("deception", "d"), ("confidence", "o"))
    ]
    change_settings(by=lead, project=lead.project, error_types=kept)
    with pytest.raises(errors.Conflict, match="“deception”"):
        change_settings(by=lead, project=lead.project, error_types=kept[:1] + kept[2:])
    change_settings(by=lead, project=lead.project, error_types=[])


def test_what_another_project_uses_is_free_here(lead: Membership) -> None:
    factories.injected_item(factories.project(), 0)
    change_settings(by=lead, project=lead.project, error_types=OWN)


def form(lead: Membership, **sent: object) -> dict[str, object]:
    current = lead.project
    return {
        "name": current.name, "protocol": current.protocol, "overlap": current.overlap, "do": "save",
        "blind_shows": current.blind_shows, "lease_minutes": current.lease_minutes, **sent,
    }  # fmt: skip


def rows(found: list[dict[str, str]]) -> dict[str, list[str]]:
    return {f"kind-{name}": [kind[name] for kind in found] for name in kinds.PARTS}


def test_the_page_edits_the_list_without_javascript(lead: Membership) -> None:
    client, page = signed_in(lead.user), reverse("settings", args=[lead.project.slug])
    assert client.get(page).context["rows"] == []
    typed = client.post(page, form(lead, do="own", name="Typed"))
    assert [row.code for row in typed.context["rows"]] == [kind["code"] for kind in kinds.PRMBENCH]
    assert 'value="Typed"' in typed.content.decode()
    more = client.post(page, form(lead, do="row", **rows(OWN)))
    assert [row.code for row in more.context["rows"]] == ["algebra", "units", ""]
    emptied = {"code": "", "title": "", "key": "x", "definition": ""}
    assert client.post(page, form(lead, **rows([emptied, *OWN]))).status_code == 302
    lead.project.refresh_from_db()
    assert lead.project.error_types == OWN
    assert [row.title for row in client.get(page).context["rows"]] == ["algebra slip", "units"]
    assert client.post(page, form(lead, do="prmbench", **rows(OWN))).context["rows"] == []
    assert client.post(page, form(lead)).status_code == 302
    lead.project.refresh_from_db()
    assert lead.project.error_types == []


def test_the_page_says_at_the_row_what_is_wrong_and_keeps_what_was_typed(lead: Membership) -> None:
    client, page = signed_in(lead.user), reverse("settings", args=[lead.project.slug])
    emptied = dict.fromkeys(kinds.PARTS, "")
    refused = client.post(page, form(lead, name="Typed", **rows([emptied, OWN[1], OWN[0] | {"key": "?"}])))
    assert [bool(row.error) for row in refused.context["rows"]] == [False, False, True]
    assert "one letter or digit" in refused.context["rows"][2].error
    assert 'value="algebra slip"' in refused.content.decode()
    lead.project.refresh_from_db()
    assert lead.project.name == "PRMBench check"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("algebra\talgebra slip\th\tA wrong manipulation.\r\nunits\tunits\t5", OWN),
        ('[{"code": "algebra", "title": "algebra slip", "key": "h", "definition": "A wrong manipulation."}]', OWN[:1]),
        ("algebra, slip", "error type 1: needs code"), ("[{", "this is not JSON"), ("[[1]]", "error type 1: must have"),
        ("[" * 100_000, "this is not JSON"),
    ],
)  # fmt: skip
def test_a_list_is_pasted_into_the_rows(lead: Membership, text: str, found: object) -> None:
    page = reverse("settings", args=[lead.project.slug])
    answer = signed_in(lead.user).post(page, form(lead, do="paste", paste=text))
    if isinstance(found, str):
        assert found in answer.context["error"]
        assert answer.context["paste"] == text
    else:
        assert [row.as_kind() for row in answer.context["rows"]] == found


def test_settings_changed_by_somebody_else_meanwhile_are_not_overwritten(lead: Membership) -> None:
    client, page = signed_in(lead.user), reverse("settings", args=[lead.project.slug])
    base = client.get(page).context["base"]
    change_settings(by=Operator(), project=lead.project, overlap=5)
    refused = client.post(page, form(lead, base=base, name="Mine"))
    assert "Somebody else changed the settings" in refused.content.decode()
    lead.project.refresh_from_db()
    assert (lead.project.name, lead.project.overlap) == ("PRMBench check", 5)
    fresh = client.get(page).context["base"]
    assert client.post(page, form(lead, base=fresh, name="Mine", label_after_error="on")).status_code == 302
    lead.project.refresh_from_db()
    assert (lead.project.name, lead.project.label_after_error) == ("Mine", True)


def test_an_unknown_button_is_refused(lead: Membership) -> None:
    page = reverse("settings", args=[lead.project.slug])
    assert signed_in(lead.user).post(page, form(lead, do="nothing")).status_code == 400


def test_the_command_takes_a_list_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "types.json"
    path.write_text(json.dumps(OWN))
    command("create_project", "own", error_types=path)
    assert Project.objects.get(slug="own").error_types == OWN
    path.write_text(json.dumps(own(key="j")))
    with pytest.raises(CommandError, match="next step"):
        command("create_project", "two", error_types=path)
    path.write_text("{}")
    with pytest.raises(CommandError, match=r"types.json: error type 1"):
        command("create_project", "two", error_types=path)
    with pytest.raises(CommandError, match="No such file"):
        command("create_project", "two", error_types=tmp_path / "none.json")
