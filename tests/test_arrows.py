"""The architecture holds, and each rule of it can fail."""

import pytest

from tests.arrows import our_sources, problems

BASE = {"annotator": "", "synth": "", "scoring": "", "api": "", "config": ""}


def test_the_arrows_hold() -> None:
    assert problems(our_sources()) == []


def test_sources_are_found() -> None:
    found = our_sources()
    assert {"annotator.policies", "annotator.core.decision", "config.settings", "api"} <= set(found)
    assert not any("migrations" in name for name in found)


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("annotator.views", "import synth.methods", "annotator does not know synth"),
        ("synth.views", "from scoring import metrics", "synth does not know scoring"),
        ("scoring.views", "def f():\n    from api import urls", "scoring does not know api"),
        ("annotator.tasks", "from config.celery import app", "annotator does not know config"),
        ("api.views", "from tests.factories import make", "code does not know its tests"),
        ("annotator.core.labels", "from django.db import models", "plain Python"),
        ("annotator.formats.prmbench", "def f():\n    import celery", "plain Python"),
        ("synth.methods.judge", "from annotator.models import Rater", "uses only plain Python of ours"),
        ("scoring.prm.engine", "from django.conf import settings", "plain Python"),
        ("annotator.models.item", "from annotator import policies", "policies is not below models"),
        ("annotator.queue", "from annotator.actions import review", "actions is not below queue"),
        ("annotator.queue", "from annotator import runs", "runs is not below queue"),
        ("annotator.actions.review", "from annotator.tasks import go", "tasks is not below actions"),
        ("annotator.actions.review", "from ..views import home", "views is not below actions"),
        ("annotator.middleware", "from annotator import urls", "urls is not below views"),
        ("annotator.tasks", "from annotator.forms import F", "views is not below tasks"),
        ("annotator.helpers", "", "stands on no floor"),
        ("annotator.views", "import torch", "only scoring.prm.engine and scoring.train may"),
        ("scoring.prm.readout", "def f():\n    from transformers import AutoModel", "may"),
        ("scoring.prm.engine", "import torch", "inside a function"),
        (
            "scoring.prm.engines",
            "def f():\n    import torch",
            "only scoring.prm.engine and scoring.train may",
        ),
        ("synth.models", "", "only annotator has models"),
        ("scoring.store", "class Score(models.Model):\n    pass", "only annotator has models"),
    ],
)
def test_each_rule_can_fail(module: str, text: str, complaint: str) -> None:
    named = {"annotator.runs": "", "annotator.policies": "", "annotator.urls": "", module: text}
    found = problems(BASE | named)
    assert len(found) == 1
    assert complaint in found[0]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        (
            "annotator.actions.review",
            "from annotator import errors, queue\nfrom annotator.models import Item",
        ),
        ("annotator.core.labels", "import numpy\nfrom annotator.errors import Invalid"),
        ("synth.methods.judge", "from annotator.core.labels import first_error"),
        ("scoring.prm.engine", "def score():\n    import torch"),
        ("scoring.prm.engine.loading", "def load():\n    from transformers import AutoModel"),
        ("api.views", "from annotator.actions import review\nfrom synth import actions"),
        ("annotator.models", "from .item import Item"),
    ],
)
def test_what_is_allowed_passes(module: str, text: str) -> None:
    assert problems(BASE | {"annotator.queue": "", "annotator.models.item": "", module: text}) == []


def test_a_circle_is_found_even_inside_functions() -> None:
    sources = {
        "annotator.actions.a": "from annotator.actions import b",
        "annotator.actions.b": "def f():\n    from annotator.actions.c import g",
        "annotator.actions.c": "from . import a",
        "annotator.actions.d": "from annotator.actions import a",
    }
    circle = "annotator.actions.a, annotator.actions.b, annotator.actions.c"
    assert problems(BASE | sources | {"annotator.actions": ""}) == [f"A circle of imports: {circle}"]
