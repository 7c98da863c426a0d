import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from reuseid.models.accounts import Account
from reuseid.models.clients import Client
from reuseid.models.sealed import SealedField


class IdempotencyKey(models.Model):
    """The first answer to a POST with an Idempotency-Key, kept for 24 hours, scoped to the client."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Neither is ever deleted: no check and no index of their own (decision 0038).
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    key = models.CharField(max_length=255, help_text=_("A keyed hash of the header: it may name a person."))
    fingerprint = models.CharField(max_length=64, help_text=_("Keyed hash of method, path and body."))
    answer_status = models.PositiveSmallIntegerField(null=True, help_text=_("Empty while the first call runs."))
    answer = SealedField(null=True, help_text=_("Gone, where there is a status, with its person's erasure."))
    user_id = models.UUIDField(null=True, help_text=_("The person whom the answer is about."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="idempotency_key_once")]
        indexes = [
            models.Index(fields=["created_at"], name="idempotency_purge"),
            models.Index(fields=["user_id"], name="idempotency_of_user", condition=models.Q(user_id__isnull=False)),
        ]

    def __str__(self):
        return str(self.id)
