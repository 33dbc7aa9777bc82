"""Acceptance sampling: what is drawn, what it does to the queue, what is said of each kind."""

import csv
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from annotator import errors
from annotator.actions import bulk_items, review, sampling
from annotator.models import Assignment, Event, Item, Membership, Project, Sample
from annotator.policies import Operator
from annotator.reports import acceptance
from tests import factories
from tests.annotator.reviewed import claimed, submitted
from tests.crowd import crowd, plain_items

pytestmark = pytest.mark.django_db


def draw(project: Project, **values: Any) -> sampling.Drawn:
    return sampling.draw(by=Operator(), project=project, **{"share": 0.1, "seed": 7, **values})


@pytest.fixture
def kinds() -> Project:
    """30 items of one kind, 31 of another."""
    project, _ = crowd(1)
    made = plain_items(project, 61)
    Item.objects.filter(pk__in=[item.pk for item in made[:30]]).update(error_type="circular")
    Item.objects.filter(pk__in=[item.pk for item in made[30:]]).update(error_type="deception")
    return project


class TestDraw:
    def test_a_share_of_each_kind_rounded_up_and_first_in_the_queue(self, kinds: Project) -> None:
        Item.objects.filter(pk=Item.objects.latest("pk").pk).update(priority=5)
        drawn = draw(kinds)
        assert drawn.sample.counts == {
            "circular": {"drawn": 3, "of": 30},
            "deception": {"drawn": 4, "of": 31},
        }
        first = Item.objects.filter(project=kinds).order_by("-priority", "id")[:7]
        assert {item.pk for item in first} == set(drawn.item_ids)
        assert set(kinds.items.filter(sample=drawn.sample).values_list("pk", flat=True)) == set(
            drawn.item_ids
        )

    def test_the_same_seed_draws_the_same_and_writes_nothing_twice(self, kinds: Project) -> None:
        one = draw(kinds)
        n_events, rows = Event.objects.count(), list(kinds.items.order_by("pk").values())
        again = draw(kinds)
        assert (again.sample, again.item_ids, again.is_new) == (one.sample, one.item_ids, False)
        assert (Event.objects.count(), list(kinds.items.order_by("pk").values())) == (n_events, rows)
        assert set(draw(kinds, seed=8).item_ids) != set(one.item_ids)

    def test_what_was_cut_off_is_finished(self, kinds: Project, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(sampling, "_put_first", _killed)
            with pytest.raises(KeyboardInterrupt):
                draw(kinds)
        drawn = draw(kinds)
        assert not drawn.is_new
        assert kinds.items.filter(priority__gt=0).count() == 7

    def test_the_draw_follows_what_records_are_and_not_their_row_ids(self, kinds: Project) -> None:
        drawn = {item.solution.key for item in kinds.items.filter(pk__in=draw(kinds).item_ids)}
        copies = [(item.solution, item.error_type) for item in kinds.items.order_by("-pk")]
        kinds.items.all().delete()
        for shown, kind in copies:
            factories.queued(kinds, shown, error_type=kind)
        again = draw(kinds)
        assert {item.solution.key for item in kinds.items.filter(pk__in=again.item_ids)} == drawn

    def test_with_only_the_others_wait_and_come_back_when_they_are_released(self, kinds: Project) -> None:
        drawn = draw(kinds, only=True)
        assert drawn.n_held == 54
        held = kinds.items.filter(held=True)
        assert {item.held_because for item in held} == {f"not in sample {drawn.sample.pk}"}
        assert sampling.release_others(by=Operator(), project=kinds).n == 54
        assert not kinds.items.filter(held=True).exists()

    def test_a_second_sample_is_drawn_from_what_waits_for_the_first_too(self, kinds: Project) -> None:
        draw(kinds, only=True)
        drawn = draw(kinds, seed=8)
        assert drawn.sample.counts["circular"]["of"] == 30
        assert not kinds.items.filter(pk__in=drawn.item_ids, held=True).exists()

    def test_what_is_held_for_another_reason_stays_so_and_is_told(self, kinds: Project) -> None:
        ids = list(kinds.items.values_list("pk", flat=True))
        bulk_items.hold_items(by=Operator(), project=kinds, item_ids=ids, because="The original is wrong.")
        assert draw(kinds).n_waiting == 7

    def test_retired_items_and_those_of_the_exam_are_not_drawn(self, kinds: Project) -> None:
        kinds.items.filter(error_type="circular").update(retired=True, held=True)
        kinds.items.filter(error_type="deception").update(use="exam", held=True)
        with pytest.raises(errors.Invalid, match="nothing to draw from"):
            draw(kinds)
        assert not Sample.objects.exists()

    def test_by_a_key_of_the_meta_of_a_solution_or_its_problem(self, kinds: Project) -> None:
        some = kinds.items.filter(error_type="circular").values("solution")
        kinds.solutions.filter(pk__in=some).update(meta={"level": 3, "a b'%": "x"})
        assert set(draw(kinds, per="meta:level").sample.counts) == {"3", ""}
        assert set(draw(kinds, per="meta:a b'%").sample.counts) == {"x", ""}
        assert draw(kinds, per="").sample.counts == {"": {"drawn": 7, "of": 61}}

    @pytest.mark.parametrize(
        ("values", "field"),
        [({"share": 0.0}, "sample"), ({"share": 1.5}, "sample"), ({"per": "kind"}, "per"), ({"per": "meta:"}, "per"),
         ({"seed": 2**70}, "seed"), ({"per": "meta:" + "x" * 40}, "per")],
    )  # fmt: skip
    def test_what_cannot_be_drawn_is_refused_by_name(
        self, kinds: Project, values: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(errors.Invalid) as refused:
            draw(kinds, **values)
        assert refused.value.field == field
        assert not Sample.objects.exists()

    def test_reviewers_draw_nothing(self, kinds: Project) -> None:
        with pytest.raises(errors.Forbidden):
            sampling.draw(by=factories.member(kinds), project=kinds, share=0.1, seed=1)


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def judged() -> tuple[Project, list[Item], list[Membership]]:
    """Five sampled items of two kinds, wanted by one. Of four circular ones, two are really wrong, one is right, one
    is left; the false fact is wrong, and its claim is rejected."""
    project = factories.project(overlap=1, acceptance_bar=0.9)
    items = [factories.injected_item(project, number) for number in (0, 0, 0, 0, 1)]
    me = factories.member(project)
    draw(project, share=1.0)
    for item, labels in ((items[0], "+++-+++"), (items[1], "++--+++"), (items[2], "+++++++")):
        submitted(me, item, labels)
    of = {"by": me, "assignment_id": claimed(me, items[4]).pk}
    blind = {"labels": "+-++", "duration_ms": 0}
    review.commit(**of, data=blind)
    said = {"claim": "reject", "original": "wrong", "kind": "deception"}
    review.submit(**of, data={**blind, "verdict": said})
    return project, items, [me]


class TestRates:
    def test_each_kind_has_its_shares_with_intervals(self, judged: Any) -> None:
        project, items, _ = judged
        found = acceptance.read(project)
        circular, false_fact = found["kinds"]["circular"], found["kinds"]["counterfactual"]
        assert [circular[name] for name in ("n_of", "n_drawn", "n_decided", "n_open")] == [4, 4, 3, 1]
        assert circular["rates"]["as_claimed"]["value"] == pytest.approx(2 / 3)
        assert circular["rates"]["as_claimed"]["n"] == 3
        assert circular["rates"]["as_claimed"]["interval"]["low"] == pytest.approx(0.2077, abs=1e-4)
        assert circular["rates"]["differs"] | {"interval": 0} == {
            "value": 1,
            "n": 4,
            "why": "",
            "interval": 0,
        }
        assert circular["not_as_claimed"] == [items[2].pk]
        values = {name: rate["value"] for name, rate in false_fact["rates"].items()}
        assert values == {
            "as_claimed": 1, "really_wrong": 1, "differs": 1, "right_kind": 0, "accepted": 0, "fixed": 0,
            "rejected": 1, "disputed": 0, "original_right": 0,
        }  # fmt: skip
        assert (found["n_drawn"], found["rates"]["as_claimed"]["n"]) == (5, 4)

    def test_a_kind_under_the_bar_is_not_released(self, judged: Any) -> None:
        project, *_ = judged
        assert acceptance.kinds_under_bar(project) == ["circular"]
        project.acceptance_bar = 0.6
        assert acceptance.kinds_under_bar(project) == []
        project.acceptance_bar = None
        assert acceptance.kinds_under_bar(project) == []

    def test_the_last_word_counts_and_no_probe_and_no_surplus(self, judged: Any) -> None:
        project, items, _ = judged
        rates = acceptance.read(project)["kinds"]["circular"]["rates"]
        assert (rates["accepted"]["value"], rates["accepted"]["n"]) == (1, 3)
        Assignment.objects.filter(item=items[0]).update(purpose="probe")
        Assignment.objects.filter(item=items[1]).update(surplus=True)
        assert acceptance.read(project)["kinds"]["circular"]["rates"]["accepted"]["n"] == 1

    def test_agreed_to_be_no_judgement_is_counted_apart(self, judged: Any) -> None:
        project, items, (me,) = judged
        submitted(me, items[3], ".......", finish_reason="bad_problem", note="It asks nothing.")
        circular = acceptance.read(project)["kinds"]["circular"]
        assert (circular["n_decided"], circular["n_no_judgement"]) == (4, 1)
        assert circular["rates"]["as_claimed"]["n"] == 3

    def test_cost_does_not_follow_the_sample(self, judged: Any, django_assert_num_queries: Any) -> None:
        project, *_ = judged
        with django_assert_num_queries(5):
            acceptance.read(project)


class TestCommands:
    def test_queue_draws_and_acceptance_tells(self, kinds: Project) -> None:
        said = out("queue", kinds.slug, "--sample", ".10", "--per", "error_type", "--seed", "7")
        assert "circular: 3 of 30" in said
        again = json.loads(out("queue", kinds.slug, "--sample", "0.1", "--seed", "7", "--json", "--only"))
        assert (again["drawn"], again["held"], again["is_new"]) == (7, 54, False)
        assert again["counts"]["deception"] == {"drawn": 4, "of": 31}
        found = json.loads(out("acceptance", kinds.slug, "--json"))
        assert found["kinds"]["circular"]["rates"]["as_claimed"]["why"] == "none is decided"
        assert "circular: 0 of 3 decided" in out("acceptance", kinds.slug)
        rows = list(csv.DictReader(io.StringIO(out("acceptance", kinds.slug, "--csv"))))
        assert [row["n"] for row in rows if row["kind"] == "circular" and row["rate"] == "as_claimed"] == [
            "0"
        ]

    def test_refusals_name_the_argument(self, kinds: Project) -> None:
        with pytest.raises(CommandError, match="sample: Choose a share above 0"):
            out("queue", kinds.slug, "--sample", "10", "--seed", "1")
        with pytest.raises(CommandError, match="no sample 99"):
            out("acceptance", kinds.slug, "--sample", "99")


def out(*arguments: str) -> str:
    stream = io.StringIO()
    call_command(*arguments, stdout=stream)
    return stream.getvalue()
