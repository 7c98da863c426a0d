"""Short-lived rows of the device protocol: nonces and the stored responses to messages."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from mobileid.models.applications import Application
from mobileid.models.devices import Device
from mobileid.models.operations import Operation
from reuseid.models import Account
from reuseid.models.sealed import SealedField


class Nonce(models.Model):
    """A challenge: 32 random bytes, single use."""

    class Purpose(models.TextChoices):
        REGISTRATION = "registration", _("Registration")
        OPERATION = "operation", _("Operation")
        PIN_CHANGE = "pin-change", _("PIN change")
        BIOMETRIC_ENABLE = "biometric-enable", _("Biometry")

    id = models.BigAutoField(primary_key=True)
    value = models.CharField(max_length=43, help_text=_("b64u"))
    purpose = models.CharField(max_length=16, choices=Purpose)
    # Neither is ever deleted: no check and no index of their own, here and below (decision 0038).
    operation = models.ForeignKey(
        Operation, on_delete=models.PROTECT, null=True, related_name="nonces", db_index=False, db_constraint=False
    )
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, null=True, related_name="nonces", db_index=False, db_constraint=False
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        # Not `unique=True`, which would keep a second index, for patterns.
        constraints = [models.UniqueConstraint(fields=["value"], name="nonce_once")]
        indexes = [
            models.Index(fields=["operation", "device"], name="nonce_live", condition=Q(used_at=None)),
            models.Index(fields=["expires_at"], name="nonce_purge"),
        ]

    def __str__(self):
        return str(self.id)


class StoredResponse(models.Model):
    """The inner answer to a message that changed something, kept for 10 minutes so that a resend learns the outcome.

    Its table, to whose name the answers are sealed, has the name that the model had first.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    mid = models.CharField(max_length=22, help_text=_("b64u of 16 bytes"))
    device_id = models.UUIDField(null=True, help_text=_("The phone that it is for, once that is known."))
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of the plaintext and its path."))
    answer = SealedField(null=True, help_text=_("Empty while the first message is being judged."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "mobileid_messageanswer"
        constraints = [models.UniqueConstraint(fields=["application", "mid"], name="message_once")]
        indexes = [
            models.Index(fields=["created_at"], name="message_purge"),
            models.Index(fields=["device_id"], name="message_of_device"),
        ]

    def __str__(self):
        return str(self.id)
