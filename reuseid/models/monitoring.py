"""What those who run the service look at."""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from reuseid.models.accounts import Account, Staff


class Heartbeat(models.Model):
    """The last sign of life of beat or of a queue's workers. Beat's is also its lock: only the holder schedules."""

    name = models.CharField(max_length=64, primary_key=True, help_text=_("beat, or worker:queue"))
    holder = models.CharField(max_length=200)
    at = models.DateTimeField(db_default=Now())

    def __str__(self):
        return self.name


class StaffNotice(models.Model):
    """Something that a colleague should look at: an endpoint was disabled. Seen once by one is seen."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", null=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    code = models.CharField(max_length=64, help_text=_("noun.verb, as in webhook.disabled"))
    text = models.CharField(max_length=300)
    object_type = models.CharField(max_length=32)
    object_id = models.CharField(max_length=64)
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.ForeignKey(Staff, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("notice")
        permissions = [("mark_staffnotice", gettext_noop("Can mark a notice as seen"))]
        indexes = [
            models.Index(fields=["-seen_at", "-id"], name="notice_page"),
            models.Index(fields=["account", "id"], name="notice_of_account"),
            models.Index(fields=["id"], name="notice_unseen", condition=models.Q(seen_at__isnull=True)),
        ]

    def __str__(self):
        return self.text
