"""Users, their place in projects, and the links that let them in."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class User(AbstractUser):
    """A person. `keys` remaps the review keys: action -> key; `theme` is light, dark or '' (the system's);
    `large_text`: the review screen in larger letters."""

    keys = models.JSONField(default=dict, blank=True)
    theme = models.CharField(max_length=5, blank=True, choices=[("light", "light"), ("dark", "dark")])
    large_text = models.BooleanField(default=False)


class Role(models.TextChoices):
    """What somebody may do in a project; each includes those before it."""

    REVIEWER = "reviewer", "reviewer"
    LEAD = "lead", "lead"
    OWNER = "owner", "owner"

    def at_least(self, other: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(other)


class Membership(models.Model):
    """One user in one project, and the counters and queue position that keep their pages' cost flat.

    `frontier`: [priority, item id]; every open item that stands before it is known not to be for this reviewer,
    but for those reopened after `frontier_at` (queue.py). `mark` is the next frontier.
    """

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    rater = models.ForeignKey("annotator.Rater", models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.REVIEWER)
    guideline_read = models.PositiveIntegerField(default=0, help_text="The guideline version last opened.")
    n_submitted = models.PositiveIntegerField(default=0)
    active_ms = models.BigIntegerField(default=0, help_text="Time spent on submitted items, in milliseconds.")
    last_active_at = models.DateTimeField(null=True, blank=True)
    exam_passed_at = models.DateTimeField(null=True, blank=True)
    exam_attempts = models.PositiveSmallIntegerField(default=0)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_because = models.CharField(max_length=300, blank=True)
    frontier = models.JSONField(null=True)
    mark = models.JSONField(null=True)
    frontier_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("project", "user"), name="membership_once"),)

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    def is_at_least(self, role: Role) -> bool:
        return Role(self.role).at_least(role)


class Invitation(models.Model):
    """A link that makes one account, or brings one existing account into a project. Only its digest is kept."""

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=10, choices=Role, default=Role.REVIEWER)
    note = models.CharField(max_length=120, blank=True, help_text="For whom it is; shown to leads only.")
    token_digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.role} of {self.project_id}"

    @property
    def is_open(self) -> bool:
        return self.used_at is None and self.expires_at > timezone.now()
