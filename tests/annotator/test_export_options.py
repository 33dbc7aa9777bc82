"""What an export does where the field disagrees: through the action, the command, the page and the API."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from annotator import errors
from annotator.actions import export_options, export_rows, exports
from annotator.formats import FORMATS, WRITABLE, choices
from annotator.models import (
    Annotation,
    Event,
    Export,
    Injection,
    Item,
    Membership,
    Problem,
    Project,
    Role,
    Solution,
)
from annotator.policies import Operator
from annotator.views import export_texts
from tests import factories
from tests.annotator.foreign import DATA, imported, jsonl, many, record
from tests.annotator.reviewed import submitted
from tests.crowd import crowd

pytestmark = pytest.mark.django_db


@pytest.fixture
def reviewed() -> tuple[Project, Membership]:
    project, (me,) = crowd(1)
    return project, me


@pytest.fixture
def lead() -> Membership:
    return factories.member(factories.project(overlap=1), role=Role.LEAD)


def out(project: Project, which: str, format: str, **options: Any) -> tuple[bytes, exports.Outcome]:
    file = io.BytesIO()
    outcome = exports.export_to(
        by=Operator(), project=project, format=format, which=which, min_raters=1, out=file, options=options
    )
    return file.getvalue(), outcome


def lines(project: Project, which: str, format: str, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out(project, which, format, **options)[0].splitlines()]


def labelled(project: Project, labels: str, name: str = "prm:one", **columns: Any) -> Annotation:
    """Somebody's labels of a new solution that has an item."""
    item = factories.injected_item(project, 1)
    kind, _, short = name.partition(":")
    rater, _ = factories.Rater.objects.get_or_create(kind=kind, name=short)
    made = factories.machine_labels(item.solution, rater, labels)
    Annotation.objects.filter(pk=made.pk).update(**columns)
    return Annotation.objects.get(pk=made.pk)


def visit(who: Membership, path: str = "", **data: Any) -> Any:
    client = Client()
    client.force_login(who.user)
    url = f"/p/{who.project.slug}/exports/{path}"
    return client.post(url, data) if data else client.get(url)


# ---- each choice


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({}, [True, True, False]),
        ({"neutral": "right"}, [True, True, False]),
        ({"neutral": "wrong"}, [True, False]),
        ({"neutral": "drop"}, [True]),
        ({"after_first_error": "keep"}, [True, True, False, True]),
        ({"neutral": "wrong", "after_first_error": "keep"}, [True, False, False, True]),
    ],
)
def test_neutral_steps_and_what_follows(options: dict[str, str], written: list[bool]) -> None:
    project = factories.project()
    labelled(project, "+0-+")
    (found,) = lines(project, "prm:one", "trl", **options)
    assert (found["labels"], len(found["completions"])) == (written, len(written))


@pytest.mark.parametrize(
    ("options", "written"),
    [
        ({}, [True, False]),
        ({"redundant": "right"}, [True, True, False]),
        ({"redundant": "neutral"}, [True, True, False]),
        ({"redundant": "neutral", "neutral": "drop"}, [True]),
        ({"redundant": "wrong", "after_first_error": "keep"}, [True, False, False, True]),
    ],
)
def test_redundant_steps(options: dict[str, str], written: list[bool]) -> None:
    project = factories.project()
    types = {"1": ["redundancy"], "2": ["redundancy", "circular"]}
    labelled(project, "+--+", error_types=types)
    assert [found["labels"] for found in lines(project, "prm:one", "trl", **options)] == [written]


def test_a_valid_step_called_redundant_beside_is_redundant() -> None:
    project = factories.project()
    labelled(project, "++++", redundancy_labels="+-++")
    assert lines(project, "prm:one", "trl")[0]["labels"] == [True] * 4  # a counterfactual
    assert lines(project, "prm:one", "trl", redundant="wrong")[0]["labels"] == [True, False]
    Injection.objects.filter(child__project=project).update(error_type="redundancy")
    assert lines(project, "prm:one", "trl")[0]["labels"] == [True, False]
    assert lines(project, "prm:one", "trl", redundant="right")[0]["labels"] == [True] * 4


def test_an_unjudged_step_is_never_false() -> None:
    project = factories.project()
    labelled(project, "+.-+")
    for format, key in (("trl", "labels"), ("math_shepherd", "label")):
        for options in ({}, {"after_first_error": "keep"}, {"neutral": "wrong"}):
            (found,) = lines(project, "prm:one", format, **options)
            assert found[key].count("-" if key == "label" else False) == (key == "label" and 2)


# ---- scores


def test_scores_go_out_as_booleans_and_never_as_numbers() -> None:
    project = factories.project()
    labelled(project, "....", scores=[0.9, 0.6, 0.5, 0.9])
    (found,) = lines(project, "prm:one", "trl")
    assert found["labels"] == [True, True, False]
    assert {type(label) for label in found["labels"]} == {bool}
    (found,) = lines(project, "prm:one", "math_shepherd", threshold=0.7)
    assert found["label"].endswith("- ") or found["label"].rstrip().endswith("-")
    assert "0.9" not in found["label"]


def test_stored_labels_stand_until_a_threshold_is_asked_for() -> None:
    project = factories.project()
    labelled(project, "++++", scores=[0.9, 0.1, 0.2, 0.3])
    assert lines(project, "prm:one", "trl")[0]["labels"] == [True] * 4
    assert lines(project, "prm:one", "trl", threshold=0.5)[0]["labels"] == [True, False]
    assert lines(project, "prm:one", "trl", threshold=0.05)[0]["labels"] == [True] * 4


def test_scores_that_end_early_judge_no_more() -> None:
    project = factories.project()
    labelled(project, "....", scores=[0.9, 0.8])
    assert lines(project, "prm:one", "trl")[0]["labels"] == [True, True]


def test_soft_values_go_home_as_they_came_unless_a_threshold_is_asked_for() -> None:
    project, _ = crowd(0)
    path = DATA / "trl.jsonl"
    imported(project, path, format="trl")
    assert out(project, "source:trl", "trl")[0] == path.read_bytes()
    assert 0.9 in lines(project, "source:trl", "trl")[2]["labels"]
    written = lines(project, "source:trl", "trl", threshold=0.95)
    assert written[2]["labels"] == [False, False, True]
    assert float not in {type(label) for one in written for label in one["labels"]}


# ---- what returns home


def test_a_choice_changes_only_the_labels_it_is_about(tmp_path: Path) -> None:
    project = factories.project()
    path = jsonl(
        tmp_path / "f.jsonl",
        record(classification="redundency", idx="own_1", unknown={"a": 1.50}),
        record(classification="circular", idx="own_2"),
    )
    imported(project, path)
    assert out(project, "all", "prmbench", redundant="wrong", neutral="wrong")[0] == path.read_bytes()
    first, second = out(project, "all", "prmbench", redundant="right")[0].splitlines()
    assert second == path.read_bytes().splitlines()[1]
    assert json.loads(first) == record(
        classification="redundency", idx="own_1", unknown={"a": 1.5}, error_steps=[]
    )


def test_a_prm800k_record_keeps_its_labeler_and_siblings_when_a_choice_changes_it() -> None:
    project, _ = crowd(0)
    path = DATA / "prm800k.jsonl"
    imported(project, path, format="prm800k")
    came = [json.loads(line) for line in path.read_text().splitlines()]
    went = lines(project, "source:prm800k", "prm800k", neutral="right")
    assert len(went) == len(came)
    assert [one["labeler"] for one in went] == [one["labeler"] for one in came]
    assert [one["timestamp"] for one in went] == [one["timestamp"] for one in came]
    changed = [one for one, before in zip(went, came, strict=True) if one != before]
    assert changed
    assert 0 not in {rating for one in went for rating in ratings(one)}
    assert 0 in {rating for one in came for rating in ratings(one)}
    assert [one["label"]["finish_reason"] for one in went] == [one["label"]["finish_reason"] for one in came]


def ratings(one: dict[str, Any]) -> list[int | None]:
    return [
        completion["rating"]
        for step in one["label"]["steps"]
        for completion in (step["completions"] or [])
        if completion["rating"] is not None
    ]


# ---- what cannot be said


@pytest.mark.parametrize(
    ("format", "options", "field"),
    [
        ("trl", {"neutral": "keep"}, "neutral"),
        ("math_shepherd", {"neutral": "keep"}, "neutral"),
        ("prmbench", {"neutral": "drop"}, "neutral"),
        ("prmbench", {"after_first_error": "drop"}, "after_first_error"),
        ("best_of_n", {"redundant": "right"}, "redundant"),
        ("best_of_n", {"threshold": 0.5}, "threshold"),
        ("trl", {"neutral": "maybe"}, "neutral"),
        ("trl", {"threshold": "half"}, "threshold"),
        ("trl", {"threshold": float("nan")}, "threshold"),
        ("trl", {"threshold": True}, "threshold"),
        ("trl", {"retired": "yes"}, "retired"),
        ("trl", {"colour": "red"}, "colour"),
    ],
)
def test_what_a_format_cannot_say_is_refused(format: str, options: dict[str, Any], field: str) -> None:
    project = factories.project()
    with pytest.raises(errors.Invalid) as refused:
        out(project, "all", format, **options)
    assert refused.value.field == field
    assert refused.value.message.endswith(".")
    assert not Event.objects.filter(verb="export").exists()


def test_everything_on_offer_can_be_chosen() -> None:
    for name in WRITABLE:
        for option in choices.VALUES:
            for value in choices.possible(option, FORMATS[name].says):
                assert getattr(export_options.choose(FORMATS[name], {option: value}).usual, option) == value


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_empty_is_not_asked_for(value: object) -> None:
    chosen = export_options.choose(FORMATS["trl"], {"neutral": value, "threshold": value, "retired": False})
    assert chosen.given == {}
    assert chosen.usual == FORMATS["trl"].defaults


def test_solutions_alone_are_for_formats_without_labels() -> None:
    project = factories.project()
    with pytest.raises(errors.Invalid) as refused:
        out(project, "solutions", "trl")
    assert refused.value.field == "which"
    with pytest.raises(errors.Invalid, match="must be one of"):
        out(project, "all", "label_studio")


# ---- command, page and API


def test_the_command_says_the_same(tmp_path: Path) -> None:
    project = factories.project()
    labelled(project, "+0-+")
    path = tmp_path / "out.jsonl"
    asked = {"format": "trl", "which": "prm:one", "output": str(path), "stderr": io.StringIO()}
    call_command("export_annotations", project.slug, neutral="wrong", after_first_error="keep", **asked)
    assert json.loads(path.read_text())["labels"] == [True, False, False, True]
    event = Event.objects.get(verb="export")
    assert event.data["options"] == {"neutral": "wrong", "after_first_error": "keep"}
    with pytest.raises(CommandError, match="--neutral: trl has no way to say a neutral step"):
        call_command("export_annotations", project.slug, neutral="keep", **asked)
    call_command(
        "export_annotations", project.slug, "--after-first-error", "keep", "--threshold", "0.5", **asked
    )
    assert json.loads(path.read_text())["labels"] == [True, True, False, True]


def test_the_page_asks_keeps_and_explains(lead: Membership) -> None:
    labelled(lead.project, "+0-+")
    data = {"format": "trl", "which": "prm:one", "min_raters": "1", "neutral": "wrong", "threshold": ""}
    assert visit(lead, **data).status_code == 302
    row = Export.objects.get()
    assert row.options == {"neutral": "wrong"}
    exports.write(row=row)
    assert json.loads(Path(row.path).read_text())["labels"] == [True, False]
    page = visit(lead, f"{row.pk}/").content.decode()
    assert "<strong>Neutral steps count as wrong.</strong>" in page
    assert "<li>Steps that are only redundant count as wrong.</li>" in page


def test_the_form_shows_what_a_choice_does(lead: Membership) -> None:
    page = visit(lead, "?format=trl&which=gold&min_raters=1&redundant=right").context
    assert [step.written[0] for step in page["example"]] == ["right", "right", "right", "wrong", "–", "–"]
    page = visit(lead, "?format=prm800k&which=gold&min_raters=1").context
    words = ["right", "neutral", "neutral", "wrong", "right", "–"]
    assert [step.written[0] for step in page["example"]] == words
    assert visit(lead).context["example"]


def test_the_page_refuses_at_the_field(lead: Membership) -> None:
    data = {"format": "trl", "which": "gold", "min_raters": "1", "neutral": "keep"}
    response = visit(lead, **data)
    assert response.status_code == 400
    assert "no way to say a neutral step" in response.content.decode()
    assert not Export.objects.exists()
    client = Client()
    client.force_login(lead.user)
    url = f"/p/{lead.project.slug}/exports/"
    asked = client.get(url, data, headers={"HX-Request": "true"})
    assert (asked.status_code, asked.context["cannot"]) == (200, True)


def test_the_api_takes_and_tells_them(lead: Membership) -> None:
    client = Client()
    client.force_login(lead.user)
    url = f"/api/v1/projects/{lead.project.slug}/exports"
    data = {"format": "trl", "which": "all", "neutral": "drop", "threshold": 0.25}
    asked = client.post(url, data, content_type="application/json")
    assert asked.status_code == 202, asked.content
    assert asked.json()["options"] == {"neutral": "drop", "threshold": 0.25}
    refused = client.post(url, data | {"neutral": "keep"}, content_type="application/json")
    assert (refused.status_code, refused.json()["field"]) == (400, "neutral")


@pytest.mark.parametrize("format", WRITABLE)
def test_every_format_is_explained(format: str) -> None:
    chosen = export_options.choose(FORMATS[format], {})
    assert export_texts.meanings(chosen)
    assert bool(export_texts.example(chosen)) == FORMATS[format].says.labels


# ---- taken down, retired


def test_what_was_taken_down_stays_in() -> None:
    project = factories.project()
    for _ in range(2):
        labelled(project, "++++")
    first = Solution.objects.filter(annotations__rater__name="one").earliest("pk")
    Problem.objects.filter(pk=first.problem_id).update(taken_down_at=timezone.now())
    written, outcome = out(project, "all", "trl")
    assert outcome.left_out["taken down"]["n"] == 2  # the injector's and the PRM's
    assert len(written.splitlines()) == outcome.n == 2
    counted = {choice.which: choice.n for choice in export_rows.choices(project)}
    assert (counted["prm:one"], counted["all"]) == (1, 2)
    assert out(project, "solutions", "best_of_n")[1].left_out["taken down"]["n"] == 2


def test_what_was_retired_stays_in_unless_asked_for() -> None:
    project = factories.project()
    for _ in range(2):
        labelled(project, "++++")
    Item.objects.filter(pk=Item.objects.earliest("pk").pk).update(retired=True, held=True)
    outcome = out(project, "prm:one", "trl")[1]
    assert (outcome.n, outcome.left_out["retired"]["n"]) == (1, 1)
    assert out(project, "prm:one", "trl", retired=True)[1].n == 2
    counted = {choice.which: choice.n for choice in export_rows.choices(project)}
    assert counted["prm:one"] == 1


def test_a_solution_with_another_item_is_not_retired() -> None:
    project = factories.project()
    solution = labelled(project, "++++").solution
    Item.objects.filter(solution=solution).update(retired=True, held=True)
    factories.queued(project, solution, protocol="label_steps")
    assert out(project, "prm:one", "trl")[1].n == 1


def test_siblings_stay_in_with_their_record(monkeypatch: pytest.MonkeyPatch) -> None:
    project, _ = crowd(0)
    imported(project, DATA / "prm800k.jsonl", format="prm800k")
    main = Solution.objects.filter(project=project, annotations__isnull=False, items__isnull=False)
    with_siblings = next(one for one in main if siblings_of(one).exists())
    Item.objects.filter(solution=with_siblings).update(retired=True, held=True)
    monkeypatch.setattr(export_rows, "CHUNK", 2)
    written, outcome = out(project, "source:prm800k", "prm800k")
    assert outcome.left_out["retired"]["n"] == 1 + siblings_of(with_siblings).count()
    assert len(written.splitlines()) == len((DATA / "prm800k.jsonl").read_text().splitlines()) - 1


def siblings_of(main: Solution) -> Any:
    return Solution.objects.filter(project=main.project, meta__sibling_of=main.foreign_id)


def test_reading_what_is_gone_costs_no_query_a_row(
    tmp_path: Path, django_assert_max_num_queries: Any
) -> None:
    project = factories.project()
    imported(project, jsonl(tmp_path / "f.jsonl", *many(30)))
    Item.objects.filter(solution__foreign_id__endswith="1").update(retired=True, held=True)
    with django_assert_max_num_queries(10):  # one of them an export, the others a chunk
        gone = [row.gone for row in export_rows.rows(project, "all", truth=True)]
    assert gone.count("retired") == 3


# ---- a reviewer who gave no judgement


@pytest.mark.parametrize("reason", ["bad_problem", "give_up"])
def test_who_gave_no_judgement_goes_out_where_it_can_be_said(
    reason: str, reviewed: tuple[Project, Membership]
) -> None:
    project, me = reviewed
    imported(project, DATA / "prm800k.jsonl", format="prm800k")
    item = Item.objects.filter(project=project).earliest("pk")
    submitted(me, item, "." * item.solution.n_steps, finish_reason=reason, note="Why.")
    (found,) = lines(project, f"reviewer:{me.user}", "prm800k")
    assert (found["label"]["finish_reason"], found["label"]["steps"]) == (reason, [])
    assert out(project, f"reviewer:{me.user}", "trl")[1].n_left_out == 1


def test_a_bad_split_can_be_said_nowhere(reviewed: tuple[Project, Membership]) -> None:
    project, me = reviewed
    imported(project, DATA / "prm800k.jsonl", format="prm800k")
    item = Item.objects.filter(project=project).earliest("pk")
    submitted(me, item, "." * item.solution.n_steps, finish_reason="bad_split", note="Why.")
    outcome = out(project, f"reviewer:{me.user}", "prm800k")[1]
    assert (outcome.n, outcome.n_left_out) == (0, 1)
