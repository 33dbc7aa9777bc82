"""`manage.py hours PROJECT [--from DAY] [--to DAY]`: hours per reviewer and day, as CSV."""

import csv
from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotator import hours
from annotator.management.shared import find_project


class Command(BaseCommand):
    help = "Write as CSV what each reviewer submitted each day, and how long it took; idle time is left out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--from", dest="since", type=_day, metavar="DAY", help="first day, as 2026-11-30")
        parser.add_argument("--to", dest="until", type=_day, metavar="DAY", help="last day, included")

    def handle(
        self, *args: Any, project: str, since: date | None, until: date | None, **options: Any
    ) -> None:
        writer = csv.writer(self.stdout)
        for row in hours.table(hours.days(find_project(project), since, until)):
            writer.writerow(row)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-30") from None
