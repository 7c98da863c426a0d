"""What happened in each ended hour, in numbers: the first page's charts read these, not millions of rows."""

from django.db import models

from reuseid.models.accounts import Account
from reuseid.models.deliveries import Delivery


class EventCount(models.Model):
    """How many events of a type an account had in an hour that is over."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField(help_text="Its beginning, in UTC.")
    type = models.CharField(max_length=64)
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "hour", "type"], name="event_count_once")]
        indexes = [models.Index(fields=["hour", "id"], name="event_count_hour")]

    def __str__(self):
        return f"{self.hour:%Y-%m-%d %H}:00 {self.type}"


class DeliveryCount(models.Model):
    """How many deliveries of an account were settled in an hour that is over, by the time that they took."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    hour = models.DateTimeField(help_text="Its beginning, in UTC.")
    status = models.CharField(max_length=16, choices=Delivery.Status)
    within = models.PositiveIntegerField(help_text="Seconds from owed to settled, at most; the last step has the rest.")
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "hour", "status", "within"], name="delivery_count_once")
        ]
        indexes = [models.Index(fields=["hour", "id"], name="delivery_count_hour")]

    def __str__(self):
        return f"{self.hour:%Y-%m-%d %H}:00 {self.status} {self.within} s"
