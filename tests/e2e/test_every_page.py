"""Every page with hostile text in every field that data can fill: nothing runs, nothing is blocked, axe is silent,
nothing is wider than the screen. Pictures of each page go to SCREENSHOTS, to be looked at."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from annotator import queue
from annotator.actions import (
    account,
    annotation_import,
    exports,
    guidelines,
    imports,
    people,
    releases,
    review,
)
from annotator.actions.import_files import find_files
from annotator.actions.sampling import draw
from annotator.models import (
    Assignment,
    Call,
    Export,
    Import,
    Item,
    Membership,
    Project,
    Rater,
    Release,
    Role,
    Run,
)
from annotator.policies import Operator
from tests import factories as make
from tests.e2e.conftest import DESKTOP, PHONE, check, look, shoot

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> $\\href{javascript:alert(3)}{x}$ "
    "$\\htmlData{a=b}{y}$ $\\includegraphics{x}$ [md](javascript:alert(4)) ![i](http://127.0.0.1:9/x.png) "
    "</textarea></script>{{ 7|add:7 }} \u202e"
)

PAGES = {
    "home": "/", "account": "/account/", "keys": "/account/keys/", "tokens": "/account/tokens/",
    "project": "/p/{slug}/", "settings": "/p/{slug}/settings/", "people": "/p/{slug}/people/",
    "guidelines": "/p/{slug}/guidelines/", "questions": "/p/{slug}/questions/", "mine": "/p/{slug}/mine/",
    "practice": "/p/{slug}/practice/",
    "items": "/p/{slug}/items/", "items-filtered": "/p/{slug}/items/?decision=conflicted",
    "items-found": "/p/{slug}/items/?finding=any", "triage": "/p/{slug}/triage/",
    "bulk": "/p/{slug}/items/bulk/?do=assign&finding=any", "take-down": "/p/{slug}/items/{item}/take-down/",
    "adjudicate": "/p/{slug}/adjudicate/", "adjudicate-item": "/p/{slug}/items/{item}/adjudicate/",
    "differences": "/p/{slug}/mine/differences/",
    "item": "/p/{slug}/items/{item}/", "imports": "/p/{slug}/imports/",
    "import": "/p/{slug}/imports/{imported}/", "import-labels": "/p/{slug}/imports/labels/",
    "import-judgements": "/p/{slug}/imports/{labels}/", "import-map": "/p/{slug}/imports/{unmapped}/map/",
    "exports": "/p/{slug}/exports/",
    "export": "/p/{slug}/exports/{exported}/", "agreement": "/p/{slug}/agreement/",
    "audit": "/p/{slug}/audit/", "audit-filtered": "/p/{slug}/audit/?verb=take_down",
    "releases": "/p/{slug}/releases/",
    "releases-counted": "/p/{slug}/releases/?which=all&formats=trl&formats=pairs&parquet=on",
    "release": "/p/{slug}/releases/{released}/", "release-diff": "/p/{slug}/releases/diff/?a=1.0&b=1.0",
    "acceptance": "/p/{slug}/acceptance/", "pull": "/p/{slug}/pull/",
    "exam": "/p/{slug}/exam/", "reviewers": "/p/{slug}/reviewers/",
    "published": "/benchmarks/prmbench/?table=first", "published-processbench": "/benchmarks/processbench/",
    "benchmarks": "/p/{slug}/benchmarks/", "benchmark-report": "/p/{slug}/benchmarks/prmbench/raters/{model}/",
    "benchmark-misses": "/p/{slug}/benchmarks/prmbench/raters/{model}/misses/",
    "benchmark-compare": "/p/{slug}/benchmarks/prmbench/compare/?a={model}&b={rater}",
    "benchmark-moved": "/p/{slug}/benchmarks/prmbench/moved/",
    "runs": "/p/{slug}/runs/", "run": "/p/{slug}/runs/{run}/", "run-done": "/p/{slug}/runs/{run}/?outcome=all",
    "run-agreement": "/p/{slug}/runs/{run}/agreement/", "unit": "/p/{slug}/runs/{run}/units/{unit}/",
    "machines": "/p/{slug}/machines/", "machine": "/p/{slug}/machines/inject/",
    "consensus": "/p/{slug}/consensus/",
    "machine-consensus": "/p/{slug}/machines/consensus/", "evidence": "/p/{slug}/items/{item}/evidence/",
    "score": "/p/{slug}/score/", "try-models": "/p/{slug}/score/try/", "tried": "/p/{slug}/score/try/{tried}/",
    "missing": "/p/{slug}/nowhere/",
    "review-blind": "/p/{slug}/review/{blind}/", "review-revealed": "/p/{slug}/review/{revealed}/",
    "review-done": "/p/{slug}/review/{done}/",
}  # fmt: skip


def hostile_records(folder: Path) -> Path:
    """Six PRMBench records with HOSTILE in every field of text."""
    lines = []
    for number, kind in enumerate(
        ["circular", "deception", "confidence", "redundency", "circular", "deception"]
    ):
        steps = [f"Step one of {number}. {HOSTILE}", "Then $1+1=2$.", "So $x=2$."]
        changed = [steps[0], f"Then $1+1=3$. {HOSTILE}", "So $x=3$.", HOSTILE]
        lines.append(
            {
                "original_question": f"What is $x$ in case {number}? {HOSTILE}",
                "modified_question": f"What is $x$ in case {number}, really? {HOSTILE}",
                "original_process": steps, "modified_process": changed, "modified_steps": [2, 3],
                "error_steps": [2], "reason": f"Because {HOSTILE}", "idx": f"hostile_{number}",
                "question": HOSTILE, "classification": kind, "note<script>": HOSTILE,
            }
        )  # fmt: skip
    path = folder / "hostile <b>.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def own_records(lead: Membership) -> Import:
    """An upload that waits for its map, HOSTILE in texts and in names of members."""
    record = {
        "problem": HOSTILE,
        "steps": [HOSTILE, "So $x=2$."],
        "labels": [1, -1],
        HOSTILE: {HOSTILE: HOSTILE},
    }
    content = (
        json.dumps(record | {"id": HOSTILE[:200], "source": HOSTILE}) + "\n" + json.dumps({"problem": 5})
    )
    upload = SimpleUploadedFile(f"own {HOSTILE[:30]}.jsonl", content.encode())
    return imports.start_upload(by=lead, project=lead.project, format="jsonl", uploads=[upload])


def hostile_labels(project: Project, folder: Path) -> Import:
    """A checked import of labels by a rater with a hostile name: one good, one bad, one of no solution here."""
    rows = [
        {"id": "circular_hostile_0", "scores": [1]},
        {"id": HOSTILE, "labels": HOSTILE},
        {"id": HOSTILE[:200], "labels": "+"},
    ]
    path = folder / "labels <b>.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    row = annotation_import.open_import(
        by=Operator(), project=project, format="jsonl", files=find_files([str(path)]),
        rater="prm:<script>alert(1)</script> $x$ {{ 7|add:7 }}",
    )  # fmt: skip
    return annotation_import.check(row=row)


def hostile_model(project: Project) -> Rater:
    """A model with a hostile name that has scored every item."""
    model = Rater.objects.create(kind="prm", name=HOSTILE[:100])
    for item in project.items.select_related("solution"):
        row = make.machine_labels(item.solution, model, "+-++")
        row.scores = [0.9, 0.2, 0.8, 0.6]
        row.save(update_fields=["scores"])
    return model


def hostile_runs(item: Item, folder: Path, settings: Any) -> dict[str, int]:
    """A paused run of rollouts and one of a judge whose reply was of no use, all that they say HOSTILE."""
    settings.ENDPOINTS_FILE = folder / "endpoints.toml"
    settings.ENDPOINTS_FILE.write_text(
        '[endpoints.x]\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "<b>$x$</b>"\n'
    )
    prefix = {
        "position": 0, "k": 1, "drawn": 2, "planned": 8, "stopped": True, "holds_answer": True,
        "draws": [{"verdict": "right", "answer": HOSTILE}, {"verdict": "wrong", "answer": None}],
    }  # fmt: skip
    said = {
        "first_error": 1,
        "prefixes": [prefix],
        "analyses": [HOSTILE],
        "reasons": [HOSTILE],
        "raw": HOSTILE,
    }
    spec = {"model": HOSTILE, "prompt": HOSTILE, "prompt_digest": HOSTILE}
    for method, kind, labels in (("judge", "judge", "+-.."), ("rollout", "rollouts", "++-.")):
        rater = Rater.objects.create(kind=kind, name=HOSTILE[:150], digest=method, spec=spec)
        make.machine_labels(item.solution, rater, labels)
        run = make.run(
            item.project, method, rater=rater, state="paused", because=HOSTILE, cost=2.5, budget=2.5, n_calls=2,
            params={"endpoint": HOSTILE, "currency": "<b>E</b>", HOSTILE: HOSTILE},
        )  # fmt: skip
        about = {"solution": item.solution, "kind": HOSTILE[:40], "result": json.dumps(said)}
        unit = make.unit(run, outcome=f"rejected: {HOSTILE}"[:30], **about)
        make.unit(run, state="failed", error=HOSTILE, attempts=4, **about)
        Call.objects.create(unit=unit, n=0, digest="d", reply=HOSTILE, error=HOSTILE)
        Call.objects.create(unit=unit, n=0, digest="d", reply=HOSTILE * 40, finish_reason="<b>stop</b>")
    return {"run": run.pk, "unit": unit.pk}


def model_here(root: Path) -> Path:
    """A folder as a model's, for the forms alone: nothing is loaded."""
    (root / "reasoneval-7b").mkdir(parents=True)
    (root / "reasoneval-7b" / "config.json").write_text("{}")
    return root


def hostile_try(project: Project) -> Run:
    """Two models tried on a hostile solution: one has scored it, one has refused."""
    run = make.run(
        project, "try", state="complete", params={"problem": HOSTILE, "steps": [HOSTILE, "So $x$."]}
    )
    channels = {
        name: {"scores": [0.93, 0.2], "labels": "+-", "rule": "above", "threshold": 0.5, "tuned_on": HOSTILE}
        for name in ("validity", "redundancy")
    }
    named = {"model": HOSTILE[:40], "variant": "card"}
    result = json.dumps({"channels": channels, "n_tokens": 9, "note": ""})
    make.unit(run, "a", state="done", params=named, result=result)
    make.unit(run, "b", state="failed", params=named, error=HOSTILE)
    return run


@pytest.fixture
def world(transactional_db: None, tmp_path: Path, settings: Any) -> dict[str, Any]:
    """A project where two reviewers are in every phase of work, all its texts hostile."""
    settings.DATA_DIR, settings.MODELS_DIR = tmp_path, model_here(tmp_path / "models")
    project = make.project(name=f"Check {HOSTILE}"[:120])
    call_command(
        "import_solutions", project.slug, str(hostile_records(tmp_path)), format="prmbench", verbosity=0
    )
    lead, alice, bob = make.member(project, "lead", Role.OWNER), make.member(project), make.member(project)
    guidelines.write_guideline(by=lead, project=project, text=f"# Guide {HOSTILE}\n\n{HOSTILE}")
    for me, labels in ((alice, "+-++"), (bob, "+--+")):
        done = reviewed(me, labels)
    review.ask(by=bob, assignment_id=done.pk, text=HOSTILE)
    revealed = committed(bob, "++++")
    people.invite(by=lead, project=project, role=Role.REVIEWER, note=HOSTILE[:120])
    exported = exports.start_export(by=Operator(), project=project, format="prmbench", which="all")
    exports.write(row=Export.objects.get())
    rule = {"which": "all", "formats": ["prmbench", "processbench"]}
    released = releases.start_release(by=Operator(), project=project, rule=rule, note=HOSTILE)
    releases.write(row=Release.objects.get())
    draw(by=lead, project=project, share=1.0, seed=1)
    blind = queue.claim(by=alice)
    return {
        "project": project, "lead": lead, "alice": alice, "bob": bob, "slug": project.slug,
        "item": done.item_id, "done": done.pk, "revealed": revealed.pk, "blind": blind.pk,
        "exported": exported.pk, "released": released.pk, "imported": project.imports.get(format="prmbench").pk,
        "model": hostile_model(project).pk, "rater": bob.rater_id,
        "tried": hostile_try(project).pk,
        "unmapped": own_records(lead).pk, "labels": hostile_labels(project, tmp_path).pk,
        **hostile_runs(done.item, tmp_path, settings),
    }  # fmt: skip


def committed(me: Membership, labels: str) -> Assignment:
    assignment = queue.claim(by=me)
    data = {"labels": labels, "note": HOSTILE, "error_types": {"1": ["circular"]}, "edit": {"2": HOSTILE}}
    return review.commit(by=me, assignment_id=assignment.pk, data=data)


def reviewed(me: Membership, labels: str) -> Assignment:
    assignment = committed(me, labels)
    verdict = {"claim": "fix", "original": "right", "kind": "circular"}
    return review.submit(
        by=me, assignment_id=assignment.pk, data={**assignment.draft, "verdict": verdict, "note": HOSTILE}
    )


@pytest.mark.parametrize("half", [0, 1])  # for two processes
def test_every_page(sit: Callable[..., Any], world: dict[str, Any], half: int) -> None:
    seats = {who: sit(world[who]) for who in ("lead", "alice", "bob")}
    for name, pattern in list(PAGES.items())[half::2]:
        who = {"review-blind": "alice"}.get(name, "bob" if name.startswith("review") else "lead")
        page = seats[who].open(pattern.format(**world))
        page.wait_for_load_state("load")
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)
            look(page, f"{name}-{size['width']}")
        page.set_viewport_size(DESKTOP)


@pytest.mark.parametrize("name", ["sign-in", "join", "set-password"])
def test_pages_before_signing_in(sit: Callable[..., Any], world: dict[str, Any], name: str) -> None:
    lead, project = world["lead"], world["project"]
    paths = {
        "sign-in": "/sign-in/",
        "join": f"/join/{people.invite(by=lead, project=project, role=Role.REVIEWER, note='')[1]}/",
        "set-password": account.make_password_link(by=lead, user=world["bob"].user),
    }
    look(sit(None).open(paths[name]), f"{name}-1280")


def test_the_api_docs_load_under_the_strict_policy(sit: Callable[..., Any], world: dict[str, Any]) -> None:
    page = sit(world["lead"]).open("/api/v1/docs")
    page.locator(".opblock", has_text="/api/v1/projects/{project}/claim").wait_for()


def test_an_empty_project_says_what_to_do(sit: Callable[..., Any], transactional_db: None) -> None:
    project: Project = make.project()
    seat = sit(make.member(project, "lead", Role.OWNER))
    for name in (
        "project",
        "items",
        "questions",
        "imports",
        "exports",
        "releases",
        "agreement",
        "mine",
        "exam",
        "reviewers",
        "runs",
        "consensus",
        "benchmarks",
    ):
        page = seat.open(PAGES[name].format(slug=project.slug))
        check(page, name)
        shoot(page, f"empty-{name}-1280-light")
        assert page.locator(".empty").count(), f"{name} has no word for an empty project"
    assert not Item.objects.exists()
