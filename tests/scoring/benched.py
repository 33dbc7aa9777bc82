"""A small project to measure on: injected items of four kinds, two models, gold of two reviewers.

The first model finds every second wrong step and has scores; the second calls everything right. Reviewers see one
claimed step as right, so that gold differs from what was released.
"""

from typing import NamedTuple

from annotator.models import Annotation, Item, Membership, Project, Rater, Role
from tests import factories
from tests.annotator.reviewed import submitted
from tests.made import MADE

N = 8
VERIFIED = 4  # items with gold; of the first one step is moved


class Bench(NamedTuple):
    project: Project
    lead: Membership
    items: list[Item]
    model: Rater
    other: Rater

    @property
    def url(self) -> str:
        return f"/p/{self.project.slug}/benchmarks/"


def bench(n: int = N, verified: int = VERIFIED, model: str = "half") -> Bench:
    project = factories.project(overlap=1, name="Bench")
    items = [factories.injected_item(project, number % len(MADE)) for number in range(n)]
    half, _ = Rater.objects.get_or_create(kind="prm", name=model)
    blind, _ = Rater.objects.get_or_create(kind="prm", name=f"{model}-blind")
    for number, item in enumerate(items):
        claimed = released(item)
        labels = claimed if number % 2 else "+" * len(claimed)
        annotate(item, half, labels)
        annotate(item, blind, "+" * len(claimed))
    for number, item in enumerate(items[:verified]):
        claimed = released(item)
        submitted(factories.member(project), item, "+" * len(claimed) if number == 0 else claimed)
    return Bench(project, factories.member(project, role=Role.LEAD), items, half, blind)


def released(item: Item) -> str:
    """The injector's labels."""
    return Annotation.objects.get(solution=item.solution_id, rater__kind="injector").labels


def annotate(item: Item, rater: Rater, labels: str) -> None:
    """A machine's labels, with scores that fit them."""
    row = factories.machine_labels(item.solution, rater, labels)
    row.scores = [0.9 - 0.01 * n if label == "+" else 0.2 + 0.01 * n for n, label in enumerate(labels)]
    row.save(update_fields=["scores"])
