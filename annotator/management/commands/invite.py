"""Make an invitation link: `manage.py invite PROJECT --role reviewer --note "for Ada"`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse

from annotator.actions.people import invite
from annotator.management.shared import add_address, find_project, refusals
from annotator.models import Role
from annotator.policies import Operator


class Command(BaseCommand):
    help = "Print a link by which one person joins a project. It works once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project")
        parser.add_argument("--role", choices=Role.values, default=Role.REVIEWER)
        parser.add_argument("--note", default="", help="for whom it is")
        parser.add_argument("--days", type=int, default=14, help="how long it works (14)")
        add_address(parser)

    def handle(self, *args: Any, project: str, role: str, note: str, days: int, **options: Any) -> None:
        with refusals():
            _, token = invite(by=Operator(), project=find_project(project), role=role, note=note, days=days)
        self.stdout.write(options["address"].rstrip("/") + reverse("join", args=[token]))
