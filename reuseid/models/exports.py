import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reuseid.models.accounts import Account, Staff
from reuseid.models.sealed import SealedField


class Export(models.Model):
    """A file that a colleague asked for: made by workers in parts, downloaded by its asker, deleted after a day."""

    class Kind(models.TextChoices):
        USERS = "users", "Users"
        TRAIL = "trail", "Timeline"

    class Status(models.TextChoices):
        OWED = "OWED", "Waiting"
        RUNNING = "RUNNING", "Being made"
        READY = "READY", "Ready"
        FAILED = "FAILED", "Failed"
        EXPIRED = "EXPIRED", "Deleted"

    MOVES = {
        Status.RUNNING: [Status.OWED],
        Status.READY: [Status.RUNNING],
        Status.FAILED: [Status.OWED, Status.RUNNING],
        Status.EXPIRED: [Status.READY],
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=Kind)
    filters = models.JSONField(default=dict)
    attributes = models.JSONField(default=list, help_text="Names of the attributes that have a column.")
    sensitive = models.BooleanField(default=False, help_text="Whether sensitive values are in it.")
    bom = models.BooleanField(default=False, help_text="Whether it begins with a byte order mark, for Excel.")
    reason = models.CharField(max_length=64)
    note = models.TextField(blank=True, max_length=2000)
    status = models.CharField(max_length=16, choices=Status, default=Status.OWED)
    failure = models.CharField(max_length=200, blank=True, editable=False)
    expected = models.PositiveIntegerField(null=True, editable=False, help_text="Rows, counted when it was begun.")
    row_count = models.PositiveIntegerField(default=0, editable=False)
    part_count = models.PositiveIntegerField(default=0, editable=False)
    cursor = models.JSONField(null=True, editable=False, help_text="Where the next part begins.")
    lease_until = models.DateTimeField(null=True, editable=False, help_text="Until then it is one worker's.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ready_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["OWED", "RUNNING", "READY", "FAILED", "EXPIRED"]), name="export_status"
            ),
            models.CheckConstraint(condition=Q(kind__in=["users", "trail"]), name="export_kind"),
        ]
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="export_page"),
            models.Index(fields=["created_at", "id"], name="export_recent"),
            models.Index(fields=["asked_by", "status"], name="export_of_colleague"),
            models.Index(fields=["created_at"], name="export_owed", condition=Q(status__in=["OWED", "RUNNING"])),
            models.Index(fields=["expires_at"], name="export_expires", condition=Q(status="READY")),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}, {self.created_at:%Y-%m-%d %H:%M} UTC"


class ExportPart(models.Model):
    """Some rows of an export, sealed to their place in it: parts can't be swapped."""

    SEALED_TO = "place"

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="parts")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    content = SealedField()

    class Meta:
        verbose_name = "part of an export"
        verbose_name_plural = "parts of exports"
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="export_part_number")]

    def __str__(self):
        return f"{self.export_id} {self.number}"

    @property
    def place(self):
        """What the content is sealed to, since the database chooses the key."""
        return f"{self.export_id}:{self.number}"
