"""Raters and their annotations: people and machines alike (docs/adr/0001)."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length


class RaterKind(models.TextChoices):
    REVIEWER = "reviewer"
    SOURCE = "source"
    INJECTOR = "injector"
    JUDGE = "judge"
    CRITIC = "critic"
    ROLLOUTS = "rollouts"
    CONSENSUS = "consensus"
    PRM = "prm"


class Rater(models.Model):
    """Who labels. `digest` is of `spec` (model, prompt digest, …), so a changed prompt is another rater."""

    kind = models.CharField(max_length=10, choices=RaterKind)
    name = models.CharField(max_length=150)
    spec = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    user = models.OneToOneField("annotator.User", models.PROTECT, null=True, related_name="rater")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("kind", "name", "digest"), name="rater_once"),
            models.CheckConstraint(
                condition=Q(kind="reviewer", user__isnull=False)
                | (~Q(kind="reviewer") & Q(user__isnull=True)),
                name="rater_reviewer_has_user",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


class Phase(models.TextChoices):
    BLIND = "blind"
    REVEALED = "revealed"
    ADJUDICATION = "adjudication"
    MACHINE = "machine"


class FinishReason(models.TextChoices):
    """Why an annotation ended where it did (PRM800K's four, and a bad step split)."""

    SOLUTION = "solution", "judged to the end"
    FOUND_ERROR = "found_error", "stopped at the first error"
    BAD_PROBLEM = "bad_problem", "the problem is bad"
    BAD_SPLIT = "bad_split", "the steps are split badly"
    GIVE_UP = "give_up", "gave up"

    @property
    def judges(self) -> bool:
        """Whether the labels stand for a judgement of the whole solution."""
        return self in (FinishReason.SOLUTION, FinishReason.FOUND_ERROR)


class Annotation(models.Model):
    """One rater's labels for every step of one solution; append-only: only `superseded_at` is ever updated.

    `labels` is one character a step (core.labels); `first_error` is its 0-based position, -1 for NO_ERROR and
    -2 for UNKNOWN: codes of the column, never shown. `error_types` maps a position to codes. `bulk` lists the
    0-based positions that one act labelled together with others. Redundancy is a second axis: '-' is redundant,
    '+' is not. `is_parsed`: false for a machine's reply that could not be read. `extra` is JSON text of what a
    foreign file said beside all this; `source_import` is the import that brought it, `unit` the machine work
    that made it. `blind_shows` and
    `labels_first` say what its rater saw before it was made.
    """

    solution = models.ForeignKey("annotator.Solution", models.CASCADE, related_name="annotations")
    rater = models.ForeignKey(Rater, models.PROTECT, related_name="annotations")
    phase = models.CharField(max_length=12, choices=Phase)
    labels = models.TextField()
    n_steps = models.PositiveIntegerField()
    first_error = models.IntegerField()
    scores = models.JSONField(null=True)
    redundancy_labels = models.TextField(blank=True)
    redundancy_scores = models.JSONField(null=True)
    error_types = models.JSONField(null=True)
    bulk = models.JSONField(null=True)
    is_parsed = models.BooleanField(default=True)
    verdict = models.JSONField(null=True)
    finish_reason = models.CharField(max_length=12, choices=FinishReason, blank=True)
    confidence = models.FloatField(null=True)
    note = models.TextField(blank=True)
    edited_solution = models.ForeignKey(
        "annotator.Solution", models.PROTECT, null=True, related_name="proposed_by"
    )
    assignment = models.ForeignKey(
        "annotator.Assignment", models.PROTECT, null=True, related_name="annotations"
    )
    guideline = models.ForeignKey("annotator.Guideline", models.PROTECT, null=True, related_name="+")
    blind_shows = models.CharField(max_length=10, blank=True)
    labels_first = models.BooleanField(default=True)
    duration_ms = models.PositiveBigIntegerField(null=True)
    source_import = models.ForeignKey("annotator.Import", models.PROTECT, null=True, related_name="+")
    # No index: an import would pay for it, and from a unit its annotation is found by the solution.
    unit = models.ForeignKey("annotator.Unit", models.PROTECT, null=True, related_name="+", db_index=False)
    extra = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("solution", "rater", "phase"),
                condition=Q(superseded_at__isnull=True),
                name="annotation_one_current",
            ),
            models.CheckConstraint(
                condition=Q(n_steps=Length(F("labels"))), name="annotation_label_for_every_step"
            ),
        )

    def __str__(self) -> str:
        return f"{self.labels} by {self.rater_id}"
