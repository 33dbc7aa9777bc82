"""A takedown: no column of the database holds the text any more, and all rows are still there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from annotator import errors, queue
from annotator.actions import review, takedown
from annotator.actions.integrity import check_items
from annotator.actions.questions import answer_question
from annotator.models import (
    Annotation,
    Assignment,
    Call,
    Event,
    Finding,
    Injection,
    Item,
    Membership,
    Problem,
    Project,
    Role,
    Run,
    Solution,
    Unit,
)  # fmt: skip
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import imported, jsonl, record
from tests.annotator.reviewed import claimed, submitted

pytestmark = pytest.mark.django_db

MARK = "Zyxomma"  # in no other text


def texts() -> Iterator[tuple[str, str]]:
    """Every value of every table of ours, as text, with the name of its column."""
    with connection.cursor() as cursor:
        for model in apps.get_app_config("annotator").get_models():
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in cursor.description]
            for row in cursor.fetchall():
                yield from ((f"{table}.{name}", str(value)) for name, value in zip(names, row, strict=True))


def holding_mark() -> set[str]:
    return {column for column, value in texts() if MARK in value}


class World:
    """One record whose every text holds the mark, and another that is nobody's business."""

    def __init__(self, folder: Path) -> None:
        self.project: Project = factories.project(overlap=3)
        self.path = jsonl(
            folder / "own.jsonl", self.marked(), record(idx="own_2", original_question="4 + 4?")
        )
        imported(self.project, self.path)
        self.item, self.other = self.project.items.order_by("id")
        self.lead = factories.member(self.project, role=Role.LEAD)
        self.anna, self.ben, self.eva, self.tom = (factories.member(self.project) for _ in range(4))

    def marked(self) -> dict[str, Any]:
        steps = [f"Add the two. {MARK}", "It is 3."]
        return record(
            original_question=f"{MARK}: what is 1 + 2?", modified_question=f"{MARK}, changed: 1 + 2?",
            original_process=steps, modified_process=[f"Add. {MARK}", f"It is 4. {MARK}"],
            reason=f"{MARK} it is 3.", question=f"{MARK} again", note=MARK, more={"deep": [MARK]},
        )  # fmt: skip

    def quote(self) -> None:
        """People quote the text wherever they can type."""
        said = {"note": f"Look: {MARK}", "edit": {"0": f"{MARK} edited"}}
        self.sent = submitted(self.anna, self.item, "+-", **said)
        self.committed = claimed(self.ben, self.item)
        review.commit(by=self.ben, assignment_id=self.committed.pk, data={"labels": "+-", **said})
        skipped = claimed(self.tom, self.item)
        review.skip(by=self.tom, assignment_id=skipped.pk, reason=f"{MARK}?")
        self.held = claimed(self.eva, self.item)
        draft = {"labels": "+.", "insert": {"0": MARK}, **said}
        review.save_draft(by=self.eva, assignment_id=self.held.pk, data=draft, version=0)
        question = review.ask(by=self.eva, assignment_id=self.held.pk, text=f"Why {MARK}?")
        answer_question(by=self.lead, project=self.project, question_id=question.pk, text=f"So: {MARK}.")
        review.ask(by=self.eva, assignment_id=self.held.pk, text=f"And {MARK}?")
        Finding.objects.create(
            project=self.project, solution=self.item.solution, code="other_answer", detail=MARK
        )

    def take_down(self, **values: Any) -> takedown.Taken:
        given = {"because": "Asked by its author.", "typed": str(self.item.pk), **values}
        return takedown.take_down(by=self.lead, project=self.project, item_id=self.item.pk, **given)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_no_column_holds_the_text_and_every_row_is_there(world: World) -> None:
    world.quote()
    Problem.objects.filter(text__contains=MARK).update(
        answer=MARK, meta={"source": "own", "level": 5, "hint": MARK, "more": [{"x": MARK, "right": True}]}
    )
    Annotation.objects.filter(solution=world.item.solution, phase="machine").update(extra=MARK)
    assert len(holding_mark()) >= 14
    models = (Problem, Solution, Injection, Annotation, Assignment, Item, Finding)
    before = [model.objects.count() for model in models]
    steps = dict(Solution.objects.values_list("pk", "n_steps"))
    digests = dict(Solution.objects.values_list("pk", "digest"))
    world.take_down()
    assert holding_mark() == set()
    assert [model.objects.count() for model in models] == before
    assert dict(Solution.objects.values_list("pk", "digest")) == digests
    assert {pk: len(kept) for pk, kept in Solution.objects.values_list("pk", "steps")} == steps
    meta = Problem.objects.filter(taken_down_at__isnull=False).first().meta
    assert meta == {"source": "own", "level": 5, "hint": "", "more": [{"x": "", "right": True}]}


def test_labels_stay_and_the_item_is_out_of_the_queue(world: World) -> None:
    world.quote()
    world.take_down()
    world.item.refresh_from_db()
    assert (world.item.retired, world.item.held, world.item.held_because) == (
        True,
        True,
        "Asked by its author.",
    )
    assert set(Annotation.objects.filter(assignment=world.sent).values_list("labels", flat=True)) == {"+-"}
    assert queue.claim(by=world.anna).item_id == world.other.pk
    assert not list(check_items(by=Operator(), project=world.project))
    (event,) = Event.objects.filter(verb="take_down")
    assert (event.item_id, event.data) == (world.item.pk, {"because": "Asked by its author."})


def test_the_other_record_keeps_its_text(world: World) -> None:
    world.take_down()
    other = world.other.solution
    other.refresh_from_db()
    assert other.problem.taken_down_at is None
    assert "" not in [other.problem.text, *other.steps]


def test_only_this_version_of_the_problem(world: World) -> None:
    world.take_down(whole_group=False)
    down = Problem.objects.filter(taken_down_at__isnull=False)
    assert list(down) == [world.item.solution.problem]
    assert MARK in world.item.solution.parent.steps[0]
    world.item.solution.parent.refresh_from_db()
    assert MARK in world.item.solution.parent.steps[0]


def test_importing_it_again_brings_nothing_back(world: World) -> None:
    world.take_down()
    imported(world.project, world.path)
    assert holding_mark() == set()
    assert world.project.items.count() == 2


class TestHolders:
    def test_a_claim_ends_without_blame_and_what_was_committed_counts(self, world: World) -> None:
        world.quote()
        world.take_down()
        for mine, state in (
            (world.held, "skipped"),
            (world.committed, "submitted"),
            (world.sent, "submitted"),
        ):
            mine.refresh_from_db()
            assert mine.state == state
        assert not Event.objects.filter(verb="skip", actor=world.eva.user).exists()
        world.item.refresh_from_db()
        assert world.item.n_submitted == 2

    def test_their_page_says_so_and_leads_on(self, world: World) -> None:
        world.quote()
        world.take_down()
        for who, mine in ((world.eva, world.held), (world.anna, world.sent)):
            page = get(who, f"review/{mine.pk}/").content.decode()
            assert "This item was taken down" in page
            assert "Go on to the next item" in page

    def test_an_open_tab_brings_no_text_back(self, world: World) -> None:
        world.quote()
        world.take_down()
        data = {"labels": "+-", "note": MARK}
        for call in (
            lambda: review.save_draft(by=world.eva, assignment_id=world.held.pk, data=data, version=1),
            lambda: review.commit(by=world.eva, assignment_id=world.held.pk, data=data),
            lambda: review.reopen(by=world.anna, assignment_id=world.sent.pk),
        ):
            with pytest.raises(errors.Conflict):
                call()
        assert holding_mark() == set()


class TestWho:
    def test_the_number_has_to_be_typed(self, world: World) -> None:
        with pytest.raises(errors.Invalid) as refused:
            world.take_down(typed=str(world.item.pk + 1))
        assert refused.value.field == "typed"
        with pytest.raises(errors.Incomplete):
            world.take_down(because=" ")
        assert not Problem.objects.filter(taken_down_at__isnull=False).exists()

    def test_a_reviewer_may_not(self, world: World) -> None:
        with pytest.raises(errors.Forbidden):
            takedown.take_down(
                by=world.anna,
                project=world.project,
                item_id=world.item.pk,
                because="?",
                typed=str(world.item.pk),
            )

    def test_by_the_page(self, world: World) -> None:
        path = f"items/{world.item.pk}/take-down/"
        assert "2 versions" in get(world.lead, path).content.decode()
        wrong = post(world.lead, path, because="Asked.", typed="x", whole_group="on")
        assert wrong.status_code == 400
        assert b"to confirm" in wrong.content
        assert b"Asked." in wrong.content
        done = post(world.lead, path, because="Asked.", typed=str(world.item.pk), whole_group="on")
        assert done.status_code == 302
        assert holding_mark() == set()
        page = get(world.lead, f"items/{world.item.pk}/").content.decode()
        assert "Taken down on" in page
        assert json.dumps(MARK) not in page
        assert "was taken down on" in get(world.lead, path).content.decode()


def get(who: Membership, path: str) -> Any:
    client = Client()
    client.force_login(who.user)
    return client.get(f"/p/{who.project.slug}/{path}")


def post(who: Membership, path: str, **data: Any) -> Any:
    client = Client()
    client.force_login(who.user)
    return client.post(f"/p/{who.project.slug}/{path}", data)


def test_what_was_sent_for_and_came_back_about_it_goes_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    run = Run.objects.create(project=world.project, method="judge", task="synth.drive", drives="endpoint:x")
    solution = world.item.solution
    judged = Unit.objects.create(run=run, key="a", solution=solution, result=json.dumps(MARK), error=MARK)
    sampled = Unit.objects.create(run=run, key="b", problem=solution.problem, result=json.dumps(MARK))
    injected = Unit.objects.create(run=run, key="c", solution=solution.parent, result=json.dumps(MARK))
    for unit in (judged, sampled, injected):
        Call.objects.create(unit=unit, n=0, digest="d", reply=MARK, cost=0.5)
    Call.objects.create(unit=judged, n=0, digest="d", reply=MARK, error=MARK)  # sent once more after that
    takedown.take_down(
        by=world.lead, project=world.project, item_id=world.item.pk, because="asked", typed=str(world.item.pk)
    )
    assert {column for column in holding_mark() if "unit" in column or "call" in column} == set()
    assert list(Call.objects.filter(error="").values_list("cost", flat=True)) == [0.5, 0.5, 0.5]
    assert Call.objects.exclude(error="").count() == 1


def test_texts_kept_as_token_ids_are_forgotten(
    tmp_path: Path, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    world = World(tmp_path)
    settings.DATA_DIR = tmp_path
    kept = [tmp_path / name for name in ("token-ids.sqlite3", "token-ids.sqlite3-wal")]
    for path in kept:
        path.write_text("ids")
    with django_capture_on_commit_callbacks(execute=True):
        takedown.take_down(
            by=world.lead,
            project=world.project,
            item_id=world.item.pk,
            because="asked",
            typed=str(world.item.pk),
        )
    assert not any(path.exists() for path in kept)
