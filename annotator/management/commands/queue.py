"""`manage.py queue PROJECT --sample .10 --per error_type --seed N`: draw a sample and put it first."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from annotator.actions import sampling
from annotator.management.shared import find_project, refusals
from annotator.policies import Operator


class Command(BaseCommand):
    help = (
        "Draw a share of a project's items at random, as a sample that says how good the whole is, and put it "
        "before everything else in the queue. The same seed draws the same items; drawn again, what was cut off "
        "is finished. `manage.py acceptance PROJECT` says what came of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug")
        parser.add_argument(
            "--sample",
            type=float,
            required=True,
            metavar="SHARE",
            help="above 0, at most 1, as .10; rounded up",
        )
        parser.add_argument(
            "--per", default="error_type", metavar="FIELD",
            help="draw from each value of this: error_type (the default), protocol, meta:KEY; '' for the whole",
        )  # fmt: skip
        parser.add_argument("--seed", type=int, required=True, help="a whole number")
        parser.add_argument("--only", action="store_true", help="hold what is not drawn until it is released")
        parser.add_argument(
            "--json",
            action="store_true",
            help="write {sample, share, per, seed, drawn, held, waiting, counts, items}",
        )

    def handle(self, *args: Any, project: str, **options: Any) -> None:
        with refusals():
            drawn = sampling.draw(
                by=Operator(), project=find_project(project), share=options["sample"], per=options["per"],
                seed=options["seed"], only=options["only"],
            )  # fmt: skip
        self.stdout.write(_json(drawn) if options["json"] else _text(drawn))


def _json(drawn: sampling.Drawn) -> str:
    sample = drawn.sample
    return json.dumps({
        "project": sample.project.slug, "sample": sample.pk, "share": sample.share, "per": sample.per,
        "seed": sample.seed, "drawn": len(drawn.item_ids), "held": drawn.n_held, "waiting": drawn.n_waiting,
        "is_new": drawn.is_new, "counts": sample.counts, "items": drawn.item_ids,
    }, indent=2)  # fmt: skip


def _text(drawn: sampling.Drawn) -> str:
    sample = drawn.sample
    again = "" if drawn.is_new else ", drawn before"
    lines = [f"Sample {sample.pk} ({sample}){again}: {len(drawn.item_ids)} items, first in the queue."]
    lines += [f"  {name or 'none'}: {n['drawn']} of {n['of']}" for name, n in sample.counts.items()]
    if drawn.n_held:
        lines.append(f"{drawn.n_held} others are held until you release them on the page “Acceptance”.")
    if drawn.n_waiting:
        lines.append(f"{drawn.n_waiting} of the sample are held for another reason: release them first.")
    return "\n".join(lines)
