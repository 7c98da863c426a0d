"""The service's own keys. Private halves are sealed under the key-encryption key; docs/protocol.md, chapter 2."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from reuseid.models import Account
from reuseid.models.sealed import SealedField


class KeyStatus(models.TextChoices):
    NEXT = "NEXT", _("Announced")
    CURRENT = "CURRENT", _("In use")
    RETIRED = "RETIRED", _("Retired")


KEY_MOVES = {KeyStatus.CURRENT: [KeyStatus.NEXT], KeyStatus.RETIRED: [KeyStatus.CURRENT, KeyStatus.NEXT]}


class TrustAnchor(models.Model):
    """ES256 key that signs the key document; its public half is pinned in the app."""

    MOVES = KEY_MOVES

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="trust_anchors")
    private_key = SealedField(null=True, help_text=_("PKCS 8 DER; erased when retired."))
    public_jwk = models.JSONField()
    status = models.CharField(max_length=16, choices=KeyStatus, default=KeyStatus.CURRENT)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "status"], name="trust_anchor_one_each", condition=~Q(status="RETIRED")
            ),
            models.CheckConstraint(condition=Q(status__in=["NEXT", "CURRENT", "RETIRED"]), name="trust_anchor_status"),
        ]

    def __str__(self):
        return str(self.id)


class SigningKey(models.Model):
    """ES256 key that signs consent JWTs. Every public half stays published at the JWKS."""

    MOVES = KEY_MOVES

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False, help_text=_("The kid."))
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="signing_keys")
    private_key = SealedField(null=True, help_text=_("PKCS 8 DER; erased when retired."))
    public_jwk = models.JSONField()
    status = models.CharField(max_length=16, choices=KeyStatus, default=KeyStatus.CURRENT)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "status"], name="signing_key_one_each", condition=~Q(status="RETIRED")
            ),
            models.CheckConstraint(condition=Q(status__in=["NEXT", "CURRENT", "RETIRED"]), name="signing_key_status"),
        ]

    def __str__(self):
        return str(self.id)


class ChannelKey(models.Model):
    """Recipient key of the envelope: a fresh one every 24 h, usable for 48 h, then the row is erased."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False, help_text=_("The kid."))
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="channel_keys")
    suite = models.PositiveSmallIntegerField()
    private_key = SealedField()
    public_key = models.BinaryField()
    not_before = models.DateTimeField()
    not_after = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(suite__in=[1, 2]), name="channel_key_suite"),
            models.UniqueConstraint(fields=["account", "suite", "not_before"], name="channel_key_one_each"),
        ]
        indexes = [models.Index(fields=["not_after"], name="channel_key_erase")]

    def __str__(self):
        return str(self.id)
