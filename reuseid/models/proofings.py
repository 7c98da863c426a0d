import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from reuseid.models.accounts import Account
from reuseid.models.sealed import SealedField
from reuseid.models.users import User


class AssuranceLevel(models.TextChoices):
    """Levels of Regulation (EU) 910/2014 (eIDAS), article 8."""

    LOW = "low", _("Low")
    SUBSTANTIAL = "substantial", _("Substantial")
    HIGH = "high", _("High")


class Proofing(models.Model):
    """An identity proofing that was done elsewhere and is recorded here; attributes point to it."""

    class Method(models.TextChoices):
        EID = "eid", _("eID")
        EIDV = "eidv", _("Electronic identity verification")
        DOCUMENT = "document", _("Document")
        OTHER = "other", _("Other")

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        DEACTIVATED = "DEACTIVATED", _("Deactivated")

    MOVES = {Status.DEACTIVATED: [Status.ACTIVE]}

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="proofings")
    method = models.CharField(max_length=16, choices=Method)
    provider = models.CharField(max_length=120)
    reference = SealedField(null=True)
    assurance_level = models.CharField(max_length=16, choices=AssuranceLevel)
    performed_at = models.DateTimeField()
    evidence_hash = models.CharField(max_length=128, blank=True)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        permissions = [("reveal_proofing", gettext_noop("Can see a proofing's reference for a minute, with a reason"))]
        constraints = [
            models.CheckConstraint(condition=models.Q(status__in=["ACTIVE", "DEACTIVATED"]), name="proofing_status"),
        ]
        indexes = [models.Index(fields=["user", "created_at", "id"], name="proofing_page")]

    def __str__(self):
        return f"{self.get_method_display()} by {self.provider}"
