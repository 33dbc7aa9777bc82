"""The project's navigation, by role."""

from typing import Any, NamedTuple

from django import template
from django.urls import reverse

from annotator.models import Membership, Role

register = template.Library()

FOR_ALL = (("project", "Project"), ("mine", "My work"), ("guidelines", "Guidelines"))
FOR_EXAM = (("exam", "Exam"),)
FOR_LEADS = (
    ("items", "Items"), ("adjudicate", "Adjudicate"), ("triage", "Triage"),
    ("questions", "Questions"), ("agreement", "Agreement"), ("acceptance", "Acceptance"), ("pull", "Pull"),
    ("benchmarks", "Benchmarks"),
    ("runs", "Runs"), ("imports", "Imports"), ("exports", "Exports"), ("releases", "Releases"),
    ("people", "People"), ("audit", "Audit"), ("settings", "Settings"),
)  # fmt: skip
UNDER = {
    "item": "items",
    "adjudicate-item": "adjudicate",
    "differences": "mine",
    "bulk": "items",
    "take-down": "items",
    "import": "imports",
    "import-map": "imports",
    "import-labels": "imports",
    "export": "exports",
    "release": "releases",
    "release-diff": "releases",
    "run": "runs",
    "run-agreement": "runs",
    "unit": "runs",
    "evidence": "items",
    "machines": "runs",
    "machine": "runs",
    "consensus": "runs",
    "score": "runs",
    "try-models": "runs",
    "tried": "runs",
    "review": "mine",
    "reviewers": "people",
    "benchmark": "benchmarks",
    "benchmark-report": "benchmarks",
    "benchmark-misses": "benchmarks",
    "benchmark-compare": "benchmarks",
    "benchmark-moved": "benchmarks",
}


class Link(NamedTuple):
    url: str
    title: str
    current: bool


@register.simple_tag(takes_context=True)
def project_nav(context: dict[str, Any]) -> list[Link]:
    """The pages of the project at hand that its visitor may open; the one they are on is current."""
    request = context["request"]
    member: Membership = request.membership
    here = request.resolver_match.view_name
    names: tuple[tuple[str, str], ...] = FOR_ALL
    if member.project.exam_pass is not None:
        names += FOR_EXAM
    if member.is_at_least(Role.LEAD):
        names += FOR_LEADS
    return [
        Link(reverse(name, args=[member.project.slug]), title, UNDER.get(here, here) == name)
        for name, title in names
    ]
