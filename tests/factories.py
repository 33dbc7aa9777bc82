"""A small world for the tests of pages: a project, people in it, items made from tests/made.py.

item = injected_item(project(), 0)
lead = member(item.project, "lead", Role.LEAD)
"""

import itertools
from typing import Any

from django.utils import timezone

from annotator.core import align, labels
from annotator.core.digest import digest, solution_digest
from annotator.models import (
    Annotation,
    Guideline,
    Injection,
    Item,
    Membership,
    Phase,
    Problem,
    Project,
    Rater,
    Role,
    Run,
    RunState,
    Solution,
    Unit,
    UnitState,
    User,
)
from tests.made import MADE, Made

PASSWORD = "correct horse battery"
GUIDELINE = "# How to judge\n\nA step is **right** if it follows from what stands before it."
_numbers = itertools.count(1)


def project(**values: Any) -> Project:
    number = next(_numbers)
    made = Project.objects.create(**{"slug": f"check-{number}", "name": "PRMBench check", **values})
    made.guideline = Guideline.objects.create(
        project=made,
        version=1,
        text=GUIDELINE,
    )
    made.save(update_fields=["guideline"])
    return made


def member(of: Project, name: str = "", role: Role = Role.REVIEWER) -> Membership:
    """A person with the password PASSWORD in a project; the same name again is the same person."""
    name = name or f"reviewer{next(_numbers)}"
    user = User.objects.filter(username=name).first() or User.objects.create_user(name, password=PASSWORD)
    rater, _ = Rater.objects.get_or_create(kind="reviewer", user=user, defaults={"name": name})
    return Membership.objects.create(project=of, user=user, rater=rater, role=role)


def injected_item(of: Project, number: int = 0, made: Made | None = None, **values: Any) -> Item:
    """An item as an import of PRMBench makes it: original, corrupted child, claim, injector's labels."""
    made = made or MADE[number % len(MADE)]
    parent = solution(of, made.question, made.steps, answer=made.answer)
    child = solution(
        of, made.changed_question or made.question, made.changed_steps, parent, answer=made.answer
    )
    injector, _ = Rater.objects.get_or_create(kind="injector", name="prmbench")
    Injection.objects.create(
        child=child, parent=parent, error_type=made.kind, claimed_changed=made.wrong,
        claimed_wrong=made.wrong, reason=made.reason, rater=injector,
        alignment=align.dump(align.align(parent.steps, child.steps)),
    )  # fmt: skip
    usable = [step - 1 for step in made.wrong if 1 <= step <= child.n_steps]
    machine_labels(child, injector, labels.labels_from_wrong_steps(usable, child.n_steps))
    return queued(of, child, error_type=made.kind, **values)


def machine_labels(of: Solution, rater: Rater, text: str) -> Annotation:
    return Annotation.objects.create(
        solution=of, rater=rater, phase=Phase.MACHINE, labels=text, n_steps=of.n_steps,
        first_error=labels.first_error(text),
    )  # fmt: skip


def plain_item(of: Project, number: int = 0, **values: Any) -> Item:
    """An item with nothing to reveal."""
    made = MADE[number % len(MADE)]
    return queued(of, solution(of, made.question, made.changed_steps, answer=made.answer), **values)


def queued(of: Project, shown: Solution, **values: Any) -> Item:
    wanted = values.pop("wanted", of.overlap)
    chosen = {"protocol": of.protocol, "wanted": wanted, "open_slots": wanted, **values}
    return Item.objects.create(project=of, solution=shown, **chosen)


def solution(
    of: Project, question: str, steps: list[str], parent: Solution | None = None, answer: str = ""
) -> Solution:
    """A changed question is a child of the parent's, in the same group."""
    number, content = next(_numbers), solution_digest(question, steps)
    if parent and parent.problem.text == question:
        problem = parent.problem
    else:
        problem = Problem.objects.create(
            project=of, parent=parent.problem if parent else None, text=question, answer=answer or None,
            group=parent.problem.group if parent else f"own_{number}", key=digest(number),
        )  # fmt: skip
    return Solution.objects.create(
        project=of, problem=problem, parent=parent, steps=steps, n_steps=len(steps), digest=content,
        key=digest(number, content), foreign_id=f"{MADE[0].kind}_own_{number}", foreign_format="prmbench",
    )  # fmt: skip


def run(project: Project, method: str = "judge", **values: Any) -> Run:
    """A run that is under way, with no units yet."""
    about = {"task": "synth.drive", "drives": "endpoint:x", "state": RunState.RUNNING, "planned_to": None}
    return Run.objects.create(project=project, method=method, **{**about, **values})


def unit(run: Run, key: str = "", **values: Any) -> Unit:
    """A unit that is done; the run's sums count it."""
    about = {"state": UnitState.DONE, "finished_at": timezone.now()}
    made = Unit.objects.create(run=run, key=key or f"unit:{run.n_units}", **{**about, **values})
    run.n_units += 1
    run.n_done += made.state == UnitState.DONE
    run.n_failed += made.state == UnitState.FAILED
    run.save()
    return made
