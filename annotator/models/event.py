"""What happened, append-only: who did what to which row."""

from django.db import models


class Event(models.Model):
    """`verb` is the action's name; `data` what it changed. `actor` is null for a command or a worker."""

    project = models.ForeignKey("annotator.Project", models.CASCADE, null=True, related_name="events")
    actor = models.ForeignKey("annotator.User", models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=40)
    item = models.ForeignKey("annotator.Item", models.CASCADE, null=True, related_name="events")
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (
            models.Index(fields=("project", "id"), name="event_project"),
            models.Index(fields=("item", "id"), name="event_item"),
            models.Index(fields=("project", "verb", "id"), name="event_verb"),
        )

    def __str__(self) -> str:
        return f"{self.verb} at {self.at:%F %T}"
