"""Problems, their solutions, the injections that corrupt them, and what checks find. All immutable."""

from django.db import models


class Problem(models.Model):
    """A question. A changed question is a child; `group` ties all versions of one problem together.

    `taken_down_at`: its text, and that of its solutions, was emptied for good; the rows stay.
    """

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="problems")
    source_import = models.ForeignKey("annotator.Import", models.PROTECT, null=True, related_name="+")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    group = models.CharField(max_length=200)
    foreign_id = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    answer = models.TextField(null=True)
    meta = models.JSONField(default=dict)
    key = models.CharField(max_length=64, help_text="sha256 of group, text, answer, meta and parent.")
    created_at = models.DateTimeField(auto_now_add=True)
    taken_down_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("project", "key"), name="problem_once"),)
        indexes = (models.Index(fields=("project", "group"), name="problem_group"),)

    def __str__(self) -> str:
        return self.foreign_id or self.text[:60]


class Solution(models.Model):
    """An answer to a problem: an ordered list of steps (0-based positions). An edit makes a child.

    `digest` is of the content (problem text and steps) and goes out with every export; `key` tells one foreign
    record from another of the same content. `extra` is what of a foreign record nothing else can rebuild. `unit` is the
    machine work that made it.
    """

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="solutions")
    source_import = models.ForeignKey("annotator.Import", models.PROTECT, null=True, related_name="+")
    unit = models.ForeignKey("annotator.Unit", models.PROTECT, null=True, related_name="+", db_index=False)
    problem = models.ForeignKey(Problem, models.PROTECT, related_name="solutions")
    parent = models.ForeignKey("self", models.PROTECT, null=True, related_name="children")
    steps = models.JSONField()
    n_steps = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    key = models.CharField(max_length=64)
    foreign_id = models.CharField(max_length=300, blank=True)
    foreign_format = models.CharField(max_length=30, blank=True)
    extra = models.TextField(blank=True)
    meta = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("project", "key"), name="solution_once"),
            models.CheckConstraint(condition=models.Q(n_steps__gte=1), name="solution_has_steps"),
        )
        indexes = (
            # For searching ids by their beginning; PostgreSQL needs the operator class to do so with any locale.
            models.Index(
                fields=("project", "foreign_id"), name="solution_foreign_id",
                opclasses=("int8_ops", "varchar_pattern_ops"),
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return self.foreign_id or self.digest[:12]


class Injection(models.Model):
    """A deliberate corruption of `parent` into `child`, with its claim verbatim: 1-based as PRMBench writes it,
    unsorted and out of range as it may be. `alignment` is core.align's pairs, 0-based, computed once."""

    child = models.OneToOneField(Solution, models.CASCADE, related_name="injection")
    parent = models.ForeignKey(Solution, models.PROTECT, related_name="injections")
    error_type = models.CharField(max_length=40)
    claimed_changed = models.JSONField(default=list)
    claimed_wrong = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    rater = models.ForeignKey("annotator.Rater", models.PROTECT, related_name="injections")
    alignment = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"{self.error_type} in {self.child_id}"


class Finding(models.Model):
    """Something a check found in a solution or in the claim about it (core.checks; `code` is a key of CODES).

    `position` is the step's, 0-based; null: of the record as a whole. `detail` is for people.
    """

    # Its own index would only cost time while importing: `finding_by_code` begins with it.
    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="+", db_index=False)
    solution = models.ForeignKey(Solution, models.CASCADE, related_name="findings")
    code = models.CharField(max_length=30)
    position = models.PositiveIntegerField(null=True)
    detail = models.TextField(blank=True)

    class Meta:
        indexes = (models.Index(fields=("project", "code", "solution"), name="finding_by_code"),)

    def __str__(self) -> str:
        return f"{self.code} in {self.solution_id}"
