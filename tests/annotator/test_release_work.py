"""The work of a release: it is heard of all the time, taken up where it was left, and copied out once more."""

import os
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotator import errors
from annotator.actions import release_select, release_write, releases
from annotator.actions.transfers import Pulse
from annotator.models import Project, Release, TransferState
from annotator.policies import Operator
from tests import factories
from tests.annotator.foreign import imported, jsonl, many

pytestmark = pytest.mark.django_db
RULE = {"which": "all", "formats": ["trl"]}


@pytest.fixture
def project(tmp_path: Path, settings: Any) -> Project:
    settings.DATA_DIR = tmp_path / "data"
    project = factories.project(overlap=1)
    imported(project, jsonl(tmp_path / "records.jsonl", *many(3)))
    return project


def made(project: Project, tmp_path: Path, name: str = "", **rule: Any) -> Release:
    folder = tmp_path / f"out{len(list(tmp_path.glob('out*')))}"
    asked = {"which": "all", **rule}
    return releases.release_to(by=Operator(), project=project, rule=asked, folder=folder, name=name)


# ---- begun before


def test_the_command_does_not_replace_the_folder_it_runs_in(
    project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CommandError, match="choose a new folder"):
        call_command("release", project.slug, "--rule", '{"which": "all"}', "-o", ".")
    with pytest.raises(CommandError, match="Cannot write"):
        call_command("release", project.slug, "--rule", '{"which": "all"}', "-o", "../records.jsonl/out")
    assert not Release.objects.exists()
    call_command("release", project.slug, "--rule", '{"which": "all"}', "-o", "../here/out")
    assert (tmp_path / "here" / "out" / "manifest.json").is_file()


def test_a_complete_release_is_copied_out_by_the_command_that_made_it(
    project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(releases, "copy_to", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made(project, tmp_path, name="v1")
    row = made(project, tmp_path, name="v1")
    assert (row.state, Release.objects.count()) == (TransferState.COMPLETE, 1)
    assert (tmp_path / "out0" / "manifest.json").is_file()
    with pytest.raises(errors.Conflict, match="a name is used once"):
        made(project, tmp_path, name="v1", parquet=False)


def test_an_unfinished_release_is_taken_up_without_its_name(
    project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(releases, "write_cards", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            made(project, tmp_path)
    assert made(project, tmp_path, parquet=False).name == "1.1"
    assert made(project, tmp_path).name == "1.0"
    assert made(project, tmp_path).name == "1.2"


# ---- heard of while it works


def test_every_part_of_the_work_says_that_somebody_is_at_it(
    project: Project, tmp_path: Path, monkeypatch: Any
) -> None:
    heard: set[str] = set()

    def beat(row: Release, **_: object) -> None:
        heard.update(frame.name for frame in traceback.extract_stack())

    monkeypatch.setattr(releases, "beat", beat)
    monkeypatch.setattr(Pulse, "is_due", lambda _: True)
    monkeypatch.setattr(release_select, "CHUNK", 1)
    monkeypatch.setattr(release_write, "CHUNK", 1)
    row = releases._open(Operator(), project, releases._check(Operator(), project, RULE, "", ""))
    Release.objects.update(state=TransferState.WRITING)  # as the first beat does
    row = releases.write(row=row)
    assert row.state == TransferState.COMPLETE
    parts = {"run", "_writable", "write_format", "_found_schema", "of_lines", "facts_of", "sha256_of"}
    assert parts <= heard


def test_a_folder_is_cleared_away_only_once_nobody_is_at_it(
    project: Project, tmp_path: Path, settings: Any
) -> None:
    home = settings.DATA_DIR / "releases"
    row = releases._open(Operator(), project, releases._check(Operator(), project, RULE, "", ""))
    for name, age_s in ((f"{row.pk}.live", 5), (f"{row.pk}.dead", 70), ("77.live", 70), ("77.dead", 90_000)):
        folder = home / f".{name}.part"
        (folder / "records").mkdir(parents=True)
        os.utime(folder, (time.time() - age_s,) * 2)
    releases.write(row=row)
    assert {one.name for one in home.glob(".*")} == {f".{row.pk}.live.part", ".77.live.part"}
