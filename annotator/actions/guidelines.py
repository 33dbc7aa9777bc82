"""A project's guidelines: each change is a new version, so that annotations keep theirs."""

from django.db import transaction

from annotator import errors, policies
from annotator.actions.record import record
from annotator.models import Guideline, Membership, Project, Role
from annotator.policies import Actor

MAX_TEXT = 100_000


@transaction.atomic
def write_guideline(*, by: Actor, project: Project, text: str, base: int | None = None) -> Guideline:
    """The next version. `base` is the version the writer started from, 0 for none: Conflict if there is a
    newer one. The same text again makes no version."""
    policies.check_at_least(by, Role.LEAD, project)
    text = _checked(text)
    locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    current = locked.guideline
    version = current.version if current else 0
    if current and current.text == text:
        return current
    if base is not None and base != version:
        raise errors.Conflict(f"Version {version} was written meanwhile: compare with it, then save again.")
    written = Guideline.objects.create(project=locked, version=version + 1, text=text, created_by=by.user)
    locked.guideline = written
    locked.save(update_fields=["guideline"])
    record(by, "write_guideline", locked, version=written.version)
    return written


@transaction.atomic
def restore_guideline(*, by: Actor, project: Project, version: int, base: int | None = None) -> Guideline:
    """The text of an old version as the next one; nothing that was written is changed."""
    policies.check_at_least(by, Role.LEAD, project)
    old = Guideline.objects.filter(project=project, version=version).first()
    if old is None:
        raise errors.Missing(f"There is no version {version} of these guidelines.")
    return write_guideline(by=by, project=project, text=old.text, base=base)


def read_guideline(*, by: Membership, version: int) -> None:
    """Remember the newest version this member has opened. The membership is the record: no event."""
    policies.check_at_least(by, Role.REVIEWER, by.project)
    if version <= by.guideline_read:
        return
    if not Guideline.objects.filter(project=by.project_id, version=version).exists():
        raise errors.Missing(f"There is no version {version} of these guidelines.")
    Membership.objects.filter(pk=by.pk, guideline_read__lt=version).update(guideline_read=version)


def _checked(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise errors.Incomplete("Write the guidelines first.", field="text")
    if len(text) > MAX_TEXT:
        raise errors.Invalid(f"The guidelines are longer than {MAX_TEXT:,} characters.", field="text")
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise errors.Invalid("The text holds a character that cannot be stored.", field="text")
    return text
