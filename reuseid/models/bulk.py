import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reuseid.models.accounts import Account, Staff
from reuseid.models.sealed import SealedField


class BulkRun(models.Model):
    """One act on up to BULK_LIMIT rows of one account: seen first as a dry run (DRAFT), then carried out."""

    class Status(models.TextChoices):
        DRAFT = "DRAFT", "Dry run"
        RUNNING = "RUNNING", "Running"
        FINISHED = "FINISHED", "Finished"
        STOPPED = "STOPPED", "Stopped"

    MOVES = {
        Status.RUNNING: [Status.DRAFT],
        Status.FINISHED: [Status.RUNNING],
        Status.STOPPED: [Status.RUNNING],
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=32, help_text="What is acted on: the name of a model.")
    act = models.CharField(max_length=16)
    reason = models.CharField(max_length=64)
    note = models.TextField(blank=True, max_length=2000)
    until = models.DateTimeField(null=True, blank=True, help_text="When the locks end by themselves.")
    status = models.CharField(max_length=16, choices=Status, default=Status.DRAFT)
    row_count = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False, help_text="Until then it is one worker's.")
    stopped_because = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = "bulk act"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["DRAFT", "RUNNING", "FINISHED", "STOPPED"]), name="bulk_run_status"
            )
        ]
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="bulk_run_page"),
            models.Index(fields=["created_at", "id"], name="bulk_run_recent"),
            models.Index(fields=["created_at"], name="bulk_run_owed", condition=Q(status="RUNNING")),
        ]

    def __str__(self):
        return f"{self.act} {self.kind}s, {self.row_count} rows"


class BulkRow(models.Model):
    """One line of a bulk act: whom it is about, what the dry run said, what came of it.

    What was typed is kept, sealed, only where it named nobody: elsewhere the id says enough.
    """

    class Status(models.TextChoices):
        WAITING = "WAITING", "Not yet"
        DONE = "DONE", "Done"
        ALREADY = "ALREADY", "Is so already"
        REFUSED = "REFUSED", "Refused"
        NOT_FOUND = "NOT_FOUND", "Not found"
        TWICE = "TWICE", "Named twice"
        SKIPPED = "SKIPPED", "Not carried out"

    MOVES = {to: ["WAITING"] for to in ("DONE", "ALREADY", "REFUSED", "NOT_FOUND", "SKIPPED")}

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="rows")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    line = models.PositiveIntegerField()
    typed = SealedField(null=True, help_text="Sealed to `place`.")
    target_id = models.UUIDField(null=True)
    foreseen = models.CharField(max_length=16, choices=Status)
    status = models.CharField(max_length=16, choices=Status, default=Status.WAITING)
    message = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True)

    SEALED_TO = "place"

    class Meta:
        verbose_name = "row of a bulk act"
        verbose_name_plural = "rows of bulk acts"
        constraints = [
            models.UniqueConstraint(fields=["run", "line"], name="bulk_row_line"),
            models.UniqueConstraint(fields=["run", "target_id"], name="bulk_row_target"),
            models.CheckConstraint(
                condition=Q(
                    status__in=["WAITING", "DONE", "ALREADY", "REFUSED", "NOT_FOUND", "TWICE", "SKIPPED"],
                    foreseen__in=["DONE", "ALREADY", "REFUSED", "NOT_FOUND", "TWICE"],
                ),
                name="bulk_row_status",
            ),
        ]
        indexes = [models.Index(fields=["account"], name="bulk_row_typed", condition=Q(typed__isnull=False))]

    def __str__(self):
        return f"{self.run_id} {self.line}"

    @property
    def place(self):
        """What the typed text is sealed to: the line of the run, since the database chooses the key."""
        return f"{self.run_id}:{self.line}"
