"""`manage.py demo`: one project to look at, the same however often it is called."""

import json
import shutil
import stat
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count
from django.test import RequestFactory, override_settings

from annotator import queue, reports
from annotator.actions.adjudicate import CAUSES
from annotator.models import (
    Annotation,
    Assignment,
    Decision,
    Event,
    Guideline,
    Item,
    Membership,
    Project,
    Question,
    Rater,
    Release,
    Run,
    User,
)
from tests import factories

pytestmark = pytest.mark.django_db

ROLES = {"lead": "owner", "alice": "reviewer", "bob": "reviewer", "carol": "reviewer", "dave": "reviewer"}


@pytest.fixture
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


def demo() -> str:
    out = StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


def accounts(data_dir: Path) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads((data_dir / "demo.json").read_text())
    return found


class Made(NamedTuple):
    """A demo: its folder, and what the command said."""

    folder: Path
    said: str


@pytest.fixture(scope="class")
def made(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("demo")
    with django_db_blocker.unblock(), transaction.atomic(), override_settings(DATA_DIR=folder):
        yield Made(folder, demo())
        transaction.set_rollback(True)


class TestOneDemo:
    """Made once, since it takes seconds; each test takes back what it writes."""

    def test_the_demo_is_a_project_that_shows_something(self, made: Made) -> None:
        project = Project.objects.get(slug="demo")
        assert project.overlap == 2
        assert project.guideline
        assert dict(project.memberships.values_list("user__username", "role")) == ROLES
        kinds = project.items.filter(protocol="verify_injection").values("error_type")
        assert kinds.distinct().count() == 8
        assert project.items.values("protocol").distinct().count() == 4
        assert project.items.values("solution__problem__group").distinct().count() >= 30
        decisions = set(project.items.values_list("decision", flat=True))
        assert decisions == set(Decision)
        for one in accounts(made.folder):
            assert one["password"] in made.said
            request = RequestFactory().post("/sign-in/")
            user = authenticate(request, username=one["username"], password=one["password"])
            assert user == User.objects.get(username=one["username"])
            assert not user.is_superuser

    def test_rules_put_errors_in_that_are_reviewed_and_compared(self, made: Made) -> None:
        project = Project.objects.get(slug="demo")
        run = Run.objects.get(project=project)
        assert (run.method, run.state, run.n_done, run.n_failed) == ("rules", "complete", 42, 0)
        made_here = project.items.filter(solution__unit__run=run)
        assert made_here.count() == run.units.filter(outcome="stored").count() > 10
        assert made_here.filter(n_submitted=2).count() >= 8
        beside = {one["rater_id"]: one for one in reports.current(project).data["raters"]}
        assert beside[run.rater_id]["n_solutions"] >= 8
        assert beside[run.rater_id]["kappa"]["value"] > 0

    def test_the_file_of_passwords_is_the_operators_alone(self, made: Made) -> None:
        path = made.folder / "demo.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len({one["password"] for one in accounts(made.folder)}) == len(ROLES)

    def test_again_it_changes_nothing(self, made: Made) -> None:
        def everything() -> list[object]:
            models = (
                Annotation,
                Assignment,
                Event,
                Guideline,
                Item,
                Membership,
                Project,
                Question,
                Rater,
                User,
            )
            counted = [model.objects.count() for model in models]
            return [*counted, accounts(made.folder), list(User.objects.values_list("username", "password"))]

        before = everything()
        demo()
        assert everything() == before

    def test_lost_passwords_are_not_made_anew(self, made: Made, tmp_path: Path, settings: Any) -> None:
        settings.DATA_DIR = shutil.copytree(made.folder, tmp_path / "data")
        (settings.DATA_DIR / "demo.json").unlink()
        assert "manage.py password_link alice" in demo()
        assert accounts(settings.DATA_DIR) == []

    def test_reviews_take_the_time_of_people_and_differ_before_and_after_the_reveal(self, made: Made) -> None:
        blind = Annotation.objects.filter(phase="blind", rater__name="alice")
        revealed = dict(
            Annotation.objects.filter(phase="revealed", rater__name="alice").values_list("solution", "labels")
        )
        assert all(45_000 <= row.duration_ms <= 240_000 for row in blind if row.duration_ms is not None)
        assert (
            0 < sum(row.labels != revealed.get(row.solution_id, row.labels) for row in blind) < len(revealed)
        )

    def test_the_demo_has_something_of_every_part_to_look_at(self, made: Made) -> None:
        project = Project.objects.get(slug="demo")
        settled = Annotation.objects.filter(phase="adjudication", superseded_at=None)
        assert {row.verdict["cause"] for row in settled} == set(CAUSES)
        assert set(project.items.values_list("use", flat=True)) == {"work", "demonstration", "exam"}
        measured = dict(
            project.assignments.exclude(purpose="work").values_list("purpose").annotate(n=Count("id"))
        )
        assert measured == {"exam": 4, "probe": 6}
        assert project.items.filter(retired=True).count() == 1
        assert project.items.filter(held=True, retired=False, use="work").count() == 2
        assert project.samples.get().items.filter(n_submitted=2).exists()
        assert (
            project.questions.filter(answer="").count() == project.questions.exclude(answer="").count() == 1
        )
        assert project.guidelines.count() == 2
        first, second = Release.objects.order_by("name")
        assert (first.name, second.name, first.state, second.state) == ("1.0", "1.1", "complete", "complete")
        assert first.n_records
        assert second.n_records
        assert second.n_records > first.n_records
        call_command("check_integrity", project.slug)


def test_nobodys_account_is_taken(data_dir: Path) -> None:
    factories.member(factories.project(), "alice")
    with pytest.raises(CommandError, match="alice is somebody's account already"):
        demo()
    assert User.objects.get(username="alice").check_password(factories.PASSWORD)
    assert not Membership.objects.filter(project__slug="demo", user__username="alice").exists()


@pytest.mark.once
def test_an_interrupted_demo_is_finished_the_next_time(data_dir: Path, monkeypatch: Any) -> None:
    claim, claims = queue.claim, iter(range(5))

    def interrupted(**given: Any) -> Any:
        if next(claims, None) is None:
            raise KeyboardInterrupt
        return claim(**given)

    monkeypatch.setattr(queue, "claim", interrupted)
    with pytest.raises(KeyboardInterrupt):
        demo()
    monkeypatch.setattr(queue, "claim", claim)
    demo()
    submitted = Membership.objects.filter(n_submitted__gt=0).values_list("user__username", "n_submitted")
    assert dict(submitted) == {"alice": 54, "bob": 50, "dave": 10}


def test_two_demos_release_the_same(data_dir: Path, settings: Any, tmp_path: Path) -> None:
    """Deterministic: the digest of a release is that of the data and the rule."""
    found = []
    for name in ("one", "two"):
        settings.DATA_DIR = tmp_path / name
        with transaction.atomic():
            demo()
            found.append(list(Release.objects.order_by("name").values_list("name", "digest")))
            transaction.set_rollback(True)
    assert found[0] == found[1]
    assert len(found[0]) == 2
