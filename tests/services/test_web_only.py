"""`make demo` installs what reviewing needs and nothing more: all of it works without the rest."""

import subprocess
import sys
from pathlib import Path

from tests.services.conftest import Migrated
from tests.services.processes import ROOT, environment

# What requirements.txt has beside requirements-web.txt, as far as our code imports it.
ABSENT = (
    "torch", "transformers", "tokenizers", "accelerate", "safetensors", "openai", "httpx2", "anyio", "aiolimiter",
    "jinja2", "math_verify", "sympy", "pyarrow", "scipy", "pandas",
)  # fmt: skip
DEMO = f"""
import sys
for name in {ABSENT!r}:
    sys.modules[name] = None
import django; django.setup()
from celery import current_app; current_app.loader.import_default_modules()
from django.core.management import call_command
call_command("demo", verbosity=0)
from annotator.models import Release, Run
print([Release.objects.filter(state="complete").count(), Run.objects.filter(state="complete").count()])
"""


def test_the_demo_is_made_with_what_reviewing_needs_alone(tmp_path: Path, migrated: Migrated) -> None:
    env = migrated(environment(tmp_path / "data"))
    done = subprocess.run([sys.executable, "-c", DEMO], env=env, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[2, 1]"
