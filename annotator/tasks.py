"""Celery tasks: each calls one action on one row.

A row that another worker is at is left to that one, and looked at again when a dead worker would have shown.
"""

from typing import Any

from celery import shared_task

from annotator import errors, runs
from annotator.actions import annotation_import, exports, import_write, releases
from annotator.actions import redecide as deciding
from annotator.actions.transfers import STALE, Busy
from annotator.models import Export, Import, Project, Release

LATER: dict[str, Any] = {
    "throws": (errors.PlumblineError,),
    "autoretry_for": (Busy,),
    "retry_kwargs": {"max_retries": 3, "countdown": STALE.total_seconds() + 5},
}


@shared_task(name="annotator.check_import", **LATER)
def check_import(import_id: int) -> None:
    import_write.check_then_write(row=Import.objects.select_related("project").get(pk=import_id))


@shared_task(name="annotator.write_import", **LATER)
def write_import(import_id: int) -> None:
    import_write.write(row=Import.objects.select_related("project").get(pk=import_id))


@shared_task(name="annotator.check_annotations", **LATER)
def check_annotations(import_id: int) -> None:
    annotation_import.check_then_write(row=Import.objects.select_related("project").get(pk=import_id))


@shared_task(name="annotator.write_annotations", **LATER)
def write_annotations(import_id: int) -> None:
    annotation_import.write(row=Import.objects.select_related("project").get(pk=import_id))


@shared_task(name="annotator.write_export", **LATER)
def write_export(export_id: int) -> None:
    exports.write(row=Export.objects.select_related("project").get(pk=export_id))


@shared_task(name="annotator.redecide")
def redecide(project_id: int, after: int = 0) -> None:
    """Decide a project's items anew; after a minute the next task goes on."""
    project = Project.objects.get(pk=project_id)
    reached = deciding.work(project, after, deciding.WORKS_FOR)
    if reached is not None:
        redecide.delay(project_id, reached)


@shared_task(name="annotator.write_release", **LATER)
def write_release(release_id: int) -> None:
    releases.write(row=Release.objects.select_related("project").get(pk=release_id))


@shared_task(name="annotator.reap")
def reap() -> None:
    """Take back what dead workers held and ring for what is due. Workers ask for it every few seconds."""
    runs.reap()
