"""Production refuses to start with a secret key that others may know, whichever way it is started."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from annotator.checks import hosts_are_named, refuse_unsafe, secret_key_is_set
from tests.services.processes import MANAGE, ROOT, environment

GOOD = "a-key-of-more-than-thirty-two-characters"
BAD = ["changeme", "insecure-development-key", "django-insecure-" + "x" * 40, "short"]


@pytest.mark.parametrize("key", BAD)
def test_a_bad_key_is_an_error(settings: Settings, key: str) -> None:
    settings.SECRET_KEY = key
    assert [error.id for error in secret_key_is_set()] == ["plumbline.E001"]
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is unset, known or too short"):
        refuse_unsafe()


def test_a_good_key_passes(settings: Settings) -> None:
    settings.SECRET_KEY = GOOD
    assert secret_key_is_set() == []
    refuse_unsafe()


def test_development_may_use_any_key(settings: Settings) -> None:
    settings.DEBUG = True
    settings.SECRET_KEY = "short"
    settings.ALLOWED_HOSTS = ["*"]
    assert secret_key_is_set() == []
    assert hosts_are_named() == []


def test_a_wildcard_host_is_an_error(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["example.org", "*"]
    assert [error.id for error in hosts_are_named()] == ["plumbline.E002"]
    with pytest.raises(ImproperlyConfigured, match="ALLOWED_HOSTS"):
        refuse_unsafe()


STARTS = {
    "check": [*MANAGE, "check"],
    "web": [sys.executable, "-c", "import config.wsgi"],
    "worker": [sys.executable, "-m", "celery", "-A", "config", "worker"],
    "up": [*MANAGE, "up"],
}


# What an unset key amounts to (a .env file would fill in for an absent one), and an empty one.
@pytest.mark.parametrize("key", ["insecure-development-key", ""])
@pytest.mark.parametrize("way", STARTS)
def test_nothing_starts_without_a_key_of_its_own(way: str, key: str, tmp_path: Path) -> None:
    env = environment(tmp_path, SECRET_KEY=key, DEBUG="0")
    done = subprocess.run(STARTS[way], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr + done.stdout


def test_an_unset_key_is_the_known_one() -> None:
    source = (ROOT / "config" / "settings.py").read_text()
    assert 'SECRET_KEY = env.str("SECRET_KEY", default="insecure-development-key")' in source
    assert BAD[1] == "insecure-development-key"


def test_check_passes_with_a_good_key(tmp_path: Path) -> None:
    env = environment(tmp_path, SECRET_KEY=GOOD, DEBUG="0")
    done = subprocess.run([*MANAGE, "check"], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
