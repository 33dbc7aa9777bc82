"""Findings as imports store them, as a recheck replaces them, and where they are shown."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotator import errors, lint, queue
from annotator.actions import bulk, import_rows, import_write, imports
from annotator.actions.findings import PRIORITY, recheck_findings
from annotator.actions.transfers import batched
from annotator.core.findings import CODES
from annotator.models import Decision, Event, Finding, Import, Item, Membership, Project, Role, Solution
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import DATA, PRMBENCH, checked, imported, jsonl, many, record

pytestmark = pytest.mark.django_db

PRM800K = DATA / "prm800k.jsonl"
OUT_OF_RANGE = {"modified_steps": [2], "error_steps": [2, 9]}
EMPTY = {"modified_process": ["", "It is 4."]}


@pytest.fixture
def project() -> Project:
    return factories.project()


@pytest.fixture
def lead(project: Project) -> Membership:
    return factories.member(project, role=Role.LEAD)


def stored(project: Project) -> list[tuple[str, str, int | None, str]]:
    rows = Finding.objects.filter(project=project).order_by("solution", "pk")
    return list(rows.values_list("solution__key", "code", "position", "detail"))


def codes(item: Item) -> list[str]:
    return list(item.solution.findings.order_by("pk").values_list("code", flat=True))


# ---- on import


def test_an_import_stores_what_a_check_of_its_rows_finds(project: Project) -> None:
    imported(project, PRMBENCH)
    looked_at_again = [
        (Solution.objects.get(pk=one.solution).key, *finding)
        for batch in lint.check(project)
        for one in batch
        for finding in one.findings
    ]
    assert stored(project) == looked_at_again
    assert len(looked_at_again) > 9
    assert {code for _, code, _, _ in looked_at_again} >= {"wrong_out_of_range", "duplicate_id", "empty_step"}


def test_the_report_counts_findings_and_records(project: Project, tmp_path: Path) -> None:
    double = record(idx="own_2", modified_process=["", ""], modified_steps=[1, 2])
    row = imported(project, jsonl(tmp_path / "f.jsonl", record(), record(idx="own_3", **EMPTY), double))
    assert row.report["findings"]["empty_step"] == {"findings": 3, "records": 2}
    assert "no_op" not in row.report["findings"]
    assert imported(project, Path(row.paths[0])).report["findings"] == {}  # nothing new was written


def test_an_id_used_before_is_found_within_a_batch_across_batches_and_imports(
    project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(import_write, "batched", lambda items: batched(items, 2))
    again = [record(idx="own_0", original_question=f"{n}?", modified_question=f"{n}?") for n in range(4)]
    imported(project, jsonl(tmp_path / "a.jsonl", *many(1), *again))
    found = Finding.objects.filter(project=project, code="duplicate_id")
    assert found.count() == 4
    first = Item.objects.order_by("pk")[0].solution
    assert not first.findings.filter(code="duplicate_id").exists()
    imported(project, jsonl(tmp_path / "b.jsonl", record(idx="own_0", original_question="5?")))
    assert found.count() == 5
    other = factories.project()
    imported(other, Path(tmp_path / "b.jsonl"))
    assert not Finding.objects.filter(project=other, code="duplicate_id").exists()


def test_a_resumed_import_stores_each_finding_once(
    project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    path = jsonl(tmp_path / "f.jsonl", *(one | OUT_OF_RANGE for one in [*many(7), *many(7)]))
    row = checked(project, path)
    import_write.begin(row)
    with monkeypatch.context() as patched:
        _die_in_batch(patched, 2)
        with pytest.raises(Killed):
            import_write.write(row=row)
    so_far = Finding.objects.count()
    assert so_far
    assert Solution.objects.exclude(foreign_format="").count() == 5  # the batch that died left nothing
    import_write.write(row=row)
    unbroken = factories.project()
    imported(unbroken, path)
    assert stored(project) == stored(unbroken)
    assert Finding.objects.filter(project=project).count() > so_far
    assert row.report["findings"] == Import.objects.get(project=unbroken).report["findings"]


class Killed(Exception):
    pass


def _die_in_batch(monkeypatch: Any, batch: int) -> None:
    """Die when the findings of that batch (of five records) are written, after everything else of it."""
    monkeypatch.setattr(import_write, "batched", lambda items: batched(items, 5))
    insert, calls = import_rows.Writer._insert, []

    def dying(self: Any, model: Any, rows: Any) -> None:
        insert(self, model, rows)
        calls.append(model)
        if calls.count(Finding) == batch:
            raise Killed

    monkeypatch.setattr(import_rows.Writer, "_insert", dying)


def test_removing_an_import_takes_its_findings_along(
    project: Project, lead: Membership, tmp_path: Path, monkeypatch: Any
) -> None:
    row = checked(project, jsonl(tmp_path / "f.jsonl", *(one | OUT_OF_RANGE for one in many(12))))
    import_write.begin(row)
    with monkeypatch.context() as patched:
        _die_in_batch(patched, 2)
        with pytest.raises(Killed):
            import_write.write(row=row)
    assert Finding.objects.exists()
    row.refresh_from_db()
    Import.objects.filter(pk=row.pk).update(error="It stopped.")
    row.refresh_from_db()
    imports.remove_import(by=lead, row=row)
    assert not Finding.objects.exists()


def test_doubtful_records_come_first(project: Project, tmp_path: Path) -> None:
    reworded = record(idx="own_9", modified_process=["Add both.", "It is 4."])  # found, but no doubt
    imported(project, jsonl(tmp_path / "f.jsonl", record(), reworded, record(idx="own_2", **OUT_OF_RANGE)))
    assert list(Item.objects.order_by("pk").values_list("priority", flat=True)) == [0, 0, PRIORITY]
    assert codes(Item.objects.order_by("pk")[1]) == ["changed_unclaimed"]
    claimed = queue.claim(by=factories.member(project))
    assert claimed
    assert "wrong_out_of_range" in codes(claimed.item)


def test_siblings_are_not_checked(project: Project) -> None:
    imported(project, PRM800K, format="prm800k")
    siblings = Solution.objects.filter(meta__has_key=import_rows.SIBLING_OF)
    assert siblings.exists()
    assert not Finding.objects.filter(solution__in=siblings).exists()
    assert not Finding.objects.filter(code="duplicate_id").exists()


# ---- again


def older(project: Project) -> None:
    """As an import left it that is older than the storing of findings."""
    Finding.objects.filter(project=project).delete()
    for row in Import.objects.filter(project=project):
        row.report = {key: value for key, value in row.report.items() if key != "findings"}
        row.save()
    Item.objects.filter(project=project).update(priority=0)


def command(*args: str) -> tuple[dict[str, Any], str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("lint", *args, "--json", stdout=out, stderr=err, no_color=True)
    return json.loads(out.getvalue()), err.getvalue()


def test_lint_reads_what_is_stored(project: Project) -> None:
    imported(project, PRMBENCH)
    Finding.objects.filter(project=project).update(detail="as stored")
    report, said = command(project.slug)
    assert {one["detail"] for one in report["findings"]} == {"as stored"}
    assert said == ""
    again, said = command(project.slug, "--recheck")
    assert "as stored" not in {one["detail"] for one in again["findings"]}
    assert "11 solutions checked" in said
    assert [one["code"] for one in again["findings"]] == [one["code"] for one in report["findings"]]


def test_lint_checks_what_an_older_version_imported_and_says_so(project: Project) -> None:
    imported(project, PRMBENCH)
    before = stored(project)
    older(project)
    report, said = command(project.slug)
    assert "Not all solutions were checked when they came in" in said
    assert len(report["findings"]) == len(before)
    assert stored(project) == before
    assert command(project.slug)[1] == ""  # once is enough


def test_a_recheck_raises_open_items_once_and_is_an_event(project: Project, lead: Membership) -> None:
    imported(project, PRMBENCH)
    given = dict(Item.objects.values_list("pk", "priority"))
    older(project)
    doubtful = [pk for pk, priority in given.items() if priority]
    Item.objects.filter(pk=doubtful[0]).update(decision=Decision.AGREED)
    Membership.objects.filter(pk=lead.pk).update(frontier=[0, 10**6])
    assert recheck_findings(by=lead, project=project) == 11
    raised = dict(Item.objects.values_list("pk", "priority"))
    assert raised == given | {doubtful[0]: 0}  # what is decided stays where it was
    lead.refresh_from_db()
    assert lead.frontier is None
    recheck_findings(by=lead, project=project)
    assert dict(Item.objects.values_list("pk", "priority")) == raised
    data = Event.objects.filter(verb="recheck_findings").order_by("pk")[0].data
    assert (data["solutions"], data["raised"]) == (11, len(doubtful) - 1)
    assert data["findings"] == Finding.objects.count()


def test_a_recheck_that_was_killed_is_begun_again(project: Project, monkeypatch: Any) -> None:
    imported(project, PRMBENCH)
    whole = stored(project)
    older(project)
    monkeypatch.setattr(lint, "CHUNK", 3)
    insert, calls = bulk.Table.insert, []

    def dying(self: Any, rows: Any) -> None:
        insert(self, rows)
        calls.append(1)
        if len(calls) == 2:
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(bulk.Table, "insert", dying)
        with pytest.raises(Killed):
            recheck_findings(by=Operator(), project=project)
    assert 0 < len(stored(project)) < len(whole)
    assert not lint.is_checked(project)
    recheck_findings(by=Operator(), project=project)
    assert stored(project) == whole
    assert lint.is_checked(project)


def test_a_solution_queued_since_is_checked_by_lint(project: Project) -> None:
    imported(project, PRMBENCH)
    assert lint.is_checked(project)
    item = factories.plain_item(project)
    assert not lint.is_checked(project)
    recheck_findings(by=Operator(), project=project)
    assert lint.is_checked(project)
    assert item.solution.findings.count() == 0


def test_a_reviewer_may_not_recheck(project: Project) -> None:
    with pytest.raises((errors.Forbidden, errors.Missing)):
        recheck_findings(by=factories.member(project), project=project)


def test_a_recheck_makes_the_same_queries_for_any_batch(tmp_path: Path) -> None:
    counts = []
    for n in (3, 40):
        project = factories.project()
        imported(project, jsonl(tmp_path / f"{n}.jsonl", *many(n)))
        with CaptureQueriesContext(connection) as captured:
            recheck_findings(by=Operator(), project=project)
        counts.append(len(captured))
    assert counts[0] == counts[1]


# ---- pages


def page(who: Membership, path: str) -> str:
    client = Client()
    client.force_login(who.user)
    answer = client.get(f"/p/{who.project.slug}/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_items_page_says_what_was_found_where_and_what_to_do(project: Project, lead: Membership) -> None:
    item = factories.injected_item(project)
    bare = page(lead, f"items/{item.pk}/")
    assert "What checks found" not in bare
    Finding.objects.create(
        project=project, solution=item.solution, code="arithmetic", position=1, detail="<b>1 = 2"
    )
    Finding.objects.create(project=project, solution=item.solution, code="gone", detail="")
    shown = page(lead, f"items/{item.pk}/")
    assert "What checks found" in shown
    assert '<a href="#step-2">step 2</a>' in shown
    assert 'id="step-2"' in shown
    assert "&lt;b&gt;1 = 2" in shown
    assert CODES["arithmetic"].advice in shown


def test_a_project_shows_counts_to_leads_alone(project: Project, lead: Membership, tmp_path: Path) -> None:
    imported(project, jsonl(tmp_path / "f.jsonl", record(**OUT_OF_RANGE)))
    link = f'<a href="/p/{project.slug}/items/?finding=wrong_out_of_range">1</a>'
    assert link in page(lead, "")
    assert "finding=" not in page(factories.member(project), "")


def test_an_imports_page_counts_what_was_found(project: Project, lead: Membership, tmp_path: Path) -> None:
    row = imported(project, jsonl(tmp_path / "f.jsonl", record(**OUT_OF_RANGE)))
    shown = page(lead, f"imports/{row.pk}/")
    assert "?finding=wrong_out_of_range" in shown
    assert CODES["wrong_out_of_range"].advice in shown
    clean = imported(project, jsonl(tmp_path / "g.jsonl", *many(1)))
    assert clean.report["findings"] == {}
    assert "No check found anything" in page(lead, f"imports/{clean.pk}/")


def test_what_a_run_found_outlives_a_recheck(lead: Membership, project: Project) -> None:
    imported(project, PRMBENCH)
    solution = Item.objects.filter(project=project).earliest("pk").solution
    Finding.objects.create(
        project=project, solution=solution, code="none_but_wrong", detail="said by a judge"
    )
    recheck_findings(by=lead, project=project)
    assert Finding.objects.filter(solution=solution, code="none_but_wrong").exists()
