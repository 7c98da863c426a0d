import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from reuseid.models.accounts import Account
from reuseid.models.sealed import SealedField


class EventQuerySet(models.QuerySet):
    def of(self, account):
        """The events of one account: every door starts here."""
        return self.filter(account=account)


class Event(models.Model):
    """Something that integrators are told. Written in the transaction of the change (transactional outbox)."""

    SEALED_TO = "id"

    sequence = models.BigAutoField(primary_key=True)
    id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    # Accounts are never deleted: neither a check nor an index of its own (decision 0038).
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="events", db_index=False, db_constraint=False
    )
    type = models.CharField(max_length=64)
    object_type = models.CharField(max_length=32)
    object_id = models.UUIDField()
    user_id = models.UUIDField(null=True)
    payload = SealedField(help_text=_("The body as it is sent: JSON with type, timestamp and data. Sealed to `id`."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["account", "created_at", "sequence"], name="event_page"),
            models.Index(fields=["account", "type", "sequence"], name="event_by_type"),
            models.Index(fields=["object_id", "sequence"], name="event_of_object"),
            models.Index(fields=["user_id", "sequence"], name="event_of_user"),
            models.Index(fields=["created_at"], name="event_purge"),
        ]

    def __str__(self):
        return f"{self.type} {self.id}"
