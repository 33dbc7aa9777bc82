"""Reasons and questions hold only what a database can: PostgreSQL has no NUL, and half a pair has no UTF-8."""

from collections.abc import Callable
from typing import Any

import pytest

from annotator import errors, queue
from annotator.actions import adjudicate, assigning, bulk_items, exams, people, probes, questions, review
from annotator.actions.texts import worded
from annotator.models import Role
from annotator.policies import Operator
from tests import factories as make

pytestmark = pytest.mark.django_db
BAD = ["a\0b", "a\ud800b"]


def test_a_text_is_stored_stripped_and_cut() -> None:
    assert worded("  ab😀c ", "because", 3) == "ab😀"


@pytest.mark.parametrize("bad", BAD)
def test_no_action_takes_a_text_that_cannot_be_stored(bad: str) -> None:
    project = make.project(protocol="label_steps", overlap=1)
    item, me, lead = make.plain_item(project, 0), make.member(project), make.member(project, role=Role.LEAD)
    held = queue.claim(by=me)
    asked = review.ask(by=me, assignment_id=held.pk, text="Why?")
    many: dict[str, Any] = {"by": Operator(), "project": project, "item_ids": [item.pk]}
    acts: list[tuple[str, Callable[[], object]]] = [
        ("skip_reason", lambda: review.skip(by=me, assignment_id=held.pk, reason=bad)),
        ("question", lambda: review.ask(by=me, assignment_id=held.pk, text=bad)),
        (
            "answer",
            lambda: questions.answer_question(by=Operator(), project=project, question_id=asked.pk, text=bad),
        ),
        ("because", lambda: bulk_items.hold_items(**many, because=bad)),
        ("because", lambda: bulk_items.set_priority(**many, n=3, because=bad)),
        ("because", lambda: people.take_back_claims(by=lead, membership=me, because=bad)),
        ("because", lambda: assigning.assign(**many, to=me, because=bad)),
        ("because", lambda: assigning.unassign(**many, because=bad)),
        ("because", lambda: probes.set_use(**many, use="exam", because=bad)),
        ("because", lambda: exams.let_in(by=lead, membership=me, because=bad)),
        ("because", lambda: people.pause(by=lead, membership=me, because=bad)),
    ]
    for field, act in acts:
        with pytest.raises(errors.Invalid, match="cannot be stored") as refused:
            act()
        assert refused.value.field == field
    held.refresh_from_db()
    item.refresh_from_db()
    assert (held.state, item.held, item.priority) == ("claimed", False, 0)


@pytest.mark.parametrize("bad", BAD)
def test_a_reason_of_a_settled_dispute_can_be_stored(bad: str) -> None:
    project = make.project(protocol="label_steps", label_after_error=True, overlap=2)
    item, lead = make.plain_item(project, 0), make.member(project, role=Role.LEAD)
    n = item.solution.n_steps
    for label in "+-":
        me = make.member(project)
        review.submit(by=me, assignment_id=queue.claim(by=me).pk, data={"labels": label * n})
    item.refresh_from_db()
    with pytest.raises(errors.Invalid, match="cannot be stored"):
        adjudicate.settle(
            by=lead, item_id=item.pk, labels="+" * n, cause="ambiguous", reason=bad,
            seen=adjudicate.seen_version(item),
        )  # fmt: skip
