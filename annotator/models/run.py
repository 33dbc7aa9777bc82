"""Machine work: a run, its units, the calls each made, and who drives what (design.md section 6)."""

from django.db import models


class RunState(models.TextChoices):
    """planning -> running -> complete; either may be paused and go on, or be cancelled for good."""

    PLANNING = "planning"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    COMPLETE = "complete"


class Run(models.Model):
    """One parametrised, resumable execution of a machine method.

    `task` is the Celery task that works on it, `drives` what one worker at a time may hold (an endpoint, a GPU, or
    the run itself). `planned_to` is the id up to which units are made; null once all are. `because` says why it is
    paused, `budget` how much it may cost. The sums are kept in the transactions that change what they count.
    """

    project = models.ForeignKey("annotator.Project", models.CASCADE, related_name="runs")
    method = models.CharField(max_length=30)
    params = models.JSONField(default=dict)
    rater = models.ForeignKey("annotator.Rater", models.PROTECT, null=True, related_name="runs")
    task = models.CharField(max_length=60)
    drives = models.CharField(max_length=120)
    state = models.CharField(max_length=10, choices=RunState, default=RunState.PLANNING)
    because = models.TextField(blank=True)
    planned_to = models.BigIntegerField(null=True, default=0)
    budget = models.FloatField(null=True)
    n_units = models.PositiveIntegerField(default=0)
    n_done = models.PositiveIntegerField(default=0)
    n_failed = models.PositiveIntegerField(default=0)
    n_calls = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveBigIntegerField(default=0)
    completion_tokens = models.PositiveBigIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    created_by = models.ForeignKey("annotator.User", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    beat_at = models.DateTimeField(null=True, help_text="When its worker last stored something.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=("project", "-id"), name="run_project"),
            models.Index(fields=("state", "drives"), name="run_to_drive"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_RUNS

    @property
    def n_left(self) -> int:
        return max(0, self.n_units - self.n_done - self.n_failed)


OPEN_RUNS = (RunState.PLANNING, RunState.RUNNING)


class UnitState(models.TextChoices):
    WAITING = "waiting"
    LEASED = "leased"
    DONE = "done"
    FAILED = "failed"


class Unit(models.Model):
    """One piece of a run's work; `key` is the same whenever it is planned.

    `kind` and `outcome` are short codes to count by: an error type, say, and stored, rejected, unparsed. `result`
    is JSON text: what the method returned, evidence included. `attempts` counts workers that took it and came to
    no end; `due_at`: not before.
    """

    run = models.ForeignKey(Run, models.CASCADE, related_name="units", db_index=False)
    key = models.CharField(max_length=200)
    solution = models.ForeignKey("annotator.Solution", models.CASCADE, null=True, related_name="units")
    problem = models.ForeignKey(
        "annotator.Problem", models.CASCADE, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=40, blank=True)
    params = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=UnitState, default=UnitState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=30, blank=True)
    result = models.TextField(blank=True)
    error = models.TextField(blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "key"), name="unit_once"),)
        indexes = (models.Index(fields=("run", "state", "id"), name="unit_to_take"),)

    def __str__(self) -> str:
        return self.key


class Call(models.Model):
    """One request a unit made and what came back: the ledger of what was sent and paid. `n` counts the unit's
    requests from 0; one that failed (`error`) and was sent again has another row with the same n.

    `digest` is of model, parameters and messages; the same request by another draw is another digest. A call that
    an earlier one answered costs nothing: `reused`.
    """

    unit = models.ForeignKey(Unit, models.CASCADE, related_name="calls", db_index=False)
    n = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    reply = models.TextField(blank=True)
    finish_reason = models.CharField(max_length=30, blank=True)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    latency_ms = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0.0)
    reused = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("unit", "n"), condition=models.Q(error=""), name="call_once"),
        )
        indexes = (models.Index(fields=("unit", "n"), name="call_of_unit"),)

    def __str__(self) -> str:
        return f"call {self.n} of {self.unit_id}"


class Lease(models.Model):
    """Who drives something that one worker at a time may: an endpoint, a GPU."""

    name = models.CharField(max_length=120, unique=True)
    owner = models.CharField(max_length=40, blank=True)
    until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} by {self.owner or 'nobody'}"
