"""Projects and their guidelines."""

from django.conf import settings
from django.db import models
from django.urls import reverse


class Protocol(models.TextChoices):
    """What a reviewer is asked about an item (design.md section 5)."""

    VERIFY_INJECTION = "verify_injection", "verify injection"
    LABEL_STEPS = "label_steps", "label steps"
    VERIFY_LABELS = "verify_labels", "verify labels"
    CHECK_SOLUTION = "check_solution", "check solution"

    @property
    def reveals(self) -> bool:
        """Whether something said by a machine is shown after the blind commit."""
        return self in (Protocol.VERIFY_INJECTION, Protocol.VERIFY_LABELS)


class BlindShows(models.TextChoices):
    """What a blind reviewer of an injection sees: kept on every annotation, rates compare only within one."""

    DIFF = "diff", "the solution with what changed"
    SOLUTION = "solution", "the solution alone"


class DecisionRule(models.TextChoices):
    """What has to be the same for reviewers to agree (core.decision)."""

    LABELS = "labels", "the label of every step"
    FIRST_ERROR = "first_error", "the first wrong step"
    WRONG_STEPS = "wrong_steps", "which steps are wrong"
    ERROR_TYPES = "error_types", "which steps are wrong, and their error types"


class Project(models.Model):
    """`probe_rate`: the share of claims that are probes. `exam_pass`: the share of an exam's items that lets a
    reviewer in; null: there is no exam. `acceptance_bar`: the share of a kind's sample that must be really wrong
    for the kind to be released; null: none."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    protocol = models.CharField(max_length=20, choices=Protocol, default=Protocol.VERIFY_INJECTION)
    overlap = models.PositiveSmallIntegerField(default=2, help_text="Reviewers wanted for each item.")
    blind_shows = models.CharField(max_length=10, choices=BlindShows, default=BlindShows.DIFF)
    lease_minutes = models.PositiveSmallIntegerField(default=60, help_text="How long a claim holds its slot.")
    decision_rule = models.CharField(max_length=12, choices=DecisionRule, default=DecisionRule.LABELS)
    labels_first = models.BooleanField(
        default=True, help_text="Reviewers label before they see what machines say."
    )
    probe_rate = models.FloatField(default=0.0)
    exam_pass = models.FloatField(null=True, blank=True)
    acceptance_bar = models.FloatField(null=True, blank=True)
    label_after_error = models.BooleanField(
        default=False, help_text="Label steps: judge also what follows the first wrong step."
    )
    error_types = models.JSONField(
        default=list,
        blank=True,
        help_text="Error types of its own: code, title, key, definition; none: PRMBench's.",
    )
    guideline = models.ForeignKey(
        "annotator.Guideline", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reopened_at = models.DateTimeField(
        null=True, blank=True, help_text="When an item last came open again (queue.py)."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.CheckConstraint(condition=models.Q(overlap__gte=1), name="project_overlap_positive"),
            models.CheckConstraint(condition=models.Q(lease_minutes__gte=1), name="project_lease_positive"),
            models.CheckConstraint(
                condition=models.Q(probe_rate__gte=0, probe_rate__lte=0.5), name="project_probe_rate"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("project", args=[self.slug])


class Guideline(models.Model):
    """One version of a project's guidelines, in Markdown; never changed once written."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="guidelines")
    version = models.PositiveIntegerField()
    text = models.TextField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("project", "-version")
        constraints = (models.UniqueConstraint(fields=("project", "version"), name="guideline_version_once"),)

    def __str__(self) -> str:
        return f"{self.project_id} v{self.version}"
