"""Other ways to go on from a step (PRM800K): shown, rated, kept beside the item's own annotation, exported."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotator import errors, hours, reports
from annotator.actions import review
from annotator.actions.alternatives import alternatives_of
from annotator.actions.decide import counting, final_annotations
from annotator.actions.exports import export_to
from annotator.actions.integrity import check_items
from annotator.models import Annotation, Assignment, Item, Membership, Phase, Project, Role, Solution
from annotator.policies import Operator
from annotator.views import my_work
from tests import factories as make
from tests.annotator.foreign import DATA, imported
from tests.annotator.reviewed import claimed
from tests.annotator.test_review_page import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Three records; the first stops at its third step, which has three alternatives."""
    made = make.project(protocol="label_steps")
    imported(made, DATA / "prm800k.jsonl", format="prm800k")
    return made


@pytest.fixture
def ferry(project: Project) -> Item:
    return project.items.order_by("id")[0]


def others(assignment: Assignment) -> dict[str, int]:
    """Text -> id."""
    return {one.text: one.id for one in alternatives_of(assignment)}


FOUR, BY_FERRY, FIVE = "So there must be $4$ trips.", "Trips are made by ferry.", "So $5$ trips."


def test_the_alternatives_of_a_step_are_found_in_one_query(ferry: Item) -> None:
    me = make.member(ferry.project)
    assignment = review.load(me, claimed(me, ferry).pk)
    found = alternatives_of(assignment)
    assert [(one.position, one.text) for one in found] == [(2, FOUR), (2, BY_FERRY), (2, FIVE)]
    with CaptureQueriesContext(connection) as captured:
        alternatives_of(assignment)
    assert len(captured) == 1
    assert f'"problem_id" = {ferry.solution.problem_id}' in captured[0]["sql"]


def test_items_of_other_formats_and_protocols_cost_no_query(ferry: Item) -> None:
    one, two = make.member(ferry.project), make.member(ferry.project)
    plain = review.load(one, claimed(one, make.plain_item(ferry.project)).pk)
    checked = review.load(two, claimed(two, ferry).pk)
    checked.item.protocol = "verify_labels"
    with CaptureQueriesContext(connection) as captured:
        assert alternatives_of(plain) == alternatives_of(checked) == []
    assert len(captured) == 0


def rated(me: Membership, item: Item, labels: str = "0+-.", **texts: str) -> Assignment:
    assignment = claimed(me, item)
    ids = others(assignment)
    chosen = {str(ids[{"four": FOUR, "five": FIVE}[name]]): label for name, label in texts.items()}
    review.submit(by=me, assignment_id=assignment.pk, data={"labels": labels, "alternatives": chosen})
    assignment.refresh_from_db()
    return assignment


def current(of: Assignment) -> dict[str, str]:
    """Last step -> labels, of what the assignment says now."""
    rows = Annotation.objects.filter(assignment=of, superseded_at=None).select_related("solution")
    return {row.solution.steps[-1]: row.labels for row in rows}


def test_a_rated_alternative_becomes_an_annotation_of_the_sibling(ferry: Item) -> None:
    me = make.member(ferry.project)
    mine = rated(me, ferry, four="+", five="-")
    assert current(mine) == {"# Answer\n\n3": "0+-.", FOUR: "..+", FIVE: "..-"}
    sibling = Annotation.objects.get(assignment=mine, labels="..-")
    assert (sibling.rater_id, sibling.phase, sibling.first_error) == (me.rater_id, Phase.BLIND, -2)
    assert sibling.duration_ms is None
    assert mine.draft["alternatives"]


def test_sent_twice_it_is_stored_once_and_reopening_replaces_it(ferry: Item) -> None:
    me = make.member(ferry.project)
    mine = rated(me, ferry, four="+", five="-")
    review.submit(by=me, assignment_id=mine.pk, data=mine.draft)
    assert Annotation.objects.filter(assignment=mine).count() == 3
    review.reopen(by=me, assignment_id=mine.pk)
    ids = others(mine)
    review.submit(
        by=me, assignment_id=mine.pk, data={"labels": "0+-.", "alternatives": {str(ids[FIVE]): "0"}}
    )
    assert current(mine) == {"# Answer\n\n3": "0+-.", FIVE: "..0"}
    assert Annotation.objects.filter(assignment=mine).exclude(superseded_at=None).count() == 3


def test_what_ends_early_rates_nothing(ferry: Item) -> None:
    me = make.member(ferry.project)
    mine = claimed(me, ferry)
    data = {"finish_reason": "give_up", "note": "Too hard.", "alternatives": {str(others(mine)[FOUR]): "+"}}
    review.submit(by=me, assignment_id=mine.pk, data=data)
    assert Annotation.objects.get(assignment=mine).solution_id == ferry.solution_id


def test_alternatives_of_a_step_without_a_label_are_not_rated(ferry: Item) -> None:
    mine = rated(make.member(ferry.project), ferry, "-...", four="+")
    assert current(mine) == {"# Answer\n\n3": "-..."}


def test_another_records_alternative_is_refused(ferry: Item, project: Project) -> None:
    me = make.member(project)
    mine = claimed(me, ferry)
    elsewhere = Solution.objects.get(project=project, steps__0="Add $2$.")
    for stranger in (elsewhere.pk, ferry.solution_id, 10**9):
        with pytest.raises(errors.Invalid) as refused:
            review.save_draft(
                by=me, assignment_id=mine.pk, data={"alternatives": {str(stranger): "+"}}, version=0
            )
        assert refused.value.field == "alternatives"


def test_everything_about_an_item_still_reads_its_own_solution_only(ferry: Item) -> None:
    """Two people agree on the item and not on an alternative: that is no conflict, no pair, no other outcome."""
    alice, bob = make.member(ferry.project, "alice"), make.member(ferry.project, "bob")
    first = rated(alice, ferry, four="+", five="-")
    rated(bob, ferry, four="-", five="0")
    ferry.refresh_from_db()
    assert (ferry.decision, ferry.n_submitted) == ("agreed", 2)
    assert ferry.gold is not None
    assert ferry.gold.solution_id == ferry.solution_id
    assert {row.solution_id for row in counting()} == {ferry.solution_id}
    assert len(final_annotations(ferry)) == 2
    assert list(check_items(by=Operator(), project=ferry.project)) == []
    found = reports.read(ferry.project).data
    assert found["n_annotations"] == 2
    assert found["people"]["percent"]["value"] == 1
    assert my_work.lines_of([first])[0].outcome == "wrong: step 3"
    assert [(day.reviewer, day.submitted, day.steps) for day in hours.days(ferry.project)] == [
        ("alice", 1, 3), ("bob", 1, 3),
    ]  # fmt: skip


def test_reopening_is_not_misled_by_a_sibling(ferry: Item) -> None:
    me = make.member(ferry.project)
    mine = rated(me, ferry, four="+")
    review.reopen(by=me, assignment_id=mine.pk)
    mine.refresh_from_db()
    assert mine.state == "claimed"
    assert list(check_items(by=Operator(), project=ferry.project)) == []


def test_an_export_puts_a_reviewers_record_together_again(ferry: Item) -> None:
    alice = make.member(ferry.project, "alice")
    rated(alice, ferry, four="+", five="-")
    (line,) = _exported(ferry.project, "reviewer:alice")
    last = line["label"]["steps"][-1]
    assert [one["rating"] for one in last["completions"]] == [-1, 1, None, -1]
    assert line["label"]["finish_reason"] == "found_error"


def test_a_lead_reads_what_was_said_of_each(ferry: Item) -> None:
    rated(make.member(ferry.project, "alice"), ferry, four="+", five="-")
    lead = make.member(ferry.project, "lead", Role.LEAD)
    with CaptureQueriesContext(connection) as captured:
        html = signed_in(lead).get(f"/p/{ferry.project.slug}/items/{ferry.pk}/").content.decode()
    assert len([query for query in captured if "sibling_of" in query["sql"]]) == 1
    table = html.split("<caption>Other ways to go on")[1].split("</table>")[0]
    assert table.count("<tr>") == 4
    assert table.count("alice") == 2
    assert table.count("prm800k") == 3


def _exported(project: Project, which: str) -> list[dict[str, Any]]:
    out = io.BytesIO()
    export_to(by=Operator(), project=project, format="prm800k", which=which, min_raters=1, out=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_plain_item_is_submitted_with_as_many_queries_as_ever(project: Project) -> None:
    me = make.member(project)
    item = make.plain_item(project, 1)
    mine = claimed(me, item)
    with CaptureQueriesContext(connection) as captured:
        review.submit(by=me, assignment_id=mine.pk, data={"labels": "++++"})
    assert not [query for query in captured if "sibling_of" in query["sql"]]
