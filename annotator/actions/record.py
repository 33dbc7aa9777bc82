"""The event every action leaves behind."""

from typing import Any

from annotator.models import Event, Item, Project
from annotator.policies import Actor


def record(by: Actor, verb: str, project: Project | None, *, item: Item | None = None, **data: Any) -> Event:
    return Event.objects.create(actor=by.user, verb=verb, project=project, item=item, data=data)
