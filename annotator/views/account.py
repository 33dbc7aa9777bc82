"""Signing in and out, joining by a link, one's own account, keys and API tokens."""

from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from knox.models import AuthToken

from annotator.actions import account as acts
from annotator.actions import people
from annotator.core import keys as bindings
from annotator.forms import (
    KeysForm,
    NewPasswordForm,
    OwnPasswordForm,
    PreferencesForm,
    SignUpForm,
    TokenForm,
    refusals_in,
)
from annotator.middleware import PageRequest
from annotator.models import Membership, User

BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """Django's form; axes counts what fails and answers in our place once there was too much of it."""
    target = _local(request, request.POST.get("next") or request.GET.get("next") or "")
    if request.user.is_authenticated:
        return redirect(target)
    form = AuthenticationForm(request, data=request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        login(request, form.get_user())
        return redirect(target)
    return render(request, "annotator/sign_in.html", {"form": form, "next": target})


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign-in")


@never_cache
def join(request: HttpRequest, token: str) -> HttpResponse:
    """One click for who is signed in; others make an account, or sign in and come back."""
    invitation = people.find_invitation(token)
    if request.method == "POST" and isinstance(request.user, User):
        member = people.accept_invitation(token=token, user=request.user)
        return _welcome(request, member)
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        with refusals_in(form):
            member = acts.sign_up(token=token, username=chosen["username"], password=chosen["password1"])
            login(request, member.user, backend=BACKEND)
            return _welcome(request, member)
    return render(request, "annotator/join.html", {"invitation": invitation, "form": form})


@never_cache
def set_password(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    user = acts.find_by_password_link(uid, token)
    form = NewPasswordForm(user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            acts.set_password_by_link(uid=uid, token=token, password=form.cleaned_data["new_password1"])
            messages.success(request, "The new password is set. Please sign in with it.")
            return redirect("sign-in")
    return render(request, "annotator/set_password.html", {"form": form, "owner": user})


def account(request: PageRequest) -> HttpResponse:
    changing = request.POST.get("do", "")
    if changing == "large-text":
        return _keep_large_text(request)
    preferences = _preferences_form(request, changing == "preferences")
    password = OwnPasswordForm(request.user, request.POST if changing == "password" else None)
    if preferences.is_valid() and _keep_preferences(request, preferences):
        return redirect("account")
    if password.is_valid() and _keep_password(request, password):
        return redirect("account")
    memberships = Membership.objects.filter(user=request.user).select_related("project")
    context = {"preferences": preferences, "password": password, "memberships": memberships}
    return render(request, "annotator/account.html", context)


def keys(request: PageRequest) -> HttpResponse:
    """The review keys: changed as a whole, or put back to the defaults."""
    if request.POST.get("do") == "defaults":
        acts.set_keys(user=request.user, mapping={})
        messages.success(request, "All keys are as they were at first.")
        return redirect("keys")
    form = KeysForm(request.POST or None, user_keys=request.user.keys)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            acts.set_keys(user=request.user, mapping=form.cleaned_data)
            messages.success(request, "Your keys are saved.")
            return redirect("keys")
    reserved = ["Tab", "Escape", "Space", "Backspace", "/", "'"]
    context = {"form": form, "changed": bool(request.user.keys), "reserved": reserved}
    return render(request, "annotator/keys.html", context | {"named": sorted(bindings.NAMED)})


@never_cache
def tokens(request: PageRequest) -> HttpResponse:
    """A new token is in the answer to its own POST and nowhere else."""
    if request.POST.get("do") == "revoke":
        acts.revoke_token(user=request.user, token_key=request.POST.get("token", ""))
        messages.success(request, "The token is revoked.")
        return redirect("tokens")
    form, created = TokenForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            created = acts.create_token(user=request.user, days=form.cleaned_data["days"])
    rows = AuthToken.objects.filter(user=request.user).order_by("-created")
    context = {"form": form, "created": created, "tokens": rows, "now": timezone.now()}
    return render(request, "annotator/tokens.html", context)


def _local(request: HttpRequest, target: str) -> str:
    """Where to go after signing in: never to another site."""
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if safe else resolve_url("home")


def _welcome(request: HttpRequest, member: Membership) -> HttpResponse:
    messages.success(request, f"Welcome to {member.project}. You are in as {member.role}.")
    return redirect("project", member.project.slug)


def _preferences_form(request: PageRequest, sent: bool) -> PreferencesForm:
    user = request.user
    initial = {"name": user.get_full_name(), "theme": user.theme, "large_text": user.large_text}
    return PreferencesForm(request.POST if sent else None, initial=initial)


def _keep_preferences(request: PageRequest, form: PreferencesForm) -> bool:
    with refusals_in(form):
        acts.set_preferences(user=request.user, **form.cleaned_data)
        messages.success(request, "Saved.")
    return not form.errors


def _keep_large_text(request: PageRequest) -> HttpResponse:
    """From the review screen, which has shown it already: there is no page to send."""
    acts.set_large_text(user=request.user, large=bool(request.POST.get("large_text")))
    return HttpResponse(status=204)


def _keep_password(request: PageRequest, form: OwnPasswordForm) -> bool:
    chosen = form.cleaned_data
    with refusals_in(form):
        acts.change_password(user=request.user, old=chosen["old_password"], new=chosen["new_password1"])
        update_session_auth_hash(request, request.user)
        messages.success(request, "Your password is changed. Other devices are signed out.")
    return not form.errors
