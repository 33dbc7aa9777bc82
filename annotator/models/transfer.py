"""Imports and exports: long work on files, with its progress."""

from pathlib import PurePath

from django.db import models


class TransferState(models.TextChoices):
    """Import: waiting -> checking -> checked -> writing -> complete. Export: waiting -> writing -> complete.
    Either may end failed; an import may be removed."""

    WAITING = "waiting"
    CHECKING = "checking"
    CHECKED = "checked"
    WRITING = "writing"
    COMPLETE = "complete"
    FAILED = "failed"
    REMOVED = "removed"


class Transfer(models.Model):
    """What both share: who, what, how far."""

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="%(class)ss")
    created_by = models.ForeignKey("annotator.User", models.PROTECT, null=True, related_name="+")
    format = models.CharField(max_length=30)
    options = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=TransferState, default=TransferState.WAITING)
    n_done = models.PositiveIntegerField(default=0)
    n_total = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    beat_at = models.DateTimeField(null=True, help_text="When its worker last reported.")
    finished_at = models.DateTimeField(null=True)
    report = models.JSONField(default=dict)

    class Meta:
        abstract = True
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.format} {self.state}"

    @property
    def is_running(self) -> bool:
        return self.state in (TransferState.WAITING, TransferState.CHECKING, TransferState.WRITING)


class ImportKind(models.TextChoices):
    SOLUTIONS = "solutions", "problems and solutions"
    ANNOTATIONS = "annotations", "labels of solutions that are here"


class Import(Transfer):
    """`kind` says what the files hold. `paths` are the files, in order; `n_done` good records are written of
    `n_total`, so that a resumed import
    goes on there. `report` is actions.import_report.Report; its "kinds" hold sums, so that imports add up."""

    kind = models.CharField(max_length=12, choices=ImportKind, default=ImportKind.SOLUTIONS)
    paths = models.JSONField(default=list)
    names = models.JSONField(default=list, help_text="The files' names as people know them.")

    @property
    def file_names(self) -> list[str]:
        """Without folders: where a command's files lie on the server is nobody's business on a page."""
        return [PurePath(name).name for name in self.names]


class Export(Transfer):
    """`which`: gold, all, or KIND:NAME. The file lies under DATA_DIR and is served only to leads.
    `report`: {"left_out": {why: {"n", "first": [ids]}}}: what the format had no way to say."""

    which = models.CharField(max_length=200)
    min_raters = models.PositiveSmallIntegerField(default=1)
    path = models.CharField(max_length=500, blank=True)
    n_bytes = models.PositiveBigIntegerField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
