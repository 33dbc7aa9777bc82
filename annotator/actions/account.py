"""One's own account: made by a link, its password, preferences, keys and API tokens."""

from collections.abc import Mapping
from datetime import timedelta

from axes.utils import reset as unlock
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from knox.models import AuthToken

from annotator import errors, policies
from annotator.actions.people import accept_invitation
from annotator.actions.record import record
from annotator.core import keys as bindings
from annotator.models import Membership, User
from annotator.policies import Actor, Operator

MAX_TOKENS = 20
TOKEN_DAYS = (30, 90, 365)
DEAD_LINK = "This link has been used or has run out: ask whoever sent it to you for a new one."


class LinkTokens(PasswordResetTokenGenerator):
    """Django's, but dead as soon as the account reaches further: whoever made the link could make it because
    they answer for all that the account reached then."""

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        reach = user.memberships.order_by("project_id").values_list("project_id", "role")
        return f"{super()._make_hash_value(user, timestamp)}{list(reach)}{user.is_superuser}"


link_tokens = LinkTokens()


@transaction.atomic
def sign_up(*, token: str, username: str, password: str) -> Membership:
    """A new account by an invitation, and its place in the project: both or neither."""
    user = _create_user(username, password)
    return accept_invitation(token=token, user=user)


@transaction.atomic
def create_account(*, by: Operator, username: str, password: str) -> User:
    """For commands; people make their own by a link."""
    user = _create_user(username, password)
    record(by, "create_account", None, user=user.pk)
    return user


@transaction.atomic
def make_password_link(*, by: Actor, user: User) -> str:
    """The path at which `user` chooses a new password, once, within PASSWORD_RESET_TIMEOUT."""
    policies.check_may_make_password_link(by, user)
    if isinstance(by, Membership) and not user.memberships.filter(project=by.project_id).exists():
        raise errors.Missing("This person is not in the project.")
    if not user.is_active:
        raise errors.Conflict(f"The account {user} is closed.")
    record(by, "make_password_link", by.project if isinstance(by, Membership) else None, user=user.pk)
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("set-password", args=[uid, link_tokens.make_token(user)])


def find_by_password_link(uid: str, token: str) -> User:
    """Whose link this is; Missing, with the same words, for every link that does not work."""
    try:
        user = User.objects.get(pk=int(urlsafe_base64_decode(uid)), is_active=True)
    except (ValueError, OverflowError, User.DoesNotExist):
        raise errors.Missing(DEAD_LINK) from None
    if not link_tokens.check_token(user, token):
        raise errors.Missing(DEAD_LINK)
    return user


@transaction.atomic
def set_password_by_link(*, uid: str, token: str, password: str) -> User:
    """A new password ends every session and any lock on the sign-in; API tokens go too, because somebody may
    have had the old one."""
    user = User.objects.select_for_update().get(pk=find_by_password_link(uid, token).pk)
    if not link_tokens.check_token(user, token):
        raise errors.Missing(DEAD_LINK)
    _set_password(user, password)
    AuthToken.objects.filter(user=user).delete()
    unlock(username=user.username)
    record(user, "set_password_by_link", None)
    return user


@transaction.atomic
def change_password(*, user: User, old: str, new: str) -> User:
    if not user.check_password(old):
        raise errors.Invalid("This is not your present password.", field="old_password")
    _set_password(user, new)
    record(user, "change_password", None)
    return user


@transaction.atomic
def set_preferences(*, user: User, name: str, theme: str, large_text: bool = False) -> User:
    if theme not in ("", "light", "dark"):
        raise errors.Invalid("Choose light, dark or the system's.", field="theme")
    user.first_name, user.last_name, user.theme = name.strip()[:150], "", theme
    user.large_text = large_text
    user.save(update_fields=["first_name", "last_name", "theme", "large_text"])
    record(user, "set_preferences", None, name=user.first_name, theme=theme, large_text=large_text)
    return user


@transaction.atomic
def set_large_text(*, user: User, large: bool) -> User:
    """The review screen's own switch; nothing is written where it is so already."""
    if user.large_text != large:
        user.large_text = large
        user.save(update_fields=["large_text"])
        record(user, "set_large_text", None, large_text=large)
    return user


@transaction.atomic
def set_keys(*, user: User, mapping: Mapping[str, str]) -> User:
    """Keep the keys that differ from the defaults; raises Invalid at the first that cannot be."""
    for action, message in bindings.check(mapping).items():
        raise errors.Invalid(message, field=action)
    user.keys = bindings.differences(mapping)
    user.save(update_fields=["keys"])
    record(user, "set_keys", None, keys=user.keys)
    return user


@transaction.atomic
def create_token(*, user: User, days: int) -> str:
    """A token for the API. It exists only in the answer: the database keeps a digest and the beginning."""
    if days not in TOKEN_DAYS:
        raise errors.Invalid(f"Choose {', '.join(map(str, TOKEN_DAYS))} days.", field="days")
    now = timezone.now()
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    AuthToken.objects.filter(user=user, expiry__lte=now).delete()
    if AuthToken.objects.filter(user=user).count() >= MAX_TOKENS:
        raise errors.Conflict(f"You have {MAX_TOKENS} tokens: revoke one first.")
    created, token = AuthToken.objects.create(user=user, expiry=timedelta(days=days))
    record(user, "create_token", None, token=created.token_key, days=days)
    return str(token)


@transaction.atomic
def revoke_token(*, user: User, token_key: str) -> None:
    """Revoked twice is revoked; nobody else's token is touched."""
    gone, _ = AuthToken.objects.filter(user=user, token_key=token_key).delete()
    if gone:
        record(user, "revoke_token", None, token=token_key)


def _create_user(username: str, password: str) -> User:
    user = User(username=User.normalize_username(username))
    user.set_password(_valid_password(password, user))
    if User.objects.filter(username__iexact=user.username).exists():
        raise errors.Conflict("This name is taken: choose another.", field="username")
    try:
        user.full_clean()
        with transaction.atomic():
            user.save()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise errors.Invalid(messages[0], field=field) from None
    except IntegrityError:
        raise errors.Conflict("This name is taken: choose another.", field="username") from None
    return user


def _set_password(user: User, password: str) -> None:
    user.set_password(_valid_password(password, user))
    user.save(update_fields=["password"])


def _valid_password(password: str, user: User) -> str:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise errors.Invalid(" ".join(error.messages), field="password") from None
    return password
