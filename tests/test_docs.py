"""The documentation keeps up with the code: settings, commands, links, and nothing of one machine."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.arrows import FLOOR_OF, ROOM, ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
SETTINGS = (ROOT / "docs" / "settings.md").read_text()
READ = re.compile(r'env\.\w+\(\s*"([A-Z_]+)"')


def settings_read() -> set[str]:
    return set(READ.findall((ROOT / "config" / "settings.py").read_text()))


def settings_described() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)`", SETTINGS, re.MULTILINE))


def test_every_setting_is_described_and_none_that_is_not_read() -> None:
    assert len(settings_read()) >= 10
    assert settings_described() == settings_read()


def test_settings_are_read_in_one_file_only() -> None:
    others = [p for app in ("annotator", "api", "synth", "scoring") for p in (ROOT / app).rglob("*.py")]
    readers = [str(p.relative_to(ROOT)) for p in others if re.search(r"os\.(environ|getenv)", p.read_text())]
    assert readers == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text())
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert gone == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_named_commands_exist(page: Path) -> None:
    """`manage.py NAME` and `make NAME` as they stand in the text."""
    ours = {path.stem for path in ROOT.glob("*/management/commands/*.py")}
    named = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text()))
    assert named - ours - {"migrate", "collectstatic", "check"} == set()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)", page.read_text())) <= targets


def test_every_floor_is_drawn() -> None:
    drawn = (ROOT / "docs" / "development.md").read_text()
    names = {ROOM.get(name, name) for name in FLOOR_OF} - {"apps", "management", "demo"}
    assert [name for name in sorted(names) if name not in drawn] == []


def test_every_decision_is_numbered_and_says_why() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{n:04}" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        headings = re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


def test_no_tracked_file_names_a_folder_of_one_machine() -> None:
    pattern = r"(^|[^.a-zA-Z])/(work|farm|root)/"
    found = subprocess.run(
        ["git", "grep", "-nE", pattern, "--", ".", ":!tests/test_docs.py"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert (found.returncode, found.stdout) == (1, "")  # 1: nothing found; more: git itself failed
