"""Make a project: `manage.py create_project SLUG --name "…"`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator.actions.projects import create_project
from annotator.core import kinds
from annotator.management.shared import refusals
from annotator.models import BlindShows, Protocol
from annotator.policies import Operator


class Command(BaseCommand):
    help = "Make a project. Give it an owner by `manage.py invite SLUG --role owner` or `add_member`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="its part of the address: letters, digits and hyphens")
        parser.add_argument("--name", help="as people read it (default: the slug)")
        parser.add_argument("--protocol", choices=Protocol.values, default=Protocol.VERIFY_INJECTION)
        parser.add_argument("--overlap", type=int, default=2, help="reviewers for each item (2)")
        parser.add_argument("--blind-shows", choices=BlindShows.values, default=BlindShows.DIFF)
        parser.add_argument("--lease-minutes", type=int, default=60, help="how long a claim is held (60)")
        parser.add_argument(
            "--error-types", type=Path, metavar="FILE",
            help="error types of its own: a JSON list of code, title, key and definition, or lines with tabs",
        )  # fmt: skip

    def handle(self, *args: Any, slug: str, name: str | None, **options: Any) -> None:
        fields = ("protocol", "overlap", "blind_shows", "lease_minutes")
        chosen = {field: options[field] for field in fields}
        types = _error_types(options["error_types"]) if options["error_types"] else []
        with refusals():
            project = create_project(
                by=Operator(), slug=slug, name=name or slug, error_types=types, **chosen
            )  # fmt: skip
        self.stdout.write(f"Made {project.name} at {project.get_absolute_url()}")


def _error_types(path: Path) -> list[dict[str, str]]:
    try:
        return kinds.read(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, kinds.BadKinds) as error:
        raise CommandError(f"{path}: {error}") from None
