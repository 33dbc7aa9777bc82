"""The web starts without the heavy libraries, as it must where only requirements-web.txt is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.services.processes import ROOT, environment

HEAVY = ("torch", "transformers", "openai", "pyarrow", "scipy", "pandas", "sympy")


@pytest.mark.parametrize("module", ["config.wsgi", "config.urls", "config.celery"])
def test_nothing_heavy_is_imported(module: str, tmp_path: Path) -> None:
    code = (
        "import sys, django; django.setup()\n"
        f"import {module}\n"
        "from celery import current_app; current_app.loader.import_default_modules()\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
