"""Make a link that sets a new password: `manage.py password_link USERNAME`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotator.actions.account import make_password_link
from annotator.management.shared import add_address, find_user, refusals
from annotator.policies import Operator


class Command(BaseCommand):
    help = "Print a link by which somebody chooses a new password. It works once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        add_address(parser)

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        with refusals():
            path = make_password_link(by=Operator(), user=find_user(username))
        self.stdout.write(options["address"].rstrip("/") + path)
