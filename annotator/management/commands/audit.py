"""`manage.py audit PROJECT`: what happened, oldest first, as lines or as JSON Lines."""

from argparse import ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator import audit
from annotator.management.shared import find_project, find_user
from annotator.models import Event


class Command(BaseCommand):
    help = (
        "Write what happened in a project, oldest first: a line an event. With --json each line is JSON: id, at, "
        "actor (null: the server), verb, item, data."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument("--json", action="store_true", help="JSON Lines")
        parser.add_argument("--since", type=_day, metavar="DAY", help="first day, as 2026-11-30")
        parser.add_argument("--until", type=_day, metavar="DAY", help="last day, included")
        parser.add_argument("--verb", default="", help="such as submit")
        parser.add_argument("--actor", metavar="NAME", help="an account; server: what nobody's account did")
        parser.add_argument("--item", type=int, metavar="N")

    def handle(self, *args: Any, project: str, **options: Any) -> None:
        found = find_project(project)
        if options["verb"] and options["verb"] not in audit.SAID:
            known = ", ".join(sorted(audit.SAID))
            raise CommandError(f"--verb: there is no {options['verb']}; choose one of {known}.")
        wanted = audit.Wanted(
            options["verb"], _actor(options["actor"]), options["item"], options["since"], options["until"]
        )
        events = audit.oldest_first(audit.rows(found, wanted))
        for line in audit.json_lines(events) if options["json"] else map(_line, events):
            self.stdout.write(line, ending="")


def _actor(name: str | None) -> int | None:
    if name is None:
        return None
    return 0 if name == "server" else find_user(name).pk


def _line(event: Event) -> str:
    told = audit.tell(event, shows_labels=True)
    item = f" item {event.item_id}:" if event.item_id else ""
    more = "".join(f"; {name}: {value}" for name, value in told.more)
    said = " ".join(f"{told.who}{item} {told.what}{more}".split())  # a line break in a reason forges no line
    return f"{event.at:%F %T} {said}\n"


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-30") from None
