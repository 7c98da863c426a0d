import uuid

from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mobileid.models.applications import Application
from mobileid.models.devices import Device
from reuseid.models import Account, Client, User
from reuseid.models.deadlines import IN_TIME, OVERDUE
from reuseid.models.sealed import SealedField

OPEN = ["PENDING", "IN_PROGRESS"]
CLAIMED = ["QR", "SAME_DEVICE"]
"""Bindings whose operation belongs to the phone that claimed it."""


_UNSHOWN = {"push_notification", "binding_secret", "code_index", "confirmation_code", "confirmation_attempts"}


class OperationQuerySet(models.QuerySet):
    def of(self, account):
        """The operations of one account: every door starts here."""
        return self.filter(account=account)

    def open(self):
        """Neither ended nor past their deadline, by the database's clock."""
        return self.filter(status__in=OPEN, **IN_TIME)

    def overdue(self):
        """Past their deadline and not yet swept."""
        return self.filter(status__in=OPEN, **OVERDUE)

    def answerable_by(self, device):
        """Those that this phone may see and answer: its person's, for it or for any phone of theirs.

        One that is found by a claim, only once this phone has claimed it (`services.operation_links`).
        """
        claimed = Q(binding__in=CLAIMED)
        return self.filter(
            Q(target_device=None) | Q(target_device=device.pk),
            Q(application=None) | Q(application=device.application_id),
            ~claimed | Q(device=device.pk),
            account=device.account_id,
            user=device.user_id,
            type__in=["authentication", "signature"],
        )

    def with_overdue(self):
        """With ``is_overdue``: expired by the database's clock, swept or not."""
        overdue = ExpressionWrapper(Q(status__in=OPEN, **OVERDUE), output_field=models.BooleanField())
        return self.annotate(is_overdue=overdue)

    def as_read(self):
        """With all that a status answer shows, and ``is_overdue``."""
        return self.select_related("user", "client", "device", "target_device", "evidence").with_overdue()

    def as_shown(self):
        """As `as_read`, without the columns that no answer shows or asks."""
        return (
            self.with_overdue()
            .select_related("user", "client", "device", "target_device", "evidence")
            .only(
                *(field.name for field in Operation._meta.concrete_fields if field.name not in _UNSHOWN),
                *("user__external_ref", "user__status", "client__scopes", "evidence"),
                *(f"{phone}__{name}" for phone in ("device", "target_device") for name in ("name", "platform")),
            )
        )

    def as_listed(self):
        """With what a list's row shows: no contexts, result or evidence."""
        return (
            self.with_overdue()
            .select_related("user", "device", "target_device")
            .annotate(is_payment=ExpressionWrapper(Q(transaction__isnull=False), output_field=models.BooleanField()))
            .defer("title", "content", "transaction", "post_context", "push_notification", "signature")
        )


class Operation(models.Model):
    """A registration, an authentication (with a transaction: an authorisation) or a consent signature."""

    class Type(models.TextChoices):
        REGISTRATION = "registration", _("Registration")
        AUTHENTICATION = "authentication", _("Authentication")
        SIGNATURE = "signature", _("Signature")

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Waiting for the phone")
        IN_PROGRESS = "IN_PROGRESS", _("On the phone")
        COMPLETED = "COMPLETED", _("Completed")
        REJECTED = "REJECTED", _("Rejected")
        FAILED = "FAILED", _("Failed")
        CANCELED = "CANCELED", _("Cancelled")
        EXPIRED = "EXPIRED", _("Expired")

    class Binding(models.TextChoices):
        NONE = "NONE", _("None")
        NUMBER = "NUMBER", _("Number matching")
        QR = "QR", _("QR code")
        SAME_DEVICE = "SAME_DEVICE", _("Same device")

    class AuthLevel(models.TextChoices):
        ONE_FACTOR = "ONE_FACTOR", _("One factor")
        TWO_FACTOR = "TWO_FACTOR", _("Two factors")

    class Confirmation(models.TextChoices):
        NONE = "NONE", _("None")
        INTEGRATOR = "INTEGRATOR", _("By the integrator")

    MOVES = {
        Status.IN_PROGRESS: [Status.PENDING],
        Status.COMPLETED: OPEN,
        Status.REJECTED: OPEN,
        Status.FAILED: OPEN,
        Status.CANCELED: OPEN,
        Status.EXPIRED: OPEN,
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Nothing that these name is ever deleted, so the database need not look for it at each write, nor keep an index
    # beside those that begin with the same column (decision 0038).
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="operations", db_index=False, db_constraint=False
    )
    application = models.ForeignKey(
        Application,
        on_delete=models.PROTECT,
        null=True,
        related_name="operations",
        db_index=False,
        db_constraint=False,
    )
    client = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text=_("Who started it."),
    )
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="operations", db_index=False, db_constraint=False
    )
    target_device = models.ForeignKey(
        Device,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        help_text=_("Only this phone may answer."),
    )
    device = models.ForeignKey(
        Device,
        on_delete=models.PROTECT,
        null=True,
        related_name="operations",
        db_index=False,
        db_constraint=False,
        help_text=_("The phone that answered."),
    )
    type = models.CharField(max_length=16, choices=Type)
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    failure_reason = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()
    client_reference = models.CharField(max_length=128, blank=True)

    # What the person sees and signs. `content` is the exact bytes whose hash the phone signs.
    title = SealedField(null=True)
    mime_type = models.CharField(max_length=32, blank=True)
    content = SealedField(null=True)
    content_hash = models.CharField(max_length=43, blank=True)
    transaction = SealedField(null=True, help_text=_("JSON, for an authorisation (PSD2 dynamic linking)."))
    post_context = SealedField(null=True, help_text=_("JSON, given to the phone after success."))
    push_notification = SealedField(null=True, help_text=_("JSON."))
    requested_attributes = models.JSONField(default=list, blank=True)

    auth_level = models.CharField(max_length=16, choices=AuthLevel, blank=True)
    auth_methods = models.JSONField(default=list, blank=True)
    auth_method = models.CharField(max_length=24, blank=True, help_text=_("The method that was used."))
    broadcast = models.BooleanField(default=False)
    allow_parallel = models.BooleanField(default=False)

    binding = models.CharField(max_length=16, choices=Binding, default=Binding.NONE)
    binding_secret = SealedField(null=True, help_text=_("The number (digits) or the QR secret (32 bytes)."))
    code_index = models.CharField(  # noqa: DJ001 - most have none
        max_length=64,
        null=True,
        help_text=_("Keyed hash of the activation code or of the claim; single use."),
    )
    return_url = models.URLField(max_length=500, blank=True)
    return_hash = models.CharField(max_length=43, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    confirmation = models.CharField(max_length=16, choices=Confirmation, default=Confirmation.NONE)
    confirmation_code = SealedField(null=True)
    confirmation_attempts = models.PositiveSmallIntegerField(default=0)
    device_name = models.CharField(max_length=64, blank=True)

    signature = SealedField(null=True, help_text=_("The consent JWT of a completed signature."))

    objects = OperationQuerySet.as_manager()

    class Meta:
        permissions = [
            ("cancel_operation", gettext_noop("Can cancel an open operation")),
            ("start_registration", gettext_noop("Can start the registration of a phone")),
            ("reveal_operation", gettext_noop("Can see for a minute what a person was shown")),
            ("try_operation", gettext_noop("Can try operations out with test users")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "PENDING",
                        "IN_PROGRESS",
                        "COMPLETED",
                        "REJECTED",
                        "FAILED",
                        "CANCELED",
                        "EXPIRED",
                    ]
                ),
                name="operation_status",
            ),
            models.CheckConstraint(
                condition=Q(type__in=["registration", "authentication", "signature"]), name="operation_type"
            ),
            models.CheckConstraint(
                condition=Q(status__in=OPEN, ended_at=None) | (~Q(status__in=OPEN) & Q(ended_at__isnull=False)),
                name="operation_ended",
            ),
            # With a condition, since most operations have no code; `unique=True` would keep two indexes of all.
            models.UniqueConstraint(
                fields=["code_index"], name="operation_code", condition=Q(code_index__isnull=False)
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="operation_overdue", condition=Q(status__in=OPEN)),
            models.Index(fields=["user", "expires_at"], name="operation_open_of_user", condition=Q(status__in=OPEN)),
            models.Index(fields=["user", "created_at"], name="operation_of_user"),
            models.Index(fields=["device", "created_at"], name="operation_of_device"),
            models.Index(fields=["account", "created_at", "id"], name="operation_page"),
            models.Index(fields=["created_at", "id"], name="operation_recent"),
            models.Index(fields=["account", "status", "created_at"], name="operation_by_status"),
            models.Index(fields=["account", "type", "created_at"], name="operation_by_type"),
            models.Index(fields=["application", "created_at", "id"], name="operation_of_app"),
            models.Index(fields=["client", "created_at", "id"], name="operation_of_client"),
            models.Index(fields=["ended_at"], name="operation_ended_at", condition=Q(ended_at__isnull=False)),
            models.Index(
                fields=["account", "client_reference"],
                name="operation_by_reference",
                condition=~Q(client_reference=""),
            ),
        ]

    def __str__(self):
        return str(self.id)


class Evidence(models.Model):
    """What proves a completed operation offline: the device's compact JWS over the statement, and its public key.

    The content's bytes are the operation's. Never holds a knowledge signature or key.
    """

    operation = models.OneToOneField(
        Operation, on_delete=models.PROTECT, primary_key=True, related_name="evidence", db_constraint=False
    )
    proof = models.TextField(help_text=_("Compact JWS of the possession or inherence key."))
    device_jwk = models.JSONField()
    device_thumbprint = models.CharField(max_length=43)
    auth_method = models.CharField(max_length=24)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = _("evidence")

    def __str__(self):
        return str(self.operation_id)
