"""`manage.py catalogue`: the reward models of the catalogue, and which of them lie here."""

from typing import Any

from django.core.management.base import BaseCommand

from annotator.management.shared import refusals
from scoring import installed


class Command(BaseCommand):
    help = (
        "List the reward models that can be run, their variants, and whether their weights are in MODELS_DIR."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            entries = installed.entries().values()
        self.stdout.write(f"{'model':<40}{'here':<6}{'variants':<38}weights")
        for one in entries:
            here = "yes" if installed.is_here(one) else "–"
            variants = ", ".join(f"{name}*" if name == one.default else name for name in one.variants)
            self.stdout.write(f"{one.name:<40}{here:<6}{variants:<38}{one.hub or '–'}")
        self.stdout.write(f"* is taken where none is named. Weights lie in {installed.root()}/NAME.")
