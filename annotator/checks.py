"""What production may not start with. `manage.py` runs these as system checks; web and worker call them too."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured


@register()
def secret_key_is_set(**_: Any) -> list[CheckMessage]:
    """A key that others know lets them forge a session of anybody."""
    key = settings.SECRET_KEY
    known = key in settings.KNOWN_KEYS or key.startswith("django-insecure")
    if settings.DEBUG or not (known or len(key) < 32):
        return []
    hint = "Set SECRET_KEY in the environment or .env to 32 or more random characters (`make demo` does)."
    return [Error("SECRET_KEY is unset, known or too short.", hint=hint, id="plumbline.E001")]


@register()
def hosts_are_named(**_: Any) -> list[CheckMessage]:
    """A wildcard host lets a foreign Host header into links that people copy."""
    if settings.DEBUG or "*" not in settings.ALLOWED_HOSTS:
        return []
    return [Error("ALLOWED_HOSTS may not be '*'.", hint="Name the hosts.", id="plumbline.E002")]


def refuse_unsafe() -> None:
    """Raise ImproperlyConfigured where a check of this file fails: servers do not run system checks."""
    errors = secret_key_is_set() + hosts_are_named()
    if errors:
        raise ImproperlyConfigured("; ".join(f"{error.msg} {error.hint}" for error in errors))
