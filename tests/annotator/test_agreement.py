"""The agreement report, with its arithmetic, its command and its page."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from annotator import reports
from annotator.actions import review
from annotator.models import Annotation, Item, Membership, Project, Rater, Role
from tests import factories
from tests.annotator.reviewed import claimed, submitted

pytestmark = pytest.mark.django_db


def plain(statistic: dict[str, Any]) -> dict[str, Any]:
    """A statistic without its interval."""
    return {name: value for name, value in statistic.items() if name != "interval"}


@pytest.fixture
def item() -> Item:
    """Four steps whose source calls the third wrong."""
    project = factories.project(protocol="label_steps", overlap=3, label_after_error=True)
    shown = factories.solution(project, "What is 1 + 1?", ["1. One.", "2. Two.", "3. Three.", "4. Four."])
    source, _ = Rater.objects.get_or_create(kind="source", name="processbench")
    factories.machine_labels(shown, source, "++-+")
    return factories.queued(project, shown, error_type="circular")


@pytest.fixture
def anna(item: Item) -> Membership:
    return factories.member(item.project, "anna")


@pytest.fixture
def ben(item: Item) -> Membership:
    return factories.member(item.project, "ben")


def test_of_nothing_everything_is_undefined_with_a_reason(item: Item) -> None:
    found = reports.agreement(item.project)
    assert plain(found["people"]["alpha"]) == {
        "value": None,
        "n": 0,
        "why": "no step was judged by two raters",
    }
    assert plain(found["injector"]["kappa"]) == {"value": None, "n": 0, "why": "no step was judged by both"}
    assert found["n_annotations"] == 0
    assert found["pairs"] == found["reviewers"] == found["machines"] == []
    assert found["kinds"] == {}


def test_people_with_each_other(item: Item, anna: Membership, ben: Membership) -> None:
    """++-+ beside +--+: 3 of 4 steps alike, and different first errors."""
    submitted(anna, item, "++-+")
    submitted(ben, item, "+--+")
    people = reports.agreement(item.project)["people"]
    assert plain(people["percent"]) == {"value": 3 / 4, "n": 4, "why": ""}
    # Coincidences of the 8 judgements: ++ 4, -- 2, +- and -+ 1 each; 5 are +, 3 are -.
    # alpha = 1 - (n - 1) * o / (n+ * n-) = 1 - 7 * 1 / (5 * 3)
    assert people["alpha"]["value"] == pytest.approx(1 - 7 / 15)
    assert people["alpha"]["n"] == 4
    assert plain(people["first_error"]) == {"value": 0, "n": 1, "why": ""}
    assert (people["n_solutions"], people["n_steps"], people["n_raters"]) == (1, 4, 2)
    assert people["n_disagreeing"] == 1


def test_every_pair_has_kappa(item: Item, anna: Membership, ben: Membership) -> None:
    submitted(anna, item, "++-+")
    submitted(ben, item, "+--+")
    (pair,) = reports.agreement(item.project)["pairs"]
    assert pair["raters"] == ["anna", "ben"]
    # po = 3/4; anna says + 3 of 4, ben 2 of 4: pe = 3/4 * 2/4 + 1/4 * 2/4 = 1/2; kappa = (3/4 - 1/2) / (1/2)
    assert plain(pair["kappa"]) == {"value": 0.5, "n": 4, "why": ""}


def test_people_with_the_injector(item: Item, anna: Membership, ben: Membership) -> None:
    submitted(anna, item, "++-+")
    submitted(ben, item, "+--+")
    found = reports.agreement(item.project)
    assert found["machines"] == ["processbench"]
    assert plain(found["injector"]["percent"]) == {"value": 7 / 8, "n": 8, "why": ""}
    assert plain(found["injector"]["first_error"]) == {"value": 1 / 2, "n": 2, "why": ""}
    assert found["injector"]["n_disagreeing"] == 1
    assert [(r["rater"], r["percent"]["value"]) for r in found["reviewers"]] == [("anna", 1), ("ben", 3 / 4)]


def test_it_is_also_by_kind(item: Item, anna: Membership, ben: Membership) -> None:
    plain = factories.queued(item.project, factories.solution(item.project, "And 2?", ["a", "b", "c", "d"]))
    for who, labels in ((anna, "++-+"), (ben, "++-+")):
        submitted(who, item, labels)
        submitted(who, plain, "+" * 4)
    kinds = reports.agreement(item.project)["kinds"]
    assert kinds["circular"]["people"]["alpha"]["value"] == 1
    assert kinds[""]["people"]["alpha"]["value"] is None
    assert kinds[""]["people"]["alpha"]["why"] == "only one label was ever used"
    assert kinds[""]["people"]["percent"]["value"] == 1


def test_the_blind_labels_count_and_not_those_after_the_reveal() -> None:
    project = factories.project()
    item = factories.injected_item(project)
    anna, ben = factories.member(project), factories.member(project)
    n_steps = item.solution.n_steps
    submitted(anna, item, "+" * n_steps, then="-" * n_steps)
    submitted(ben, item, "+" * n_steps)
    assert reports.agreement(project)["people"]["percent"]["value"] == 1


def test_only_those_who_saw_the_same_are_compared() -> None:
    project = factories.project(overlap=4)
    item = factories.injected_item(project)
    right, wrong = "+" * item.solution.n_steps, "-" * item.solution.n_steps
    for labels in (right, right):
        submitted(factories.member(project), item, labels)
    Project.objects.filter(pk=project.pk).update(blind_shows="solution")
    for labels in (wrong, wrong):
        late = factories.member(Project.objects.get(pk=project.pk))
        submitted(late, item, labels)
    found = reports.agreement(project)
    assert plain(found["people"]["percent"]) == {"value": 1, "n": 2 * item.solution.n_steps, "why": ""}
    assert found["people"]["n_disagreeing"] == 0
    assert {shows: sides["n_annotations"] for shows, sides in found["blind_shows"].items()} == {
        "diff": 2, "solution": 2,
    }  # fmt: skip
    assert len(found["pairs"]) == 2


def test_reviews_without_a_judgement_are_set_aside(item: Item, anna: Membership, ben: Membership) -> None:
    submitted(anna, item, "++-+")
    submitted(ben, item, "-...", finish_reason="bad_problem", note="No number.")
    found = reports.agreement(item.project)
    assert (found["n_annotations"], found["n_set_aside"]) == (1, 1)
    assert found["people"]["percent"]["value"] is None


def test_unsubmitted_and_reopened_work_does_not_count(item: Item, anna: Membership, ben: Membership) -> None:
    mine = submitted(anna, item, "++-+")
    submitted(ben, item, "++-+")
    review.reopen(by=anna, assignment_id=mine.pk)
    assert reports.agreement(item.project)["n_annotations"] == 1


def test_what_was_replaced_does_not_count(item: Item, anna: Membership) -> None:
    mine = submitted(anna, item, "+--+")
    review.reopen(by=anna, assignment_id=mine.pk)
    review.submit(by=anna, assignment_id=mine.pk, data={"labels": "++-+"})
    assert reports.agreement(item.project)["injector"]["percent"]["value"] == 1


def test_unsure_is_missing_and_never_a_disagreement(item: Item, anna: Membership, ben: Membership) -> None:
    submitted(anna, item, "++-+")
    submitted(ben, item, "+?-+")
    people = reports.agreement(item.project)["people"]
    assert plain(people["percent"]) == {"value": 1, "n": 3, "why": ""}
    assert people["n_disagreeing"] == 0
    assert people["first_error"]["value"] is None


def test_another_project_is_not_read(item: Item, anna: Membership) -> None:
    submitted(anna, item, "++-+")
    assert reports.agreement(factories.project())["n_annotations"] == 0


def test_the_reading_is_kept_until_something_happens(
    item: Item, anna: Membership, ben: Membership, settings: Any
) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "a"}
    }
    submitted(anna, item, "++-+")
    first = reports.current(item.project)
    Annotation.objects.filter(rater=anna.rater, assignment__isnull=False).update(superseded_at=timezone.now())
    assert reports.current(item.project).data == first.data
    submitted(ben, item, "++-+")
    assert reports.current(item.project).data != first.data


def test_the_command_writes_what_the_report_says(item: Item, anna: Membership, ben: Membership) -> None:
    submitted(anna, item, "++-+")
    submitted(ben, item, "+--+")
    out = StringIO()
    call_command("agreement", item.project.slug, "--json", stdout=out)
    assert json.loads(out.getvalue()) == reports.agreement(item.project)


def test_the_command_shows_undefined_with_its_reason(item: Item) -> None:
    out = StringIO()
    call_command("agreement", item.project.slug, stdout=out)
    assert "alpha – (no step was judged by two raters) [n 0]" in out.getvalue()
    assert "-1" not in out.getvalue().replace(item.project.slug, "")  # which may be check-1…


def test_the_command_names_a_project_it_does_not_know() -> None:
    with pytest.raises(CommandError, match="no project 'nowhere'"):
        call_command("agreement", "nowhere")


def test_the_page_shows_numbers_with_n_and_links_to_the_items(
    item: Item, anna: Membership, ben: Membership
) -> None:
    submitted(anna, item, "++-+")
    submitted(ben, item, "+--+")
    page = _page(factories.member(item.project, role=Role.LEAD))
    assert '75.0 % <span class="n">n 4</span>' in page
    assert "0.50</b>" in page
    assert 'items/?disagree=people">1 item with a disagreement' in page
    assert 'items/?disagree=injector&amp;kind=circular">1</a>' in page


def test_the_page_shows_a_dash_and_why(item: Item, anna: Membership, ben: Membership) -> None:
    for who in (anna, ben):
        submitted(who, item, "++++")
    page = _page(factories.member(item.project, role=Role.LEAD))
    assert "only one label was ever used" in page
    assert "None" not in page


def test_the_page_says_what_to_do_where_nothing_was_submitted(item: Item) -> None:
    assert "no review has been submitted" in _page(factories.member(item.project, role=Role.LEAD))


def test_reviewers_do_not_see_it(item: Item, anna: Membership) -> None:
    client = Client()
    client.force_login(anna.user)
    assert client.get(f"/p/{item.project.slug}/agreement/").status_code == 403


def test_a_claim_alone_is_no_annotation(item: Item, anna: Membership) -> None:
    claimed(anna, item)
    assert reports.agreement(item.project)["n_annotations"] == 0


def _page(lead: Membership) -> str:
    client = Client()
    client.force_login(lead.user)
    response = client.get(f"/p/{lead.project.slug}/agreement/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())
