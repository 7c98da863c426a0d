"""What colleagues do around a person: values shown for a minute, looks at the page, notes; and their saved views."""

import uuid

from django.db import models
from django.db.models.functions import Now

from reuseid.models.accounts import Account, Staff
from reuseid.models.sealed import SealedField
from reuseid.models.users import User


class Reveal(models.Model):
    """One masked value, shown to one colleague until ``expires_at``. Holds no value: only which one."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    staff = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="+", verbose_name="colleague")
    user = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    object_type = models.CharField(max_length=32)
    object_id = models.UUIDField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = "revealed value"
        indexes = [
            models.Index(fields=["user", "staff", "expires_at"], name="reveal_of_user"),
            models.Index(fields=["expires_at"], name="reveal_purge"),
        ]

    def __str__(self):
        return f"{self.object_type} {self.object_id}"


class UserAccess(models.Model):
    """When a colleague last left a line for opening a person's page: the next one comes some minutes later."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, related_name="+", db_index=False, verbose_name="colleague"
    )
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "reuseid_userview"
        verbose_name = "access to a person"
        verbose_name_plural = "access log"
        constraints = [models.UniqueConstraint(fields=["staff", "user"], name="user_view_once")]
        indexes = [models.Index(fields=["at"], name="user_view_purge")]

    def __str__(self):
        return str(self.user_id)


class UserNote(models.Model):
    """An internal note about a person: for colleagues, encrypted, never changed, gone with the person's erasure."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="notes", db_index=False)
    text = SealedField()
    actor_type = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=120)
    actor_label = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "note"
        indexes = [models.Index(fields=["user", "created_at", "id"], name="note_of_user")]

    def __str__(self):
        return str(self.id)


class SavedView(models.Model):
    """A list with its filters that a colleague keeps under a name. Only theirs; never holds what was searched."""

    id = models.BigAutoField(primary_key=True)
    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, related_name="saved_views", db_index=False, verbose_name="colleague"
    )
    model = models.CharField(max_length=64, help_text="app.model of the list.")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, help_text="The filters, as in the address.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = "saved view"
        constraints = [models.UniqueConstraint(fields=["staff", "model", "name"], name="saved_view_name")]

    def __str__(self):
        return self.name
