"""The queue: items, assignments, questions."""

from django.db import models
from django.db.models import F, Q


class Decision(models.TextChoices):
    INCOMPLETE = "incomplete"
    AGREED = "agreed"
    CONFLICTED = "conflicted"
    SETTLED = "settled"


class Use(models.TextChoices):
    """What an item, or one giving of it to a reviewer, is for. Only work decides and is agreed upon; items of
    the other uses are held, and given by the exam and not by the queue."""

    WORK = "work"
    DEMONSTRATION = "demonstration"
    EXAM = "exam"
    PROBE = "probe"


class Item(models.Model):
    """A solution queued for review. `open_slots`, `decision` and `gold` change only in the transaction that
    claims, submits or settles; `manage.py check_integrity` recomputes them. `opened_at` is when a slot last came
    back: a reviewer whose frontier has passed the item looks again (queue.py)."""

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="items")
    solution = models.ForeignKey("annotator.Solution", models.PROTECT, related_name="items")
    protocol = models.CharField(max_length=20)
    error_type = models.CharField(max_length=40, blank=True, help_text="The injection's kind, for filters.")
    wanted = models.PositiveSmallIntegerField()
    open_slots = models.PositiveSmallIntegerField()
    priority = models.IntegerField(default=0)
    held = models.BooleanField(default=False)
    held_because = models.CharField(max_length=300, blank=True)
    retired = models.BooleanField(default=False, help_text="Out of the project's work for good; held too.")
    decision = models.CharField(max_length=10, choices=Decision, default=Decision.INCOMPLETE)
    gold = models.ForeignKey("annotator.Annotation", models.PROTECT, null=True, related_name="+")
    n_submitted = models.PositiveSmallIntegerField(default=0)
    use = models.CharField(max_length=13, choices=Use, default=Use.WORK)
    is_probe = models.BooleanField(default=False, help_text="May be given unseen to measure a reviewer.")
    sample = models.ForeignKey("annotator.Sample", models.SET_NULL, null=True, related_name="items")
    opened_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("solution", "protocol"), name="item_once"),
            models.CheckConstraint(condition=Q(open_slots__lte=F("wanted")), name="item_slots_in_wanted"),
            models.CheckConstraint(condition=Q(retired=False) | Q(held=True), name="item_retired_is_held"),
        )
        indexes = (
            models.Index(
                "project", F("priority").desc(), "id",
                condition=Q(open_slots__gt=0, held=False), name="item_claimable",
            ),
            models.Index(
                fields=("project", "opened_at"),
                condition=Q(opened_at__isnull=False), name="item_reopened",
            ),
            models.Index(fields=("project", "decision", "id"), name="item_by_decision"),
            models.Index(fields=("project", "error_type", "decision"), name="item_by_kind"),
            models.Index(fields=("project", "id"), condition=Q(is_probe=True), name="item_probe"),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"item {self.pk}"


class AssignmentState(models.TextChoices):
    """claimed -> committed (revealed protocols) -> submitted; or skipped / expired. `barred` marks somebody who
    saw others' labels and so gets no slot."""

    CLAIMED = "claimed"
    COMMITTED = "committed"
    SUBMITTED = "submitted"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    BARRED = "barred"


OPEN_STATES = (AssignmentState.CLAIMED, AssignmentState.COMMITTED)


class Assignment(models.Model):
    """One item given to one reviewer, with the draft. `draft_version` grows by one with every save.
    `assigned`: a lead gave it to this reviewer, so it is held without a lease until it is done or taken back."""

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="assignments")
    item = models.ForeignKey(Item, models.PROTECT, related_name="assignments")
    rater = models.ForeignKey("annotator.Rater", models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=10, choices=AssignmentState, default=AssignmentState.CLAIMED)
    claimed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    assigned = models.BooleanField(default=False)
    committed_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    draft = models.JSONField(default=dict)
    draft_version = models.PositiveIntegerField(default=0)
    skip_reason = models.TextField(blank=True)
    purpose = models.CharField(max_length=13, choices=Use, default=Use.WORK)
    surplus = models.BooleanField(default=False)
    reopened = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("item", "rater"), name="assignment_once"),)
        indexes = (
            models.Index(
                fields=("project", "lease_until"), condition=Q(state="claimed"), name="assignment_lease"
            ),
            models.Index(
                fields=("project", "rater"), condition=Q(state__in=["claimed", "committed"]),
                name="assignment_open",
            ),
            models.Index(fields=("project", "rater", "submitted_at", "id"), name="assignment_mine"),
            models.Index(
                fields=("project", "purpose", "rater"), condition=~Q(purpose="work"), name="assignment_measured"
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.state} {self.item_id}"


class Question(models.Model):
    """A reviewer's question to the leads about one item, and the answer."""

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="questions")
    item = models.ForeignKey(Item, models.CASCADE, related_name="questions")
    asked_by = models.ForeignKey("annotator.User", models.PROTECT, related_name="questions")
    text = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)
    answer = models.TextField(blank=True)
    answered_by = models.ForeignKey("annotator.User", models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("project", "answered_at"), name="question_open"),
            models.Index(fields=("project", "asked_by"), name="question_mine"),
        )

    def __str__(self) -> str:
        return self.text[:60]


class Sample(models.Model):
    """Items drawn at random to say how good the whole is (acceptance sampling). `per`: the field whose values
    are sampled each for itself; `seed` draws the same items again."""

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="samples")
    created_by = models.ForeignKey("annotator.User", models.PROTECT, null=True, related_name="+")
    share = models.FloatField()
    per = models.CharField(max_length=40, blank=True)
    seed = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict, help_text="Value of `per` -> {drawn, of}.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.share:.0%} per {self.per or 'project'}, seed {self.seed}"
