"""The project page: progress, throughput, people, and what was imported."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from annotator.models import Assignment, Decision, Import, Item, Membership, Project, Role
from annotator.views import progress, project_page, words
from tests import factories
from tests.annotator.reviewed import submitted

pytestmark = pytest.mark.django_db


def page(who: Membership, path: str = "") -> str:
    client = Client()
    client.force_login(who.user)
    response = client.get(f"/p/{who.project.slug}/{path}")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


@pytest.fixture
def item() -> Item:
    return factories.injected_item(factories.project(overlap=1))


@pytest.fixture
def lead(item: Item) -> Membership:
    return factories.member(item.project, "lena", role=Role.LEAD)


@pytest.fixture
def reviewer(item: Item) -> Membership:
    return factories.member(item.project, "anna")


def test_an_empty_project_tells_a_lead_to_import() -> None:
    lead = factories.member(factories.project(), role=Role.LEAD)
    assert f'<a href="/p/{lead.project.slug}/imports/">import solutions</a>' in page(lead)


def test_an_empty_project_shows_a_reviewer_no_lead_page() -> None:
    reviewer = factories.member(factories.project())
    assert "No items yet" in page(reviewer)
    assert "/imports/" not in page(reviewer)


def test_items_are_counted_by_decision_and_link_to_their_list(item: Item, lead: Membership) -> None:
    factories.injected_item(item.project, 1, decision=Decision.CONFLICTED)
    found = progress.counts(item.project)
    assert found.by_decision[Decision.CONFLICTED] == found.by_decision[Decision.INCOMPLETE] == 1
    assert found.by_decision[Decision.AGREED] == 0
    assert (found.total, found.decided, found.open, found.held) == (2, 1, 2, 0)
    assert f'href="/p/{item.project.slug}/items/?decision=conflicted">1</a>' in page(lead)


def test_the_shares_of_the_bar_fill_it(item: Item) -> None:
    for number in (1, 2):
        factories.injected_item(item.project, number, decision=Decision.AGREED)
    shares = project_page._shares(progress.counts(item.project))
    assert sum(share.width for share in shares) == pytest.approx(100, abs=0.02)
    assert [share.n for share in shares] == [2, 0, 0, 1]
    assert shares[-1].x == pytest.approx(66.67)


def test_held_items_are_counted_and_not_open(item: Item) -> None:
    Item.objects.update(held=True)
    assert (progress.counts(item.project).open, progress.counts(item.project).held) == (0, 1)


def test_submissions_are_counted_by_day(item: Item, lead: Membership, reviewer: Membership) -> None:
    for number in range(3):
        done = submitted(reviewer, factories.injected_item(item.project, number), "+" * _n_steps(number))
        Assignment.objects.filter(pk=done.pk).update(
            submitted_at=timezone.now() - timedelta(days=20 * (number > 1))
        )
    days = project_page._days(item.project)
    assert len(days) == 14
    assert [day.n for day in days if day.n] == [2]
    assert days[-1].n == 2
    today = timezone.localdate()
    assert f'items/?day={today:%Y-%m-%d}">2</a>' in page(lead)
    assert "2 of 2" not in page(lead)
    listed = page(lead, f"items/?day={today:%Y-%m-%d}")
    assert listed.count('class="id"') == 2


def test_a_lead_sees_everybody_and_a_reviewer_only_themself(
    item: Item, lead: Membership, reviewer: Membership
) -> None:
    factories.member(item.project, "ben")
    assert "Who does what" in page(lead)
    assert all(f">{name}<" in page(lead) for name in ("anna", "ben", "lena"))
    own = page(reviewer)
    assert "My work" in own
    assert not any(f">{name}<" in own for name in ("ben", "lena"))


def test_the_pace_is_the_median_of_the_last_submissions(item: Item, reviewer: Membership) -> None:
    for number, ms in enumerate((1_000, 4_000, 90_000)):
        done = submitted(reviewer, factories.injected_item(item.project, number), "+" * _n_steps(number))
        done.annotations.update(duration_ms=ms)
    (person,) = project_page._people(item.project, reviewer)
    assert person.pace == "4 s"


def test_the_pace_forgets_what_is_long_past(
    item: Item, reviewer: Membership, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_page, "PACE_OF_LAST", 1)
    for number, ms in enumerate((90_000, 5_000)):
        done = submitted(reviewer, factories.injected_item(item.project, number), "+" * _n_steps(number))
        done.annotations.update(duration_ms=ms)
        Assignment.objects.filter(pk=done.pk).update(
            submitted_at=timezone.now() - timedelta(hours=2 - number)
        )
    (person,) = project_page._people(item.project, reviewer)
    assert person.pace == "5 s"


def test_without_submissions_time_and_pace_are_undefined(item: Item, reviewer: Membership) -> None:
    (person,) = project_page._people(item.project, reviewer)
    assert (person.active, person.pace) == ("–", "–")


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "–"),
        (400, "0 s"),
        (59_600, "60 s"),
        (119_000, "119 s"),
        (150_000, "2 min"),
        (7_500_000, "2 h 05"),
    ],
)
def test_durations_in_words(ms: int | None, text: str) -> None:
    assert words.duration(ms) == text


def test_means_by_kind_come_from_complete_imports(item: Item, lead: Membership) -> None:
    """Two imports of one kind: (30 + 20) steps / 5 items, (8 + 7) / 5 with an error …"""
    _imported(item.project, "complete", {"circular": _sums(3, 30, 6, 8, 3, 300)})
    _imported(
        item.project, "complete", {"circular": _sums(2, 20, 3, 7, 2, 250), "": _sums(1, 4, 0, 0, 0, 10)}
    )
    _imported(item.project, "failed", {"circular": _sums(100, 1, 1, 1, 1, 1)})
    circular, none, both = project_page._kinds(item.project)
    assert circular[2:] == (5, 10, 9 / 5, 15 / 5, 110)
    assert none[1:] == ("no kind", 1, 4, 0, None, 10)
    assert both[2:] == (6, 54 / 6, 9 / 6, 15 / 5, 560 / 6)
    shown = page(lead)
    assert "PRMBench, full" in shown
    assert "13.4" in shown
    assert "counts steps from 1" in shown
    assert 'items/?kind=circular">5</a>' in shown
    assert 'items/?kind=none">1</a>' in shown


def test_a_reviewer_does_not_see_what_the_data_claims(item: Item, reviewer: Membership) -> None:
    """In a small project the means by kind would tell the kind and the wrong steps of the item at hand."""
    _imported(item.project, "complete", {item.error_type: _sums(1, 7, 2, 3, 1, 100)})
    assert "by kind" not in page(reviewer)
    assert item.error_type not in page(reviewer)


def test_next_is_offered_while_something_is_open(item: Item, reviewer: Membership) -> None:
    assert "Next item" in page(reviewer)
    begun = submitted(reviewer, item, "+" * item.solution.n_steps)
    assert begun.state == "submitted"
    assert "Next item" not in page(reviewer)


def _n_steps(number: int) -> int:
    return len(factories.MADE[number % len(factories.MADE)].changed_steps)


def _sums(items: int, steps: int, wrong: int, first: int, with_error: int, chars: int) -> dict[str, int]:
    return {
        "items": items, "steps": steps, "wrong_steps": wrong, "first_errors": first,
        "with_error": with_error, "question_chars": chars,
    }  # fmt: skip


def _imported(project: Project, state: str, kinds: dict[str, dict[str, int]]) -> None:
    Import.objects.create(project=project, format="prmbench", state=state, report={"kinds": kinds})
