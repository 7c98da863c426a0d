import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from reuseid.models.accounts import Account
from reuseid.models.sealed import SealedField

QUIET_ACCESS = ["user.found", "user.viewed"]
"""Lines of colleagues who found a person by a value or opened their page: too many for a timeline."""
ACCESS = ["attribute.revealed", "operation.downloaded", "operation.revealed", "proofing.revealed", *QUIET_ACCESS]
"""Lines of colleagues who looked and changed nothing."""


# What else happens to a person among colleagues alone: nothing of the person's data or phones changes by it.
INTERNAL = [*ACCESS, "user.caller_verified"]


class TrailEntryQuerySet(models.QuerySet):
    def told(self, user):
        """The lines of a person's history that the account's own systems read: what changed, not who looked.

        Lines about other things (notes, requests between colleagues) are none of these.
        """
        rows = self.filter(user_id=user.pk, account=user.account_id)
        return rows.filter(object_type__in=["user", "proofing", "device", "operation"]).exclude(action__in=INTERNAL)


class TrailEntry(models.Model):
    """One line of history, written in the transaction of the change and never altered. Holds no personal value."""

    id = models.BigAutoField(primary_key=True)
    # Accounts are never deleted: neither a check nor an index of its own (decision 0038).
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", null=True, db_index=False, db_constraint=False
    )
    at = models.DateTimeField(db_default=Now(), editable=False)
    action = models.CharField(max_length=64, help_text=_("noun.verb, as in user.locked"))
    object_type = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    user_id = models.UUIDField(null=True, help_text=_("The person whom it is about."))
    actor_type = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=120)
    actor_label = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=64, blank=True)
    note = models.TextField(blank=True, max_length=2000)
    trace_id = models.CharField(max_length=64, blank=True)
    changes = models.JSONField(default=dict, help_text=_("Names of what changed and values that are not personal."))

    objects = TrailEntryQuerySet.as_manager()

    class Meta:
        permissions = [("export_trailentry", gettext_noop("Can export the trail"))]
        verbose_name = _("trail entry")
        verbose_name_plural = _("trail")
        indexes = [
            models.Index(fields=["user_id", "id"], name="trail_of_user"),
            models.Index(fields=["object_type", "object_id", "id"], name="trail_of_object"),
            models.Index(fields=["account", "id"], name="trail_of_account"),
            models.Index(fields=["actor_type", "actor_id", "id"], name="trail_of_actor"),
            models.Index(fields=["actor_id", "at"], name="trail_of_colleague", condition=models.Q(actor_type="STAFF")),
            models.Index(fields=["user_id", "id"], name="trail_of_looks", condition=models.Q(action__in=ACCESS)),
            models.Index(
                fields=["user_id", "id"], name="trail_of_callers", condition=models.Q(action="user.caller_verified")
            ),
        ]

    def __str__(self):
        return f"{self.action} {self.object_id}"


class TrailKey(models.Model):
    """Ed25519 key that signs the seals of the trail. Trusted only while its private half opens and fits the public."""

    account_id = None

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    private_key = SealedField(help_text=_("32 raw bytes."))
    public_key = models.CharField(max_length=64, help_text=_("32 raw bytes in hex."))
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self):
        return str(self.id)


class TrailSeal(models.Model):
    """A signed Merkle root (RFC 6962) over lines of the trail, chained to the seal before."""

    number = models.BigIntegerField(primary_key=True)
    version = models.PositiveSmallIntegerField(default=1, help_text=_("What is signed: from 2 on the time, too."))
    at = models.DateTimeField(db_default=Now(), editable=False)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    count = models.PositiveIntegerField()
    # From version 3 on behind 32 secret bytes, without which nobody guesses a line by its hash.
    leaves = models.BinaryField(help_text=_("For each line its id (8 bytes) and leaf hash (32 bytes)."))
    root = models.CharField(max_length=64)
    previous = models.CharField(max_length=64, blank=True, help_text=_("Hash of the seal before."))
    hash = models.CharField(max_length=64, help_text=_("What is signed."))
    key = models.ForeignKey(TrailKey, on_delete=models.PROTECT, related_name="+")
    signature = models.CharField(max_length=128)
    purged_at = models.DateTimeField(null=True, help_text=_("When its lines went, after the retention time."))
    purge_days = models.PositiveIntegerField(null=True, help_text=_("The retention time by which they went, in days."))
    purge_key = models.ForeignKey(TrailKey, on_delete=models.PROTECT, null=True, related_name="+")
    purge_signature = models.CharField(
        max_length=128, blank=True, help_text=_("Over the seal, both times and the days: nobody else purges.")
    )

    class Meta:
        verbose_name = _("trail seal")
        indexes = [models.Index(fields=["at"], name="trail_seal_purge", condition=models.Q(purged_at=None))]

    def __str__(self):
        return str(self.number)
