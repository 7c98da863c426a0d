import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from reuseid.models.accounts import Account
from reuseid.models.clients import Client
from reuseid.models.events import Event
from reuseid.models.sealed import SealedField


class WebhookEndpointQuerySet(models.QuerySet):
    def of(self, account):
        """The endpoints of one account that are not deleted: every door starts here."""
        return self.filter(account=account).exclude(status=WebhookEndpoint.Status.DELETED)

    def sendable(self):
        """Active, and its circuit breaker lets something through."""
        return self.filter(status=WebhookEndpoint.Status.ACTIVE).filter(
            Q(open_until__isnull=True) | Q(open_until__lte=Now())
        )

    def with_work(self):
        """Sendable with something due: one index probe an endpoint, however much a paused or dead one is owed."""
        rows = self.sendable().select_related("granted_by")
        return rows.filter(models.Exists(Delivery.objects.due().filter(endpoint=models.OuterRef("pk"))))


class WebhookEndpoint(models.Model):
    """An address of an integrator that gets the account's events, signed per Standard Webhooks."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE", _("Active")
        PAUSED = "PAUSED", _("Paused")
        DISABLED = "DISABLED", _("Disabled")
        DELETED = "DELETED", _("Deleted")

    MOVES = {
        Status.ACTIVE: [Status.PAUSED, Status.DISABLED],
        Status.PAUSED: [Status.ACTIVE],
        Status.DISABLED: [Status.ACTIVE, Status.PAUSED],
        Status.DELETED: [Status.ACTIVE, Status.PAUSED, Status.DISABLED],
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="webhook_endpoints")
    created_by = models.ForeignKey(Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    scopes = models.JSONField(
        default=list, blank=True, help_text=_("What its events show beyond ids, as the scopes of a client.")
    )
    granted_by = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Whose own scopes bound them; nobody's: a colleague stated them."),
    )
    url = models.URLField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    event_types = models.JSONField(default=list, blank=True, help_text=_("Empty: all."))
    secret = SealedField(help_text=_("32 random bytes: the v1 HMAC key."))
    previous_secret = SealedField(null=True, help_text=_("Signs too until previous_secret_expires_at."))
    previous_secret_expires_at = models.DateTimeField(null=True, blank=True)
    signing_key = SealedField(help_text=_("Ed25519 private key: the v1a signature."))
    previous_signing_key = SealedField(null=True, help_text=_("Signs too until previous_secret_expires_at."))
    public_key = models.CharField(max_length=64, help_text=_("whpk_… of the v1a signature."))
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    status_since = models.DateTimeField(db_default=Now(), editable=False)
    disabled_reason = models.CharField(max_length=64, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True, help_text=_("Circuit breaker: nothing is sent before."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("webhook endpoint")
        permissions = [
            ("pause_webhookendpoint", gettext_noop("Can pause and resume an endpoint")),
            ("rotate_webhookendpoint", gettext_noop("Can rotate an endpoint's keys")),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["ACTIVE", "PAUSED", "DISABLED", "DELETED"]),
                name="webhook_endpoint_status",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "status"], name="webhook_endpoint_of_account"),
            models.Index(fields=["account", "created_at", "id"], name="webhook_endpoint_page"),
        ]

    def __str__(self):
        return self.url

    def shown_scopes(self) -> list[str]:
        """The scopes that count now: a client that lost one, or is blocked, can't give it to its endpoints."""
        if self.granted_by is None:
            return self.scopes
        if self.granted_by.status != Client.Status.ACTIVE:
            return []
        return [scope for scope in self.scopes if scope in self.granted_by.scopes]


class DeliveryQuerySet(models.QuerySet):
    def of(self, account):
        """The deliveries of one account: every door starts here."""
        return self.filter(account=account)

    def due(self):
        """Owed and its time has come, by the database's clock."""
        return self.filter(status=Delivery.Status.PENDING, next_attempt_at__lte=Now())


class Delivery(models.Model):
    """One event owed to one endpoint. The row is the memory; a task only wakes the sender."""

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Owed")
        SENT = "SENT", _("Delivered")
        FAILED = "FAILED", _("Given up")
        CANCELED = "CANCELED", _("Not sent: the endpoint is gone")

    MOVES = {
        Status.SENT: [Status.PENDING],
        Status.FAILED: [Status.PENDING],
        Status.CANCELED: [Status.PENDING],
        Status.PENDING: [Status.PENDING, Status.SENT, Status.FAILED],
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # Rows of accounts and endpoints are never deleted, those of events and deliveries are: only these references are
    # checked by the database (decision 0038).
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_constraint=False)
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.PROTECT,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    object_id = models.UUIDField(help_text=_("Events about one object are sent in order."))
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(default=0, help_text=_("Claims so far: the fence of a settlement."))
    attempts_before = models.PositiveIntegerField(
        default=0, help_text=_("Attempts before the last resend: the retry table starts anew after them.")
    )
    next_attempt_at = models.DateTimeField(
        db_default=Now(), help_text=_("While one is being sent: the end of its lease.")
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("deliveries")
        permissions = [("resend_delivery", gettext_noop("Can send a callback again"))]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="delivery_once"),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "SENT", "FAILED", "CANCELED"]), name="delivery_status"
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "next_attempt_at"], name="delivery_due", condition=Q(status="PENDING")),
            models.Index(
                fields=["endpoint", "object_id", "event"],
                name="delivery_order",
                condition=Q(status="PENDING"),
            ),
            models.Index(fields=["endpoint", "created_at", "id"], name="delivery_page"),
            models.Index(fields=["created_at", "id"], name="delivery_recent"),
            models.Index(fields=["account", "created_at"], name="delivery_owed", condition=Q(status="PENDING")),
            models.Index(fields=["account", "created_at"], name="delivery_failed", condition=Q(status="FAILED")),
            models.Index(fields=["settled_at"], name="delivery_settled", condition=Q(settled_at__isnull=False)),
        ]

    def __str__(self):
        return str(self.id)


class DeliveryAttempt(models.Model):
    """One try to send: when, what came back."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempt_log", db_index=False)
    number = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    duration_ms = models.PositiveIntegerField(null=True)
    http_status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True)
    answer = models.TextField(blank=True, help_text=_("The first 2 KiB of the answer's body."))

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="delivery_attempt_number")]
        indexes = [models.Index(fields=["at"], name="delivery_attempt_at")]

    def __str__(self):
        return f"{self.delivery_id} #{self.number}"
