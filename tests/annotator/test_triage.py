"""The triage page, filters by finding, and acts on a whole filter from the pages."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from annotator.actions import bulk_items
from annotator.models import Assignment, Event, Finding, Import, Item, Membership, Project, Role
from annotator.policies import Operator
from annotator.views import item_filters, paging
from annotator.views.triage import rows_of
from tests import factories
from tests.annotator.reviewed import claimed, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead() -> Membership:
    return factories.member(factories.project(overlap=2), "lena", role=Role.LEAD)


@pytest.fixture
def items(lead: Membership) -> list[Item]:
    """Four items. no_op in the first (twice) and the second, which is of another kind; empty_step in the third."""
    made = [factories.injected_item(lead.project, number) for number in range(4)]
    for item, code in ((made[0], "no_op"), (made[0], "no_op"), (made[1], "no_op"), (made[2], "empty_step")):
        Finding.objects.create(project=lead.project, solution=item.solution, code=code, position=0)
    return made


def get(who: Membership, path: str, **data: Any) -> HttpResponse:
    client = Client()
    client.force_login(who.user)
    return client.get(f"/p/{who.project.slug}/{path}", data)


def text(who: Membership, path: str, **data: Any) -> str:
    response = get(who, path, **data)
    assert response.status_code == 200, response.content
    return " ".join(response.content.decode().split())


def post(who: Membership, path: str, **data: Any) -> HttpResponse:
    client = Client()
    client.force_login(who.user)
    return client.post(f"/p/{who.project.slug}/{path}", data)


def listed(lead: Membership, **filters: Any) -> list[int]:
    return [item.pk for item in get(lead, "items/", **filters).context["page"].rows]


def ids(items: list[Item]) -> list[int]:
    return [item.pk for item in items]


class TestTriage:
    def test_counts_findings_records_and_how_far_items_are(self, lead: Membership, items: list[Item]) -> None:
        Item.objects.filter(pk=items[0].pk).update(decision="agreed")
        Item.objects.filter(pk=items[2].pk).update(held=True)
        no_op, empty = rows_of(lead.project)
        assert (no_op.code, no_op.n_findings, no_op.n_records, no_op.n_items) == ("no_op", 3, 2, 2)
        assert (no_op.n_open, no_op.n_held, no_op.n_decided, no_op.first) == (1, 0, 1, items[0].pk)
        assert dict(no_op.kinds) == {items[0].error_type: 1, items[1].error_type: 1}
        assert (empty.n_open, empty.n_held, empty.n_decided) == (0, 1, 0)
        assert [part.width for part in no_op.parts] == [50, 0, 50]

    def test_two_items_of_one_solution_count_its_findings_once(
        self, lead: Membership, items: list[Item]
    ) -> None:
        factories.queued(lead.project, items[2].solution, protocol="label_steps")
        row = rows_of(lead.project)[1]
        assert (row.n_findings, row.n_records, row.n_items) == (1, 1, 2)

    def test_the_page_explains_and_turns_each_into_a_queue(self, lead: Membership, items: list[Item]) -> None:
        page = text(lead, "triage/")
        for words in (
            "Nothing changed",
            "Reject the injection",
            "it decides nothing",
            "Put first",
            "Assign to me",
        ):
            assert words in page
        assert f"do=assign&amp;finding=no_op&amp;open=yes&amp;to={lead.pk}" in page
        assert 'dense-4"><a' in page
        assert "Not found: Wrong step out of range" in page

    def test_without_findings_or_items_it_says_how_they_come(self, lead: Membership) -> None:
        assert "import solutions" in text(lead, "triage/")
        factories.injected_item(lead.project)
        assert "No check found anything" in text(lead, "triage/")

    def test_other_projects_findings_are_not_counted(self, lead: Membership, items: list[Item]) -> None:
        other = factories.injected_item(factories.project())
        Finding.objects.create(project=other.project, solution=other.solution, code="no_op")
        assert rows_of(lead.project)[0].n_findings == 3


class TestFilters:
    def test_by_finding(self, lead: Membership, items: list[Item]) -> None:
        assert listed(lead, finding="no_op") == ids(items[:2])
        assert listed(lead, finding="any") == ids(items[:3])
        assert listed(lead, finding="no_op", kind=items[1].error_type) == [items[1].pk]
        assert listed(lead, finding="arithmetic") == []
        assert get(lead, "items/", finding="x").status_code == 400

    def test_by_the_rest(self, lead: Membership, items: list[Item]) -> None:
        anna = factories.member(lead.project, "anna")
        claimed(anna, items[3])
        plain = factories.plain_item(lead.project, 1, protocol="label_steps")
        row = Import.objects.create(project=lead.project, format="prmbench", names=["a/b.jsonl"])
        type(plain.solution).objects.filter(pk=plain.solution_id).update(source_import=row)
        Item.objects.filter(pk=items[0].pk).update(held=True, retired=True)
        assert listed(lead, protocol="label_steps") == listed(lead, imported=row.pk) == [plain.pk]
        assert listed(lead, retired="yes") == [items[0].pk]
        assert listed(lead, hands=anna.rater_id) == [items[3].pk]
        assert f">{row.pk}: b.jsonl</option>" in text(lead, "items/")

    def test_pages_by_solution_hold_every_item_once(
        self, lead: Membership, items: list[Item], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(paging, "PAGE", 1)
        monkeypatch.setattr(item_filters, "SOLUTIONS_AT_ONCE", 2)
        twin = factories.queued(lead.project, items[0].solution, protocol="label_steps")
        pages, query = [], "finding=any&held=no"
        while query is not None:
            page = get(lead, f"items/?{query}").context["page"]
            pages.append([row.pk for row in page.rows])
            query = page.query
        assert [page for page in pages if page] == [[items[0].pk, twin.pk], [items[1].pk], [items[2].pk]]

    def test_rows_show_what_was_found(self, lead: Membership, items: list[Item]) -> None:
        assert '<span class="tag">Nothing changed</span>' in text(lead, "items/")

    def test_ids_are_those_of_all_pages(self, lead: Membership, items: list[Item]) -> None:
        for number, me in enumerate((factories.member(lead.project), factories.member(lead.project))):
            labels = "-" if number else "+"
            submitted(me, items[0], labels + "+" * (items[0].solution.n_steps - 1))
        for chosen in (
            {},
            {"finding": "any"},
            {"finding": "no_op", "disagree": "people"},
            {"disagree": "people"},
        ):
            form = item_filters.ItemFilter(lead.project, chosen)
            assert form.is_valid()
            assert form.ids() == listed(lead, **chosen)


class TestBulk:
    def test_first_it_says_how_many_and_changes_nothing(self, lead: Membership, items: list[Item]) -> None:
        page = text(lead, "items/bulk/", do="hold", finding="no_op")
        assert "up to <b>2</b> items" in page
        assert "Nothing changed" in page
        assert not Item.objects.filter(held=True).exists()

    def test_then_it_does_it_to_the_whole_filter(self, lead: Membership, items: list[Item]) -> None:
        done = self.act(lead, {"finding": "no_op"}, do="hold", because="Look first.")
        assert done.status_code == 302
        assert done["Location"] == f"/p/{lead.project.slug}/items/?finding=no_op"
        held = Item.objects.filter(held=True)
        assert [(item.pk, item.held_because) for item in held.order_by("id")] == [
            (pk, "Look first.") for pk in ids(items[:2])
        ]
        assert Event.objects.get(verb="bulk").data["chosen"] == "Finding: Nothing changed"

    def test_every_deed(self, lead: Membership, items: list[Item]) -> None:
        anna = factories.member(lead.project, "anna")
        self.act(lead, {}, do="wanted", n=4, because="Hard.")
        self.act(lead, {}, do="priority", n=7)
        self.act(lead, {"tick": [items[0].pk]}, do="assign", to=anna.pk)
        first = Item.objects.get(pk=items[0].pk)
        assert (first.wanted, first.open_slots, first.priority) == (4, 3, 7)
        assert Assignment.objects.get().rater_id == anna.rater_id
        self.act(lead, {}, do="unassign", to="")
        self.act(lead, {}, do="retire", because="Old.")
        assert Item.objects.filter(retired=True, open_slots=4).count() == 4
        self.act(lead, {}, do="release", because="New.")
        assert not Item.objects.filter(held=True).exists()

    def test_assigned_to_oneself_one_goes_on_to_ones_work(self, lead: Membership, items: list[Item]) -> None:
        done = self.act(lead, {"finding": "no_op"}, do="assign", to=lead.pk)
        assert done["Location"] == f"/p/{lead.project.slug}/mine/"

    def test_ticked_items_only(self, lead: Membership, items: list[Item]) -> None:
        other = factories.injected_item(factories.project())
        asked = get(lead, "items/bulk/", do="hold", finding="no_op", tick=[items[3].pk, other.pk])
        assert asked.context["choice"].ids == [items[3].pk]

    def test_what_was_not_shown_is_not_changed(self, lead: Membership, items: list[Item]) -> None:
        seen = get(lead, "items/bulk/", do="hold", finding="no_op").context["choice"].seen
        Finding.objects.create(project=lead.project, solution=items[3].solution, code="no_op")
        refused = post(lead, "items/bulk/", do="hold", finding="no_op", seen=seen, because="Look first.")
        assert refused.status_code == 409
        assert b"up to <b>3</b> items" in refused.content
        assert b"Look first." in refused.content
        assert not Item.objects.filter(held=True).exists()

    @pytest.mark.parametrize(
        ("do", "given"),
        [("hold", {}), ("wanted", {"n": 0, "because": "x"}), ("priority", {"n": "x"}), ("assign", {"to": 0})],
    )
    def test_bad_input_is_said_at_its_field_and_changes_nothing(
        self, lead: Membership, items: list[Item], do: str, given: dict[str, Any]
    ) -> None:
        refused = self.act(lead, {}, do=do, **given)
        assert refused.status_code == 400
        assert b"errorlist" in refused.content
        assert not Event.objects.exists()

    def test_no_item_no_button(self, lead: Membership) -> None:
        assert "No item passes" in text(lead, "items/bulk/", do="hold")

    @pytest.mark.parametrize("data", [{}, {"do": "x"}, {"do": "hold", "kind": "x"}])
    def test_an_unknown_act_or_filter_is_refused(self, lead: Membership, data: dict[str, str]) -> None:
        assert get(lead, "items/bulk/", **data).status_code == 400

    def test_the_page_counts_what_was_left_alone(self, lead: Membership, items: list[Item]) -> None:
        bulk_items.hold_items(by=Operator(), project=lead.project, item_ids=ids(items[:1]), because="?")
        client = Client()
        client.force_login(lead.user)
        path = f"/p/{lead.project.slug}/items/bulk/"
        seen = client.get(path, {"do": "hold"}).context["choice"].seen
        page = client.post(path, {"do": "hold", "seen": seen, "because": "!"}, follow=True).content.decode()
        assert "3 items changed; 1 were held already." in page

    def act(self, lead: Membership, chosen: dict[str, Any], **given: Any) -> HttpResponse:
        asked = {"do": given["do"], **chosen}
        seen = get(lead, "items/bulk/", **asked).context["choice"].seen
        return post(lead, "items/bulk/", seen=seen, **chosen, **given)


def test_another_projects_triage_is_hidden(lead: Membership) -> None:
    """Another project's lead sees none of it."""
    other: Project = factories.project()
    client = Client()
    client.force_login(lead.user)
    assert client.get(f"/p/{other.slug}/triage/").status_code == 404
