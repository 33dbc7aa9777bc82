"""Make the demo project: problems of our own, a lead and reviewers, and a whole course of their work."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

import annotator
from annotator.actions import sampling
from annotator.actions.guidelines import write_guideline
from annotator.actions.projects import create_project
from annotator.management.demo_course import AFTER, BEFORE
from annotator.management.demo_people import Account, make_accounts
from annotator.management.demo_reviews import FIRST, LATER, review_some
from annotator.management.demo_rules import inject_by_rules
from annotator.management.shared import refusals
from annotator.models import Project, Protocol, Rater, RaterKind
from annotator.policies import Operator

SLUG = "demo"
FILES = (
    (Protocol.VERIFY_INJECTION, "problems.jsonl", "prmbench"),
    (Protocol.LABEL_STEPS, "steps.json", "processbench"),
    (Protocol.VERIFY_LABELS, "labels.json", "processbench"),
    (Protocol.CHECK_SOLUTION, "alternatives.jsonl", "prmbench"),
)
MODEL = "made-up"
SHARE = 0.25  # of each kind, judged first
FOLDER = Path(annotator.__path__[0]) / "demo"


class Command(BaseCommand):
    help = "Make the demo project with its accounts, and print them. What is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            project = Project.objects.filter(slug=SLUG).first() or make_project()
            accounts = make_accounts(project)
            self._bring_in(project)
            review_some(project, FIRST)
            for part in BEFORE:
                part(project)
            inject_by_rules(project, self.stdout)
            review_some(project, LATER)
            project.refresh_from_db()
            for part in AFTER:
                part(project)
        self.stdout.write(f"The project {project.name} is at {project.get_absolute_url()}. Accounts:")
        self.stdout.writelines(line(account) for account in accounts)

    def _bring_in(self, project: Project) -> None:
        """Problems with claims, a few solutions to label from scratch, the scores of a made-up model, a sample."""
        for protocol, name, format in FILES:
            if not project.items.filter(protocol=protocol).exists():
                self._import("import_solutions", name, format=format, protocol=protocol)
        if not Rater.objects.filter(kind=RaterKind.PRM, name=MODEL).exists():
            self._import("import_annotations", "scores.jsonl", rater=f"{RaterKind.PRM}:{MODEL}")
        if not project.samples.exists():
            sampling.draw(by=Operator(), project=project, share=SHARE, per="error_type", seed=1)

    def _import(self, command: str, name: str, **options: Any) -> None:
        call_command(command, SLUG, str(FOLDER / name), stdout=self.stdout, **options)


def make_project() -> Project:
    project = create_project(
        by=Operator(), slug=SLUG, name="Demo", protocol=Protocol.VERIFY_INJECTION, overlap=2
    )
    write_guideline(by=Operator(), project=project, text=(FOLDER / "guidelines.md").read_text("utf-8"))
    project.refresh_from_db()
    return project


def line(account: Account) -> str:
    known = account.password or f"not known here: `manage.py password_link {account.username}` sets a new one"
    return f"  {account.role:<10}{account.username:<10}{known}\n"
