"""Pages and actions make as many queries at 10,000 items as at 10."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotator import queue
from annotator.actions import items as item_acts
from annotator.actions import review
from annotator.models import (
    Annotation,
    Assignment,
    AssignmentState,
    Call,
    Finding,
    Item,
    Membership,
    Phase,
    Problem,
    Project,
    Question,
    Rater,
    Role,
    Solution,
    Unit,
    UnitState,
)
from tests import factories

pytestmark = pytest.mark.django_db

SMALL, LARGE = 10, 10_000
STEPS = ["1. Let $x = 1$.", "2. Then $x + 1 = 2$.", "3. So it is 2."]
LABELS = "++-"
HIDDEN = 'annotator_solution"."steps', 'annotator_solution"."extra', 'annotator_solution"."meta'


class World(NamedTuple):
    """A project of some size: every second item submitted by two reviewers, the others open to a third."""

    project: Project
    lead: Membership
    reviewer: Membership
    unit: Unit


@pytest.fixture(scope="module")
def worlds(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[World, World]]:
    """Built once, since 10,000 items take seconds; each test takes back what it writes."""
    with django_db_blocker.unblock(), transaction.atomic():
        built = _world(SMALL), _world(LARGE)
        if connection.vendor == "postgresql":
            connection.cursor().execute("ANALYZE")  # else it plans by what earlier tests left: nothing
        yield built
        transaction.set_rollback(True)


def _world(size: int) -> World:
    project = factories.project(protocol="label_steps")
    lead = factories.member(project, role=Role.LEAD)
    first, second, free = (factories.member(project) for _ in range(3))
    items = _items(project, size)
    _reviewed(items[::2], [first, second])
    Finding.objects.bulk_create(
        Finding(project=project, solution=item.solution, code="no_op" if n % 2 else "empty_step")
        for n, item in enumerate(items[::3])
    )
    Question.objects.bulk_create(
        Question(project=project, item=item, asked_by=first.user, text="Is it?") for item in items[::5]
    )
    return World(project, lead, free, _run(project, items))


def _run(project: Project, items: list[Item]) -> Unit:
    """A run with a unit for each item, the first of which made as many calls."""
    run = factories.run(project, "inject", n_units=len(items), n_done=len(items))
    units = Unit.objects.bulk_create(
        Unit(
            run=run, key=f"{n}", solution=item.solution, state=UnitState.DONE, kind="circular",
            outcome="stored" if n % 2 else "rejected: no-op", finished_at=timezone.now(),
        )
        for n, item in enumerate(items)
    )  # fmt: skip
    Call.objects.bulk_create(Call(unit=units[0], n=n, digest=f"{n}", reply="yes") for n in range(len(items)))
    return units[0]


def _items(project: Project, size: int) -> list[Item]:
    problems = Problem.objects.bulk_create(
        Problem(project=project, group=f"g{n}", text=f"What is {n}?" * 9, key=f"{n}") for n in range(10)
    )
    solutions = Solution.objects.bulk_create(
        Solution(
            project=project, problem=problems[n % 10], steps=STEPS, n_steps=3,
            digest=f"{n}", key=f"{n}", foreign_id=f"{n}",
        )
        for n in range(size)
    )  # fmt: skip
    source, _ = Rater.objects.get_or_create(kind="source", name="whoever")
    Annotation.objects.bulk_create(_annotation(solution, source, "+++") for solution in solutions)
    return Item.objects.bulk_create(
        Item(
            project=project, solution=s, protocol=project.protocol, wanted=2,
            open_slots=2 * (n % 2), error_type="circular" if n % 4 else "",
        )
        for n, s in enumerate(solutions)
    )  # fmt: skip


def _reviewed(items: list[Item], reviewers: list[Membership]) -> None:
    start = timezone.now() - timedelta(days=9)
    done = Assignment.objects.bulk_create(
        Assignment(
            project=item.project, item=item, rater_id=who.rater_id, state=AssignmentState.SUBMITTED,
            claimed_at=start, submitted_at=start + timedelta(seconds=20 * n),
        )
        for n, item in enumerate(items)
        for who in reviewers
    )  # fmt: skip
    Annotation.objects.bulk_create(
        _annotation(a.item.solution, a.rater, LABELS, phase=Phase.BLIND, assignment=a, duration_ms=60_000)
        for a in done
    )


def _annotation(solution: Solution, rater: Rater, labels: str, **values: Any) -> Annotation:
    kept = {"phase": Phase.MACHINE, "finish_reason": "solution", "blind_shows": "diff", **values}
    return Annotation(
        solution=solution, rater=rater, labels=labels, n_steps=3, first_error=labels.find("-"), **kept
    )


def queries(do: Callable[[], Any]) -> list[str]:
    """The SQL of what `do` does; its writes are taken back."""
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        do()
        transaction.set_rollback(True)
    return [query["sql"] for query in captured.captured_queries]


def get(who: Membership, path: str) -> list[str]:
    client = Client()
    client.force_login(who.user)

    def opened() -> None:
        response = client.get(path.replace("PROJECT", who.project.slug))
        assert response.status_code == 200, response.content[:300]

    return queries(opened)


PROJECT = "/p/PROJECT/"
LEAD_PAGES = [
    "/",
    PROJECT,
    f"{PROJECT}items/",
    f"{PROJECT}items/?decision=incomplete&held=no&open=yes",
    f"{PROJECT}items/?kind=circular&q=1",
    f"{PROJECT}items/?disagree=injector",
    f"{PROJECT}items/?after=5",
    f"{PROJECT}items/?finding=no_op",
    f"{PROJECT}items/?finding=any&decision=incomplete",
    f"{PROJECT}items/bulk/?do=wanted&kind=circular",
    f"{PROJECT}reviewers/",
    f"{PROJECT}triage/",
    f"{PROJECT}adjudicate/",
    f"{PROJECT}questions/",
    f"{PROJECT}questions/?state=answered",
    f"{PROJECT}agreement/",
    f"{PROJECT}items/?run=RUN",
    f"{PROJECT}runs/",
    f"{PROJECT}runs/RUN/",
    f"{PROJECT}runs/RUN/?outcome=rejected&kind=circular",
    f"{PROJECT}runs/RUN/agreement/",
    f"{PROJECT}runs/RUN/units/UNIT/",
    f"{PROJECT}machines/judge/",
]


@pytest.mark.parametrize("path", LEAD_PAGES)
def test_a_leads_pages_make_the_same_queries_at_any_size(worlds: tuple[World, World], path: str) -> None:
    small, large = (get(world.lead, _of(world, path)) for world in worlds)
    assert len(small) == len(large), "\n".join(large)
    assert len(large) <= 25


def _of(world: World, path: str) -> str:
    return path.replace("RUN", str(world.unit.run_id)).replace("UNIT", str(world.unit.pk))


@pytest.mark.parametrize("path", ["/", PROJECT, f"{PROJECT}questions/", f"{PROJECT}mine/differences/"])
def test_a_reviewers_pages_make_the_same_queries_at_any_size(worlds: tuple[World, World], path: str) -> None:
    small, large = (get(world.reviewer, path) for world in worlds)
    assert len(small) == len(large), "\n".join(large)


@pytest.mark.parametrize("path", [path for path in LEAD_PAGES if "items" in path or "questions" in path])
def test_a_list_reads_no_json_column_of_a_solution(
    worlds: tuple[World, World], path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The report behind `disagree` is kept between requests, but not in tests; it looks at a few solutions' meta.
    monkeypatch.setattr("annotator.reports.slices.meta_keys", lambda loaded: [])
    read = "\n".join(get(worlds[1].lead, _of(worlds[1], path)))
    assert not [column for column in HIDDEN if column in read]


def test_an_items_page_makes_the_same_queries_at_any_size(worlds: tuple[World, World]) -> None:
    pages = [f"{PROJECT}items/{world.project.items.order_by('id')[0].pk}/" for world in worlds]
    small, large = (get(world.lead, page) for world, page in zip(worlds, pages, strict=True))
    assert len(small) == len(large), "\n".join(large)


def test_claim_draft_and_submit_make_the_same_queries_at_any_size(
    worlds: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        queue, "LOOK_EVERY_S", 0
    )  # every claim looks for expired ones, whatever the clock says
    small, large = (_reviewing(world.reviewer) for world in worlds)
    assert small == large


def test_looking_at_an_item_makes_the_same_queries_at_any_size(worlds: tuple[World, World]) -> None:
    small, large = (
        queries(lambda world=world: item_acts.look(by=world.lead, item=world.project.items.first()))
        for world in worlds
    )
    assert len(small) == len(large)


def _reviewing(me: Membership) -> dict[str, int]:
    """Queries of each act of one review."""
    counted: dict[str, int] = {}

    def act(name: str, do: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as captured:
            done = do()
        counted[name] = len(captured)
        return done

    with transaction.atomic():
        claimed = act("claim", lambda: queue.claim(by=me))
        of = {"by": me, "assignment_id": claimed.pk}
        act("draft", lambda: review.save_draft(**of, data={"labels": "++."}, version=0))
        act("submit", lambda: review.submit(**of, data={"labels": LABELS}))
        act("claim the next", lambda: queue.claim(by=me))
        transaction.set_rollback(True)
    return counted
