"""Signing in and out, joining, passwords, preferences, keys and tokens."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken
from time_machine import travel

from annotator import errors
from annotator.actions import account, people
from annotator.models import Event, Invitation, Membership, Role, User
from annotator.policies import Operator
from tests import factories
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

SIGN_IN = "/sign-in/"
NEW = "quite another phrase"


@pytest.fixture
def bob() -> Membership:
    return factories.member(factories.project(), "bob")


@pytest.fixture
def owner(bob: Membership) -> Membership:
    return factories.member(bob.project, "owner", Role.OWNER)


def sign_in(client: Client, username: str, password: str = PASSWORD, **more: str) -> HttpResponse:
    return client.post(SIGN_IN, {"username": username, "password": password, **more})  # type: ignore[return-value]


def is_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


# --- Signing in and out ---------------------------------------------------------------------------


def test_signing_in_takes_a_new_session_and_signing_out_ends_it(bob: Membership, client: Client) -> None:
    client.get(SIGN_IN)
    session = client.session
    session["from"] = "somebody else"
    session.save()
    client.cookies["sessionid"] = planted = session.session_key
    assert sign_in(client, "bob")["Location"] == "/"
    assert client.cookies["sessionid"].value != planted
    assert is_in(client)
    client.post(reverse("sign-out"))
    assert not is_in(client)


def test_signing_out_by_a_link_is_not_possible(bob: Membership) -> None:
    client = signed_in(bob.user)
    assert client.get(reverse("sign-out")).status_code == 405
    assert is_in(client)


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "", "http:///x"],
)
def test_after_signing_in_nobody_is_sent_to_another_site(bob: Membership, target: str) -> None:
    assert sign_in(Client(), "bob", next=target)["Location"] == "/"
    asked = Client().get(SIGN_IN, {"next": target})
    assert asked.context["next"] == "/"


def test_after_signing_in_one_is_where_one_wanted_to_be(bob: Membership, client: Client) -> None:
    page = reverse("mine", args=[bob.project.slug])
    refused = client.get(page)
    assert refused["Location"] == f"{SIGN_IN}?next={page.replace('/', '%2F')}"
    assert sign_in(client, "bob", next=page)["Location"] == page
    assert client.get(SIGN_IN)["Location"] == "/"


def test_a_closed_account_cannot_sign_in(bob: Membership, client: Client) -> None:
    open_elsewhere = signed_in(bob.user)
    User.objects.filter(pk=bob.user_id).update(is_active=False)
    assert sign_in(client, "bob").status_code == 200
    assert not is_in(client)
    assert not is_in(open_elsewhere)


def test_guessing_is_stopped_for_a_while(bob: Membership, client: Client) -> None:
    for _ in range(5):
        assert sign_in(client, "bob", "wrong").status_code == 200
    locked = sign_in(client, "bob", "wrong")
    assert locked.status_code == 429
    assert "15 minutes" in locked.content.decode()
    assert sign_in(client, "bob").status_code == 429
    assert not is_in(client)
    factories.member(bob.project, "carol")
    assert sign_in(Client(), "carol").status_code == 302
    with travel(timezone.now() + timedelta(minutes=16)):
        assert sign_in(client, "bob").status_code == 302


def test_another_address_is_not_locked_with_the_guesser(bob: Membership, client: Client) -> None:
    for _ in range(7):
        sign_in(client, "bob", "wrong")
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    assert sign_in(elsewhere, "bob").status_code == 302


def test_signing_up_is_closed(client: Client) -> None:
    for path in ("/sign-up/", "/register/", "/accounts/signup/", "/join/", "/admin/"):
        assert client.get(path).status_code == 404
    assert client.post("/join/guessed/", {"username": "eve"}).status_code == 404
    assert not User.objects.exists()


# --- Joining --------------------------------------------------------------------------------------


@pytest.fixture
def link(owner: Membership) -> str:
    _, token = people.invite(by=owner, project=owner.project, role="lead")
    return reverse("join", args=[token])


def new_account(username: str = "ada", password: str = NEW, again: str = NEW) -> dict[str, str]:
    return {"username": username, "password1": password, "password2": again}


def test_a_link_makes_an_account_and_signs_it_in(owner: Membership, link: str, client: Client) -> None:
    assert "invited as <b>lead</b>" in client.get(link).content.decode()
    joined = client.post(link, new_account())
    assert joined["Location"] == reverse("project", args=[owner.project.slug])
    ada = Membership.objects.get(user__username="ada")
    assert (ada.role, ada.project, ada.rater.name) == ("lead", owner.project, "ada")
    assert (ada.user.is_staff, ada.user.is_superuser) == (False, False)
    assert is_in(client)


def test_a_link_works_once_and_says_so(link: str) -> None:
    Client().post(link, new_account())
    for client, sent in ((Client(), new_account("eve")), (signed_in(User.objects.create_user("x")), {})):
        assert client.post(link, sent).status_code == 404
        assert "ask whoever sent it to you for a new one" in client.get(link).content.decode()
    assert not User.objects.filter(username="eve").exists()


def test_a_link_runs_out(link: str, client: Client) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(link).status_code == 404
    assert client.post(link, new_account()).status_code == 404
    assert not User.objects.filter(username="ada").exists()


def test_who_is_signed_in_joins_with_one_click(link: str) -> None:
    dana = User.objects.create_user("dana")
    client = signed_in(dana)
    assert "Join as dana" in client.get(link).content.decode()
    assert client.post(link).status_code == 302
    assert dana.memberships.get().role == "lead"


def test_who_has_an_account_is_led_through_the_sign_in_and_back(link: str, client: Client) -> None:
    assert f'href="{SIGN_IN}?next={link}"' in client.get(link).content.decode()


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        (new_account("BOB"), "username"), (new_account("a b"), "username"), (new_account("<b>"), "username"),
        (new_account(""), "username"), (new_account(password="short", again="short"), "password2"),
        (new_account(password="password", again="password"), "password2"),
        (new_account(again="different"), "password2"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_new_account_is_said_and_the_link_lives_on(
    bob: Membership, link: str, client: Client, sent: dict[str, str], field: str
) -> None:
    answer = client.post(link, sent)
    assert field in answer.context["form"].errors
    assert Invitation.objects.get().is_open
    assert User.objects.count() == 2


def test_fields_that_the_form_has_not_are_not_heard(link: str, client: Client) -> None:
    client.post(link, new_account() | {"is_superuser": "1", "is_staff": "1", "role": "owner"})
    ada = User.objects.get(username="ada")
    assert (ada.is_staff, ada.is_superuser) == (False, False)
    assert ada.memberships.get().role == "lead"


def test_the_action_refuses_names_that_differ_only_in_case(bob: Membership) -> None:
    with pytest.raises(errors.Conflict, match="taken"):
        account.create_account(by=Operator(), username="Bob", password=NEW)
    with pytest.raises(errors.Invalid):
        account.create_account(by=Operator(), username="a b", password=NEW)
    with pytest.raises(errors.Invalid):
        account.create_account(by=Operator(), username="ada", password="ada")


# --- Password links -------------------------------------------------------------------------------


def new_password() -> dict[str, str]:
    return {"new_password1": NEW, "new_password2": NEW}


def test_a_password_link_works_once_and_ends_sessions_and_tokens(owner: Membership, bob: Membership) -> None:
    session = signed_in(bob.user)
    bob.user.refresh_from_db()
    account.create_token(user=bob.user, days=30)
    path = account.make_password_link(by=owner, user=bob.user)
    assert "A new password for bob" in Client().get(path).content.decode()
    assert Client().post(path, new_password())["Location"] == SIGN_IN
    assert not is_in(session)
    assert not AuthToken.objects.exists()
    assert sign_in(Client(), "bob").status_code == 200
    assert sign_in(Client(), "bob", NEW).status_code == 302
    assert Client().get(path).status_code == 404
    assert Client().post(path, new_password()).status_code == 404


def test_a_password_link_ends_a_lock(owner: Membership, bob: Membership, client: Client) -> None:
    for _ in range(7):
        sign_in(client, "bob", "wrong")
    client.post(account.make_password_link(by=owner, user=bob.user), new_password())
    assert sign_in(client, "bob", NEW).status_code == 302


def test_a_weak_password_leaves_the_link_alive(owner: Membership, bob: Membership, client: Client) -> None:
    path = account.make_password_link(by=owner, user=bob.user)
    refused = client.post(path, {"new_password1": "bob", "new_password2": "bob"})
    assert refused.context["form"].errors
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("uid", ["", "MQ", "x", "________", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_made_up_links_lead_nowhere(bob: Membership, client: Client, uid: str) -> None:
    assert client.get(f"/set-password/{uid}/c0ffee-0123456789abcdef0123456789abcdef/").status_code == 404


def test_a_link_runs_out_after_three_days(owner: Membership, bob: Membership, client: Client) -> None:
    path = account.make_password_link(by=owner, user=bob.user)
    with travel(timezone.now() + timedelta(days=3, minutes=1)):
        assert client.get(path).status_code == 404


def test_an_owner_makes_links_only_for_accounts_that_reach_no_further(
    owner: Membership, bob: Membership
) -> None:
    """A password link is the account: it must not open a project of somebody else's."""
    elsewhere = factories.member(factories.project(), "bob")
    with pytest.raises(errors.Forbidden, match="reaches beyond"):
        account.make_password_link(by=owner, user=bob.user)
    factories.member(elsewhere.project, "owner", Role.OWNER)
    assert account.make_password_link(by=owner, user=bob.user)


def test_no_link_for_superusers_strangers_and_closed_accounts(owner: Membership, bob: Membership) -> None:
    User.objects.filter(pk=bob.user_id).update(is_superuser=True)
    bob.user.refresh_from_db()
    with pytest.raises(errors.Forbidden):
        account.make_password_link(by=owner, user=bob.user)
    with pytest.raises(errors.Missing):
        account.make_password_link(by=owner, user=User.objects.create_user("stranger"))
    closed = User.objects.create_user("closed", is_active=False)
    with pytest.raises(errors.Conflict):
        account.make_password_link(by=Operator(), user=closed)


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.LEAD])
def test_only_owners_make_password_links(bob: Membership, role: Role) -> None:
    by = factories.member(bob.project, "somebody", role)
    with pytest.raises(errors.Forbidden):
        account.make_password_link(by=by, user=bob.user)


def test_a_link_dies_when_the_account_comes_to_reach_further(
    owner: Membership, bob: Membership, client: Client
) -> None:
    path = account.make_password_link(by=owner, user=bob.user)
    assert client.get(path).status_code == 200
    factories.member(factories.project(), "bob")
    assert client.get(path).status_code == 404


# --- The account page -----------------------------------------------------------------------------


def test_name_and_theme_are_kept(bob: Membership) -> None:
    client, page = signed_in(bob.user), reverse("account")
    sent = {"do": "preferences", "name": " Bob B. ", "theme": "dark", "is_superuser": "1"}
    assert client.post(page, sent)["Location"] == page
    bob.user.refresh_from_db()
    assert (bob.user.first_name, bob.user.theme, bob.user.is_superuser) == ("Bob B.", "dark", False)
    assert 'data-theme="dark"' in client.get(page).content.decode()
    refused = client.post(page, {"do": "preferences", "theme": "neon"})
    assert "theme" in refused.context["preferences"].errors


def test_large_text_is_kept_from_both_pages_and_recorded_once(bob: Membership) -> None:
    client, page = signed_in(bob.user), reverse("account")
    for sent, large in (
        ({"do": "large-text", "large_text": "on"}, True),
        ({"do": "large-text", "large_text": "on"}, True),
        ({"do": "large-text", "large_text": ""}, False),
        ({"do": "preferences", "large_text": "on"}, True),
        ({"do": "preferences"}, False),
    ):
        client.post(page, sent)
        bob.user.refresh_from_db()
        assert bob.user.large_text is large
    assert Event.objects.filter(verb="set_large_text").count() == 2


def test_changing_the_password_needs_the_old_one_and_ends_other_sessions(bob: Membership) -> None:
    here, there = signed_in(bob.user), signed_in(bob.user)
    sent = {"do": "password", "old_password": "guess", **new_password()}
    refused = here.post(reverse("account"), sent)
    assert "old_password" in refused.context["password"].errors
    done = here.post(reverse("account"), sent | {"old_password": PASSWORD})
    assert done.status_code == 302
    assert is_in(here)
    assert not is_in(there)
    with pytest.raises(errors.Invalid):
        account.change_password(user=bob.user, old="guess", new=NEW)


def test_no_password_or_token_is_in_an_event(owner: Membership, bob: Membership) -> None:
    account.change_password(user=bob.user, old=PASSWORD, new=NEW)
    token = account.create_token(user=bob.user, days=30)
    link = account.make_password_link(by=owner, user=bob.user)
    text = str(list(Event.objects.values()))
    assert "create_token" in text
    assert not [secret for secret in (PASSWORD, NEW, token, link.split("/")[-2]) if secret in text]


# --- Keys -----------------------------------------------------------------------------------------


def key_form(client: Client, **changed: str) -> dict[str, str]:
    form = client.get(reverse("keys")).context["form"]
    return {name: field.initial for name, field in form.fields.items()} | changed


def test_keys_are_kept_where_they_differ_and_put_back(bob: Membership) -> None:
    client, page = signed_in(bob.user), reverse("keys")
    assert client.post(page, key_form(client, next="H"))["Location"] == page
    bob.user.refresh_from_db()
    assert bob.user.keys == {"next": "h"}
    assert key_form(client)["next"] == "h"
    client.post(page, {"do": "defaults"})
    bob.user.refresh_from_db()
    assert bob.user.keys == {}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [({"next": "k"}, {"next", "previous"}), ({"next": "Tab"}, {"next"}), ({"next": ""}, {"next"})],
)
def test_keys_that_collide_are_refused_at_their_fields(
    bob: Membership, changed: dict[str, str], wrong: set[str]
) -> None:
    client = signed_in(bob.user)
    answer = client.post(reverse("keys"), key_form(client, **changed))
    assert set(answer.context["form"].errors) == wrong
    bob.user.refresh_from_db()
    assert bob.user.keys == {}
    if all(changed.values()):
        with pytest.raises(errors.Invalid):
            account.set_keys(user=bob.user, mapping=changed)


def test_hostile_keys_are_neither_kept_nor_run(bob: Membership) -> None:
    client, hostile = signed_in(bob.user), "<b>"
    text = client.post(reverse("keys"), key_form(client, next=hostile)).content.decode()
    assert "&lt;b&gt;" in text
    assert hostile + '"' not in text
    User.objects.filter(pk=bob.user_id).update(keys={"next": "<script>", "zzz": {"a": 1}, "previous": 7})
    assert key_form(client)["next"] == "j"


# --- Tokens ---------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_only_its_digest_kept(bob: Membership) -> None:
    client, page = signed_in(bob.user), reverse("tokens")
    answer = client.post(page, {"do": "create", "days": "30"})
    token = answer.context["created"]
    assert token in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert token not in client.get(page).content.decode()
    row = AuthToken.objects.values().get()
    assert token not in str(row)
    assert row["digest"] == hashlib.sha512(token.encode()).hexdigest()
    assert timedelta(days=29) < row["expiry"] - timezone.now() <= timedelta(days=30)


def ask_api(token: str) -> int:
    headers = {"Authorization": f"Token {token}"}
    return Client().get(reverse("api:projects"), headers=headers).status_code


def test_a_token_opens_the_api_until_it_is_revoked_or_runs_out(bob: Membership) -> None:
    client, token = signed_in(bob.user), account.create_token(user=bob.user, days=30)
    assert ask_api(token) == 200
    assert ask_api(token[:-1] + "x") == 401
    with travel(timezone.now() + timedelta(days=31)):
        assert ask_api(token) == 401
    token = account.create_token(user=bob.user, days=30)
    client.post(reverse("tokens"), {"do": "revoke", "token": token[:15]})
    assert ask_api(token) == 401


def test_a_token_opens_no_page(bob: Membership) -> None:
    token = account.create_token(user=bob.user, days=30)
    answer = Client().get(reverse("tokens"), headers={"Authorization": f"Token {token}"})
    assert answer.status_code == 302


def test_nobody_sees_or_revokes_the_token_of_another(bob: Membership, owner: Membership) -> None:
    token = account.create_token(user=bob.user, days=30)
    client = signed_in(owner.user)
    assert token[:8] not in client.get(reverse("tokens")).content.decode()
    client.post(reverse("tokens"), {"do": "revoke", "token": token[:15]})
    assert ask_api(token) == 200


def test_tokens_have_a_bounded_life_and_number(bob: Membership, monkeypatch: Any) -> None:
    with pytest.raises(errors.Invalid):
        account.create_token(user=bob.user, days=100_000)
    monkeypatch.setattr(account, "MAX_TOKENS", 1)
    account.create_token(user=bob.user, days=30)
    with pytest.raises(errors.Conflict, match="revoke one first"):
        account.create_token(user=bob.user, days=30)


# --- At the same moment ---------------------------------------------------------------------------


def test_a_name_that_is_taken_at_the_same_moment_is_a_refusal(monkeypatch: Any) -> None:
    clean = User.full_clean

    def slowly(user: User) -> None:
        clean(user)
        User.objects.create_user(user.username)

    monkeypatch.setattr(User, "full_clean", slowly)
    with pytest.raises(errors.Conflict, match="taken"):
        account.create_account(by=Operator(), username="ada", password=NEW)


def test_a_link_that_is_used_at_the_same_moment_is_dead(
    owner: Membership, bob: Membership, monkeypatch: Any
) -> None:
    *_, uid, token, _ = account.make_password_link(by=owner, user=bob.user).split("/")
    looked = account.find_by_password_link(uid, token)
    account.set_password_by_link(uid=uid, token=token, password=NEW)
    monkeypatch.setattr(account, "find_by_password_link", lambda uid, token: looked)
    with pytest.raises(errors.Missing):
        account.set_password_by_link(uid=uid, token=token, password="yet another phrase")


def test_the_action_knows_the_themes_that_there_are(bob: Membership) -> None:
    with pytest.raises(errors.Invalid):
        account.set_preferences(user=bob.user, name="", theme="neon")
