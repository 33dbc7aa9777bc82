"""Two machines beside each other: counts against a naive version, thresholds, and the page."""

import csv
import itertools
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from annotator import errors
from annotator.core.labels import first_error
from annotator.core.methods import title
from annotator.models import Item, Membership, Project, Rater, Role, Solution
from synth import comparing
from synth.methods import consensus, estimates
from synth.methods.estimates import Draw, Estimate, Prefix
from tests import factories as make

pytestmark = pytest.mark.django_db
SAID = ("+++", "-..", "+-.", "++-", "+?.", "unread")
PAIRS = list(itertools.product(SAID, repeat=2))


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


@pytest.fixture
def lead() -> Membership:
    return make.member(make.project(), "lead", Role.LEAD)


@pytest.fixture
def client(lead: Membership) -> Client:
    client = Client()
    client.force_login(lead.user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def raters() -> tuple[Rater, Rater]:
    return Rater.objects.create(kind="judge", name="j"), Rater.objects.create(kind="rollouts", name="r")


def says(solution: Solution, rater: Rater, labels: str, **values: Any) -> None:
    row = make.machine_labels(solution, rater, "..." if labels == "unread" else labels)
    type(row).objects.filter(pk=row.pk).update(is_parsed=labels != "unread", **values)


def solution(project: Project, n: int, **meta: Any) -> Solution:
    made = make.solution(project, f"Question {n}?", ["a", "b", "c"])
    made.meta = meta
    made.save(update_fields=["meta"])
    return made


@pytest.fixture
def world(lead: Membership, raters: tuple[Rater, Rater]) -> list[Solution]:
    """A solution for every pair of what the two may say, and one that each judged alone."""
    rows = []
    for n, said in enumerate(PAIRS):
        made = solution(lead.project, n, source=f"s{n % 3}", final_answer_correct=n % 2 == 0)
        for rater, labels in zip(raters, said, strict=True):
            says(made, rater, labels)
        rows.append(made)
    says(solution(lead.project, 100), raters[0], "+++")
    says(solution(lead.project, 101), raters[1], "+++")
    return rows


def first(labels: str) -> int | None:
    return None if labels == "unread" else first_error(labels)


def page(client: Client, lead: Membership, query: str = "") -> Any:
    return client.get(f"/p/{lead.project.slug}/consensus/{query}")


def test_counts_are_those_of_one_by_one(lead: Membership, raters: tuple[Rater, Rater], world: Any) -> None:
    report = comparing.report(comparing.compared(lead.project, *raters))
    naive = consensus.tally((first(a), first(b)) for a, b in PAIRS)
    by_source = consensus.tally_by((f"s{n % 3}", first(a), first(b)) for n, (a, b) in enumerate(PAIRS))
    for part, table in [(report["all"], naive), *((report["slices"][s], t) for s, t in by_source.items())]:
        for name in (
            "both_none",
            "only_a",
            "only_b",
            "same",
            "differ",
            "not_comparable",
            "comparable",
            "kept",
        ):
            assert part[name] == getattr(table, name), name
        assert part["kept_share"]["value"] == table.kept_share
        assert {apart: n for apart, n in part["offsets"] if n} == +table.offsets
    assert (report["all"]["n"], report["n_only_a"], report["n_only_b"]) == (36, 1, 1)
    wrong = [n for n, (a, b) in enumerate(PAIRS) if n % 2 and -1 in (first(a), first(b))]
    assert report["n_none_but_wrong"] == len(wrong)


def test_the_ids_behind_each_number(
    lead: Membership, raters: tuple[Rater, Rater], world: list[Solution]
) -> None:
    found = comparing.compared(lead.project, *raters, by="source")
    said = {row.pk: (first(a), first(b)) for row, (a, b) in zip(world, PAIRS, strict=True)}
    words = {"kept": "kept", "apart": "apart", "not_comparable": "not_comparable"}
    for cell, word in words.items():
        assert found.ids(cell).tolist() == [
            pk for pk, pair in said.items() if consensus.compare(*pair) == word
        ]
    apart = [
        pk for pk, (a, b) in said.items() if a is not None and b is not None and min(a, b) >= 0 and a - b == 2
    ]
    assert found.ids("all", offset=2).tolist() == apart
    assert found.ids("all", value="s1").tolist() == [row.pk for row in world[1::3]]


def prefix(position: int, *verdicts: Any) -> Prefix:
    return Prefix(position, 4, tuple(Draw("5", verdict, "stop") for verdict in verdicts))


def rolled(solution: Solution, rater: Rater, estimate: Estimate) -> None:
    unit = make.unit(
        make.run(solution.project, "rollout"), solution=solution, result=json.dumps(estimates.dump(estimate))
    )
    says(solution, rater, estimates.labels(estimate), unit=unit)


def test_another_threshold_is_a_view_of_what_was_drawn(lead: Membership, raters: tuple[Rater, Rater]) -> None:
    made, imported, bare = (solution(lead.project, n) for n in range(3))
    r, w = "right", "wrong"
    prefixes = (prefix(0, r, r, r, w), prefix(1, r, w, w, w), prefix(2, r, r, w, w))
    rolled(made, raters[1], Estimate(3, 4, False, prefixes))
    says(imported, raters[1], "+++", scores=[1.0, 0.9, 0.2])
    says(bare, raters[1], "+++")
    for one in (made, imported, bare):
        says(one, raters[0], "+-.")
    by = {None: [-1, -1, -1], 0.25: [-1, 2, -2], 0.5: [1, 2, -2], 0.95: [0, 1, -2]}
    for threshold, expected in by.items():
        found = comparing.compared(lead.project, *raters, threshold=threshold)
        assert found.b.tolist() == expected
        assert found.a.tolist() == [1, 1, 1]
        assert found.n_unscored == (0 if threshold is None else 1)


def test_early_stop_has_no_other_threshold(lead: Membership, client: Client) -> None:
    judge = Rater.objects.create(kind="judge", name="j")
    early = Rater.objects.create(kind="rollouts", name="r", spec={"early_stop": True})
    made = solution(lead.project, 0)
    for rater in (judge, early):
        says(made, rater, "+++")
    assert "No other threshold: its draws ended at the first success" in page(client, lead).content.decode()
    refused = page(client, lead, "?threshold=0.5")
    assert refused.status_code == 400
    assert "draws ended at the first success" in refused.content.decode()
    with pytest.raises(errors.Invalid, match="first success"):
        comparing.compared(lead.project, judge, early, threshold=0.5)


def test_the_page_links_every_number_to_its_solutions(
    lead: Membership, client: Client, raters: tuple[Rater, Rater], world: list[Solution]
) -> None:
    text = page(client, lead).content.decode()
    assert "judge:j beside rollouts:r" in text
    share = comparing.report(comparing.compared(lead.project, *raters))["all"]["kept_share"]["value"]
    assert f"{100 * share:.1f} %" in text
    item = Item.objects.create(
        project=lead.project, solution=world[2], wanted=1, open_slots=1, protocol="verify_labels"
    )
    shown = page(client, lead, "?cell=only_b").content.decode()
    assert f"/items/{item.pk}/evidence/" in shown
    assert "only the rollouts: an error (3)" in shown
    assert "Question 2?" in shown
    assert "Question 0?" not in shown
    assert "the judge 1 step later" in page(client, lead, "?offset=1").content.decode()
    assert "source: s1 (12)" in page(client, lead, "?value=s1").content.decode()
    start = f"/machines/consensus/?judge={raters[0].pk}&amp;rollouts={raters[1].pk}"
    assert start in text
    form = client.get(f"/p/{lead.project.slug}{start.replace('&amp;', '&')}").content.decode()
    assert f'<option value="{raters[0].pk}" selected>' in form


def test_slices_by_length_and_meta(lead: Membership, client: Client, world: Any) -> None:
    by_length = page(client, lead, "?by=length&format=json").json()
    assert [(band, part["n"]) for band, part in by_length["slices"].items()] == [("1–4", 36)]
    by_answer = page(client, lead, "?by=meta:final_answer_correct&format=json").json()
    assert {value: part["n"] for value, part in by_answer["slices"].items()} == {"True": 18, "False": 18}
    assert "meta:final_answer_correct" in page(client, lead).content.decode()
    assert page(client, lead, "?by=nonsense").status_code == 400


def test_json_and_csv_say_the_same(lead: Membership, client: Client, world: Any) -> None:
    found = page(client, lead, "?format=json").json()
    sheet = b"".join(page(client, lead, "?format=csv")).decode()
    rows = list(csv.DictReader(sheet.splitlines()))
    assert [row["value"] for row in rows] == ["", "s0", "s1", "s2"]
    assert int(rows[0]["kept"]) == found["all"]["kept"] == 4
    listed = b"".join(page(client, lead, "?format=csv&of=solutions&cell=differ")).decode()
    lines = list(csv.DictReader(listed.splitlines()))
    assert {(row["a_first_error"], row["b_first_error"]) for row in lines} == {
        (str(a), str(b)) for a in range(3) for b in range(3) if a != b
    }
    everything = b"".join(page(client, lead, "?format=csv&of=solutions")).decode()
    assert {row["a_first_error"] for row in csv.DictReader(everything.splitlines())} == {
        "0", "1", "2", "none", "unknown", "not readable"
    }  # fmt: skip


def test_pages_of_solutions_go_on_by_key(
    lead: Membership, client: Client, world: list[Solution], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synth.consensus_list.PAGE", 20)
    text = page(client, lead).content.decode()
    assert (text.count("Question "), f"after={world[19].pk}" in text) == (20, True)
    second = page(client, lead, f"?after={world[19].pk}").content.decode()
    assert (second.count("Question "), 'rel="next"' in second) == (16, False)


def test_nothing_to_compare_says_what_to_do(lead: Membership, client: Client) -> None:
    assert "It takes two machines" in page(client, lead).content.decode()
    one, other = solution(lead.project, 0), solution(lead.project, 1)
    says(one, Rater.objects.create(kind="judge", name="j"), "+++")
    assert "Run <a" in page(client, lead).content.decode()
    says(other, Rater.objects.create(kind="rollouts", name="r"), "+++")
    assert (
        "They have judged no solution both: 1 only the judge, 1 only the rollouts."
        in page(client, lead).content.decode()
    )


@pytest.mark.parametrize("query", ["?a=0", "?cell=x", "?offset=99", "?threshold=2", "?threshold=x"])
def test_what_is_not_there_is_refused(lead: Membership, client: Client, world: Any, query: str) -> None:
    assert page(client, lead, query).status_code == 400


def test_the_same_rater_twice_is_refused(lead: Membership, client: Client, world: Any, raters: Any) -> None:
    refused = page(client, lead, f"?a={raters[0].pk}&b={raters[0].pk}")
    assert refused.status_code == 400
    assert "Choose two different raters." in refused.content.decode()


def test_queries_do_not_grow_with_rows(
    lead: Membership,
    client: Client,
    raters: tuple[Rater, Rater],
    world: Any,
    django_assert_max_num_queries: Any,
) -> None:
    with django_assert_max_num_queries(14):
        page(client, lead)
    for n in range(40):
        made = solution(lead.project, 200 + n)
        for rater in raters:
            says(made, rater, "+++")
    cache.clear()
    with django_assert_max_num_queries(14):
        page(client, lead)


def test_runs_of_it_lead_here(lead: Membership, client: Client, raters: tuple[Rater, Rater]) -> None:
    params = {"judge": raters[0].pk, "rollouts": raters[1].pk, "which": "all"}
    run = make.run(
        lead.project, "consensus", params=params, rater=Rater.objects.create(kind="consensus", name="c")
    )
    make.unit(run)
    text = client.get(f"/p/{lead.project.slug}/runs/{run.pk}/").content.decode()
    assert title("consensus") in text
    assert f"/consensus/?a={raters[0].pk}&amp;b={raters[1].pk}" in text
