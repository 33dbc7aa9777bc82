"""The accounts of the demo project. Their passwords are random, made once and kept in DATA_DIR/demo.json."""

import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.core.management.base import CommandError
from django.db import transaction

from annotator.actions.account import create_account
from annotator.actions.people import add_member
from annotator.models import Membership, Project, Role, User
from annotator.policies import Operator

ROLES = {
    "lead": Role.OWNER,
    "alice": Role.REVIEWER,
    "bob": Role.REVIEWER,
    "carol": Role.REVIEWER,
    "dave": Role.REVIEWER,
}
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike: people type these


class Account(NamedTuple):
    """`password` is empty for an account of an earlier demo whose passwords are not on this machine."""

    username: str
    password: str
    role: str


def make_accounts(project: Project) -> list[Account]:
    """All demo accounts, those that are missing made. Written down first: a password must not be lost."""
    known = _read()
    missing = [
        name for name in ROLES if name not in known and not User.objects.filter(username=name).exists()
    ]
    known |= {name: "".join(secrets.choice(LETTERS) for _ in range(14)) for name in missing}
    _write([Account(name, known[name], role) for name, role in ROLES.items() if name in known])
    for name, role in ROLES.items():
        _make_one(project, name, role, known.get(name, ""))
    return [Account(name, known.get(name, ""), role) for name, role in ROLES.items()]


@transaction.atomic
def _make_one(project: Project, username: str, role: Role, password: str) -> None:
    if Membership.objects.filter(project=project, user__username=username).exists():
        return
    if User.objects.filter(username__iexact=username).exists():
        raise CommandError(f"{username} is somebody's account already: the demo wants a server of its own.")
    user = create_account(by=Operator(), username=username, password=password)
    add_member(by=Operator(), project=project, user=user, role=role)


def _path() -> Path:
    return Path(settings.DATA_DIR) / "demo.json"


def _read() -> dict[str, str]:
    if not _path().is_file():
        return {}
    return {one["username"]: one["password"] for one in json.loads(_path().read_text())}


def _write(accounts: list[Account]) -> None:
    """Readable by the operator's user alone, from the first byte on."""
    _path().parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(_path(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump([account._asdict() for account in accounts], file, indent=1)
