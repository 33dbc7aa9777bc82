"""Make the demo project: problems of our own, a lead, three reviewers, some reviews."""

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

import annotator
from annotator.actions.guidelines import write_guideline
from annotator.actions.projects import create_project
from annotator.management.demo_people import Account, make_accounts
from annotator.management.demo_reviews import review_some
from annotator.management.shared import refusals
from annotator.models import Project, Protocol
from annotator.policies import Operator

SLUG = "demo"
FOLDER = Path(annotator.__path__[0]) / "demo"


class Command(BaseCommand):
    help = "Make the demo project with its accounts, and print them. What is there already stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            project = Project.objects.filter(slug=SLUG).first() or make_project()
            accounts = make_accounts(project)
            if not project.items.exists():
                path = str(FOLDER / "problems.jsonl")
                call_command("import_solutions", SLUG, path, format="prmbench", stdout=self.stdout)
            review_some(project)
        self.stdout.write(f"The project {project.name} is at {project.get_absolute_url()}. Accounts:")
        self.stdout.writelines(line(account) for account in accounts)


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
