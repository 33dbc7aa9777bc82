"""Put an existing account into a project: `manage.py add_member PROJECT USERNAME --role lead`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotator.actions.people import add_member
from annotator.management.shared import find_project, find_user, refusals
from annotator.models import Role
from annotator.policies import Operator


class Command(BaseCommand):
    help = "Put an account that exists into a project. Who has none joins by `manage.py invite`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project")
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, default=Role.REVIEWER)

    def handle(self, *args: Any, project: str, username: str, role: str, **options: Any) -> None:
        with refusals():
            member = add_member(
                by=Operator(), project=find_project(project), user=find_user(username), role=role
            )
        self.stdout.write(f"{member.user} is in {member.project} as {member.role}.")
