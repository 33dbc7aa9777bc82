"""A project's raters measured: the same numbers as on files, by released labels and by people's."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Replace
from django.test.utils import CaptureQueriesContext

from annotator import errors
from annotator.actions import second_look
from annotator.actions.record import record as record_event
from annotator.models import Annotation, Decision, Item, Project, Rater, Run, Solution
from annotator.policies import Operator
from scoring import evaluations as ev
from scoring.evaluating import board, truths
from scoring.evaluating import said as sayings
from scoring.prm import catalogue
from tests import factories
from tests.annotator.foreign import PROCESSBENCH, imported, jsonl, record
from tests.annotator.reviewed import submitted
from tests.scoring.benched import Bench, annotate, bench, released

pytestmark = pytest.mark.django_db


def _command(*args: str) -> dict[str, Any]:
    out = StringIO()
    call_command("benchmark", *args, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.fixture
def small() -> Bench:
    return bench(n=4, verified=3)


def _records(n: int = 6) -> list[dict[str, Any]]:
    """Problems with one redundancy and one deception each; a claim out of range."""
    rows = []
    for k in range(n):
        steps = [f"Step {at} of {k}." for at in range(3 + k % 2)]
        about = {"idx": f"p_{k}", "original_question": f"{k}?", "modified_question": f"{k}?"}
        made = {"original_process": steps[:-1], "modified_process": steps, **about}
        rows.append(record(**made, modified_steps=[2], error_steps=[2], classification="redundency"))
        rows.append(record(**made, modified_steps=[3], error_steps=[3, 9], classification="deception"))
    return rows


def _results(n: int = 6) -> list[dict[str, Any]]:
    """Wrong about some; one row short, one long, one unparsed, one not there."""
    rows = []
    for k in range(n):
        for kind in ("redundency", "deception", "correct"):
            n_steps = 3 + k % 2 - (kind == "correct")
            n_said = n_steps + (k == 2) - (k == 3)
            scores = [round(0.9 - 0.17 * ((at + k) % 4), 2) for at in range(n_said)]
            rows.append({
                "idx": f"{kind}_p_{k}",
                "scores": {
                    "step_level_validity_scores": scores,
                    "step_level_validity_labels": [score > 0.5 for score in scores],
                },
            })  # fmt: skip
    rows[4] = {"idx": rows[4]["idx"], "scores": {}, "validity": False}
    return rows[:-2]


@pytest.mark.parametrize("more", [(), ("--reading", "strict"), ("--threshold", "0.7")])
def test_a_project_and_files_give_the_same_report(tmp_path: Path, more: tuple[str, ...]) -> None:
    data = jsonl(tmp_path / "d.jsonl", *_records())
    results = jsonl(tmp_path / "r.jsonl", *_results())
    project = factories.project()
    imported(project, data)
    call_command(
        "import_annotations",
        project.slug,
        str(results),
        format="prmbench_results",
        rater="prm:m",
        stdout=StringIO(),
    )
    files = _command("prmbench", "--data", str(data), "--predictions", str(results), "--draws", "50", *more)
    rows = _command("prmbench", "--project", project.slug, "--rater", "prm:m", "--draws", "50", *more)
    for name in (
        "overall",
        "kinds",
        "groups",
        "correct",
        "bias",
        "positions",
        "intervals",
        "readings",
        "baselines",
    ):
        assert rows[name] == files[name], name
    # An unparsed row of the file has no steps to be short of; of the project neither.
    for name in ("n_items", "n_absent", "n_unparsed", "n_long"):
        assert rows[name] == files[name], name
    assert rows["score"] == files["overall"]["prm_score"]
    assert rows["profile"]["n_solutions"] == files["profile"]["n_solutions"]


def test_released_and_gold_are_of_the_same_solutions_and_steps(small: Bench) -> None:
    """The first item's claim was found to be no error: what the model says of that step is right by one truth only."""
    found = ev.evaluate(small.project, "prmbench", small.other, labels="both", draws=0)
    assert (found["n_items"], found["n_gold"]) == (4, 3)
    gold, same, whole = (found[side]["overall"] for side in ("gold", "released", "released_all"))
    assert gold["n_steps"] == same["n_steps"] < whole["n_steps"]
    moved = released(small.items[0]).count("-")
    assert same["n_wrong"] - gold["n_wrong"] == moved
    assert gold["accuracy"] > same["accuracy"]  # it calls everything right


def test_a_step_that_gold_leaves_open_counts_on_neither_side(small: Bench) -> None:
    item = Item.objects.get(pk=small.items[1].pk)
    assert item.gold is not None
    labels = item.gold.labels
    Annotation.objects.filter(pk=item.gold_id).update(labels="?" + labels[1:])
    found = ev.evaluate(small.project, "prmbench", small.model, labels="both", draws=0)
    n = sum(len(released(one)) for one in small.items[:3]) - 1
    assert found["gold"]["overall"]["n_steps"] == found["released"]["overall"]["n_steps"] == n


def test_a_settled_item_stands_before_an_agreed_one_and_a_judgement_before_none(small: Bench) -> None:
    item = small.items[2]
    mine = factories.machine_labels(
        item.solution, Rater.objects.create(kind="judge", name="j"), "-" * item.solution.n_steps
    )
    second = factories.queued(small.project, item.solution, protocol="label_steps")
    Item.objects.filter(pk=second.pk).update(decision=Decision.SETTLED, gold=mine)
    found = ev.evaluate(small.project, "prmbench", small.model, labels="gold", draws=0)
    n_before = sum(released(one).count("-") for one in small.items[1:2])
    assert found["overall"]["n_wrong"] == n_before + item.solution.n_steps
    Annotation.objects.filter(pk=mine.pk).update(finish_reason="give_up")
    found = ev.evaluate(small.project, "prmbench", small.model, labels="gold", draws=0)
    assert found["overall"]["n_wrong"] == n_before + released(item).count("-")


def test_what_is_taken_down_or_retired_is_left_out_and_counted(small: Bench) -> None:
    Item.objects.filter(pk=small.items[3].pk).update(retired=True, held=True)
    counted = {"n_items": 3, "n_gold": 3, "n_under_review": 0, "n_left_out": {"retired": 1}}
    assert ev.counts(small.project, "prmbench") == counted


def test_people_are_measured_on_what_they_were_given(small: Bench) -> None:
    known = {one.name: one for one in ev.raters(small.project, "prmbench")}
    people = [one for one in known.values() if one.kind == "reviewer"]
    assert [one.n for one in people] == [1, 1, 1]
    assert list(known)[:2] == ["prm:half", "prm:half-blind"]
    reviewer = ev.find_rater(small.project, str(people[0].id))
    found = ev.evaluate(small.project, "prmbench", reviewer, reading="strict", draws=0)
    # Strictly what is absent is wrong; but nobody asked them the other items.
    wrong = released(small.items[0]).count("-")
    n = len(released(small.items[0]))
    assert (found["overall"]["n_items"], found["overall"]["accuracy"]) == (
        1,
        pytest.approx(100 * (n - wrong) / n),
    )
    # They made the one gold that they could be held against.
    gold = ev.evaluate(small.project, "prmbench", reviewer, labels="gold", draws=0)
    assert (gold["overall"]["n_items"], gold["score"], gold["n_own"]) == (0, None, 1)
    Annotation.objects.filter(pk=Item.objects.get(pk=small.items[0].pk).gold_id).update(rater=small.model)
    Item.objects.filter(pk=small.items[0].pk).update(decision=Decision.SETTLED)
    rows = ev.leaderboard(small.project, "prmbench", draws=0)["rows"]
    assert {row["rater"]["kind"] for row in rows if row["all"]["rank"]} == {"prm"}


def test_people_are_held_against_released_labels_by_what_they_said_blind() -> None:
    """Whoever has seen the claim and copies it knows what was released: that is no measure of them."""
    small = bench(n=3, verified=0)
    claimed, me = released(small.items[0]), factories.member(small.project)
    submitted(me, small.items[0], "+" * len(claimed), then=claimed)
    reviewer = Rater.objects.get(kind="reviewer", user=me.user)
    found = ev.evaluate(small.project, "prmbench", reviewer, draws=0)
    assert found["overall"]["wrong_step_accuracy"] == 0
    missed = ev.misses(small.project, "prmbench", reviewer).rows
    assert len(missed) == claimed.count("-")
    against = ev.misses(small.project, "prmbench", reviewer, labels="gold").rows
    assert against == []  # their last word is the gold


def test_a_last_word_that_is_no_judgement_is_none_at_all() -> None:
    small = bench(n=2, verified=0)
    claimed, me = released(small.items[0]), factories.member(small.project)
    submitted(me, small.items[0], claimed)
    Annotation.objects.filter(assignment__item=small.items[0], phase="revealed").update(
        finish_reason="give_up"
    )
    reviewer = Rater.objects.get(kind="reviewer", user=me.user)
    assert not sayings.load(small.project, reviewer)
    assert len(sayings.load(small.project, reviewer, blind=True)) == 1


def test_raters_are_found_by_id_and_by_name(small: Bench) -> None:
    assert ev.find_rater(small.project, "prm:half") == small.model
    assert ev.find_rater(small.project, str(small.model.pk)) == small.model
    elsewhere = Rater.objects.create(kind="prm", name="elsewhere")
    for spelled in ("prm:nobody", "half", "", "999999999999999999999", str(elsewhere.pk), "prm:elsewhere"):
        with pytest.raises(errors.Invalid, match="no rater"):
            ev.find_rater(small.project, spelled)
    twin = Rater.objects.create(kind="prm", name="half", digest="ab")
    annotate(small.items[0], twin, released(small.items[0]))
    with pytest.raises(errors.Invalid, match="several"):
        ev.find_rater(small.project, "prm:half")
    assert ev.find_rater(small.project, f"prm:half@{twin.pk}") == twin
    # A number after an @ chooses among raters of that name, and no other; a name may end so itself.
    with pytest.raises(errors.Invalid, match="no rater"):
        ev.find_rater(small.project, f"prm:no-such-model@{twin.pk}")
    with pytest.raises(errors.Invalid, match="no rater"):
        ev.find_rater(small.project, f"judge:half@{twin.pk}")
    checkpoint = Rater.objects.create(kind="prm", name=f"ckpt@{small.other.pk}")
    annotate(small.items[0], checkpoint, released(small.items[0]))
    assert ev.find_rater(small.project, f"prm:ckpt@{small.other.pk}") == checkpoint


def test_finding_a_rater_counts_nobody_s_annotations(small: Bench) -> None:
    with CaptureQueriesContext(connection) as queries:
        ev.find_rater(small.project, "prm:half")
    assert not [query for query in queries if "COUNT(" in query["sql"]]


def test_the_leaderboard_ranks_each_side_by_itself(small: Bench) -> None:
    found = ev.leaderboard(small.project, "prmbench", draws=20)
    rows = {row["rater"]["name"]: row for row in found["rows"]}
    assert rows["prm:half"]["all"]["rank"] < rows["prm:half-blind"]["all"]["rank"]
    for row in rows.values():
        assert row["all"]["n_items"] >= row["gold"]["n_items"] == row["released"]["n_items"]
    (came,) = found["came"]
    assert (came["rater"]["kind"], came["all"]) == ("injector", None)
    assert 0 < came["gold"]["score"] < 100  # what was released, by what people found
    assert found["people"]["overall"] == 83.8
    averages = {one["table"]: one["overall"] for one in found["averages"] if one["kind"] == "prm"}
    assert averages == {"first": pytest.approx(50.1, abs=0.05), "later": pytest.approx(57.7, abs=0.05)}
    assert found["baselines"]["base rate"]["overall"] == pytest.approx(50)


def test_the_leaderboard_costs_no_query_a_row(small: Bench) -> None:
    def cost(of: Project) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ev.leaderboard(of, "prmbench", draws=5)
        return len(queries)

    assert cost(small.project) == cost(bench(n=9, verified=3, model="other").project)


@pytest.fixture
def kept(settings: Any) -> Iterator[None]:
    """With a cache, which tests are usually without."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "ev"}
    }
    yield
    cache.clear()


def test_rows_that_are_ranked_beside_each_other_are_of_one_truth(small: Bench) -> None:
    """One was kept since before a label changed, the other is new: they would be held against different labels."""
    keys: list[str] = []

    def remember(key: str, compute: Callable[[], Any]) -> Any:
        keys.append(key)
        return compute()

    record_event(Operator(), "look", small.project)
    for _ in range(2):
        board.leaderboard(ev._by(small.project, "prmbench"), remember)
        record_event(Operator(), "look", small.project)
    half = len(keys) // 2
    assert half
    assert not set(keys[:half]) & set(keys[half:])


@pytest.mark.usefixtures("kept")
def test_the_second_look_costs_no_query_a_rater(small: Bench) -> None:
    def second(of: Project) -> int:
        record_event(Operator(), "look", of)
        ev.leaderboard(of, "prmbench", draws=5)
        with CaptureQueriesContext(connection) as queries:
            ev.leaderboard(of, "prmbench", draws=5)
        return len(queries)

    before = second(small.project)
    for name in ("a", "b", "c"):
        annotate(small.items[0], Rater.objects.create(kind="prm", name=name), released(small.items[0]))
    assert second(small.project) == before <= 4


@pytest.mark.usefixtures("kept")
def test_what_a_run_has_done_is_seen_before_it_ends(small: Bench) -> None:
    record_event(Operator(), "start_run", small.project)
    run = Run.objects.create(project=small.project, method="score", task="t", drives="d", n_done=1)
    before = ev.evaluate(small.project, "prmbench", small.model, draws=0)
    Annotation.objects.filter(rater=small.model).update(labels=Replace("labels", Value("+"), Value("-")))
    assert ev.evaluate(small.project, "prmbench", small.model, draws=0) == before
    Run.objects.filter(pk=run.pk).update(n_done=2)
    assert ev.evaluate(small.project, "prmbench", small.model, draws=0)["overall"]["f1"] == 0


def test_two_raters_side_by_side(small: Bench) -> None:
    found = ev.compare(small.project, "prmbench", small.model, small.other, draws=50)
    assert (found["n_items"], found["n_only_a"], found["n_only_b"]) == (4, 0, 0)
    assert found["overall"]["difference"] > 0
    back = ev.compare(small.project, "prmbench", small.other, small.model, draws=50)
    assert back["overall"]["difference"] == pytest.approx(-found["overall"]["difference"])
    pairs = ev.disagreements(small.project, "prmbench", small.model, small.other).rows
    apart = [(row.item, row.position) for row in pairs]
    wrong = [
        (item.pk, at) for item in small.items[1::2] for at, label in enumerate(released(item)) if label == "-"
    ]
    assert apart == wrong  # every second item's wrong steps
    assert {(row.a, row.b, row.truth) for row in pairs} == {("-", "+", "-")}
    table = ev.confusion(small.project, small.model, small.other)["table"]
    assert table == [
        [0, 0, len(wrong)],
        [0, 0, 0],
        [0, 0, sum(len(released(i)) for i in small.items) - len(wrong)],
    ]


def test_misses_come_by_pages_and_lead_to_their_items(small: Bench) -> None:
    expected = [
        (item.pk, at) for item in small.items for at, label in enumerate(released(item)) if label == "-"
    ]
    seen, after = [], None
    for _ in range(20):
        page = ev.misses(small.project, "prmbench", small.other, after=after, limit=2)
        assert len({row.solution for row in page.rows}) <= 2
        seen += [(row.item, row.position) for row in page.rows]
        after = page.after
        if after is None:
            break
    assert seen == expected
    counted = ev.n_misses(small.project, "prmbench", small.other)
    assert sum(one["n_steps"] for one in counted.values()) == len(expected)
    assert sorted(pk for one in counted.values() for pk in one["items"]) == [item.pk for item in small.items]
    kind = small.items[1].error_type
    of_kind = ev.misses(small.project, "prmbench", small.other, kind=kind).rows
    assert {row.kind for row in of_kind} == {kind}
    assert (of_kind[0].said, of_kind[0].truth) == ("+", "-")
    assert of_kind[0].score is not None
    # Pages are of whole solutions, and a cursor that is none asks for the first page.
    solution = small.items[0].solution_id
    assert {
        row.solution for row in ev.misses(small.project, "prmbench", small.other, after=str(solution)).rows
    } == {item.solution_id for item in small.items[1:]}
    assert (
        ev.misses(small.project, "prmbench", small.other, after=f"{solution}-0").rows[0].item
        == expected[0][0]
    )
    assert ev.misses(small.project, "prmbench", small.other, after="x").rows[0].item == expected[0][0]
    # By people's labels the first item has no wrong step.
    assert small.items[0].pk not in {
        row.item for row in ev.misses(small.project, "prmbench", small.other, labels="gold").rows
    }


def test_a_page_of_misses_costs_the_same_in_a_larger_project(small: Bench) -> None:
    def cost(of: Bench) -> int:
        ev.counts(of.project, "prmbench")
        with CaptureQueriesContext(connection) as queries:
            ev.misses(of.project, "prmbench", of.other, limit=3)
        return len(queries)

    assert cost(small) == cost(bench(n=9, verified=3, model="other"))


def test_a_page_costs_the_same_however_long_a_rater_was_right(small: Bench) -> None:
    """Of one that never misses nothing is read solution by solution."""

    def cost(of: Bench, who: Rater) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert not ev.misses(of.project, "prmbench", who, limit=1).rows
            assert not ev.disagreements(of.project, "prmbench", who, who, limit=1).rows
        return len(queries)

    perfect = Rater.objects.create(kind="prm", name="perfect")
    larger = bench(n=9, verified=3, model="other")
    for item in (*small.items, *larger.items):
        annotate(item, perfect, released(item))
    with pytest.MonkeyPatch.context() as patched:
        for module in (truths, sayings):
            patched.setattr(module, "AT_ONCE", 2)
        assert cost(small, perfect) == cost(larger, perfect)


def test_sent_to_review_an_item_keeps_its_gold_until_it_is_decided_anew(small: Bench) -> None:
    def by_gold() -> list[Any]:
        found = ev.evaluate(small.project, "prmbench", small.model, labels="gold", draws=0)
        return [found["score"], found["overall"]["n_items"], found["overall"]["wrong_step_accuracy"]]

    ids, before = [item.pk for item in small.items[:2]], by_gold()
    second_look.send_to_review(
        by=small.lead, project=small.project, item_ids=ids, because="It says otherwise."
    )
    assert Item.objects.filter(gold=None, pk__in=ids).count() == 2
    assert by_gold() == before
    assert (
        ev.counts(small.project, "prmbench")["n_gold"],
        ev.counts(small.project, "prmbench")["n_under_review"],
    ) == (3, 2)
    # Sent once more while it waits, and contradicted: what it had still stands.
    second_look.send_to_review(by=small.lead, project=small.project, item_ids=ids, because="Again.")
    submitted(factories.member(small.project), small.items[0], "-" * len(released(small.items[0])))
    assert Item.objects.get(pk=ids[0]).decision == Decision.CONFLICTED
    assert by_gold() == before
    # A lead decides, and takes that back: then nothing is known.
    Item.objects.filter(pk=ids[0]).update(decision=Decision.INCOMPLETE)
    record_event(Operator(), "reopen_decision", small.project, item=small.items[0])
    assert by_gold()[1] == before[1] - 1
    second_look.take_back(by=small.lead, project=small.project, item_ids=ids[1:])
    assert ev.counts(small.project, "prmbench")["n_under_review"] == 0


def test_what_people_moved(small: Bench) -> None:
    found = ev.moved(small.project, "prmbench", draws=20)
    moved = released(small.items[0]).count("-")
    assert (found["n_items"], found["n_items_moved"]) == (3, 1)
    assert (found["n_steps_moved"], found["to_right"], found["to_wrong"]) == (moved, moved, 0)
    rows = {row["rater"]["name"]: row for row in found["raters"]}
    blind = rows["prm:half-blind"]
    both = ev.evaluate(small.project, "prmbench", small.other, labels="both", draws=0)
    assert (blind["released"], blind["gold"]) == (both["released"]["score"], both["gold"]["score"])
    assert blind["difference"] == pytest.approx(blind["gold"] - blind["released"])
    steps = ev.moved_steps(small.project, "prmbench").rows
    assert [(row.item, row.released, row.gold) for row in steps] == [(small.items[0].pk, "-", "+")] * moved


def test_a_threshold_of_a_project_s_rater(small: Bench) -> None:
    with pytest.raises(errors.Invalid, match="No threshold"):
        ev.sweep(bench(n=1, verified=0, model="one").project, "prmbench", Rater.objects.get(name="one"))
    project = bench(n=24, verified=0, model="many").project
    found = ev.sweep(project, "prmbench", Rater.objects.get(name="many"), draws=0)
    assert found["chosen"]["n_items"] + found["reported"]["n_items"] == 24
    judge = Rater.objects.create(kind="judge", name="bare")
    item = project.items.first()
    assert item
    factories.machine_labels(item.solution, judge, released(item))
    with pytest.raises(errors.Invalid, match="step scores"):
        ev.sweep(project, "prmbench", judge)


@pytest.mark.parametrize(
    ("args", "field"),
    [({"benchmark": "glue"}, "benchmark"), ({"labels": "silver"}, "labels"), ({"reading": "kind"}, "reading"),
     ({"benchmark": "best_of_n"}, "benchmark")],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_by_field(small: Bench, args: dict[str, str], field: str) -> None:
    wanted: dict[str, Any] = {"benchmark": "prmbench", "rater": small.model, **args}
    with pytest.raises(errors.Invalid) as refused:
        ev.evaluate(small.project, **wanted)
    assert refused.value.field == field


def test_the_command_says_what_moved_in_a_line_a_kind(small: Bench) -> None:
    out = StringIO()
    args = ("prmbench", "--project", small.project.slug, "--rater", "prm:half-blind", "--labels", "both")
    call_command("benchmark", *args, "--draws", "0", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("3 of 4 have gold")
    score = next(line.split() for line in lines if line.startswith("score"))
    assert float(score[3]) - float(score[2]) == pytest.approx(float(score[4]), abs=0.011)
    assert any("–" in line for line in lines)  # a kind without gold


def test_the_command_on_a_project(small: Bench) -> None:
    args = ("prmbench", "--project", small.project.slug, "--rater", "prm:half", "--draws", "20")
    both = _command(*args, "--labels", "both")
    assert both["gold"]["score"] != both["released"]["score"]
    found = _command(*args, "--against", "prm:half-blind", "--labels", "gold")
    assert found["against"]["overall"]["a"] == pytest.approx(found["score"])
    for wrong, said in ((("--rater", "prm:x"), "no rater"), (("--project", "none"), "no project")):
        with pytest.raises(CommandError, match=said):
            _command(*args, *wrong)


class TestCuts:
    """What the catalogue says of a model: some labels are no cut of a score, some scores cannot be multiplied."""

    def _scored(self, of: Bench, model: str, variant: str) -> Rater:
        rater = Rater.objects.create(
            kind="prm", name=model, digest=variant, spec={"model": model, "variant": variant}
        )
        for item in of.items:
            annotate(item, rater, released(item))
        return rater

    def test_a_drop_is_no_threshold(self, small: Bench) -> None:
        drops = self._scored(small, "skywork-7b", "prmbench")
        assert not ev.can_cut(drops)
        assert ev.evaluate(small.project, "prmbench", drops, draws=0)["score"] == 100
        asked: tuple[Callable[[], Any], ...] = (
            lambda: ev.evaluate(small.project, "prmbench", drops, threshold=0.1),
            lambda: ev.sweep(small.project, "prmbench", drops),
            lambda: ev.misses(small.project, "prmbench", drops, threshold=0.1),
            lambda: ev.compare(small.project, "prmbench", drops, small.model, thresholds=(0.1, None)),
        )
        for ask in asked:
            with pytest.raises(errors.Invalid, match="drops from the step before") as refused:
                ask()
            assert refused.value.field == "threshold"
        assert ev.can_cut(small.model)
        assert ev.can_cut(self._scored(small, "skywork-7b", "card"))


class TestProcessBench:
    @pytest.fixture
    def project(self) -> Project:
        project = factories.project(overlap=1, protocol="label_steps")
        imported(project, PROCESSBENCH, format="processbench")
        return project

    def _rater(self, project: Project, labels: dict[str, str | None]) -> Rater:
        rater = Rater.objects.create(kind="critic", name="c")
        for foreign_id, text in labels.items():
            solution = Solution.objects.get(project=project, foreign_id=foreign_id)
            row = factories.machine_labels(solution, rater, text or "." * solution.n_steps)
            Annotation.objects.filter(pk=row.pk).update(is_parsed=text is not None)
        return rater

    def test_by_hand(self, project: Project) -> None:
        """Labels: own-0 none of two, own-1 the first of three, own-2 the first of two, and own-3 twice, as two texts:
        the second step of three, and none of one."""
        rater = self._rater(project, {"own-0": "++", "own-1": "+-.", "own-2": None})
        found = ev.evaluate(project, "processbench", rater, draws=0)
        assert (found["n_items"], found["n_absent"], found["n_unparsed"]) == (5, 2, 3)
        assert (found["error_accuracy"], found["correct_accuracy"], found["f1"]) == (0, 50, 0)
        rows = ev.misses(project, "processbench", rater).rows
        assert [(row.said, row.truth, row.position) for row in rows] == [("2", "1", 0), ("unparsed", "1", 0)]
        assert ev.benchmarks(project) == ["processbench", "best_of_n"]  # own-3 has two answers to one problem
        assert found["wrong_process"]["accuracy"] is None

    def test_gold_moves_a_first_error(self, project: Project) -> None:
        rater = self._rater(project, {"own-1": "+-.", "own-0": "++"})
        item = Item.objects.get(project=project, solution__foreign_id="own-1")
        submitted(factories.member(project), item, "+-.", finish_reason="found_error")
        both = ev.evaluate(project, "processbench", rater, labels="both", draws=0)
        assert [both[side]["error_accuracy"] for side in ("gold", "released")] == [100, 0]
        (row,) = ev.moved_steps(project, "processbench").rows
        assert (row.released, row.gold, row.item) == ("1", "2", item.pk)
        found = ev.moved(project, "processbench", draws=0)
        assert (found["n_items"], found["n_items_moved"], found["to_wrong"]) == (1, 1, 0)

    def test_gold_stands_beside_released_labels_of_the_same_solutions_alone(self, project: Project) -> None:
        """Solutions that only people judged are in gold by itself; beside released labels they would move a score
        that no label moved."""
        rater = self._rater(project, {"own-0": "++", "own-1": "+-.", "own-2": "-."})
        for item in list(project.items.all()):
            labels = Annotation.objects.get(solution=item.solution, rater__kind="source").labels
            reason = {"finish_reason": "found_error"} if "." in labels else {}
            submitted(factories.member(project), item, labels, **reason)
        for n in range(3):
            item = factories.plain_item(project, n)
            submitted(factories.member(project), item, "-" * item.solution.n_steps)
            factories.machine_labels(item.solution, rater, "+" * item.solution.n_steps)
        both = ev.evaluate(project, "processbench", rater, labels="both", draws=0)
        assert both["gold"]["n_items"] == both["released"]["n_items"] == both["n_gold"] == 5
        assert both["gold"]["score"] == both["released"]["score"]
        row = next(
            one
            for one in ev.leaderboard(project, "processbench", draws=0)["rows"]
            if one["rater"]["id"] == rater.pk
        )
        assert row["gold"]["n_items"] == row["released"]["n_items"] == 5
        assert ev.evaluate(project, "processbench", rater, labels="gold", draws=0)["n_items"] == 8
        assert ev.moved(project, "processbench", draws=0)["n_items_moved"] == 0

    def test_a_list_that_ends_too_soon_is_no_prediction(self, project: Project, tmp_path: Path) -> None:
        """The same brought in, held against the project from a file, and on files alone."""
        lists = {"own-0": [True], "own-1": [False], "own-2": [True]}
        rows = [{"idx": name, "scores": {"step_level_validity_labels": one}} for name, one in lists.items()]
        path = str(jsonl(tmp_path / "r.jsonl", *rows))
        call_command(
            "import_annotations",
            project.slug,
            path,
            format="prmbench_results",
            rater="prm:m",
            stdout=StringIO(),
        )
        args = ("processbench", "--project", project.slug, "--draws", "0")
        stored, given = _command(*args, "--rater", "prm:m"), _command(*args, "--predictions", path)
        files = _command("processbench", "--data", str(PROCESSBENCH), "--predictions", path, "--draws", "0")
        for found in (stored, given, files):
            assert (found["correct_accuracy"], found["n_unparsed"] - found["n_absent"]) == (0, 2)


class TestBestOfN:
    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        project = factories.project()
        sets = [
            {"id": f"math-{n}", "question": f"Q{n}?", "responses": ["a\n\n\\boxed{1}", "b\n\n\\boxed{2}"],
             "answer": "2", "labels": ["incorrect", "correct"]}
            for n in range(3)
        ]  # fmt: skip
        imported(project, jsonl(tmp_path / "s.jsonl", *sets), format="best_of_n")
        return project

    def test_by_hand(self, project: Project) -> None:
        rater = Rater.objects.create(kind="prm", name="p")
        for solution in Solution.objects.filter(project=project):
            row = factories.machine_labels(solution, rater, "++")
            is_picked = solution.meta["final_answer_correct"] is not solution.foreign_id.startswith("math-2")
            row.scores = [0.9, 0.8] if is_picked else [0.9, 0.1]
            row.save(update_fields=["scores"])
        assert ev.benchmarks(project) == ["best_of_n"]
        found = ev.evaluate(project, "best_of_n", rater, draws=50)
        assert found["prm@n"]["product"] == found["score"] == pytest.approx(200 / 3)
        assert (found["maj@n"], found["pass@n"], found["n_items"], found["n"]) == (0, 100, 3, 2)
        assert found["baselines"]["random pick"]["overall"] == 50
        low, high = found["interval"]
        assert low <= found["score"] <= high
        response = ev.leaderboard(project, "best_of_n", draws=0)["rows"][0]["response"]
        assert (response["n_questions"], response["prm@n"]) == (3, found["score"])
        assert response["auc"] == pytest.approx(6 / 9)  # of nine pairs four in order, four ties

    def test_there_is_no_gold_and_nothing_to_list(self, project: Project) -> None:
        rater = Rater.objects.create(kind="critic", name="c")
        for solution in Solution.objects.filter(project=project):
            factories.machine_labels(solution, rater, "++")
        with pytest.raises(errors.Invalid, match="no gold"):
            ev.evaluate(project, "best_of_n", rater, labels="gold")
        assert ev.counts(project, "best_of_n")["n_gold"] == 0
        row = ev.leaderboard(project, "best_of_n", draws=0)["rows"][0]
        assert (row["gold"], row["released"], row["all"]["score"]) == (None, None, 0)
        assert ev.moved_steps(project, "best_of_n").rows == ev.misses(project, "best_of_n", rater).rows == []
        assert ev.moved(project, "best_of_n")["n_items"] == 0
        assert ev.compare(project, "best_of_n", rater, rater, draws=9)["overall"]["difference"] == 0

    def test_what_one_run_sampled_is_one_question(self, project: Project) -> None:
        for solution in Solution.objects.filter(project=project, foreign_id__endswith="/1"):
            solution.meta["run"] = 7
            solution.save(update_fields=["meta"])
        assert ev.counts(project, "best_of_n")["n_items"] == 0
        Solution.objects.filter(project=project).update(meta={"final_answer_correct": True, "run": 7})
        assert ev.counts(project, "best_of_n")["n_items"] == 3

    def test_scores_below_zero_are_not_multiplied(self, project: Project) -> None:
        """Two steps of -0.9 would make 0.81, and pick the worst."""
        rater = Rater.objects.create(kind="prm", name="p")
        for solution in Solution.objects.filter(project=project):
            row = factories.machine_labels(solution, rater, "++")
            row.scores = [0.9, -0.1] if solution.meta["final_answer_correct"] else [-0.9, -0.9]
            row.save(update_fields=["scores"])
        found = ev.evaluate(project, "best_of_n", rater, draws=9)
        assert (found["headline"], found["score"], found["prm@n"]["product"]) == ("min", 100, None)
        (row,) = ev.leaderboard(project, "best_of_n", draws=9)["rows"]
        assert (row["all"]["score"], row["all"]["parts"]) == (100, {"math": 100})
        assert (row["response"]["headline"], row["response"]["prm@n"], row["response"]["auc"]) == (
            "min",
            100,
            1,
        )

    def test_an_outcome_model_s_last_score_is_its_answer_s(self, project: Project) -> None:
        name = next(e.name for e in catalogue.load().values() if e.variant().kind == "outcome")
        rater = Rater.objects.create(
            kind="prm", name="o", spec={"model": name, "variant": catalogue.entry(name).default}
        )
        for solution in Solution.objects.filter(project=project):
            row = factories.machine_labels(solution, rater, "++")
            row.scores = [0.1, 0.9] if solution.meta["final_answer_correct"] else [0.9, 0.8]
            row.save(update_fields=["scores"])
        found = ev.evaluate(project, "best_of_n", rater, draws=0)
        assert (found["headline"], found["score"], found["prm@n"]["product"]) == ("last", 100, 0)

    def test_labels_alone_order_responses(self, project: Project) -> None:
        rater = Rater.objects.create(kind="critic", name="c")
        for solution in Solution.objects.filter(project=project):
            factories.machine_labels(solution, rater, "++" if solution.meta["final_answer_correct"] else "+-")
        found = ev.evaluate(project, "best_of_n", rater, draws=0)
        assert (found["from_labels"], found["score"], found["profile"]) == (True, 100, None)


class TestResultFiles:
    """Held against a project's labels without being brought in."""

    def _rows(self, of: Bench, rater: Rater) -> list[dict[str, Any]]:
        said = Annotation.objects.filter(rater=rater, solution__project=of.project).select_related("solution")
        return [
            {
                "idx": one.solution.foreign_id,
                "scores": {
                    "step_level_validity_labels": [label == "+" for label in one.labels],
                    "step_level_validity_scores": one.scores,
                },
            }
            for one in said
        ]

    def test_they_score_as_if_they_were(self, small: Bench, tmp_path: Path) -> None:
        rows = self._rows(small, small.model)
        path = jsonl(tmp_path / "r.jsonl", *rows, rows[0], rows[0] | {"idx": "nobody"})
        args = ("prmbench", "--project", small.project.slug, "--labels", "both", "--draws", "0")
        found, stored = _command(*args, "--predictions", str(path)), _command(*args, "--rater", "prm:half")
        assert (found["n_unknown"], found["n_repeated_results"]) == (1, 1)
        for side in ("gold", "released", "released_all"):
            assert {**found[side], "rater": ""} == {**stored[side], "rater": ""}
        cut = ("--threshold", "0.95")
        assert _command(*args, "--predictions", str(path), *cut)["gold"]["overall"]["f1"] == 0
        assert not Rater.objects.filter(name="r.jsonl").exists()

    def test_what_cannot_be_used_is_named(self, small: Bench, tmp_path: Path) -> None:
        args = ("prmbench", "--project", small.project.slug, "--predictions")
        rows = self._rows(small, small.model)
        for row, said in ((rows[0] | {"idx": 5}, "line 1"), (rows[0] | {"idx": "nobody"}, "No row")):
            with pytest.raises(CommandError, match=said):
                _command(*args, str(jsonl(tmp_path / "bad.jsonl", row)))
        with pytest.raises(CommandError, match="no such file"):
            _command(*args, str(tmp_path / "none.jsonl"))
