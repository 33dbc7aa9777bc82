"""manage.py lint: what checks find in a project's records."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotator import lint
from annotator.core.checks import CODES
from annotator.models import Item, Project, Solution
from tests import factories
from tests.annotator.foreign import PRMBENCH, jsonl, many

pytestmark = pytest.mark.django_db

# Worked out by hand from tests/data/prmbench.jsonl, as (record by number, from 1; position).
BY_HAND: dict[str, list[tuple[int, int | None]]] = {
    "wrong_out_of_range": [(3, None)],  # step 9 of 5
    "wrong_is_original": [(6, 2)],
    "no_op": [(6, None)],
    "empty_step": [(4, 1)],
    "duplicate_id": [(10, None)],
    "changed_verbatim": [(6, 2)],
    "changed_unclaimed": [(3, 4)],  # the answer is 7 now
    "several_steps": [(1, 4), (2, 3), (3, 4), (4, 0)],  # "# Answer", a blank line, the answer; "Divide:"
}


def run(*args: str) -> str:
    return both(*args)[0]


def both(*args: str) -> tuple[str, str]:
    """What goes to standard output, and what to standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command("lint", *args, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def bring(path: Path, slug: str = "bench") -> Project:
    call_command("import_solutions", slug, str(path), format="prmbench", create=True, stdout=io.StringIO())
    return Project.objects.get(slug=slug)


def found(*args: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(run(*args, "--json"))
    return read


def test_json_has_what_was_worked_out_by_hand() -> None:
    project = bring(PRMBENCH)
    items = dict(enumerate(Item.objects.filter(project=project).order_by("pk"), 1))
    report = found("bench")
    assert set(report) == {"project", "n_solutions", "codes", "findings"}
    assert (report["project"], report["n_solutions"]) == ("bench", 11)
    assert list(report["codes"]) == list(CODES)
    for code, counts in report["codes"].items():
        expected = BY_HAND.get(code, [])
        assert counts == {"findings": len(expected), "records": len({n for n, _ in expected})}, code
    assert {(f["code"], f["item"], f["foreign_id"], f["position"]) for f in report["findings"]} == {
        (code, items[n].pk, items[n].solution.foreign_id, position)
        for code, places in BY_HAND.items()
        for n, position in places
    }
    details = {f["code"]: f["detail"] for f in report["findings"]}
    assert details["wrong_out_of_range"] == "step 9 of 5"


def test_the_table_says_what_to_do() -> None:
    bring(PRMBENCH)
    said = run("bench")
    assert "bench: 11 solutions checked" in said
    rows = {line.split()[0]: line.split() for line in said.splitlines() if line.split()[:1] > ["a"]}
    assert rows["several_steps"][-2:] == ["4", "4"]
    assert rows["no_op"] == ["no_op", "Nothing", "changed", "1", "1"]
    assert CODES["no_op"].advice in said
    assert "Not found: wrong_not_changed, question_changed, gives_away, other_answer, arithmetic," in said


def test_code_filters() -> None:
    bring(PRMBENCH)
    report = found("bench", "--code", "several_steps")
    assert report["codes"] == {"several_steps": {"findings": 4, "records": 4}}
    assert {f["code"] for f in report["findings"]} == {"several_steps"}
    assert report["n_solutions"] == 11
    assert "no_op" not in run("bench", "--code", "several_steps")
    two = found("bench", "--code", "no_op", "--code", "empty_step")["codes"]
    assert list(two) == ["no_op", "empty_step"]
    with pytest.raises(CommandError, match="invalid choice"):
        run("bench", "--code", "whatever")


def test_a_project_without_findings_or_items() -> None:
    factories.project(slug="empty")
    report = found("empty")
    assert (report["n_solutions"], report["findings"]) == (0, [])
    assert "empty: 0 solutions checked" in run("empty")
    with pytest.raises(CommandError, match="no project"):
        run("nowhere")


def test_plain_solutions_are_checked_against_the_reference_answer() -> None:
    project = factories.project(slug="plain")
    solution = factories.plain_item(project).solution
    Solution.objects.filter(pk=solution.pk).update(steps=["$2 + 2 = 5$.", "The answer is 5."])
    type(solution.problem).objects.filter(pk=solution.problem_id).update(answer="4")
    counts = found("plain")["codes"]
    assert [code for code in counts if counts[code]["records"]] == ["other_answer", "arithmetic"]


def test_a_solution_with_two_items_is_checked_once_and_is_no_repeat_of_itself() -> None:
    project = factories.project(slug="twice")
    item = factories.plain_item(project)
    Solution.objects.filter(pk=item.solution_id).update(steps=["", "It is 4."], foreign_id="one")
    item.pk, item.protocol = None, "check_solution"
    item.save()
    report = found("twice")
    assert report["n_solutions"] == 1
    assert [f["code"] for f in report["findings"]] == ["empty_step"]


def test_ids_of_other_projects_are_not_used_before() -> None:
    bring(PRMBENCH, "first")
    bring(PRMBENCH, "second")
    assert found("second")["codes"]["duplicate_id"] == {"findings": 1, "records": 1}


def test_queries_do_not_grow_with_rows(tmp_path: Path) -> None:
    small = bring(jsonl(tmp_path / "small.jsonl", *many(5)), "small")
    large = bring(jsonl(tmp_path / "large.jsonl", *many(150)), "large")
    assert queries(small, 5) == queries(large, 150)


def test_chunks_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    project = bring(PRMBENCH)
    whole = list(lint.read(project))
    monkeypatch.setattr(lint, "CHUNK", 3)
    ticks: list[tuple[int, int]] = []
    assert list(lint.read(project, lambda done, total: ticks.append((done, total)))) == whole
    assert ticks == [(3, 11), (6, 11), (9, 11), (11, 11)]


def queries(project: Project, n: int) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert len(list(lint.read(project))) == n
    return len(captured)
