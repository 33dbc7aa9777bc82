"""What the commands about people and projects share."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from annotator.errors import PlumblineError
from annotator.models import Project, User


@contextmanager
def refusals() -> Iterator[None]:
    """An action's refusal as one line and exit status 1."""
    try:
        yield
    except PlumblineError as error:
        raise CommandError(f"{error.field}: {error.message}" if error.field else error.message) from error


def find_project(slug: str) -> Project:
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise CommandError(f"There is no project {slug}. `manage.py create_project {slug}` makes it.")
    return project


def find_user(username: str) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        raise CommandError(
            f"There is no account {username}. `manage.py invite` prints a link that makes one."
        )
    return user


def add_address(parser: CommandParser) -> None:
    """--address: a command is not asked through a browser, so it cannot know where the server is."""
    known = [*settings.CSRF_TRUSTED_ORIGINS, "http://127.0.0.1:8000"]
    parser.add_argument("--address", default=known[0], help=f"where people reach the server ({known[0]})")
