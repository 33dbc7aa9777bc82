"""Two releases of a project, compared by their files: those never change, so neither does the answer."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.cache import cache

from annotator import errors, policies
from annotator.actions.release_fetch import file_of
from annotator.actions.release_files import LABELS
from annotator.core.release_diff import Labelled, compare, rule_changes
from annotator.models import Project, Release, Role, TransferState
from annotator.policies import Actor

KEPT_S = 24 * 3600


def diff(*, by: Actor, project: Project, a: str, b: str) -> dict[str, Any]:
    """What changed from release `a` to `b`, by their names. Raises Invalid for one that is not there."""
    policies.check_at_least(by, Role.LEAD, project)
    before, after = find(project, a, "a"), find(project, b, "b")
    key = f"release-diff:{before.pk}:{after.pk}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = {
            "a": _about(before), "b": _about(after), "is_same": before.digest == after.digest,
            "rule": rule_changes(before.report["rule"], after.report["rule"]),
            **compare(_labels(before), _labels(after)).as_json(),
        }  # fmt: skip
        cache.set(key, found, KEPT_S)
    return found


def find(project: Project, name: str, field: str) -> Release:
    rows = Release.objects.filter(project=project, name=name, state=TransferState.COMPLETE)
    row = rows.first()
    if row is None:
        raise errors.Invalid(f"There is no complete release {name!r} here.", field=field)
    return row


def _about(row: Release) -> dict[str, Any]:
    counts = row.report["counts"]
    named = {name: counts[name] for name in ("solutions", "steps", "groups", "verified_solutions")}
    return {"name": row.name, "digest": row.digest, **named}


def _labels(row: Release) -> Iterator[Labelled]:
    with file_of(row, LABELS).open(encoding="utf-8") as lines:
        for line in lines:
            yield Labelled(**json.loads(line))
