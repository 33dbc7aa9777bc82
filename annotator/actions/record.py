"""The event every action leaves behind."""

from typing import Any

from annotator.models import Event, Item, Project, User
from annotator.policies import Actor


def record(
    by: Actor | User, verb: str, project: Project | None, *, item: Item | None = None, **data: Any
) -> Event:
    """`by` is a user where no project is touched: one's own account."""
    actor = by if isinstance(by, User) else by.user
    return Event.objects.create(actor=actor, verb=verb, project=project, item=item, data=data)
