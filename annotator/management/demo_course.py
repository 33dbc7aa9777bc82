"""What a lead makes of the demo's reviews: disputes settled, an exam, probes, two releases. Each part says itself
whether it is done, so that a demo that was cut off goes on where it was, and a second one changes nothing."""

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django.utils import timezone

from annotator import queue
from annotator.actions import adjudicate, bulk_items, exams, probes, releases, review
from annotator.actions.guidelines import write_guideline
from annotator.actions.projects import change_settings
from annotator.actions.questions import answer_question
from annotator.core import labels as lab
from annotator.management.demo_reviews import claimed_labels, kind_of, member, review_one
from annotator.models import Assignment, Decision, Injection, Item, Project, Question, Release, Use
from annotator.policies import Operator

SETTLED: Final = 7
FOR_EXAM: Final = {Use.DEMONSTRATION: 2, Use.EXAM: 4}
PROBES: Final = 8
PROBED: Final = {"dave": 6, "bob": 0}
EXAM_PASS, PROBE_RATE, BAR = 0.7, 0.1, 0.5
# What the injector said of its error is repeated, and then why the reviewers came to differ.
REASONS: Final = (
    ("reviewer_error", "What follows validly from it is not wrong itself."),
    ("guideline_gap", "The guidelines did not say how far such an error reaches."),
    ("ambiguous", "Both readings are sound; we take the one that is closer to the problem's wording."),
    ("broken_problem", "As it is worded, the question has no single answer."),
)  # fmt: skip
MORE_GUIDELINES: Final = (
    "\n\n## True but needless\n\nA step that is true and only says again what stands before it is **wrong** where the "
    "claim is *redundant*, and **neutral** anywhere else.\n"
)
ASKED: Final = (
    ("Is a plan such as “we try small numbers” neutral or right?", "Neutral: it settles nothing by itself."),
    ("Does a missing unit in the last step count as wrong?", ""),
)
RULE: Final[dict[str, Any]] = {
    "which": "gold", "formats": ["prmbench", "processbench"], "splits": {"train": 0.8, "test": 0.2}, "seed": 1,
    "parquet": find_spec("pyarrow") is not None,  # what `make demo` installs is what reviewing needs
}  # fmt: skip


def second_guideline(project: Project) -> None:
    if project.guidelines.count() == 1 and project.guideline:
        write_guideline(by=Operator(), project=project, text=project.guideline.text + MORE_GUIDELINES)


def ask_and_answer(project: Project) -> None:
    alice, done = member(project, "alice"), Question.objects.filter(project=project).count()
    mine = Assignment.objects.filter(project=project, rater=alice.rater_id).order_by("id")
    for held, (text, answer) in list(zip(mine, ASKED, strict=False))[done:]:
        asked = review.ask(by=alice, assignment_id=held.pk, text=text)
        if answer:
            answer_question(by=member(project, "lead"), project=project, question_id=asked.pk, text=answer)


def settle_some(project: Project) -> None:
    """Some of the disputes, by the labels that came with the data and for reasons of every cause."""
    lead, items = member(project, "lead"), Item.objects.filter(project=project).order_by("id")
    done = items.filter(decision=Decision.SETTLED).count()
    for number, item in enumerate(items.filter(decision=Decision.CONFLICTED)[: SETTLED - done], done):
        cause, reason = REASONS[number % len(REASONS)]
        labels, claim = claimed_labels(item), Injection.objects.filter(child=item.solution).first()
        reason = f"{claim.reason} {reason}" if claim else reason
        kind = kind_of(item)
        types = {str(at): [kind] for at in lab.wrong_steps(labels) if kind}
        adjudicate.settle(
            by=lead, item_id=item.pk, labels=labels, error_types=types, cause=cause, reason=reason,
            seen=adjudicate.seen_version(item),
        )  # fmt: skip


def hold_and_retire(project: Project) -> None:
    open_items = Item.objects.filter(project=project, n_submitted=0, assignments=None).order_by("-id")
    if open_items.filter(held=True).exists():
        return
    first, second, third = open_items.values_list("pk", flat=True)[:3]
    of: dict[str, Any] = {"by": member(project, "lead"), "project": project}
    bulk_items.hold_items(**of, item_ids=[first, second], because="The original is under discussion.")
    bulk_items.retire_items(**of, item_ids=[third], because="Nearly the same as another item.")


def choose_uses(project: Project) -> None:
    """Settled items show and ask in the exam, since they come with a reason; agreed ones are probes."""
    of: dict[str, Any] = {"by": member(project, "lead"), "project": project}
    decided = Item.objects.filter(project=project, gold__isnull=False, held=False, is_probe=False).order_by(
        "id"
    )
    for use, wanted in FOR_EXAM.items():
        wanted -= Item.objects.filter(project=project, use=use).count()
        ids = decided.filter(decision=Decision.SETTLED).values_list("pk", flat=True)[:wanted]
        probes.set_use(**of, item_ids=list(ids), use=use, because="For the exam.")
    wanted = PROBES - Item.objects.filter(project=project, is_probe=True).count()
    ids = decided.filter(decision=Decision.AGREED).values_list("pk", flat=True)[:wanted]
    probes.mark_probes(**of, item_ids=list(ids), because="Clear cases.")


def open_exam(project: Project) -> None:
    """Alice and Bob were there before it, Dave takes it, and Carol has it before her."""
    lead = member(project, "lead")
    if project.exam_pass is None:
        change_settings(
            by=lead, project=project, exam_pass=EXAM_PASS, probe_rate=PROBE_RATE, acceptance_bar=BAR
        )
    for name in ("alice", "bob"):
        if not member(project, name).exam_passed_at:
            exams.let_in(
                by=lead, membership=member(project, name), because="Reviewed before there was an exam."
            )
    dave = member(project, "dave")
    while not dave.exam_passed_at and (asked := exams.go_on(by=dave)):
        review_one(dave, asked.pk, 1)
    dave.refresh_from_db()


def measure(project: Project) -> None:
    """Dave judges probes; a claim would draw them by chance, and a demo is the same each time."""
    dave = member(project, "dave")
    done = Assignment.objects.filter(project=project, rater=dave.rater_id, purpose=Use.PROBE)
    waiting = Item.objects.filter(project=project, is_probe=True).exclude(assignments__in=done).order_by("id")
    for number, item in enumerate(list(waiting)[: PROBED["dave"] - done.count()], done.count()):
        given = queue.give(dave, item, timezone.now(), Use.PROBE)
        review_one(dave, given.pk, number)


def release_once(name: str, note: str) -> Callable[[Project], None]:
    def make(project: Project) -> None:
        if not Release.objects.filter(project=project, name=name, state="complete").exists():
            with TemporaryDirectory() as folder:
                releases.release_to(
                    by=member(project, "lead"), project=project, rule=RULE, name=name, note=note,
                    folder=Path(folder) / name,
                )  # fmt: skip

    return make


BEFORE: Final[Sequence[Callable[[Project], None]]] = (
    second_guideline, release_once("1.0", "What the first reviewers agree on."),
)  # fmt: skip
AFTER: Final[Sequence[Callable[[Project], None]]] = (
    ask_and_answer, settle_some, hold_and_retire, choose_uses, open_exam, measure,
    release_once("1.1", "With disputes settled."),
)  # fmt: skip
