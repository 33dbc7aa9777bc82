"""Releases: frozen, content-addressed exports with their datasheets."""

from django.db import models

from annotator.models.transfer import Transfer


class Release(Transfer):
    """`rule` says what was chosen, `digest` (sha256) is of the records and the rule: the same data and rule give
    the same. `report` is what the datasheet says. The files lie under `path`, and never change."""

    format = None  # type: ignore[assignment]  # it holds several
    name = models.CharField(max_length=80, help_text="As it is cited, such as 1.0.")
    rule = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    path = models.CharField(max_length=500, blank=True)
    n_records = models.PositiveIntegerField(null=True)
    files = models.JSONField(default=list, help_text="[{name, bytes, sha256}]")
    note = models.TextField(blank=True)

    class Meta(Transfer.Meta):
        abstract = False
        constraints = (models.UniqueConstraint(fields=("project", "name"), name="release_name_once"),)

    def __str__(self) -> str:
        return self.name
