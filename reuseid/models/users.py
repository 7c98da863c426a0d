import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from reuseid.models.accounts import Account
from reuseid.models.clients import Client


class UserQuerySet(models.QuerySet):
    def of(self, account):
        """The users of one account: every door starts here."""
        return self.filter(account=account)


class User(models.Model):
    """A managed identity: a person whom an account knows, proofed once and reused."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        LOCKED = "LOCKED", _("Locked")
        DEACTIVATED = "DEACTIVATED", _("Deactivated")

    MOVES = {
        Status.LOCKED: [Status.ACTIVE],
        Status.ACTIVE: [Status.LOCKED],
        Status.DEACTIVATED: [Status.ACTIVE, Status.LOCKED],
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="users")
    external_ref = models.CharField(max_length=128, null=True, blank=True)  # noqa: DJ001 - NULL is "none", so unique works
    client = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        help_text=_("The API client that made it."),
    )
    # `normalisation.fold` of the reference, which no database does alike. Longer: some letters fold to several.
    folded_ref = models.CharField(max_length=400, null=True, editable=False)  # noqa: DJ001 - as the reference
    segment = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    status_since = models.DateTimeField(db_default=Now(), editable=False)
    lock_reason = models.CharField(max_length=32, blank=True)
    locked_until = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False, help_text=_("The ETag."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    erasure_requested_at = models.DateTimeField(null=True, editable=False)
    emptied_at = models.DateTimeField(
        null=True, editable=False, help_text=_("When nothing was left but what is still owed to the outside.")
    )
    erased_at = models.DateTimeField(null=True, editable=False)

    objects = UserQuerySet.as_manager()

    class Meta:
        permissions = [
            ("lock_user", gettext_noop("Can lock a user")),
            ("unlock_user", gettext_noop("Can unlock a user")),
            ("deactivate_user", gettext_noop("Can ask to deactivate a user for good")),
            ("erase_user", gettext_noop("Can ask to erase a user's personal data")),
            ("export_user", gettext_noop("Can export users, sensitive values masked")),
            ("export_sensitive", gettext_noop("Can export sensitive values too")),
            ("bulk_user", gettext_noop("Can lock and unlock many users at once")),
            ("verify_caller", gettext_noop("Can record that a caller was verified")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["account", "external_ref"], name="user_external_ref"),
            models.CheckConstraint(condition=Q(status__in=["ACTIVE", "LOCKED", "DEACTIVATED"]), name="user_status"),
        ]
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="user_page"),
            models.Index(fields=["account", "status", "created_at", "id"], name="user_by_status"),
            models.Index(fields=["account", "segment", "created_at", "id"], name="user_by_segment"),
            # With the account, which every list asks for too, they answer without a look at the rows: the people of a
            # client that made nobody for years are found as quickly as the newest.
            models.Index(fields=["client", "created_at", "id", "account"], name="user_of_client"),
            models.Index(fields=["client", "status", "created_at", "id", "account"], name="user_of_client_status"),
            models.Index(
                fields=["account", "folded_ref"],
                name="user_by_folded_ref",
                opclasses=["uuid_ops", "varchar_pattern_ops"],
            ),
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
