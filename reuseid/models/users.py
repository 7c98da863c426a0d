import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from reuseid.models.accounts import Account


class UserQuerySet(models.QuerySet):
    def of(self, account):
        """The users of one account: every door starts here."""
        return self.filter(account=account)


class User(models.Model):
    """A managed identity: a person whom an account knows, proofed once and reused."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", "Active"
        LOCKED = "LOCKED", "Locked"
        DEACTIVATED = "DEACTIVATED", "Deactivated"

    MOVES = {
        Status.LOCKED: [Status.ACTIVE],
        Status.ACTIVE: [Status.LOCKED],
        Status.DEACTIVATED: [Status.ACTIVE, Status.LOCKED],
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="users")
    external_ref = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001 - NULL is "none", so unique works
    segment = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    status_since = models.DateTimeField(db_default=Now(), editable=False)
    lock_reason = models.CharField(max_length=32, blank=True)
    locked_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False, help_text="The ETag.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    erasure_requested_at = models.DateTimeField(null=True, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False)

    objects = UserQuerySet.as_manager()

    class Meta:
        permissions = [
            ("lock_user", "Can lock a user"),
            ("unlock_user", "Can unlock a user"),
            ("deactivate_user", "Can deactivate a user for good"),
            ("export_user", "Can export users, sensitive values masked"),
            ("export_sensitive", "Can export sensitive values too"),
            ("bulk_user", "Can lock and unlock many users at once"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "external_ref"], name="user_external_ref"),
            models.CheckConstraint(condition=Q(status__in=["ACTIVE", "LOCKED", "DEACTIVATED"]), name="user_status"),
        ]
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="user_page"),
            models.Index(fields=["account", "status", "created_at", "id"], name="user_by_status"),
            models.Index(fields=["account", "segment", "created_at", "id"], name="user_by_segment"),
            models.Index(fields=["created_at", "id"], name="user_recent"),
            models.Index(fields=["status_since"], name="user_locked_since", condition=Q(status="LOCKED")),
            models.Index(fields=["locked_until"], name="user_lock_ends", condition=Q(locked_until__isnull=False)),
            models.Index(
                fields=["erasure_requested_at"],
                name="user_to_erase",
                condition=Q(erasure_requested_at__isnull=False, erased_at=None),
            ),
        ]

    def __str__(self):
        return str(self.id)
