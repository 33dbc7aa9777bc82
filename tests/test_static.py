"""Collected static files: complete, and ours refer to each other by hashed names, so none is ever stale."""

import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings

from tests.arrows import ROOT

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "config.storage.StaticStorage"},
}
HASHED = re.compile(r"\.[0-9a-f]{12}\.")
IMPORTS = re.compile(r"""^(?:import|export)\b[^'"]*['"](\.\.?/[^'"]+)['"]""", re.MULTILINE)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    with override_settings(STATIC_ROOT=str(folder), STORAGES=STORAGES):
        call_command("collectstatic", "--no-input", verbosity=0)
    return folder


def names(folder: Path) -> dict[str, str]:
    """Name -> hashed name."""
    paths = json.loads((folder / "staticfiles.json").read_text())["paths"]
    assert isinstance(paths, dict)
    return paths


def test_our_modules_import_hashed_names(collected: Path) -> None:
    ours = [hashed for name, hashed in names(collected).items() if re.fullmatch(r"annotator/.*\.js", name)]
    found = [(path, link) for path in ours for link in IMPORTS.findall((collected / path).read_text())]
    assert found
    assert [pair for pair in found if not HASHED.search(pair[1])] == []
    assert [p for p in found if not ((collected / p[0]).parent / p[1]).is_file()] == []


def test_every_module_of_ours_is_collected(collected: Path) -> None:
    sources = (ROOT / "annotator" / "static").rglob("*.js")
    assert {str(path.relative_to(ROOT / "annotator/static")) for path in sources} <= set(names(collected))


def test_katex_comes_with_all_fonts(collected: Path) -> None:
    found = names(collected)
    assert {"vendor/katex/katex.min.js", "vendor/katex/katex.min.css"} <= set(found)
    sheet = (collected / found["vendor/katex/katex.min.css"]).read_text()
    fonts = re.findall(r"""url\(["']?(fonts/[^"')]+)""", sheet)
    assert len(fonts) == 60
    assert all((collected / "vendor/katex" / font).is_file() and HASHED.search(font) for font in fonts)


def test_files_are_compressed(collected: Path) -> None:
    assert (collected / (names(collected)["vendor/katex/katex.min.js"] + ".gz")).is_file()
