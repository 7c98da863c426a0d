import uuid

from django.db import models
from django.db.models import ExpressionWrapper, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from mobileid.models.applications import Application, Suite
from reuseid.models import Account, User
from reuseid.models.sealed import SealedField

LOCK_OVER = Q(status="LOCKED", locked_until__isnull=False, locked_until__lte=Now())


class DeviceQuerySet(models.QuerySet):
    def of(self, account):
        """The devices of one account: every door starts here."""
        return self.filter(account=account)

    def usable(self):
        """Active, or locked for a time that is over by the database's clock."""
        return self.filter(Q(status="ACTIVE") | LOCK_OVER)

    def last_used_first(self):
        """One that was never heard of again after it registered comes last: nobody may hold it."""
        return self.order_by(Coalesce("last_used_at", "heard_at").desc(nulls_last=True), "-created_at")

    def as_read(self):
        """With all that an answer shows, and ``is_lock_over``: unlocked by the database's clock, swept or not."""
        over = ExpressionWrapper(LOCK_OVER, output_field=models.BooleanField())
        return self.select_related("application").annotate(is_lock_over=over)


class Device(models.Model):
    """A phone bound to a person by its keys."""

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Waiting for confirmation")
        ACTIVE = "ACTIVE", _("Active")
        LOCKED = "LOCKED", _("Locked")
        DEACTIVATED = "DEACTIVATED", _("Deactivated")

    MOVES = {
        Status.ACTIVE: [Status.PENDING, Status.LOCKED],
        # From LOCKED: only a lock for a time may become a longer one; the service guards that.
        Status.LOCKED: [Status.ACTIVE, Status.LOCKED],
        Status.DEACTIVATED: [Status.PENDING, Status.ACTIVE, Status.LOCKED],
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="devices")
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="devices", db_index=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="devices")
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    status_since = models.DateTimeField(db_default=Now(), editable=False)
    lock_reason = models.CharField(max_length=32, blank=True)
    locked_until = models.DateTimeField(
        null=True, blank=True, help_text=_("Empty while locked: until support unlocks.")
    )
    name = models.CharField(max_length=64)
    platform = models.CharField(max_length=32, blank=True)
    os_version = models.CharField(max_length=32, blank=True)
    model = models.CharField(max_length=64, blank=True)
    sdk_version = models.CharField(max_length=32, blank=True)
    app_version = models.CharField(max_length=32, blank=True)
    suite = models.SmallIntegerField(
        choices=Suite, null=True, blank=True, help_text=_("What its last message was sealed with.")
    )
    possession_jwk = models.JSONField(help_text=_("Public key, P-256."))
    possession_thumbprint = models.CharField(max_length=43, help_text=_("RFC 7638."))
    inherence_jwk = models.JSONField(null=True, blank=True)
    previous_inherence_jwk = models.JSONField(
        null=True, blank=True, help_text=_("After biometry was enabled anew it counts too, as the PIN before does.")
    )
    previous_inherence_until = models.DateTimeField(null=True, blank=True)
    knowledge_key = SealedField(null=True, help_text=_("Ed25519 public key; an offline PIN test, so sealed."))
    key_version = models.PositiveIntegerField(default=1)
    previous_knowledge_key = SealedField(
        null=True, help_text=_("After a PIN change it counts too, until the new one's first good use or its own end.")
    )
    previous_key_until = models.DateTimeField(null=True, blank=True)
    failed_attempts = models.PositiveSmallIntegerField(default=0)
    lock_count = models.PositiveSmallIntegerField(
        default=0, help_text=_("Locks since the last good PIN or unlock by staff.")
    )
    last_used_at = models.DateTimeField(null=True, blank=True)
    heard_at = models.DateTimeField(
        null=True, blank=True, help_text=_("Its first message after registering: from then on somebody holds it.")
    )
    push_provider = models.CharField(max_length=16, blank=True)
    push_token = SealedField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        permissions = [
            ("lock_device", gettext_noop("Can lock a device")),
            ("unlock_device", gettext_noop("Can unlock a device")),
            ("deactivate_device", gettext_noop("Can deactivate a device for good")),
            ("bulk_device", gettext_noop("Can lock and unlock many devices at once")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "ACTIVE", "LOCKED", "DEACTIVATED"]), name="device_status"
            ),
            models.CheckConstraint(condition=Q(suite=None) | Q(suite__in=[1, 2]), name="device_suite"),
            models.UniqueConstraint(fields=["account", "possession_thumbprint"], name="device_possession_key"),
        ]
        indexes = [
            models.Index(fields=["account", "created_at", "id"], name="device_page"),
            models.Index(fields=["account", "status", "created_at"], name="device_by_status"),
            models.Index(fields=["user", "created_at"], name="device_of_user"),
            models.Index(fields=["application", "created_at", "id"], name="device_of_application"),
            models.Index(fields=["account", "platform", "created_at", "id"], name="device_by_platform"),
            models.Index(
                fields=["account", "created_at", "id"],
                name="device_with_biometry",
                condition=Q(inherence_jwk__isnull=False),
            ),
            models.Index(
                fields=["account", "created_at", "id"],
                name="device_with_pin",
                condition=Q(knowledge_key__isnull=False),
            ),
            models.Index(fields=["created_at", "id"], name="device_recent"),
            models.Index(fields=["status_since"], name="device_locked_since", condition=Q(status="LOCKED")),
            models.Index(
                fields=["previous_key_until"],
                name="device_hand_over_ends",
                condition=Q(previous_key_until__isnull=False),
            ),
            models.Index(
                fields=["previous_inherence_until"],
                name="device_biometry_hand_over",
                condition=Q(previous_inherence_until__isnull=False),
            ),
            models.Index(
                fields=["locked_until"],
                name="device_lock_ends",
                condition=Q(status="LOCKED", locked_until__isnull=False),
            ),
        ]

    def __str__(self):
        return str(self.id)
