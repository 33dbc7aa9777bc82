"""Export annotations: `manage.py export_annotations PROJECT --format F --which gold -o PATH`."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotator import errors
from annotator.actions.export_options import NAMES
from annotator.actions.exports import Outcome, export_to, replacing
from annotator.formats import WRITABLE, choices
from annotator.management.progress import progress
from annotator.models import Project
from annotator.policies import Operator

HELP = {
    "neutral": "what a neutral step is (usually right, as Qwen and PURE train; TRL's script made it wrong)",
    "redundant": "what a step that is only redundant is (PRMBench: wrong; PRM800K: neutral)",
    "after_first_error": "whether labels after the first wrong step go out",
    "threshold": "a score above this is right (without it: labels as stored, scores alone cut at 0.5)",
}


class Command(BaseCommand):
    help = "Export annotations in a foreign format. The file appears only when it is whole."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("project", help="the project's slug, as in its address")
        parser.add_argument("--format", required=True, choices=WRITABLE)
        parser.add_argument(
            "--which",
            required=True,
            help="gold; all (each rater's last word); one rater as KIND:NAME; solutions (best_of_n)",
        )
        parser.add_argument(
            "--min-raters", type=int, default=1, metavar="N",
            help="2 or more: only what so many reviewers have submitted",
        )  # fmt: skip
        for name, values in choices.VALUES.items():
            parser.add_argument(_flag(name), choices=values, help=HELP[name])
        parser.add_argument("--threshold", type=float, metavar="X", help=HELP["threshold"])
        parser.add_argument(
            "--retired", action="store_true", help="solutions whose items are retired go out too"
        )
        parser.add_argument("-o", "--output", required=True, metavar="PATH", help="- for standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(slug=options["project"]).first()
        if project is None:
            raise CommandError(f"There is no project {options['project']!r}.")
        try:
            self._report(self._export(project, options))
        except errors.PlumblineError as error:
            named = f"{_flag(error.field)}: " if error.field in NAMES else ""
            raise CommandError(f"{named}{error.message}") from error
        except OSError as error:
            raise CommandError(f"Cannot write {options['output']}: {error.strerror}") from error

    def _export(self, project: Project, options: dict[str, Any]) -> Outcome:
        asked: dict[str, Any] = {name: options[name] for name in ("format", "which", "min_raters")}
        asked["options"] = {name: options.get(name) for name in NAMES}
        with progress("Exporting") as tick:
            if options["output"] == "-":
                sys.stdout.flush()
                return export_to(by=Operator(), project=project, out=sys.stdout.buffer, tick=tick, **asked)
            with replacing(Path(options["output"])) as (out, put):
                outcome = export_to(by=Operator(), project=project, out=out, tick=tick, **asked)
                put()
                return outcome

    def _report(self, outcome: Outcome) -> None:
        """On standard error: the file itself may go to standard output."""
        done = f"{outcome.n} records, {outcome.n_bytes} bytes, sha256 {outcome.sha256}"
        self.stderr.write(done, self.style.SUCCESS)
        for why, seen in outcome.left_out.items():
            more = ", …" if seen["n"] > len(seen["first"]) else ""
            self.stderr.write(f"Left out {seen['n']}: {why} ({', '.join(seen['first'])}{more})")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
