"""Recompute what items store: `manage.py check_integrity [PROJECT] [--fix]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.actions.integrity import check_items
from annotator.models import Project
from annotator.policies import Operator


class Command(BaseCommand):
    help = "Recompute open slots, decisions, gold and submissions of all items, and report what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", nargs="?", help="the project's slug; default: all projects")
        parser.add_argument("--fix", action="store_true", help="put right what differs")

    def handle(self, *args: Any, project: str | None, fix: bool, **options: Any) -> None:
        projects = Project.objects.filter(slug=project) if project else Project.objects.all()
        if project and not projects.exists():
            raise CommandError(f"There is no project {project!r}.")
        n = sum(self._check(one, fix) for one in projects.order_by("slug"))
        if n and not fix:
            raise CommandError(f"{_differences(n)}. Put right with --fix.")
        self.stdout.write(f"{_differences(n)}{', put right' if n else ''}.")

    def _check(self, project: Project, fix: bool) -> int:
        n = 0
        for item, field, stored, computed in check_items(by=Operator(), project=project, fix=fix):
            n += 1
            self.stdout.write(f"{project.slug}, item {item}: {field} is {stored}, should be {computed}")
        return n


def _differences(n: int) -> str:
    return f"{n} difference{'s' * (n != 1)}"
