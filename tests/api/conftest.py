import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from knox.models import AuthToken

from annotator.models import Membership

Call = Callable[..., Any]


@pytest.fixture
def call() -> Call:
    """call(membership, "POST", "claim", {...}) -> response, with a token as a script would send it."""
    tokens: dict[int, str] = {}

    def _call(me: Membership, method: str, path: str, body: Any = None) -> Any:
        if me.pk not in tokens:
            tokens[me.pk] = AuthToken.objects.create(me.user)[1]
        return Client().generic(
            method, f"/api/v1/projects/{me.project.slug}/{path}",
            *([json.dumps(body), "application/json"] if body is not None else []),
            headers={"Authorization": f"Token {tokens[me.pk]}"},
        )  # fmt: skip

    return _call
