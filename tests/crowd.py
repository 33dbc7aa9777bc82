"""Reviewers and items in number, for what is about many: the queue, its races and its cost."""

import itertools

from annotator.core.digest import digest, solution_digest
from annotator.models import Injection, Item, Membership, Problem, Project, Protocol, Rater, Solution, User

_numbers = itertools.count()


def crowd(size: int, overlap: int = 1) -> tuple[Project, list[Membership]]:
    """A project with `size` reviewers."""
    number = next(_numbers)
    project = Project.objects.create(
        slug=f"crowd-{number}", name="Crowd", protocol=Protocol.LABEL_STEPS, overlap=overlap
    )
    return project, [join(project, f"reviewer{number}-{i}") for i in range(size)]


def join(project: Project, username: str) -> Membership:
    user = User.objects.create_user(username, password="correct horse battery")
    rater = Rater.objects.create(kind="reviewer", name=username, user=user)
    return Membership.objects.create(project=project, user=user, rater=rater)


def plain_items(project: Project, n: int, priority: int = 0, steps: int = 3) -> list[Item]:
    """`n` items of distinct three-step solutions to one problem."""
    problem, _ = Problem.objects.get_or_create(
        project=project, key=digest("crowd"), defaults={"group": "crowd", "text": "What is $1+1$?"}
    )
    solutions = [_solution(project, problem, next(_numbers), steps) for _ in range(n)]
    Solution.objects.bulk_create(solutions)
    items = [
        Item(
            project=project, solution=solution, protocol=project.protocol, wanted=project.overlap,
            open_slots=project.overlap, priority=priority,
        )
        for solution in solutions
    ]  # fmt: skip
    return Item.objects.bulk_create(items)


def _solution(project: Project, problem: Problem, number: int, n_steps: int) -> Solution:
    steps = [f"Step {i} of solution {number}: $1+{i}={i + 1}$." for i in range(n_steps)]
    content = solution_digest(problem.text, steps)
    return Solution(
        project=project, problem=problem, steps=steps, n_steps=n_steps, digest=content, key=content
    )


def injected_siblings(project: Project, n: int) -> list[Item]:
    """`n` items whose solutions were all made from one original."""
    (original,) = plain_items(project, 1)
    original_solution = original.solution
    original.delete()
    rater, _ = Rater.objects.get_or_create(kind="injector", name="crowd", digest="")
    items = plain_items(project, n)
    for item in items:
        Solution.objects.filter(pk=item.solution_id).update(parent=original_solution)
        Injection.objects.create(
            child_id=item.solution_id, parent=original_solution, error_type="circular", rater=rater
        )
    Item.objects.filter(pk__in=[item.pk for item in items]).update(protocol=Protocol.VERIFY_INJECTION)
    return items
