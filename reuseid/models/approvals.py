import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from reuseid.models.accounts import Account, Staff
from reuseid.models.deadlines import IN_TIME, OVERDUE
from reuseid.models.users import User


class ApprovalRequestQuerySet(models.QuerySet):
    def waiting(self):
        """Not decided and in time, by the database's clock."""
        return self.filter(status=ApprovalRequest.Status.PENDING, **IN_TIME)

    def overdue(self):
        """Not decided in time and not swept yet."""
        return self.filter(status=ApprovalRequest.Status.PENDING, **OVERDUE)


class ApprovalRequest(models.Model):
    """A colleague asks for something that can't be undone; a second one decides. Never the same person."""

    class Action(models.TextChoices):
        DEACTIVATE = "user.deactivate", _("Deactivate for good")
        ERASE = "user.erase", _("Erase the personal data")

    class Status(models.TextChoices):
        PENDING = "PENDING", _("Waiting for approval")
        APPROVED = "APPROVED", _("Approved")
        REJECTED = "REJECTED", _("Rejected")
        WITHDRAWN = "WITHDRAWN", _("Withdrawn")
        EXPIRED = "EXPIRED", _("Expired")

    MOVES = {
        Status.APPROVED: [Status.PENDING],
        Status.REJECTED: [Status.PENDING],
        Status.WITHDRAWN: [Status.PENDING],
        Status.EXPIRED: [Status.PENDING],
    }
    # What waits first, the most urgent on top; then what is settled, newest first.
    QUEUE = (F("decided_at").desc(nulls_first=True), "expires_at", "id")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="approval_requests")
    action = models.CharField(max_length=32, choices=Action)
    reason = models.CharField(max_length=32)
    note = models.TextField(blank=True, max_length=2000)
    before = models.JSONField(default=dict, help_text=_("What there was when it was asked: the state and counts."))
    asked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    decided_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True, help_text=_("When it was settled, in whatever way."))
    decision_note = models.TextField(blank=True, max_length=2000)

    objects = ApprovalRequestQuerySet.as_manager()

    KIND = "request"

    class Meta:
        db_table = "reuseid_request"
        permissions = [
            ("decide_approvalrequest", gettext_noop("Can approve or reject what another colleague asked for"))
        ]
        constraints = [
            models.CheckConstraint(condition=Q(action__in=["user.deactivate", "user.erase"]), name="request_action"),
            models.CheckConstraint(
                condition=Q(status__in=["PENDING", "APPROVED", "REJECTED", "WITHDRAWN", "EXPIRED"]),
                name="request_status",
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("asked_by")), name="request_four_eyes"
            ),
            models.CheckConstraint(
                condition=Q(status="PENDING", decided_at=None, decided_by=None)
                | Q(status__in=["APPROVED", "REJECTED"], decided_at__isnull=False, decided_by__isnull=False)
                | Q(status__in=["WITHDRAWN", "EXPIRED"], decided_at__isnull=False, decided_by=None),
                name="request_decided",
            ),
            models.UniqueConstraint(
                fields=["user", "action"], condition=Q(status="PENDING"), name="request_one_waiting"
            ),
        ]
        indexes = [
            # As QUEUE: in PostgreSQL the NULLs of a descending column are first, and SQLite's indexes can't say it.
            models.Index(F("account"), F("decided_at").desc(), F("expires_at"), F("id"), name="request_queue"),
            models.Index(fields=["account", "status", "expires_at"], name="request_by_status"),
            models.Index(fields=["account", "action", "asked_at"], name="request_by_action"),
            models.Index(fields=["account", "asked_at"], name="request_by_day"),
            models.Index(fields=["user", "asked_at"], name="request_of_user"),
            models.Index(fields=["expires_at"], name="request_overdue", condition=Q(status="PENDING")),
            models.Index(fields=["decided_at"], name="request_settled", condition=Q(decided_at__isnull=False)),
        ]

    def __str__(self):
        return str(self.id)
